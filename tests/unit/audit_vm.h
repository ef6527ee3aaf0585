/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two VMs in which nothing is wrong, for the audit's tests to break. One has the TDP
 * MMU, or EPT's; the other shadows a guest's tables. Include after cmocka.h.
 */
#ifndef SPT_TESTS_AUDIT_VM_H
#define SPT_TESTS_AUDIT_VM_H

#include "decoders/role.h"
#include "spt/audit.h"
#include "vm.h"

#define GEN	  20ULL
#define LOW_GPA	  0ULL		/* slot 0: 4M, pages of 4K, written by the VMM too */
#define ROM_GPA	  0x800000ULL	/* slot 1: 2M, read-only */
#define LOG_GPA	  0xa00000ULL	/* slot 2: 2M, dirty logged */
#define HUGE_GPA  0x40000000ULL /* slot 3: 8M and a page, pages of 2M */
#define MMIO_GPA  0xfe000000ULL /* no slot */
#define HOLE_GPA  0xfd000000ULL /* no slot, and nothing mapped */
#define LOW_HVA	  0x7f0000000000ULL
#define HUGE_HVA  0x7f0040000000ULL
#define HUGE_SIZE (4 * 2 * MK_MB + 0x1000)
#define LOW_HPA	  0x100000000ULL
#define ROM_HPA	  0x110000000ULL
#define LOG_HPA	  0x120000000ULL
#define HUGE_HPA  0x140000000ULL

/* Tables of the VM with the TDP MMU. */
struct tdp_vm {
	struct vm vm;
	unsigned int low, rom, log, mmio; /* of level 1 */
	unsigned int huge;		  /* of level 2 */
	uint64_t lpage_2m;		  /* disallow_lpage of the second huge page */
	uint64_t attrs;			  /* of the first page of the third */
	uint64_t huge_hva, huge_size;	  /* of slot 3 */
	uint64_t track;			  /* gfn of slot 0 that is write-tracked */
	uint64_t host_hpa;		  /* of slot 0 */
	uint32_t host_flags;
	uint64_t dirty[8];   /* of slot 2 */
	bool private_memory; /* the VM can have attributes */
};

static inline void set_vm_values(struct mkimage *mk, uint64_t p4k, uint64_t p2m, uint64_t shadow,
				 uint64_t indirect, uint64_t tdp)
{
	mkimage_vm(mk, SPT_VM_GENERATION_0, GEN);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_SEQ, 5);
	mkimage_vm(mk, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, 0);
	mkimage_vm(mk, SPT_VM_MMU_VALID_GEN, 0);
	mkimage_vm(mk, SPT_VM_PAGES_4K, p4k);
	mkimage_vm(mk, SPT_VM_PAGES_2M, p2m);
	mkimage_vm(mk, SPT_VM_PAGES_1G, 0);
	mkimage_vm(mk, SPT_VM_N_USED_MMU_PAGES, shadow);
	mkimage_vm(mk, SPT_VM_INDIRECT_SHADOW_PAGES, indirect);
	mkimage_vm(mk, SPT_VM_TDP_MMU_PAGES, tdp);
	mkimage_vm(mk, SPT_VM_NX_LPAGE_SPLITS, 0);
	mkimage_vm(mk, SPT_VM_CPU_DIRTY_LOG_SIZE, 0);
}

