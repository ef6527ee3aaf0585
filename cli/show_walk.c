// SPDX-License-Identifier: GPL-2.0
#include "cli/show_walk.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cli/show.h"
#include "cli/show_explain.h"
#include "cli/show_guest.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/explain.h"

static void print_upper(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(toupper((unsigned char)*text), out);
}

static void print_slot(FILE *out, const struct spt_walk *walk)
{
	const struct spt_slot *slot;
	char flags[CLI_FLAGS_TEXT];
	uint64_t base, size;

	if (!walk->slot) {
		fprintf(out, "  memslot   none\n");
		return;
	}
	slot = walk->slot->slot;
	base = slot->base_gfn << SPT_PAGE_SHIFT;
	size = slot->npages << SPT_PAGE_SHIFT;
	fprintf(out, "  memslot   %d%s: GPA 0x%016" PRIx64 " + %s", slot->id,
		slot->as_id ? " of the SMM address space" : "", base, cli_size(size).text);
	if (slot->hva)
		fprintf(out, " -> HVA 0x%016" PRIx64, (uint64_t)slot->hva);
	if (slot->gmem_file)
		fprintf(out, " and guest_memfd inode %" PRIu64 " offset 0x%" PRIx64,
			(uint64_t)slot->gmem_file, (uint64_t)slot->gmem_pgoff << SPT_PAGE_SHIFT);
	if (slot->flags)
		fprintf(out, ", %s", cli_slot_flags(slot->flags, flags));
	fputc('\n', out);
	if (walk->hva != SPT_NO_HVA)
		fprintf(out, "  HVA       0x%016" PRIx64 "\n", walk->hva);
	if (walk->private_gpa)
		fprintf(out, "  attribute private: the VMM has given this page to guest_memfd\n");
	else if (walk->knows_attrs)
		fprintf(out, "  attribute shared: the HVA is behind the page\n");
	if (walk->knows_gmem && walk->gmem_hpa != SPT_NO_HPA)
		fprintf(out, "  guest_memfd has HPA 0x%016" PRIx64 " for it\n", walk->gmem_hpa);
	else if (walk->knows_gmem)
		fprintf(out, "  guest_memfd has no page for it\n");
}

/* Of a VM whose memory has two halves: both addresses of the page. */
static void print_aliases(FILE *out, const struct spt_model *model, const struct spt_walk *walk)
{
	if (!model->gpa_bits)
		return;
	fprintf(out,
		"  aliases   0x%" PRIx64 " private%s, 0x%" PRIx64 " shared%s: GPA bit %d chooses\n",
		walk->gpa, walk->asked_shared ? "" : " (asked for)", walk->gpa | model->gpa_bits,
		walk->asked_shared ? " (asked for)" : "", __builtin_ctzll(model->gpa_bits));
}

/* Under the way through the external tables: whether they are what the mirror says. */
static void print_agreement(FILE *out, const struct spt_walk *walk)
{
	if (walk->external == SPT_YES)
		fprintf(out,
			"    each entry is what the mirror's stands for (A and D bits aside)\n");
	else if (walk->external == SPT_NO)
		fprintf(out, "    the entry of level %d is not what the mirror's stands for\n",
			walk->external_level);
}

static void print_level_heading(FILE *out)
{
	fprintf(out, "    %-5s  %-18s  %5s  %-18s  %s\n", "level", "table", "index", "entry",
		"meaning");
}

int cli_walk_node(const struct spt_nodes *nodes, const struct spt_walk *walk, uint64_t hpa)
{
	const uint64_t offset = spt_level_size(1) - 1;
	const struct spt_frames frames = {
		.slot = walk->slot,
		.gpa = walk->gpa & ~offset,
		.hpa = hpa & ~offset,
		.size = spt_level_size(1),
	};

	return !nodes || hpa == SPT_NO_HPA ? SPT_NO_NODE : spt_node_of(nodes, &frames);
}

static void print_hpa(FILE *out, const struct spt_nodes *nodes, const struct spt_walk *walk,
		      uint64_t hpa, uint64_t page_size)
{
	int node = cli_walk_node(nodes, walk, hpa);

	if (hpa == SPT_NO_HPA) {
		fprintf(out, "    HPA    none\n");
		return;
	}
	fprintf(out, "    HPA    0x%016" PRIx64 "  in a %s page", hpa, cli_size(page_size).text);
	if (node != SPT_NO_NODE)
		fprintf(out, ", NUMA node %d", node);
	fputc('\n', out);
}

static void print_entry(FILE *out, const struct spt_model *model, const struct spt_entry *entry)
{
	struct spt_spte spte = spt_entry_decode(model, entry);
	char flags[CLI_FLAGS_TEXT];
	char perm[SPT_PERM_TEXT];
	char sentence[256];

	fprintf(out, "    %-5d  0x%016" PRIx64 "  %5u  0x%016" PRIx64 "  ", entry->level,
		entry->node->hpa, entry->index, entry->spte);
	spt_perm_text(&model->format, spte.perm, perm);
	cli_entry_flags(&spte, entry, flags);
	switch (entry->type) {
	case SPT_SPTE_TABLE:
		fprintf(out, "%s table 0x%" PRIx64, perm, entry->hpa);
		break;
	case SPT_SPTE_LEAF:
		fprintf(out, "%s %s page 0x%" PRIx64, perm, cli_size(entry->size).text, entry->hpa);
		break;
	case SPT_SPTE_MMIO:
	case SPT_SPTE_FROZEN:
	case SPT_SPTE_NONPRESENT:
	case SPT_SPTE_TYPES:
		/* The entry at which a walk ends is worth a sentence. */
		spt_spte_sentence(&model->format, &spte, sentence, sizeof(sentence));
		fputs(sentence, out);
		break;
	}
	fprintf(out, "%s%s\n", flags[0] ? "  " : "", flags);
}

