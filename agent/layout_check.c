// SPDX-License-Identifier: GPL-2.0
/*
 * Is this blob a layout of the running kernel? Everything that can be known
 * without touching an object of KVM: form, build ids, sizes, symbol names.
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwlock.h>
#include <linux/sizes.h>
#include <linux/srcu.h>
#include <linux/utsname.h>
#include <linux/xarray.h>

#include "layout.h"

/* What a member must look like beyond 'a number of 1 to 64 bits'. */
struct spt_shape {
	enum spt_field_id id;
	u32 bytes_min;
	u32 bytes_max;
	u32 flags;		/* SPT_FIELD_* that must be set */
	u32 align;		/* of its offset; 0: any */
};

#define EXACT(id, type)		{ id, sizeof(type), sizeof(type), 0, __alignof__(type) }
#define POINTER(id)		{ id, 8, 8, SPT_FIELD_POINTER, 8 }
#define BYTES(id, min, max)	{ id, min, max, 0, 0 }

/* KVM's own numbers of hash buckets (KVM_NUM_MMU_PAGES) and of general registers. */
#define SPT_HASH_BYTES		(SPT_HASH_BUCKETS * sizeof(struct hlist_head))
#define SPT_GPR_BYTES		(16 * sizeof(u64))

static const struct spt_shape spt_shapes[] = {
	BYTES(SPT_F_KVM_SIZE, 2048, 1 << 20),
	EXACT(SPT_F_KVM_MMU_LOCK, rwlock_t),
	EXACT(SPT_F_KVM_SLOTS_LOCK, struct mutex),
	POINTER(SPT_F_KVM_MM),
	EXACT(SPT_F_KVM_VM_LIST, struct list_head),
	BYTES(SPT_F_KVM_USERS_COUNT, 4, 4),
	BYTES(SPT_F_KVM_USERSPACE_PID, 4, 4),
	POINTER(SPT_F_KVM_DEBUGFS_DENTRY),
	EXACT(SPT_F_KVM_SRCU, struct srcu_struct),
	{ SPT_F_KVM_MEMSLOTS, 8, 16, SPT_FIELD_ARRAY, 8 },
	EXACT(SPT_F_KVM_VCPU_ARRAY, struct xarray),
	BYTES(SPT_F_KVM_ONLINE_VCPUS, 4, 4),
	EXACT(SPT_F_KVM_MEM_ATTR_ARRAY, struct xarray),
	EXACT(SPT_F_KVM_TDP_MMU_ROOTS, struct list_head),
	EXACT(SPT_F_KVM_ACTIVE_MMU_PAGES, struct list_head),
	BYTES(SPT_F_KVM_TDP_MMU_PAGES, 8, 16),	/* a counter, or the list of them: no number */
	BYTES(SPT_F_KVM_MMU_PAGE_HASH, 8, SPT_HASH_BYTES),
	EXACT(SPT_F_SLOTS_GFN_TREE, struct rb_root),
	BYTES(SPT_F_SLOTS_GENERATION, 8, 8),
	BYTES(SPT_F_SLOT_SIZE, 128, 4096),
	BYTES(SPT_F_SLOT_GFN_NODE, 2 * sizeof(struct rb_node), 2 * sizeof(struct rb_node)),
	BYTES(SPT_F_SLOT_BASE_GFN, 8, 8),
	BYTES(SPT_F_SLOT_NPAGES, 8, 8),
	POINTER(SPT_F_SLOT_DIRTY_BITMAP),
	BYTES(SPT_F_SLOT_HVA, 8, 8),
	POINTER(SPT_F_SLOT_GMEM_FILE),
	BYTES(SPT_F_SLOT_RMAP, 24, 24),
	BYTES(SPT_F_SLOT_LPAGE_INFO, 16, 16),
	POINTER(SPT_F_SLOT_WRITE_TRACK),
	BYTES(SPT_F_RMAP_HEAD, 8, 8),
	BYTES(SPT_F_PTE_LIST_SIZE, 32, 4096),
	POINTER(SPT_F_PTE_LIST_MORE),
	BYTES(SPT_F_PTE_LIST_COUNT, 4, 8),
	{ SPT_F_PTE_LIST_SPTES, 8, 2048, SPT_FIELD_ARRAY, 8 },
	BYTES(SPT_F_LPAGE_SIZE, 4, 4),
	BYTES(SPT_F_LPAGE_DISALLOW, 4, 4),
	BYTES(SPT_F_VCPU_SIZE, 1024, 1 << 20),
	POINTER(SPT_F_VCPU_KVM),
	EXACT(SPT_F_VCPU_MUTEX, struct mutex),
	POINTER(SPT_F_VCPU_PID),
	EXACT(SPT_F_VCPU_PID_LOCK, rwlock_t),
	POINTER(SPT_F_VCPU_MMU),
	BYTES(SPT_F_VCPU_ROOT_MMU, 64, 64 << 10),
	BYTES(SPT_F_VCPU_GUEST_MMU, 64, 64 << 10),
	BYTES(SPT_F_VCPU_REGS, SPT_GPR_BYTES, 2 * SPT_GPR_BYTES),
	BYTES(SPT_F_VCPU_REGS_AVAIL, 4, 8),
	BYTES(SPT_F_VCPU_PDPTRS, 32, 32),
	BYTES(SPT_F_VCPU_DB, 32, 32),
	BYTES(SPT_F_MMU_SIZE, 64, 64 << 10),
	BYTES(SPT_F_MMU_ROOT_HPA, 8, 8),
	BYTES(SPT_F_MMU_PREV_ROOTS, 16, 64),
	BYTES(SPT_F_MMU_ROOT_ROLE, 4, 8),
	POINTER(SPT_F_MMU_PAE_ROOT),
	POINTER(SPT_F_MMU_PML4_ROOT),
	POINTER(SPT_F_MMU_PML5_ROOT),
	BYTES(SPT_F_MMU_PDPTRS, 32, 32),
	BYTES(SPT_F_ROOT_INFO_SIZE, 16, 16),
	POINTER(SPT_F_MMU_PAGE_FAULT),
	BYTES(SPT_F_RANGE_SIZE, 24, SPT_RANGE_BYTES),
	POINTER(SPT_F_RANGE_SLOT),
	BYTES(SPT_F_RANGE_START, 8, 8),
	BYTES(SPT_F_RANGE_END, 8, 8),
	BYTES(SPT_F_FAULT_SIZE, 32, SPT_FAULT_BYTES),
	BYTES(SPT_F_FAULT_ADDR, 8, 8),
	BYTES(SPT_F_SP_SIZE, 64, SPT_SP_MAX),
	EXACT(SPT_F_SP_LINK, struct list_head),
	EXACT(SPT_F_SP_HASH_LINK, struct hlist_node),
	EXACT(SPT_F_SP_NX_LINK, struct list_head),
	BYTES(SPT_F_SP_ROLE, 4, 4),
	BYTES(SPT_F_SP_GFN, 8, 8),
	POINTER(SPT_F_SP_SPT),
	POINTER(SPT_F_SP_TRANSLATION),
	BYTES(SPT_F_SP_ROOT_COUNT, 4, 4),
	POINTER(SPT_F_SP_EXTERNAL_SPT),
	BYTES(SPT_F_SP_PARENT_PTES, 8, 8),
	BYTES(SPT_F_SP_PTEP, 8, 8),
	POINTER(SPT_F_SVM_VMCB),
	POINTER(SPT_F_SVM_VMCB01),
	BYTES(SPT_F_VMCB_NESTED_CR3, 8, 8),
	POINTER(SPT_F_VMX_LOADED_VMCS),
	POINTER(SPT_F_LOADED_VMCS_VMCS),
	BYTES(SPT_F_LOADED_VMCS_CPU, 4, 4),
	BYTES(SPT_F_KVM_TDX_KVM, 2048, 1 << 20),
	BYTES(SPT_F_TDX_TDR, 8, 8),
	POINTER(SPT_F_TDX_TDCS),
	BYTES(SPT_F_VCPU_TDX_VCPU, 1024, 1 << 20),
	BYTES(SPT_F_VCPU_TDX_TDVPR, 8, 8),
	POINTER(SPT_F_VCPU_TDX_TDCX),
	BYTES(SPT_F_KVM_SVM_KVM, 2048, 1 << 20),
	BYTES(SPT_F_VCPU_SVM_VCPU, 1024, 1 << 20),
	BYTES(SPT_F_VCPU_VMX_VCPU, 1024, 1 << 20),
};

