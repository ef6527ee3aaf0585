// SPDX-License-Identifier: GPL-2.0
/*
 * What KVM's TDX host support keeps of a TD: struct kvm_tdx and vcpu_tdx around
 * struct kvm and kvm_vcpu. Addresses only: the pages themselves are the TDX
 * module's, encrypted with its keys, and are never looked into. The same goes for
 * the external tables of a TD, which is why they are left out on such a host.
 */
#include <linux/mm.h>

#include "reader.h"

#define SPT_TDX_PAGES_MAX	64

bool spt_tdx_external(bool *readable)
{
	if (!spt_has(SPT_F_SP_EXTERNAL_SPT) || !spt_has(SPT_F_ROLE_IS_MIRROR))
		return false;
	/* Intel's are behind SEAMCALLs; elsewhere whoever keeps them does so in the open. */
	*readable = spt_layout.vendor != SPT_VENDOR_VMX;
	return true;
}

static const void *spt_kvm_tdx(const struct kvm *kvm)
{
	u64 type;

	if (spt_layout.vendor != SPT_VENDOR_VMX || !spt_has(SPT_F_KVM_TDX_KVM) ||
	    spt_load(kvm, SPT_F_KVM_VM_TYPE, &type) || type != SPT_VM_TYPE_TDX)
		return NULL;
	return (const void *)kvm - spt_layout.field[SPT_F_KVM_TDX_KVM].offset;
}

static const void *spt_vcpu_tdx(const struct kvm *kvm, const void *vcpu)
{
	if (!spt_kvm_tdx(kvm) || !spt_has(SPT_F_VCPU_TDX_VCPU))
		return NULL;
	return vcpu - spt_layout.field[SPT_F_VCPU_TDX_VCPU].offset;
}

/* The address of the page that a struct page of KVM's stands for; SPT_NO_HPA: it is none. */
static u64 spt_tdx_page_hpa(u64 address)
{
	const struct page *page = (const struct page *)(unsigned long)address;
	unsigned long offset = address - (unsigned long)vmemmap;

	if (address < (unsigned long)vmemmap || offset % sizeof(*page) ||
	    !pfn_valid(offset / sizeof(*page)))
		return SPT_NO_HPA;
	return PFN_PHYS(page_to_pfn(page));
}

/* A field that is a struct page, or its address where KVM keeps that. */
static void spt_tdx_page_value(const void *object, enum spt_field_id id,
			       struct spt_values *values, unsigned int i)
{
	u64 value;

	if (spt_load(object, id, &value) || !value)
		return;
	spt_values_set(values, i, spt_layout.flags[id] & SPT_FIELD_POINTER ?
		       spt_tdx_page_hpa(value) : value);
}

void spt_tdx_vm_values(const struct kvm *kvm, struct spt_values *values)
{
	static const struct {
		enum spt_vm_value value;
		enum spt_field_id field;
	} plain[] = {
		{ SPT_VM_TDX_STATE, SPT_F_TDX_STATE },
		{ SPT_VM_TDX_ATTRIBUTES, SPT_F_TDX_ATTRIBUTES },
		{ SPT_VM_TDX_XFAM, SPT_F_TDX_XFAM },
		{ SPT_VM_TDX_TDCS_PAGES, SPT_F_TDX_TDCS_COUNT },
	};
	const void *tdx = spt_kvm_tdx(kvm);
	bool readable;
	unsigned int i;
	u64 value;

	if (spt_tdx_external(&readable))
		spt_values_set(values, SPT_VM_EXTERNAL_READABLE, readable);
	if (!tdx)
		return;
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (!spt_load(tdx, plain[i].field, &value))
			spt_values_set(values, plain[i].value, value);
	if (!spt_load(tdx, SPT_F_TDX_HKID, &value))
		spt_values_set(values, SPT_VM_TDX_HKID, (s64)(s32)value);
	spt_tdx_page_value(tdx, SPT_F_TDX_TDR, values, SPT_VM_TDX_TDR);
}

void spt_tdx_vcpu_values(const struct spt_reader *reader, const void *vcpu,
			 struct spt_values *values)
{
	const void *tdx = spt_vcpu_tdx(reader->vm.kvm, vcpu);
	u64 value;

	if (!tdx)
		return;
	if (!spt_load(tdx, SPT_F_VCPU_TDX_STATE, &value))
		spt_values_set(values, SPT_VCPU_TDX_STATE, value);
	spt_tdx_page_value(tdx, SPT_F_VCPU_TDX_TDVPR, values, SPT_VCPU_TDX_TDVPR);
}

/* The pages that an array of @count struct page pointers names. */
static int spt_tdx_put_pages(struct spt_reader *reader, enum spt_tdx_page_kind kind, u32 vcpu,
			     const void *array, u64 count)
{
	struct spt_tdx_pages *rec = spt_record(reader, SPT_REC_TDX_PAGES, sizeof(*rec));
	const u64 *at = array;
	u64 page;

	if (!array || count > SPT_TDX_PAGES_MAX)
		return 0;
	for (; rec->count < count && !spt_read(&page, &at[rec->count], sizeof(page)); rec->count++)
		rec->hpa[rec->count] = spt_tdx_page_hpa(page);
	if (!rec->count)
		return 0;
	rec->kind = kind;
	rec->vcpu = vcpu;
	rec->rec.len = struct_size(rec, hpa, rec->count);
	return spt_put(reader, rec);
}

/* The TD's pages, then those of one vCPU after the other. */
int spt_tdx_pages_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	const void *tdx = spt_kvm_tdx(reader->vm.kvm);
	const void *vcpu;
	u64 count = 0;
	int error;

	if (!tdx)
		return 0;
	if (!at->index) {
		spt_load(tdx, SPT_F_TDX_TDCS_COUNT, &count);
		error = spt_tdx_put_pages(reader, SPT_TDX_TDCS, 0,
					  spt_load_pointer(tdx, SPT_F_TDX_TDCS), count);
	} else {
		vcpu = spt_vcpu(reader, at->index - 1);
		vcpu = vcpu ? spt_vcpu_tdx(reader->vm.kvm, vcpu) : NULL;
		if (!vcpu)
			return 0;
		spt_load(tdx, SPT_F_TDX_TDCX_COUNT, &count);
		error = spt_tdx_put_pages(reader, SPT_TDX_TDCX, at->index - 1,
					  spt_load_pointer(vcpu, SPT_F_VCPU_TDX_TDCX), count);
	}
	at->index++;
	return error ? error : 1;
}
