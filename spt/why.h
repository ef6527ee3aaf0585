/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why a page is mapped as it is: by no larger page, not at all, not for writing or
 * execution, or emulated. Each cause comes with the facts that prove it, fields of
 * KVM's and the host's by their names; several may hold at once, and the first of
 * a question is the one that decides.
 */
#ifndef SPT_WHY_H
#define SPT_WHY_H

#include "spt/walk.h"
#include "spt/why_cause.h"

/* clang-format off */
/* What became of the address in one root. */
#define SPT_WHY_STATES(S)						\
	S(MAPPED, "mapped")						\
	S(UNMAPPED, "unmapped")						\
	S(MMIO, "mmio")							\
	S(NO_SLOT, "no-slot")						\
	S(CHANGING, "changing")		/* seen in the middle of a change */ \
	S(UNKNOWN, "n/a")		/* the image does not have it */

enum spt_why_state {
#define S(id, name) SPT_WHY_##id,
	SPT_WHY_STATES(S)
#undef S
};
/* clang-format on */

const char *spt_why_state_name(enum spt_why_state state);

/* One field and its value, as text: "slot.base_gfn", "0x10000". */
struct spt_why_fact {
	const char *name;
	char value[88];
};

struct spt_why_cause {
	enum spt_cause cause;
	unsigned int first_fact, nr_facts; /* of spt_why_answer.fact */
};

#define SPT_WHY_CAUSES 16
#define SPT_WHY_FACTS  80

struct spt_why_answer {
	const struct spt_walk_path *path; /* NULL: no table leads there */
	const struct spt_memslot *slot;	  /* in the root's address space; NULL none */
	enum spt_why_state state;
	uint64_t page_size; /* bytes; 0: not mapped */
	unsigned int perm;  /* enum spt_perm; mapped only */
	int larger;	    /* level that the causes of SIZE are about; 0: not asked */
	struct spt_why_cause cause[SPT_WHY_CAUSES]; /* by question, the deciding one first */
	unsigned int nr_causes;
	struct spt_why_fact fact[SPT_WHY_FACTS];
	unsigned int nr_facts;
};

struct spt_why {
	struct spt_walk walk;
	/* One for each root that a vCPU can enter through, the ones in use first; at least one. */
	struct spt_why_answer answer[SPT_WALK_PATHS];
	unsigned int nr_answers;
};

/* The parts of a live image that spt_why_gpa() needs. */
#define SPT_WHY_PARTS (SPT_WALK_PARTS | SPT_PART_VCPUS | SPT_PART_LPAGE | SPT_PART_DIRTY)

/* Explain @gpa in a loaded model. Pointers in *@ret point into it. */
void spt_why_gpa(const struct spt_model *model, uint64_t gpa, struct spt_why *ret);

/*
 * Read the 2M around @gpa from @src, load @model and explain. A live VM is read
 * again, a few times, while the answer is that it is changing. -ERANGE: no such
 * address exists.
 */
int spt_why_from(struct spt_source *src, struct spt_model *model, uint64_t gpa,
		 unsigned int image_flags, struct spt_why *ret, struct spt_error *err);

/* Whether @answer names @cause. */
bool spt_why_names(const struct spt_why_answer *answer, enum spt_cause cause);

#endif
