/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What refers to a page of host memory: every leaf of every root that maps it, and
 * whether it is itself a page table, then whose. One sweep, no index.
 */
#ifndef SPT_REVERSE_H
#define SPT_REVERSE_H

#include "spt/sweep.h"

enum spt_reverse_kind {
	SPT_REVERSE_LEAF,      /* an entry maps it */
	SPT_REVERSE_TABLE,     /* it is a table that hangs below a root, or is the root's own */
	SPT_REVERSE_DETACHED,  /* a table that no root of the image leads to */
	SPT_REVERSE_EXTERNAL,  /* the TDX module's table behind a mirror table */
	SPT_REVERSE_VCPU_ROOT, /* a vCPU's pae_root, pml4_root or pml5_root */
};

struct spt_reverse_hit {
	enum spt_reverse_kind kind;
	const struct spt_root_ref *root; /* NULL: DETACHED, VCPU_ROOT */
	const struct spt_node *node;	 /* LEAF: table that holds it; VCPU_ROOT: its table or NULL;
					    EXTERNAL: the mirror table; else the table itself */
	uint64_t spte;	    /* LEAF: the entry; TABLE: the one that leads here, 0 root */
	unsigned int index; /* LEAF: of the entry in @node; TABLE: in the one above */
	int level;	    /* LEAF: of the page; else of the table */
	uint64_t address;   /* as users write it: LEAF: what the HPA asked for is mapped at;
			       else first address that the table translates; DETACHED: its gfn */
	uint64_t size;	    /* LEAF: bytes of the page; else bytes that the table translates */
	enum spt_raw_table_kind raw_kind; /* VCPU_ROOT, else 0 */
	unsigned int vcpu;		  /* VCPU_ROOT: vcpu_idx */
};

struct spt_reverse {
	struct spt_reverse_hit *hit; /* leaves and tables by root and address, then the rest */
	size_t count;
};

/*
 * Find them for @hpa, any byte of a page. @sweep says which model and, if wanted, one root,
 * a range, a number of threads and who is told the progress; DETACHED and VCPU_ROOT are only
 * looked for when it names neither root nor range. Returns 0 (also for none), -EINTR or
 * -ENOMEM; spt_reverse_free() also after an error.
 */
int spt_reverse_find(const struct spt_sweep *sweep, uint64_t hpa, struct spt_reverse *ret,
		     struct spt_error *err);
void spt_reverse_free(struct spt_reverse *reverse);

#endif
