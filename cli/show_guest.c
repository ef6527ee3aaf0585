// SPDX-License-Identifier: GPL-2.0
#include "cli/show_guest.h"

#include <inttypes.h>

#include "cli/json.h"
#include "cli/show.h"
#include "cli/show_explain.h"
#include "cli/table.h"
#include "spt/explain.h"

static const char *perm_text(unsigned int perm, char text[4])
{
	text[0] = perm & SPT_PERM_READ ? 'r' : '-';
	text[1] = perm & SPT_PERM_WRITE ? 'w' : '-';
	text[2] = perm & SPT_PERM_EXEC ? 'x' : '-';
	text[3] = 0;
	return text;
}

static const char *entry_type(const struct spt_guest_level *l)
{
	if (l->read != SPT_GUEST_READ)
		return "unreadable";
	if (!l->gpte.present)
		return "nonpresent";
	return l->gpte.leaf ? "leaf" : "table";
}

/* Index, entry and what it says; the line is not ended. */
static void print_entry(FILE *out, unsigned int index, enum spt_guest_read read,
			const struct spt_gpte *gpte)
{
	char flags[CLI_FLAGS_TEXT];

	fprintf(out, "  %5u  ", index);
	if (read != SPT_GUEST_READ) {
		fprintf(out, "%-18s  %s", "not read", spt_guest_read_text(read));
		return;
	}
	fprintf(out, "0x%016" PRIx64 "  ", (uint64_t)gpte->raw);
	spt_gpte_flags_text(gpte, ",", flags, sizeof(flags));
	if (!gpte->present)
		fprintf(out, "not present");
	else if (gpte->leaf)
		fprintf(out, "%s page 0x%" PRIx64 "  %s", cli_size(gpte->size).text,
			(uint64_t)gpte->gpa, flags);
	else
		fprintf(out, "table 0x%" PRIx64 "  %s", (uint64_t)gpte->gpa, flags);
}

static void print_level(FILE *out, const struct spt_guest_level *l)
{
	fprintf(out, "    %-5d  0x%016" PRIx64 "  ", l->level, l->table_gpa);
	if (l->table.hpa == SPT_NO_HPA)
		fprintf(out, "%-18s", "not mapped");
	else
		fprintf(out, "0x%016" PRIx64, l->table.hpa & ~(spt_level_size(1) - 1));
	print_entry(out, l->index, l->read, &l->gpte);
	if (l->from_register)
		fprintf(out, "  (the processor's own copy%s)",
			l->memory == l->gpte.raw ? "" : "; memory has another value");
	fputc('\n', out);
}

static void print_access(FILE *out, const struct spt_guest_walk *g)
{
	char supervisor[4], user[4];

	if (g->nested.nr_levels)
		fprintf(out, "    L2 GPA 0x%016" PRIx64, g->nested.from);
	else
		fprintf(out, "    GPA    0x%016" PRIx64, g->gpa);
	if (g->page_size)
		fprintf(out, "  in a %s page", cli_size(g->page_size).text);
	fprintf(out, "; supervisor %s, user %s", perm_text(g->supervisor, supervisor),
		perm_text(g->user, user));
	if (g->flags & SPT_GUEST_SMAP)
		fputs(", supervisor data with EFLAGS.AC only (SMAP)", out);
	if (g->flags & SPT_GUEST_PKEY)
		fprintf(out, ", protection key %u", g->pkey);
	fputc('\n', out);
}

/* What the guest's own hypervisor gives its guest. */
static void print_nested(FILE *out, const struct spt_guest_walk *g, bool explain)
{
	const struct spt_nested_tables *tables = &g->regs.nested;
	const struct spt_nested_walk *n = &g->nested;

	fprintf(out,
		"\n  nested page tables of the guest, from the L2 GPA: %s, top 0x%" PRIx64 "\n",
		spt_nested_format_name(tables), tables->top);
	fprintf(out, "    %-5s  %-18s  %5s  %-18s  %s\n", "level", "table's GPA", "index", "entry",
		"meaning");
	for (unsigned int i = 0; i < n->nr_levels; i++) {
		const struct spt_nested_level *l = &n->level[i];

		fprintf(out, "    %-5d  0x%016" PRIx64, l->level, l->table_gpa);
		print_entry(out, l->index, l->read, &l->gpte);
		fputc('\n', out);
		if (explain)
			cli_print_words(out, spt_explain_nested(l));
	}
	if (n->mapped)
		fprintf(out, "    GPA    0x%016" PRIx64 "  in a %s page\n", n->gpa,
			cli_size(n->page_size).text);
	else
		fprintf(out, "    GPA    none\n");
}

static const char *whose(const struct spt_guest_walk *g)
{
	return g->regs.flags & SPT_REGS_NESTED ? "page tables of the guest's own guest (L2) on"
					       : "guest page tables of";
}

