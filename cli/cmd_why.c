// SPDX-License-Identifier: GPL-2.0
/* `why`: the size and the rights of a mapping, or its absence, with what proves the cause. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/why.h"

#define NAME_WIDTH 22 /* of a fact */

static enum spt_question question_of(const struct spt_why_cause *cause)
{
	return spt_causes[cause->cause].question;
}

/* Whether an earlier cause answers the same question: then it is not this one that decides. */
static bool decides(const struct spt_why_answer *a, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (question_of(&a->cause[i]) == question_of(&a->cause[nr]))
			return false;
	return true;
}

static struct json_object *cause_json(const struct spt_why_answer *a, unsigned int nr)
{
	const struct spt_why_cause *cause = &a->cause[nr];
	const struct spt_cause_row *row = &spt_causes[cause->cause];
	struct json_object *facts = json_object_new_array();
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < cause->nr_facts; i++) {
		const struct spt_why_fact *fact = &a->fact[cause->first_fact + i];
		struct json_object *f = json_object_new_object();

		cli_json_set_text(f, "name", fact->name);
		cli_json_set_text(f, "value", fact->value);
		json_object_array_add(facts, f);
	}
	cli_json_set_text(o, "name", row->name);
	cli_json_set_text(o, "question", spt_question_names[row->question]);
	cli_json_set_bool(o, "decides", decides(a, nr));
	cli_json_set_text(o, "text", row->text);
	cli_json_set_text(o, "source", row->source);
	cli_json_set(o, "facts", facts);
	return o;
}

/* Members of one answer. */
static void answer_json(const struct spt_model *model, const struct spt_why_answer *a,
			struct json_object *o)
{
	const struct spt_walk_path *path = a->path;
	struct json_object *causes = json_object_new_array();
	bool mapped = a->state == SPT_WHY_MAPPED;
	char perm[SPT_PERM_TEXT];

	for (unsigned int i = 0; i < a->nr_causes; i++)
		json_object_array_add(causes, cause_json(a, i));
	cli_json_set(o, "root", path && path->root ? cli_json_hex(path->root->hpa) : NULL);
	cli_json_set_text(o, "kind",
			  path && path->root ? spt_root_kind_name(path->root->kind) : NULL);
	/* In the root's own space: GVA or L2 GPA where it does not translate GPAs. */
	cli_json_set(o, "address", path ? cli_json_hex(path->address) : NULL);
	cli_json_set_text(o, "state", spt_why_state_name(a->state));
	cli_json_set(o, "page_size", mapped ? cli_json_uint(a->page_size) : NULL);
	cli_json_set(o, "larger",
		     a->larger && a->larger <= 3 ? cli_json_uint(spt_level_size(a->larger)) : NULL);
	cli_json_set_text(o, "perm", mapped ? spt_perm_text(&model->format, a->perm, perm) : NULL);
	cli_json_set(o, "hpa", mapped ? cli_json_hex(path->hpa) : NULL);
	cli_json_set(o, "causes", causes);
}

