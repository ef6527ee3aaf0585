// SPDX-License-Identifier: GPL-2.0
/*
 * Two trees in lockstep. Where both have a table its entries are paired; where
 * one has a table and the other a huge page or nothing, the latter is taken as
 * if it were cut into entries. Most tables of two moments are equal, and equal
 * leaf tables cost one look at each word and nothing else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/diff_attributes.h"
#include "spt/diff_tables.h"
#include "spt/entry.h"

enum { BEFORE, AFTER };

#define MEANT_FLAGS                                                                                \
	(SPT_SPTE_FLAG_HOST_WRITABLE | SPT_SPTE_FLAG_MMU_WRITABLE | SPT_SPTE_FLAG_USER |           \
	 SPT_SPTE_FLAG_UC | SPT_SPTE_FLAG_WC | SPT_SPTE_FLAG_WT | SPT_SPTE_FLAG_WP |               \
	 SPT_SPTE_FLAG_PWT | SPT_SPTE_FLAG_PCD)

void spt_diff_rules_init(struct spt_diff_rules *rules, const struct spt_diff *diff)
{
	const struct spt_format *a = &diff->before->format, *b = &diff->after->format;

	*rules = (struct spt_diff_rules){
		.model = { diff->before, diff->after },
		.flags = diff->flags,
		/* Raw values may be compared where every bit means the same. */
		.same_format = !memcmp(a, b, offsetof(struct spt_format, style)) &&
			       a->style == b->style && a->layout == b->layout,
	};
	rules->conversions = spt_diff_knows_attributes(diff);
	rules->care = diff->flags & SPT_DIFF_BITS ? ~0ULL : ~(a->accessed | a->dirty);
	for (int i = 0; i < 2; i++) {
		const struct spt_format *f = &rules->model[i]->format;

		rules->attrs[i] = f->meaning & ~f->addr;
		if (!(diff->flags & SPT_DIFF_BITS))
			rules->attrs[i] &= ~(f->accessed | f->dirty | f->mmio_gen);
	}
}

/* What entry @index of a table has for its part of the region. */
static struct spt_diff_side side_of_entry(const struct spt_diff_rules *rules, int which,
					  const struct spt_root_ref *root,
					  const struct spt_node *node, unsigned int index,
					  uint64_t base, uint64_t spte)
{
	const struct spt_model *m = rules->model[which];
	struct spt_diff_side side = { .mapped.hpa = SPT_NO_HPA };
	enum spt_spte_type type = spt_entry_type(m, node, spte);
	struct spt_entry entry;

	if (type == SPT_SPTE_TABLE) {
		spt_entry_fill(m, root, node, index, base, spte, &entry);
		side.node = entry.child;
		/* An image of a range has entries beyond it, and shadow tables may be left out. */
		side.unknown = !entry.child;
		return side;
	}
	/* An entry that is being changed maps nothing: whoever needs it must wait. */
	if (type == SPT_SPTE_NONPRESENT ||
	    (type == SPT_SPTE_FROZEN && !(rules->flags & SPT_DIFF_BITS)))
		return side;
	side.mapped = (struct spt_mapped){
		.spte = spte,
		.hpa = type == SPT_SPTE_LEAF ? spt_spte_leaf_hpa(&m->format, spte, node->level)
					     : SPT_NO_HPA,
		.level = node->level,
		.type = type,
		.kind = spt_node_kind(m, node),
	};
	return side;
}

/* What a side has for part @i: an entry of its table, or a piece of what covers it all. */
static struct spt_diff_side side_part(const struct spt_diff_rules *rules,
				      const struct spt_diff_region *region, int which,
				      unsigned int i, uint64_t base)
{
	const struct spt_diff_side *whole = &region->side[which];
	struct spt_diff_side side = *whole;

	if (whole->node)
		return side_of_entry(rules, which, region->root[which], whole->node, i, base,
				     spt_node_entry(whole->node, i));
	if (side.mapped.hpa != SPT_NO_HPA)
		side.mapped.hpa += (uint64_t)i * spt_level_size(region->level - 1);
	return side;
}

static bool nothing(const struct spt_diff_side *side)
{
	return !side->node && !side->unknown && !side->mapped.level;
}

