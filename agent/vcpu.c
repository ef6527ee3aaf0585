// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU records. Read from outside while the vCPU runs: every value is one
 * that the field had, no two are of the same moment. Where it went to its own guest
 * or back meanwhile, all are read again.
 */
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/rwlock.h>

#include "reader.h"
#include "vcpu.h"

/* EXITINTINFO, and that it is valid (APM volume 2, 15.7.2 and appendix B). */
#define SPT_VMCB_EXITINTINFO	0x088
#define SPT_EVENT_VALID		BIT(31)

/* Where a value lives. */
enum spt_vcpu_base { SPT_IN_VCPU, SPT_IN_MMU };

static const struct {
	enum spt_vcpu_value value;
	enum spt_field_id field;
	enum spt_vcpu_base base;
} spt_vcpu_fields[] = {
	{ SPT_VCPU_ID, SPT_F_VCPU_ID, SPT_IN_VCPU },
	{ SPT_VCPU_IDX, SPT_F_VCPU_IDX, SPT_IN_VCPU },
	{ SPT_VCPU_MODE, SPT_F_VCPU_MODE, SPT_IN_VCPU },
	{ SPT_VCPU_REQUESTS, SPT_F_VCPU_REQUESTS, SPT_IN_VCPU },
	{ SPT_VCPU_HFLAGS, SPT_F_VCPU_HFLAGS, SPT_IN_VCPU },
	{ SPT_VCPU_CPU_ROLE, SPT_F_VCPU_CPU_ROLE, SPT_IN_VCPU },
	{ SPT_VCPU_CPU_ROLE, SPT_F_MMU_CPU_ROLE, SPT_IN_MMU },
	{ SPT_VCPU_CR0, SPT_F_VCPU_CR0, SPT_IN_VCPU },
	{ SPT_VCPU_CR2, SPT_F_VCPU_CR2, SPT_IN_VCPU },
	{ SPT_VCPU_CR3, SPT_F_VCPU_CR3, SPT_IN_VCPU },
	{ SPT_VCPU_CR4, SPT_F_VCPU_CR4, SPT_IN_VCPU },
	{ SPT_VCPU_EFER, SPT_F_VCPU_EFER, SPT_IN_VCPU },
	{ SPT_VCPU_PKRU, SPT_F_VCPU_PKRU, SPT_IN_VCPU },
	{ SPT_VCPU_REGS_AVAIL, SPT_F_VCPU_REGS_AVAIL, SPT_IN_VCPU },
	{ SPT_VCPU_STATE_PROTECTED, SPT_F_VCPU_PROTECTED, SPT_IN_VCPU },
	{ SPT_VCPU_ROOT_HPA, SPT_F_MMU_ROOT_HPA, SPT_IN_MMU },
	{ SPT_VCPU_ROOT_PGD, SPT_F_MMU_ROOT_PGD, SPT_IN_MMU },
	{ SPT_VCPU_MIRROR_ROOT_HPA, SPT_F_MMU_MIRROR_ROOT_HPA, SPT_IN_MMU },
	{ SPT_VCPU_ROOT_ROLE, SPT_F_MMU_ROOT_ROLE, SPT_IN_MMU },
};

#define SPT_GPRS	16
#define SPT_PDPTRS	4
#define SPT_PREV_ROOTS	3
/* Times that a vCPU which goes to its own guest, or back, is read again. */
#define SPT_VCPU_TRIES	4

struct spt_vcpu_read {
	const void *vcpu;
	const void *mmu;
	struct spt_values *values;
	u64 avail;	/* regs_avail; all ones where the kernel has none */
};

static void spt_vcpu_set(struct spt_vcpu_read *r, unsigned int i, u64 value)
{
	spt_values_set(r->values, i, value);
}

static bool spt_vcpu_known(const struct spt_vcpu_read *r, unsigned int i)
{
	return r->values->known[i / 64] & BIT_ULL(i % 64);
}

