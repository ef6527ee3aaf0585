// SPDX-License-Identifier: GPL-2.0
/*
 * VMs whose memory has two halves: the mirror root's tables, what the hardware walks in
 * their place, guest_memfd's pages, and what the shared root and the VMM have.
 */
#include <errno.h>
#include <stdlib.h>

#include "decoders/spte.h"
#include "spt/audit_address.h"
#include "spt/external.h"
#include "spt/lpage.h"
#include "spt/tree.h"

/* Frames of host memory, ascending; what they overlap is not joined. */
struct audit_frames {
	struct audit_frame_run {
		uint64_t first, last; /* both inclusive, as page frame numbers */
		uint64_t gfn;	      /* of the first */
	} * run;
	size_t count, room;
};

static int add_run(struct audit_frames *f, uint64_t pfn, uint64_t pages, uint64_t gfn)
{
	struct audit_frame_run *last = f->count ? &f->run[f->count - 1] : NULL;

	if (last && last->last + 1 == pfn && last->gfn + (pfn - last->first) == gfn) {
		last->last += pages;
		return 0;
	}
	if (f->count == f->room) {
		size_t room = f->room * 2 + 256;
		struct audit_frame_run *more = realloc(f->run, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		f->run = more;
		f->room = room;
	}
	f->run[f->count++] = (struct audit_frame_run){ pfn, pfn + pages - 1, gfn };
	return 0;
}

static int by_frame(const void *a, const void *b)
{
	const struct audit_frame_run *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* After it no run ends behind one that begins above it, so that a search may stop early. */
static void sort_runs(struct audit_frames *f)
{
	uint64_t last = 0;

	if (!f->count)
		return;
	qsort(f->run, f->count, sizeof(*f->run), by_frame);
	for (size_t i = 0; i < f->count; i++) {
		if (f->run[i].last < last)
			f->run[i].last = last;
		last = f->run[i].last;
	}
}

/* A run with one of the frames; NULL: none. */
static const struct audit_frame_run *find_run(const struct audit_frames *f, uint64_t pfn,
					      uint64_t pages)
{
	size_t low = 0, high = f->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->run[mid].last < pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->count && f->run[low].first <= pfn + pages - 1 ? &f->run[low] : NULL;
}

static int add_host_runs(struct audit *a, const struct spt_memslot *slot)
{
	for (uint32_t i = 0; i < slot->nr_host; i++) {
		const struct spt_host_runs *runs = a->m->memslots.host[slot->first_host + i];

		for (uint32_t r = 0; r < runs->count; r++) {
			const struct spt_host_run *run = &runs->run[r];
			int ret;

			if (run->hpa == SPT_NO_HPA || !run->npages)
				continue;
			ret = add_run(a->user, run->hpa >> SPT_PAGE_SHIFT, run->npages, run->gfn);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Tables of shared roots that a vCPU may still enter through. */
static int add_shared_leaves(struct audit *a, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	uint64_t pages = spt_level_pages(node->level), spte;
	int ret = 0;

	while (!ret && spt_tree_step(&at, a->f->empty, &spte))
		if (spt_spte_type(a->f, spte, node->level) == SPT_SPTE_LEAF)
			ret = add_run(a->shared,
				      spt_spte_leaf_hpa(a->f, spte, node->level) >> SPT_PAGE_SHIFT,
				      pages, audit_base(a, node) + (at.index - 1) * pages);
	return ret;
}

static bool has_mirror(const struct spt_model *m)
{
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (m->nodes[i].mirror)
			return true;
	return false;
}

int audit_private_prepare(struct audit *a)
{
	const uint64_t wanted = AUDIT_BIT(ONE_HALF) | AUDIT_BIT(MIRROR_USER);
	const struct spt_model *m = a->m;
	int ret = 0;

	if (!(a->rules & wanted) || !has_mirror(m))
		return 0;
	a->user = calloc(1, sizeof(*a->user));
	a->shared = calloc(1, sizeof(*a->shared));
	if (!a->user || !a->shared)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->memslots.count && !ret; i++)
		ret = add_host_runs(a, &m->memslots.slots[i]);
	for (uint32_t i = 0; i < m->nr_nodes && !ret; i++)
		if (audit_looks_at(a, &m->nodes[i]) && !m->nodes[i].mirror && m->nodes[i].direct &&
		    !audit_dead(a, &m->nodes[i]))
			ret = add_shared_leaves(a, &m->nodes[i]);
	sort_runs(a->user);
	sort_runs(a->shared);
	return ret;
}

void audit_private_free(struct audit *a)
{
	if (a->user)
		free(a->user->run);
	if (a->shared)
		free(a->shared->run);
	free(a->user);
	free(a->shared);
}

/*
 * A page comes into the file and then into the mirror without anything that tells of it;
 * none leaves the file before it has left the mirror.
 */
static void check_gmem(struct audit *a, struct audit_part *part, const struct audit_place *p,
		       const struct spt_memslot *slot)
{
	uint64_t gfn = p->gpa >> SPT_PAGE_SHIFT, have = spt_spte_leaf_hpa(a->f, p->spte, p->level);

	if (!audit_wants(a, SPT_AUDIT_MIRROR_GMEM) || !spt_model_knows_gmem(a->m, slot))
		return;
	part->checked[SPT_AUDIT_MIRROR_GMEM]++;
	for (uint64_t i = 0; i < spt_level_pages(p->level); i++) {
		uint64_t want = spt_model_gmem_hpa(a->m, (gfn + i) << SPT_PAGE_SHIFT);
		uint64_t hpa = have + (i << SPT_PAGE_SHIFT);

		if (want == hpa || !audit_covers(a, gfn + i))
			continue;
		if (want == SPT_NO_HPA)
			audit_say(audit_found_as(a, part, SPT_AUDIT_MIRROR_GMEM, p,
						 !a->calm[AUDIT_STILL]),
				  "no page", audit_text("0x%llx", (unsigned long long)hpa).text,
				  "guest_memfd has no page for gfn 0x%llx, the mirror maps 0x%llx",
				  (unsigned long long)(gfn + i), (unsigned long long)hpa);
		else
			audit_say(audit_found(a, part, SPT_AUDIT_MIRROR_GMEM, p),
				  audit_text("0x%llx", (unsigned long long)want).text,
				  audit_text("0x%llx", (unsigned long long)hpa).text,
				  "guest_memfd has 0x%llx for gfn 0x%llx, the mirror maps 0x%llx",
				  (unsigned long long)want, (unsigned long long)(gfn + i),
				  (unsigned long long)hpa);
		return;
	}
}

/* The mirror's page against those of the shared root and of the VMM. */
static void check_owners(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	uint64_t hpa = spt_spte_leaf_hpa(a->f, p->spte, p->level),
		 pages = spt_level_pages(p->level);
	const struct audit_frame_run *run;

	if (audit_wants(a, SPT_AUDIT_ONE_HALF) && a->shared) {
		part->checked[SPT_AUDIT_ONE_HALF]++;
		run = find_run(a->shared, hpa >> SPT_PAGE_SHIFT, pages);
		if (run)
			audit_say(
				audit_found(a, part, SPT_AUDIT_ONE_HALF, p), "one half",
				"both halves",
				"0x%llx is private memory, and the shared root maps it at gfn 0x%llx",
				(unsigned long long)hpa, (unsigned long long)run->gfn);
	}
	if (audit_wants(a, SPT_AUDIT_MIRROR_USER) && a->user) {
		part->checked[SPT_AUDIT_MIRROR_USER]++;
		run = find_run(a->user, hpa >> SPT_PAGE_SHIFT, pages);
		if (run)
			audit_say(
				audit_found(a, part, SPT_AUDIT_MIRROR_USER, p), "guest_memfd's",
				"the VMM's",
				"0x%llx is private memory, and the VMM maps it as that of gfn 0x%llx",
				(unsigned long long)hpa, (unsigned long long)run->gfn);
	}
}

/* Where the table stands in its root, with the bits of the address that the root sees. */
static uint64_t raw_base(const struct audit *a, const struct spt_node *node)
{
	uint32_t nr = node - a->m->nodes;
	uint64_t gfn = 0;

	for (int depth = 0; a->parent[nr] && depth < SPT_MAX_WALK; depth++) {
		const struct spt_node *parent = &a->m->nodes[a->parent[nr] - 1];

		gfn += a->parent_index[nr] * spt_level_pages(parent->level);
		nr = a->parent[nr] - 1;
	}
	return gfn;
}

static void check_bit(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	uint64_t address = (raw_base(a, p->node) + p->index * spt_level_pages(p->level))
			   << SPT_PAGE_SHIFT;
	bool above = address & a->m->gpa_bits;

	if (!audit_wants(a, SPT_AUDIT_SHARED_BIT) || audit_is_shadow(p->node))
		return;
	part->checked[SPT_AUDIT_SHARED_BIT]++;
	if (above == !p->node->mirror)
		return;
	audit_say(audit_found(a, part, SPT_AUDIT_SHARED_BIT, p),
		  p->node->mirror ? "GPA bit clear" : "GPA bit set",
		  audit_text("address 0x%llx", (unsigned long long)address).text,
		  "the %s root maps address 0x%llx, which is of the other half",
		  p->node->mirror ? "mirror" : "shared", (unsigned long long)address);
}

void audit_private_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p,
			const struct spt_memslot *slot)
{
	if (!a->m->gpa_bits)
		return;
	check_bit(a, part, p);
	if (!p->node->mirror)
		return;
	check_gmem(a, part, p, slot);
	check_owners(a, part, p);
}

static void say_external(struct audit *a, struct audit_part *part, const struct audit_place *p,
			 uint64_t expected, uint64_t found)
{
	audit_say(audit_found(a, part, SPT_AUDIT_MIRROR_EXTERNAL, p),
		  audit_text("0x%llx", (unsigned long long)expected).text,
		  audit_text("0x%llx", (unsigned long long)found).text,
		  "the mirror's entry is 0x%llx, the external one 0x%llx",
		  (unsigned long long)p->spte, (unsigned long long)found);
}

static void compare_entry(struct audit *a, struct audit_part *part, const struct spt_node *mirror,
			  const struct spt_node *external, unsigned int index)
{
	uint64_t pages = spt_level_pages(mirror->level), expected;
	uint64_t gfn = audit_base(a, mirror) + index * pages;
	uint64_t found = spt_node_entry(external, index);
	struct audit_place p = { .node = mirror,
				 .index = index,
				 .level = mirror->level,
				 .spte = spt_node_entry(mirror, index),
				 .gpa = gfn << SPT_PAGE_SHIFT };
	enum spt_known agrees;

	if (!audit_in_range(a, gfn, pages))
		return;
	agrees = spt_external_agrees(a->m, mirror, p.spte, found, &expected);
	if (agrees == SPT_NA)
		return; /* frozen, or the table it names is another rule's */
	part->checked[SPT_AUDIT_MIRROR_EXTERNAL]++;
	if (agrees == SPT_NO)
		say_external(a, part, &p, expected, found & spt_external_mask(a->f));
}

void audit_private_table(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	const struct spt_node *external;
	uint64_t chunks;

	if (!audit_wants(a, SPT_AUDIT_MIRROR_EXTERNAL) || !node->mirror ||
	    !audit_looks_at(a, node) || audit_dead(a, node))
		return;
	external = spt_node_external(a->m, node);
	if (!external)
		return; /* a root's is nobody's but who walks it */
	chunks = node->chunks | external->chunks;
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (chunks >> (i / SPT_CHUNK_ENTRIES) & 1)
			compare_entry(a, part, node, external, i);
}

bool audit_is_spliced(const struct audit *a, const struct audit_place *p)
{
	uint64_t gfn = p->index * spt_level_pages(p->level);
	const struct spt_node *n;

	if (!a->m->gpa_bits || !p->node->page || p->node->page->sp != p->node->root_sp ||
	    gfn & a->m->gpa_bits >> SPT_PAGE_SHIFT)
		return false;
	for (n = spt_node_find(a->m, p->spte & a->f->addr); n;
	     n = n->next_same_hpa ? &a->m->nodes[n->next_same_hpa - 1] : NULL)
		if (n->is_external && n->level == p->level - 1 && n->external->gfn == gfn)
			return true;
	return false;
}
