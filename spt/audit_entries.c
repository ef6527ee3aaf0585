// SPDX-License-Identifier: GPL-2.0
/*
 * Every entry of a table. Entries with equal bits beside the address are one class
 * and are judged once; a table of level 1 that maps frames in order becomes two
 * bitmaps, leaves and writable ones, which the rules about addresses work on.
 */
#include <string.h>

#include "decoders/spte.h"
#include "spt/audit_engine.h"
#include "spt/tree.h"
#include "spt/vector.h"

#define EPT_MEMTYPES 0x73U /* UC, WC, WT, WP, WB: SDM Vol. 3C 29.3.3.1 */

static uint64_t ad_type_mask(const struct spt_format *f)
{
	if (f->ad_type)
		return f->ad_type;
	/* Only EPT entries have a type; in others its place stays 0. */
	return f->layout == SPT_LAYOUT_ACCESS4 ? 3ULL << 60 : 3ULL << 52;
}

static bool ad_type_bad(const struct audit *a, const struct spt_node *node, uint64_t spte)
{
	uint64_t mask = ad_type_mask(a->f);
	unsigned int type = (unsigned int)spt_bits_extract(mask, spte);

	if (!a->f->ad_type)
		return type;
	if (type > SPT_AD_WRPROT_ONLY)
		return true;
	if (type == SPT_AD_WRPROT_ONLY)
		return !audit_role(a, node, SPT_ROLE_GUEST_MODE);
	return (type == SPT_AD_DISABLED) != audit_role(a, node, SPT_ROLE_AD_DISABLED);
}

/* Reserved bits; those of a huge page's address are another rule's. */
static bool reserved_bad(const struct audit *a, const struct spt_node *node, uint64_t spte)
{
	const struct spt_format *f = a->f;
	bool leaf = node->level == 1 || spte & SPT_SPTE_PAGE_SIZE;
	uint64_t reserved = f->reserved;

	if (leaf && node->level > 3)
		reserved |= SPT_SPTE_PAGE_SIZE;
	if (f->style != SPT_STYLE_EPT)
		return spte & reserved;
	if (!leaf)
		reserved |= f->memtype | f->ipat;
	if (spte & f->write && !(spte & f->read))
		return true;
	return spte & reserved || (spte & f->exec && !(spte & f->read) && !f->exec_only);
}

uint64_t audit_class(const struct audit *a, const struct spt_node *node, uint64_t spte)
{
	const struct spt_format *f = a->f;
	uint64_t bad = 0;

	if (ad_type_bad(a, node, spte))
		bad |= AUDIT_BIT(AD_TYPE);
	if (!node->mirror && reserved_bad(a, node, spte))
		bad |= AUDIT_BIT(RESERVED_BITS);
	if (node->level > 1 && !(spte & SPT_SPTE_PAGE_SIZE))
		return bad & a->rules;
	if (spte & f->write && !(spte & f->mmu_writable))
		bad |= AUDIT_BIT(W_MMU_WRITABLE);
	if (spte & f->mmu_writable && !(spte & f->host_writable))
		bad |= AUDIT_BIT(MMU_HOST_WRITABLE);
	if (f->memtype && !(EPT_MEMTYPES >> spt_bits_extract(f->memtype, spte) & 1))
		bad |= AUDIT_BIT(MEMORY_TYPE);
	return bad & a->rules;
}

static struct audit_text permissions(const struct audit *a, uint64_t spte)
{
	const struct spt_format *f = a->f;

	return audit_text("%s%s%s", spte & f->write ? "W" : "no W",
			  spte & f->mmu_writable ? ", MMU-writable" : ", not MMU-writable",
			  spte & f->host_writable ? ", host-writable" : ", not host-writable");
}

void audit_say_class(const struct audit *a, struct spt_audit_finding *f,
		     enum spt_audit_rule_nr rule, const struct audit_place *p)
{
	struct spt_spte s = spt_spte_decode(a->f, p->spte, p->level, spt_node_kind(a->m, p->node));
	struct audit_text perm = permissions(a, p->spte);

	switch (rule) {
	case SPT_AUDIT_W_MMU_WRITABLE:
		audit_say(f, "MMU-writable", perm.text,
			  "SPTE 0x%llx allows writes, but is not MMU-writable", s.raw);
		break;
	case SPT_AUDIT_MMU_HOST_WRITABLE:
		audit_say(f, "host-writable", perm.text,
			  "SPTE 0x%llx is MMU-writable, but not host-writable", s.raw);
		break;
	case SPT_AUDIT_AD_TYPE:
		audit_say(f, audit_role(a, p->node, SPT_ROLE_AD_DISABLED) ? "type 1" : "type 0",
			  audit_text("type %u",
				     (unsigned int)spt_bits_extract(ad_type_mask(a->f), p->spte))
				  .text,
			  "SPTE 0x%llx has an A/D type that does not fit its table's role", s.raw);
		break;
	case SPT_AUDIT_RESERVED_BITS:
		audit_say(f, "no reserved bit", audit_text("0x%llx", s.raw).text,
			  "the CPU takes SPTE 0x%llx for malformed", s.raw);
		break;
	default:
		audit_say(f, "UC, WC, WT, WP or WB", audit_text("type %d", s.memtype).text,
			  "SPTE 0x%llx has reserved memory type %d", s.raw, s.memtype);
	}
}

