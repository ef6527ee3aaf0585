// SPDX-License-Identifier: GPL-2.0
/* `decode`: what the bits of one number mean. Needs no VM where --format says enough. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cli.h"
#include "cli/cmd_decode.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/target.h"
#include "decoders/gpte.h"
#include "decoders/pferr.h"
#include "decoders/role.h"
#include "decoders/role_layouts.h"
#include "decoders/spte.h"
#include "ept/eptp.h"
#include "ept/exit_qual.h"
#include "ept/hw.h"

enum { COL_BITS, COL_NAME, COL_VALUE, COL_MEANING };

static const struct cli_column columns[] = {
	[COL_BITS] = { "bits", 12, 0, "bit numbers of the field" },
	[COL_NAME] = { "name", 16, 0, "short name of the field" },
	[COL_VALUE] = { "value", 18, 0, "what it holds" },
	[COL_MEANING] = { "meaning", 40, 0, "what that says" },
	{ NULL },
};

/* What was found out about a number: its fields, and the whole. */
struct answer {
	uint64_t value;
	struct spt_bit bits[SPT_BITS_MAX];
	size_t n;
	char context[160]; /* by what rules it was read */
	char sentence[256];
};

static int parse_l1tf(struct cli *cli, const struct cli_call *call, struct spt_format *format)
{
	const char *text = cli_option(call, "l1tf");
	uint64_t bits;
	int rc;

	if (!text)
		return 0;
	rc = cli_parse_address(text, "--l1tf", &bits, &cli->error);
	if (!rc)
		rc = spt_format_l1tf(format, bits > UINT32_MAX ? UINT32_MAX : (unsigned int)bits,
				     &cli->error);
	return rc;
}

static int parse_level(struct cli *cli, const struct cli_call *call, int top, int *level)
{
	const char *text = cli_option(call, "level");
	uint64_t number;
	int rc;

	if (!text)
		return 0;
	rc = cli_parse_address(text, "--level", &number, &cli->error);
	if (rc)
		return rc;
	if (number < 1 || number > (uint64_t)top)
		return cli_fail(cli, EINVAL, "decode: --level %s: there are levels 1 (4K) to %d",
				text, top);
	*level = (int)number;
	return 0;
}

/* The format that --format names, or that of the VM or image in use. */
static int find_format(struct cli *cli, const struct cli_call *call, struct spt_format *format)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_ROOTS };
	const char *name = cli_option(call, "format");
	struct spt_model *model;
	int rc;

	if (name) {
		rc = spt_format_by_name(format, name, &cli->error);
		return rc ? rc : parse_l1tf(cli, call, format);
	}
	if (cli_option(call, "l1tf"))
		return cli_fail(cli, EINVAL,
				"decode: --l1tf goes with --format: a VM or image says it itself");
	rc = cli_model(cli, &request, &model);
	if (!rc)
		*format = model->format;
	else if (!cli->opt.vm && !cli->opt.image)
		rc = cli_fail(
			cli, EINVAL,
			"decode %s: no VM to take the format from: say --format, as 'npt-6.12', or --vm or --image",
			call->argv[0]);
	return rc;
}

static void put_flags(struct cli *cli, uint32_t flags)
{
	cli_json_array_begin(cli, "flags");
	for (unsigned int nr = 0; nr < SPT_SPTE_FLAG_COUNT; nr++)
		if (flags >> nr & 1)
			cli_json_put(cli, NULL, json_object_new_string(spt_spte_flag_name(nr)));
	cli_json_array_end(cli);
}

static struct json_object *known_json(enum spt_known known)
{
	return known == SPT_NA ? NULL : json_object_new_boolean(known == SPT_YES);
}