static void spt_vcpu_plain(struct spt_vcpu_read *r)
{
	unsigned int i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(spt_vcpu_fields); i++)
		if (!spt_load(spt_vcpu_fields[i].base == SPT_IN_VCPU ? r->vcpu : r->mmu,
			      spt_vcpu_fields[i].field, &value))
			spt_vcpu_set(r, spt_vcpu_fields[i].value, value);
	if (!spt_load(r->vcpu, SPT_F_VCPU_CPU, &value))
		spt_vcpu_set(r, SPT_VCPU_CPU, (s64)(s32)value);
	spt_vcpu_set(r, SPT_VCPU_IN_GUEST_MMU, r->mmu == spt_at(r->vcpu, SPT_F_VCPU_GUEST_MMU));
	/* What arch.mmu shadows then is the guest's NPT or EPT, and not what L2's CR3 leads to. */
	if (r->mmu == spt_at(r->vcpu, SPT_F_VCPU_GUEST_MMU) &&
	    !spt_load(r->vcpu, SPT_F_VCPU_NGPA_CPU_ROLE, &value))
		spt_vcpu_set(r, SPT_VCPU_CPU_ROLE, value);
}

/* The thread that ran it last, under the lock or RCU that this kernel keeps it with. */
static void spt_vcpu_pid(struct spt_vcpu_read *r)
{
	rwlock_t *lock = (rwlock_t *)spt_at(r->vcpu, SPT_F_VCPU_PID_LOCK);
	s32 pid;

	if (spt_has(SPT_F_VCPU_PID_LOCK)) {
		read_lock(lock);
		pid = pid_nr(spt_load_pointer(r->vcpu, SPT_F_VCPU_PID));
		read_unlock(lock);
	} else {
		rcu_read_lock();
		pid = pid_nr(spt_load_pointer(r->vcpu, SPT_F_VCPU_PID));
		rcu_read_unlock();
	}
	spt_vcpu_set(r, SPT_VCPU_PID, pid);
}

static void spt_vcpu_prev_roots(struct spt_vcpu_read *r)
{
	u32 size = spt_layout.bytes[SPT_F_ROOT_INFO_SIZE];
	unsigned int count = spt_layout.bytes[SPT_F_MMU_PREV_ROOTS] / size;
	const void *root = spt_at(r->mmu, SPT_F_MMU_PREV_ROOTS);
	unsigned int i;
	u64 value;

	for (i = 0; i < min_t(unsigned int, count, SPT_PREV_ROOTS); i++, root += size) {
		if (!spt_load(root, SPT_F_ROOT_INFO_HPA, &value))
			spt_vcpu_set(r, SPT_VCPU_PREV_ROOT_HPA_0 + 2 * i, value);
		if (!spt_load(root, SPT_F_ROOT_INFO_PGD, &value))
			spt_vcpu_set(r, SPT_VCPU_PREV_ROOT_PGD_0 + 2 * i, value);
	}
}

static void spt_vcpu_special_roots(struct spt_vcpu_read *r)
{
	static const struct {
		enum spt_vcpu_value value;
		enum spt_field_id field;
	} roots[] = {
		{ SPT_VCPU_PAE_ROOT, SPT_F_MMU_PAE_ROOT },
		{ SPT_VCPU_PML4_ROOT, SPT_F_MMU_PML4_ROOT },
		{ SPT_VCPU_PML5_ROOT, SPT_F_MMU_PML5_ROOT },
	};
	unsigned int i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(roots); i++)
		if (!spt_load(r->mmu, roots[i].field, &value))
			spt_vcpu_set(r, roots[i].value, spt_hpa((void *)(unsigned long)value));
}

