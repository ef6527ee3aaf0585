// SPDX-License-Identifier: GPL-2.0
/* `regs`: the registers of a vCPU, and of which moment they are. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/target.h"
#include "spt/guest_regs.h"
#include "spt/registers.h"

/* How a line of text is laid out: up to four values, by their names. */
#define PER_LINE 4

static const struct {
	const char *title;
	uint8_t values[36];
	unsigned int count;
} groups[] = {
	{ "general",
	  { SPT_REGISTER_RAX, SPT_REGISTER_RBX, SPT_REGISTER_RCX, SPT_REGISTER_RDX,
	    SPT_REGISTER_RSI, SPT_REGISTER_RDI, SPT_REGISTER_RBP, SPT_REGISTER_RSP, SPT_REGISTER_R8,
	    SPT_REGISTER_R9, SPT_REGISTER_R10, SPT_REGISTER_R11, SPT_REGISTER_R12, SPT_REGISTER_R13,
	    SPT_REGISTER_R14, SPT_REGISTER_R15 },
	  16 },
	{ "debug",
	  { SPT_REGISTER_DR0, SPT_REGISTER_DR1, SPT_REGISTER_DR2, SPT_REGISTER_DR3,
	    SPT_REGISTER_DR6, SPT_REGISTER_DR7 },
	  6 },
	{ "model-specific",
	  { SPT_REGISTER_XCR0, SPT_REGISTER_PAT, SPT_REGISTER_STAR, SPT_REGISTER_LSTAR,
	    SPT_REGISTER_CSTAR, SPT_REGISTER_SFMASK, SPT_REGISTER_KERNEL_GS_BASE,
	    SPT_REGISTER_SYSENTER_CS, SPT_REGISTER_SYSENTER_ESP, SPT_REGISTER_SYSENTER_EIP },
	  10 },
	{ "last exit",
	  { SPT_REGISTER_EXIT_REASON, SPT_REGISTER_EXIT_INFO_1, SPT_REGISTER_EXIT_INFO_2 },
	  3 },
};

/* Values with bits that have names, one a line. */
static const uint8_t with_bits[] = { SPT_REGISTER_RIP, SPT_REGISTER_RFLAGS, SPT_REGISTER_CR0,
				     SPT_REGISTER_CR2, SPT_REGISTER_CR3,    SPT_REGISTER_CR4,
				     SPT_REGISTER_EFER };

static void print_value(struct cli *cli, const struct spt_registers *r, unsigned int nr)
{
	uint64_t value;

	if (spt_register(r, nr, &value))
		fprintf(cli->out, "0x%016" PRIx64, value);
	else
		fprintf(cli->out, "%-18s", "n/a");
}

static bool any_known(const struct spt_registers *r, const uint8_t *values, unsigned int count)
{
	uint64_t value;

	for (unsigned int i = 0; i < count; i++)
		if (spt_register(r, values[i], &value))
			return true;
	return false;
}

/* What this vendor does not have, or could not be read, is one line. */
static void print_group(struct cli *cli, const struct spt_registers *r, unsigned int g)
{
	fprintf(cli->out, "%s\n", groups[g].title);
	if (!any_known(r, groups[g].values, groups[g].count)) {
		fprintf(cli->out, "  n/a\n");
		return;
	}
	for (unsigned int i = 0; i < groups[g].count; i++) {
		const char *name = spt_register_name(groups[g].values[i]);
		bool last = i + 1 == groups[g].count || (i + 1) % (PER_LINE / 2) == 0;

		fprintf(cli->out, "  %-14s ", name);
		print_value(cli, r, groups[g].values[i]);
		if (last)
			fputc('\n', cli->out);
	}
}

static void print_bits(struct cli *cli, const struct spt_registers *r)
{
	char bits[SPT_REGISTER_BITS_TEXT];
	uint64_t value;

	fprintf(cli->out, "control\n");
	for (size_t i = 0; i < sizeof(with_bits); i++) {
		fprintf(cli->out, "  %-14s ", spt_register_name(with_bits[i]));
		print_value(cli, r, with_bits[i]);
		if (spt_register(r, with_bits[i], &value)) {
			spt_register_bits(with_bits[i], value, bits);
			if (bits[0])
				fprintf(cli->out, "  %s", bits);
		}
		fputc('\n', cli->out);
	}
}

/* SDM volume 3, 3.4.5.1 and 3.5. */
static const char *segment_type(uint64_t attributes)
{
	unsigned int type = spt_segment_type(attributes);

	if (!(attributes & SPT_SEGMENT_P))
		return "not present";
	if (!(attributes & SPT_SEGMENT_S))
		return type == 2    ? "LDT"
		       : type == 11 ? "TSS, busy"
		       : type == 3  ? "16-bit TSS, busy"
				    : "system";
	if (type & 8)
		return type & 2 ? "code, readable" : "code";
	return type & 2 ? "data, writable" : "data";
}

