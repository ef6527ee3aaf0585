/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two VMs in this program's memory, in KVM's old structures (tests/old/kvm.h): a TD and
 * one whose guest runs a guest of its own. Memory for page tables has made-up HPAs.
 */
#ifndef TESTS_OLD_VM_H
#define TESTS_OLD_VM_H

#include <stdbool.h>
#include <stdint.h>

/* What there is to find. GPAs and HPAs; the shared bit is bit 47 of a GPA. */
#define OLD_SHARED	  (1ULL << 47)
#define OLD_SLOT0_SIZE	  (16ULL << 20) /* from GPA 0 */
#define OLD_SLOT1_GPA	  (4ULL << 30)
#define OLD_SLOT1_SIZE	  (1ULL << 30)
#define OLD_SLOT0_HVA	  0x7f0000000000ULL
#define OLD_SLOT1_HVA	  0x7f8000000000ULL
#define OLD_PRIVATE_OFF	  (2ULL << 20) /* of slot 0 in its private file: bytes */
#define OLD_PRIVATE_GPA	  0x1000ULL    /* 4K, private */
#define OLD_PRIVATE_HPA	  0x40001000ULL
#define OLD_PRIVATE2M_GPA 0x200000ULL
#define OLD_PRIVATE2M_HPA 0x80200000ULL
#define OLD_SHARED_GPA	  0x3000ULL /* with and without the shared bit */
#define OLD_SHARED_HPA	  0x50003000ULL
#define OLD_PLAIN_GPA	  0x5000ULL /* of the VM that is no TD */
#define OLD_PLAIN_HPA	  0x60005000ULL
#define OLD_L2_GPA	  0x7000ULL /* of its guest's guest, which has OLD_PLAIN_GPA there */

/* A struct kvm. One at a time: the next call reuses the memory. */
const void *old_vm_td(void);
const void *old_vm_nested(void);

/* HPA of page table memory at @va; ~0: not such memory. */
uint64_t old_vm_hpa(const void *va);

/* The same TD as the kernel of a year later had it (-DKVM_LATER). */
const void *later_vm_td(void);
uint64_t later_vm_hpa(const void *va);

#endif
