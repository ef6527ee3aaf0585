/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One address through everything that translates it: memslot, every root's
 * tables, and beside them the VMM's own page tables; and whether they agree.
 */
#ifndef SPT_WALK_H
#define SPT_WALK_H

#include "spt/source.h"
#include "spt/tree.h"

enum spt_verdict {
	SPT_VERDICT_COHERENT, /* SPTE and host name the same page */
	SPT_VERDICT_UNMAPPED, /* no SPTE yet */
	SPT_VERDICT_STALE,    /* SPTE and host disagree, and nothing explains it */
	SPT_VERDICT_MMIO,
	SPT_VERDICT_NO_SLOT,
	SPT_VERDICT_PRIVATE, /* guest_memfd or TD: the host maps no such page */
	SPT_VERDICT_SWAPPED, /* no SPTE, and the host has the page on swap */
	SPT_VERDICT_TORN,    /* changed while it was looked at */
	SPT_VERDICT_UNKNOWN, /* "n/a": mapped, and the image has no host walk to compare with */
};

const char *spt_verdict_name(enum spt_verdict verdict); /* as in JSON */

/* No x86 CPU has a longer physical address (SDM Vol. 3A 4.1.4, APM Vol. 2 5.1). */
#define SPT_GPA_BITS 52

/* One way from a root to the address; entries from the root downwards. */
struct spt_walk_path {
	const struct spt_root_ref *root; /* NULL: shadow page that no root reaches */
	uint64_t address;		 /* that it translates: GPA, or virtual/L2 (root kind) */
	struct spt_entry level[SPT_MAX_WALK];
	unsigned int nr_levels;
	uint64_t hpa;	    /* with the offset in the page; SPT_NO_HPA: not mapped */
	uint64_t page_size; /* bytes; 0: not mapped */
};

/* What a host page table entry is. */
enum spt_host_type {
	SPT_HOST_NONE,
	SPT_HOST_TABLE,
	SPT_HOST_PAGE,
	SPT_HOST_PROTNONE, /* a page that nobody may touch: NUMA hint, mprotect() */
	SPT_HOST_SWAP,
	SPT_HOST_MIGRATION, /* being moved; also device memory, which looks alike */
	SPT_HOST_SPECIAL,   /* poison, userfaultfd marker */
	SPT_HOST_ERROR,	    /* could not be walked; see error */
};

const char *spt_host_type_name(enum spt_host_type type);

struct spt_host_level {
	uint64_t table_hpa, entry;
	int level;
	unsigned int index;
	enum spt_host_type type;
	bool writable, user, accessed, dirty, nx;
};

struct spt_host_path {
	struct spt_host_level level[SPT_HOST_LEVELS]; /* from the top downwards */
	unsigned int nr_levels;
	enum spt_host_type type; /* of the last one */
	int error;		 /* errno of the walk, 0 none */
	uint64_t hpa;		 /* with the offset in the page; SPT_NO_HPA none */
	uint64_t page_size;
	bool writable;
};

#define SPT_NO_HVA     (~0ULL)
#define SPT_WALK_PATHS 16

struct spt_walk {
	uint64_t gpa;
	uint64_t hva;			/* SPT_NO_HVA: none */
	const struct spt_memslot *slot; /* of address space 0, else of 1; NULL none */
	uint64_t attrs;			/* memory attributes, 0 also when unknown */
	bool private_gpa;		/* KVM_MEMORY_ATTRIBUTE_PRIVATE */
	bool asked_shared;		/* the address asked for has the shared bit */
	bool knows_attrs, knows_gmem;	/* the image has attributes; the slot's guest_memfd */
	uint64_t gmem_hpa;		/* what guest_memfd has there; SPT_NO_HPA: no page */
	enum spt_known external;	/* mirror and external entries agree; SPT_NA: none */
	int external_level;		/* SPT_NO: the level at which they do not */
	struct spt_walk_path path[SPT_WALK_PATHS];
	unsigned int nr_paths;	 /* kept ones */
	unsigned int more_paths; /* found beyond those */
	bool have_host;
	struct spt_host_path host;
	enum spt_verdict verdict;
	char reason[200];   /* one sentence that says what the verdict rests on */
	unsigned int tries; /* images read for it; 1 for a file */
};

/* The parts of a live image that spt_walk_gpa() needs. */
#define SPT_WALK_PARTS                                                                             \
	(SPT_PART_VM | SPT_PART_MEMSLOTS | SPT_PART_ATTRS | SPT_PART_ROOTS | SPT_PART_TABLES |     \
	 SPT_PART_HOST | SPT_PART_GMEM)

/*
 * Walk @gpa in a loaded model. Pointers in *@ret point into it. Of a VM whose memory has
 * two halves either alias of a page may be given: both are walked.
 */
void spt_walk_gpa(const struct spt_model *model, uint64_t gpa, struct spt_walk *ret);

/* The same for a virtual/L2 address of one shadow or nested root, without a verdict. */
void spt_walk_root(const struct spt_model *model, const struct spt_root_ref *root, uint64_t addr,
		   struct spt_walk_path *ret);

/* Of a path without a level: why it has none, a sentence. */
const char *spt_walk_why_empty(const struct spt_walk_path *path);

/*
 * Read what is needed from @src, load @model and walk. A live VM is read again,
 * up to three times, before 'stale' is believed. -ERANGE: no such address exists.
 */
int spt_walk_gpa_from(struct spt_source *src, struct spt_model *model, uint64_t gpa,
		      unsigned int image_flags, struct spt_walk *ret, struct spt_error *err);

/*
 * The same where several walks follow one another: a saved image that @model, loaded
 * from @src, already holds in full is not read again.
 */
int spt_walk_gpa_next(struct spt_source *src, struct spt_model *model, uint64_t gpa,
		      unsigned int image_flags, struct spt_walk *ret, struct spt_error *err);

/*
 * GPAs that @hva backs, in every slot and both address spaces: up to @max into
 * @gpa (a GPA that both address spaces have is given once). Returns how many there are.
 */
unsigned int spt_walk_hva(const struct spt_model *model, uint64_t hva, uint64_t *gpa,
			  unsigned int max);

/*
 * Decode the image's host walk, or what its host runs say of the page, without
 * levels; false when the image has neither.
 */
bool spt_host_path(const struct spt_model *model, uint64_t gpa, struct spt_host_path *ret);

#endif
