// SPDX-License-Identifier: GPL-2.0
#include "reader.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DIRECT_MAP 0xffff888000000000ULL

struct reader {
	const struct spt_layout *layout;
	const char *kvm;
	uint64_t (*hpa_of)(const void *va);
	struct mkimage *mk;
	uint64_t stolen_mask; /* gfn bits that tell shared from private; 0: no TD */
};

static bool has(const struct reader *r, enum spt_field_id id)
{
	return r->layout->field[id].state == SPT_FIELD_FOUND;
}

/* Where the member is, or what an array's or list's address is. */
static const char *at(const struct reader *r, const void *object, enum spt_field_id id)
{
	assert(has(r, id));
	return (const char *)object + r->layout->field[id].field.bit_offset / 8;
}

/* A number of up to 64 bits; 0 where this kernel has no such member. */
static uint64_t number(const struct reader *r, const void *object, enum spt_field_id id)
{
	const struct spt_layout_field *f = &r->layout->field[id].field;
	unsigned int shift = f->bit_offset % 8;
	uint64_t value = 0;

	if (!has(r, id))
		return 0;
	assert(f->bit_size <= 64 && shift + f->bit_size <= 64);
	memcpy(&value, at(r, object, id), (shift + f->bit_size + 7) / 8);
	value >>= shift;
	return f->bit_size == 64 ? value : value & ((1ULL << f->bit_size) - 1);
}

static const void *pointer(const struct reader *r, const void *object, enum spt_field_id id)
{
	return (const void *)(uintptr_t)number(r, object, id);
}

static int64_t signed_number(const struct reader *r, const void *object, enum spt_field_id id)
{
	unsigned int bits = r->layout->field[id].field.bit_size;

	return (int64_t)(number(r, object, id) << (64 - bits)) >> (64 - bits);
}

/* The role's bits as the image's head has them. */
static void read_role(struct reader *r)
{
	static const enum spt_field_id fields[SPT_ROLE_COUNT] = {
#define B(id, name) [SPT_ROLE_##id] = SPT_F_ROLE_##id,
		SPT_ROLE_BITS(B)
#undef B
	};
	struct spt_head *head = mkimage_head(r->mk);

	memset(head->role, 0, sizeof(head->role));
	for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++) {
		const struct spt_layout_field *f = &r->layout->field[fields[bit]].field;

		if (has(r, fields[bit]))
			head->role[bit] =
				(struct spt_bits){ (__u8)f->bit_offset, (__u8)f->bit_size };
	}
}

