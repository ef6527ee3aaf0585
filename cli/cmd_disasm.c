// SPDX-License-Identifier: GPL-2.0
/* `disasm`: the guest's code, where a vCPU stands or at an address. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/target.h"
#include "spt/registers.h"

#define DEFAULT_COUNT 12
#define MAX_COUNT     65536
#define LONGEST_INSN  15

enum { COL_AT, COL_ADDRESS, COL_BYTES, COL_INSTRUCTION };

static const struct cli_column columns[] = {
	[COL_AT] = { "at", 2, CLI_COL_TEXT, "'=>' where the vCPU stands" },
	[COL_ADDRESS] = { "address", 18, 0, "of the instruction: linear, or a GPA" },
	[COL_BYTES] = { "bytes", 30, 0, "its bytes" },
	[COL_INSTRUCTION] = { "instruction", 30, 0, "what they mean" },
	{ NULL },
};

struct disasm {
	struct cli *cli;
	struct spt_guest_bytes what;
	struct spt_registers regs;
	bool have_rip;
	uint64_t rip; /* linear */
	unsigned int bits, count, shown;
	uint8_t *bytes;
	size_t got;
	char why[256]; /* no more could be read; "": it could */
	struct cli_table *table;
};

static int take_piece(void *arg, const struct spt_guest_piece *piece)
{
	struct disasm *d = arg;

	if (piece->why) {
		snprintf(d->why, sizeof(d->why), "%s", piece->why);
		return 1; /* what is behind it is not what the vCPU executes next */
	}
	memcpy(d->bytes + d->got, piece->bytes, piece->len);
	d->got += piece->len;
	return 0;
}

static int take_line(void *arg, const struct spt_code_line *line)
{
	struct disasm *d = arg;
	char hex[3 * LONGEST_INSN + 1] = "";

	for (unsigned int i = 0; i < line->len; i++)
		sprintf(hex + 3 * i, "%02x%s", line->bytes[i], i + 1 < line->len ? " " : "");
	cli_table_row(d->table);
	cli_cell_string(d->table, COL_AT, d->have_rip && line->address == d->rip ? "=>" : "");
	cli_cell_address(d->table, COL_ADDRESS, line->address);
	cli_cell_string(d->table, COL_BYTES, hex);
	cli_cell_string(d->table, COL_INSTRUCTION, line->text);
	d->shown++;
	return 0;
}

/* Of the vCPU: mode of its code, and where it stands. */
static int take_registers(struct disasm *d, const struct cli_call *call)
{
	struct spt_request request = { .parts = SPT_REGISTERS_PARTS };
	struct cli *cli = d->cli;
	struct spt_model *model;
	int rc;

	if (cli_has_option(call, "fresh")) {
		if (cli->opt.image)
			return cli_fail(cli, EINVAL,
					"disasm --fresh needs a live VM: an image stays as it is");
		request.parts |= SPT_PART_FRESH;
	}
	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	if (!model->nr_vcpus && strcmp(call->argv[0], "rip")) {
		d->regs.vcpu = -1;
		return 0;
	}
	rc = spt_registers_find(model, d->what.by.vcpu, &d->regs, &cli->error);
	if (rc)
		return rc;
	/* What the code is of and the registers are of is one vCPU. */
	d->what.by.vcpu = d->regs.vcpu;
	if (!d->bits)
		d->bits = spt_registers_code_bits(&d->regs);
	d->have_rip = spt_registers_linear_rip(&d->regs, &d->rip);
	return 0;
}

static int parse_numbers(struct disasm *d, const struct cli_call *call)
{
	const char *count = cli_option(call, "count"), *bits = cli_option(call, "bits");
	uint64_t number = DEFAULT_COUNT;
	int rc = 0;

	if (count)
		rc = cli_parse_address(count, "--count", &number, &d->cli->error);
	if (!rc && (!number || number > MAX_COUNT))
		rc = cli_fail(d->cli, EINVAL, "--count: 1 to %d instructions", MAX_COUNT);
	d->count = number;
	if (bits)
		d->bits = atoi(bits); /* one of the option's words */
	return rc;
}

static int where(struct disasm *d, const struct cli_call *call)
{
	const char *kind = call->argv[0];
	struct cli *cli = d->cli;
	bool rip = !strcmp(kind, "rip");

	if (rip && call->argc > 1)
		return cli_fail(cli, EINVAL, "disasm rip takes no ADDR: the vCPU says where");
	if (!rip && call->argc < 2)
		return cli_fail(cli, EINVAL, "disasm %s needs an ADDR", kind);
	if (!rip)
		return cli_parse_address(call->argv[1], "ADDR", &d->what.start, &cli->error);
	if (d->regs.hidden)
		return cli_fail(cli, ENODATA, "vCPU %" PRId64 ": %s", d->regs.vcpu,
				spt_regs_source_text(SPT_REGS_PROTECTED));
	if (!d->have_rip)
		return cli_fail(
			cli, ENODATA, "vCPU %" PRId64 ": RIP or CS is not known%s", d->regs.vcpu,
			cli->opt.image ? " to this image"
				       : " while it runs: --fresh interrupts it to read them");
	d->what.start = d->rip;
	return 0;
}

