// SPDX-License-Identifier: GPL-2.0
/*
 * The first records of an image and the last: what is needed to decode it, and
 * whether it held still.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/srcu.h>
#include <linux/swap.h>
#include <linux/utsname.h>

#include "agent.h"
#include "reader.h"

/* A bit of the role and the field that says where it is. */
static const struct {
	enum spt_role_bit bit;
	enum spt_field_id field;
	const char *name;
} spt_role_fields[SPT_ROLE_COUNT] = {
#define B(id, name) { SPT_ROLE_##id, SPT_F_ROLE_##id, #name },
	SPT_ROLE_BITS(B)
#undef B
};

static const struct {
	enum spt_symbol_id symbol;
	u8 size;
} spt_mask_symbols[SPT_MASK_COUNT] = {
	[SPT_MASK_HOST_WRITABLE] = { SPT_S_HOST_WRITABLE_MASK, 8 },
	[SPT_MASK_MMU_WRITABLE] = { SPT_S_MMU_WRITABLE_MASK, 8 },
	[SPT_MASK_NX] = { SPT_S_NX_MASK, 8 },
	[SPT_MASK_X] = { SPT_S_X_MASK, 8 },
	[SPT_MASK_XS] = { SPT_S_XS_MASK, 8 },
	[SPT_MASK_XU] = { SPT_S_XU_MASK, 8 },
	[SPT_MASK_USER] = { SPT_S_USER_MASK, 8 },
	[SPT_MASK_ACCESSED] = { SPT_S_ACCESSED_MASK, 8 },
	[SPT_MASK_DIRTY] = { SPT_S_DIRTY_MASK, 8 },
	[SPT_MASK_MMIO_VALUE] = { SPT_S_MMIO_VALUE, 8 },
	[SPT_MASK_MMIO_MASK] = { SPT_S_MMIO_MASK, 8 },
	[SPT_MASK_MMIO_ACCESS] = { SPT_S_MMIO_ACCESS_MASK, 8 },
	[SPT_MASK_PRESENT] = { SPT_S_PRESENT_MASK, 8 },
	[SPT_MASK_MEMTYPE] = { SPT_S_MEMTYPE_MASK, 8 },
	[SPT_MASK_ME_VALUE] = { SPT_S_ME_VALUE, 8 },
	[SPT_MASK_ME_MASK] = { SPT_S_ME_MASK, 8 },
	[SPT_MASK_ACC_TRACK] = { SPT_S_ACC_TRACK_MASK, 8 },
	[SPT_MASK_NONPRESENT_OR_RSVD] = { SPT_S_NONPRESENT_OR_RSVD_MASK, 8 },
	[SPT_MASK_RSVD_LOWER_GFN] = { SPT_S_RSVD_LOWER_GFN_MASK, 8 },
	[SPT_MASK_MMIO_CACHING] = { SPT_S_MMIO_CACHING, 1 },
	[SPT_MASK_TDP_ENABLED] = { SPT_S_TDP_ENABLED, 1 },
	[SPT_MASK_NX_HUGE_PAGES] = { SPT_S_NX_HUGE_PAGES, 4 },
	[SPT_MASK_AD_ENABLED] = { SPT_S_AD_ENABLED, 1 },
	[SPT_MASK_TDP_MMU_ENABLED] = { SPT_S_TDP_MMU_ENABLED, 1 },
	[SPT_MASK_MAX_HUGE_LEVEL] = { SPT_S_MAX_HUGE_LEVEL, 4 },
};

bool spt_mask_value(enum spt_mask mask, u64 *value)
{
	return !spt_load_symbol(spt_mask_symbols[mask].symbol, spt_mask_symbols[mask].size, value);
}

static u8 spt_maxphyaddr(void)
{
	u64 bits;
	const void *host = (void *)(unsigned long)spt_layout.symbol[SPT_S_KVM_HOST];

	if (host && !spt_load(host, SPT_F_HOST_MAXPHYADDR, &bits))
		return bits;
	if (!spt_load_symbol(SPT_S_PHYS_BITS, 1, &bits))
		return bits;
	return boot_cpu_data.x86_phys_bits;
}

/* Levels of the root that the first vCPU would use if it ran with paging off. */
static u8 spt_root_level(const struct kvm *kvm)
{
	const struct spt_field *level = &spt_layout.field[SPT_F_ROLE_LEVEL];
	const void *vcpu = spt_xa_load(spt_at(kvm, SPT_F_KVM_VCPU_ARRAY), 0);
	u64 role;

	if (!vcpu || spt_load(spt_at(vcpu, SPT_F_VCPU_ROOT_MMU), SPT_F_MMU_ROOT_ROLE, &role))
		return 0;
	return (role >> level->shift) & level->mask;
}

bool spt_vm_tdp_mmu(const struct kvm *kvm)
{
	u64 enabled;

	/* 6.1 has it per VM; the parameter may say yes there with TDP off. */
	if (!spt_load(kvm, SPT_F_KVM_TDP_MMU_ENABLED, &enabled))
		return enabled && spt_layout.mmu != SPT_MMU_SHADOW;
	return spt_layout.tdp_mmu;
}

