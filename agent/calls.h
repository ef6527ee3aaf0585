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
	  (struct kvm *kvm, const void *slot, u64 gfn, int min_level));	\
	C(AGE_GFN, age_gfn, bool, (struct kvm *kvm, void *range));	\
	C(UNMAP_GFN_RANGE, unmap_gfn_range, bool, (struct kvm *kvm, void *range)); \
	C(TRY_SPLIT_HUGE_PAGES, try_split_huge_pages, void,			\
	  (struct kvm *kvm, const void *slot, u64 start, u64 end, int target_level)); \
	C(DISALLOW_LPAGE, disallow_lpage, void, (const void *slot, u64 gfn)); \
	C(ALLOW_LPAGE, allow_lpage, void, (const void *slot, u64 gfn));	\
	C(GET_LINEAR_RIP, get_linear_rip, unsigned long, (struct kvm_vcpu *vcpu)); \
	C(PAGE_TRACK_REGISTER, page_track_register, int, (struct kvm *kvm, void *node)); \
	C(PAGE_TRACK_UNREGISTER, page_track_unregister, void, (struct kvm *kvm, void *node)); \
	C(WRITE_TRACK_ADD_GFN, write_track_add_gfn, int, (struct kvm *kvm, u64 gfn)); \
	C(WRITE_TRACK_REMOVE_GFN, write_track_remove_gfn, int, (struct kvm *kvm, u64 gfn)); \
	C(SLOT_PAGE_TRACK_ADD, slot_page_track_add, void,			\
	  (struct kvm *kvm, const void *slot, u64 gfn, int mode));	\
	C(SLOT_PAGE_TRACK_REMOVE, slot_page_track_remove, void,			\
	  (struct kvm *kvm, const void *slot, u64 gfn, int mode));	\
	C(MIGRATE_PAGES, migrate_pages, int,					\
	  (struct list_head *pages, spt_migrate_to_fn to, spt_migrate_back_fn back, \
	   unsigned long private, int mode, int reason, unsigned int *moved)); \
	C(PUTBACK_MOVABLE_PAGES, putback_movable_pages, void, (struct list_head *pages)); \
	C(LRU_ADD_DRAIN_ALL, lru_add_drain_all, void, (void));	\
	C(FOLIO_ISOLATE_LRU, folio_isolate_lru, bool, (struct folio *folio)); \
	C(ISOLATE_LRU_PAGE, isolate_lru_page, int, (struct page *page));

/* Who gives migration a page to move to, and takes it back unused. */
#ifdef SPT_HAVE_NEW_FOLIO
typedef struct folio *(*spt_migrate_to_fn)(struct folio *folio, unsigned long private);
typedef void (*spt_migrate_back_fn)(struct folio *folio, unsigned long private);
#else
typedef struct page *(*spt_migrate_to_fn)(struct page *page, unsigned long private);
typedef void (*spt_migrate_back_fn)(struct page *page, unsigned long private);
#endif

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
