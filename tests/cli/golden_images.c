// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the images that the golden tests look at into a directory: a guest
 * under EPT, one under shadow paging and a TD-like one, with something of every kind.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kvm.h>

#include "golden_l2.h"
#include "tests/old/images.h"
#include "tests/unit/mkimage.h"

#define RAM_HVA	  0x7f0000000000ULL
#define LOW_HPA	  0x40000000ULL
#define HUGE_HPA  0x80000000ULL
#define GIANT_HPA 0x140000000ULL

/* x86 page table entry of the host. */
#define PTE_PAGE 0x8000000000000067ULL /* present write user accessed dirty nx */

/* uapi of kernels newer than this machine's headers */
#define MEM_GUEST_MEMFD	  (1U << 2)
#define SHARED_BIT	  (1ULL << 39) /* of a confidential guest */
#define ATTRIBUTE_PRIVATE (1ULL << 3)

static void write_image(struct mkimage *mk, const char *dir, const char *name)
{
	char path[4096];
	uint8_t *image;
	size_t len;
	FILE *f;

	image = mkimage_finish(mk, &len);
	snprintf(path, sizeof(path), "%s/%s.spt", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(image, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
	mkimage_free(mk);
}

/* What every VM has. Times and ids are fixed: the output is compared. */
static void describe_vm(struct mkimage *mk, const char *release)
{
	struct spt_head *head = mkimage_head(mk);

	snprintf(head->release, sizeof(head->release), "%s", release);
	snprintf(head->agent, sizeof(head->agent), "0.1.0");
	for (int i = 0; i < 20; i++)
		head->kvm_build_id[i] = (uint8_t)(i * 13 + 1);
	head->time_ns = 1763812800000000000ULL;
	mkimage_end(mk)->time_ns = head->time_ns + 250000;
	mkimage_vm(mk, SPT_VM_ONLINE_VCPUS, 2);
	mkimage_vm(mk, SPT_VM_CREATED_VCPUS, 2);
	mkimage_vm(mk, SPT_VM_USERS_COUNT, 3);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 0);
	mkimage_vm(mk, SPT_VM_GENERATION_0, 10);
	mkimage_vm(mk, SPT_VM_GENERATION_1, 10);
	mkimage_vm(mk, SPT_VM_N_MAX_MMU_PAGES, 8192);
	mkimage_vm(mk, SPT_VM_N_USED_MMU_PAGES, 0);
}

static unsigned int describe_vcpu(struct mkimage *mk, uint64_t id, uint64_t root, uint64_t hw_root,
				  enum spt_hw_root_source source)
{
	unsigned int vcpu = mkimage_vcpu(mk);

	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ID, id);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_IDX, id);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_PID, 1240 + id);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CPU, id);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_MODE, 0);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ROOT_HPA, root);
	if (root != SPT_NO_HPA) {
		mkimage_vcpu_value(mk, vcpu, SPT_VCPU_HW_ROOT, hw_root);
		mkimage_vcpu_value(mk, vcpu, SPT_VCPU_HW_ROOT_SOURCE, source);
	}
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR0, 0x80050033);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR3, 0x101000);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR4, 0x6f0);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_EFER, 0xd01);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR3_FRESH, 1);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_REGS_FRESH, 1);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_RIP, 0xffffffff81000000ULL + id);
	return vcpu;
}

/* The host maps the page at @hpa for @gpa, which @hva backs. */
static void host_page(struct mkimage *mk, uint64_t gpa, uint64_t hva, int level, uint64_t hpa)
{
	uint64_t huge = level > 1 ? 0x80 : 0;

	mkimage_host(mk, gpa, hva, level, hpa | PTE_PAGE | huge, 0);
}

static void add_slots(struct mkimage *mk)
{
	mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, RAM_HVA);
	mkimage_slot(mk, 1, 0, 4 * MK_MB, 4 * MK_MB, RAM_HVA + 4 * MK_MB)->flags = KVM_MEM_READONLY;
	mkimage_slot(mk, 2, 0, MK_GB, MK_GB, RAM_HVA + MK_GB);
	/* The same pages twice, and not aligned for huge pages. */
	mkimage_slot(mk, 3, 0, 16 * MK_MB, MK_MB, RAM_HVA + 4 * MK_KB)->flags = 0;
	mkimage_slot(mk, 4, 0, 32 * MK_MB, MK_MB, RAM_HVA + 32 * MK_MB)->flags =
		KVM_MEM_LOG_DIRTY_PAGES;
	mkimage_slot(mk, 0, 1, 0, 4 * MK_MB, RAM_HVA);
}

