// SPDX-License-Identifier: GPL-2.0
#include "cli/show_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "decoders/spte.h"

/* Steps that are printed one by one; of more, all are summed up. */
#define STEPS_SHOWN 16

static struct spt_spte decode(const struct spt_format *format, const struct spt_act_spte *spte)
{
	return spt_spte_decode(format, spte->raw, spte->level, SPT_SPTE_WALKED);
}

const char *cli_act_spte(const struct spt_format *format, const struct spt_act_spte *spte,
			 char text[CLI_SPTE_TEXT])
{
	char perm[SPT_PERM_TEXT], flags[CLI_FLAGS_TEXT];
	struct spt_spte s;
	int at;

	if (!spte->known) {
		strcpy(text, "n/a");
		return text;
	}
	s = decode(format, spte);
	at = snprintf(text, CLI_SPTE_TEXT, "L%d 0x%016" PRIx64 "  ", spte->level, spte->raw);
	spt_spte_flags_text(s.flags, ",", flags, sizeof(flags));
	if (s.type == SPT_SPTE_LEAF || s.type == SPT_SPTE_TABLE)
		at += snprintf(text + at, CLI_SPTE_TEXT - at, "%s ",
			       spt_perm_text(format, s.perm, perm));
	if (s.type == SPT_SPTE_LEAF)
		at += snprintf(text + at, CLI_SPTE_TEXT - at, "%s page 0x%" PRIx64,
			       cli_size(s.size).text, (uint64_t)s.hpa);
	else if (s.type == SPT_SPTE_TABLE)
		at += snprintf(text + at, CLI_SPTE_TEXT - at, "table 0x%" PRIx64, (uint64_t)s.hpa);
	else
		at += snprintf(text + at, CLI_SPTE_TEXT - at, "%s", spt_spte_type_name(s.type));
	if (flags[0])
		snprintf(text + at, CLI_SPTE_TEXT - at, "  %s", flags);
	return text;
}

struct json_object *cli_act_spte_json(const struct spt_format *format,
				      const struct spt_act_spte *spte)
{
	struct json_object *o, *flags;
	char perm[SPT_PERM_TEXT];
	struct spt_spte s;

	if (!spte->known)
		return NULL;
	s = decode(format, spte);
	o = json_object_new_object();
	cli_json_set_int(o, "level", spte->level);
	cli_json_set_hex(o, "spte", spte->raw);
	cli_json_set_text(o, "type", spt_spte_type_name(s.type));
	if (s.type == SPT_SPTE_LEAF || s.type == SPT_SPTE_TABLE) {
		cli_json_set_hex(o, "hpa", s.hpa);
		cli_json_set_text(o, "perm", spt_perm_text(format, s.perm, perm));
	}
	if (s.type == SPT_SPTE_LEAF)
		cli_json_set_uint(o, "size", s.size);
	flags = json_object_new_array();
	for (unsigned int i = 0; i < SPT_SPTE_FLAG_COUNT; i++)
		if (s.flags >> i & 1)
			json_object_array_add(flags, json_object_new_string(spt_spte_flag_name(i)));
	cli_json_set(o, "flags", flags);
	return o;
}

static struct json_object *entry_json(const struct spt_format *format, const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_entry e;

	if (!spt_act_entry(words, &e))
		return o;
	cli_json_set_hex(o, "root", e.root);
	cli_json_set_text(o, "kind", e.kind[0] ? e.kind : NULL);
	cli_json_set_hex(o, "gpa", e.gpa);
	cli_json_set(o, "before", cli_act_spte_json(format, &e.before));
	cli_json_set(o, "after", cli_act_spte_json(format, &e.after));
	return o;
}

static struct json_object *counts_json(const uint64_t counts[3])
{
	static const char *const names[] = { "4k", "2m", "1g" };
	struct json_object *o = json_object_new_object();

	for (int i = 0; i < 3; i++)
		cli_json_set_uint(o, names[i], counts[i]);
	return o;
}

static struct json_object *mapped_json(const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_mapped m;

	if (!spt_act_mapped(words, &m))
		return o;
	cli_json_set_hex(o, "root", m.root);
	cli_json_set_text(o, "kind", m.kind[0] ? m.kind : NULL);
	cli_json_set(o, "before", counts_json(m.before));
	cli_json_set(o, "after", m.have_after ? counts_json(m.after) : NULL);
	return o;
}

static struct json_object *touched_json(const char *words)
{
	struct json_object *o = json_object_new_object();
	struct spt_act_touched t;

	if (!spt_act_touched(words, &t))
		return o;
	cli_json_set_hex(o, "root", t.root);
	cli_json_set_hex(o, "gpa", t.gpa);
	cli_json_set_uint(o, "size", t.size);
	return o;
}