/* Where a root that does not translate GPAs has the page. */
static void print_place(FILE *out, const struct spt_walk_path *path)
{
	if (path->root && !spt_root_maps_gpa(path->root))
		fprintf(out, ", at %s 0x%" PRIx64, cli_root_space(path->root), path->address);
}

static void print_path(FILE *out, const struct spt_model *model, const struct spt_nodes *nodes,
		       const struct spt_walk *walk, const struct spt_walk_path *path, bool explain)
{
	char title[128];

	if (path->root)
		cli_root_title(model, path->root, title, sizeof(title));
	else
		snprintf(title, sizeof(title), "shadow page whose entry translates this GPA");
	fprintf(out, "\n  %s", title);
	if (!path->nr_levels) {
		fprintf(out, "\n    %s\n", spt_walk_why_empty(path));
		return;
	}
	print_place(out, path);
	fputc('\n', out);
	print_level_heading(out);
	for (unsigned int i = 0; i < path->nr_levels; i++) {
		char words[SPT_EXPLAIN_TEXT];

		print_entry(out, model, &path->level[i]);
		if (explain)
			cli_print_words(out, spt_explain_entry(model, &path->level[i], words));
	}
	print_hpa(out, nodes, walk, path->hpa, path->page_size);
	if (path->root && path->root->kind == SPT_ROOT_EXTERNAL)
		print_agreement(out, walk);
}

static void print_host_level(FILE *out, const struct spt_walk *walk,
			     const struct spt_host_level *level)
{
	const struct spt_host_path *host = &walk->host;
	char perm[4] = "r--";

	perm[1] = level->writable ? 'w' : '-';
	perm[2] = level->nx ? '-' : 'x';
	fprintf(out, "    %-5d  0x%016" PRIx64 "  %5u  0x%016" PRIx64 "  ", level->level,
		level->table_hpa, level->index, level->entry);
	if (level->type == SPT_HOST_TABLE)
		fprintf(out, "%s table", perm);
	else if (level->type == SPT_HOST_PAGE)
		fprintf(out, "%s %s page 0x%" PRIx64 "%s%s%s", perm, cli_size(host->page_size).text,
			host->hpa & ~(host->page_size - 1), level->user ? "" : "  kernel-only",
			level->accessed ? "  accessed" : "", level->dirty ? "  dirty" : "");
	else
		fputs(spt_host_type_name(level->type), out);
	fputc('\n', out);
}

static void print_host(FILE *out, const struct spt_nodes *nodes, const struct spt_walk *walk,
		       bool explain)
{
	/* Without a slot there is no HVA to begin at. */
	if (!walk->have_host || !walk->slot)
		return;
	fprintf(out, "\n  host page tables of the VMM, from the HVA\n");
	if (walk->host.error) {
		fprintf(out, "    not walked: %s\n", strerror(walk->host.error));
		return;
	}
	if (walk->host.nr_levels)
		print_level_heading(out);
	else
		fprintf(out, "    %s%s (saved without the tables above)\n",
			walk->host.writable ? "writable " : "",
			spt_host_type_name(walk->host.type));
	for (unsigned int i = 0; i < walk->host.nr_levels; i++) {
		char words[SPT_EXPLAIN_TEXT];

		print_host_level(out, walk, &walk->host.level[i]);
		if (explain)
			cli_print_words(out, spt_explain_host(&walk->host.level[i], words));
	}
	print_hpa(out, nodes, walk, walk->host.hpa, walk->host.page_size);
}

/* Everything that translates a GPA. */
static void print_gpa(struct cli *cli, const struct spt_model *model,
		      const struct cli_walk_from *from, const struct spt_walk *walk)
{
	const struct spt_nodes known = { model, from->nodes ? cli_numa(cli) : NULL };
	const struct spt_nodes *nodes = from->nodes ? &known : NULL;
	FILE *out = cli->out;

	print_slot(out, walk);
	print_aliases(out, model, walk);
	for (unsigned int i = 0; i < walk->nr_paths; i++)
		print_path(out, model, nodes, walk, &walk->path[i], from->explain);
	if (!walk->nr_paths)
		fprintf(out, "\n  %s\n",
			model->nr_roots
				? "no shadow table maps this address"
				: "no root: no vCPU has entered the guest since KVM last dropped its roots");
	if (walk->more_paths)
		fprintf(out, "\n  and %u further ways to this page\n", walk->more_paths);
	print_host(out, nodes, walk, from->explain);
}

void cli_print_verdict(struct cli *cli, const struct spt_model *model,
		       const struct cli_walk_from *from, const struct spt_walk *walk)
{
	fprintf(cli->out, "\n%s: %s\n", spt_verdict_name(walk->verdict), walk->reason);
	if (from->explain && cli_walk_has_gpa(from, walk))
		spt_explain_walk(model, walk, cli_print_item, cli->out);
}

void cli_print_walk(struct cli *cli, const struct spt_model *model,
		    const struct cli_walk_from *from, const struct spt_walk *walk)
{
	FILE *out = cli->out;

	print_upper(out, from->kind);
	fprintf(out, " 0x%" PRIx64, from->address);
	if (strcmp(from->kind, "gpa") && cli_walk_has_gpa(from, walk))
		fprintf(out, " -> GPA 0x%" PRIx64, walk->gpa);
	fprintf(out, " of VM %s\n", model->image.head.id);
	if (from->guest)
		cli_print_guest(cli, from->guest, from->explain);
	if (from->guest && cli_walk_has_gpa(from, walk))
		fputc('\n', out);
	if (cli_walk_has_gpa(from, walk))
		print_gpa(cli, model, from, walk);
	cli_print_verdict(cli, model, from, walk);
}