static void print_title(const struct disasm *d)
{
	struct cli *cli = d->cli;

	if (cli->opt.json) {
		cli_json_put(cli, "vcpu_id", json_object_new_int64(d->regs.vcpu));
		cli_json_put(cli, "source",
			     json_object_new_string(spt_regs_source_name(d->regs.source)));
		cli_json_put(cli, "rip", d->have_rip ? cli_json_hex(d->rip) : NULL);
		cli_json_put(cli, "bits", cli_json_uint(d->bits));
		cli_json_put(cli, "space", json_object_new_string(d->what.virtual ? "gva" : "gpa"));
		return;
	}
	if (cli->opt.raw || cli->opt.no_headings)
		return;
	if (d->regs.vcpu >= 0)
		fprintf(cli->out, "vCPU %" PRId64 ", %u-bit code; %s\n", d->regs.vcpu, d->bits,
			spt_regs_source_text(d->regs.source));
	else
		fprintf(cli->out, "%u-bit code\n", d->bits);
}

static int show(struct disasm *d)
{
	struct cli *cli = d->cli;
	int rc;

	print_title(d);
	d->table = cli_table_begin(cli, columns, "instructions", 0);
	if (!d->table)
		return -cli->error.code;
	rc = spt_code_each(d->bytes, d->got, d->what.start, d->bits, d->count, take_line, d);
	cli_table_end(d->table);
	if (rc == -ELIBACC)
		return cli_fail(cli, ELIBACC, "libcapstone is missing: apt install libcapstone4");
	if (d->shown == d->count)
		return CLI_DONE;
	if (cli->opt.json)
		cli_json_put(cli, "why", json_object_new_string(d->why));
	else if (d->why[0])
		fprintf(cli->out, "not read: %s\n", d->why);
	return d->shown ? CLI_DONE : CLI_NO;
}

static int disasm(struct disasm *d, const struct cli_call *call)
{
	struct cli *cli = d->cli;
	struct spt_source *source;
	int rc = cli_guest_by(cli, call, d->what.virtual, &d->what);

	if (!rc)
		rc = parse_numbers(d, call);
	if (!rc)
		rc = take_registers(d, call);
	if (!rc)
		rc = where(d, call);
	if (!rc && !d->bits)
		rc = cli_fail(
			cli, ENODATA,
			"the mode of the vCPU's code is not known: give --bits 16, 32 or 64%s",
			cli->opt.image ? "" : ", or --fresh");
	if (!rc)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	d->what.len = (uint64_t)d->count * LONGEST_INSN;
	if (d->what.len - 1 > ~d->what.start)
		d->what.len = ~d->what.start + 1;
	d->bytes = malloc(d->what.len);
	if (!d->bytes)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = spt_guest_bytes_each(source, cli_empty_model(cli), &d->what, take_piece, d,
				  &cli->error);
	if (rc >= 0)
		rc = show(d);
	free(d->bytes);
	return rc;
}

static int disasm_run(struct cli *cli, const struct cli_call *call)
{
	struct disasm d = { .cli = cli, .what.virtual = strcmp(call->argv[0], "gpa") != 0 };

	return disasm(&d, call);
}

static const char *const kinds[] = { "rip", "gva", "gpa", NULL };
static const char *const bits_words[] = { "16", "32", "64", NULL };

static const struct cli_option options[] = {
	{ .name = "vcpu", .arg = "N", .help = "this vCPU (vcpu_id), else the first" },
	{ .name = "cr3",
	  .arg = "VALUE",
	  .help = "gva: with these page tables instead of the vCPU's" },
	{ .name = "count", .letter = 'c', .arg = "N", .help = "instructions (12)" },
	{ .name = "bits",
	  .letter = 'b',
	  .arg = "BITS",
	  .help = "as code of 16, 32 or 64 bits instead of the vCPU's mode",
	  .words = bits_words },
	{ .name = "fresh",
	  .letter = 'F',
	  .help = "a vCPU that is in the guest is interrupted to see where it stands" },
	{ 0 },
};

const struct cli_command cli_cmd_disasm = {
	.name = "disasm",
	.args = "rip|gva|gpa [ADDR]",
	.help = "the guest's code: where a vCPU stands, or at an address",
	.details =
		"16, 32 or 64 bits by the vCPU's mode and CS. The code is read as 'read' does: through\n"
		"the VMM's mapping, of a GVA by the guest's own tables; an image has it only where it\n"
		"was saved --with code. Of a running vCPU RIP is that of its last exit, without --fresh.\n"
		"Exit status 1: no instruction could be read.",
	.example = "disasm rip --vcpu 0",
	.min_args = 1,
	.max_args = 2,
	.words = kinds,
	.options = options,
	.columns = columns,
	.run = disasm_run,
};