/* "0:1 base=0x… size=0x… …" */
static struct json_object *slot_json(const char *text)
{
	struct json_object *o = json_object_new_object();
	size_t len;
	const char *flags = spt_act_word(text, "flags", &len);
	uint64_t number;
	int as_id, id;

	if (sscanf(text, "%d:%d", &as_id, &id) == 2) {
		cli_json_set_int(o, "as_id", as_id);
		cli_json_set_int(o, "id", id);
	}
	if (spt_act_number(text, "base", &number))
		cli_json_set_hex(o, "base_gpa", number);
	if (spt_act_number(text, "size", &number))
		cli_json_set_uint(o, "size", number);
	if (spt_act_number(text, "hva", &number))
		cli_json_set_hex(o, "hva", number);
	if (flags)
		cli_json_set(o, "flags", json_object_new_string_len(flags, (int)len));
	return o;
}

/* How a line becomes a member of its block; a list where 'list' has a name. */
static const struct member {
	const char *key, *list;
	bool hex;
} members[SPT_LINE_NAMES] = {
	[SPT_LINE_ID] = { .key = "id" },
	[SPT_LINE_VM] = { .key = "vm" },
	[SPT_LINE_GPA] = { .key = "gpa" },
	[SPT_LINE_SIZE] = { .key = "size" },
	[SPT_LINE_SLOT] = { .key = "slot" },
	[SPT_LINE_HVA] = { .key = "hva", .hex = true },
	[SPT_LINE_VCPU] = { .key = "vcpu" },
	[SPT_LINE_ACCESS] = { .key = "access" },
	[SPT_LINE_PERM] = { .key = "perm" },
	[SPT_LINE_STEP] = { .key = "step" },
	[SPT_LINE_CONTEXT] = { .key = "context" },
	[SPT_LINE_RET] = { .key = "ret" },
	[SPT_LINE_RETRIES] = { .key = "retries" },
	[SPT_LINE_NS] = { .key = "ns" },
	[SPT_LINE_WAIT_NS] = { .key = "wait_ns" },
	[SPT_LINE_ENTRY] = { .list = "entries" },
	[SPT_LINE_MAPPED] = { .list = "mapped" },
	[SPT_LINE_TOUCHED] = { .list = "touched" },
	[SPT_LINE_OLD_HPA] = { .key = "old_hpa", .hex = true },
	[SPT_LINE_NEW_HPA] = { .key = "new_hpa", .hex = true },
	[SPT_LINE_PAGE_SIZE] = { .key = "page_size" },
	[SPT_LINE_LOST] = { .key = "lost" },
	[SPT_LINE_COUNT] = { .key = "count" },
	[SPT_LINE_UNDONE] = { .list = "undone" },
	[SPT_LINE_UNDO] = { .key = "undo" },
};

static struct json_object *value_json(const struct spt_format *format,
				      const struct spt_act_line *line)
{
	switch (line->name) {
	case SPT_LINE_ENTRY:
		return entry_json(format, line->text);
	case SPT_LINE_MAPPED:
		return mapped_json(line->text);
	case SPT_LINE_TOUCHED:
		return touched_json(line->text);
	case SPT_LINE_SLOT:
		return slot_json(line->text);
	case SPT_LINE_GPA:
		/* As text where it is a range or 'all'. */
		return strchr(line->text, '+') || line->text[0] == 'a'
			       ? json_object_new_string(line->text)
			       : cli_json_hex(line->number);
	case SPT_LINE_VM:
	case SPT_LINE_ACCESS:
	case SPT_LINE_PERM:
	case SPT_LINE_CONTEXT:
	case SPT_LINE_RET:
		return json_object_new_string(line->text);
	default:
		return members[line->name].hex ? cli_json_hex(line->number)
					       : cli_json_uint(line->number);
	}
}

static void add_member(const struct spt_format *format, struct json_object *o,
		       const struct spt_act_line *line)
{
	const struct member *m = &members[line->name];
	struct json_object *list;

	if (m->key)
		cli_json_set(o, m->key, value_json(format, line));
	if (!m->list)
		return;
	if (!json_object_object_get_ex(o, m->list, &list)) {
		list = json_object_new_array();
		cli_json_set(o, m->list, list);
	}
	json_object_array_add(list, value_json(format, line));
}

/* The members of one block, from line *@next on. */
static struct json_object *block_json(const struct spt_format *format,
				      const struct spt_answer *answer, size_t *next)
{
	struct json_object *o = json_object_new_object();
	unsigned int step = answer->lines[*next].step;

	while (*next < answer->nr_lines && answer->lines[*next].step == step)
		add_member(format, o, &answer->lines[(*next)++]);
	return o;
}