static void put_spte(struct cli *cli, const struct spt_format *format, const struct spt_spte *s,
		     const struct spt_hw_entry *hw)
{
	bool mapped = s->type == SPT_SPTE_TABLE || s->type == SPT_SPTE_LEAF;
	const char *memtype = s->memtype < 0 ? NULL : spt_memtype_name((unsigned int)s->memtype);
	char perm[SPT_PERM_TEXT];
	struct json_object *o;

	cli_json_put(cli, "format", json_object_new_string(format->name));
	cli_json_put(cli, "level", json_object_new_int(s->level));
	cli_json_put(cli, "type", json_object_new_string(spt_spte_type_name(s->type)));
	cli_json_put(cli, "perm", json_object_new_string(spt_perm_text(format, s->perm, perm)));
	cli_json_put(cli, "restored_perm",
		     json_object_new_string(spt_perm_text(format, s->restored_perm, perm)));
	cli_json_put(cli, "hpa", mapped ? cli_json_hex(s->hpa) : NULL);
	cli_json_put(cli, "size", cli_json_uint(s->size));
	cli_json_put(cli, "accessed", known_json(s->accessed));
	cli_json_put(cli, "dirty", known_json(s->dirty));
	cli_json_put(cli, "memtype", memtype ? json_object_new_string(memtype) : NULL);
	put_flags(cli, s->flags);
	if (s->type == SPT_SPTE_MMIO) {
		o = json_object_new_object();
		cli_json_set_hex(o, "gfn", s->mmio_gfn);
		cli_json_set_uint(o, "access", s->mmio_access);
		cli_json_set_uint(o, "generation", s->mmio_gen);
		cli_json_put(cli, "mmio", o);
	}
	o = json_object_new_object();
	cli_json_set_text(o, "state", spt_hw_state_name(hw->state));
	cli_json_set_text(o, "malformed", hw->malformed);
	cli_json_put(cli, "hardware", o);
}

static struct spt_hw_entry hardware_view(const struct spt_format *format, uint64_t value, int level)
{
	const struct spt_hw hw = {
		.format = format->style == SPT_STYLE_EPT ? SPT_HW_EPT : SPT_HW_NPT,
		.maxphyaddr = format->maxphyaddr,
		.exec_only = format->exec_only,
		.mbec = format->user_exec,
		.c_bit = format->me_mask,
	};

	return spt_hw_decode(&hw, value, level);
}

static int decode_spte(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	/* Above level 1 a leaf has the page-size bit, and KVM leaves it alone at level 1. */
	const uint64_t large = SPT_SPTE_MMU_PRESENT | SPT_SPTE_PAGE_SIZE;
	int level = (a->value & large) == large ? 2 : 1;
	struct spt_hw_entry hw;
	struct spt_format format;
	struct spt_spte s;
	int rc;

	rc = parse_level(cli, call, SPT_MAX_LEVEL, &level);
	if (!rc)
		rc = find_format(cli, call, &format);
	if (rc)
		return rc;
	s = spt_spte_decode(&format, a->value, level, SPT_SPTE_WALKED);
	hw = hardware_view(&format, a->value, level);
	a->n = spt_spte_rows(&format, &s, a->bits);
	spt_spte_sentence(&format, &s, a->sentence, sizeof(a->sentence));
	snprintf(a->context, sizeof(a->context),
		 "format %s, level %d%s; for KVM: %s; for the hardware: %s%s%s%s", format.name,
		 level, cli_option(call, "level") ? "" : " assumed", spt_spte_type_name(s.type),
		 spt_hw_state_name(hw.state), hw.malformed ? " (" : "",
		 hw.malformed ? hw.malformed : "", hw.malformed ? ")" : "");
	if (cli->opt.json)
		put_spte(cli, &format, &s, &hw);
	return 0;
}

static int decode_role(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	struct spt_format format;
	int rc;

	if (a->value > UINT32_MAX)
		return cli_fail(cli, ERANGE, "decode role: 0x%" PRIx64 " has more than 32 bits",
				a->value);
	rc = find_format(cli, call, &format);
	if (rc)
		return rc;
	a->n = spt_role_rows(format.role, a->bits);
	spt_role_text(format.role, (uint32_t)a->value, a->sentence, sizeof(a->sentence));
	snprintf(a->context, sizeof(a->context), "format %s", format.name);
	if (cli->opt.json) {
		struct json_object *role = json_object_new_object();

		for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++)
			if (spt_role_has(format.role, bit))
				cli_json_set_uint(
					role, spt_role_name(bit),
					spt_role_get(format.role, (uint32_t)a->value, bit));
		cli_json_put(cli, "format", json_object_new_string(format.name));
		cli_json_put(cli, "role", role);
	}
	return 0;
}

static int decode_eptp(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	struct spt_eptp e = spt_eptp_decode(a->value, 0);

	a->n = spt_eptp_rows(0, a->bits);
	if (e.invalid)
		snprintf(a->sentence, sizeof(a->sentence), "invalid: %s", e.invalid);
	else
		snprintf(a->sentence, sizeof(a->sentence),
			 "%d-level tables at HPA 0x%llx, %s A/D bits", e.levels, e.root,
			 e.accessed_dirty ? "with" : "without");
	if (cli->opt.json) {
		cli_json_put(cli, "root", cli_json_hex(e.root));
		cli_json_put(cli, "levels", json_object_new_int(e.levels));
		cli_json_put(cli, "accessed_dirty", json_object_new_boolean(e.accessed_dirty));
		cli_json_put(cli, "invalid", e.invalid ? json_object_new_string(e.invalid) : NULL);
	}
	return 0;
}