static void read_vm(struct reader *r)
{
	static const struct {
		enum spt_vm_value value;
		enum spt_field_id field;
	} values[] = {
		{ SPT_VM_USERS_COUNT, SPT_F_KVM_USERS_COUNT },
		{ SPT_VM_ONLINE_VCPUS, SPT_F_KVM_ONLINE_VCPUS },
		{ SPT_VM_CREATED_VCPUS, SPT_F_KVM_CREATED_VCPUS },
		{ SPT_VM_GFN_DIRECT_BITS, SPT_F_KVM_GFN_DIRECT_BITS },
		{ SPT_VM_MMU_VALID_GEN, SPT_F_KVM_MMU_VALID_GEN },
		{ SPT_VM_N_USED_MMU_PAGES, SPT_F_KVM_N_USED_MMU_PAGES },
		{ SPT_VM_MMU_INVALIDATE_SEQ, SPT_F_KVM_INVALIDATE_SEQ },
		{ SPT_VM_MMU_INVALIDATE_IN_PROGRESS, SPT_F_KVM_INVALIDATE_IN_PROGRESS },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (has(r, values[i].field))
			mkimage_vm(r->mk, values[i].value, number(r, r->kvm, values[i].field));
	r->stolen_mask = number(r, r->kvm, SPT_F_KVM_GFN_DIRECT_BITS);
	/* The kinds of VM had other numbers than today's KVM_X86_TDX_VM; the mask tells a TD. */
	mkimage_vm(r->mk, SPT_VM_VM_TYPE, r->stolen_mask ? 5 : 0);
	mkimage_head(r->mk)->pid = (int)number(r, r->kvm, SPT_F_KVM_USERSPACE_PID);
	snprintf(mkimage_head(r->mk)->id, sizeof(mkimage_head(r->mk)->id), "%d-9",
		 mkimage_head(r->mk)->pid);
	mkimage_head(r->mk)->fd = 9;
}

static void read_slot(struct reader *r, const void *slot, uint64_t generation)
{
	const struct spt_layout_field *offset = &r->layout->field[SPT_F_SLOT_GMEM_PGOFF].field;
	struct spt_slot *rec;

	rec = mkimage_slot(r->mk, (int)signed_number(r, slot, SPT_F_SLOT_ID),
			   (unsigned int)number(r, slot, SPT_F_SLOT_AS_ID),
			   number(r, slot, SPT_F_SLOT_BASE_GFN) << 12,
			   number(r, slot, SPT_F_SLOT_NPAGES) << 12,
			   number(r, slot, SPT_F_SLOT_HVA));
	rec->generation = generation;
	rec->flags = (uint32_t)number(r, slot, SPT_F_SLOT_FLAGS);
	rec->dirty_bitmap = pointer(r, slot, SPT_F_SLOT_DIRTY_BITMAP) != NULL;
	rec->known = has(r, SPT_F_SLOT_GMEM_FILE) ? SPT_SLOT_KNOWN_GMEM : 0;
	rec->gmem_file = pointer(r, slot, SPT_F_SLOT_GMEM_FILE) ? 4242 : 0;
	/* private_offset counts bytes, gmem.pgoff pages. */
	rec->gmem_pgoff = number(r, slot, SPT_F_SLOT_GMEM_PGOFF) >> (offset->alternative ? 12 : 0);
}

/* The sorted array; the image has its slots by rising gfn. */
static void read_slot_array(struct reader *r, const void *set, uint64_t generation)
{
	const short *index = (const void *)at(r, set, SPT_F_SLOTS_ID_TO_INDEX);
	size_t slot_size = r->layout->field[SPT_F_SLOT_SIZE].field.bit_size / 8;

	for (int i = (int)number(r, set, SPT_F_SLOTS_USED); i-- > 0;) {
		const char *slot = at(r, set, SPT_F_SLOTS_ARRAY) + (size_t)i * slot_size;

		assert(index[signed_number(r, slot, SPT_F_SLOT_ID)] == i);
		read_slot(r, slot, generation);
	}
}

/* As <linux/rbtree.h> has it. @offset: of the node in its slot. */
struct tree_node {
	unsigned long parent_color;
	const struct tree_node *right, *left;
};

static void read_slot_tree(struct reader *r, const struct tree_node *node, size_t offset,
			   uint64_t generation)
{
	if (!node)
		return;
	read_slot_tree(r, node->left, offset, generation);
	read_slot(r, (const char *)node - offset, generation);
	read_slot_tree(r, node->right, offset, generation);
}

static void read_slots(struct reader *r)
{
	const void *const *sets = (const void *)at(r, r->kvm, SPT_F_KVM_MEMSLOTS);

	for (int as = 0; as < 2; as++) {
		uint64_t generation = number(r, sets[as], SPT_F_SLOTS_GENERATION);
		size_t offset;

		mkimage_vm(r->mk, SPT_VM_GENERATION_0 + as, generation);
		if (r->layout->slots_form == SPT_SLOTS_ARRAY) {
			read_slot_array(r, sets[as], generation);
			continue;
		}
		/* A slot has a node for each of two trees, one of which is in force. */
		offset = r->layout->field[SPT_F_SLOT_GFN_NODE].field.bit_offset / 8 +
			 number(r, sets[as], SPT_F_SLOTS_NODE_IDX) * sizeof(struct tree_node);
		read_slot_tree(r, pointer(r, sets[as], SPT_F_SLOTS_GFN_TREE), offset, generation);
	}
}

static bool is_private(const struct reader *r, const void *sp)
{
	if (has(r, SPT_F_ROLE_IS_MIRROR))
		return number(r, at(r, sp, SPT_F_SP_ROLE), SPT_F_ROLE_IS_MIRROR);
	return r->stolen_mask && !(number(r, sp, SPT_F_SP_GFN_STOLEN_BITS) & r->stolen_mask);
}

static void read_page(struct reader *r, const void *sp, struct spt_page *page)
{
	const uint32_t known =
		SPT_PAGE_TDP_MMU | SPT_PAGE_UNSYNC | SPT_PAGE_NX_DISALLOWED | SPT_PAGE_PRIVATE;
	bool tdp = number(r, sp, SPT_F_SP_TDP_MMU_PAGE);
	const void *parent;

	page->hpa = r->hpa_of(pointer(r, sp, SPT_F_SP_SPT));
	if (!tdp)
		page->sp = DIRECT_MAP + page->hpa; /* identity only, and the same in every run */
	page->gfn = number(r, sp, SPT_F_SP_GFN);
	page->role = (uint32_t)number(r, sp, SPT_F_SP_ROLE);
	page->root_count =
		(uint32_t)number(r, sp,
				 tdp && has(r, SPT_F_SP_TDP_ROOT_COUNT) ? SPT_F_SP_TDP_ROOT_COUNT
									: SPT_F_SP_ROOT_COUNT);
	if (tdp)
		page->flags |= SPT_PAGE_TDP_MMU;
	page->mmu_valid_gen = (uint8_t)number(r, sp, SPT_F_SP_MMU_VALID_GEN);
	parent =
		pointer(r, sp, tdp && has(r, SPT_F_SP_PTEP) ? SPT_F_SP_PTEP : SPT_F_SP_PARENT_PTES);
	if (parent)
		page->parent = (tdp ? 0 : DIRECT_MAP) + r->hpa_of(parent);
	page->known = known;
	if (number(r, sp, SPT_F_SP_NX_DISALLOWED))
		page->flags |= SPT_PAGE_NX_DISALLOWED;
	if (!is_private(r, sp))
		return;
	page->flags |= SPT_PAGE_PRIVATE;
	page->known |= SPT_PAGE_HAS_EXTERNAL;
	/* The root has a marker instead of a page. */
	page->external = r->hpa_of(pointer(r, sp, SPT_F_SP_EXTERNAL_SPT));
	if (page->external == ~0ULL)
		page->external = 0;
}

/* What @nr is read from, and in it what every kind of table has. */
static void read_table(struct reader *r, const void *sp, unsigned int nr)
{
	const uint64_t *spt = pointer(r, sp, SPT_F_SP_SPT);

	read_page(r, sp, mkimage_page(r->mk, nr));
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++)
		mkimage_set(r->mk, nr, i, spt[i]);
}

