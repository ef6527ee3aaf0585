// SPDX-License-Identifier: GPL-2.0
#include "cli/show_hpa.h"

#include <inttypes.h>

#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"

#define MOST_LINES 64 /* entries that are listed for people */

/* A hit of a leaf as the entry that it is. */
static struct spt_spte decode_leaf(const struct spt_model *model, const struct spt_reverse_hit *hit)
{
	return spt_spte_decode(&model->format, hit->spte, hit->level,
			       spt_node_kind(model, hit->node));
}

static void print_leaf(FILE *out, const struct spt_model *model, const struct spt_reverse_hit *hit)
{
	struct spt_spte spte = decode_leaf(model, hit);
	char perm[SPT_PERM_TEXT], flags[CLI_FLAGS_TEXT];

	fprintf(out,
		"    0x%016" PRIx64 "  %-8s  0x%016" PRIx64 "  0x%016" PRIx64 "  %5u  0x%016" PRIx64
		"  %s %s page  %s\n",
		hit->root->hpa, spt_root_kind_name(hit->root->kind), hit->address, hit->node->hpa,
		hit->index, hit->spte, spt_perm_text(&model->format, spte.perm, perm),
		cli_size(hit->size).text, cli_entry_flags(&spte, NULL, flags));
}

static void print_leaves(FILE *out, const struct spt_model *model,
			 const struct spt_reverse *reverse)
{
	size_t n = 0;

	for (size_t i = 0; i < reverse->count; i++) {
		if (reverse->hit[i].kind != SPT_REVERSE_LEAF)
			continue;
		if (!n)
			fprintf(out,
				"\n  mapped by\n    %-18s  %-8s  %-18s  %-18s  %5s  %-18s  %s\n",
				"root", "kind", "address", "table", "index", "entry", "meaning");
		if (n++ < MOST_LINES)
			print_leaf(out, model, &reverse->hit[i]);
	}
	if (n > MOST_LINES)
		fprintf(out, "    and %zu more (--json has them all)\n", n - MOST_LINES);
}

static void print_gfn_of_guest(FILE *out, const struct spt_reverse_hit *hit)
{
	/* The gfn of a page that is not direct is that of the guest's table. */
	if (hit->node && hit->node->page && !hit->node->direct)
		fprintf(out, "    it shadows the guest's own table at GPA 0x%" PRIx64 "\n",
			(uint64_t)hit->node->page->gfn << SPT_PAGE_SHIFT);
}

static void print_table(FILE *out, const struct spt_model *model, const struct spt_reverse_hit *hit)
{
	static const char *const raw[] = { "?", "pae_root", "pml4_root", "pml5_root" };
	struct spt_entry parent;
	char title[128];

	if (hit->root)
		cli_root_title(model, hit->root, title, sizeof(title));
	switch (hit->kind) {
	case SPT_REVERSE_TABLE:
		fprintf(out, "\n  page table: level %d of %s\n", hit->level, title);
		fprintf(out, "    translates %s 0x%" PRIx64 " + %s\n", cli_root_space(hit->root),
			hit->address, cli_size(hit->size).text);
		if (spt_reverse_parent(model, hit, &parent))
			fprintf(out,
				"    entry %u of the level %d table 0x%" PRIx64
				" points to it: 0x%016" PRIx64 "\n",
				parent.index, parent.level, parent.node->hpa, parent.spte);
		else
			fprintf(out, "    it is the root's own table\n");
		break;
	case SPT_REVERSE_DETACHED:
		fprintf(out, "\n  page table: level %d, which no root of this image leads to\n",
			hit->level);
		break;
	case SPT_REVERSE_EXTERNAL:
		fprintf(out,
			"\n  page table: the TDX module's, level %d, behind the mirror table 0x%" PRIx64
			" of %s\n",
			hit->level, hit->node->hpa, title);
		break;
	case SPT_REVERSE_VCPU_ROOT:
		fprintf(out, "\n  page table: %s of the vCPU with index %u\n", raw[hit->raw_kind],
			hit->vcpu);
		break;
	case SPT_REVERSE_LEAF:
		return;
	}
	print_gfn_of_guest(out, hit);
}

