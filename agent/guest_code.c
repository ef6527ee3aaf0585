// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's code as the vCPU that is about to execute it would find it.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "calls.h"
#include "guest_code.h"
#include "memslots.h"
#include "page.h"
#include "vcpu.h"
#include "vm.h"

#define SPT_CR0_PG	BIT_ULL(31)
#define SPT_CR4_PSE	BIT_ULL(4)
#define SPT_CR4_PAE	BIT_ULL(5)
#define SPT_CR4_LA57	BIT_ULL(12)
#define SPT_CR4_CET	BIT_ULL(23)
#define SPT_EFER_LMA	BIT_ULL(10)

#define SPT_GPTE_P	BIT_ULL(0)
#define SPT_GPTE_PS	BIT_ULL(7)
/* An address in an entry of 64 bits. */
#define SPT_GPTE_ADDR	GENMASK_ULL(51, 12)

/* How the guest translates. */
struct spt_guest_paging {
	u64 top;		/* GPA of the top table */
	u8 levels;		/* 0: linear addresses are physical */
	u8 entry_bytes;		/* 4 or 8 */
	u8 index_bits;		/* of a full table */
	u8 top_bits;		/* of the index into the top table */
	bool large;		/* PS at level 2 counts */
};

/* VMX leaves it in the VMCS until somebody asks. */
static bool spt_guest_cached(struct kvm_vcpu *vcpu, unsigned int reg)
{
	u64 avail;

	if (spt_load(vcpu, SPT_F_VCPU_REGS_AVAIL, &avail))
		return false;
	if (!(avail & BIT_ULL(reg)))
		static_call(kvm_x86_cache_reg)(vcpu, reg);
	return true;
}

bool spt_guest_rip(struct kvm_vcpu *vcpu, u64 *rip)
{
	const u64 *regs = spt_at(vcpu, SPT_F_VCPU_REGS);

	*rip = 0;
	if (!spt_guest_cached(vcpu, SPT_REG_RIP))
		return false;
	if (spt_has(SPT_F_VCPU_RIP))
		return !spt_load(vcpu, SPT_F_VCPU_RIP, rip);
	return spt_layout.bytes[SPT_F_VCPU_REGS] > SPT_REG_RIP * sizeof(u64) &&
	       !spt_read(rip, &regs[SPT_REG_RIP], sizeof(*rip));
}

bool spt_guest_at(struct kvm_vcpu *vcpu, struct spt_guest_at *at)
{
	const struct spt_field *smm = &spt_layout.field[SPT_F_ROLE_SMM];
	const void *mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);
	u64 role = 0;
	u64 cr4 = 0;
	int db;
	int l;

	memset(at, 0, sizeof(*at));
	if (!spt_guest_rip(vcpu, &at->rip))
		return false;
	spt_load(vcpu, SPT_F_VCPU_CR4, &cr4);	/* this bit is never the guest's own */
	at->cet = cr4 & SPT_CR4_CET;
	if (mmu)
		spt_load(mmu, SPT_F_MMU_ROOT_ROLE, &role);
	at->as_id = !!((role >> smm->shift) & smm->mask);
	static_call(kvm_x86_get_cs_db_l_bits)(vcpu, &db, &l);
	at->linear = at->rip;
	at->bits = l ? 64 : db ? 32 : 16;
	if (l)
		return true;
	if (spt_can(SPT_S_GET_LINEAR_RIP))
		at->linear = spt_call(get_linear_rip)(vcpu);
	else
		at->bits = 0;
	return true;
}

/* Where the VMM has the page, NULL: nowhere. */
static const void __user *spt_guest_hva(struct kvm_vcpu *vcpu, u8 as_id, u64 gpa)
{
	const struct kvm *kvm = spt_load_pointer(vcpu, SPT_F_VCPU_KVM);
	const void *slots = spt_slots(kvm, as_id);
	u64 gfn = gpa >> PAGE_SHIFT;
	const void *slot;
	u64 npages;
	u64 base;
	u64 hva;

	slot = slots ? spt_slot_below(slots, gfn) : NULL;
	if (!slot || spt_load(slot, SPT_F_SLOT_BASE_GFN, &base) ||
	    spt_load(slot, SPT_F_SLOT_NPAGES, &npages) || spt_load(slot, SPT_F_SLOT_HVA, &hva) ||
	    gfn - base >= npages)
		return NULL;
	return (const void __user *)(unsigned long)(hva + ((gfn - base) << PAGE_SHIFT) +
						    (gpa & ~PAGE_MASK));
}

/*
 * From one page of the guest; the thread's mm is the VMM's. Of a page that is
 * private the VMM has another, or none, and of one that is encrypted the
 * ciphertext: not what the guest sees there.
 */