/* EPT, TDP MMU: 4K, 2M, 1G and MMIO leaves, two roots, one vCPU that never ran. */
static void write_ept(const char *dir, const char *name, bool torn)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	unsigned int smm = mkimage_tdp_root(mk, 4);
	struct spt_page *page = mkimage_page(mk, smm);
	uint64_t hpa = mkimage_table_hpa(mk, root);

	describe_vm(mk, "6.12.95-amd64");
	mkimage_vm(mk, SPT_VM_TDP_MMU_PAGES, 7);
	mkimage_vm(mk, SPT_VM_PAGES_4K, 5);
	mkimage_vm(mk, SPT_VM_PAGES_2M, 1);
	mkimage_vm(mk, SPT_VM_PAGES_1G, 1);
	/* Past INT_MAX: `vm` has something to say about that. */
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 0x80854227);
	mkimage_end(mk)->seq_end = 0x80854227;
	add_slots(mk);
	page->role = mkimage_role(mk, page->role, SPT_ROLE_SMM, 1);

	for (uint64_t gpa = 0x1000; gpa < 0x5000; gpa += 0x1000)
		mkimage_map(mk, root, gpa, 1,
			    mkimage_leaf(mk, LOW_HPA + gpa, 1, gpa < 0x4000 ? "rwx" : "r-x"));
	mkimage_map(mk, root, 2 * MK_MB, 2, mkimage_leaf(mk, HUGE_HPA, 2, "rwx"));
	mkimage_map(mk, root, MK_GB, 3, mkimage_leaf(mk, GIANT_HPA, 3, "rwx"));
	mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 10));
	mkimage_map(mk, smm, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));

	describe_vcpu(mk, 0, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	describe_vcpu(mk, 1, SPT_NO_HPA, 0, SPT_HW_ROOT_COMPUTED);

	host_page(mk, 0x1000, RAM_HVA + 0x1000, 1, LOW_HPA + 0x1000);
	host_page(mk, 0x2000, RAM_HVA + 0x2000, 1, LOW_HPA + 0x7000);
	mkimage_host(mk, 0x8000, RAM_HVA + 0x8000, 1, 0, 0);
	host_page(mk, 2 * MK_MB, RAM_HVA + 2 * MK_MB, 2, HUGE_HPA);
	if (torn) {
		mkimage_note(mk, SPT_NOTE_ROOT_CHANGED, 0xffff888100000000ULL, 0);
		mkimage_end(mk)->flags |= SPT_END_TORN;
	}
	write_image(mk, dir, name);
}

/* Read while it changed: a table that an entry leads to is not in it. */
static void write_partial(const char *dir)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	uint64_t hpa = mkimage_table_hpa(mk, root);

	describe_vm(mk, "6.12.95-amd64");
	add_slots(mk);
	mkimage_map(mk, root, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	mkimage_set(mk, root, 1, mkimage_nonleaf(mk, 0x17000000));
	describe_vcpu(mk, 0, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	mkimage_note(mk, SPT_NOTE_PATH_CHANGED, 0xffff888100000000ULL, 0);
	mkimage_end(mk)->flags |= SPT_END_TORN;
	write_image(mk, dir, "partial");
}

/* The guest of write_ept() some time later, every kind of change in it. */
static void write_later(const char *dir)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	uint64_t hpa;

	describe_vm(mk, "6.12.95-amd64");
	mkimage_page(mk, root)->hpa += 0x100000;
	hpa = mkimage_table_hpa(mk, root);
	mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, RAM_HVA);
	mkimage_slot(mk, 1, 0, 4 * MK_MB, 4 * MK_MB, RAM_HVA + 4 * MK_MB)->flags = KVM_MEM_READONLY;
	mkimage_slot(mk, 2, 0, MK_GB, MK_GB, RAM_HVA + MK_GB);
	mkimage_slot(mk, 4, 0, 32 * MK_MB, MK_MB, RAM_HVA + 32 * MK_MB);
	mkimage_slot(mk, 5, 0, 48 * MK_MB, MK_MB, RAM_HVA + 48 * MK_MB);
	mkimage_slot(mk, 0, 1, 0, 4 * MK_MB, RAM_HVA);
	mkimage_map(mk, root, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x9000, 1, "rwx"));
	mkimage_map(mk, root, 0x2000, 1, mkimage_leaf(mk, LOW_HPA + 0x2000, 1, "r-x"));
	mkimage_map(mk, root, 0x4000, 1, mkimage_mmio(mk, 0x4000, 10));
	mkimage_map(mk, root, 0x9000, 1, mkimage_leaf(mk, LOW_HPA, 1, "rwx"));
	mkimage_map(mk, root, 0xa000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	for (uint64_t at = 0; at < 0x3000; at += 0x1000)
		mkimage_map(mk, root, 2 * MK_MB + at, 1, mkimage_leaf(mk, HUGE_HPA + at, 1, "rwx"));
	mkimage_map(mk, root, MK_GB, 3, mkimage_leaf(mk, GIANT_HPA, 3, "rwx"));
	mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 12));
	describe_vcpu(mk, 0, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	write_image(mk, dir, "later");
}

