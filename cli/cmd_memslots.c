// SPDX-License-Identifier: GPL-2.0
/* `memslots`: the VMM's memory as KVM was told of it. */
#include <errno.h>
#include <inttypes.h>

#include <linux/kvm.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/verdict.h"

enum {
	COL_ID,
	COL_AS_ID,
	COL_BASE_GPA,
	COL_END_GPA,
	COL_SIZE,
	COL_HVA,
	COL_FLAGS,
	COL_MAX_PAGE,
	COL_DIRTY_LOG,
	COL_GUEST_MEMFD,
	COL_GENERATION,
	COL_RMAP
};

static const struct cli_column columns[] = {
	[COL_ID] = { "id", 5, CLI_COL_RIGHT, "number that the VMM gave it" },
	[COL_AS_ID] = { "as_id", 5, CLI_COL_RIGHT, "address space: 0, or 1 for SMM" },
	[COL_BASE_GPA] = { "base_gpa", 18, 0, "first guest-physical address" },
	[COL_END_GPA] = { "end_gpa", 18, CLI_COL_TEXT, "last guest-physical address" },
	[COL_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes" },
	[COL_HVA] = { "hva", 18, 0, "address in the VMM that backs the first page" },
	[COL_FLAGS] = { "flags", 12, 0, "KVM_MEM_* flags" },
	[COL_MAX_PAGE] = { "max_page_size", 13, CLI_COL_RIGHT,
			   "largest page that size and alignment of GPA against HVA allow" },
	[COL_DIRTY_LOG] = { "dirty_log", 9, CLI_COL_EXTRA, "dirty pages are logged" },
	[COL_GUEST_MEMFD] = { "guest_memfd", 11, CLI_COL_EXTRA, "inode+offset of its guest_memfd" },
	[COL_GENERATION] = { "generation", 10, CLI_COL_RIGHT | CLI_COL_EXTRA,
			     "generation of the slot set" },
	[COL_RMAP] = { "rmap", 4, CLI_COL_EXTRA, "shadow paging's reverse map is allocated" },
	{ NULL },
};

static void add_row(struct cli *cli, struct cli_table *t, const struct spt_memslot *memslot)
{
	const struct spt_slot *slot = memslot->slot;
	uint64_t base = slot->base_gfn << SPT_PAGE_SHIFT;
	uint64_t size = slot->npages << SPT_PAGE_SHIFT;
	char flags[CLI_FLAGS_TEXT];

	cli_table_row(t);
	if (cli->opt.json) {
		cli_row_json(t, cli_slot_json(memslot));
		return;
	}
	cli_cell_number(t, COL_ID, slot->id);
	cli_cell_number(t, COL_AS_ID, slot->as_id);
	cli_cell_address(t, COL_BASE_GPA, base);
	cli_cell_address(t, COL_END_GPA, base + size - 1);
	cli_cell_size(t, COL_SIZE, size);
	cli_cell_address(t, COL_HVA, slot->hva);
	cli_cell_text(t, COL_FLAGS, "%s", cli_slot_flags(slot->flags, flags));
	cli_cell_size(t, COL_MAX_PAGE, cli_slot_max_page(slot));
	cli_cell_text(t, COL_DIRTY_LOG, "%s",
		      !(slot->flags & KVM_MEM_LOG_DIRTY_PAGES) ? "no"
		      : slot->dirty_bitmap		       ? "bitmap"
							       : "ring");
	if (slot->gmem_file)
		cli_cell_text(t, COL_GUEST_MEMFD, "%" PRIu64 "+0x%" PRIx64,
			      (uint64_t)slot->gmem_file,
			      (uint64_t)slot->gmem_pgoff << SPT_PAGE_SHIFT);
	else if (!(slot->known & SPT_SLOT_KNOWN_GMEM))
		cli_cell_na(t, COL_GUEST_MEMFD);
	cli_cell_text(t, COL_GENERATION, "%" PRIu64 "%s",
		      (uint64_t)(slot->generation & ~SPT_SLOT_GEN_UPDATING),
		      slot->generation & SPT_SLOT_GEN_UPDATING ? " (updating)" : "");
	cli_cell_bool(t, COL_RMAP, slot->has_rmap);
}

static bool holds(const struct spt_slot *slot, uint64_t gpa)
{
	return gpa >> SPT_PAGE_SHIFT >= slot->base_gfn &&
	       (gpa >> SPT_PAGE_SHIFT) - slot->base_gfn < slot->npages;
}

/* What --attributes and --pages list. */
enum { RUN_GPA, RUN_END, RUN_SIZE, RUN_HALF };
static const struct cli_column attributes_columns[] = {
	[RUN_GPA] = { "gpa", 18, 0, "first guest-physical address" },
	[RUN_END] = { "end_gpa", 18, CLI_COL_TEXT, "last guest-physical address" },
	[RUN_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes" },
	[RUN_HALF] = { "attributes", 10, 0, "private; what is not listed is shared" },
	{ NULL },
};

enum { PAGES_GPA, PAGES_END, PAGES_SIZE, PAGES_HPA, PAGES_SLOT, PAGES_INODE, PAGES_OFFSET };
static const struct cli_column pages_columns[] = {
	[PAGES_GPA] = { "gpa", 18, 0, "first guest-physical address" },
	[PAGES_END] = { "end_gpa", 18, CLI_COL_TEXT, "last guest-physical address" },
	[PAGES_SIZE] = { "size", 9, CLI_COL_RIGHT, "bytes" },
	[PAGES_HPA] = { "hpa", 18, 0, "of the first page; the others follow it" },
	[PAGES_SLOT] = { "slot", 5, CLI_COL_RIGHT, "memory slot" },
	[PAGES_INODE] = { "inode", 8, CLI_COL_RIGHT, "of the guest_memfd" },
	[PAGES_OFFSET] = { "offset", 12, 0, "of the first page in it" },
	{ NULL },
};

static void add_attributes(struct cli_table *t, const struct spt_run *run)
{
	if (!run->npages)
		return;
	cli_table_row(t);
	cli_cell_address(t, RUN_GPA, run->gfn << SPT_PAGE_SHIFT);
	cli_cell_address(t, RUN_END, ((run->gfn + run->npages) << SPT_PAGE_SHIFT) - 1);
	cli_cell_size(t, RUN_SIZE, run->npages << SPT_PAGE_SHIFT);
	if (run->value == SPT_ATTR_PRIVATE)
		cli_cell_string(t, RUN_HALF, spt_half_name(SPT_HALF_PRIVATE));
	else
		cli_cell_hex(t, RUN_HALF, run->value);
}

/* A long run may be cut into several where the agent made a pause. */
static void list_attributes(struct cli_table *t, const struct spt_model *model)
{
	struct spt_run open = { 0 };

	for (uint32_t i = 0; i < model->nr_attrs; i++)
		for (uint32_t r = 0; r < model->attrs[i]->count; r++) {
			const struct spt_run *run = &model->attrs[i]->run[r];

			if (open.npages && open.gfn + open.npages == run->gfn &&
			    open.value == run->value) {
				open.npages += run->npages;
				continue;
			}
			add_attributes(t, &open);
			open = *run;
		}
	add_attributes(t, &open);
}

static void list_pages(struct cli_table *t, const struct spt_memslots *set,
		       const struct spt_memslot *memslot)
{
	const struct spt_slot *slot = memslot->slot;

	for (uint32_t i = 0; i < memslot->nr_gmem; i++) {
		const struct spt_host_runs *runs = set->gmem[memslot->first_gmem + i];

		for (uint32_t r = 0; r < runs->count; r++) {
			const struct spt_host_run *run = &runs->run[r];
			uint64_t gpa = run->gfn << SPT_PAGE_SHIFT;
			uint64_t size = run->npages << SPT_PAGE_SHIFT;

			cli_table_row(t);
			cli_cell_address(t, PAGES_GPA, gpa);
			cli_cell_address(t, PAGES_END, gpa + size - 1);
			cli_cell_size(t, PAGES_SIZE, size);
			cli_cell_address(t, PAGES_HPA, run->hpa);
			cli_cell_number(t, PAGES_SLOT, slot->id);
			cli_cell_number(t, PAGES_INODE, (int64_t)slot->gmem_file);
			cli_cell_hex(t, PAGES_OFFSET,
				     (run->gfn - slot->base_gfn + slot->gmem_pgoff)
					     << SPT_PAGE_SHIFT);
		}
	}
}

/* Whether the list can be made; else why not, as a warning: it is empty then. */
static void note_unknown(struct cli *cli, const struct spt_model *model, bool attributes)
{
	uint32_t part = attributes ? SPT_PART_ATTRS : SPT_PART_GMEM;

	if (attributes && model->no_attrs)
		cli_warn(cli, "n/a: this VM cannot have memory attributes");
	else if (!(model->image.head.req_parts & part))
		cli_warn(cli, "n/a: the image was made without the part '%s'",
			 attributes ? "attrs" : "gmem");
}

static int list_runs(struct cli *cli, bool attributes)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS |
						      SPT_PART_ATTRS | SPT_PART_GMEM };
	struct spt_model *model;
	struct cli_table *t;
	int rc = cli_model(cli, &request, &model);

	if (rc)
		return rc;
	note_unknown(cli, model, attributes);
	t = cli_table_begin(cli, attributes ? attributes_columns : pages_columns,
			    attributes ? "attributes" : "pages", CLI_TABLE_STREAM);
	if (!t)
		return -cli->error.code;
	if (attributes)
		list_attributes(t, model);
	for (uint32_t i = 0; !attributes && i < model->memslots.count; i++)
		list_pages(t, &model->memslots, &model->memslots.slots[i]);
	return cli_table_end(t);
}