void cli_print_guest(struct cli *cli, const struct spt_guest_walk *g, bool explain)
{
	const char *doubt = spt_guest_regs_doubt(&g->regs);
	FILE *out = cli->out;

	fprintf(out, "\n  %s vCPU %" PRId64 ": paging %s, CR3 0x%" PRIx64 "%s\n", whose(g),
		g->regs.vcpu, spt_guest_paging_name(g->regs.mmu.paging), g->regs.cr3,
		g->regs.flags & SPT_REGS_GIVEN ? " (given)" : "");
	if (doubt && !explain)
		fprintf(out, "    beware: %s\n", doubt);
	if (g->flags & SPT_GUEST_CHANGED)
		fprintf(out, "    beware: the guest changed an entry while it was walked\n");
	if (g->flags & SPT_GUEST_SMM_SLOT)
		fprintf(out,
			"    beware: the vCPU is in SMM, for which another memslot or none is at this "
			"GPA: slot, HVA and host below are not SMM's\n");
	if (g->nr_levels)
		fprintf(out, "    %-5s  %-18s  %-18s  %5s  %-18s  %s\n", "level",
			g->regs.nested.on ? "table's L2 GPA" : "table's GPA", "table's HPA",
			"index", "entry", "meaning");
	for (unsigned int i = 0; i < g->nr_levels; i++) {
		char words[SPT_EXPLAIN_TEXT];

		print_level(out, &g->level[i]);
		if (explain)
			cli_print_words(out, spt_explain_guest(g, &g->level[i], words));
	}
	if (g->end == SPT_GUEST_END_MAPPED || g->nested.nr_levels)
		print_access(out, g);
	else
		fprintf(out, "    GPA    none\n");
	if (explain)
		spt_explain_access(g, cli_print_item, out);
	if (g->nested.nr_levels)
		print_nested(out, g, explain);
}

static struct json_object *flags_json(const struct spt_gpte *gpte)
{
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{ gpte->present, "present" },	{ gpte->write, "write" },
		{ gpte->user, "user" },		{ gpte->nx, "nx" },
		{ gpte->accessed, "accessed" }, { gpte->dirty, "dirty" },
		{ gpte->global, "global" },	{ gpte->leaf && gpte->level > 1, "huge" },
		{ gpte->reserved, "reserved" },
	};
	struct json_object *names = json_object_new_array();

	for (size_t i = 0; gpte->present && i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].set)
			json_object_array_add(names, json_object_new_string(flags[i].name));
	return names;
}

static struct json_object *nested_level_json(const struct spt_nested_level *l, bool explain)
{
	struct json_object *o = json_object_new_object();
	bool read = l->read == SPT_GUEST_READ;

	cli_json_set_int(o, "level", l->level);
	cli_json_set_hex(o, "table_gpa", l->table_gpa);
	cli_json_set_uint(o, "index", l->index);
	cli_json_set_hex(o, "entry_gpa", l->entry_gpa);
	cli_json_set(o, "entry", read ? cli_json_hex(l->gpte.raw) : NULL);
	cli_json_set(o, "flags", flags_json(&l->gpte));
	cli_json_set(o, "gpa", read && l->gpte.present ? cli_json_hex(l->gpte.gpa) : NULL);
	cli_json_set_text(o, "read", spt_guest_read_name(l->read));
	if (explain)
		cli_json_set_text(o, "text", spt_explain_nested(l));
	return o;
}

/* NULL: the addresses are the VM's already. */
static struct json_object *nested_json(const struct spt_guest_walk *g, bool explain)
{
	const struct spt_nested_walk *n = &g->nested;
	struct json_object *levels, *o;

	if (!g->regs.nested.on)
		return NULL;
	o = json_object_new_object();
	levels = json_object_new_array();
	for (unsigned int i = 0; i < n->nr_levels; i++)
		json_object_array_add(levels, nested_level_json(&n->level[i], explain));
	cli_json_set_text(o, "format", spt_nested_format_name(&g->regs.nested));
	cli_json_set_hex(o, "top_gpa", g->regs.nested.top);
	cli_json_set(o, "l2_gpa", n->nr_levels ? cli_json_hex(n->from) : NULL);
	cli_json_set(o, "levels", levels);
	cli_json_set(o, "gpa", n->mapped ? cli_json_hex(n->gpa) : NULL);
	cli_json_set(o, "page_size", n->mapped ? cli_json_uint(n->page_size) : NULL);
	return o;
}