/* Shadow paging: the guest's own page tables, shadowed. */
static void write_shadow(const char *dir)
{
	struct mkimage *mk = mkimage_new("shadow-6.1");
	unsigned int root = mkimage_shadow_root(mk, 4, 0x101);
	unsigned int l3 = mkimage_table(mk, 3, 0x102, false);
	unsigned int l2 = mkimage_table(mk, 2, 0x103, false);
	unsigned int l1 = mkimage_table(mk, 1, 0x104, false);
	uint64_t hpa = mkimage_table_hpa(mk, root);

	describe_vm(mk, "6.1.0-amd64");
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 77);
	mkimage_end(mk)->seq_end = 77;
	mkimage_vm(mk, SPT_VM_INDIRECT_SHADOW_PAGES, 4);
	add_slots(mk);
	mkimage_link(mk, root, 0, l3);
	mkimage_link(mk, l3, 0, l2);
	mkimage_link(mk, l2, 2, l1);
	mkimage_set(mk, l1, 5, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rw-"));
	mkimage_translate(mk, l1, 5, 0x1000, 3);
	mkimage_set(mk, l1, 6, mkimage_mmio(mk, 0xfee00000, 10));
	mkimage_page(mk, l1)->flags |= SPT_PAGE_UNSYNC;
	describe_vcpu(mk, 0, hpa, hpa, SPT_HW_ROOT_VMCB);
	host_page(mk, 0x1000, RAM_HVA + 0x1000, 1, LOW_HPA + 0x1000);
	write_image(mk, dir, "shadow");
}

/* What only a host with TDX has: pages of the TDX module, behind the mirror's tables, too. */
static void add_tdx(struct mkimage *mk, unsigned int mirror)
{
	mkimage_vm(mk, SPT_VM_EXTERNAL_READABLE, 0);
	mkimage_vm(mk, SPT_VM_TDX_STATE, 2);
	mkimage_vm(mk, SPT_VM_TDX_HKID, 37);
	mkimage_vm(mk, SPT_VM_TDX_ATTRIBUTES, 0x10000000);
	mkimage_vm(mk, SPT_VM_TDX_XFAM, 0x602e7);
	mkimage_vm(mk, SPT_VM_TDX_TDR, LOW_HPA + 0x100000);
	mkimage_vm(mk, SPT_VM_TDX_TDCS_PAGES, 2);
	mkimage_tdx_pages(mk, SPT_TDX_TDCS, 0, 2, LOW_HPA + 0x101000);
	mkimage_tdx_pages(mk, SPT_TDX_TDCX, 0, 2, LOW_HPA + 0x104000);
	mkimage_vcpu_value(mk, 0, SPT_VCPU_TDX_STATE, 1);
	mkimage_vcpu_value(mk, 0, SPT_VCPU_TDX_TDVPR, LOW_HPA + 0x103000);
	/* The tables that mkimage_map() made for the private half come right after the root. */
	for (unsigned int i = 1; i <= 3; i++) {
		struct spt_page *page = mkimage_page(mk, mirror + i);

		page->known |= SPT_PAGE_HAS_EXTERNAL;
		page->external = LOW_HPA + 0x200000 + i * 0x1000;
	}
}

/*
 * A confidential guest: a mirror root for the private half, a direct one for the shared. With
 * @tdx as on a host with TDX, where nobody but the TDX module reads its tables.
 */