void cli_print_reverse(struct cli *cli, const struct spt_model *model, uint64_t hpa,
		       const struct spt_reverse *reverse)
{
	fprintf(cli->out, "HPA 0x%" PRIx64 " of VM %s\n", hpa, model->image.head.id);
	print_leaves(cli->out, model, reverse);
	for (size_t i = 0; i < reverse->count; i++)
		print_table(cli->out, model, &reverse->hit[i]);
}

static struct json_object *leaf_json(const struct spt_model *model, uint64_t hpa,
				     const struct spt_reverse_hit *hit)
{
	struct spt_spte spte = decode_leaf(model, hit);
	struct json_object *o = json_object_new_object();
	char perm[SPT_PERM_TEXT];
	uint64_t gpa;

	cli_json_set_hex(o, "root_hpa", hit->root->hpa);
	cli_json_set_text(o, "kind", spt_root_kind_name(hit->root->kind));
	cli_json_set_hex(o, "address", hit->address);
	cli_json_set(o, "gpa", spt_reverse_gpa(model, hit, hpa, &gpa) ? cli_json_hex(gpa) : NULL);
	cli_json_set_int(o, "level", hit->level);
	cli_json_set_uint(o, "page_size", hit->size);
	cli_json_set_hex(o, "table_hpa", hit->node->hpa);
	cli_json_set_uint(o, "index", hit->index);
	cli_json_set_hex(o, "spte", hit->spte);
	cli_json_set_text(o, "perm", spt_perm_text(&model->format, spte.perm, perm));
	cli_json_set(o, "flags", cli_entry_flags_json(&spte, NULL));
	return o;
}

static struct json_object *table_json(const struct spt_model *model,
				      const struct spt_reverse_hit *hit)
{
	struct json_object *o = json_object_new_object(), *parent = NULL;
	const struct spt_page *page = hit->node ? hit->node->page : NULL;
	struct spt_entry entry;

	if (spt_reverse_parent(model, hit, &entry)) {
		parent = json_object_new_object();
		cli_json_set_int(parent, "level", entry.level);
		cli_json_set_hex(parent, "table_hpa", entry.node->hpa);
		cli_json_set_uint(parent, "index", entry.index);
		cli_json_set_hex(parent, "spte", entry.spte);
	}
	cli_json_set_text(o, "kind", spt_reverse_kind_name(hit->kind));
	cli_json_set(o, "root_hpa", hit->root ? cli_json_hex(hit->root->hpa) : NULL);
	cli_json_set_text(o, "root_kind", hit->root ? spt_root_kind_name(hit->root->kind) : NULL);
	cli_json_set_int(o, "level", hit->level);
	cli_json_set_hex(o, "address", hit->address);
	cli_json_set_uint(o, "size", hit->size);
	cli_json_set(o, "gfn", page ? cli_json_hex(page->gfn) : NULL);
	cli_json_set_bool(o, "direct", hit->node && hit->node->direct);
	cli_json_set(o, "vcpu_idx",
		     hit->kind == SPT_REVERSE_VCPU_ROOT ? cli_json_uint(hit->vcpu) : NULL);
	cli_json_set(o, "parent", parent);
	return o;
}

void cli_reverse_to_json(struct cli *cli, const struct spt_model *model, uint64_t hpa,
			 const struct spt_reverse *reverse)
{
	cli_json_array_begin(cli, "maps");
	for (size_t i = 0; i < reverse->count; i++)
		if (reverse->hit[i].kind == SPT_REVERSE_LEAF)
			cli_json_put(cli, NULL, leaf_json(model, hpa, &reverse->hit[i]));
	cli_json_array_end(cli);
	cli_json_array_begin(cli, "tables");
	for (size_t i = 0; i < reverse->count; i++)
		if (reverse->hit[i].kind != SPT_REVERSE_LEAF)
			cli_json_put(cli, NULL, table_json(model, &reverse->hit[i]));
	cli_json_array_end(cli);
}
