// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the vCPUs.
 *
 * They are read as all else is, from outside: of a vCPU that is in the guest they are
 * those it entered with. Where they are to be fresh the CPU that runs it is
 * interrupted. The guest has left for that interrupt, KVM has stored what it was
 * doing, and goes on when we have read: all values are of one moment, and the guest
 * noticed no more than any interrupt of the host's. Nothing of KVM's is called or
 * written to. A VMCS can be read only on that CPU, also when its vCPU is not in the
 * guest, and then nobody is interrupted in it.
 */
#include <linux/math64.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <asm/msr.h>

#include "regs.h"
#include "vcpu.h"

#define SPT_GPRS		16
#define SPT_DRS			4
/* Times that a vCPU which moves to another CPU is followed. */
#define SPT_FOLLOW_TRIES	4

static const struct {
	u8 value;	/* enum spt_register */
	enum spt_field_id field;
} spt_regs_fields[] = {
	{ SPT_REGISTER_VCPU_ID, SPT_F_VCPU_ID },
	{ SPT_REGISTER_EXITS, SPT_F_VCPU_STAT_EXITS },
	{ SPT_REGISTER_MP_STATE, SPT_F_VCPU_MP_STATE },
	{ SPT_REGISTER_CR0, SPT_F_VCPU_CR0 },
	{ SPT_REGISTER_CR2, SPT_F_VCPU_CR2 },
	{ SPT_REGISTER_CR3, SPT_F_VCPU_CR3 },
	{ SPT_REGISTER_CR4, SPT_F_VCPU_CR4 },
	{ SPT_REGISTER_EFER, SPT_F_VCPU_EFER },
	{ SPT_REGISTER_XCR0, SPT_F_VCPU_XCR0 },
	{ SPT_REGISTER_DR6, SPT_F_VCPU_DR6 },
	{ SPT_REGISTER_DR7, SPT_F_VCPU_DR7 },
};

static void spt_regs_array(struct spt_regs_read *r)
{
	const u64 *regs = spt_at(r->vcpu, SPT_F_VCPU_REGS);
	u32 count = spt_layout.bytes[SPT_F_VCPU_REGS] / sizeof(u64);
	u64 avail = ~0ULL;
	unsigned int i;
	u64 value;

	spt_load(r->vcpu, SPT_F_VCPU_REGS_AVAIL, &avail);
	for (i = 0; i < SPT_GPRS; i++)
		if ((avail & BIT_ULL(i)) && !spt_read(&value, &regs[i], sizeof(value)))
			spt_regs_set(r, SPT_REGISTER_RAX + i, value);
	if ((avail & BIT_ULL(SPT_REG_RIP)) &&
	    (!spt_load(r->vcpu, SPT_F_VCPU_RIP, &value) ||
	     (!spt_has(SPT_F_VCPU_RIP) && count > SPT_GPRS &&
	      !spt_read(&value, &regs[SPT_GPRS], sizeof(value)))))
		spt_regs_set(r, SPT_REGISTER_RIP, value);
	if (spt_has(SPT_F_VCPU_DB))
		for (i = 0; i < SPT_DRS; i++)
			if (!spt_read(&value, (const u64 *)spt_at(r->vcpu, SPT_F_VCPU_DB) + i,
				      sizeof(value)))
				spt_regs_set(r, SPT_REGISTER_DR0 + i, value);
}

/* kvm_arch_vcpu.last_guest_tsc is the guest's TSC when it left last. */
static void spt_regs_age(struct spt_regs_read *r)
{
	unsigned int fraction = spt_layout.vendor == SPT_VENDOR_SVM ? 32 : 48;
	u64 ratio = BIT_ULL(fraction);
	u64 offset;
	u64 then;
	u64 now;
	u64 khz;

	if (spt_load(r->vcpu, SPT_F_VCPU_LAST_GUEST_TSC, &then) || !then ||
	    spt_load(r->vcpu, SPT_F_VCPU_TSC_OFFSET, &offset) ||
	    spt_load(r->vcpu, SPT_F_VCPU_TSC_KHZ, &khz) || !khz)
		return;
	now = rdtsc();
	if (!spt_load(r->vcpu, SPT_F_VCPU_TSC_RATIO, &ratio) && ratio != BIT_ULL(fraction))
		now = mul_u64_u64_shr(now, ratio, fraction);
	now += offset;
	now = (s64)(now - then) > 0 ? now - then : 0;
	spt_regs_set(r, SPT_REGISTER_AGE_NS, div64_u64(now, khz) * 1000000 +
		     div64_u64((now % khz) * 1000000, khz));
}