static int spt_guest_read(struct kvm_vcpu *vcpu, u8 as_id, u64 gpa, void *to, size_t size)
{
	const struct kvm *kvm = spt_load_pointer(vcpu, SPT_F_VCPU_KVM);
	const void __user *from;
	u64 direct_bits = 0;

	spt_load(kvm, SPT_F_KVM_GFN_DIRECT_BITS, &direct_bits);
	gpa &= ~(direct_bits << PAGE_SHIFT);
	if (spt_vm_encrypted(kvm) ||
	    spt_attrs_private(kvm, gpa >> PAGE_SHIFT, (gpa >> PAGE_SHIFT) + 1))
		return -EFAULT;
	from = spt_guest_hva(vcpu, as_id, gpa);
	if (!from || !current->mm || copy_from_user_nofault(to, from, size))
		return -EFAULT;
	return 0;
}

static void spt_guest_paging(struct kvm_vcpu *vcpu, struct spt_guest_paging *paging)
{
	u64 efer = 0;
	u64 cr0 = 0;
	u64 cr3 = 0;
	u64 cr4 = 0;

	memset(paging, 0, sizeof(*paging));
	spt_guest_cached(vcpu, SPT_REG_CR0);
	spt_load(vcpu, SPT_F_VCPU_CR0, &cr0);
	if (!(cr0 & SPT_CR0_PG))
		return;
	spt_guest_cached(vcpu, SPT_REG_CR3);
	spt_load(vcpu, SPT_F_VCPU_CR3, &cr3);
	spt_load(vcpu, SPT_F_VCPU_CR4, &cr4);
	spt_load(vcpu, SPT_F_VCPU_EFER, &efer);
	paging->large = true;
	paging->entry_bytes = 8;
	paging->index_bits = 9;
	paging->top_bits = 9;
	paging->top = cr3 & SPT_GPTE_ADDR;
	if (efer & SPT_EFER_LMA) {
		paging->levels = cr4 & SPT_CR4_LA57 ? 5 : 4;
	} else if (cr4 & SPT_CR4_PAE) {
		paging->levels = 3;
		paging->top_bits = 2;
		paging->top = cr3 & GENMASK_ULL(31, 5);
	} else {
		paging->levels = 2;
		paging->entry_bytes = 4;
		paging->index_bits = 10;
		paging->top_bits = 10;
		paging->top = cr3 & GENMASK_ULL(31, 12);
		paging->large = cr4 & SPT_CR4_PSE;
	}
}

static bool spt_gpte_leaf(const struct spt_guest_paging *paging, u64 gpte, u8 level)
{
	if (level == 1)
		return true;
	/* A PDPTE of PAE paging maps no page. */
	return level <= 3 && paging->large && (gpte & SPT_GPTE_PS) &&
	       !(level == 3 && paging->levels == 3);
}

int spt_guest_translate(struct kvm_vcpu *vcpu, const struct spt_guest_at *at, u64 gva, u64 *gpa)
{
	struct spt_guest_paging paging;
	u64 table;
	u8 level;

	spt_guest_paging(vcpu, &paging);
	*gpa = gva;
	table = paging.top;
	for (level = paging.levels; level; level--) {
		unsigned int shift = PAGE_SHIFT + paging.index_bits * (level - 1);
		unsigned int bits = level == paging.levels ? paging.top_bits : paging.index_bits;
		u64 index = (gva >> shift) & (BIT_ULL(bits) - 1);
		u64 gpte = 0;

		if (spt_guest_read(vcpu, at->as_id, table + index * paging.entry_bytes, &gpte,
				   paging.entry_bytes))
			return -EFAULT;
		if (!(gpte & SPT_GPTE_P))
			return -ENOENT;
		table = gpte & SPT_GPTE_ADDR;
		if (!spt_gpte_leaf(&paging, gpte, level))
			continue;
		/* Entries of 4 bytes keep address bits 32-39 of a 4M page in bits 13-20. */
		if (paging.entry_bytes == 4 && level == 2)
			table = (gpte & GENMASK_ULL(31, 22)) | ((gpte & GENMASK_ULL(20, 13)) << 19);
		*gpa = (table & ~(BIT_ULL(shift) - 1)) | (gva & (BIT_ULL(shift) - 1));
		return 0;
	}
	return 0;
}

unsigned int spt_guest_code(struct kvm_vcpu *vcpu, const struct spt_guest_at *at, u8 *insn)
{
	unsigned int got = 0;

	while (got < SPT_INSN_MAX) {
		u64 gva = at->linear + got;
		u64 left = PAGE_SIZE - (gva & ~PAGE_MASK);
		unsigned int size = min_t(u64, left, SPT_INSN_MAX - got);
		u64 gpa;

		if (!at->bits || spt_guest_translate(vcpu, at, gva, &gpa) ||
		    spt_guest_read(vcpu, at->as_id, gpa, insn + got, size))
			break;
		got += size;
	}
	return got;
}