static int memslots_run(struct cli *cli, const struct cli_call *call)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	struct cli_table *t;
	struct spt_model *model;
	bool found = false;
	uint64_t gpa = 0;
	int rc;

	if (cli_has_option(call, "attributes") || cli_has_option(call, "pages")) {
		if (call->argc ||
		    (cli_has_option(call, "attributes") && cli_has_option(call, "pages")))
			return cli_fail(cli, EINVAL,
					"--attributes and --pages are lists of their own: give one"
					" of them alone");
		return list_runs(cli, cli_has_option(call, "attributes"));
	}
	if (call->argc) {
		rc = cli_parse_address(call->argv[0], "GPA", &gpa, &cli->error);
		if (rc)
			return rc;
	}
	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "memslots", 0);
	if (!t)
		return -cli->error.code;
	for (uint32_t i = 0; i < model->memslots.count; i++) {
		const struct spt_memslot *memslot = &model->memslots.slots[i];

		if (call->argc && !holds(memslot->slot, gpa))
			continue;
		found = true;
		add_row(cli, t, memslot);
	}
	rc = cli_table_end(t);
	return rc ? rc : call->argc && !found;
}

static const struct cli_option options[] = {
	{ .name = "attributes", .letter = 'a', .help = "list which memory is private, instead" },
	{ .name = "pages", .letter = 'p', .help = "list the pages that guest_memfd has, instead" },
	{ NULL },
};

const struct cli_command cli_cmd_memslots = {
	.name = "memslots",
	.args = "[GPA]",
	.help = "list the memory slots, or those that hold GPA",
	.details =
		"With GPA: exit status 1 when no slot holds it.\n"
		"max_page_size below 2M on a large slot: GPA and HVA are not aligned to each other,\n"
		"so KVM cannot map it with huge pages.",
	.example = "memslots 0xfee00000",
	.max_args = 1,
	.options = options,
	.columns = columns,
	.run = memslots_run,
};
