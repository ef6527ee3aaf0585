// SPDX-License-Identifier: GPL-2.0
#include "spt/guest_regs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "decoders/role.h"

#define CR0_PE	 SPT_BIT(0)
#define CR0_WP	 SPT_BIT(16)
#define CR0_PG	 SPT_BIT(31)
#define CR4_PAE	 SPT_BIT(5)
#define EFER_LMA SPT_BIT(10)
#define EFER_NXE SPT_BIT(11)

/* Whether the vCPU ran its own guest: on nested paging, or by the role of its root. */
static unsigned int nested_flags(const struct spt_model *m, const struct spt_vcpu_ref *vcpu,
				 const struct spt_nested_tables *tables)
{
	uint64_t value;

	if (spt_value(&vcpu->values, SPT_VCPU_IN_GUEST_MMU, &value) && value)
		return SPT_REGS_NESTED | (tables->on ? 0 : SPT_REGS_NO_TABLES);
	if (spt_value(&vcpu->values, SPT_VCPU_ROOT_ROLE, &value) &&
	    spt_role_get(m->format.role, value, SPT_ROLE_GUEST_MODE))
		return SPT_REGS_NESTED;
	return 0;
}

/* SEV-ES, SNP, TDX: the registers are saved where the host cannot read them. */
static bool state_is_hidden(const struct spt_model *m, const struct spt_vcpu_ref *vcpu)
{
	const char *type = spt_model_vm_type(m);
	uint64_t value;

	return (spt_value(&m->vm, SPT_VM_HAS_PROTECTED_STATE, &value) && value) ||
	       (spt_value(&vcpu->values, SPT_VCPU_STATE_PROTECTED, &value) && value) ||
	       !strcmp(type, "sev-es") || !strcmp(type, "snp") || !strcmp(type, "tdx");
}

static void take(const struct spt_vcpu_ref *vcpu, enum spt_vcpu_value nr, uint64_t *to,
		 unsigned int *flags, unsigned int missing)
{
	if (!spt_value(&vcpu->values, nr, to))
		*flags |= missing;
}

static void take_pdptrs(const struct spt_model *m, const struct spt_vcpu_ref *vcpu,
			struct spt_guest_regs *r)
{
	/* With NPT the processor reads them from memory like any other entry (APM Vol. 2 15.25). */
	r->have_pdptrs = m->image.head.vendor == SPT_VENDOR_VMX;
	for (unsigned int i = 0; i < 4; i++)
		r->have_pdptrs &= spt_value(&vcpu->values, SPT_VCPU_PDPTR0 + i, &r->pdptr[i]);
}

void spt_guest_regs_of(const struct spt_model *m, const struct spt_vcpu_ref *vcpu,
		       struct spt_guest_regs *r)
{
	uint64_t value;

	*r = (struct spt_guest_regs){ .vcpu = -1 };
	if (spt_value(&vcpu->values, SPT_VCPU_ID, &value))
		r->vcpu = (int64_t)value;
	take(vcpu, SPT_VCPU_CR0, &r->cr0, &r->flags, SPT_REGS_NO_VALUE);
	take(vcpu, SPT_VCPU_CR4, &r->cr4, &r->flags, SPT_REGS_NO_VALUE);
	take(vcpu, SPT_VCPU_EFER, &r->efer, &r->flags, SPT_REGS_NO_VALUE);
	take(vcpu, SPT_VCPU_CR3, &r->cr3, &r->flags, SPT_REGS_NO_CR3);
	r->have_pkru = spt_value(&vcpu->values, SPT_VCPU_PKRU, &value);
	r->pkru = r->have_pkru ? value : 0;
	take_pdptrs(m, vcpu, r);
	if (spt_value(&vcpu->values, SPT_VCPU_CR3_FRESH, &value) && !value)
		r->flags |= SPT_REGS_CR3_OLD;
	if (spt_value(&vcpu->values, SPT_VCPU_REGS_FRESH, &value) && !value)
		r->flags |= SPT_REGS_RUNNING;
	if (spt_value(&vcpu->values, SPT_VCPU_ROOT_ROLE, &value))
		r->as_id = spt_role_get(m->format.role, value, SPT_ROLE_SMM) != 0;
	spt_nested_tables_of(m, vcpu, &r->nested);
	r->flags |= nested_flags(m, vcpu, &r->nested);
	if (state_is_hidden(m, vcpu))
		r->flags |= SPT_REGS_HIDDEN;
	spt_guest_mmu_init(&r->mmu, r->cr0, r->cr4, r->efer, m->image.head.maxphyaddr);
}

