// SPDX-License-Identifier: GPL-2.0
#include "cli/show.h"

#include <inttypes.h>
#include <string.h>

#include <linux/kvm.h>

#include "cli/json.h"
#include "decoders/role.h"

/* Problems of an entry, as flags beside the SPTE's own. */
static const struct {
	unsigned int bit;
	const char *name;
} problem_names[] = {
	{ SPT_ENTRY_NO_CHILD, "no-child" },
	{ SPT_ENTRY_BAD_CHILD, "bad-child" },
};

#define NR_PROBLEMS (sizeof(problem_names) / sizeof(problem_names[0]))

const char *cli_entry_flags(const struct spt_spte *spte, const struct spt_entry *entry,
			    char text[CLI_FLAGS_TEXT])
{
	size_t at = (size_t)spt_spte_flags_text(spte->flags, ",", text, CLI_FLAGS_TEXT);

	for (size_t i = 0; entry && i < NR_PROBLEMS && at < CLI_FLAGS_TEXT; i++)
		if (entry->problems & problem_names[i].bit)
			at += snprintf(text + at, CLI_FLAGS_TEXT - at, "%s%s", at ? "," : "",
				       problem_names[i].name);
	return text;
}

struct json_object *cli_entry_flags_json(const struct spt_spte *spte, const struct spt_entry *entry)
{
	struct json_object *flags = json_object_new_array();

	for (unsigned int nr = 0; nr < SPT_SPTE_FLAG_COUNT; nr++)
		if (spte->flags & 1U << nr)
			json_object_array_add(flags,
					      json_object_new_string(spt_spte_flag_name(nr)));
	for (size_t i = 0; entry && i < NR_PROBLEMS; i++)
		if (entry->problems & problem_names[i].bit)
			json_object_array_add(flags, json_object_new_string(problem_names[i].name));
	return flags;
}

bool cli_entry_translation(const struct spt_entry *entry, uint64_t *gpa, unsigned int *access)
{
	return entry->root && !spt_root_maps_gpa(entry->root) && entry->type == SPT_SPTE_LEAF &&
	       spt_node_translation(entry->node, entry->index, gpa, access);
}

void cli_entry_to_json(struct json_object *o, const struct spt_model *model,
		       const struct spt_entry *entry, const struct spt_spte *spte)
{
	char perm[SPT_PERM_TEXT];
	unsigned int access;
	uint64_t guest_gpa;

	cli_json_set_int(o, "level", entry->level);
	cli_json_set_hex(o, "gpa", entry->gpa);
	cli_json_set_uint(o, "index", entry->index);
	cli_json_set_hex(o, "table_hpa", entry->node->hpa);
	cli_json_set_hex(o, "spte", entry->spte);
	cli_json_set_text(o, "type", spt_spte_type_name(entry->type));
	cli_json_set(o, "hpa", entry->hpa == SPT_NO_HPA ? NULL : cli_json_hex(entry->hpa));
	cli_json_set_text(o, "perm", spt_perm_text(&model->format, spte->perm, perm));
	cli_json_set_uint(o, "size", entry->size);
	cli_json_set(o, "flags", cli_entry_flags_json(spte, entry));
	if (cli_entry_translation(entry, &guest_gpa, &access)) {
		cli_json_set_hex(o, "guest_gpa", guest_gpa);
		cli_json_set(o, "guest_access", access == ~0U ? NULL : cli_json_uint(access));
	}
}

const char *cli_root_space(const struct spt_root_ref *root)
{
	switch (root->kind) {
	case SPT_ROOT_SHADOW:
		return "GVA";
	case SPT_ROOT_NESTED:
		return "L2 GPA";
	case SPT_ROOT_DIRECT:
	case SPT_ROOT_MIRROR:
	case SPT_ROOT_EXTERNAL:
		break;
	}
	return "GPA";
}

void cli_root_title(const struct spt_model *model, const struct spt_root_ref *root, char *text,
		    size_t size)
{
	const char *half = spt_half_name(spt_root_half(root));
	const char *made = root->kind == SPT_ROOT_EXTERNAL ? ", behind the mirror"
			   : root->page			   ? ""
							   : ", no kvm_mmu_page";
	char bit[64] = "";

	if (half && model->gpa_bits)
		snprintf(bit, sizeof(bit), ", %s: GPA bit %d %s", half,
			 __builtin_ctzll(model->gpa_bits), root->gpa_bits ? "set" : "clear");
	snprintf(text, size, "%s root 0x%" PRIx64 ", level %d%s%s%s%s",
		 spt_root_kind_name(root->kind), root->hpa, root->level,
		 root->as_id ? ", SMM address space" : "", root->valid ? "" : ", invalid", made,
		 bit);
}

