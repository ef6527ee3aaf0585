// SPDX-License-Identifier: GPL-2.0
/* `tables`: every page table with its kvm_mmu_page. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "decoders/role.h"

enum {
	COL_HPA,
	COL_LEVEL,
	COL_GPA,
	COL_PRESENT,
	COL_FLAGS,
	COL_ROLE,
	COL_ROLE_WORD,
	COL_SP,
	COL_ROOT_COUNT,
	COL_PARENT,
	COL_UNSYNC_CHILDREN,
	COL_WRITE_FLOODING,
	COL_MMU_VALID_GEN,
	COL_EXTERNAL,
	COL_VCPU
};

static const struct cli_column columns[] = {
	[COL_HPA] = { "hpa", 18, 0, "physical address of the table" },
	[COL_LEVEL] = { "level", 5, CLI_COL_RIGHT, "1: its entries map 4K" },
	[COL_GPA] = { "gpa", 18, 0,
		      "kvm_mmu_page.gfn as address: first one it translates;"
		      " shadow: the guest's table" },
	[COL_PRESENT] = { "present", 7, CLI_COL_RIGHT, "entries that are present for KVM" },
	[COL_FLAGS] = { "flags", 24, 0, "state of the page table page" },
	[COL_ROLE] = { "role", 30, 0, "what the table is for" },
	[COL_ROLE_WORD] = { "role_word", 10, CLI_COL_EXTRA, "the role as a number" },
	[COL_SP] = { "sp", 18, CLI_COL_EXTRA, "address of its kvm_mmu_page: an identity" },
	[COL_ROOT_COUNT] = { "root_count", 10, CLI_COL_RIGHT | CLI_COL_EXTRA, "users as a root" },
	[COL_PARENT] = { "parent", 18, CLI_COL_EXTRA,
			 "TDP MMU: HPA of the parent's entry; shadow: parent_ptes" },
	[COL_UNSYNC_CHILDREN] = { "unsync_children", 15, CLI_COL_RIGHT | CLI_COL_EXTRA,
				  "tables below that the guest changed and KVM has not synced" },
	[COL_WRITE_FLOODING] = { "write_flooding", 14, CLI_COL_RIGHT | CLI_COL_EXTRA,
				 "guest writes to the table since it was last used" },
	[COL_MMU_VALID_GEN] = { "mmu_valid_gen", 13, CLI_COL_RIGHT | CLI_COL_EXTRA,
				"differs from the VM's: obsolete" },
	[COL_EXTERNAL] = { "external", 18, CLI_COL_EXTRA, "mirror: HPA of the external table" },
	[COL_VCPU] = { "vcpu_idx", 8, CLI_COL_RIGHT | CLI_COL_EXTRA,
		       "owner of a root table without kvm_mmu_page" },
	{ NULL },
};

static const struct {
	uint32_t bit;
	const char *name;
} page_flags[] = {
	{ SPT_PAGE_TDP_MMU, "tdp-mmu" },
	{ SPT_PAGE_UNSYNC, "unsync" },
	{ SPT_PAGE_NX_DISALLOWED, "nx-huge-disallowed" },
	{ SPT_PAGE_HOST_MMIO, "host-mmio" },
	{ SPT_PAGE_ROOT_TO_ZAP, "root-to-zap" },
	{ SPT_PAGE_NX_LINKED, "nx-linked" },
	{ SPT_PAGE_BACKLINK_BAD, "backlink-bad" },
};

static const char *const raw_kinds[] = {
	[SPT_RAW_PAE_ROOT] = "pae-root",
	[SPT_RAW_PML4_ROOT] = "pml4-root",
	[SPT_RAW_PML5_ROOT] = "pml5-root",
};

#define NR_PAGE_FLAGS (sizeof(page_flags) / sizeof(page_flags[0]))

static void set_flags(struct cli *cli, struct cli_table *t, uint32_t flags)
{
	struct json_object *list = cli->opt.json ? json_object_new_array() : NULL;
	char text[CLI_FLAGS_TEXT] = "-";
	size_t at = 0;

	for (size_t i = 0; i < NR_PAGE_FLAGS && at < sizeof(text); i++) {
		if (!(flags & page_flags[i].bit))
			continue;
		at += snprintf(text + at, sizeof(text) - at, "%s%s", at ? "," : "",
			       page_flags[i].name);
		if (list)
			json_object_array_add(list, json_object_new_string(page_flags[i].name));
	}
	cli_cell_both(t, COL_FLAGS, list, "%s", text);
}

static unsigned int count_present(const struct spt_node *node)
{
	unsigned int stored = (unsigned int)__builtin_popcountll(node->chunks) * SPT_CHUNK_ENTRIES;
	unsigned int present = 0;

	/* A table without a kvm_mmu_page has the hardware's present bit alone. */
	for (unsigned int i = 0; i < stored; i++)
		present += !!(node->entry[i] & (node->page ? SPT_SPTE_MMU_PRESENT : 1));
	return present;
}