#undef EXACT
#undef POINTER
#undef BYTES

/* The entry that gives the size of a type, for the types whose size is asked for. */
static const enum spt_field_id spt_size_ids[] = {
	SPT_F_KVM_SIZE, SPT_F_SLOT_SIZE, SPT_F_LPAGE_SIZE, SPT_F_VCPU_SIZE, SPT_F_MMU_SIZE,
	SPT_F_ROOT_INFO_SIZE, SPT_F_SP_SIZE, SPT_F_PTE_LIST_SIZE, SPT_F_RANGE_SIZE,
	SPT_F_FAULT_SIZE,
};

/* No struct of KVM is larger: the bound where the size is not asked for. */
#define SPT_TYPE_MAX	SZ_1M

static bool spt_needed(char need, u32 vendor)
{
	return need == 'R' || (need == 'A' && vendor == SPT_VENDOR_SVM) ||
	       (need == 'I' && vendor == SPT_VENDOR_VMX);
}

static bool spt_has_all(const struct spt_layout_blob *blob, char need)
{
	unsigned int i;

	for (i = 0; i < SPT_F_COUNT; i++)
		if (spt_field_names[i].need == need &&
		    !(blob->field[i].flags & SPT_FIELD_PRESENT))
			return false;
	return true;
}

/* Kernels whose structures are known, but are not what the readers here follow. */
static int spt_check_readable(const struct spt_layout_blob *blob, struct spt_refusal *why)
{
	static const struct {
		enum spt_field_id id;
		u32 alternative;
		const char *reason;
	} foreign[] = {
#define W(field, alternative, reason) { SPT_F_##field, alternative, reason },
		SPT_FOREIGN(W)
#undef W
	};
	unsigned int i;

	if (!spt_has_all(blob, 'T')) {
		if (spt_has_all(blob, 'L'))
			return spt_refuse(why, -EOPNOTSUPP,
					  "this kernel is too old: it keeps memslots in a sorted array");
		return spt_refuse(why, -EINVAL, "fields of the memslots are missing");
	}
	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		const struct spt_layout_field *field = &blob->field[foreign[i].id];

		if (field->flags & SPT_FIELD_PRESENT &&
		    field->alternative == foreign[i].alternative)
			return spt_refuse(why, -EOPNOTSUPP, "this kernel is too old: %s",
					  foreign[i].reason);
	}
	return 0;
}