bool spt_diff_part(const struct spt_diff_rules *rules, const struct spt_diff_region *region,
		   unsigned int i, uint64_t first, uint64_t last, struct spt_diff_region *part)
{
	uint64_t size = spt_level_size(region->level - 1);
	uint64_t base = region->base + i * size;

	if (base > last || base + (size - 1) < first)
		return false;
	*part = (struct spt_diff_region){
		.root = { region->root[BEFORE], region->root[AFTER] },
		.side = { side_part(rules, region, BEFORE, i, base),
			  side_part(rules, region, AFTER, i, base) },
		.base = base,
		.level = region->level - 1,
	};
	return !nothing(&part->side[BEFORE]) || !nothing(&part->side[AFTER]);
}

static uint64_t end_hpa(const struct spt_mapped *m, uint64_t size)
{
	return m->hpa == SPT_NO_HPA ? SPT_NO_HPA : m->hpa + size;
}

static bool same_kind_of_mapping(const struct spt_mapped *a, const struct spt_mapped *b,
				 uint64_t attrs)
{
	return a->level == b->level && a->type == b->type && a->kind == b->kind &&
	       (a->type == SPT_SPTE_MMIO || !((a->spte ^ b->spte) & attrs));
}

bool spt_diff_merge(const struct spt_diff_rules *rules, struct spt_change *c,
		    const struct spt_change *next)
{
	if (c->kind != next->kind || c->also != next->also || c->conversion != next->conversion ||
	    c->gpa + c->size != next->gpa)
		return false;
	if (c->root_before != next->root_before || c->root_after != next->root_after ||
	    c->kind >= SPT_CHANGE_SLOT)
		return false;
	if (!same_kind_of_mapping(&c->before, &next->before, rules->attrs[BEFORE]) ||
	    !same_kind_of_mapping(&c->after, &next->after, rules->attrs[AFTER]))
		return false;
	c->before.scattered |=
		end_hpa(&c->before, c->size) != next->before.hpa || next->before.scattered;
	c->after.scattered |=
		end_hpa(&c->after, c->size) != next->after.hpa || next->after.scattered;
	c->size += next->size;
	c->pages += next->pages;
	return true;
}