static const char *segment_size(uint64_t attributes)
{
	if (!(attributes & SPT_SEGMENT_S))
		return "";
	if (spt_segment_type(attributes) & 8 && attributes & SPT_SEGMENT_L)
		return ", 64-bit";
	return attributes & SPT_SEGMENT_D ? ", 32-bit" : ", 16-bit";
}

static void print_segments(struct cli *cli, const struct spt_registers *r)
{
	static const struct {
		const char *name;
		enum spt_register base, limit;
	} tables[] = {
		{ "gdtr", SPT_REGISTER_GDTR_BASE, SPT_REGISTER_GDTR_LIMIT },
		{ "idtr", SPT_REGISTER_IDTR_BASE, SPT_REGISTER_IDTR_LIMIT },
	};
	struct spt_segment_value s;
	uint64_t base, limit;

	fprintf(cli->out, "segments\n");
	for (unsigned int i = 0; i < SPT_SEGMENTS; i++) {
		fprintf(cli->out, "  %-5s ", spt_segment_name(i));
		if (!spt_registers_segment(r, i, &s)) {
			fprintf(cli->out, "n/a\n");
			continue;
		}
		fprintf(cli->out,
			"0x%04" PRIx64 "  base 0x%016" PRIx64 "  limit 0x%08" PRIx64
			"  attributes 0x%04" PRIx64 "  %s%s, dpl %u\n",
			s.selector, s.base, s.limit, s.attributes, segment_type(s.attributes),
			segment_size(s.attributes), spt_segment_dpl(s.attributes));
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (spt_register(r, tables[i].base, &base) &&
		    spt_register(r, tables[i].limit, &limit))
			fprintf(cli->out,
				"  %-5s         base 0x%016" PRIx64 "  limit 0x%08" PRIx64 "\n",
				tables[i].name, base, limit);
		else
			fprintf(cli->out, "  %-5s n/a\n", tables[i].name);
	}
}

/* "1.234 ms"; the longest fitting unit. */
static void age_text(uint64_t ns, char *text, size_t size)
{
	if (ns < 1000000)
		snprintf(text, size, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, size, "%.1f ms", ns / 1e6);
	else
		snprintf(text, size, "%.1f s", ns / 1e9);
}

static void print_title(struct cli *cli, const struct spt_registers *r)
{
	uint64_t state, age;
	char text[32];

	fprintf(cli->out, "vCPU ");
	if (r->vcpu < 0)
		fprintf(cli->out, "n/a");
	else
		fprintf(cli->out, "%" PRId64, r->vcpu);
	if (spt_register(r, SPT_REGISTER_MP_STATE, &state) && spt_mp_state_name(state))
		fprintf(cli->out, ", %s", spt_mp_state_name(state));
	if (spt_registers_code_bits(r))
		fprintf(cli->out, ", %u-bit code", spt_registers_code_bits(r));
	if (r->nested)
		fprintf(cli->out, ", running its own guest (L2), whose registers these are");
	fprintf(cli->out, "\n%s registers: %s", r->source == SPT_REGS_LAST_EXIT ? "cached" : "its",
		spt_regs_source_text(r->source));
	if (r->source == SPT_REGS_LAST_EXIT && spt_register(r, SPT_REGISTER_AGE_NS, &age)) {
		age_text(age, text, sizeof(text));
		fprintf(cli->out, ", %s ago", text);
	}
	fputc('\n', cli->out);
}

static void print_vcpu(struct cli *cli, const struct spt_registers *r)
{
	print_title(cli, r);
	if (r->hidden)
		return;
	print_group(cli, r, 0);
	print_bits(cli, r);
	print_segments(cli, r);
	for (unsigned int g = 1; g < sizeof(groups) / sizeof(groups[0]); g++)
		print_group(cli, r, g);
}

static struct json_object *segments_json(const struct spt_registers *r)
{
	struct json_object *all = json_object_new_object();
	struct spt_segment_value s;

	for (unsigned int i = 0; i < SPT_SEGMENTS; i++) {
		struct json_object *o = NULL;

		if (!r->hidden && spt_registers_segment(r, i, &s)) {
			o = json_object_new_object();
			cli_json_set_hex(o, "selector", s.selector);
			cli_json_set_hex(o, "base", s.base);
			cli_json_set_hex(o, "limit", s.limit);
			cli_json_set_hex(o, "attributes", s.attributes);
			cli_json_set_uint(o, "dpl", spt_segment_dpl(s.attributes));
		}
		cli_json_set(all, spt_segment_name(i), o);
	}
	return all;
}