static void write_mirror(const char *dir, const char *name, bool tdx)
{
	struct mkimage *mk = mkimage_new(tdx ? "ept-7.3" : "npt-7.3");
	unsigned int shared = mkimage_tdp_root(mk, 4);
	unsigned int mirror = mkimage_mirror_root(mk, 4);
	struct spt_slot *slot;
	uint64_t hpa = mkimage_table_hpa(mk, shared);

	describe_vm(mk, "7.3.4-amd64");
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 5);
	mkimage_end(mk)->seq_end = 5;
	mkimage_vm(mk, SPT_VM_VM_TYPE, 5);
	mkimage_vm(mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(mk, SPT_VM_GFN_DIRECT_BITS, SHARED_BIT >> 12);
	slot = mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, RAM_HVA);
	slot->flags = MEM_GUEST_MEMFD;
	slot->known = SPT_SLOT_KNOWN_GMEM | SPT_SLOT_KNOWN_GMEM_PAGES;
	slot->gmem_file = 4711;
	slot->gmem_pgoff = 16;
	mkimage_run(mk, SPT_RUN_ATTRS, 0, 512, ATTRIBUTE_PRIVATE);
	mkimage_gmem_run(mk, 0, 4, LOW_HPA);
	mkimage_host_run(mk, 0x200, 2, LOW_HPA + 0x5000, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_map(mk, mirror, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	mkimage_map(mk, mirror, 0x2000, 1, mkimage_leaf(mk, LOW_HPA + 0x2000, 1, "rwx"));
	mkimage_map(mk, shared, SHARED_BIT + 0x200000, 1,
		    mkimage_leaf(mk, LOW_HPA + 0x5000, 1, "rwx"));
	if (!tdx)
		mkimage_externals(mk, mirror);
	mkimage_seat(mk);
	describe_vcpu(mk, 0, hpa, hpa, tdx ? SPT_HW_ROOT_VMCS : SPT_HW_ROOT_VMCB);
	mkimage_vcpu_value(mk, 0, SPT_VCPU_MIRROR_ROOT_HPA, mkimage_table_hpa(mk, mirror));
	if (tdx)
		add_tdx(mk, mirror);
	write_image(mk, dir, name);
}

/* Page tables of the guest itself, of every kind of entry; vCPUs with doubtful registers. */
static void add_guest_tables(struct mkimage *mk)
{
	enum {
		T = 0x27,
		KERNEL = 0x63,
		USER = 0x67,
		LARGE = 0x80
	}; /* P, W, U, A, D as they come */
	static const uint64_t nx = 1ULL << 63;
	uint64_t l4[512] = { 0 }, l3[512] = { 0 }, l2[512] = { 0 }, l1[512] = { 0 };

	l4[0] = l4[511] = 0x102000 | T;
	l4[2] = 0xf0000000 | T; /* outside of all slots */
	l4[3] = 0x105000 | T;	/* not saved */
	l3[0] = 0x103000 | T;
	l3[1] = MK_GB | KERNEL | LARGE;
	l2[0] = 0x104000 | T;
	l2[1] = 2 * MK_MB | USER | LARGE | nx;
	l1[1] = 0x1000 | KERNEL;
	l1[2] = 0x2000 | 0x25;
	l1[8] = 0x8000 | KERNEL;
	l1[9] = 0xfee00000 | KERNEL | nx;
	l1[10] = 1ULL << 50 | KERNEL; /* no such address */
	mkimage_guest_table(mk, 0x101000, l4);
	mkimage_guest_table(mk, 0x102000, l3);
	mkimage_guest_table(mk, 0x103000, l2);
	mkimage_guest_table(mk, 0x104000, l1);
}

/*
 * The vCPU runs a guest of its own on EPT: five pages from 1M + 64K on are L2's first,
 * four of them its page tables; of the page after them there is none.
 */
static void add_inner_guest(struct mkimage *mk, unsigned int vcpu)
{
	enum { TABLE = 0x27, PAGE = 0x67, RWX = 7 };
	static const uint64_t top = 0x108000, l2 = 0x110000;
	uint64_t table[512] = { 0 };

	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_IN_GUEST_MMU, 1);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CPU_ROLE, mkimage_role(mk, 0, SPT_ROLE_LEVEL, 4));
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ROOT_PGD, top | 0x1e);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR3, 0);
	for (uint64_t i = 0; i < 3; i++) {
		table[0] = (top + (i + 1) * 0x1000) | RWX;
		mkimage_guest_table(mk, top + i * 0x1000, table);
		table[0] = (i + 1) * 0x1000 | TABLE;
		mkimage_guest_table(mk, l2 + i * 0x1000, table);
	}
	for (uint64_t i = 0; i < 4; i++)
		table[i] = (l2 + i * 0x1000) | RWX;
	table[4] = 0x1000 | 0x30 | RWX;
	mkimage_guest_table(mk, top + 0x3000, table);
	memset(table, 0, sizeof(table));
	table[1] = 0x4000 | PAGE;
	table[2] = 0x5000 | PAGE;
	mkimage_guest_table(mk, l2 + 0x3000, table);
}

