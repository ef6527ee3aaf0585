// SPDX-License-Identifier: GPL-2.0
/*
 * The VM record: counters and generations of struct kvm.
 */
#include "reader.h"

/* Values that one field has; the others are below. */
static const struct {
	enum spt_vm_value value;
	enum spt_field_id field;
} spt_vm_fields[] = {
	{ SPT_VM_USERS_COUNT, SPT_F_KVM_USERS_COUNT },
	{ SPT_VM_VM_TYPE, SPT_F_KVM_VM_TYPE },
	{ SPT_VM_HAS_PRIVATE_MEM, SPT_F_KVM_HAS_PRIVATE_MEM },
	{ SPT_VM_HAS_PROTECTED_STATE, SPT_F_KVM_HAS_PROTECTED_STATE },
	{ SPT_VM_PRE_FAULT_ALLOWED, SPT_F_KVM_PRE_FAULT_ALLOWED },
	{ SPT_VM_GFN_DIRECT_BITS, SPT_F_KVM_GFN_DIRECT_BITS },
	{ SPT_VM_CREATED_VCPUS, SPT_F_KVM_CREATED_VCPUS },
	{ SPT_VM_ONLINE_VCPUS, SPT_F_KVM_ONLINE_VCPUS },
	{ SPT_VM_MMU_VALID_GEN, SPT_F_KVM_MMU_VALID_GEN },
	{ SPT_VM_N_USED_MMU_PAGES, SPT_F_KVM_N_USED_MMU_PAGES },
	{ SPT_VM_N_REQUESTED_MMU_PAGES, SPT_F_KVM_N_REQUESTED_MMU_PAGES },
	{ SPT_VM_N_MAX_MMU_PAGES, SPT_F_KVM_N_MAX_MMU_PAGES },
	{ SPT_VM_INDIRECT_SHADOW_PAGES, SPT_F_KVM_INDIRECT_SHADOW_PAGES },
	{ SPT_VM_TDP_MMU_PAGES, SPT_F_KVM_TDP_MMU_PAGES },
	{ SPT_VM_MMU_INVALIDATE_SEQ, SPT_F_KVM_INVALIDATE_SEQ },
	{ SPT_VM_MMU_INVALIDATE_IN_PROGRESS, SPT_F_KVM_INVALIDATE_IN_PROGRESS },
	{ SPT_VM_MMU_INVALIDATE_RANGE_START, SPT_F_KVM_INVALIDATE_START },
	{ SPT_VM_MMU_INVALIDATE_RANGE_END, SPT_F_KVM_INVALIDATE_END },
	{ SPT_VM_PAGES_4K, SPT_F_KVM_STAT_PAGES_4K },
	{ SPT_VM_PAGES_2M, SPT_F_KVM_STAT_PAGES_2M },
	{ SPT_VM_PAGES_1G, SPT_F_KVM_STAT_PAGES_1G },
	{ SPT_VM_NX_LPAGE_SPLITS, SPT_F_KVM_STAT_NX_LPAGE_SPLITS },
	{ SPT_VM_DIRTY_RING_SIZE, SPT_F_KVM_DIRTY_RING_SIZE },
	{ SPT_VM_MANUAL_DIRTY_LOG_PROTECT, SPT_F_KVM_MANUAL_DIRTY_LOG_PROTECT },
	{ SPT_VM_CPU_DIRTY_LOG_SIZE, SPT_F_KVM_CPU_DIRTY_LOG_SIZE },
	{ SPT_VM_SHADOW_MMIO_VALUE, SPT_F_KVM_SHADOW_MMIO_VALUE },
	{ SPT_VM_DISABLED_QUIRKS, SPT_F_KVM_DISABLED_QUIRKS },
	{ SPT_VM_VM_BUGGED, SPT_F_KVM_VM_BUGGED },
	{ SPT_VM_VM_DEAD, SPT_F_KVM_VM_DEAD },
};

static void spt_vm_nx_pages(const struct kvm *kvm, struct spt_values *values)
{
	u64 shadow;
	u64 tdp;

	if (!spt_load(kvm, SPT_F_KVM_NX_PAGES_SHADOW, &shadow) &&
	    !spt_load(kvm, SPT_F_KVM_NX_PAGES_TDP, &tdp))
		spt_values_set(values, SPT_VM_POSSIBLE_NX_PAGES, shadow + tdp);
}

/* False: not said here. */
static bool spt_vm_sev(const struct kvm *kvm, u64 *active)
{
	const void *svm = (const void *)kvm - spt_layout.field[SPT_F_KVM_SVM_KVM].offset;

	return spt_layout.vendor == SPT_VENDOR_SVM && !spt_load(svm, SPT_F_SVM_SEV_ACTIVE, active);
}

bool spt_vm_encrypted(const struct kvm *kvm)
{
	u64 active;

	return spt_vm_sev(kvm, &active) && active;
}

int spt_vm_step(struct spt_reader *reader)
{
	const struct kvm *kvm = reader->vm.kvm;
	struct spt_values *values;
	unsigned int i;
	u64 value;

	values = spt_record(reader, SPT_REC_VM, struct_size(values, value, SPT_VM_COUNT));
	for (i = 0; i < ARRAY_SIZE(spt_vm_fields); i++)
		if (!spt_load(kvm, spt_vm_fields[i].field, &value))
			spt_values_set(values, spt_vm_fields[i].value, value);
	/* As it was when the image was begun: the end is compared with it. */
	spt_values_set(values, SPT_VM_MMU_INVALIDATE_SEQ, reader->seq);
	spt_values_set(values, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, reader->in_progress);
	for (i = 0; i < spt_address_spaces(reader); i++)
		spt_values_set(values, SPT_VM_GENERATION_0 + i, reader->generation[i]);
	spt_vm_nx_pages(kvm, values);
	if (spt_vm_sev(kvm, &value))
		spt_values_set(values, SPT_VM_SEV_ACTIVE, value);
	spt_tdx_vm_values(kvm, values);
	return spt_put(reader, values);
}

/*
 * The same once more behind everything else, for who compares what was counted with
 * KVM's counters. A walk of one page does without.
 */
int spt_vm_end_step(struct spt_reader *reader)
{
	u32 wanted = SPT_PART_DIRTY | SPT_PART_RMAPS | SPT_PART_HOST_RUNS;

	if (!reader->request.len)
		wanted |= SPT_PART_TABLES;
	return reader->request.parts & wanted ? spt_vm_step(reader) : 0;
}