#define CLASS_RULES                                                                                \
	(AUDIT_BIT(W_MMU_WRITABLE) | AUDIT_BIT(MMU_HOST_WRITABLE) | AUDIT_BIT(AD_TYPE) |           \
	 AUDIT_BIT(RESERVED_BITS) | AUDIT_BIT(MEMORY_TYPE))

static void count_class(struct audit_part *part, bool leaf, uint64_t entries)
{
	part->checked[SPT_AUDIT_AD_TYPE] += entries;
	part->checked[SPT_AUDIT_RESERVED_BITS] += entries;
	if (!leaf)
		return;
	part->checked[SPT_AUDIT_W_MMU_WRITABLE] += entries;
	part->checked[SPT_AUDIT_MMU_HOST_WRITABLE] += entries;
	part->checked[SPT_AUDIT_MEMORY_TYPE] += entries;
}

/* Report what is wrong with the class of an entry. */
static void found_class(struct audit *a, struct audit_part *part, uint64_t bad,
			const struct audit_place *p)
{
	for (; bad; bad &= bad - 1) {
		enum spt_audit_rule_nr rule = __builtin_ctzll(bad);

		audit_say_class(a, audit_found(a, part, rule, p), rule, p);
	}
}

/* Entries of another table may mean another thing. */
static void begin_classes(struct audit_part *part, const struct spt_node *node)
{
	if (node->page->role == part->class_role && node->level == part->class_level)
		return;
	part->class_role = node->page->role;
	part->class_level = node->level;
	part->class_bits = 0; /* no present entry's */
}

/* The class of a present entry, most often that of the one before. */
static inline uint64_t class_of(struct audit *a, struct audit_part *part,
				const struct spt_node *node, uint64_t spte)
{
	uint64_t bits = node->level == 1 ? spte & a->class_mask : spte;

	if (bits != part->class_bits) {
		part->class_bits = bits;
		part->class_bad = audit_class(a, node, spte);
	}
	return part->class_bad;
}

static void check_frozen(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	/* One image is one moment: whether it stays so is seen by looking again. */
	struct spt_audit_finding *f = audit_found_as(a, part, SPT_AUDIT_FROZEN, p, true);

	part->checked[SPT_AUDIT_FROZEN]++;
	audit_say(f, "a change that ends", "frozen", "the entry stays frozen (0x%llx)",
		  (unsigned long long)p->spte);
}

/* Neither empty nor anything that KVM makes: harmless unless the CPU takes it for a mapping. */
static void check_leftover(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	struct spt_spte s = spt_spte_decode(a->f, p->spte, p->level, spt_node_kind(a->m, p->node));

	if (p->node->mirror || !audit_wants(a, SPT_AUDIT_HW_PRESENT))
		return;
	part->checked[SPT_AUDIT_HW_PRESENT]++;
	if (s.present_hw && !audit_is_spliced(a, p))
		audit_say(audit_found(a, part, SPT_AUDIT_HW_PRESENT, p), "nothing for the CPU",
			  audit_text("0x%llx", s.raw).text,
			  "0x%llx is empty for KVM, but the CPU uses it", s.raw);
}

/* What an entry that is not present and not empty says. */
static void check_special(struct audit *a, struct audit_part *part, const struct audit_place *p)
{
	switch (spt_spte_type(a->f, p->spte, p->level)) {
	case SPT_SPTE_MMIO:
		audit_mmio_entry(a, part, p);
		break;
	case SPT_SPTE_FROZEN:
		check_frozen(a, part, p);
		break;
	default:
		check_leftover(a, part, p);
	}
}

static uint64_t entry_gpa(const struct audit *a, const struct spt_node *node, unsigned int index)
{
	unsigned int access;
	uint64_t gpa;

	if (node->direct)
		return (audit_base(a, node) + index * spt_level_pages(node->level))
		       << SPT_PAGE_SHIFT;
	return spt_node_translation(node, index, &gpa, &access) ? gpa : ~0ULL;
}