static void write_guest(const char *dir)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	unsigned int smm = mkimage_tdp_root(mk, 4);
	struct spt_page *page = mkimage_page(mk, smm);
	uint64_t hpa = mkimage_table_hpa(mk, root);
	unsigned int vcpu;

	describe_vm(mk, "6.12.95-amd64");
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 9);
	mkimage_end(mk)->seq_end = 9;
	add_slots(mk);
	page->role = mkimage_role(mk, page->role, SPT_ROLE_SMM, 1);
	for (uint64_t gpa = 0x101000; gpa < 0x104000; gpa += 0x1000)
		mkimage_map(mk, root, gpa, 1, mkimage_leaf(mk, LOW_HPA + gpa, 1, "rwx"));
	mkimage_map(mk, root, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	mkimage_map(mk, root, 16 * MK_MB, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "r-x"));
	mkimage_map(mk, smm, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	mkimage_map(mk, root, 2 * MK_MB, 2, mkimage_leaf(mk, HUGE_HPA, 2, "rwx"));
	mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 10));
	host_page(mk, 0x1000, RAM_HVA + 0x1000, 1, LOW_HPA + 0x1000);
	host_page(mk, 0x101000, RAM_HVA + 0x101000, 1, LOW_HPA + 0x101000);
	host_page(mk, 2 * MK_MB, RAM_HVA + 2 * MK_MB, 2, HUGE_HPA);
	add_guest_tables(mk);
	describe_vcpu(mk, 0, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	vcpu = describe_vcpu(mk, 1, hpa, hpa | 0x5e, SPT_HW_ROOT_COMPUTED);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR3_FRESH, 0);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_CR4, 0x7006f0); /* SMEP, SMAP, PKE */
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_PKRU, 0x55555554);
	vcpu = describe_vcpu(mk, 2, hpa, hpa | 0x5e, SPT_HW_ROOT_COMPUTED);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_IN_GUEST_MMU, 1);
	add_inner_guest(mk, describe_vcpu(mk, 5, hpa, hpa | 0x5e, SPT_HW_ROOT_COMPUTED));
	write_image(mk, dir, "guest");
}

/* Registers of a vCPU of a 64-bit guest, or of one in 16-bit code; all of them but MSRs. */
static void add_registers(struct mkimage *mk, unsigned int vcpu, enum spt_regs_source source,
			  bool real_mode)
{
	union {
		struct spt_values values;
		uint64_t room[3 + SPT_REGISTER_COUNT];
	} rec = { .values.rec = { SPT_REC_REGS, sizeof(rec) } };
	__u64 *value = rec.values.value;

	for (unsigned int i = 0; i < SPT_REGISTER_STAR; i++) {
		rec.values.known[i / 64] |= 1ULL << (i % 64);
		if (i >= SPT_REGISTER_RAX && i <= SPT_REGISTER_R15)
			value[i] = 0x1111111111111111ULL * (i - SPT_REGISTER_RAX);
	}
	value[SPT_REGISTER_VCPU_ID] = vcpu;
	value[SPT_REGISTER_SOURCE] = source;
	value[SPT_REGISTER_AGE_NS] = 2500000;
	value[SPT_REGISTER_EXITS] = 4711;
	value[SPT_REGISTER_RIP] = real_mode ? 0x10 : 0x1ff8;
	value[SPT_REGISTER_RFLAGS] = 0x246;
	value[SPT_REGISTER_CR0] = real_mode ? 0x10 : 0x80050033;
	value[SPT_REGISTER_CR3] = real_mode ? 0 : 0x101000;
	value[SPT_REGISTER_CR4] = real_mode ? 0 : 0x6f0;
	value[SPT_REGISTER_EFER] = real_mode ? 0 : 0xd01;
	value[SPT_REGISTER_CS_SELECTOR] = real_mode ? 0x100 : 0x10;
	value[SPT_REGISTER_CS_BASE] = real_mode ? 0x1000 : 0;
	value[SPT_REGISTER_CS_LIMIT] = real_mode ? 0xffff : 0xffffffff;
	value[SPT_REGISTER_CS_ATTRIBUTES] = real_mode ? 0x9b : 0xa09b;
	mkimage_record(mk, &rec);
}

