// SPDX-License-Identifier: GPL-2.0
#include "spt/nested_tables.h"

#include "decoders/role.h"

/* Accessed and dirty: APM Vol. 2 5.4.1; SDM Vol. 3C 28.3.5. */
#define NPT_AD (SPT_BIT(5) | SPT_BIT(6))
#define EPT_AD (SPT_BIT(8) | SPT_BIT(9))

/*
 * Guest mode execute trap: KVM keeps it in the role of the root (kvm_init_shadow_npt_mmu()). In
 * the vCPU's role the bit is not it: kernels that have it there speak of L2's own CR4.SMEP.
 */
static bool has_gmet(const struct spt_model *m, const struct spt_vcpu_ref *vcpu)
{
	uint64_t role;

	return m->image.head.vendor == SPT_VENDOR_SVM &&
	       spt_value(&vcpu->values, SPT_VCPU_ROOT_ROLE, &role) &&
	       spt_role_get(m->format.role, role, SPT_ROLE_CR4_SMEP);
}

void spt_nested_tables_of(const struct spt_model *m, const struct spt_vcpu_ref *vcpu,
			  struct spt_nested_tables *ret)
{
	uint64_t in_guest_mmu, role;

	*ret = (struct spt_nested_tables){ 0 };
	if (!spt_value(&vcpu->values, SPT_VCPU_IN_GUEST_MMU, &in_guest_mmu) || !in_guest_mmu ||
	    !spt_value(&vcpu->values, SPT_VCPU_CPU_ROLE, &role) ||
	    !spt_value(&vcpu->values, SPT_VCPU_ROOT_PGD, &ret->top))
		return;
	spt_guest_mmu_nested(&ret->mmu, m->image.head.vendor == SPT_VENDOR_VMX,
			     (int)spt_role_get(m->format.role, role, SPT_ROLE_LEVEL),
			     spt_role_get(m->format.role, role, SPT_ROLE_EFER_NX),
			     m->image.head.maxphyaddr);
	ret->on = ret->mmu.paging != SPT_GUEST_NO_PAGING;
	ret->gmet = has_gmet(m, vcpu);
	ret->top = spt_guest_top_table(&ret->mmu, ret->top);
}

const char *spt_nested_format_name(const struct spt_nested_tables *tables)
{
	return tables->mmu.ept ? "EPT" : "NPT";
}

/* Every access of a guest is one of user mode to NPT: APM Vol. 2 15.25.5. Not under GMET. */
static bool entry_keeps_out(const struct spt_nested_tables *tables, const struct spt_gpte *gpte)
{
	return !tables->mmu.ept && !tables->gmet && gpte->present && !gpte->user;
}

const char *spt_nested_absence(const struct spt_nested_tables *tables,
			       const struct spt_nested_walk *walk)
{
	if (walk->nr_levels && walk->level[walk->nr_levels - 1].keeps_out)
		return "for which the guest's NPT has an entry without U, which keeps every guest out";
	return tables->mmu.ept ? "for which the guest's EPT has nothing"
			       : "for which the guest's NPT has nothing";
}

enum spt_guest_read spt_nested_walk(const struct spt_nested_tables *tables,
				    struct spt_guest_memory *memory, const struct spt_model *model,
				    unsigned int as_id, uint64_t gpa, struct spt_nested_walk *ret)
{
	const struct spt_guest_mmu *mmu = &tables->mmu;
	uint64_t table = tables->top;

	*ret = (struct spt_nested_walk){ .from = gpa };
	for (int level = spt_guest_levels(mmu); level >= 1; level--) {
		struct spt_nested_level *l = &ret->level[ret->nr_levels++];
		uint64_t entry = 0;

		l->level = level;
		l->table_gpa = table;
		l->index = spt_guest_index(mmu, gpa, level);
		l->entry_gpa = table + (uint64_t)l->index * spt_guest_entry_size(mmu);
		l->read = spt_guest_memory_read(memory, model, as_id, l->entry_gpa, &entry,
						spt_guest_entry_size(mmu));
		if (l->read != SPT_GUEST_READ)
			return l->read;
		l->gpte = spt_gpte_decode(mmu, entry, level);
		l->keeps_out = entry_keeps_out(tables, &l->gpte);
		if (!l->gpte.present || l->gpte.reserved || l->keeps_out)
			break;
		if (l->gpte.leaf) {
			ret->mapped = true;
			ret->page_size = l->gpte.size;
			ret->gpa = l->gpte.gpa + (gpa & (l->gpte.size - 1));
			break;
		}
		table = l->gpte.gpa;
	}
	return SPT_GUEST_READ;
}

bool spt_nested_still_so(const struct spt_nested_tables *tables, struct spt_guest_memory *memory,
			 const struct spt_model *model, unsigned int as_id,
			 const struct spt_nested_walk *walk)
{
	const uint64_t moving = tables->mmu.ept ? EPT_AD : NPT_AD;

	for (unsigned int i = 0; i < walk->nr_levels; i++) {
		const struct spt_nested_level *l = &walk->level[i];
		uint64_t entry = 0;

		if (l->read != SPT_GUEST_READ)
			continue;
		if (spt_guest_memory_read(memory, model, as_id, l->entry_gpa, &entry,
					  spt_guest_entry_size(&tables->mmu)) != SPT_GUEST_READ ||
		    (entry ^ l->gpte.raw) & ~moving)
			return false;
	}
	return true;
}

enum spt_guest_read spt_nested_memory_read(const struct spt_nested_tables *tables,
					   struct spt_guest_memory *memory,
					   const struct spt_model *model, unsigned int as_id,
					   uint64_t *gpa, void *buf, size_t len)
{
	struct spt_nested_walk walk;
	enum spt_guest_read read;

	if (tables->on) {
		read = spt_nested_walk(tables, memory, model, as_id, *gpa, &walk);
		if (read != SPT_GUEST_READ)
			return read;
		if (!walk.mapped)
			return SPT_GUEST_NOT_NESTED;
		*gpa = walk.gpa;
	}
	return spt_guest_memory_read(memory, model, as_id, *gpa, buf, len);
}