/* Of the list of shadow pages. */
static void read_sp(struct reader *r, const void *sp)
{
	const void *role = at(r, sp, SPT_F_SP_ROLE);
	const uint64_t *gfns = pointer(r, sp, SPT_F_SP_TRANSLATION);
	bool direct = number(r, role, SPT_F_ROLE_DIRECT);
	unsigned int nr = mkimage_table(r->mk, (int)number(r, role, SPT_F_ROLE_LEVEL), 0, direct);

	read_table(r, sp, nr);
	if (direct)
		return;
	/* gfns alone: what the guest's own entry allowed was not kept. */
	mkimage_page(r->mk, nr)->flags |= SPT_PAGE_NO_ACCESS;
	mkimage_page(r->mk, nr)->known |= SPT_PAGE_NO_ACCESS;
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (gfns[i])
			mkimage_translate(r->mk, nr, i, gfns[i] << 12, 0);
}

/* The next of a list of shadow pages behind @link, its head at first; NULL: no more. */
static const void *next_sp(const struct reader *r, enum spt_field_id list, const char **link)
{
	const char *head = at(r, r->kvm, list);

	/* A struct list_head begins with 'next'. */
	*link = *(const char *const *)(*link ? *link : head);
	return *link == head ? NULL : *link - r->layout->field[SPT_F_SP_LINK].field.bit_offset / 8;
}

static void read_list(struct reader *r, enum spt_field_id list)
{
	const char *link = NULL;
	const void *sp;

	while (has(r, list) && (sp = next_sp(r, list, &link)))
		read_sp(r, sp);
}

/* The page of the TDP MMU at @hpa; NULL: none of those that are no roots. */
static const void *tdp_page(const struct reader *r, uint64_t hpa)
{
	const char *link = NULL;
	const void *sp;

	while ((sp = next_sp(r, SPT_F_KVM_TDP_MMU_PAGES, &link)))
		if (r->hpa_of(pointer(r, sp, SPT_F_SP_SPT)) == hpa)
			break;
	return sp;
}

