// SPDX-License-Identifier: GPL-2.0
/*
 * The types of tests/old/kvm.h as debug information, for what reads it: of kvm.ko, of kvm-intel.ko
 * (VENDOR), or of both (BOTH).
 */
#include "kvm.h"

#if defined(VENDOR) || defined(BOTH)
struct vcpu_vmx vcpu_vmx;
#endif
#ifndef VENDOR
struct kvm vm;
struct kvm_vcpu vcpu;
struct kvm_mmu_page page;
struct kvm_memslots slots;
struct kvm_memory_slot slot;
struct pte_list_desc desc;
#endif