static struct json_object *level_json(const struct spt_guest_walk *g,
				      const struct spt_guest_level *l, bool explain)
{
	const uint64_t offset = l->entry_gpa & (spt_level_size(1) - 1);
	struct json_object *o = json_object_new_object();
	bool read = l->read == SPT_GUEST_READ;
	char perm[4], words[SPT_EXPLAIN_TEXT];

	cli_json_set_int(o, "level", l->level);
	cli_json_set_hex(o, "table_gpa", l->table_gpa);
	cli_json_set(o, "table_hpa",
		     l->table.hpa == SPT_NO_HPA ? NULL : cli_json_hex(l->table.hpa - offset));
	cli_json_set(o, "table_hva",
		     l->table.hva == SPT_NO_HVA ? NULL : cli_json_hex(l->table.hva - offset));
	cli_json_set(o, "table_slot",
		     l->table.slot < 0 ? NULL : json_object_new_int(l->table.slot));
	cli_json_set_text(o, "table_verdict", spt_verdict_name(l->table.verdict));
	cli_json_set_uint(o, "index", l->index);
	cli_json_set_hex(o, "entry_gpa", l->entry_gpa);
	if (g->regs.nested.on)
		cli_json_set_hex(o, "entry_vm_gpa", l->vm_gpa);
	cli_json_set(o, "entry", read ? cli_json_hex(l->gpte.raw) : NULL);
	cli_json_set_text(o, "type", entry_type(l));
	cli_json_set_text(o, "perm",
			  perm_text(!l->gpte.present
					    ? 0
					    : SPT_PERM_READ | (l->gpte.write ? SPT_PERM_WRITE : 0) |
						      (l->gpte.nx ? 0 : SPT_PERM_EXEC),
				    perm));
	cli_json_set(o, "flags", flags_json(&l->gpte));
	cli_json_set(o, "gpa", read && l->gpte.present ? cli_json_hex(l->gpte.gpa) : NULL);
	cli_json_set(o, "size", cli_json_uint(l->gpte.size));
	cli_json_set(o, "reserved", l->gpte.reserved ? cli_json_hex(l->gpte.reserved) : NULL);
	cli_json_set_text(o, "read", spt_guest_read_name(l->read));
	if (explain)
		cli_json_set_text(o, "text", spt_explain_guest(g, l, words));
	return o;
}

struct json_object *cli_guest_json(const struct spt_guest_walk *g, bool explain)
{
	struct json_object *levels = json_object_new_array();
	struct json_object *o = json_object_new_object();
	bool mapped = g->end == SPT_GUEST_END_MAPPED;
	char perm[4];

	for (unsigned int i = 0; i < g->nr_levels; i++)
		json_object_array_add(levels, level_json(g, &g->level[i], explain));
	cli_json_set(o, "vcpu", g->regs.vcpu < 0 ? NULL : json_object_new_int64(g->regs.vcpu));
	cli_json_set_text(o, "paging", spt_guest_paging_name(g->regs.mmu.paging));
	cli_json_set_hex(o, "cr0", g->regs.cr0);
	cli_json_set_hex(o, "cr3", g->regs.cr3);
	cli_json_set_hex(o, "cr4", g->regs.cr4);
	cli_json_set_hex(o, "efer", g->regs.efer);
	cli_json_set(o, "pkru", g->regs.have_pkru ? cli_json_hex(g->regs.pkru) : NULL);
	cli_json_set_bool(o, "cr3_given", g->regs.flags & SPT_REGS_GIVEN);
	cli_json_set_bool(o, "cr3_fresh", !(g->regs.flags & SPT_REGS_CR3_OLD));
	cli_json_set_bool(o, "regs_fresh", !(g->regs.flags & SPT_REGS_RUNNING));
	cli_json_set_text(o, "doubt", spt_guest_regs_doubt(&g->regs));
	cli_json_set_bool(o, "changed", g->flags & SPT_GUEST_CHANGED);
	if (g->flags & SPT_GUEST_SMM_SLOT)
		cli_json_set_bool(o, "smm_slot_differs", true);
	cli_json_set_bool(o, "l2", g->regs.flags & SPT_REGS_NESTED);
	cli_json_set(o, "nested", nested_json(g, explain));
	cli_json_set(o, "levels", levels);
	cli_json_set_text(o, "end", spt_guest_end_name(g->end));
	cli_json_set(o, "gpa", mapped ? cli_json_hex(g->gpa) : NULL);
	cli_json_set(o, "page_size", mapped && g->page_size ? cli_json_uint(g->page_size) : NULL);
	cli_json_set_text(o, "supervisor_perm", mapped ? perm_text(g->supervisor, perm) : NULL);
	cli_json_set_text(o, "user_perm", mapped ? perm_text(g->user, perm) : NULL);
	cli_json_set_bool(o, "smap", g->flags & SPT_GUEST_SMAP);
	cli_json_set_bool(o, "smep", g->flags & SPT_GUEST_SMEP);
	cli_json_set(o, "pkey",
		     g->flags & SPT_GUEST_PKEY ? json_object_new_int((int)g->pkey) : NULL);
	cli_json_set_text(o, "reason", g->reason);
	if (explain) {
		struct json_object *words = json_object_new_array();

		spt_explain_access(g, cli_add_item, words);
		cli_json_set(o, "explanation", words);
	}
	return o;
}
