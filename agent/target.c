// SPDX-License-Identifier: GPL-2.0
/*
 * What gpa= means: the slot, the page, and whether it may be acted upon.
 */
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/srcu.h>

#include "action.h"

/* KVM_MEMSLOT_INVALID: it is being deleted or moved. */
#define SPT_SLOT_INVALID	BIT(16)
/* KVM_MEMSLOT_GMEM_ONLY: memory of a guest_memfd, mapped or not, and no other. */
#define SPT_SLOT_GMEM_ONLY	BIT(17)

rwlock_t *spt_kvm_mmu_lock(struct kvm *kvm)
{
	return (rwlock_t *)spt_at(kvm, SPT_F_KVM_MMU_LOCK);
}

struct mutex *spt_kvm_slots_lock(struct kvm *kvm)
{
	return spt_has(SPT_F_KVM_SLOTS_LOCK) ?
	       (struct mutex *)spt_at(kvm, SPT_F_KVM_SLOTS_LOCK) : NULL;
}

static u64 spt_target_field(const void *slot, enum spt_field_id id)
{
	u64 value;

	spt_load(slot, id, &value);
	return value;
}

/*
 * The slot of address space 0 that holds @gfn, NULL: none. srcu or slots_lock is held, and
 * as long as that is so the slot stays, if perhaps invalid: KVM waits for srcu after that.
 */
static const void *spt_slot_holding(const struct kvm *kvm, u64 gfn)
{
	const void *slots = spt_slots(kvm, 0);
	const void *slot = slots ? spt_slot_below(slots, gfn) : NULL;

	if (!slot || gfn - spt_target_field(slot, SPT_F_SLOT_BASE_GFN) >=
		     spt_target_field(slot, SPT_F_SLOT_NPAGES) ||
	    (spt_target_field(slot, SPT_F_SLOT_FLAGS) & SPT_SLOT_INVALID))
		return NULL;
	return slot;
}

static void spt_target_take(struct spt_target *target, const void *slot)
{
	target->slot_gfn = spt_target_field(slot, SPT_F_SLOT_BASE_GFN);
	target->slot_npages = spt_target_field(slot, SPT_F_SLOT_NPAGES);
	target->slot_hva = spt_target_field(slot, SPT_F_SLOT_HVA);
	target->slot_flags = spt_target_field(slot, SPT_F_SLOT_FLAGS);
	target->slot_id = spt_target_field(slot, SPT_F_SLOT_ID);
	target->as_id = spt_target_field(slot, SPT_F_SLOT_AS_ID);
	target->dirty_log = target->slot_flags & KVM_MEM_LOG_DIRTY_PAGES;
	target->gmem = spt_target_field(slot, SPT_F_SLOT_GMEM_FILE);
	target->hva = target->slot_hva + ((target->gfn - target->slot_gfn) << PAGE_SHIFT);
}

const void *spt_action_slot(const struct spt_action *act)
{
	const struct spt_target *target = &act->target;
	struct spt_target now = { .gfn = target->gfn };
	const void *slot = spt_slot_holding(act->kvm, target->gfn);

	if (!slot)
		return NULL;
	spt_target_take(&now, slot);
	if (now.slot_gfn != target->slot_gfn || now.slot_npages != target->slot_npages ||
	    now.slot_hva != target->slot_hva || now.slot_id != target->slot_id)
		return NULL;
	return slot;
}

static int spt_mirror_leaf(const struct spt_entry *leaf, void *arg)
{
	return leaf->mirror;
}

/* Nothing private, and nothing that a mirror root maps, lies between the two gfns. */
static int spt_target_shared(struct spt_action *act, u64 first, u64 end)
{
	int ret;

	if (spt_attrs_private(act->kvm, first, end))
		return spt_refuse_action(act, SPT_WHY_PRIVATE,
					 "memory there is private to the guest");
	if (!spt_vm_mirrored(act->kvm))
		return 0;
	ret = spt_scan_leaves(act, first, end, spt_mirror_leaf, NULL);
	if (ret > 0)
		return spt_refuse_action(act, SPT_WHY_MIRROR, "a mirror root maps memory there");
	return ret;
}

/* Newer kernels say it of the whole VM; where they do not, and with SEV-ES, each vCPU has it. */
bool spt_vm_protected(const struct kvm *kvm)
{
	const struct kvm_vcpu *vcpu;
	u64 protected;
	u64 online;
	u64 i;

	if (!spt_load(kvm, SPT_F_KVM_HAS_PROTECTED_STATE, &protected) && protected)
		return true;
	if (spt_load(kvm, SPT_F_KVM_ONLINE_VCPUS, &online))
		return false;
	for (i = 0; i < online; i++) {
		vcpu = spt_xa_load(spt_at(kvm, SPT_F_KVM_VCPU_ARRAY), i);
		if (vcpu && !spt_load(vcpu, SPT_F_VCPU_PROTECTED, &protected) && protected)
			return true;
	}
	return false;
}

