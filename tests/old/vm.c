// SPDX-License-Identifier: GPL-2.0
#include "vm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"

/* This file is compiled for either of the kernels. */
#ifdef KVM_LATER
#define old_vm_td  later_vm_td
#define old_vm_hpa later_vm_hpa
#endif

#define PAGE	   4096
#define PAGES	   64
#define FIRST_HPA  0x10000000ULL
#define ACC_ALL	   7
#define GUEST_FILE ((struct file *)0x1234000)

/* EPT entries of those kernels: bit 11 says that KVM made it, bit 63 suppresses #VE. */
#define EPT_RWX	     7ULL
#define EPT_WB	     (6ULL << 3)
#define EPT_PAGE     (1ULL << 7)
#define EPT_A_D	     (3ULL << 8)
#define SPTE_PRESENT (1ULL << 11)
#define SPTE_WRITE   (3ULL << 57) /* host- and MMU-writable */
#define SPTE_EMPTY   (1ULL << 63)

static u64 memory[PAGES][PAGE / 8] __attribute__((aligned(PAGE)));
static unsigned int pages;
static struct kvm kvm;
static struct vcpu_vmx vmx;
static struct kvm_mmu_page sps[PAGES];
static unsigned int nr_sps;

uint64_t old_vm_hpa(const void *va)
{
	uintptr_t at = (uintptr_t)va - (uintptr_t)memory;

	return at < sizeof(memory) ? FIRST_HPA + at : ~0ULL;
}

static void *new_page(u64 fill)
{
	u64 *page = memory[pages++];

	assert(pages <= PAGES);
	for (int i = 0; i < PAGE / 8; i++)
		page[i] = fill;
	return page;
}

static void set_slot(struct kvm_memory_slot *slot, short id, gpa_t gpa, u64 size, u64 hva)
{
	slot->base_gfn = gpa / PAGE;
	slot->npages = size / PAGE;
	slot->userspace_addr = hva;
	slot->id = id;
}

static void init_slots(bool td)
{
	static struct slot_set sets[2];
	struct kvm_memory_slot *slot;

	memset(sets, 0, sizeof(sets));
	for (int as = 0; as < 2; as++) {
		set_begin(&sets[as], as);
		kvm.memslots[as] = &sets[as].set;
	}
	set_slot(set_add(&sets[0], 3, 0), 3, OLD_SLOT1_GPA, OLD_SLOT1_SIZE, OLD_SLOT1_HVA);
	slot = set_add(&sets[0], 0, 1);
	set_slot(slot, 0, 0, OLD_SLOT0_SIZE, OLD_SLOT0_HVA);
	if (td) {
		slot->private_file = GUEST_FILE;
		slot->private_offset = OLD_PRIVATE_OFF;
	}
}

static void init_vm(bool td)
{
	struct kvm_vcpu *vcpu = &vmx.vcpu;

	memset(&kvm, 0, sizeof(kvm));
	memset(&vmx, 0, sizeof(vmx));
	memset(sps, 0, sizeof(sps));
	pages = nr_sps = 0;
	kvm.userspace_pid = 4711;
	kvm.users_count.refs.counter = 2;
	kvm.online_vcpus = kvm.created_vcpus = 1;
	kvm.mmu_notifier_seq = 77;
	kvm.arch.gfn_shared_mask = td ? OLD_SHARED / PAGE : 0;
	kvm.arch.vm_type = td;
	kvm.arch.mmu_valid_gen = 1;
	list_init(&kvm.arch.active_mmu_pages);
	list_init(&kvm.arch.private_mmu_pages);
	list_init(&kvm.arch.lpage_disallowed_mmu_pages);
	list_init(&kvm.arch.tdp_mmu_roots);
	list_init(&kvm.arch.tdp_mmu_pages);
	init_slots(td);
	vcpu->kvm = &kvm;
	vcpu->cpu = 5;
	vcpu->arch.cr3 = 0xabc000;
	vcpu->arch.efer = 0x500;
	vcpu->arch.mmu = &vcpu->arch.root_mmu;
	vcpu->arch.root_mmu.private_root_hpa = ~0ULL;
	for (int i = 0; i < 3; i++)
		vcpu->arch.root_mmu.prev_roots[i].hpa = ~0ULL;
	vm_shape(&kvm, vcpu);
}

static union kvm_mmu_page_role direct_role(int level)
{
	union kvm_mmu_page_role role = { .level = level, .direct = 1, .access = ACC_ALL };

	role.efer_nx = 1;
	role.cr0_wp = 1;
	return role;
}

/* A shadow page as kvm_mmu_alloc_page() made it. */
static struct kvm_mmu_page *new_sp(union kvm_mmu_page_role role, gfn_t gfn, bool private)
{
	struct kvm_mmu_page *sp = &sps[nr_sps++];

