/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a vCPU that decide how the guest translates its addresses. */
#ifndef SPT_GUEST_REGS_H
#define SPT_GUEST_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "decoders/gpte.h"
#include "spt/model.h"
#include "spt/nested_tables.h"

#define SPT_ANY_VCPU (-1)

/* Flags of struct spt_guest_regs: why its values may not be the guest's of this moment. */
#define SPT_REGS_CR3_OLD                                                                           \
	(1U << 0) /* CR3 is KVM's copy; the guest may have loaded another since                    \
		   */
#define SPT_REGS_RUNNING                                                                           \
	(1U << 1)		     /* the vCPU was in the guest: all values are of its last exit \
				      */
#define SPT_REGS_NO_CR3	   (1U << 2) /* CR3 was not read: this image does not have it */
#define SPT_REGS_NESTED	   (1U << 3) /* they are of the guest's own guest (L2), which ran there */
#define SPT_REGS_HIDDEN	   (1U << 4) /* protected guest state: the host does not have them */
#define SPT_REGS_GIVEN	   (1U << 5) /* CR3 is the caller's */
#define SPT_REGS_ASSUMED   (1U << 6) /* of L2: modes of the guest itself taken as 64-bit, NX on */
#define SPT_REGS_NO_VALUE  (1U << 7) /* CR0, CR4 or EFER is not known */
#define SPT_REGS_NO_TABLES (1U << 8) /* L2 runs on nested page tables that are not known */

struct spt_guest_regs {
	int64_t vcpu; /* vcpu_id; -1: the image has no vCPU, all is assumed */
	uint64_t cr0, cr3, cr4, efer;
	uint32_t pkru; /* valid if have_pkru */
	bool have_pkru;
	bool have_pdptrs; /* PAE: the CPU keeps the PDPTEs, loaded with CR3 */
	uint64_t pdptr[4];
	unsigned int as_id;		 /* address space that its accesses use: 1 in SMM */
	unsigned int flags;		 /* SPT_REGS_* */
	struct spt_guest_mmu mmu;	 /* what follows from them, for decoders/gpte.h */
	struct spt_nested_tables nested; /* what L2's addresses go through, if they do */
};

/* The part of an image that they need. */
#define SPT_GUEST_REGS_PARTS SPT_PART_VCPUS

/*
 * Registers of the vCPU whose vcpu_id is @vcpu; SPT_ANY_VCPU: the first one whose
 * can be used and that runs no L2, else the first whose can be used, else the
 * first. Returns 0, or -ENOENT: no such vCPU.
 */
int spt_guest_regs_find(const struct spt_model *model, int64_t vcpu, struct spt_guest_regs *ret,
			struct spt_error *err);

/* Registers of one vCPU of the model. */
void spt_guest_regs_of(const struct spt_model *model, const struct spt_vcpu_ref *vcpu,
		       struct spt_guest_regs *ret);

/* Take @cr3 instead. Of a vCPU that runs L2 the guest's own paging mode is assumed. */
void spt_guest_regs_set_cr3(struct spt_guest_regs *regs, uint64_t cr3);

/* Why no walk can begin with these, or NULL. */
const char *spt_guest_regs_refuse(const struct spt_guest_regs *regs);

/* What makes them doubtful, as a sentence without a full stop; NULL: nothing. */
const char *spt_guest_regs_doubt(const struct spt_guest_regs *regs);

#endif
