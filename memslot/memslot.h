/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory slots: which guest frames are backed, by which addresses of the VMM,
 * and what KVM keeps per frame beside them. Two address spaces: 0, and 1 for SMM.
 */
#ifndef SPT_MEMSLOT_H
#define SPT_MEMSLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_image.h"

#define SPT_ADDRESS_SPACES    2
#define SPT_SLOT_GEN_UPDATING (1ULL << 63) /* KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS */

#define SPT_SLOT_LOG_DIRTY (1U << 0) /* KVM_MEM_LOG_DIRTY_PAGES */
#define SPT_SLOT_READONLY  (1U << 1) /* KVM_MEM_READONLY */

/* Internal flags that change what a slot means. */
#define SPT_SLOT_INVALID   (1U << 16) /* KVM_MEMSLOT_INVALID: being deleted or moved */
#define SPT_SLOT_GMEM_ONLY (1U << 17) /* KVM_MEMSLOT_GMEM_ONLY: guest_memfd's memory alone */

/* KVM_MEM_* (uapi) and KVM's internal flags (kvm_host.h) by name; terminated by bit 0. */
struct spt_slot_flag {
	uint32_t bit;
	const char *name;
};
extern const struct spt_slot_flag spt_slot_flags[];

struct spt_memslot {
	const struct spt_slot *slot;	/* all of its facts; borrowed from the image */
	uint32_t first_dirty, nr_dirty; /* of spt_memslots.dirty: pieces of its bitmap */
	uint32_t first_runs, nr_runs;	/* of spt_memslots.runs: lpage, write tracking */
	uint32_t first_host, nr_host;	/* of spt_memslots.host: what the host maps */
	uint32_t first_gmem, nr_gmem;	/* of spt_memslots.gmem: pages of its guest_memfd */
	uint32_t first_rmaps, nr_rmaps; /* of spt_memslots.rmaps */
};

struct spt_memslots {
	struct spt_memslot *slots; /* by (as_id, base_gfn) */
	uint32_t count;
	uint32_t first[SPT_ADDRESS_SPACES + 1]; /* slots of space a: first[a] .. first[a + 1] - 1 */
	const struct spt_runs **runs;		/* run records, grouped by slot */
	const struct spt_host_runs **host;	/* host run records, grouped by slot */
	const struct spt_host_runs **gmem;	/* guest_memfd run records, grouped by slot */
	const struct spt_rmaps **rmaps;		/* reverse map records, grouped by slot */
	const struct spt_dirty **dirty;		/* bitmap records, grouped by slot */
	uint32_t nr_runs, max_runs, nr_host, max_host, nr_rmaps, max_rmaps;
	uint32_t nr_gmem, max_gmem, nr_dirty, max_dirty, max_slots;
};

/* Empty set; spt_memslots_add() of image records in their order; then sort. */
void spt_memslots_init(struct spt_memslots *set);
void spt_memslots_deinit(struct spt_memslots *set);
/* Forget the slots but keep the memory. */
void spt_memslots_reset(struct spt_memslots *set);
int spt_memslots_add(struct spt_memslots *set, const struct spt_slot *slot); /* 0, -ENOMEM */
int spt_memslots_add_runs(struct spt_memslots *set, const struct spt_runs *runs);
int spt_memslots_add_host(struct spt_memslots *set, const struct spt_host_runs *runs);
int spt_memslots_add_gmem(struct spt_memslots *set, const struct spt_host_runs *runs);
int spt_memslots_add_rmaps(struct spt_memslots *set, const struct spt_rmaps *rmaps);
int spt_memslots_add_dirty(struct spt_memslots *set, const struct spt_dirty *dirty);
void spt_memslots_sort(struct spt_memslots *set);

/* The slot of address space @as_id that holds @gfn, or NULL. */
const struct spt_memslot *spt_memslot_find(const struct spt_memslots *set, unsigned int as_id,
					   uint64_t gfn);

/* The first slot of @as_id that ends above @gfn (it may start above it), or NULL. */
const struct spt_memslot *spt_memslot_from(const struct spt_memslots *set, unsigned int as_id,
					   uint64_t gfn);

/* Next (slot, gpa) that @hva backs: start with *@pos 0; false when there is none left. */
bool spt_memslot_next_alias(const struct spt_memslots *set, uint64_t hva, uint32_t *pos,
			    const struct spt_memslot **slot, uint64_t *gpa);

/* HVA of @gpa, which lies in @slot. ~0: none that leads to the guest's memory (guest_memfd). */
uint64_t spt_memslot_hva(const struct spt_memslot *slot, uint64_t gpa);

/* Value of @kind at @gfn: runs leave zeros out. False: the image does not have this kind. */
bool spt_memslot_run(const struct spt_memslots *set, const struct spt_memslot *slot,
		     enum spt_run_kind kind, uint64_t gfn, uint64_t *value);

/* Whether @gfn is marked in the dirty bitmap; false also when the image has no bitmap for it. */
bool spt_memslot_dirty(const struct spt_memslots *set, const struct spt_memslot *slot, uint64_t gfn,
		       bool *known);

/* The bits of 64 frames from @gfn on. Pieces of the bitmap that an image lacks count as clean. */
uint64_t spt_memslot_dirty_word(const struct spt_memslots *set, const struct spt_memslot *slot,
				uint64_t gfn);

/* The run that holds @gfn in one record, or NULL. */
const struct spt_run *spt_runs_find(const struct spt_runs *runs, uint64_t gfn);

/* What the host maps at @gfn of @slot; NULL: nothing, or the image has no host runs. */
const struct spt_host_run *spt_memslot_host_run(const struct spt_memslots *set,
						const struct spt_memslot *slot, uint64_t gfn);

/* The page that the slot's guest_memfd has for @gfn; NULL: none, or the image has no such runs. */
const struct spt_host_run *spt_memslot_gmem_run(const struct spt_memslots *set,
						const struct spt_memslot *slot, uint64_t gfn);

/* Pages that its guest_memfd has, of those in the image. */
uint64_t spt_memslot_gmem_pages(const struct spt_memslots *set, const struct spt_memslot *slot);

/* The first run of @slot that ends above @gfn, or NULL. */
const struct spt_host_run *spt_memslot_host_run_from(const struct spt_memslots *set,
						     const struct spt_memslot *slot, uint64_t gfn);

#endif