/* What must not change until the end, or the image is torn. */
static void spt_begin(struct spt_reader *reader)
{
	const struct kvm *kvm = reader->vm.kvm;

	spt_load(kvm, SPT_F_KVM_INVALIDATE_SEQ, &reader->seq);
	spt_load(kvm, SPT_F_KVM_INVALIDATE_IN_PROGRESS, &reader->in_progress);
	spt_slots_generations(reader, reader->generation);
	spt_load(kvm, SPT_F_KVM_GFN_DIRECT_BITS, &reader->direct_bits);
	if (!spt_tdx_external(&reader->external_readable))
		reader->external_readable = false;
	if (spt_load(kvm, SPT_F_KVM_SHADOW_MMIO_VALUE, &reader->mmio_value))
		spt_load_symbol(SPT_S_MMIO_VALUE, 8, &reader->mmio_value);
}

/* KVM sets its masks when the vendor module is loaded; nx_huge_pages alone may change later. */
static void spt_masks_prepare(struct spt_reader *reader)
{
	struct spt_masks *masks = &reader->masks;
	unsigned int i;

	masks->rec.type = SPT_REC_MASKS;
	masks->rec.len = sizeof(*masks);
	for (i = 0; i < SPT_MASK_COUNT; i++)
		if (spt_mask_value(i, &masks->value[i]))
			masks->known |= BIT_ULL(i);
}

void spt_head_prepare(struct spt_reader *reader)
{
	struct spt_head *head = &reader->head;
	unsigned int i;

	spt_masks_prepare(reader);
	head->rec.type = SPT_REC_HEAD;
	head->rec.len = sizeof(*head);
	head->magic = SPT_IMAGE_MAGIC;
	head->abi = SPT_IMAGE_ABI;
	head->vendor = spt_layout.vendor;
	head->mmu = spt_layout.mmu;
	head->tdp_mmu = spt_vm_tdp_mmu(reader->vm.kvm);
	strscpy(head->release, init_utsname()->release, sizeof(head->release));
	strscpy(head->agent, SPT_AGENT_VERSION, sizeof(head->agent));
	memcpy(head->kvm_build_id, spt_layout.kvm_build_id, sizeof(head->kvm_build_id));
	strscpy(head->id, reader->vm.name, sizeof(head->id));
	spt_vm_owner(&reader->vm, &head->pid, head->comm);
	head->fd = reader->vm.fd;
	head->maxphyaddr = spt_maxphyaddr();
	head->swp_first_special = MAX_SWAPFILES;
	head->swp_first_migration = SWP_MIGRATION_READ;
	head->spte_addr_mask = spt_layout.addr_mask;
	head->empty_spte = spt_layout.empty_spte;
	head->frozen_spte = spt_layout.frozen_spte;
	for (i = 0; i < SPT_ROLE_COUNT; i++) {
		const struct spt_field *field = &spt_layout.field[spt_role_fields[i].field];

		head->role[i].shift = field->present ? field->shift : 0;
		head->role[i].width = field->present ? hweight64(field->mask) : 0;
	}
}

int spt_head_step(struct spt_reader *reader)
{
	struct spt_head *head = &reader->head;

	spt_begin(reader);
	head->time_ns = ktime_get_real_ns();
	head->req_start = reader->request.start;
	head->req_len = reader->request.len;
	head->req_parts = reader->request.parts;
	head->root_level = spt_root_level(reader->vm.kvm);
	return spt_put(reader, head);
}

int spt_masks_step(struct spt_reader *reader)
{
	struct spt_masks *masks = &reader->masks;

	spt_mask_value(SPT_MASK_NX_HUGE_PAGES, &masks->value[SPT_MASK_NX_HUGE_PAGES]);
	masks->value[SPT_MASK_MMIO_VALUE] = reader->mmio_value;
	return spt_put(reader, masks);
}

int spt_end_step(struct spt_reader *reader)
{
	const struct kvm *kvm = reader->vm.kvm;
	struct spt_end *end = spt_record(reader, SPT_REC_END, sizeof(*end));
	unsigned int i;

	end->records = reader->out.records + 1;
	end->tables = reader->out.tables;
	end->entries = reader->out.entries;
	spt_load(kvm, SPT_F_KVM_INVALIDATE_SEQ, &end->seq_end);
	spt_load(kvm, SPT_F_KVM_INVALIDATE_IN_PROGRESS, &end->in_progress_end);
	spt_slots_generations(reader, end->generation_end);
	end->time_ns = ktime_get_real_ns();
	if (reader->torn || reader->in_progress || end->in_progress_end ||
	    end->seq_end != reader->seq ||
	    memcmp(end->generation_end, reader->generation, sizeof(reader->generation)))
		end->flags = SPT_END_TORN;
	/* Of all words before the checksum, which is the last one. */
	end->checksum = reader->out.sum;
	for (i = 0; i < offsetof(struct spt_end, checksum) / sizeof(u64); i++)
		end->checksum += spt_checksum_word(reader->out.word + i, ((u64 *)end)[i]);
	return spt_put(reader, end);
}
