// SPDX-License-Identifier: GPL-2.0
/* What happened most, and what goes round in circles. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/events.h"

#define ROOM	  65536 /* pages, and places, that are counted one by one */
#define VCPUS	  16384 /* whose last fault is remembered, by vcpu_id: KVM_MAX_VCPU_IDS */
#define NO_INDEX  UINT32_MAX
#define SECOND_NS 1000000000ULL

struct spt_summary_room {
	uint32_t page_hash[2 * ROOM], place_hash[2 * ROOM]; /* index + 1 */
	uint32_t last_fault[VCPUS];			    /* page of the vCPU's last fault */
	uint64_t second, in_second;			    /* being counted for the peak */
};

int spt_summary_init(struct spt_events_summary *s)
{
	*s = (struct spt_events_summary){ 0 };
	s->room = calloc(1, sizeof(*s->room));
	s->pages = calloc(ROOM, sizeof(*s->pages));
	s->places = calloc(ROOM, sizeof(*s->places));
	if (!s->room || !s->pages || !s->places) {
		spt_summary_deinit(s);
		return -ENOMEM;
	}
	memset(s->room->last_fault, 0xff, sizeof(s->room->last_fault));
	return 0;
}

void spt_summary_deinit(struct spt_events_summary *s)
{
	free(s->room);
	free(s->pages);
	free(s->places);
	*s = (struct spt_events_summary){ 0 };
}

static uint32_t hash_of(uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ULL >> 32) % (2 * ROOM);
}

/* Its index, or NO_INDEX: there is no room. */
static uint32_t page_of(struct spt_events_summary *s, const struct spt_event *e)
{
	uint64_t address = e->address & ~(spt_level_size(1) - 1);
	uint32_t at = hash_of(address + e->space);

	for (; s->room->page_hash[at]; at = (at + 1) % (2 * ROOM)) {
		const struct spt_events_page *page = &s->pages[s->room->page_hash[at] - 1];

		if (page->address == address && page->space == e->space)
			return s->room->page_hash[at] - 1;
	}
	if (s->nr_pages == ROOM)
		return NO_INDEX;
	s->pages[s->nr_pages] = (struct spt_events_page){
		.address = address,
		.space = e->space,
		.slot = e->known & SPT_EVENT_HAS_SLOT ? e->slot : -1,
		.first_ns = e->time_ns,
	};
	s->room->page_hash[at] = ++s->nr_pages;
	return s->nr_pages - 1;
}

static struct spt_events_place *place_of(struct spt_events_summary *s, uint64_t rip, bool l2)
{
	uint32_t at = hash_of(rip + l2);

	for (; s->room->place_hash[at]; at = (at + 1) % (2 * ROOM)) {
		struct spt_events_place *place = &s->places[s->room->place_hash[at] - 1];

		if (place->rip == rip && place->l2 == l2)
			return place;
	}
	if (s->nr_places == ROOM)
		return NULL;
	s->places[s->nr_places] = (struct spt_events_place){ .rip = rip, .l2 = l2 };
	s->room->place_hash[at] = ++s->nr_places;
	return &s->places[s->nr_places - 1];
}

static void count_cause(struct spt_events_summary *s, const char *name, bool l2)
{
	const size_t max = sizeof(s->causes) / sizeof(s->causes[0]);
	size_t i;

	for (i = 0; i < s->nr_causes && (s->causes[i].l2 != l2 || strcmp(s->causes[i].name, name));
	     i++)
		;
	if (i == max)
		return;
	if (i == s->nr_causes)
		s->causes[s->nr_causes++] = (struct spt_events_cause){ name, l2, 0 };
	s->causes[i].count++;
}

static void count_second(struct spt_events_summary *s, uint64_t time_ns)
{
	uint64_t second = (time_ns - s->first_ns) / SECOND_NS;

	if (second != s->room->second) {
		s->room->second = second;
		s->room->in_second = 0;
	}
	if (++s->room->in_second > s->peak)
		s->peak = s->room->in_second;
}

static uint32_t *last_fault(struct spt_events_summary *s, const struct spt_event *e)
{
	return &s->room->last_fault[(uint32_t)e->vcpu % VCPUS];
}

static void add_fault(struct spt_events_summary *s, const struct spt_event *e)
{
	uint32_t nr = e->known & SPT_EVENT_HAS_ADDRESS ? page_of(s, e) : NO_INDEX;
	struct spt_events_place *place = NULL;

	count_second(s, e->time_ns);
	if (nr != NO_INDEX) {
		struct spt_events_page *page = &s->pages[nr];

		page->faults++;
		page->last_ns = e->time_ns;
		if (++page->in_vain_now > page->in_vain)
			page->in_vain = page->in_vain_now;
	}
	*last_fault(s, e) = nr;
	if (e->known & SPT_EVENT_HAS_RIP)
		place = place_of(s, e->rip, e->flags & SPT_EVENT_L2);
	if (place) {
		place->faults++;
		if (e->code_len || !place->event.code_len)
			place->event = *e;
	}
	s->uncounted += nr == NO_INDEX || (e->known & SPT_EVENT_HAS_RIP && !place);
}