/* KVM's copies of the guest's registers; VMX leaves some in the VMCS until it needs them. */
static void spt_vcpu_registers(struct spt_vcpu_read *r)
{
	const u64 *regs = spt_at(r->vcpu, SPT_F_VCPU_REGS);
	u32 count = spt_layout.bytes[SPT_F_VCPU_REGS] / sizeof(u64);
	unsigned int i;
	u64 value;

	for (i = 0; i < SPT_GPRS; i++)
		if ((r->avail & BIT_ULL(i)) && !spt_read(&value, &regs[i], sizeof(value)))
			spt_vcpu_set(r, SPT_VCPU_RAX + i, value);
	if (!(r->avail & BIT_ULL(SPT_REG_RIP)))
		return;
	if (!spt_load(r->vcpu, SPT_F_VCPU_RIP, &value) ||
	    (!spt_has(SPT_F_VCPU_RIP) && count > SPT_GPRS &&
	     !spt_read(&value, &regs[SPT_GPRS], sizeof(value))))
		spt_vcpu_set(r, SPT_VCPU_RIP, value);
}

static void spt_vcpu_pdptrs(struct spt_vcpu_read *r)
{
	const u64 *pdptrs;
	unsigned int i;
	u64 value;

	if (spt_has(SPT_F_VCPU_PDPTRS))
		pdptrs = spt_at(r->vcpu, SPT_F_VCPU_PDPTRS);
	else if (spt_has(SPT_F_MMU_PDPTRS))
		pdptrs = spt_at(r->mmu, SPT_F_MMU_PDPTRS);
	else
		return;
	if (!(r->avail & BIT_ULL(SPT_REG_PDPTR)))
		return;
	for (i = 0; i < SPT_PDPTRS; i++)
		if (!spt_read(&value, &pdptrs[i], sizeof(value)))
			spt_vcpu_set(r, SPT_VCPU_PDPTR0 + i, value);
}

static void spt_vcpu_fresh(struct spt_vcpu_read *r)
{
	bool fresh = true;
	u64 mode = 1;

	/* SVM saves CR3 at every exit; so does VMX unless EPT lets the guest load it freely. */
	if (spt_layout.mmu == SPT_MMU_EPT)
		fresh = r->avail & BIT_ULL(SPT_REG_CR3);
	spt_vcpu_set(r, SPT_VCPU_CR3_FRESH, fresh);
	/* Outside before and after, or the registers are from the exit before this entry. */
	spt_load(r->vcpu, SPT_F_VCPU_MODE, &mode);
	spt_vcpu_set(r, SPT_VCPU_REGS_FRESH, !mode && !r->values->value[SPT_VCPU_MODE]);
}

/* construct_eptp(): root, write-back, length of the walk, A/D bits. */
static u64 spt_eptp(u64 root_hpa, u64 role)
{
	const struct spt_field *level = &spt_layout.field[SPT_F_ROLE_LEVEL];
	const struct spt_field *ad = &spt_layout.field[SPT_F_ROLE_AD_DISABLED];
	u64 eptp = root_hpa | 6 | ((((role >> level->shift) & level->mask) - 1) << 3);
	u64 enabled = 0;

	spt_load_symbol(SPT_S_ENABLE_EPT_AD_BITS, 1, &enabled);
	if (enabled && !((role >> ad->shift) & ad->mask))
		eptp |= BIT_ULL(6);
	return eptp;
}

/* The VMCB in use. */
static const void *spt_vcpu_vmcb(const void *vcpu)
{
	const void *svm = vcpu - spt_layout.field[SPT_F_VCPU_SVM_VCPU].offset;

	return spt_load_pointer(svm, SPT_F_SVM_VMCB);
}

bool spt_vcpu_delivers(const void *vcpu)
{
	const void *vmcb;
	u32 event;

	if (spt_layout.vendor != SPT_VENDOR_SVM)
		return spt_vmcs_delivers();
	vmcb = spt_vcpu_vmcb(vcpu);
	return vmcb && !spt_read(&event, vmcb + SPT_VMCB_EXITINTINFO, sizeof(event)) &&
	       (event & SPT_EVENT_VALID);
}