static u32 spt_type_bytes(const struct spt_layout_blob *blob, const char *type)
{
	unsigned int i;

	if (!strcmp(type, "kvm_mmu_page_role"))
		return sizeof(u32);
	for (i = 0; i < ARRAY_SIZE(spt_size_ids); i++)
		if (!strcmp(spt_field_names[spt_size_ids[i]].type, type))
			return blob->field[spt_size_ids[i]].bit_size / 8;
	return SPT_TYPE_MAX;
}

static int spt_check_shape(const struct spt_layout_blob *blob, enum spt_field_id id,
			   struct spt_refusal *why)
{
	const struct spt_layout_field *field = &blob->field[id];
	const char *name = spt_field_names[id].name;
	u32 bytes = DIV_ROUND_UP(field->bit_size, 8);
	const struct spt_shape *shape;

	for (shape = spt_shapes; shape < spt_shapes + ARRAY_SIZE(spt_shapes); shape++) {
		if (shape->id != id)
			continue;
		if (bytes < shape->bytes_min || bytes > shape->bytes_max)
			return spt_refuse(why, -EINVAL, "field %s has %u bytes", name, bytes);
		if ((field->flags & shape->flags) != shape->flags)
			return spt_refuse(why, -EINVAL, "field %s has the wrong kind", name);
		if (shape->align && field->bit_offset % (8 * shape->align))
			return spt_refuse(why, -EINVAL, "field %s is misaligned", name);
		return 0;
	}
	if (bytes > sizeof(u64))
		return spt_refuse(why, -EINVAL, "field %s has %u bytes", name, bytes);
	return 0;
}