bool spt_vm_mirrored(const struct kvm *kvm)
{
	u64 bits;

	return !spt_load(kvm, SPT_F_KVM_GFN_DIRECT_BITS, &bits) && bits;
}

static int spt_target_find(struct spt_action *act)
{
	struct spt_target *target = &act->target;
	u64 direct_bits = 0;
	const void *slot;
	int idx;

	spt_load(act->kvm, SPT_F_KVM_GFN_DIRECT_BITS, &direct_bits);
	target->shared_bits = direct_bits;
	target->gfn = (act->args.gpa >> PAGE_SHIFT) & ~direct_bits;
	idx = srcu_read_lock(spt_kvm_srcu(act->kvm));
	slot = spt_slot_holding(act->kvm, target->gfn);
	if (slot)
		spt_target_take(target, slot);
	srcu_read_unlock(spt_kvm_srcu(act->kvm), idx);
	spt_say(act, SPT_LINE_GPA, "%#llx", target->gfn << PAGE_SHIFT);
	if (!slot)
		return spt_refuse_action(act, SPT_WHY_NO_SLOT, "no memslot holds %#llx",
					 act->args.gpa);
	if (target->gfn + target->npages > target->slot_gfn + target->slot_npages)
		return spt_refuse_action(act, SPT_WHY_NO_SLOT, "the slot ends at %#llx",
					 (target->slot_gfn + target->slot_npages) << PAGE_SHIFT);
	spt_say(act, SPT_LINE_SIZE, "%#llx", target->npages << PAGE_SHIFT);
	spt_say(act, SPT_LINE_SLOT, "%u:%d base=%#llx size=%#llx hva=%#llx flags=%#x",
		target->as_id, target->slot_id, target->slot_gfn << PAGE_SHIFT,
		target->slot_npages << PAGE_SHIFT, target->slot_hva, target->slot_flags);
	if (target->slot_flags & SPT_SLOT_GMEM_ONLY)
		return spt_refuse_action(act, SPT_WHY_PRIVATE,
					 "the slot's memory is a guest_memfd's alone");
	spt_say(act, SPT_LINE_HVA, "%#llx", target->hva);
	return spt_target_shared(act, target->gfn, target->gfn + target->npages);
}

int spt_target_page(struct spt_action *act)
{
	act->target.npages = 1;
	return spt_target_find(act);
}

int spt_target_range(struct spt_action *act)
{
	u64 offset = offset_in_page(act->args.gpa);

	act->target.npages = act->args.len ? DIV_ROUND_UP(offset + act->args.len, PAGE_SIZE) : 1;
	return spt_target_find(act);
}

int spt_target_may_fault_in(struct spt_action *act, bool write)
{
	struct mm_struct *mm = act->acted->id.mm;
	struct vm_area_struct *vma;
	unsigned long flags = 0;

	if (mmap_read_lock_killable(mm))
		return spt_refuse_action(act, SPT_WHY_INTERRUPTED, "a signal came");
	vma = vma_lookup(mm, act->target.hva);
	if (vma)
		flags = vma->vm_flags;
	mmap_read_unlock(mm);
	if (flags & (VM_IO | VM_PFNMAP | (write ? VM_WRITE : VM_READ)))
		return 0;
	return spt_refuse_action(act, SPT_WHY_HOST, "the VMM has nothing for %s at %#llx",
				 write ? "writing" : "reading", act->target.hva);
}

int spt_target_fault_in(struct spt_action *act, bool write)
{
	struct mm_struct *mm = act->acted->id.mm;
	struct vm_area_struct *vma;
	bool unlocked = false;
	int error = 0;

	if (mmap_read_lock_killable(mm))
		return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_INTERRUPTED,
				       "a signal came");
	vma = vma_lookup(mm, act->target.hva);
	/* What is mapped without pages KVM looks up by itself. */
	if (!vma)
		error = -EFAULT;
	else if (!(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		error = fixup_user_fault(mm, act->target.hva, write ? FAULT_FLAG_WRITE : 0,
					 &unlocked);
	mmap_read_unlock(mm);
	if (!error)
		return 0;
	return spt_action_over(act, SPT_RESULT_FAILED, SPT_WHY_HOST,
			       "the host gives no page for %s at %#llx (%d)",
			       write ? "writing" : "reading", act->target.hva, error);
}