static inline struct tdp_vm tdp_vm_new(const char *format)
{
	struct tdp_vm t = { .vm = vm_new(format) };
	struct mkimage *mk = t.vm.mk;

	t.huge_hva = HUGE_HVA;
	t.huge_size = HUGE_SIZE;
	t.host_hpa = LOW_HPA;
	t.host_flags = SPT_HOST_RUN_WRITABLE;
	t.track = 0x200;
	t.dirty[0] = 3;
	for (int i = 0; i < 8; i++)
		t.low = mkimage_map(mk, t.vm.root, LOW_GPA + i * 0x1000, 1,
				    mkimage_leaf(mk, LOW_HPA + i * 0x1000, 1, "rwx"));
	/* The frame that is write-tracked is mapped without W. */
	mkimage_map(mk, t.vm.root, 0x200000, 1, mkimage_leaf(mk, LOW_HPA + 0x200000, 1, "rx"));
	t.rom = mkimage_map(mk, t.vm.root, ROM_GPA, 1, mkimage_leaf(mk, ROM_HPA, 1, "rx"));
	t.log = mkimage_map(mk, t.vm.root, LOG_GPA, 1, mkimage_leaf(mk, LOG_HPA, 1, "rwx"));
	mkimage_map(mk, t.vm.root, LOG_GPA + 0x1000, 1,
		    mkimage_leaf(mk, LOG_HPA + 0x1000, 1, "rwx"));
	mkimage_map(mk, t.vm.root, LOG_GPA + 0x2000, 1,
		    mkimage_leaf(mk, LOG_HPA + 0x2000, 1, "rx"));
	for (int i = 0; i < 3; i++)
		t.huge = mkimage_map(mk, t.vm.root, HUGE_GPA + i * 2 * MK_MB, 2,
				     mkimage_leaf(mk, HUGE_HPA + i * 2 * MK_MB, 2, "rwx"));
	t.mmio = mkimage_map(mk, t.vm.root, MMIO_GPA, 1, mkimage_mmio(mk, MMIO_GPA, GEN));
	/* An old one where there is a slot now means nothing. */
	mkimage_map(mk, t.vm.root, LOW_GPA + 0x100000, 1,
		    mkimage_mmio(mk, LOW_GPA + 0x100000, GEN - 2));
	set_vm_values(mk, 13, 3, 0, 0, 9);
	mkimage_seat(mk);
	mkimage_vcpu(mk);
	mkimage_vcpu_value(mk, 0, SPT_VCPU_ROOT_HPA, mkimage_table_hpa(mk, t.vm.root));
	mkimage_vcpu_value(mk, 0, SPT_VCPU_ROOT_ROLE, mkimage_page(mk, t.vm.root)->role);
	for (unsigned int i = t.vm.root; i <= t.mmio; i++)
		mkimage_page(mk, i)->known = SPT_PAGE_TDP_MMU | SPT_PAGE_NX_LINKED |
					     SPT_PAGE_NX_DISALLOWED | SPT_PAGE_BACKLINK_BAD;
	return t;
}

