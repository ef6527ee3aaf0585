// SPDX-License-Identifier: GPL-2.0
#include "cli/show_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/show.h"
#include "cli/table.h"
#include "decoders/spte.h"

/* Steps that are printed one by one; of more, all are summed up. */
#define STEPS_SHOWN 16

const char *cli_act_spte(const struct spt_format *format, const struct spt_act_spte *spte,
			 char text[CLI_SPTE_TEXT])
{
	char perm[SPT_PERM_TEXT], flags[CLI_FLAGS_TEXT];
	struct spt_spte s;
	int at;

	if (!spte->known) {
		strcpy(text, spte->none ? "none" : "n/a");
		return text;
	}
	s = spt_spte_decode(format, spte->raw, spte->level, SPT_SPTE_WALKED);
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

#define ROOT_TEXT 64

/* "direct root 0x…"; of tables that roots share, the table. */
static const char *root_text(const char *kind, uint64_t root, uint64_t table, char text[ROOT_TEXT])
{
	if (root != SPT_ACT_NO_ROOT)
		snprintf(text, ROOT_TEXT, "%s root 0x%016" PRIx64, kind[0] ? kind : "a", root);
	else if (table)
		snprintf(text, ROOT_TEXT, "%s table 0x%016" PRIx64, kind, table);
	else
		snprintf(text, ROOT_TEXT, "%s tables", kind);
	return text;
}

static void print_entry(FILE *out, const struct spt_format *format, const char *words)
{
	char before[CLI_SPTE_TEXT], after[CLI_SPTE_TEXT], root[ROOT_TEXT];
	struct spt_act_entry e;

	if (!spt_act_entry(words, &e))
		return;
	fprintf(out, "    %s  0x%016" PRIx64 "\n      before  %s\n",
		root_text(e.kind, e.root, e.table, root), e.gpa,
		cli_act_spte(format, &e.before, before));
	if (e.after.known || e.after.none)
		fprintf(out, "      after   %s\n", cli_act_spte(format, &e.after, after));
}

static void print_mapped(FILE *out, const char *words)
{
	struct spt_act_mapped m;
	char root[ROOT_TEXT];

	if (!spt_act_mapped(words, &m))
		return;
	fprintf(out, "    %s  before: %" PRIu64 " x 4K, %" PRIu64 " x 2M, %" PRIu64 " x 1G",
		root_text(m.kind, m.root, 0, root), m.before[0], m.before[1], m.before[2]);
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
			fprintf(out,
				"  %" PRIu64
				" lines were lost: nobody read them in time, or no memory\n",
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
	if (answer->result != SPT_RESULT_DONE) {
		if (undo)
			fprintf(cli->out, "part of it was done; 'undo %s' takes it back\n",
				undo->text);
		return;
	}
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
		cli_put_answer(cli, format, answer);
	else
		show_text(cli, format, answer);
	if (answer->result == SPT_RESULT_DONE)
		return 0;
	cli_warn(cli, "%s: %s: %s: %s", name, spt_result_name(answer->result),
		 spt_reason_name(answer->reason), answer->reason_text);
	return 1;
}