static void put_members(struct cli *cli, struct json_object *o)
{
	json_object_object_foreach(o, key, value) cli_json_put(cli, key, json_object_get(value));
	json_object_put(o);
}

static struct json_object *reason_json(const struct spt_answer *answer)
{
	struct json_object *o;

	if (answer->reason == SPT_WHY_NONE)
		return NULL;
	o = json_object_new_object();
	cli_json_set_text(o, "code", spt_reason_name(answer->reason));
	cli_json_set_text(o, "text", answer->reason_text);
	return o;
}

static void show_json(struct cli *cli, const struct spt_format *format,
		      const struct spt_answer *answer)
{
	const struct spt_act_line *dry = spt_answer_find(answer, 0, SPT_LINE_DRY_RUN);
	size_t next = 0;

	cli_json_put(cli, "action", json_object_new_string(spt_actions[answer->action].name));
	cli_json_put(cli, "dry_run", json_object_new_boolean(dry && dry->number));
	if (answer->nr_lines && !answer->lines[0].step)
		put_members(cli, block_json(format, answer, &next));
	cli_json_array_begin(cli, "steps");
	while (next < answer->nr_lines && answer->lines[next].step != SPT_ACT_LAST)
		cli_json_put(cli, NULL, block_json(format, answer, &next));
	cli_json_array_end(cli);
	if (next < answer->nr_lines)
		put_members(cli, block_json(format, answer, &next));
	cli_json_put(cli, "result", json_object_new_string(spt_result_name(answer->result)));
	cli_json_put(cli, "reason", reason_json(answer));
}

static void print_entry(FILE *out, const struct spt_format *format, const char *words)
{
	char before[CLI_SPTE_TEXT], after[CLI_SPTE_TEXT];
	struct spt_act_entry e;

	if (!spt_act_entry(words, &e))
		return;
	fprintf(out, "    %s root 0x%016" PRIx64 "  0x%016" PRIx64 "\n      before  %s\n",
		e.kind[0] ? e.kind : "a", e.root, e.gpa, cli_act_spte(format, &e.before, before));
	if (e.after.known)
		fprintf(out, "      after   %s\n", cli_act_spte(format, &e.after, after));
}

static void print_mapped(FILE *out, const char *words)
{
	struct spt_act_mapped m;

	if (!spt_act_mapped(words, &m))
		return;
	fprintf(out,
		"    %s root 0x%016" PRIx64 "  before: %" PRIu64 " x 4K, %" PRIu64 " x 2M, %" PRIu64
		" x 1G",
		m.kind[0] ? m.kind : "a", m.root, m.before[0], m.before[1], m.before[2]);
	if (m.have_after)
		fprintf(out, "  after: %" PRIu64 " x 4K, %" PRIu64 " x 2M, %" PRIu64 " x 1G",
			m.after[0], m.after[1], m.after[2]);
	fputc('\n', out);
}

static void print_touched(FILE *out, const char *words)
{
	struct spt_act_touched t;

	if (spt_act_touched(words, &t))
		fprintf(out, "    touched 0x%016" PRIx64 " + %s\n", t.gpa, cli_size(t.size).text);
}

/* "12.3 us": nanoseconds for people. */
static const char *duration(uint64_t ns, char text[32])
{
	if (ns < 10000000)
		snprintf(text, 32, "%.1f us", (double)ns / 1e3);
	else
		snprintf(text, 32, "%.1f ms", (double)ns / 1e6);
	return text;
}

/* Where the vCPU's work was done. */
static const char *context_text(const char *context)
{
	static const char *const texts[][2] = {
		{ "run", "inside KVM_RUN" },
		{ "user", "in the vCPU's thread, outside KVM_RUN" },
		{ "thread", "in a kernel thread, as nothing ran the vCPU" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i][0], context))
			return texts[i][1];
	return context;
}

static void print_line(struct cli *cli, const struct spt_format *format,
		       const struct spt_act_line *line)
{
	FILE *out = cli->out;
	char text[32];

	switch (line->name) {
	case SPT_LINE_STEP:
		fprintf(out, "  step %" PRIu64 "\n", line->number);
		break;
	case SPT_LINE_ENTRY:
		print_entry(out, format, line->text);
		break;
	case SPT_LINE_MAPPED:
		print_mapped(out, line->text);
		break;
	case SPT_LINE_TOUCHED:
		print_touched(out, line->text);
		break;
	case SPT_LINE_CONTEXT:
		fprintf(out, "    context %s\n", context_text(line->text));
		break;
	case SPT_LINE_RET:
		fprintf(out, "    KVM     %s\n", line->text);
		break;
	case SPT_LINE_RETRIES:
		if (line->number)
			fprintf(out, "    retries %" PRIu64 "\n", line->number);
		break;
	case SPT_LINE_NS:
		fprintf(out, "    took    %s\n", duration(line->number, text));
		break;
	case SPT_LINE_WAIT_NS:
		fprintf(out, "    waited  %s for the vCPU\n", duration(line->number, text));
		break;
	case SPT_LINE_OLD_HPA:
		fprintf(out, "    old HPA 0x%016" PRIx64 "\n", line->number);
		break;
	case SPT_LINE_NEW_HPA:
		fprintf(out, "    new HPA 0x%016" PRIx64 "\n", line->number);
		break;
	case SPT_LINE_PAGE_SIZE:
		fprintf(out, "    page    %s\n", cli_size(line->number).text);
		break;
	case SPT_LINE_UNDONE:
		fprintf(out, "    undone  %s\n", line->text);
		break;
	case SPT_LINE_LOST:
		if (line->number)
			fprintf(out, "  %" PRIu64 " hits were lost: nobody read them in time\n",
				line->number);
		break;
	default:
		break;
	}
}

