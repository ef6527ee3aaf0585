// SPDX-License-Identifier: GPL-2.0
#include "spt/external.h"
#include "spt/entry.h"

/* Permissions that one who makes a table of lower ones gives: all, x86's and EPT's alike. */
#define ALL_PERMISSIONS 7ULL

static uint64_t permissions(const struct spt_format *f)
{
	return f->read | f->write | f->exec | f->user_exec | f->nx;
}

uint64_t spt_external_mask(const struct spt_format *f)
{
	/* Who keeps the external tables may have memory of its own encrypted. */
	return (f->addr & ~f->me_mask) | permissions(f);
}

/* What the mirror's entry stands for; false: a table that the image lacks. */
static bool stands_for(const struct spt_model *m, const struct spt_node *mirror, uint64_t spte,
		       uint64_t *expected)
{
	const struct spt_node *child;

	*expected = 0;
	switch (spt_entry_type(m, mirror, spte)) {
	case SPT_SPTE_LEAF:
		*expected = spte & spt_external_mask(&m->format);
		return true;
	case SPT_SPTE_TABLE:
		child = spt_node_find(m, spt_spte_table_hpa(&m->format, spte));
		if (!child || !child->mirror || !child->page || !child->page->external)
			return false;
		*expected = child->page->external | ALL_PERMISSIONS;
		return true;
	default:
		return true;
	}
}

enum spt_known spt_external_agrees(const struct spt_model *m, const struct spt_node *mirror,
				   uint64_t spte, uint64_t external, uint64_t *expected)
{
	const struct spt_format *f = &m->format;
	bool table = spt_entry_type(m, mirror, spte) == SPT_SPTE_TABLE;
	uint64_t care = table ? f->addr & ~f->me_mask : spt_external_mask(f);

	*expected = 0;
	if (spte == f->frozen || !stands_for(m, mirror, spte, expected))
		return SPT_NA;
	if (!*expected || !(external & SPT_RAW_PRESENT))
		return !*expected == !(external & SPT_RAW_PRESENT) ? SPT_YES : SPT_NO;
	return (external ^ *expected) & care ? SPT_NO : SPT_YES;
}
