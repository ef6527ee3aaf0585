// SPDX-License-Identifier: GPL-2.0
/* A hit of a watchpoint: who touched the page, where from, with which instruction. */
#include <inttypes.h>
#include <string.h>

#include "cli/json.h"
#include "cli/show_answer.h"
#include "decoders/instruction.h"
#include "decoders/pferr.h"

struct insn {
	char hex[2 * SPT_ACT_INSN + 1];
	char text[SPT_INSTRUCTION_TEXT];
};

/* The instruction alone: the agent gives as many bytes as the longest may have. */
static void read_insn(const struct spt_act_hit *hit, struct insn *insn)
{
	int len = hit->bits ? spt_instruction_text(hit->insn, hit->insn_len, hit->rip, hit->bits,
						   insn->text)
			    : 0;
	unsigned int shown = len > 0 ? (unsigned int)len : hit->insn_len;

	if (!hit->bits)
		insn->text[0] = '\0';
	for (unsigned int i = 0; i < shown; i++)
		snprintf(insn->hex + 2 * i, 3, "%02x", hit->insn[i]);
	insn->hex[2 * shown] = '\0';
}

static void optional_hex(struct json_object *o, const char *key, bool known, uint64_t value)
{
	cli_json_set(o, key, known ? cli_json_hex(value) : NULL);
}

static void hit_json(struct cli *cli, const struct spt_format *format,
		     const struct spt_act_hit *hit, const struct insn *insn, const char *error)
{
	struct json_object *o = json_object_new_object();

	cli_json_set_uint(o, "seq", hit->seq);
	cli_json_set(o, "vcpu", hit->vcpu >= 0 ? json_object_new_int64(hit->vcpu) : NULL);
	optional_hex(o, "rip", hit->have_rip, hit->rip);
	cli_json_set_hex(o, "gpa", hit->gpa);
	optional_hex(o, "gva", hit->have_gva, hit->gva);
	cli_json_set(o, "access", json_object_new_string_len(&hit->access, 1));
	optional_hex(o, "error_code", hit->have_error, hit->error);
	cli_json_set_text(o, "error_text", hit->have_error ? error : NULL);
	optional_hex(o, "value", hit->have_value, hit->value);
	cli_json_set_text(o, "insn", insn->hex[0] ? insn->hex : NULL);
	cli_json_set_text(o, "text", insn->text[0] ? insn->text : NULL);
	cli_json_set(o, "before", cli_act_spte_json(format, &hit->before));
	cli_json_set(o, "after", cli_act_spte_json(format, &hit->after));
	cli_json_put(cli, NULL, o);
}

void cli_show_hit(struct cli *cli, const struct spt_format *format, const struct spt_act_hit *hit,
		  const char *slot)
{
	char error[200] = "", before[CLI_SPTE_TEXT], after[CLI_SPTE_TEXT];
	struct insn insn;

	read_insn(hit, &insn);
	if (hit->have_error)
		spt_pferr_sentence(hit->error, error, sizeof(error));
	if (cli->opt.json) {
		hit_json(cli, format, hit, &insn, error);
		fflush(cli->out);
		return;
	}
	fprintf(cli->out, "hit %" PRIu64 "  ", hit->seq);
	if (hit->vcpu >= 0)
		fprintf(cli->out, "vCPU %" PRId64 "  ", hit->vcpu);
	if (hit->have_rip)
		fprintf(cli->out, "RIP 0x%016" PRIx64 "  ", hit->rip);
	fprintf(cli->out, "%c GPA 0x%" PRIx64, hit->access, hit->gpa);
	if (hit->have_gva)
		fprintf(cli->out, "  GVA 0x%" PRIx64, hit->gva);
	if (slot)
		fprintf(cli->out, "  slot %s", slot);
	if (hit->have_value)
		fprintf(cli->out, "  value 0x%" PRIx64, hit->value);
	if (insn.text[0])
		fprintf(cli->out, "  %s", insn.text);
	else if (insn.hex[0])
		fprintf(cli->out, "  bytes %s", insn.hex);
	fputc('\n', cli->out);
	if (hit->have_error)
		fprintf(cli->out, "    error 0x%" PRIx64 ": %s\n", hit->error, error);
	if (hit->before.known)
		fprintf(cli->out, "    before  %s\n", cli_act_spte(format, &hit->before, before));
	if (hit->after.known)
		fprintf(cli->out, "    after   %s\n", cli_act_spte(format, &hit->after, after));
	fflush(cli->out);
}