static int spt_check_field(const struct spt_layout_blob *blob, enum spt_field_id id,
			   struct spt_refusal *why)
{
	const struct spt_field_name *name = &spt_field_names[id];
	const struct spt_layout_field *field = &blob->field[id];
	u64 end = (u64)field->bit_offset + field->bit_size;

	if (!(field->flags & SPT_FIELD_PRESENT)) {
		if (spt_needed(name->need, blob->vendor))
			return spt_refuse(why, -EINVAL, "field %s is missing", name->name);
		return 0;
	}
	if (!field->bit_size || end > 8ULL * spt_type_bytes(blob, name->type))
		return spt_refuse(why, -EINVAL, "field %s lies outside struct %s", name->name,
				  name->type);
	if (!(field->flags & SPT_FIELD_BITS) && (field->bit_offset % 8 || field->bit_size % 8))
		return spt_refuse(why, -EINVAL, "field %s is no whole bytes", name->name);
	if ((field->flags & SPT_FIELD_BITS) && field->bit_offset % 32 + field->bit_size > 64)
		return spt_refuse(why, -EINVAL, "field %s is too wide a bit field", name->name);
	if (!name->path[0] && field->bit_offset)
		return spt_refuse(why, -EINVAL, "size %s has an offset", name->name);
	return spt_check_shape(blob, id, why);
}

static void spt_take_field(struct spt_layout *layout, enum spt_field_id id,
			   const struct spt_layout_field *from)
{
	struct spt_field *field = &layout->field[id];
	u32 bytes = from->bit_size / 8;

	if (!(from->flags & SPT_FIELD_PRESENT))
		return;
	field->present = true;
	layout->bytes[id] = DIV_ROUND_UP(from->bit_size, 8);
	layout->flags[id] = from->flags;
	field->offset = from->bit_offset / 8;
	field->mask = from->bit_size >= 64 ? ~0ULL : BIT_ULL(from->bit_size) - 1;
	if (from->bit_size > 64)
		field->mask = 0;
	if (!(from->flags & SPT_FIELD_BITS)) {
		field->size = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8 ? bytes : 0;
		return;
	}
	/* The u32 that holds it, or the u64 when it crosses into the next one. */
	field->offset = from->bit_offset / 32 * 4;
	field->shift = from->bit_offset % 32;
	field->size = field->shift + from->bit_size > 32 ? 8 : 4;
}

/* Is @found, as sprint_symbol() has it, the first byte of this symbol? */
static bool spt_is_symbol(const char *found, const struct spt_symbol_name *name)
{
	const char *module = strchr(found, '[');
	char expected[KSYM_SYMBOL_LEN];
	size_t len;

	len = scnprintf(expected, sizeof(expected), "%s+0x0/", name->name);
	if (strncmp(found, expected, len))
		return false;
	if (!strcmp(name->module, "vmlinux"))
		return !module;
	return module && !strncmp(module + 1, name->module, strlen(name->module)) &&
	       module[1 + strlen(name->module)] == ']';
}