static bool spt_vcpu_vmcb_root(struct spt_vcpu_read *r, u64 *root)
{
	const void *vmcb = spt_vcpu_vmcb(r->vcpu);

	/* The control area is the VMCB's first part. */
	return vmcb && !spt_load(vmcb, spt_layout.mmu == SPT_MMU_NPT ? SPT_F_VMCB_NESTED_CR3 :
								       SPT_F_VMCB_CR3, root);
}

static void spt_vcpu_hw_root(struct spt_vcpu_read *r)
{
	u64 hpa = r->values->value[SPT_VCPU_ROOT_HPA];
	u64 root;

	if (spt_layout.vendor == SPT_VENDOR_SVM) {
		if (!spt_vcpu_vmcb_root(r, &root))
			return;
		spt_vcpu_set(r, SPT_VCPU_HW_ROOT, root);
		spt_vcpu_set(r, SPT_VCPU_HW_ROOT_SOURCE, SPT_HW_ROOT_VMCB);
		return;
	}
	if (!spt_vmcs_root(r->vcpu, &root)) {
		spt_vcpu_set(r, SPT_VCPU_HW_ROOT, root);
		spt_vcpu_set(r, SPT_VCPU_HW_ROOT_SOURCE, SPT_HW_ROOT_VMCS);
		return;
	}
	if (!spt_vcpu_known(r, SPT_VCPU_ROOT_HPA) || hpa == SPT_NO_HPA)
		return;
	spt_vcpu_set(r, SPT_VCPU_HW_ROOT, spt_layout.mmu == SPT_MMU_EPT ?
		     spt_eptp(hpa, r->values->value[SPT_VCPU_ROOT_ROLE]) : hpa);
	spt_vcpu_set(r, SPT_VCPU_HW_ROOT_SOURCE, SPT_HW_ROOT_COMPUTED);
}

const void *spt_vcpu(const struct spt_reader *reader, u64 i)
{
	const struct kvm *kvm = reader->vm.kvm;
	u64 online;

	if (spt_load(kvm, SPT_F_KVM_ONLINE_VCPUS, &online) || i >= online)
		return NULL;
	return spt_xa_load(spt_at(kvm, SPT_F_KVM_VCPU_ARRAY), i);
}

const void *spt_vcpu_mmu(const void *vcpu)
{
	const void *mmu = spt_load_pointer(vcpu, SPT_F_VCPU_MMU);

	return mmu ? mmu : spt_at(vcpu, SPT_F_VCPU_ROOT_MMU);
}

static void spt_vcpu_values(struct spt_vcpu_read *r)
{
	memset(r->values->known, 0, sizeof(r->values->known));
	r->mmu = spt_vcpu_mmu(r->vcpu);
	if (spt_load(r->vcpu, SPT_F_VCPU_REGS_AVAIL, &r->avail))
		r->avail = ~0ULL;
	spt_vcpu_plain(r);
	spt_vcpu_pid(r);
	spt_vcpu_prev_roots(r);
	spt_vcpu_special_roots(r);
	spt_vcpu_registers(r);
	spt_vcpu_pdptrs(r);
	spt_vcpu_fresh(r);
	spt_vcpu_hw_root(r);
}

int spt_vcpus_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	struct spt_vcpu_read r = { };
	unsigned int i;
	int error;

	r.vcpu = spt_vcpu(reader, at->index);
	if (!r.vcpu)
		return 0;
	r.values = spt_record(reader, SPT_REC_VCPU, struct_size(r.values, value, SPT_VCPU_COUNT));
	/* Registers of the one with the tables of the other would be neither's. */
	for (i = 0; i < SPT_VCPU_TRIES; i++) {
		spt_vcpu_values(&r);
		if (spt_vcpu_mmu(r.vcpu) == r.mmu)
			break;
	}
	spt_tdx_vcpu_values(reader, r.vcpu, r.values);
	error = spt_put(reader, r.values);
	at->index++;
	return error ? error : 1;
}