/* What the guest's hypervisor does about a fault is not seen; KVM did its part. */
static void add_reflected(struct spt_events_summary *s, const struct spt_event *e)
{
	uint32_t nr = *last_fault(s, e);

	if (nr == NO_INDEX)
		return;
	s->pages[nr].reflected++;
	s->pages[nr].in_vain_now = 0;
}

/* An entry changed: the fault before it was not in vain. */
static void add_change(struct spt_events_summary *s, const struct spt_event *e)
{
	bool was = e->known & SPT_EVENT_HAS_OLD && e->old_spte & SPT_SPTE_MMU_PRESENT;
	bool is = e->new_spte & SPT_SPTE_MMU_PRESENT;
	uint32_t nr = *last_fault(s, e);

	if (e->flags & SPT_EVENT_OF_FAULT && nr != NO_INDEX && e->old_spte != e->new_spte)
		s->pages[nr].in_vain_now = 0;
	if (e->known & SPT_EVENT_HAS_LEVEL && e->level > 1 && !(e->new_spte & SPT_SPTE_PAGE_SIZE) &&
	    !(e->old_spte & SPT_SPTE_PAGE_SIZE))
		return; /* tables */
	nr = page_of(s, e);
	if (nr == NO_INDEX)
		return;
	s->pages[nr].mapped += is && !was;
	s->pages[nr].zapped += was && !is;
	s->pages[nr].last_ns = e->time_ns;
}

static void add_emulated(struct spt_events_summary *s, const struct spt_event *e)
{
	uint32_t nr = page_of(s, e);

	if (nr != NO_INDEX) {
		s->pages[nr].emulated++;
		s->pages[nr].last_ns = e->time_ns;
	}
}

int spt_summary_add(struct spt_events_summary *s, const struct spt_model *m,
		    const struct spt_event *e)
{
	const char *cause = spt_event_cause(m, e);

	if (!s->events++)
		s->first_ns = e->time_ns;
	s->last_ns = e->time_ns;
	s->kinds[e->kind]++;
	if (cause)
		count_cause(s, cause, e->kind == SPT_EVENT_FAULT && e->flags & SPT_EVENT_L2);
	switch (e->kind) {
	case SPT_EVENT_FAULT:
		add_fault(s, e);
		break;
	case SPT_EVENT_REFLECT:
		add_reflected(s, e);
		break;
	case SPT_EVENT_SPTE:
	case SPT_EVENT_SET:
	case SPT_EVENT_FAST:
		add_change(s, e);
		break;
	case SPT_EVENT_MMIO:
		if (!(e->flags & SPT_EVENT_ASKED))
			add_emulated(s, e);
		break;
	}
	return 0;
}

static int compare(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_faults(const void *a, const void *b)
{
	const struct spt_events_page *x = a, *y = b;
	int order = compare(x->faults + x->emulated, y->faults + y->emulated);

	if (!order)
		order = compare(x->mapped + x->zapped, y->mapped + y->zapped);
	return order ? order : compare(y->address, x->address);
}

static int by_place(const void *a, const void *b)
{
	const struct spt_events_place *x = a, *y = b;
	int order = compare(x->faults, y->faults);

	return order ? order : compare(y->rip, x->rip);
}

static int by_count(const void *a, const void *b)
{
	const struct spt_events_cause *x = a, *y = b;
	int order = compare(x->count, y->count);

	return order ? order : strcmp(x->name, y->name);
}

void spt_summary_finish(struct spt_events_summary *s)
{
	qsort(s->pages, s->nr_pages, sizeof(*s->pages), by_faults);
	qsort(s->places, s->nr_places, sizeof(*s->places), by_place);
	qsort(s->causes, s->nr_causes, sizeof(*s->causes), by_count);
}

enum spt_storm_kind spt_events_storm(const struct spt_events_page *page)
{
	if (page->mapped >= SPT_STORM_CYCLES && page->zapped >= SPT_STORM_CYCLES)
		return SPT_STORM_CIRCLE;
	if (page->faults + page->emulated >= SPT_STORM_FAULTS && 2 * page->emulated >= page->faults)
		return SPT_STORM_MMIO;
	return page->in_vain >= SPT_STORM_FAULTS ? SPT_STORM_SPINNING : SPT_NO_STORM;
}

const char *spt_storm_name(enum spt_storm_kind kind)
{
	static const char *const names[] = {
		[SPT_NO_STORM] = "none",
		[SPT_STORM_SPINNING] = "spinning",
		[SPT_STORM_CIRCLE] = "circle",
		[SPT_STORM_MMIO] = "mmio",
	};

	return names[kind];
}