void cli_print_root_title(struct cli *cli, const struct spt_model *model,
			  const struct spt_root_ref *root)
{
	char title[128];

	if (cli->opt.json || cli->opt.raw || cli->opt.no_headings)
		return;
	cli_root_title(model, root, title, sizeof(title));
	fprintf(cli->out, "%s%s (%s)\n", root == model->roots ? "" : "\n", title,
		cli_root_space(root));
}

struct json_object *cli_role_json(const struct spt_model *model, uint32_t word)
{
	struct json_object *o = json_object_new_object();

	for (int bit = 0; bit < SPT_ROLE_COUNT; bit++)
		if (spt_role_has(model->format.role, bit))
			cli_json_set_uint(o, spt_role_name(bit),
					  spt_role_get(model->format.role, word, bit));
	return o;
}

/* What is in no name. A newer kernel may know more of them. */
static uint32_t unnamed_slot_flags(uint32_t flags)
{
	for (int i = 0; spt_slot_flags[i].bit; i++)
		flags &= ~spt_slot_flags[i].bit;
	return flags;
}

const char *cli_slot_flags(uint32_t flags, char text[CLI_FLAGS_TEXT])
{
	uint32_t unnamed = unnamed_slot_flags(flags);
	size_t at = 0;

	strcpy(text, "-");
	for (int i = 0; spt_slot_flags[i].bit && at < CLI_FLAGS_TEXT; i++)
		if (flags & spt_slot_flags[i].bit)
			at += snprintf(text + at, CLI_FLAGS_TEXT - at, "%s%s", at ? "," : "",
				       spt_slot_flags[i].name);
	if (unnamed && at < CLI_FLAGS_TEXT)
		snprintf(text + at, CLI_FLAGS_TEXT - at, "%s0x%x", at ? "," : "", unnamed);
	return text;
}

struct json_object *cli_slot_flags_json(uint32_t flags)
{
	uint32_t unnamed = unnamed_slot_flags(flags);
	struct json_object *list = json_object_new_array();

	for (int i = 0; spt_slot_flags[i].bit; i++)
		if (flags & spt_slot_flags[i].bit)
			json_object_array_add(list, json_object_new_string(spt_slot_flags[i].name));
	if (unnamed)
		json_object_array_add(list, cli_json_hex(unnamed));
	return list;
}

uint64_t cli_slot_max_page(const struct spt_slot *slot)
{
	uint64_t differ = slot->base_gfn << SPT_PAGE_SHIFT ^ slot->hva;
	int level;

	for (level = 3; level > 1; level--)
		if (!(differ & (spt_level_size(level) - 1)) &&
		    slot->npages << SPT_PAGE_SHIFT >= spt_level_size(level))
			break;
	return spt_level_size(level);
}

struct json_object *cli_slot_json(const struct spt_memslot *memslot)
{
	const struct spt_slot *slot = memslot->slot;
	struct json_object *o = json_object_new_object();
	struct json_object *gmem = NULL;

	if (slot->gmem_file) {
		gmem = json_object_new_object();
		cli_json_set_uint(gmem, "inode", slot->gmem_file);
		cli_json_set_uint(gmem, "offset", slot->gmem_pgoff << SPT_PAGE_SHIFT);
	}
	cli_json_set_int(o, "id", slot->id);
	cli_json_set_int(o, "as_id", slot->as_id);
	cli_json_set_hex(o, "base_gpa", slot->base_gfn << SPT_PAGE_SHIFT);
	cli_json_set_uint(o, "size", slot->npages << SPT_PAGE_SHIFT);
	cli_json_set_hex(o, "hva", slot->hva);
	cli_json_set(o, "flags", cli_slot_flags_json(slot->flags));
	cli_json_set_uint(o, "generation", slot->generation & ~SPT_SLOT_GEN_UPDATING);
	cli_json_set_bool(o, "updating", slot->generation & SPT_SLOT_GEN_UPDATING);
	cli_json_set_bool(o, "dirty_log", slot->flags & KVM_MEM_LOG_DIRTY_PAGES);
	cli_json_set_bool(o, "dirty_bitmap", slot->dirty_bitmap);
	cli_json_set_bool(o, "rmap", slot->has_rmap);
	cli_json_set_uint(o, "max_page_size", cli_slot_max_page(slot));
	cli_json_set(o, "guest_memfd", gmem);
	return o;
}

int64_t cli_vcpu_id(const struct spt_vcpu_ref *vcpu)
{
	uint64_t id;

	return spt_value(&vcpu->values, SPT_VCPU_ID, &id) ? (int64_t)id : -1;
}

const char *cli_hw_root_source(uint64_t source)
{
	switch (source) {
	case SPT_HW_ROOT_COMPUTED:
		return "computed";
	case SPT_HW_ROOT_VMCB:
		return "vmcb";
	case SPT_HW_ROOT_VMCS:
		return "vmcs";
	default:
		return "unknown";
	}
}
