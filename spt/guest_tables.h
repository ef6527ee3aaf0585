/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All pages of the guest's page tables, to be saved with an image: what its CR3s
 * reach, and the nested page tables by which a CR3 of L2 is reached. Reading them costs two system
 * calls a page of a live VM.
 */
#ifndef SPT_GUEST_TABLES_H
#define SPT_GUEST_TABLES_H

#include "spt/guest_memory.h"
#include "spt/guest_regs.h"

/* Pages that a guest of ordinary size has at most; its tables may be made to have no end. */
#define SPT_GUEST_TABLES_MAX (1ULL << 20)

struct spt_guest_tables {
	uint64_t max;		   /* pages that are given out in all */
	uint64_t given;		   /* pages given out */
	uint64_t unread;	   /* pages that an entry names and that could not be read */
	bool limited;		   /* there were more than max */
	struct spt_guest_set *set; /* pages seen; private */
};

/* Given every page once, in no order; @page has SPT_TABLE_ENTRIES words. Not 0: stop, return it. */
typedef int spt_guest_table_fn(void *arg, uint64_t gpa, const uint64_t *page);

void spt_guest_tables_init(struct spt_guest_tables *tables, uint64_t max);
void spt_guest_tables_deinit(struct spt_guest_tables *tables);

/*
 * Give @fn every page that @regs' CR3 reaches and that no earlier call gave.
 * @model has the parts SPT_GUEST_MEMORY_PARTS. Returns 0, what @fn returned, -ENOMEM.
 */
int spt_guest_tables_each(struct spt_guest_tables *tables, struct spt_guest_memory *memory,
			  const struct spt_model *model, const struct spt_guest_regs *regs,
			  spt_guest_table_fn *fn, void *arg, struct spt_error *err);

/* The same for the CR3 of every vCPU (part SPT_GUEST_REGS_PARTS); those without one are left out.
 */
int spt_guest_tables_vcpus(struct spt_guest_tables *tables, struct spt_guest_memory *memory,
			   const struct spt_model *model, spt_guest_table_fn *fn, void *arg,
			   struct spt_error *err);

/* Bytes that a record of a page may take. */
#define SPT_GUEST_TABLE_RECORD                                                                     \
	(sizeof(struct spt_guest_table) + SPT_TABLE_ENTRIES * sizeof(uint64_t))

/* Make the page's record in @rec, which has that much room; returns its length. */
size_t spt_guest_table_record(struct spt_guest_table *rec, uint64_t gpa, const uint64_t *page);

#endif