static void print_target(struct cli *cli, const struct spt_answer *answer)
{
	static const struct {
		enum spt_line name;
		const char *text;
	} parts[] = {
		{ SPT_LINE_GPA, "GPA" },       { SPT_LINE_SIZE, "size" },
		{ SPT_LINE_ACCESS, "access" }, { SPT_LINE_PERM, "to remain" },
		{ SPT_LINE_VCPU, "vCPU" },     { SPT_LINE_SLOT, "slot" },
		{ SPT_LINE_HVA, "HVA" },
	};
	const char *sep = "  ";

	fputs(spt_actions[answer->action].name, cli->out);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct spt_act_line *line = spt_answer_find(answer, 0, parts[i].name);

		if (!line)
			continue;
		fprintf(cli->out, "%s%s ", sep, parts[i].text);
		if (line->name == SPT_LINE_SIZE)
			fputs(cli_size(line->number).text, cli->out);
		else if (line->name == SPT_LINE_SLOT)
			fprintf(cli->out, "%.*s", (int)strcspn(line->text, " "), line->text);
		else
			fputs(line->text, cli->out);
		sep = ", ";
	}
	fputc('\n', cli->out);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of many steps: how long KVM took for one. */
static void print_times(struct cli *cli, const struct spt_answer *answer)
{
	uint64_t *ns = calloc(answer->steps, sizeof(*ns));
	char least[32], middle[32], most[32];
	size_t n = 0;

	for (size_t i = 0; ns && i < answer->nr_lines && n < answer->steps; i++)
		if (answer->lines[i].name == SPT_LINE_NS && answer->lines[i].step != SPT_ACT_LAST)
			ns[n++] = answer->lines[i].number;
	if (n) {
		qsort(ns, n, sizeof(*ns), by_number);
		fprintf(cli->out, "  %zu steps took %s to %s, half of them at most %s\n", n,
			duration(ns[0], least), duration(ns[n - 1], most),
			duration(ns[n / 2], middle));
	}
	free(ns);
}

static void show_text(struct cli *cli, const struct spt_format *format,
		      const struct spt_answer *answer)
{
	const struct spt_act_line *dry = spt_answer_find(answer, 0, SPT_LINE_DRY_RUN);
	const struct spt_act_line *undo = spt_answer_find(answer, SPT_ACT_LAST, SPT_LINE_UNDO);

	print_target(cli, answer);
	for (size_t i = 0; i < answer->nr_lines; i++) {
		unsigned int step = answer->lines[i].step;

		if (step == SPT_ACT_LAST || step <= STEPS_SHOWN)
			print_line(cli, format, &answer->lines[i]);
	}
	if (answer->steps > STEPS_SHOWN)
		fprintf(cli->out, "  ... and %u more steps\n", answer->steps - STEPS_SHOWN);
	if (answer->steps > 1)
		print_times(cli, answer);
	if (answer->result != SPT_RESULT_DONE)
		return;
	if (dry && dry->number)
		fputs("  nothing was done: a dry run\n", cli->out);
	else if (undo)
		fprintf(cli->out, "done; 'undo %s' takes it back\n", undo->text);
	else
		fputs("done\n", cli->out);
}

int cli_show_answer(struct cli *cli, const struct spt_format *format,
		    const struct spt_answer *answer)
{
	const char *name = spt_actions[answer->action].name;

	if (answer->reason == SPT_WHY_BAD_LINE)
		return cli_fail(cli, EINVAL, "%s: %s", name, answer->reason_text);
	if (cli->opt.json)
		show_json(cli, format, answer);
	else
		show_text(cli, format, answer);
	if (answer->result == SPT_RESULT_DONE)
		return 0;
	cli_warn(cli, "%s: %s: %s: %s", name, spt_result_name(answer->result),
		 spt_reason_name(answer->reason), answer->reason_text);
	return 1;
}