/* The slots as the VM's members say, then everything into the model. */
static inline void tdp_vm_load(struct tdp_vm *t)
{
	struct mkimage *mk = t->vm.mk;
	struct spt_slot *slot;

	if (t->private_memory)
		mkimage_vm(mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_slot(mk, 0, 0, LOW_GPA, 4 * MK_MB, LOW_HVA);
	mkimage_run(mk, SPT_RUN_WRITE_TRACK, t->track, 1, 1);
	mkimage_host_run(mk, LOW_GPA >> 12, 1024, t->host_hpa, 1, t->host_flags);
	slot = mkimage_slot(mk, 1, 0, ROM_GPA, 2 * MK_MB, LOW_HVA + ROM_GPA);
	slot->flags = 1 << 1;
	mkimage_host_run(mk, ROM_GPA >> 12, 512, ROM_HPA, 1, SPT_HOST_RUN_WRITABLE);
	slot = mkimage_slot(mk, 2, 0, LOG_GPA, 2 * MK_MB, LOW_HVA + LOG_GPA);
	slot->flags = 1 << 0;
	slot->dirty_bitmap = 1;
	mkimage_dirty(mk, LOG_GPA >> 12, 512, t->dirty);
	mkimage_host_run(mk, LOG_GPA >> 12, 512, LOG_HPA, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_slot(mk, 3, 0, HUGE_GPA, t->huge_size, t->huge_hva);
	if (t->lpage_2m)
		mkimage_run(mk, SPT_RUN_LPAGE_2M, (HUGE_GPA + 2 * MK_MB) >> 12, 512, t->lpage_2m);
	mkimage_host_run(mk, HUGE_GPA >> 12, HUGE_SIZE >> 12, HUGE_HPA, 2, SPT_HOST_RUN_WRITABLE);
	if (t->attrs)
		mkimage_run(mk, SPT_RUN_ATTRS, (HUGE_GPA + 4 * MK_MB) >> 12, 1, t->attrs);
	mkimage_head(mk)->req_parts |= SPT_PART_DIRTY | SPT_PART_RMAPS | SPT_PART_HOST_RUNS;
	if (!mkimage_has_vm_end(mk))
		mkimage_vm_end(mk);
	vm_load(&t->vm);
}

/* A guest's tables at frames 0x10 (level 4) to 0x13, and one page of memory. */
#define SHADOW_GFN  0x10ULL
#define SHADOW_PAGE 0x40000ULL
#define SHADOW_HPA  0x180000000ULL

struct shadow_vm {
	struct vm vm;
	unsigned int table[5]; /* by level */
	uint64_t rmap_gfn;     /* of the first leaf's reverse map */
	unsigned int rmap_index;
	int rmaps;	    /* how many of the leaves have one */
	uint64_t tracked;   /* first frame of the three that are write-tracked */
	uint64_t second;    /* address that the second leaf maps */
	uint64_t page[512]; /* the guest's table of level 1 */
};

static inline struct shadow_vm shadow_vm_new(const char *format)
{
	struct shadow_vm s = { .vm = vm_new(format) };
	struct mkimage *mk = s.vm.mk;
	bool wide = mkimage_head(mk)->role[SPT_ROLE_ACCESS].width == 4;
	unsigned int access = wide ? 15 : 7;

	s.table[4] = mkimage_shadow_root(mk, 4, SHADOW_GFN);
	for (int level = 3; level > 0; level--) {
		s.table[level] = mkimage_table(mk, level, SHADOW_GFN + 4 - level, false);
		mkimage_link(mk, s.table[level + 1], 0, s.table[level]);
		mkimage_page(mk, s.table[level])->parent =
			0xffff888000000000ULL + mkimage_table_hpa(mk, s.table[level + 1]);
	}
	for (int level = 1; level < 5; level++) {
		struct spt_page *page = mkimage_page(mk, s.table[level]);

		page->role = mkimage_role(mk, page->role, SPT_ROLE_ACCESS, access);
		page->known = SPT_PAGE_TDP_MMU | SPT_PAGE_UNSYNC;
	}
	mkimage_set(mk, s.table[1], 0, mkimage_leaf(mk, SHADOW_HPA, 1, "rwx"));
	mkimage_translate(mk, s.table[1], 0, SHADOW_PAGE, access);
	mkimage_set(mk, s.table[1], 1, mkimage_leaf(mk, SHADOW_HPA + 0x1000, 1, "rwx"));
	s.second = SHADOW_PAGE + 0x1000;
	s.page[0] = SHADOW_PAGE | 0x67;
	s.rmap_gfn = SHADOW_PAGE >> 12;
	s.rmaps = 2;
	s.tracked = SHADOW_GFN;
	set_vm_values(mk, 2, 0, 4, 4, 0);
	return s;
}

static inline void shadow_vm_load(struct shadow_vm *s)
{
	struct mkimage *mk = s->vm.mk;

	mkimage_slot(mk, 0, 0, 0, 16 * MK_MB, LOW_HVA)->has_rmap = 1;
	if (s->rmaps > 0)
		mkimage_rmap(mk, 1, s->rmap_gfn, s->table[1], s->rmap_index);
	if (s->rmaps > 1)
		mkimage_rmap(mk, 1, s->second >> 12, s->table[1], 1);
	mkimage_translate(mk, s->table[1], 1, s->second,
			  mkimage_head(mk)->role[SPT_ROLE_ACCESS].width == 4 ? 15 : 7);
	s->page[1] = s->second | 0x67;
	mkimage_run(mk, SPT_RUN_WRITE_TRACK, s->tracked, 3, 1);
	if (s->second < SHADOW_PAGE)
		mkimage_host_run(mk, s->second >> 12, 1, SHADOW_HPA + 0x1000, 1,
				 SPT_HOST_RUN_WRITABLE);
	mkimage_host_run(mk, SHADOW_PAGE >> 12, 2, SHADOW_HPA, 1, SPT_HOST_RUN_WRITABLE);
	mkimage_guest_table(mk, (SHADOW_GFN + 3) << 12, s->page);
	mkimage_head(mk)->req_parts |= SPT_PART_DIRTY | SPT_PART_RMAPS | SPT_PART_HOST_RUNS;
	if (!mkimage_has_vm_end(mk))
		mkimage_vm_end(mk);
	vm_load(&s->vm);
}

#endif