	sp->role = role;
	sp->gfn = gfn;
	sp->spt = new_page(SPTE_EMPTY);
	sp->mmu_valid_gen = kvm.arch.mmu_valid_gen;
	list_init(&sp->lpage_disallowed_link);
	if (!role.direct)
		sp->gfns = new_page(0);
	page_shape(sp, private, &kvm.arch);
	kvm.arch.n_used_mmu_pages++;
	return sp;
}

static struct kvm_mmu_page *new_root(union kvm_mmu_page_role role, bool private)
{
	struct kvm_mmu_page *sp = new_sp(role, 0, private);

	root_shape(sp, &kvm.arch);
	if (private)
		sp->private_sp = KVM_MMU_PRIVATE_SP_ROOT;
	return sp;
}

/* The table below @sp that @index leads to, made if it is not there. */
static struct kvm_mmu_page *child(struct kvm_mmu_page *sp, unsigned int index, bool private)
{
	union kvm_mmu_page_role role = sp->role;
	struct kvm_mmu_page *below;

	for (unsigned int i = 0; i < nr_sps; i++)
		if (sp->spt[index] & SPTE_PRESENT &&
		    (sp->spt[index] & 0xffffffffff000ULL) == old_vm_hpa(sps[i].spt))
			return &sps[i];
	role.level--;
	below = new_sp(role, sp->gfn + ((gfn_t)index << 9 * role.level), private);
	if (private)
		below->private_sp = new_page(0);
	set_parent(below, &sp->spt[index]);
	sp->spt[index] = SPTE_EMPTY | SPTE_PRESENT | EPT_RWX | (1ULL << 8) | old_vm_hpa(below->spt);
	return below;
}

static struct kvm_mmu_page *map(struct kvm_mmu_page *root, gpa_t gpa, int level, hpa_t hpa,
				bool private)
{
	struct kvm_mmu_page *sp = root;

	for (int l = 4; l > level; l--)
		sp = child(sp, gpa >> (12 + 9 * (l - 1)) & 511, private);
	sp->spt[gpa >> (12 + 9 * (level - 1)) & 511] = SPTE_EMPTY | SPTE_PRESENT | SPTE_WRITE |
						       EPT_RWX | EPT_WB | EPT_A_D | hpa |
						       (level > 1 ? EPT_PAGE : 0);
	return sp;
}

static void load_roots(struct kvm_mmu_page *root, struct kvm_mmu_page *private)
{
	struct kvm_mmu *mmu = vmx.vcpu.arch.mmu;

	load_root(mmu, old_vm_hpa(root->spt), root->role);
	if (private)
		mmu->private_root_hpa = old_vm_hpa(private->spt);
}

const void *old_vm_td(void)
{
	struct kvm_mmu_page *private, *shared, *sp;

	init_vm(true);
	private = new_root(direct_role(4), true);
	shared = new_root(direct_role(4), false);
	map(private, OLD_PRIVATE_GPA, 1, OLD_PRIVATE_HPA, true);
	map(private, OLD_PRIVATE2M_GPA, 2, OLD_PRIVATE2M_HPA, true);
	sp = map(shared, OLD_SHARED_GPA | OLD_SHARED, 1, OLD_SHARED_HPA, false);
	/* gfns of shared pages are without the bit, as gfn_stolen_bits has it. */
	for (unsigned int i = 0; i < nr_sps; i++)
		sps[i].gfn &= ~kvm.arch.gfn_shared_mask;
	sp->lpage_disallowed = 1;
	list_add(&sp->lpage_disallowed_link, &kvm.arch.lpage_disallowed_mmu_pages);
	load_roots(shared, private);
	return &kvm;
}

#ifndef KVM_LATER
const void *old_vm_nested(void)
{
	union kvm_mmu_page_role role = direct_role(4);
	struct kvm_mmu_page *root, *nested, *sp;

	init_vm(false);
	root = new_root(role, false);
	map(root, OLD_PLAIN_GPA, 1, OLD_PLAIN_HPA, false);
	role.direct = 0;
	role.guest_mode = 1;
	nested = new_root(role, false);
	sp = map(nested, OLD_L2_GPA, 1, OLD_PLAIN_HPA, false);
	/* The guest's own tables: their frames, and what the last one maps. */
	for (unsigned int i = 0; i < nr_sps; i++)
		if (!sps[i].role.direct)
			sps[i].gfn = 0x100 + sps[i].role.level;
	sp->gfns[OLD_L2_GPA / PAGE] = OLD_PLAIN_GPA / PAGE;
	load_roots(root, NULL);
	return &kvm;
}
#endif