/* Two faults of one instruction, what they changed, and one that changes nothing 70 times. */
static void add_events(struct mkimage *mk, uint64_t root, bool traced)
{
	static const uint8_t store[] = { 0x48, 0x89, 0x37 }; /* mov [rdi], rsi */
	enum { SPINS = 70, COUNT = 6 + SPINS };
	union {
		struct spt_events events;
		char room[sizeof(struct spt_events) + COUNT * sizeof(struct spt_event)];
	} rec = { .events = { .rec = { SPT_REC_EVENTS, sizeof(rec) },
			      .count = COUNT,
			      .size = sizeof(struct spt_event) } };
	const struct spt_trace trace = {
		.rec = { SPT_REC_TRACE, sizeof(trace) },
		.begin_ns = 1000000000,
		.end_ns = 3500000000,
		.begin_real_ns = 1763812800000000000ULL,
		.events = COUNT,
		.overrun = 12,
		.dropped = 3,
		.absent = 1U << SPT_EVENT_SPLIT,
		.vms = 1,
	};
	const struct spt_event fault = {
		.known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_ERROR |
			 SPT_EVENT_HAS_RIP | SPT_EVENT_HAS_SLOT,
		.kind = SPT_EVENT_FAULT,
		.address = 0x1010,
		.error_code = 0x2, /* exit qualification: a write */
		.rip = 0x1ff8,
		.code_bits = 64,
		.code_len = sizeof(store),
		.pid = 1240,
		.comm = "CPU 0/KVM",
	};
	struct spt_event *e = rec.events.event;

	e[0] = fault;
	e[1] = (struct spt_event){
		.known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_OLD |
			 SPT_EVENT_HAS_NEW | SPT_EVENT_HAS_LEVEL | SPT_EVENT_HAS_ROOT |
			 SPT_EVENT_HAS_SLOT | SPT_EVENT_HAS_RIP | SPT_EVENT_HAS_AS,
		.kind = SPT_EVENT_SPTE,
		.flags = SPT_EVENT_OF_FAULT,
		.address = 0x1000,
		.level = 1,
		.old_spte = mkimage_format(mk)->empty,
		.new_spte = mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"),
		.root_hpa = root,
		.rip = fault.rip,
		.pid = 1240,
		.comm = "CPU 0/KVM",
	};
	e[2] = (struct spt_event){ .known = SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_SLOT,
				   .kind = SPT_EVENT_UNMAP,
				   .space = SPT_EVENT_HVA,
				   .flags = SPT_EVENT_FOREIGN,
				   .address = RAM_HVA + 0x1000,
				   .len = 0x2000,
				   .pid = 45,
				   .comm = "khugepaged" };
	e[3] = e[1];
	e[3].known &= ~(SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_RIP);
	e[3].flags = SPT_EVENT_FOREIGN;
	e[3].pid = 45;
	e[3].old_spte = e[1].new_spte;
	e[3].new_spte = e[1].old_spte;
	snprintf(e[3].comm, sizeof(e[3].comm), "khugepaged");
	e[4] = fault;
	e[4].address = 0xfee00020;
	e[4].slot = -1;
	e[5] = (struct spt_event){ .known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS |
					    SPT_EVENT_HAS_RESULT | SPT_EVENT_HAS_SLOT,
				   .kind = SPT_EVENT_MMIO,
				   .flags = SPT_EVENT_WRITE,
				   .address = 0xfee00020,
				   .slot = -1,
				   .result = 4,
				   .pid = 1240,
				   .comm = "CPU 0/KVM" };
	for (unsigned int i = 0; i < SPINS; i++) {
		e[6 + i] = fault;
		e[6 + i].address = 0x8000;
		e[6 + i].vcpu = 1;
		e[6 + i].pid = 1241;
		e[6 + i].cpu = 1;
	}
	for (unsigned int i = 0; i < COUNT; i++) {
		e[i].time_ns = trace.begin_ns + 1000000 * i;
		if (e[i].known & SPT_EVENT_HAS_RIP && e[i].kind == SPT_EVENT_FAULT)
			memcpy(e[i].code, store, sizeof(store));
	}
	if (traced)
		mkimage_record(mk, &trace);
	mkimage_record(mk, &rec);
}