static int decode_error_code(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	const struct spt_bit *bits = spt_pferr_rows(&a->n);

	memcpy(a->bits, bits, a->n * sizeof(*bits));
	spt_pferr_sentence(a->value, a->sentence, sizeof(a->sentence));
	return 0;
}

static int decode_exit_qual(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	const struct spt_bit *bits = spt_exit_qual_rows(&a->n);

	memcpy(a->bits, bits, a->n * sizeof(*bits));
	spt_exit_qual_sentence(a->value, a->sentence, sizeof(a->sentence));
	return 0;
}

/* Names of guest paging modes for --format; a guest with all features. */
static const struct {
	const char *name;
	enum spt_guest_paging paging;
} paging_modes[] = {
	{ "4-level", SPT_GUEST_4LEVEL },
	{ "5-level", SPT_GUEST_5LEVEL },
	{ "pae", SPT_GUEST_PAE },
	{ "32-bit", SPT_GUEST_32BIT },
};

#define PAGING_MODES (sizeof(paging_modes) / sizeof(paging_modes[0]))

static int find_paging(struct cli *cli, const char *name, struct spt_guest_mmu *mmu)
{
	*mmu = (struct spt_guest_mmu){
		.paging = SPT_GUEST_4LEVEL,
		.pse = true,
		.nxe = true,
		.gbpages = true,
		.wp = true,
		.maxphyaddr = 52,
	};
	for (size_t i = 0; i < PAGING_MODES; i++) {
		if (name && strcmp(name, paging_modes[i].name) != 0)
			continue;
		mmu->paging = paging_modes[i].paging;
		return 0;
	}
	return cli_fail(
		cli, EINVAL,
		"decode gpte: --format '%s' is no guest paging mode: 4-level, 5-level, pae or 32-bit",
		name);
}

static int decode_gpte(struct cli *cli, const struct cli_call *call, struct answer *a)
{
	struct spt_guest_mmu mmu;
	struct spt_gpte g;
	char flags[128];
	int level = 1;
	int rc;

	rc = find_paging(cli, cli_option(call, "format"), &mmu);
	if (!rc)
		rc = parse_level(cli, call, spt_guest_levels(&mmu), &level);
	if (rc)
		return rc;
	if (spt_guest_entry_size(&mmu) == 4 && a->value > UINT32_MAX)
		return cli_fail(cli, ERANGE, "decode gpte: 0x%" PRIx64 " has more than 32 bits",
				a->value);
	g = spt_gpte_decode(&mmu, a->value, level);
	a->n = spt_gpte_rows(&mmu, &g, a->bits);
	spt_gpte_flags_text(&g, ",", flags, sizeof(flags));
	snprintf(a->context, sizeof(a->context), "guest paging %s, level %d%s",
		 spt_guest_paging_name(mmu.paging), level,
		 cli_option(call, "level") ? "" : " assumed");
	if (!g.present)
		snprintf(a->sentence, sizeof(a->sentence), "not present");
	else if (g.reserved)
		snprintf(a->sentence, sizeof(a->sentence), "faults: reserved bits 0x%llx are set",
			 g.reserved);
	else
		snprintf(a->sentence, sizeof(a->sentence), "%s GPA 0x%llx, %s",
			 g.leaf ? "maps" : "leads to the table at", g.gpa, flags);
	if (cli->opt.json) {
		cli_json_put(cli, "level", json_object_new_int(level));
		cli_json_put(cli, "present", json_object_new_boolean(g.present));
		cli_json_put(cli, "leaf", json_object_new_boolean(g.leaf));
		cli_json_put(cli, "gpa", g.present ? cli_json_hex(g.gpa) : NULL);
		cli_json_put(cli, "reserved", cli_json_hex(g.reserved));
	}
	return 0;
}

/* Kinds of number, in the order of the help; a row is all that a new one needs. */
static const struct {
	const char *name;
	int (*decode)(struct cli *cli, const struct cli_call *call, struct answer *a);
} kinds[] = {
	{ "spte", decode_spte },	   { "role", decode_role },
	{ "eptp", decode_eptp },	   { "error-code", decode_error_code },
	{ "exit-qual", decode_exit_qual }, { "gpte", decode_gpte },
};

