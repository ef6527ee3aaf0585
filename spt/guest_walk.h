/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One guest-virtual address through the guest's own page tables, each of which
 * is a page of guest memory that KVM translates as any other. Of a vCPU that runs
 * a guest of its own (L2) it is an address of that one, and every address that
 * L2's tables name goes through the guest's nested page tables first.
 */
#ifndef SPT_GUEST_WALK_H
#define SPT_GUEST_WALK_H

#include "spt/guest_memory.h"
#include "spt/guest_regs.h"
#include "spt/walk.h"

#define SPT_GUEST_MAX_LEVEL 5

/* How the guest's own walk ends; the second to fourth are a #PF or #GP in the guest. */
enum spt_guest_end {
	SPT_GUEST_END_MAPPED,
	SPT_GUEST_END_NOT_PRESENT,
	SPT_GUEST_END_RESERVED,	     /* a bit is set that must be 0 */
	SPT_GUEST_END_NOT_CANONICAL, /* no address of this paging mode */
	SPT_GUEST_END_UNREADABLE,    /* a table could not be read: see its level's 'read' */
	SPT_GUEST_END_NOT_NESTED,    /* L2 maps it, the guest's nested page tables do not */
	SPT_GUEST_ENDS,
};

const char *spt_guest_end_name(enum spt_guest_end end); /* stable, for JSON: "not-present" */

/* Where KVM and the host have a page of the guest. */
struct spt_guest_place {
	int slot;	    /* id of its memslot, -1 none */
	uint64_t hva;	    /* SPT_NO_HVA none */
	uint64_t hpa;	    /* by the SPTEs; SPT_NO_HPA: not mapped */
	uint64_t host_hpa;  /* by the VMM's page tables; SPT_NO_HPA: none, or not in the image */
	uint64_t page_size; /* of the SPTE, bytes; 0: not mapped */
	enum spt_verdict verdict;
};

/* One entry of one guest table. */
struct spt_guest_level {
	int level;
	unsigned int index;
	uint64_t table_gpa, entry_gpa; /* L2's where regs.nested is on */
	uint64_t vm_gpa;	       /* entry_gpa as the VM's address */
	struct spt_guest_place table;  /* of vm_gpa's page; the HPAs are the table's */
	enum spt_guest_read read;      /* not SPT_GUEST_READ: gpte is empty */
	struct spt_gpte gpte;
	uint64_t memory;    /* PDPTE of a register: what memory has in its place */
	bool from_register; /* PAE: the processor holds its own copy of the PDPTE */
};

/* Flags of struct spt_guest_walk: what else decides about an access. */
#define SPT_GUEST_SMEP	   (1U << 0) /* user page: supervisor code may not be fetched */
#define SPT_GUEST_SMAP	   (1U << 1) /* user page: supervisor data needs EFLAGS.AC */
#define SPT_GUEST_NO_WP	   (1U << 2) /* CR0.WP = 0: supervisor writes ignore W */
#define SPT_GUEST_PKEY	   (1U << 3) /* CR4.PKE: protection key and PKRU apply */
#define SPT_GUEST_NO_PKRU  (1U << 4) /* they do, and PKRU is not known: counted as allowing all */
#define SPT_GUEST_CHANGED  (1U << 5) /* an entry changed while the walk went on */
#define SPT_GUEST_SHADOW   (1U << 6) /* not the processor but KVM walks the guest's tables */
#define SPT_GUEST_SMM_SLOT (1U << 7) /* the vCPU is in SMM, and @gpa is another page there */

struct spt_guest_walk {
	uint64_t gva;
	struct spt_guest_regs regs;
	struct spt_guest_level level[SPT_GUEST_MAX_LEVEL]; /* from the top downwards */
	unsigned int nr_levels;				   /* 0 also with paging off */
	enum spt_guest_end end;
	uint64_t gpa;		       /* the VM's, with the offset; valid if end is MAPPED */
	struct spt_nested_walk nested; /* from L2's address to gpa; no levels: there is none */
	uint64_t page_size;	       /* of the guest's page, bytes; 0 with paging off */
	unsigned int supervisor, user; /* enum spt_perm, or-ed: what each may do */
	unsigned int pkey;
	unsigned int flags; /* SPT_GUEST_* */
	unsigned int tries; /* walks made, because entries changed */
	char reason[200];   /* one sentence about how it ended */
};

/* What is asked. */
struct spt_guest_ask {
	uint64_t gva;
	int64_t vcpu; /* vcpu_id, or SPT_ANY_VCPU */
	bool have_cr3;
	uint64_t cr3; /* instead of the vCPU's */
};

/*
 * Read from @src what is needed and walk. @model is loaded on the way, several
 * times of a live VM, and is left with some part of it. 0 also when the guest
 * maps nothing: see ret->end. -ENOENT: no such vCPU; -ENODATA: its registers
 * cannot be used, or the image was saved without the guest's tables.
 */
int spt_guest_walk_from(struct spt_source *src, struct spt_model *model,
			const struct spt_guest_ask *ask, unsigned int image_flags,
			struct spt_guest_walk *ret, struct spt_error *err);

/* The verdict of a walk that ends in the guest's tables; its reason is walk->reason. */
enum spt_verdict spt_guest_walk_verdict(const struct spt_guest_walk *walk);

#endif