/* The first answer's members are the document's. */
static void put_members(struct cli *cli, struct json_object *o)
{
	static const char *const keys[] = { "root",   "kind", "address", "state", "page_size",
					    "larger", "perm", "hpa",	 "causes" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cli_json_put(cli, keys[i], json_object_get(json_object_object_get(o, keys[i])));
	json_object_put(o);
}

static void why_to_json(struct cli *cli, const struct spt_model *model, const struct spt_why *why)
{
	struct json_object *others = json_object_new_array(), *o = json_object_new_object();

	cli_json_put(cli, "gpa", cli_json_hex(why->walk.gpa));
	cli_json_put(cli, "memslot",
		     why->answer[0].slot ? cli_slot_json(why->answer[0].slot) : NULL);
	cli_json_put(cli, "private", json_object_new_boolean(why->walk.private_gpa));
	answer_json(model, &why->answer[0], o);
	put_members(cli, o);
	for (unsigned int i = 1; i < why->nr_answers; i++) {
		o = json_object_new_object();
		answer_json(model, &why->answer[i], o);
		json_object_array_add(others, o);
	}
	cli_json_put(cli, "others", others);
}

static void print_cause(FILE *out, const struct spt_why_answer *a, unsigned int nr)
{
	const struct spt_why_cause *cause = &a->cause[nr];
	const struct spt_cause_row *row = &spt_causes[cause->cause];

	fprintf(out, "    %s: %s\n", row->name, row->text);
	for (unsigned int i = 0; i < cause->nr_facts; i++) {
		const struct spt_why_fact *fact = &a->fact[cause->first_fact + i];

		fprintf(out, "      %-*s %s\n", NAME_WIDTH, fact->name, fact->value);
	}
	fprintf(out, "      %-*s %s\n", NAME_WIDTH, "in KVM", row->source);
}

static void print_question(FILE *out, const struct spt_why_answer *a, enum spt_question question)
{
	bool first = true;

	for (unsigned int i = 0; i < a->nr_causes; i++) {
		if (question_of(&a->cause[i]) != question)
			continue;
		if (first && question == SPT_QUESTION_SIZE && a->larger <= 3)
			fprintf(out, "  not mapped by a %s page\n",
				cli_size(spt_level_size(a->larger)).text);
		else if (first)
			fprintf(out, "  %s\n", spt_question_texts[question]);
		first = false;
		print_cause(out, a, i);
	}
}

static void print_answer(struct cli *cli, const struct spt_model *model,
			 const struct spt_why_answer *a)
{
	const struct spt_walk_path *path = a->path;
	char title[128], perm[SPT_PERM_TEXT];
	FILE *out = cli->out;

	if (path && path->root) {
		cli_root_title(model, path->root, title, sizeof(title));
		fprintf(out, "\n%s", title);
		if (!spt_root_maps_gpa(path->root))
			fprintf(out, ", at %s 0x%" PRIx64, cli_root_space(path->root),
				path->address);
		fputc('\n', out);
	} else {
		fprintf(out, "\n%s\n",
			path ? "shadow page whose entry translates this GPA" : "no table");
	}
	fprintf(out, "  %s", spt_why_state_name(a->state));
	if (a->state == SPT_WHY_MAPPED)
		fprintf(out, ": %s page, %s, HPA 0x%016" PRIx64, cli_size(a->page_size).text,
			spt_perm_text(&model->format, a->perm, perm), path->hpa);
	else if (a->state == SPT_WHY_UNKNOWN)
		fprintf(out, ": the image does not have the tables of this address");
	fputc('\n', out);
	for (int q = 0; q < SPT_QUESTION_COUNT; q++)
		print_question(out, a, q);
}

static void print_slot(FILE *out, const struct spt_memslot *memslot)
{
	const struct spt_slot *slot = memslot->slot;
	char flags[CLI_FLAGS_TEXT];

	fprintf(out, "memslot %d: GPA 0x%016" PRIx64 " + %s", slot->id,
		(uint64_t)slot->base_gfn << SPT_PAGE_SHIFT,
		cli_size(slot->npages << SPT_PAGE_SHIFT).text);
	if (!(slot->flags & SPT_SLOT_GMEM_ONLY))
		fprintf(out, " -> HVA 0x%016" PRIx64, (uint64_t)slot->hva);
	fprintf(out, "%s%s\n", slot->flags ? ", " : "",
		slot->flags ? cli_slot_flags(slot->flags, flags) : "");
}

static void print_why(struct cli *cli, const struct spt_model *model, const struct spt_why *why)
{
	fprintf(cli->out, "GPA 0x%" PRIx64 " of VM %s\n", why->walk.gpa, model->image.head.id);
	if (why->answer[0].slot)
		print_slot(cli->out, why->answer[0].slot);
	if (why->walk.private_gpa)
		fprintf(cli->out, "private: the VMM has given this page to guest_memfd\n");
	for (unsigned int i = 0; i < why->nr_answers; i++)
		print_answer(cli, model, &why->answer[i]);
}

static int why_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_model *model = NULL;
	struct spt_source *source;
	struct spt_why *why;
	uint64_t gpa;
	int rc = cli_parse_address(call->argv[0], "GPA", &gpa, &cli->error);

	if (!rc)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	model = cli_empty_model(cli);
	why = malloc(sizeof(*why));
	if (!why)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = spt_why_from(source, model, gpa, cli_image_flags(cli), why, &cli->error);
	if (rc) {
		cli_target_close(cli);
		free(why);
		return rc;
	}
	cli_note_torn(cli, model);
	if (cli->opt.json)
		why_to_json(cli, model, why);
	else
		print_why(cli, model, why);
	rc = why->answer[0].state == SPT_WHY_NO_SLOT || why->answer[0].state == SPT_WHY_UNKNOWN;
	free(why);
	return rc;
}

const struct cli_command cli_cmd_why = {
	.name = "why",
	.args = "GPA",
	.help = "why a page is mapped 4K, 2M or 1G, not mapped, not writable, emulated",
	.details =
		"For every root that leads to GPA: the state (mapped, unmapped, mmio, no-slot,\n"
		"changing, n/a) and the causes, by question: why no larger page (size), why no\n"
		"page (mapped), why not writable (write), why not executable (exec), why emulated\n"
		"(mmio). Several may hold; the first of a question is the one that decides. Under\n"
		"each stand the fields that prove it and where KVM acts on them. A fact that the\n"
		"image does not have is n/a.\n"
		"JSON: {\"gpa\",\"memslot\",\"private\",\"root\",\"kind\",\"address\",\"state\",\"page_size\",\n"
		"\"larger\",\"perm\",\"hpa\",\"causes\":[{\"name\",\"question\",\"decides\",\"text\",\"source\",\n"
		"\"facts\":[{\"name\",\"value\"}]}],\"others\":[further roots, the same from \"root\" on]}.\n"
		"Exit status 1: no memory slot has the address, or the image does not say.",
	.example = "why 0x10000000",
	.min_args = 1,
	.max_args = 1,
	.run = why_run,
};