int spt_guest_regs_find(const struct spt_model *m, int64_t vcpu, struct spt_guest_regs *ret,
			struct spt_error *err)
{
	struct spt_guest_regs regs;
	int best = 0;

	for (uint32_t i = 0; i < m->nr_vcpus; i++) {
		int fit = 1;

		spt_guest_regs_of(m, &m->vcpus[i], &regs);
		if (vcpu != SPT_ANY_VCPU)
			fit = regs.vcpu == vcpu ? 3 : 0;
		else if (!spt_guest_regs_refuse(&regs))
			fit = regs.flags & SPT_REGS_NESTED ? 2 : 3;
		if (fit > best) {
			best = fit;
			*ret = regs;
		}
	}
	if (best)
		return 0;
	if (!m->nr_vcpus)
		return spt_fail(err, ENOENT, "%s has no vCPU whose tables could be walked",
				m->image.name);
	return spt_fail(err, ENOENT, "%s has no vCPU %" PRId64 ": 'vcpus' lists them",
			m->image.name, vcpu);
}

void spt_guest_regs_set_cr3(struct spt_guest_regs *r, uint64_t cr3)
{
	r->cr3 = cr3;
	r->have_pdptrs = false;
	r->flags &= ~(SPT_REGS_CR3_OLD | SPT_REGS_NO_CR3);
	r->flags |= SPT_REGS_GIVEN;
	if (!(r->flags & (SPT_REGS_NESTED | SPT_REGS_HIDDEN | SPT_REGS_NO_VALUE)))
		return;
	r->flags &= ~(SPT_REGS_NESTED | SPT_REGS_HIDDEN | SPT_REGS_NO_VALUE | SPT_REGS_NO_TABLES);
	r->flags |= SPT_REGS_ASSUMED;
	r->nested.on = false;
	r->cr0 = CR0_PE | CR0_WP | CR0_PG;
	r->cr4 = CR4_PAE;
	r->efer = EFER_LMA | EFER_NXE;
	spt_guest_mmu_init(&r->mmu, r->cr0, r->cr4, r->efer, r->mmu.maxphyaddr);
}

/* The first row whose flag is set speaks. */
struct flag_text {
	unsigned int flag;
	const char *text;
};

static const char *first_text(unsigned int flags, const struct flag_text *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (flags & rows[i].flag)
			return rows[i].text;
	return NULL;
}

const char *spt_guest_regs_refuse(const struct spt_guest_regs *r)
{
	static const struct flag_text rows[] = {
		{ SPT_REGS_HIDDEN,
		  "the guest's registers are protected: the host does not have them" },
		{ SPT_REGS_NO_TABLES,
		  "the vCPU runs its own guest (L2) on nested page tables that this image does not name: give the guest's own CR3 with --cr3, or another --vcpu" },
		{ SPT_REGS_NO_VALUE,
		  "CR0, CR4 or EFER of the vCPU is not known: give --cr3 to assume 64-bit paging" },
		{ SPT_REGS_NO_CR3, "CR3 of the vCPU is not known: give one with --cr3" },
	};

	return first_text(r->flags, rows, sizeof(rows) / sizeof(rows[0]));
}

const char *spt_guest_regs_doubt(const struct spt_guest_regs *r)
{
	static const struct flag_text rows[] = {
		{ SPT_REGS_CR3_OLD,
		  "CR3 is the copy that KVM made last: the guest loads CR3 without an exit and may have another by now" },
		{ SPT_REGS_ASSUMED,
		  "4-level paging with NX is assumed: the registers are not the guest's own" },
		{ SPT_REGS_RUNNING,
		  "the vCPU was running: its registers are those of its last exit, the guest may have loaded others" },
	};
	unsigned int flags = r->flags;

	/* A CR3 that was given does not age; what else is needed of a running vCPU hardly does. */
	if (flags & SPT_REGS_GIVEN)
		flags &= ~SPT_REGS_RUNNING;
	return first_text(flags, rows, sizeof(rows) / sizeof(rows[0]));
}