static bool is_segment(unsigned int nr)
{
	return nr >= SPT_REGISTER_ES_SELECTOR && nr <= SPT_REGISTER_TR_ATTRIBUTES;
}

static struct json_object *registers_json(const struct spt_registers *r)
{
	struct json_object *o = json_object_new_object();
	uint64_t value;

	for (unsigned int i = SPT_REGISTER_RAX; i < SPT_REGISTER_COUNT; i++)
		if (!is_segment(i))
			cli_json_set(o, spt_register_name(i),
				     !r->hidden && spt_register(r, i, &value) ? cli_json_hex(value)
									      : NULL);
	return o;
}

static void set_number(struct json_object *o, const struct spt_registers *r, unsigned int nr)
{
	uint64_t value;

	cli_json_set(o, spt_register_name(nr),
		     spt_register(r, nr, &value) ? cli_json_uint(value) : NULL);
}

static void vcpu_json(struct cli *cli, const struct spt_registers *r)
{
	struct json_object *o = json_object_new_object();
	unsigned int bits = spt_registers_code_bits(r);
	uint64_t value;

	cli_json_set_int(o, "vcpu_id", r->vcpu);
	cli_json_set_text(o, "source", spt_regs_source_name(r->source));
	cli_json_set_bool(o, "cached", r->source == SPT_REGS_LAST_EXIT);
	set_number(o, r, SPT_REGISTER_AGE_NS);
	set_number(o, r, SPT_REGISTER_EXITS);
	cli_json_set_text(o, "mp_state",
			  spt_register(r, SPT_REGISTER_MP_STATE, &value) ? spt_mp_state_name(value)
									 : NULL);
	cli_json_set_bool(o, "nested", r->nested);
	cli_json_set(o, "code_bits", bits ? cli_json_uint(bits) : NULL);
	cli_json_set(o, "registers", registers_json(r));
	cli_json_set(o, "segments", segments_json(r));
	cli_json_put(cli, NULL, o);
}

static int show(struct cli *cli, const struct spt_model *model, int64_t vcpu)
{
	struct spt_registers r;
	bool any = false;

	if (cli->opt.json)
		cli_json_array_begin(cli, "vcpus");
	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		spt_registers_of(model, i, &r);
		if (vcpu != SPT_ANY_VCPU && r.vcpu != vcpu)
			continue;
		if (cli->opt.json)
			vcpu_json(cli, &r);
		else if (any)
			fputc('\n', cli->out);
		if (!cli->opt.json)
			print_vcpu(cli, &r);
		any = true;
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
	return 0;
}

static int regs_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_request request = { .parts = SPT_REGISTERS_PARTS };
	const char *text = cli_option(call, "vcpu");
	int64_t vcpu = SPT_ANY_VCPU;
	struct spt_model *model = NULL;
	struct spt_registers one;
	uint64_t number;
	int rc = 0;

	if (text) {
		rc = cli_parse_address(text, "--vcpu", &number, &cli->error);
		vcpu = (int64_t)number;
	}
	if (cli_has_option(call, "fresh")) {
		if (cli->opt.image)
			return cli_fail(cli, EINVAL,
					"regs --fresh needs a live VM: an image stays as it is");
		request.parts |= SPT_PART_FRESH;
	}
	if (!rc)
		rc = cli_model(cli, &request, &model);
	if (!rc && (vcpu != SPT_ANY_VCPU || !model->nr_vcpus))
		rc = spt_registers_find(model, vcpu, &one, &cli->error);
	return rc ? rc : show(cli, model, vcpu);
}

static const struct cli_option options[] = {
	{ .name = "vcpu", .arg = "N", .help = "of this vCPU (vcpu_id) only" },
	{ .name = "fresh",
	  .letter = 'F',
	  .help = "of now: a vCPU that is in the guest is interrupted to read them" },
	{ 0 },
};

const struct cli_command cli_cmd_regs = {
	.name = "regs",
	.help = "registers of the vCPUs: general, control, segments, EFER",
	.details =
		"A vCPU that is not in the guest shows its registers. Of one that runs they are those of\n"
		"its last exit, marked as cached, with their age. --fresh interrupts the CPU that runs\n"
		"it, as any interrupt of the host's does, and reads them before the guest goes on; it\n"
		"needs no --unsafe. On Intel, segments of a running vCPU are had only so.\n"
		"Where the vCPU runs a guest of its own the registers are that guest's. A guest with\n"
		"protected state (SEV-ES, TDX) keeps its registers to itself.",
	.example = "regs --vcpu 0 --fresh",
	.options = options,
	.run = regs_run,
};