static bool spt_regs_nested(const struct spt_regs_read *r)
{
	const struct spt_field *mode = &spt_layout.field[SPT_F_ROLE_GUEST_MODE];
	u64 role = 0;

	if (r->mmu == spt_at(r->vcpu, SPT_F_VCPU_GUEST_MMU))
		return true;
	return mode->present && !spt_load(r->mmu, SPT_F_MMU_ROOT_ROLE, &role) &&
	       ((role >> mode->shift) & mode->mask);
}

/* In any context; the record begins anew. */
static void spt_regs_all(struct spt_regs_read *r)
{
	unsigned int i;
	u64 value;

	memset(r->values->known, 0, sizeof(r->values->known));
	/* Of the same moment: it goes to its own guest and back. */
	r->mmu = spt_vcpu_mmu(r->vcpu);
	for (i = 0; i < ARRAY_SIZE(spt_regs_fields); i++)
		if (!spt_load(r->vcpu, spt_regs_fields[i].field, &value))
			spt_regs_set(r, spt_regs_fields[i].value, value);
	r->nested = spt_regs_nested(r);
	spt_regs_set(r, SPT_REGISTER_NESTED, r->nested);
	spt_regs_array(r);
	if (spt_layout.vendor == SPT_VENDOR_SVM)
		spt_regs_vmcb(r);
	else
		spt_regs_vmcs(r);
	spt_regs_age(r);
}

static bool spt_regs_outside(const struct spt_regs_read *r)
{
	u64 mode = 1;

	spt_load(r->vcpu, SPT_F_VCPU_MODE, &mode);
	return !mode;
}

/* On the CPU that had the vCPU a moment ago: while we are here it runs nowhere else. */
static void spt_regs_here(void *arg)
{
	struct spt_regs_read *r = arg;
	u64 cpu;

	if (spt_load(r->vcpu, SPT_F_VCPU_CPU, &cpu) || (u32)cpu != smp_processor_id())
		return;
	r->vmcs = r->want_vmcs && spt_vmcs_is_current(r->want_vmcs) ? r->want_vmcs : NULL;
	r->outside = spt_regs_outside(r);
	spt_regs_all(r);
	r->vmcs = NULL;
	r->done = true;
}

static bool spt_regs_on_its_cpu(struct spt_regs_read *r)
{
	unsigned int i;
	u64 vmcs_cpu;
	u64 cpu;

	r->done = false;
	for (i = 0; i < SPT_FOLLOW_TRIES && !r->done; i++) {
		if (spt_layout.vendor == SPT_VENDOR_VMX)
			r->want_vmcs = spt_vmcs_of(r->vcpu, &vmcs_cpu);
		if (spt_load(r->vcpu, SPT_F_VCPU_CPU, &cpu) || (u32)cpu >= nr_cpu_ids ||
		    smp_call_function_single((u32)cpu, spt_regs_here, r, 1))
			return false;
	}
	return r->done;
}

/* From another CPU: of one moment only if the vCPU was outside all the time. */
static enum spt_regs_source spt_regs_from_afar(struct spt_regs_read *r)
{
	bool outside = spt_regs_outside(r);
	u64 before = 0;
	u64 after = 0;

	spt_load(r->vcpu, SPT_F_VCPU_STAT_EXITS, &before);
	spt_regs_all(r);
	spt_load(r->vcpu, SPT_F_VCPU_STAT_EXITS, &after);
	return outside && spt_regs_outside(r) && before == after ? SPT_REGS_OUTSIDE :
								   SPT_REGS_LAST_EXIT;
}

static enum spt_regs_source spt_regs_take(struct spt_regs_read *r, bool fresh)
{
	bool outside = spt_regs_outside(r);

	if (outside ? spt_layout.vendor == SPT_VENDOR_VMX : fresh) {
		if (spt_regs_on_its_cpu(r) && r->outside)
			return outside ? SPT_REGS_OUTSIDE : SPT_REGS_INTERRUPTED;
	}
	return spt_regs_from_afar(r);
}

int spt_regs_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	struct spt_regs_read r = { };
	enum spt_regs_source source = SPT_REGS_PROTECTED;
	u64 secret = 0;
	int error;
	u64 id;

	r.vcpu = spt_vcpu(reader, at->index);
	if (!r.vcpu)
		return 0;
	r.values = spt_record(reader, SPT_REC_REGS,
			      struct_size(r.values, value, SPT_REGISTER_COUNT));
	spt_load(r.vcpu, SPT_F_VCPU_PROTECTED, &secret);
	if (!secret)
		source = spt_regs_take(&r, reader->request.parts & SPT_PART_FRESH);
	else if (!spt_load(r.vcpu, SPT_F_VCPU_ID, &id))
		spt_regs_set(&r, SPT_REGISTER_VCPU_ID, id);
	spt_regs_set(&r, SPT_REGISTER_SOURCE, source);
	error = spt_put(reader, r.values);
	at->index++;
	return error ? error : 1;
}