/* kallsyms must name exactly this symbol of this module at the address. */
static int spt_check_symbol(const struct spt_layout_blob *blob, enum spt_symbol_id id,
			    struct spt_refusal *why)
{
	const struct spt_symbol_name *name = &spt_symbol_names[id];
	unsigned long address = blob->symbol[id].address;
	char found[KSYM_SYMBOL_LEN];

	if (!address) {
		if (spt_needed(name->need, blob->vendor))
			return spt_refuse(why, -EINVAL, "symbol %s is missing", name->name);
		return 0;
	}
	/* A per-CPU variable has no address that kallsyms knows; the live check covers it. */
	if (id == SPT_S_CURRENT_VMCS)
		return 0;
	sprint_symbol(found, address);
	if (!spt_is_symbol(found, name))
		return spt_refuse(why, -ENXIO, "symbol %s:%s: kallsyms says %s", name->module,
				  name->name, found);
	return 0;
}

static int spt_check_build_id(const struct spt_layout_blob *blob, enum spt_module module,
			      const char *name, struct spt_refusal *why)
{
	u8 id[SPT_BUILD_ID_SIZE];
	int error;

	error = spt_running_build_id(module == SPT_MODULE_VMLINUX ? NULL : name, id);
	if (error == -ENOENT)
		return spt_refuse(why, -ENODEV, "%s is not loaded", name);
	if (error)
		return spt_refuse(why, error, "no build id of %s in /sys (%d)", name, error);
	if (memcmp(id, blob->build_id[module].id, sizeof(id)))
		return spt_refuse(why, -ESTALE, "the build id of %s is %*phN, not %*phN", name,
				  SPT_BUILD_ID_SIZE, id, SPT_BUILD_ID_SIZE,
				  blob->build_id[module].id);
	return 0;
}

static int spt_check_form(const struct spt_layout_blob *blob, struct spt_refusal *why)
{
	const u64 *word = (const u64 *)blob;
	u64 sum = 0;
	size_t i;

	BUILD_BUG_ON(offsetof(struct spt_layout_blob, checksum) % 8);
	if (blob->magic != SPT_LAYOUT_MAGIC)
		return spt_refuse(why, -EINVAL, "this is no layout (magic)");
	if (blob->abi != SPT_LAYOUT_ABI || blob->size != sizeof(*blob) ||
	    blob->fields != SPT_F_COUNT || blob->symbols != SPT_S_COUNT)
		return spt_refuse(why, -EINVAL,
				  "layout of another agent: abi %u, %u fields, %u symbols",
				  blob->abi, blob->fields, blob->symbols);
	for (i = 0; i < offsetof(struct spt_layout_blob, checksum) / 8; i++)
		sum += spt_checksum_word(i, word[i]);
	if (sum != blob->checksum)
		return spt_refuse(why, -EINVAL, "the layout's checksum is wrong");
	if (blob->source != SPT_LAYOUT_BTF && blob->source != SPT_LAYOUT_DWARF)
		return spt_refuse(why, -EINVAL, "unknown source %u", blob->source);
	if (blob->vendor != SPT_VENDOR_SVM && blob->vendor != SPT_VENDOR_VMX)
		return spt_refuse(why, -EINVAL, "unknown vendor %u", blob->vendor);
	return 0;
}

static int spt_check_kernel(const struct spt_layout_blob *blob, struct spt_refusal *why)
{
	bool svm = blob->vendor == SPT_VENDOR_SVM;
	int error;

	if (strnlen(blob->release, sizeof(blob->release)) == sizeof(blob->release) ||
	    strcmp(blob->release, init_utsname()->release))
		return spt_refuse(why, -ESTALE, "the layout is for Linux %.*s, this is %s",
				  (int)sizeof(blob->release), blob->release,
				  init_utsname()->release);
	error = spt_check_build_id(blob, SPT_MODULE_VMLINUX, "vmlinux", why);
	if (error)
		return error;
	error = spt_check_build_id(blob, SPT_MODULE_KVM, "kvm", why);
	if (error)
		return error;
	return spt_check_build_id(blob, svm ? SPT_MODULE_AMD : SPT_MODULE_INTEL,
				  svm ? "kvm_amd" : "kvm_intel", why);
}