/* Its tables belong to a root and are found from there. */
static void read_tdp(struct reader *r, const void *sp, unsigned int nr)
{
	const uint64_t *spt = pointer(r, sp, SPT_F_SP_SPT);

	read_table(r, sp, nr);
	for (unsigned int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		const void *below = tdp_page(r, spt[i] & mkimage_format(r->mk)->addr);
		unsigned int child;

		if (!below)
			continue;
		child = mkimage_table(r->mk,
				      (int)number(r, at(r, below, SPT_F_SP_ROLE), SPT_F_ROLE_LEVEL),
				      0, true);
		mkimage_link(r->mk, nr, i, child);
		mkimage_set(r->mk, nr, i, spt[i]);
		read_tdp(r, below, child);
	}
}

static void read_tdp_roots(struct reader *r)
{
	const char *link = NULL;
	const void *sp;

	while ((sp = next_sp(r, SPT_F_KVM_TDP_MMU_ROOTS, &link)))
		read_tdp(r, sp,
			 mkimage_tdp_root(r->mk, (int)number(r, at(r, sp, SPT_F_SP_ROLE),
							     SPT_F_ROLE_LEVEL)));
}

static void read_vcpu(struct reader *r, const void *vcpu)
{
	const void *mmu = pointer(r, vcpu, SPT_F_VCPU_MMU);
	const struct {
		enum spt_vcpu_value value;
		uint64_t number;
	} values[] = {
		{ SPT_VCPU_ID, number(r, vcpu, SPT_F_VCPU_ID) },
		{ SPT_VCPU_CPU, number(r, vcpu, SPT_F_VCPU_CPU) },
		{ SPT_VCPU_CR3, number(r, vcpu, SPT_F_VCPU_CR3) },
		{ SPT_VCPU_EFER, number(r, vcpu, SPT_F_VCPU_EFER) },
		{ SPT_VCPU_ROOT_HPA, number(r, mmu, SPT_F_MMU_ROOT_HPA) },
		{ SPT_VCPU_ROOT_PGD, number(r, mmu, SPT_F_MMU_ROOT_PGD) },
		{ SPT_VCPU_MIRROR_ROOT_HPA, number(r, mmu, SPT_F_MMU_MIRROR_ROOT_HPA) },
		{ SPT_VCPU_ROOT_ROLE, number(r, mmu, SPT_F_MMU_ROOT_ROLE) },
	};
	unsigned int nr = mkimage_vcpu(r->mk);

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		mkimage_vcpu_value(r->mk, nr, values[i].value, values[i].number);
}

/* As <linux/xarray.h> has it. */
struct array {
	unsigned int lock, flags;
	const void *head;
};

/* From an array of pointers, or of an xarray that has one entry: then its head is that entry. */
static const void *vcpu_of(const struct reader *r, unsigned int index)
{
	const void *array = at(r, r->kvm, SPT_F_KVM_VCPU_ARRAY);

	if (r->layout->field[SPT_F_KVM_VCPU_ARRAY].field.alternative == 1)
		return ((const void *const *)array)[index];
	assert(!index);
	return ((const struct array *)array)->head;
}

struct mkimage *old_read(const struct spt_layout *layout, const void *kvm,
			 uint64_t (*hpa_of)(const void *va))
{
	struct reader r = {
		.layout = layout,
		.kvm = kvm,
		.hpa_of = hpa_of,
		/* EPT of those trees: entries are empty with bit 63, as in 6.12. */
		.mk = mkimage_new("ept-6.12"),
	};

	mkimage_head(r.mk)->tdp_mmu = !!number(&r, kvm, SPT_F_KVM_TDP_MMU_ENABLED);
	read_role(&r);
	read_vm(&r);
	for (unsigned int i = 0; i < number(&r, kvm, SPT_F_KVM_ONLINE_VCPUS); i++)
		read_vcpu(&r, vcpu_of(&r, i));
	read_slots(&r);
	read_tdp_roots(&r);
	read_list(&r, SPT_F_KVM_ACTIVE_MMU_PAGES);
	read_list(&r, SPT_F_KVM_PRIVATE_MMU_PAGES);
	return r.mk;
}