static void add_page(struct cli *cli, struct cli_table *t, const struct spt_model *model,
		     const struct spt_page *page)
{
	char role[256];

	set_flags(cli, t, page->flags);
	cli_cell_address(t, COL_GPA, page->gfn << SPT_PAGE_SHIFT);
	spt_role_text(model->format.role, page->role, role, sizeof(role));
	cli_cell_both(t, COL_ROLE, cli->opt.json ? cli_role_json(model, page->role) : NULL, "%s",
		      role);
	cli_cell_hex(t, COL_ROLE_WORD, page->role);
	cli_cell_address(t, COL_SP, page->sp);
	cli_cell_number(t, COL_ROOT_COUNT, page->root_count);
	cli_cell_hex(t, COL_PARENT, page->parent);
	cli_cell_number(t, COL_UNSYNC_CHILDREN, page->unsync_children);
	cli_cell_number(t, COL_WRITE_FLOODING, page->write_flooding);
	cli_cell_number(t, COL_MMU_VALID_GEN, page->mmu_valid_gen);
	if (page->known & SPT_PAGE_HAS_EXTERNAL)
		cli_cell_hex(t, COL_EXTERNAL, page->external);
	else
		cli_cell_na(t, COL_EXTERNAL);
}

static void add_row(struct cli *cli, struct cli_table *t, const struct spt_model *model,
		    const struct spt_node *node)
{
	cli_table_row(t);
	cli_cell_address(t, COL_HPA, node->hpa);
	cli_cell_number(t, COL_LEVEL, node->level);
	cli_cell_number(t, COL_PRESENT, count_present(node));
	if (node->page) {
		add_page(cli, t, model, node->page);
	} else if (node->is_external) {
		cli_cell_text(t, COL_FLAGS, "external");
		cli_cell_address(t, COL_GPA, node->external->gfn << SPT_PAGE_SHIFT);
		cli_cell_address(t, COL_SP, node->external->sp);
	} else {
		cli_cell_text(t, COL_FLAGS, "%s",
			      node->raw_kind < 4 ? raw_kinds[node->raw_kind] : "raw");
		cli_cell_number(t, COL_VCPU, node->raw_vcpu);
	}
}

static int tables_run(struct cli *cli, const struct cli_call *call)
{
	const struct spt_request request = {
		.parts = SPT_PART_VM | SPT_PART_ROOTS | SPT_PART_TABLES,
	};
	struct spt_model *model;
	struct cli_table *t;
	int rc;

	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "tables", CLI_TABLE_STREAM);
	if (!t)
		return -cli->error.code;
	for (uint32_t i = 0; i < model->nr_nodes && !cli_interrupted; i++)
		add_row(cli, t, model, &model->nodes[i]);
	rc = cli_table_end(t);
	return rc ? rc : cli_interrupted ? -EINTR : 0;
}

const struct cli_command cli_cmd_tables = {
	.name = "tables",
	.help = "list every page table with its kvm_mmu_page",
	.example = "tables -o hpa,level,gpa,present",
	.columns = columns,
	.run = tables_run,
};
