// SPDX-License-Identifier: GPL-2.0
#include "spt/storm_mix.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/model.h"

#define MOST_WEIGHT 1000

const char *const spt_storm_names[SPT_STORM_ACTION_COUNT + 1] = {
#define S(id, name, action, weight) [SPT_STORM_##id] = name,
	SPT_STORM_ACTIONS(S)
#undef S
};

void spt_storm_default_mix(unsigned int weight[SPT_STORM_ACTION_COUNT])
{
	static const unsigned int weights[SPT_STORM_ACTION_COUNT] = {
#define S(id, name, action, weight) [SPT_STORM_##id] = weight,
		SPT_STORM_ACTIONS(S)
#undef S
	};

	memcpy(weight, weights, sizeof(weights));
}

static int find_name(const char *name, size_t len)
{
	for (int i = 0; spt_storm_names[i]; i++)
		if (strlen(spt_storm_names[i]) == len && !memcmp(spt_storm_names[i], name, len))
			return i;
	return -1;
}

int spt_storm_parse(const char *text, unsigned int weight[SPT_STORM_ACTION_COUNT],
		    struct spt_error *err)
{
	memset(weight, 0, SPT_STORM_ACTION_COUNT * sizeof(*weight));
	for (;;) {
		size_t len = strcspn(text, ",:");
		int action = find_name(text, len);
		unsigned long n = 1;
		char *end = (char *)text + len;

		if (action < 0)
			return spt_fail(err, EINVAL, "a storm knows no '%.*s'", (int)len, text);
		if (*end == ':') {
			const char *digits = end + 1;

			n = isdigit((unsigned char)*digits) ? strtoul(digits, &end, 10) : 0;
			if (!n || n > MOST_WEIGHT || (*end && *end != ','))
				return spt_fail(err, EINVAL, "%s: its weight is 1 to %d",
						spt_storm_names[action], MOST_WEIGHT);
		}
		weight[action] += n;
		if (!*end)
			return 0;
		text = end + 1;
	}
}

int spt_storm_field_init(struct spt_storm_field *field, const struct spt_memslots *slots,
			 const struct spt_storm_request *request, struct spt_error *err)
{
	uint64_t start = request->start >> SPT_PAGE_SHIFT;
	uint64_t last =
		request->len ? (request->start + request->len - 1) >> SPT_PAGE_SHIFT : ~0ULL;

	*field = (struct spt_storm_field){ 0 };
	field->pieces = calloc(slots->count + 1, sizeof(*field->pieces));
	if (!field->pieces)
		return spt_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = slots->first[0]; i < slots->first[1]; i++) {
		const struct spt_slot *slot = slots->slots[i].slot;
		uint64_t first = slot->base_gfn > start ? slot->base_gfn : start;
		uint64_t end = slot->base_gfn + slot->npages;

		if (end > last)
			end = last == ~0ULL ? end : last + 1;
		if (first >= end || slot->flags & (SPT_SLOT_INVALID | SPT_SLOT_GMEM_ONLY))
			continue;
		field->pieces[field->nr_pieces++] =
			(struct spt_storm_piece){ first << SPT_PAGE_SHIFT, end - first };
		field->pages += end - first;
	}
	if (!field->pages)
		return spt_fail(err, ENOENT, "no memslot is in that range: see 'memslots'");
	return 0;
}

void spt_storm_field_deinit(struct spt_storm_field *field)
{
	free(field->pieces);
	*field = (struct spt_storm_field){ 0 };
}

/* splitmix64: each call a new number of a sequence that the first state determines. */
static uint64_t next_number(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static enum spt_storm_action choose_action(const struct spt_storm_request *storm, uint64_t number)
{
	unsigned int sum = 0;

	for (int i = 0; i < SPT_STORM_ACTION_COUNT; i++)
		sum += storm->weight[i];
	number %= sum;
	for (int i = 0;; i++) {
		if (number < storm->weight[i])
			return i;
		number -= storm->weight[i];
	}
}

/* A page, and how many follow it in its piece. */
static uint64_t choose_page(const struct spt_storm_field *field, uint64_t number, uint64_t *left)
{
	const struct spt_storm_piece *piece = field->pieces;

	number %= field->pages;
	while (number >= piece->pages) {
		number -= piece->pages;
		piece++;
	}
	*left = piece->pages - number;
	return piece->gpa + (number << SPT_PAGE_SHIFT);
}

static const enum spt_action_id actions[SPT_STORM_ACTION_COUNT] = {
#define S(id, name, action, weight) [SPT_STORM_##id] = SPT_ACT_##action,
	SPT_STORM_ACTIONS(S)
#undef S
};

enum spt_storm_action spt_storm_choose(const struct spt_storm_request *storm,
				       const struct spt_storm_field *field, uint64_t nr,
				       struct spt_action_request *ret, uint64_t *pick)
{
	static const char *const perms[] = { "r", "rx", "rw" };
	uint64_t state = storm->seed ^ (nr + 1) * 0xd1342543de82ef95ULL;
	enum spt_storm_action which = choose_action(storm, next_number(&state));
	enum spt_action_id action = actions[which];
	uint64_t left, page = choose_page(field, next_number(&state), &left);
	/* 1 to 1024 pages, small ones more often. */
	uint64_t pages = 1ULL << next_number(&state) % 11;
	uint64_t form = next_number(&state);

	*pick = next_number(&state);
	*ret = (struct spt_action_request){ .action = action,
					    .keys = SPT_KEY_BIT(GPA),
					    .gpa = page };
	if (action == SPT_ACT_UNDO) {
		ret->keys = SPT_KEY_BIT(ID);
		return which;
	}
	if (spt_actions[action].flags & SPT_ACTION_RANGE)
		ret->len = (pages < left ? pages : left) << SPT_PAGE_SHIFT;
	if (action == SPT_ACT_FAULT) {
		ret->keys |= SPT_KEY_BIT(ACCESS);
		ret->access = "rwx"[form % 3];
	}
	if (action == SPT_ACT_PROTECT) {
		ret->keys |= SPT_KEY_BIT(PERM);
		ret->perm = perms[form % 3];
	}
	if (storm->have_vcpu && spt_actions[action].may & SPT_KEY_BIT(VCPU)) {
		ret->keys |= SPT_KEY_BIT(VCPU);
		ret->vcpu = storm->vcpu;
	}
	/* Every write there is emulated: a few pages are enough. */
	if (action == SPT_ACT_TRACK && ret->len > 4 << SPT_PAGE_SHIFT)
		ret->len = 4 << SPT_PAGE_SHIFT;
	return which;
}