/* Offsets that hardware manuals fix: APM volume 2, table B-1 and B-2. */
static int spt_check_hardware(const struct spt_layout_blob *blob, struct spt_refusal *why)
{
	if (blob->vendor != SPT_VENDOR_SVM)
		return 0;
	if (blob->field[SPT_F_VMCB_NESTED_CR3].bit_offset != 8 * 0xb0 ||
	    blob->field[SPT_F_VMCB_CR3].bit_offset != 8 * 0x550)
		return spt_refuse(why, -EINVAL, "the VMCB is not the hardware's");
	return 0;
}

static u32 spt_page_known(const struct spt_layout *layout)
{
	static const struct {
		enum spt_field_id id;
		u32 flag;
	} flags[] = {
		{ SPT_F_SP_TDP_MMU_PAGE, SPT_PAGE_TDP_MMU },
		{ SPT_F_SP_UNSYNC, SPT_PAGE_UNSYNC },
		{ SPT_F_SP_NX_DISALLOWED, SPT_PAGE_NX_DISALLOWED },
		{ SPT_F_SP_HOST_MMIO, SPT_PAGE_HOST_MMIO },
		{ SPT_F_SP_ROOT_TO_ZAP, SPT_PAGE_ROOT_TO_ZAP },
		{ SPT_F_SP_NX_LINK, SPT_PAGE_NX_LINKED },
		{ SPT_F_SP_EXTERNAL_SPT, SPT_PAGE_HAS_EXTERNAL },
	};
	u32 known = SPT_PAGE_BACKLINK_BAD;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (layout->field[flags[i].id].present)
			known |= flags[i].flag;
	return known;
}

/*
 * Values that are macros in KVM, told by what came with them:
 * d8fa2031fa9d ("Track shadow MMIO value on a per-VM basis") belongs to the
 * series that made bit 63 the empty value, and a fourth access bit in the role
 * came with the software bits' move. The live check tries them on real tables.
 */
static void spt_take_spte_values(struct spt_layout *layout)
{
	bool bit63 = layout->field[SPT_F_KVM_SHADOW_MMIO_VALUE].present;
	bool access4 = layout->field[SPT_F_ROLE_ACCESS].mask == 0xf;

	layout->empty_spte = bit63 ? BIT_ULL(63) : 0;
	layout->frozen_spte = layout->empty_spte | (access4 ? 0x1a0 : 0x5a0);
	layout->addr_mask = __PHYSICAL_MASK & PAGE_MASK;
}

int spt_layout_check(const struct spt_layout_blob *blob, struct spt_layout *layout,
		     struct spt_refusal *why)
{
	unsigned int i;
	int error;

	error = spt_check_form(blob, why);
	if (error)
		return error;
	error = spt_check_kernel(blob, why);
	if (error)
		return error;
	error = spt_check_readable(blob, why);
	if (error)
		return error;
	for (i = 0; i < SPT_F_COUNT; i++) {
		error = spt_check_field(blob, i, why);
		if (error)
			return error;
		spt_take_field(layout, i, &blob->field[i]);
	}
	error = spt_check_hardware(blob, why);
	if (error)
		return error;
	for (i = 0; i < SPT_S_COUNT; i++) {
		error = spt_check_symbol(blob, i, why);
		if (error)
			return error;
		layout->symbol[i] = blob->symbol[i].address;
	}
	layout->id = blob->checksum;
	layout->source = blob->source;
	layout->vendor = blob->vendor;
	memcpy(layout->kvm_build_id, blob->build_id[SPT_MODULE_KVM].id, SPT_BUILD_ID_SIZE);
	layout->sp_size = layout->bytes[SPT_F_SP_SIZE];
	layout->page_known = spt_page_known(layout);
	spt_take_spte_values(layout);
	return 0;
}
