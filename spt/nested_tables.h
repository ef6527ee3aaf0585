/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page tables by which a guest gives memory to a guest of its own (L2): nested
 * paging or EPT, in the VM's memory. Where a vCPU runs L2, all addresses that
 * L2's tables name are translated by them before they are the VM's.
 */
#ifndef SPT_NESTED_TABLES_H
#define SPT_NESTED_TABLES_H

#include "decoders/gpte.h"
#include "spt/guest_memory.h"

#define SPT_NESTED_MAX_LEVEL 5

struct spt_nested_tables {
	bool on;		  /* false: addresses are the VM's already */
	uint64_t top;		  /* GPA of the top table: nCR3, or EPTP without its low bits */
	bool gmet;		  /* NPT: without U is what the guest's kernel may execute */
	struct spt_guest_mmu mmu; /* their format */
};

struct spt_nested_level {
	int level;
	unsigned int index;
	uint64_t table_gpa, entry_gpa;
	enum spt_guest_read read; /* not SPT_GUEST_READ: gpte is empty */
	struct spt_gpte gpte;
	bool keeps_out; /* NPT without U: the walk ends, whatever else the entry says */
};

struct spt_nested_walk {
	uint64_t from;					     /* L2's guest-physical address */
	struct spt_nested_level level[SPT_NESTED_MAX_LEVEL]; /* from the top downwards */
	unsigned int nr_levels;
	bool mapped;
	uint64_t gpa;	    /* the VM's, with the offset; valid if mapped */
	uint64_t page_size; /* bytes */
};

/* Those of @vcpu; not on where it runs no L2, or L2 by shadow paging of the guest's own. */
void spt_nested_tables_of(const struct spt_model *model, const struct spt_vcpu_ref *vcpu,
			  struct spt_nested_tables *ret);

const char *spt_nested_format_name(const struct spt_nested_tables *tables); /* 'NPT', 'EPT' */

/* Why a walk that could be read to its end mapped nothing; a part of a sentence. */
const char *spt_nested_absence(const struct spt_nested_tables *tables,
			       const struct spt_nested_walk *walk);

/*
 * Translate L2's @gpa; the tables are on. A SPT_GUEST_READ that is returned says
 * that all tables were read, see ret->mapped; else the one that could not be.
 */
enum spt_guest_read spt_nested_walk(const struct spt_nested_tables *tables,
				    struct spt_guest_memory *memory, const struct spt_model *model,
				    unsigned int as_id, uint64_t gpa, struct spt_nested_walk *ret);

/*
 * Whether all entries that @walk read, and went by, are what they were then, but for
 * accessed and dirty bits, which the processor sets as L2 runs. A walk of no levels is.
 */
bool spt_nested_still_so(const struct spt_nested_tables *tables, struct spt_guest_memory *memory,
			 const struct spt_model *model, unsigned int as_id,
			 const struct spt_nested_walk *walk);

/*
 * spt_guest_memory_read() of an address that @tables translate first, unless they
 * are not on. @gpa is L2's, and is made the VM's if it was translated.
 */
enum spt_guest_read spt_nested_memory_read(const struct spt_nested_tables *tables,
					   struct spt_guest_memory *memory,
					   const struct spt_model *model, unsigned int as_id,
					   uint64_t *gpa, void *buf, size_t len);

#endif
