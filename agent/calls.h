/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of KVM and of the kernel that no module may link to, called by
 * actions.
 *
 * Each has a static call that is pointed at the symbol of the layout, whose name
 * kallsyms confirmed: a direct call, which needs no ENDBR at its target; most of
 * these were sealed. spt_can() tells whether this kernel has the function: one
 * that it has not must not be called. The layout is held, and with it the
 * addresses.
 */
#ifndef SPT_AGENT_CALLS_H
#define SPT_AGENT_CALLS_H

#include <linux/static_call.h>
#include <linux/task_work.h>

#include "layout.h"

struct kvm;
struct kvm_memory_slot;
struct kvm_vcpu;

/*
 * C(symbol, name, type, (parameters)): spt_call(name)(arguments). What KVM's own
 * structs are is known by the layout alone, so those are pointers to void.
 */
#define SPT_CALLS(C)								\
	C(TASK_WORK_CANCEL_MATCH, task_work_cancel_match, struct callback_head *, \
	  (struct task_struct *task,						\
	   bool (*match)(struct callback_head *work, void *arg), void *arg));	\
	C(GET_RUNNING_VCPU, get_running_vcpu, struct kvm_vcpu *, (void));	\
	C(VCPU_LOAD, vcpu_load, void, (struct kvm_vcpu *vcpu));			\
	C(VCPU_PUT, vcpu_put, void, (struct kvm_vcpu *vcpu));			\
	C(VCPU_WAKE_UP, vcpu_wake_up, bool, (struct kvm_vcpu *vcpu));		\
	C(FLUSH_REMOTE_TLBS, flush_remote_tlbs, void, (struct kvm *kvm));	\
	C(MMU_LOAD, mmu_load, int, (struct kvm_vcpu *vcpu));			\
	C(FREE_OBSOLETE_ROOTS, free_obsolete_roots, void, (struct kvm_vcpu *vcpu)); \
	C(TDP_PAGE_FAULT, tdp_page_fault, int, (struct kvm_vcpu *vcpu, void *fault)); \
	C(MMU_DO_PAGE_FAULT, mmu_do_page_fault, int,				\
	  (struct kvm_vcpu *vcpu, u64 gpa, u64 error_code, bool prefetch,	\
	   int *emulation_type, u8 *level));					\
	C(ZAP_GFN_RANGE, zap_gfn_range, void, (struct kvm *kvm, u64 start, u64 end)); \
	C(TDP_MMU_ZAP_LEAFS, tdp_mmu_zap_leafs, bool,				\
	  (struct kvm *kvm, void *root, u64 start, u64 end, bool can_yield, bool flush)); \
	C(SLOT_GFN_WRITE_PROTECT, slot_gfn_write_protect, bool,			\
	  (struct kvm *kvm, const void *slot, u64 gfn, int min_level));		\
	C(AGE_GFN, age_gfn, bool, (struct kvm *kvm, void *range));

#define C(symbol, name, type, parameters) type spt_fn_##name parameters
SPT_CALLS(C)
#undef C

#define C(symbol, name, type, parameters) DECLARE_STATIC_CALL(spt_call_##name, spt_fn_##name)
SPT_CALLS(C)
#undef C

#define spt_call(name)	static_call(spt_call_##name)

static inline bool spt_can(enum spt_symbol_id id)
{
	return spt_layout.symbol[id];
}

/* Points the calls at the layout's symbols; it is being taken into force. May sleep. */
void spt_calls_update(void);

#endif