/* Any entry of any table. Returns whether it is a leaf; addresses are the caller's. */
static bool check_entry(struct audit *a, struct audit_part *part, const struct spt_node *node,
			unsigned int index, uint64_t spte, struct audit_place *p)
{
	bool leaf = node->level == 1 || spte & SPT_SPTE_PAGE_SIZE;

	*p = (struct audit_place){ .node = node,
				   .index = index,
				   .level = node->level,
				   .spte = spte,
				   .gpa = entry_gpa(a, node, index) };
	if (p->gpa != ~0ULL)
		p->gpa &= ~a->m->gpa_bits;
	if (!(spte & SPT_SPTE_MMU_PRESENT)) {
		check_special(a, part, p);
		return false;
	}
	count_class(part, leaf, 1);
	found_class(a, part, class_of(a, part, node, spte), p);
	return leaf;
}

/* Tables of upper levels, of the shadow MMU, and those that the range cuts. */
static void each_entry(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	uint64_t spte, pages = spt_level_pages(node->level);
	struct audit_place p;

	begin_classes(part, node);
	while (spt_tree_step(&at, a->f->empty, &spte)) {
		uint64_t gfn = (audit_base(a, node) + (at.index - 1) * pages) &
			       ~(a->m->gpa_bits >> SPT_PAGE_SHIFT);

		if (node->direct && !audit_in_range(a, gfn, pages))
			continue;
		if (check_entry(a, part, node, at.index - 1, spte, &p)) {
			part->leaves[node->level]++;
			audit_leaf(a, part, &p);
		}
	}
}

/* Eight entries at once if they are of one class; else one by one. */
static void check_chunk(struct audit *a, struct audit_part *part, struct audit_leaves *l,
			unsigned int chunk, const uint64_t *row)
{
	const uint64_t mask = a->class_mask;
	uint64_t first = row[0] & mask, differs = 0, bad;
	unsigned int word = chunk / 8, shift = chunk % 8 * 8;
	struct audit_place p;

	for (int i = 1; i < SPT_CHUNK_ENTRIES; i++)
		differs |= (row[i] & mask) ^ first;
	if (!differs && row[0] & SPT_SPTE_MMU_PRESENT) {
		bad = class_of(a, part, l->node, row[0]);
		if (__builtin_expect(!bad, 1)) {
			l->leaf[word] |= 0xffULL << shift;
			if (row[0] & a->f->write)
				l->writable[word] |= 0xffULL << shift;
			return;
		}
	}
	for (unsigned int i = 0; i < SPT_CHUNK_ENTRIES; i++) {
		uint64_t bit = 1ULL << (shift + i), spte = row[i];

		if (!spte || spte == a->f->empty || spte == l->node->empty)
			continue;
		if (spte & SPT_SPTE_MMU_PRESENT && !class_of(a, part, l->node, spte)) {
			/* Counted with the others. */
		} else if (check_entry(a, part, l->node, chunk * SPT_CHUNK_ENTRIES + i, spte, &p)) {
			count_class(part, true, -1ULL);
		} else {
			continue;
		}
		l->leaf[word] |= bit;
		if (spte & a->f->write)
			l->writable[word] |= bit;
	}
}

/* Whether all stored entries are leaves of one class with nothing wrong: most tables of a guest. */
static bool one_class(struct audit *a, struct audit_part *part, struct audit_leaves *l)
{
	const struct spt_node *node = l->node;
	bool writable = node->entry[0] & a->f->write;

	if (!(node->entry[0] & SPT_SPTE_MMU_PRESENT) ||
	    spt_differ(node->entry, SPT_TABLE_ENTRIES) & a->class_mask ||
	    class_of(a, part, node, node->entry[0]))
		return false;
	memset(l->leaf, 0xff, sizeof(l->leaf));
	l->leaves = SPT_TABLE_ENTRIES;
	if (writable) {
		memset(l->writable, 0xff, sizeof(l->writable));
		l->writables = SPT_TABLE_ENTRIES;
	}
	return true;
}

static void each_chunk(struct audit *a, struct audit_part *part, struct audit_leaves *l)
{
	const uint64_t *row = l->node->entry;

	for (uint64_t left = l->node->chunks; left; left &= left - 1) {
		check_chunk(a, part, l, __builtin_ctzll(left), row);
		row += SPT_CHUNK_ENTRIES;
	}
	for (int i = 0; i < 8; i++) {
		l->leaves += __builtin_popcountll(l->leaf[i]);
		l->writables += __builtin_popcountll(l->writable[i]);
	}
}

static void level1_in_order(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	struct audit_leaves l = { .node = node, .gfn = audit_base(a, node) };

	begin_classes(part, node);
	if (node->chunks != ~0ULL || !one_class(a, part, &l))
		each_chunk(a, part, &l);
	count_class(part, true, l.leaves);
	part->leaves[1] += l.leaves;
	if (l.leaves)
		audit_leaves(a, part, &l);
}

void audit_table_entries(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	uint64_t first = audit_base(a, node), last = first + SPT_TABLE_ENTRIES - 1;

	if (!audit_looks_at(a, node))
		return;
	if (node->level == 1 && node->direct && first >= a->first && last <= a->last)
		level1_in_order(a, part, node);
	else
		each_entry(a, part, node);
}
