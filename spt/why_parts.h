/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that answer one question each share. Private to spt/why*.c. */
#ifndef SPT_WHY_PARTS_H
#define SPT_WHY_PARTS_H

#include "spt/why.h"

/* What the host maps at the address, from its walk or from a run. */
struct spt_why_host {
	bool known;
	enum spt_host_type type;
	int level; /* of the entry that ends the walk */
	bool writable;
	bool special;	   /* _PAGE_SPECIAL, or a run of the zero page */
	bool in_one_piece; /* [larger page] frames contiguous and in the right place */
	uint64_t hpa;	   /* SPT_NO_HPA: no page */
	uint64_t entry;	   /* of the walk; 0: a run said it */
	bool have_entry;
};

/* One answer being made. */
struct spt_why_ask {
	const struct spt_model *model;
	const struct spt_walk *walk;
	struct spt_why_answer *answer;
	const struct spt_memslot *memslot; /* the answer's; NULL none */
	const struct spt_slot *slot;	   /* the same one's record */
	const struct spt_entry *last;	   /* where the walk ended; NULL: no table */
	struct spt_spte spte;		   /* decoded, if there is one */
	uint64_t gfn;
	unsigned int as_id;
	bool private_gfn; /* the attribute says that guest_memfd has it */
	struct spt_why_host host;
};

/* A further cause, and facts of the one that was added last. */
void spt_why_add(struct spt_why_ask *ask, enum spt_cause cause);
void spt_why_fact(struct spt_why_ask *ask, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Facts that several causes have. */
void spt_why_fact_hex(struct spt_why_ask *ask, const char *name, uint64_t value);
void spt_why_fact_number(struct spt_why_ask *ask, const char *name, uint64_t value);
void spt_why_fact_spte(struct spt_why_ask *ask);
void spt_why_fact_slot_flags(struct spt_why_ask *ask);
void spt_why_fact_host(struct spt_why_ask *ask);

bool spt_why_has(const struct spt_why_ask *ask, enum spt_cause cause);

/* Tables of the guest that KVM shadows in frames @first to @end - 1: of level 1, and above. */
struct spt_why_shadowed {
	const struct spt_node *one; /* the first found, NULL none */
	unsigned int low, high;
};
void spt_why_find_shadowed(const struct spt_model *model, uint64_t first, uint64_t end,
			   struct spt_why_shadowed *ret);

/* The questions. */
void spt_why_not_larger(struct spt_why_ask *ask);
void spt_why_not_mapped(struct spt_why_ask *ask);
void spt_why_not_writable(struct spt_why_ask *ask);
void spt_why_not_executable(struct spt_why_ask *ask);
void spt_why_mmio(struct spt_why_ask *ask);

/* why_host.c: what the host maps, and whether it would make a page of level @larger (0: no). */
void spt_why_find_host(struct spt_why_ask *ask, int larger);

#endif