/* What `save --with code` and `events --record` make; @traced: with the events' totals. */
static void write_recorded(const char *dir, const char *name, bool traced)
{
	struct mkimage *mk = mkimage_new("ept-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);
	uint64_t hpa = mkimage_table_hpa(mk, root);
	uint8_t page[4096] = { 0 };

	describe_vm(mk, "6.12.95-amd64");
	add_slots(mk);
	mkimage_map(mk, root, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	add_guest_tables(mk);
	/* mov ax, 0x4321; hlt; then up to the end of the page and over it */
	memcpy(page + 0x10, "\xb8\x21\x43\xf4", 4);
	memcpy(page + 0x20, "Hello, guest", 12);
	memcpy(page + 0xff8, "\x48\x89\x37\x48\x01\xd7\xeb\xf8", 8);
	mkimage_guest_table(mk, 0x1000, page);
	memset(page, 0, sizeof(page));
	memcpy(page, "\x0f\xff\xf4", 3);
	mkimage_guest_table(mk, 0x2000, page);
	describe_vcpu(mk, 0, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	describe_vcpu(mk, 1, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	add_registers(mk, 0, SPT_REGS_LAST_EXIT, false);
	add_registers(mk, 1, SPT_REGS_OUTSIDE, true);
	add_events(mk, hpa, traced);
	write_image(mk, dir, name);
}

/* What a VM shows whose vCPU runs a guest of its own. */
static void write_l2(const char *dir)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int direct = mkimage_tdp_root(mk, 4), nested = mkimage_shadow_root(mk, 4, 0x10);
	unsigned int vcpu;

	describe_vm(mk, "6.12.95-amd64");
	add_slots(mk);
	mkimage_page(mk, nested)->role =
		mkimage_role(mk, mkimage_page(mk, nested)->role, SPT_ROLE_GUEST_MODE, 1);
	for (uint64_t id = 0; id < 2; id++) {
		vcpu = describe_vcpu(mk, id, mkimage_table_hpa(mk, nested),
				     mkimage_table_hpa(mk, nested), SPT_HW_ROOT_VMCB);
		mkimage_vcpu_value(mk, vcpu, SPT_VCPU_IN_GUEST_MMU, 1);
	}
	golden_l2(mk, mkimage_table_hpa(mk, direct), mkimage_table_hpa(mk, nested));
	write_image(mk, dir, "l2");
}

/* Under nested root @root: @l2_gpa, that is @gpa, which the host has at @hpa. Its last table. */
static unsigned int map_nested(struct mkimage *mk, unsigned int root, uint64_t l2_gpa, uint64_t gpa,
			       uint64_t hpa)
{
	unsigned int parent = root;

	for (int level = 3; level > 0; level--) {
		unsigned int table = mkimage_table(mk, level, 0x100 + (unsigned int)level, false);
		struct spt_page *page = mkimage_page(mk, table);

		page->role = mkimage_role(mk, page->role, SPT_ROLE_GUEST_MODE, 1);
		mkimage_link(mk, parent, l2_gpa >> (12 + 9 * level) & 511, table);
		parent = table;
	}
	mkimage_set(mk, parent, l2_gpa >> 12 & 511, mkimage_leaf(mk, hpa, 1, "rwx"));
	mkimage_translate(mk, parent, l2_gpa >> 12 & 511, gpa, 7);
	return parent;
}

/*
 * The tables of two guests of the guest beside its own; later the first one is no root any more,
 * and the second one has another page. The host has its first page elsewhere than its entry says.
 */
static void write_nested(const char *dir, const char *name, bool later)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int direct = mkimage_tdp_root(mk, 4);
	unsigned int nested[] = { mkimage_shadow_root(mk, 4, 0x10),
				  mkimage_shadow_root(mk, 4, 0x20) };
	uint64_t hpa = mkimage_table_hpa(mk, direct);
	unsigned int last;

	describe_vm(mk, "6.12.95-amd64");
	mkimage_vm(mk, SPT_VM_N_USED_MMU_PAGES, 8);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, later ? 8 : 7);
	mkimage_end(mk)->seq_end = later ? 8 : 7;
	add_slots(mk);
	for (int i = 0; i < 2; i++) {
		struct spt_page *page = mkimage_page(mk, nested[i]);

		page->role = mkimage_role(mk, page->role, SPT_ROLE_GUEST_MODE, 1);
	}
	mkimage_map(mk, direct, 0x1000, 1, mkimage_leaf(mk, LOW_HPA + 0x1000, 1, "rwx"));
	mkimage_map(mk, direct, 2 * MK_MB, 2, mkimage_leaf(mk, HUGE_HPA, 2, "rwx"));
	map_nested(mk, nested[0], 0x205000, 0x1000, LOW_HPA + 0x1000);
	last = map_nested(mk, nested[1], 0x5000, 0x3000, LOW_HPA + 0x3000);
	host_page(mk, 0x1000, RAM_HVA + 0x1000, 1, LOW_HPA + 0x1000);
	host_page(mk, 0x3000, RAM_HVA + 0x3000, 1, LOW_HPA + 0x8000);
	if (later) {
		mkimage_page(mk, nested[0])->root_count = 0;
		mkimage_set(mk, last, 7, mkimage_leaf(mk, LOW_HPA + 0x4000, 1, "rwx"));
		mkimage_translate(mk, last, 7, 0x4000, 7);
	}
	describe_vcpu(mk, 0, hpa, hpa, SPT_HW_ROOT_VMCB);
	mkimage_seat(mk);
	write_image(mk, dir, name);
}

/* A VM that keeps every rule of the audit, or breaks one of each kind. */
static void write_audited(const char *dir, const char *name, bool broken)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4), table = 0;
	unsigned int vcpu;

	describe_vm(mk, "6.12.0-test");
	for (unsigned int i = 0; i < 4; i++)
		table = mkimage_map(mk, root, i * 0x1000, 1,
				    mkimage_leaf(mk, LOW_HPA + i * 0x1000, 1, "rwx"));
	mkimage_map(mk, root, 4 * MK_MB, 2, mkimage_leaf(mk, HUGE_HPA, 2, "rwx"));
	mkimage_map(mk, root, 0xfee00000, 1, mkimage_mmio(mk, 0xfee00000, 10));
	mkimage_slot(mk, 0, 0, 0, 8 * MK_MB, RAM_HVA);
	mkimage_host_run(mk, 0, 512, LOW_HPA, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_host_run(mk, 1024, 512, HUGE_HPA, 2, SPT_HOST_RUN_WRITABLE);
	vcpu = describe_vcpu(mk, 0, mkimage_table_hpa(mk, root), mkimage_table_hpa(mk, root),
			     SPT_HW_ROOT_VMCB);
	mkimage_vcpu_value(mk, vcpu, SPT_VCPU_ROOT_ROLE, mkimage_page(mk, root)->role);
	mkimage_vm(mk, SPT_VM_PAGES_4K, broken ? 5 : 4);
	mkimage_vm(mk, SPT_VM_PAGES_2M, 1);
	mkimage_vm(mk, SPT_VM_TDP_MMU_PAGES, 5);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, broken ? 0x80854227 : 7);
	mkimage_seat(mk);
	if (broken) {
		mkimage_page(mk, table)->gfn = 0x400;
		mkimage_set(mk, table, 1, mkimage_leaf(mk, LOW_HPA + 0x9000, 1, "rwx"));
		mkimage_set(mk, table, 2,
			    mkimage_leaf(mk, LOW_HPA + 0x2000, 1, "rwx") &
				    ~mkimage_format(mk)->mmu_writable);
	}
	mkimage_vm_end(mk);
	write_image(mk, dir, name);
}