static int print_fields(struct cli *cli, const struct answer *a)
{
	struct cli_table *t = cli_table_begin(cli, columns, "fields", 0);
	struct spt_bit_value values[SPT_BITS_MAX];

	if (!t)
		return -cli->error.code;
	spt_bits_decode(a->bits, a->n, a->value, values);
	for (size_t i = 0; i < a->n; i++) {
		const struct spt_bit_value *v = &values[i];
		char text[64];

		/* Nothing to say of what must not be used, or is not, and is clear. */
		if (!v->number &&
		    (v->bit->kind == SPT_BIT_IGNORED || v->bit->kind == SPT_BIT_RESERVED))
			continue;
		cli_table_row(t);
		spt_bit_range_text(v->bit->mask, text, sizeof(text));
		cli_cell_text(t, COL_BITS, "%s", text);
		cli_cell_text(t, COL_NAME, "%s", v->bit->name);
		spt_bit_number_text(v, text, sizeof(text));
		cli_cell_text(t, COL_VALUE, "%s", text);
		cli_cell_text(t, COL_MEANING, "%s", v->text ? v->text : "");
	}
	return cli_table_end(t);
}

static int decode_run(struct cli *cli, const struct cli_call *call)
{
	struct answer a = { 0 };
	size_t kind = 0;
	int rc;

	while (strcmp(kinds[kind].name, call->argv[0]) != 0)
		kind++;
	rc = cli_parse_address(call->argv[1], "VALUE", &a.value, &cli->error);
	if (rc)
		return rc;
	if (cli_has_option(call, "layout")) {
		if (strcmp(kinds[kind].name, "role") != 0 || cli_has_option(call, "format"))
			return cli_fail(
				cli, EINVAL,
				"decode: --layout is for roles, and takes the place of --format");
		return cli_decode_role_layout(cli, cli_option(call, "layout"), a.value);
	}
	rc = kinds[kind].decode(cli, call, &a);
	if (rc)
		return rc;
	if (cli->opt.json) {
		cli_json_put(cli, "kind", json_object_new_string(kinds[kind].name));
		cli_json_put(cli, "value", cli_json_hex(a.value));
		cli_json_put(cli, "text", json_object_new_string(a.sentence));
	} else if (!cli->opt.raw && !cli->opt.columns) {
		fprintf(cli->out, "%s\n", a.sentence);
		if (a.context[0])
			fprintf(cli->out, "%s\n", a.context);
	}
	return print_fields(cli, &a);
}

static const char *const kind_words[] = {
	"spte", "role", "eptp", "error-code", "exit-qual", "gpte", NULL,
};

static const char *const format_words[] = {
#define F(name, mmu, kernel) name,
	SPT_BUILTIN_FORMATS(F)
#undef F
		"4-level",
	"5-level",
	"pae",
	"32-bit",
	NULL,
};

static const struct cli_option options[] = {
	{ .name = "format",
	  .arg = "FORMAT",
	  .help = "whose bits: of KVM by MMU and kernel, or the guest's paging mode",
	  .words = format_words },
	{ .name = "l1tf",
	  .arg = "BITS",
	  .help = "with --format: address bits of a CPU that KVM protects from L1TF" },
	{ .name = "layout",
	  .arg = "FILE|NAME",
	  .help = "of a role: the names of a kernel (a file with DWARF or BTF, or one of:"
#define L(name, bits, mirror, about) " " name
	  SPT_ROLE_LAYOUTS(L)
#undef L
		  ") beside today's",
	  .complete = CLI_COMPLETE_FILE },
	{ .name = "level", .arg = "N", .help = "level of the table that holds it, 1 is 4K" },
	{ NULL },
};

const struct cli_command cli_cmd_decode = {
	.name = "decode",
	.args = "spte|role|eptp|error-code|exit-qual|gpte VALUE",
	.help = "what the bits of one number mean",
	.details =
		"Needs no VM: --format says by whose rules an SPTE, a role or a guest's entry is\n"
		"to be read. Without it an SPTE and a role are read as the VM or the image in use\n"
		"writes them. An error code is that of a page fault as KVM keeps it, exit-qual the\n"
		"exit qualification of an EPT violation. An MMIO SPTE of a CPU that needs protection\n"
		"from L1TF has its gfn split: without the VM or image, --l1tf 44 puts it together.\n"
		"With --layout a role is shown in the names of the kernel that FILE (a debug file, or\n"
		"raw BTF) is of, beside today's names and values.",
	.example = "decode spte 0x8600000040000bf7 --format ept-6.12 --level 2",
	.min_args = 2,
	.max_args = 2,
	.words = kind_words,
	.options = options,
	.columns = columns,
	.run = decode_run,
};