static int add_change(const struct spt_diff_rules *rules, struct spt_diff_list *list,
		      const struct spt_change *c)
{
	if (list->count && spt_diff_merge(rules, &list->change[list->count - 1], c))
		return 0;
	if (list->count == list->room) {
		size_t room = list->room * 2 + 64;
		struct spt_change *more = realloc(list->change, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->change = more;
		list->room = room;
	}
	list->change[list->count++] = *c;
	return 0;
}

static struct spt_spte decode(const struct spt_diff_rules *rules, int which,
			      const struct spt_mapped *m)
{
	return spt_spte_decode(&rules->model[which]->format, m->spte, m->level, m->kind);
}

/* Whether both let the guest do the same, as far as KVM and the hardware have a say. */
static bool same_permission(const struct spt_diff_rules *rules, const struct spt_mapped *a,
			    const struct spt_mapped *b)
{
	struct spt_spte x = decode(rules, BEFORE, a), y = decode(rules, AFTER, b);

	if (x.type == SPT_SPTE_MMIO)
		return x.mmio_access == y.mmio_access;
	/* What KVM took away to see the next access is what an accessed bit is elsewhere. */
	if (x.restored_perm != y.restored_perm)
		return false;
	return !rules->same_format ||
	       (x.memtype == y.memtype && !((x.flags ^ y.flags) & MEANT_FLAGS));
}

/* Which kinds of change, as bits; 0: none. Both sides have something. */
static unsigned int changes_of(const struct spt_diff_rules *rules, const struct spt_mapped *a,
			       const struct spt_mapped *b)
{
	unsigned int kinds = 0;

	if (a->type != b->type)
		return 1U << SPT_CHANGE_REMAPPED;
	if (a->level != b->level)
		kinds |= 1U << (a->level > b->level ? SPT_CHANGE_SPLIT : SPT_CHANGE_COLLAPSED);
	if (a->hpa != b->hpa)
		kinds |= 1U << SPT_CHANGE_REMAPPED;
	if (!same_permission(rules, a, b))
		kinds |= 1U << SPT_CHANGE_PERMISSION;
	if (rules->flags & SPT_DIFF_BITS && !kinds && a->spte != b->spte)
		kinds |= 1U << SPT_CHANGE_PERMISSION;
	return kinds;
}

/* Neither side has a table. */
static int compare_mapped(const struct spt_diff_rules *rules, const struct spt_diff_region *region,
			  struct spt_diff_list *list)
{
	const struct spt_mapped *a = &region->side[BEFORE].mapped, *b = &region->side[AFTER].mapped;
	const struct spt_root_ref *root =
		region->root[AFTER] ? region->root[AFTER] : region->root[BEFORE];
	unsigned int kinds;

	if (!a->level && !b->level)
		return 0;
	if (!a->level)
		kinds = 1U << SPT_CHANGE_ADDED;
	else if (!b->level)
		kinds = 1U << SPT_CHANGE_REMOVED;
	else
		kinds = changes_of(rules, a, b);
	if (!kinds)
		return 0;

	struct spt_change c = {
		.kind = __builtin_ctz(kinds),
		.also = kinds & (kinds - 1),
		.gpa = spt_root_address(root, region->base),
		.size = spt_level_size(region->level),
		.pages = 1,
		.before = *a,
		.after = *b,
		.root_before = region->root[BEFORE],
		.root_after = region->root[AFTER],
	};

	if (rules->conversions && spt_root_maps_gpa(root))
		c.conversion = spt_diff_conversion(rules->model, c.gpa >> SPT_PAGE_SHIFT);
	return add_change(rules, list, &c);
}

/* Entries of a chunk; one that is not stored is made of the empty value. */
static const uint64_t *row_of(const struct spt_node *node, unsigned int chunk, uint64_t *empty)
{
	if (node->chunks >> chunk & 1)
		return spt_node_row(node, chunk);
	for (int i = 0; i < SPT_CHUNK_ENTRIES; i++)
		empty[i] = node->empty;
	return empty;
}

/* Two leaf tables of one format: only words that differ are looked at closer. */
static int compare_leaf_tables(const struct spt_diff_rules *rules,
			       const struct spt_diff_region *region, uint64_t first, uint64_t last,
			       struct spt_diff_list *list)
{
	const struct spt_node *a = region->side[BEFORE].node, *b = region->side[AFTER].node;
	uint64_t empty[2][SPT_CHUNK_ENTRIES], care = rules->care;

	if (a->chunks == b->chunks && a->empty == b->empty &&
	    !memcmp(a->entry, b->entry,
		    __builtin_popcountll(a->chunks) * SPT_CHUNK_ENTRIES * sizeof(uint64_t)))
		return 0;
	for (uint64_t left = a->chunks | b->chunks; left; left &= left - 1) {
		unsigned int chunk = __builtin_ctzll(left);
		const uint64_t *x = row_of(a, chunk, empty[BEFORE]);
		const uint64_t *y = row_of(b, chunk, empty[AFTER]);
		uint64_t differ = 0;

		for (int i = 0; i < SPT_CHUNK_ENTRIES; i++)
			differ |= (x[i] ^ y[i]) & care;
		for (unsigned int i = 0; differ && i < SPT_CHUNK_ENTRIES; i++) {
			struct spt_diff_region part;
			int ret;

			if (!((x[i] ^ y[i]) & care) ||
			    !spt_diff_part(rules, region, chunk * SPT_CHUNK_ENTRIES + i, first,
					   last, &part))
				continue;
			ret = compare_mapped(rules, &part, list);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Bit c: part of chunk c may have something in it. */
static uint64_t chunks_of(const struct spt_diff_side *side)
{
	if (side->node)
		return side->node->chunks;
	return side->mapped.level ? ~0ULL : 0;
}

int spt_diff_compare(const struct spt_diff_rules *rules, const struct spt_diff_region *region,
		     uint64_t first, uint64_t last, struct spt_diff_list *list)
{
	const struct spt_diff_side *a = &region->side[BEFORE], *b = &region->side[AFTER];

	if (a->unknown || b->unknown) {
		list->unknown++;
		return 0;
	}
	if (!a->node && !b->node)
		return compare_mapped(rules, region, list);
	if (a->node && b->node && region->level == 2 && rules->same_format)
		return compare_leaf_tables(rules, region, first, last, list);
	for (uint64_t left = chunks_of(a) | chunks_of(b); left; left &= left - 1) {
		unsigned int chunk = __builtin_ctzll(left);

		for (unsigned int i = 0; i < SPT_CHUNK_ENTRIES; i++) {
			struct spt_diff_region part;
			int ret;

			if (!spt_diff_part(rules, region, chunk * SPT_CHUNK_ENTRIES + i, first,
					   last, &part))
				continue;
			ret = spt_diff_compare(rules, &part, first, last, list);
			if (ret)
				return ret;
		}
	}
	return 0;
}