/* Memory on several NUMA nodes: pages in turn, a 2M page on another one, one of no known node. */
static void write_numa(const char *dir)
{
	struct mkimage *mk = mkimage_new("npt-6.12");
	unsigned int root = mkimage_tdp_root(mk, 4);

	describe_vm(mk, "6.12.0-test");
	for (unsigned int i = 0; i < 16; i++)
		mkimage_map(mk, root, i * 0x1000, 1,
			    mkimage_leaf(mk, LOW_HPA + i * 0x1000, 1, "rwx"));
	mkimage_map(mk, root, 2 * MK_MB, 2, mkimage_leaf(mk, HUGE_HPA, 2, "rwx"));
	mkimage_slot(mk, 0, 0, 0, 8 * MK_MB, RAM_HVA);
	for (unsigned int i = 0; i < 16; i++) {
		/* Nodes 0 to 7, and none; kept as the node's number + 1. */
		uint32_t node = i < 8 ? i : i < 12 ? i % 2 : 0;

		mkimage_host_run(mk, i, 1, LOW_HPA + i * 0x1000, 1,
				 SPT_HOST_RUN_WRITABLE | (i < 15 ? node + 1 : 0)
								 << SPT_HOST_RUN_NODE_SHIFT);
	}
	mkimage_host_run(mk, 512, 512, HUGE_HPA, 2,
			 SPT_HOST_RUN_WRITABLE | 2U << SPT_HOST_RUN_NODE_SHIFT);
	describe_vcpu(mk, 0, mkimage_table_hpa(mk, root), mkimage_table_hpa(mk, root),
		      SPT_HW_ROOT_VMCB);
	mkimage_seat(mk);
	write_image(mk, dir, "numa");
}

/* More vCPUs than a line has room for, and a slot with a flag of a kernel to come. */
static void write_many(const char *dir)
{
	struct mkimage *mk = mkimage_new("ept-7.3");
	uint64_t hpa = mkimage_table_hpa(mk, mkimage_tdp_root(mk, 4));

	describe_vm(mk, "7.3.4-amd64");
	mkimage_slot(mk, 0, 0, 0, 4 * MK_MB, RAM_HVA)->flags = KVM_MEM_LOG_DIRTY_PAGES | 1U << 9;
	mkimage_slot(mk, 1, 0, 4 * MK_MB, MK_MB, RAM_HVA + 4 * MK_MB)->flags = 1U << 20;
	for (unsigned int id = 0; id < 500; id++)
		describe_vcpu(mk, id, hpa, hpa | 0x5e, SPT_HW_ROOT_VMCS);
	write_image(mk, dir, "many");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	write_ept(argv[1], "ept", false);
	write_ept(argv[1], "torn", true);
	write_later(argv[1]);
	write_partial(argv[1]);
	write_shadow(argv[1]);
	write_mirror(argv[1], "mirror", false);
	write_mirror(argv[1], "tdx", true);
	write_guest(argv[1]);
	write_numa(argv[1]);
	write_recorded(argv[1], "recorded", true);
	write_recorded(argv[1], "untraced", false);
	write_l2(argv[1]);
	write_nested(argv[1], "nested", false);
	write_nested(argv[1], "nested-later", true);
	write_audited(argv[1], "sound", false);
	write_audited(argv[1], "broken", true);
	write_many(argv[1]);
	return old_images(argv[1]);
}
