// SPDX-License-Identifier: GPL-2.0
/* `read`: the guest's memory as hex and ASCII. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/guest.h"
#include "cli/json.h"
#include "cli/target.h"

#define PER_LINE 16

struct reader {
	struct cli *cli;
	bool missing; /* something could not be read */
};

/* Lines begin at multiples of 16, so that two reads of one place look alike. */
static void print_line(FILE *out, uint64_t address, const uint8_t *bytes, unsigned int skip,
		       unsigned int count)
{
	fprintf(out, "0x%016" PRIx64 " ", address - skip);
	for (unsigned int i = 0; i < PER_LINE; i++) {
		if (i == PER_LINE / 2)
			fputc(' ', out);
		if (i < skip || i >= skip + count)
			fputs("   ", out);
		else
			fprintf(out, " %02x", bytes[i - skip]);
	}
	fputs("  |", out);
	for (unsigned int i = 0; i < skip + count; i++) {
		uint8_t c = i < skip ? ' ' : bytes[i - skip];

		fputc(c < ' ' || c > '~' ? '.' : c, out);
	}
	fputs("|\n", out);
}

static void print_piece(struct cli *cli, const struct spt_guest_piece *piece)
{
	if (piece->why) {
		fprintf(cli->out, "0x%016" PRIx64 "+%zu: not read: %s\n", piece->address,
			piece->len, piece->why);
		return;
	}
	for (size_t at = 0; at < piece->len;) {
		unsigned int skip = (piece->address + at) % PER_LINE;
		size_t count = PER_LINE - skip;

		if (count > piece->len - at)
			count = piece->len - at;
		print_line(cli->out, piece->address + at, piece->bytes + at, skip, count);
		at += count;
	}
}

static void piece_json(struct cli *cli, const struct spt_guest_piece *piece)
{
	struct json_object *o = json_object_new_object();
	char *hex = piece->bytes ? malloc(2 * piece->len + 1) : NULL;

	cli_json_set_hex(o, "address", piece->address);
	cli_json_set(o, "gpa", piece->mapped ? cli_json_hex(piece->gpa) : NULL);
	cli_json_set_uint(o, "len", piece->len);
	cli_json_set_text(o, "read",
			  piece->mapped ? spt_guest_read_name(piece->read) : "not-mapped");
	cli_json_set_text(o, "why", piece->why);
	for (size_t i = 0; hex && i < piece->len; i++)
		sprintf(hex + 2 * i, "%02x", piece->bytes[i]);
	cli_json_set_text(o, "hex", hex);
	free(hex);
	cli_json_put(cli, NULL, o);
}

static int take_piece(void *arg, const struct spt_guest_piece *piece)
{
	struct reader *r = arg;

	if (r->cli->opt.json)
		piece_json(r->cli, piece);
	else
		print_piece(r->cli, piece);
	r->missing |= piece->why != NULL;
	return cli_interrupted ? cli_fail(r->cli, EINTR, "interrupted") : 0;
}

static int read_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_guest_bytes what = { .virtual = !strcmp(call->argv[0], "gva") };
	struct reader r = { .cli = cli };
	struct spt_source *source;
	int rc = cli_guest_by(cli, call, what.virtual, &what);

	if (!rc)
		rc = cli_parse_address(call->argv[1], "ADDR", &what.start, &cli->error);
	if (!rc)
		rc = cli_parse_address(call->argv[2], "LEN", &what.len, &cli->error);
	if (!rc && (!what.len || what.len - 1 > ~what.start))
		rc = cli_fail(cli, EINVAL, "LEN: %s bytes from %s on are not in the address space",
			      call->argv[2], call->argv[1]);
	if (!rc)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	if (cli->opt.json)
		cli_json_array_begin(cli, "pieces");
	rc = spt_guest_bytes_each(source, cli_empty_model(cli), &what, take_piece, &r, &cli->error);
	if (cli->opt.json)
		cli_json_array_end(cli);
	if (rc)
		return rc;
	return r.missing ? CLI_NO : CLI_DONE;
}

static const char *const kinds[] = { "gva", "gpa", NULL };

const struct cli_command cli_cmd_read = {
	.name = "read",
	.args = "gva|gpa ADDR LEN",
	.help = "the guest's memory as hex and ASCII, through the VMM's mapping",
	.details =
		"Nothing is brought in to be read: a page that the VMM does not have at hand, that is\n"
		"on swap, private, or in no memory slot (MMIO) is named instead. A GVA goes through the\n"
		"guest's own tables, by the first vCPU that does not run a guest of its own or --vcpu.\n"
		"An image has no memory of the guest but what was asked to be saved.\n"
		"Exit status 1: something could not be read.",
	.example = "read gpa 0x1000 256",
	.min_args = 3,
	.max_args = 3,
	.words = kinds,
	.options = cli_guest_options,
	.run = read_run,
};
