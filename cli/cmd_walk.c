// SPDX-License-Identifier: GPL-2.0
/* `walk`: one address through everything that translates it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/address.h"
#include "cli/cmd_walk.h"
#include "cli/json.h"
#include "cli/target.h"

/* A walk found the page if any root translates the address. */
static bool is_mapped(const struct spt_walk *walk)
{
	for (unsigned int i = 0; i < walk->nr_paths; i++)
		if (walk->path[i].hpa != SPT_NO_HPA)
			return true;
	return false;
}

static int walk_once(struct cli *cli, uint64_t gpa, struct spt_walk *walk)
{
	struct spt_source *source;
	int rc = cli_source(cli, &source);

	if (rc)
		return rc;
	rc = spt_walk_gpa_next(source, cli_empty_model(cli), gpa, cli_image_flags(cli), walk,
			       &cli->error);
	if (rc)
		cli_target_close(cli);
	return rc;
}

static int show(struct cli *cli, const struct cli_walk_from *from, const struct spt_walk *walk)
{
	cli_note_torn(cli, cli_empty_model(cli));
	if (cli->opt.json)
		cli_walk_to_json(cli, cli_empty_model(cli), from, walk);
	else
		cli_print_walk(cli, cli_empty_model(cli), from, walk);
	return !is_mapped(walk);
}

static int walk_gpa(struct cli *cli, const struct cli_walk_from *from)
{
	struct spt_walk walk;
	int rc = walk_once(cli, from->address, &walk);

	return rc ? rc : show(cli, from, &walk);
}

/* What of the guest's registers is asked for. */
static int parse_ask(struct cli *cli, const struct cli_call *call, struct spt_guest_ask *ask)
{
	const char *vcpu = cli_option(call, "vcpu"), *cr3 = cli_option(call, "cr3");
	uint64_t number;
	int rc = 0;

	ask->vcpu = SPT_ANY_VCPU;
	if (vcpu) {
		rc = cli_parse_address(vcpu, "--vcpu", &number, &cli->error);
		ask->vcpu = (int64_t)number;
	}
	if (!rc && cr3) {
		rc = cli_parse_address(cr3, "--cr3", &ask->cr3, &cli->error);
		ask->have_cr3 = true;
	}
	return rc;
}

static int walk_gva(struct cli *cli, const struct cli_walk_from *asked, const struct cli_call *call)
{
	struct spt_guest_ask ask = { .gva = asked->address };
	struct spt_guest_walk guest;
	const struct cli_walk_from from = { asked->kind, asked->address, &guest, asked->explain,
					    asked->nodes };
	struct spt_walk walk = { .hva = SPT_NO_HVA };
	struct spt_source *source;
	int rc = parse_ask(cli, call, &ask);

	if (!rc)
		rc = cli_source(cli, &source);
	if (rc)
		return rc;
	rc = spt_guest_walk_from(source, cli_empty_model(cli), &ask, cli_image_flags(cli), &guest,
				 &cli->error);
	if (rc) {
		cli_target_close(cli);
		return rc;
	}
	if (guest.end == SPT_GUEST_END_MAPPED) {
		rc = walk_once(cli, guest.gpa, &walk);
		return rc ? rc : show(cli, &from, &walk);
	}
	walk.verdict = spt_guest_walk_verdict(&guest);
	snprintf(walk.reason, sizeof(walk.reason), "%s", guest.reason);
	return show(cli, &from, &walk);
}

/* An HVA that no slot contains: there is nothing to walk. */
static int walk_nowhere(struct cli *cli, const struct cli_walk_from *from)
{
	struct spt_walk walk = { .hva = from->address, .verdict = SPT_VERDICT_NO_SLOT };

	snprintf(walk.reason, sizeof(walk.reason), "no memory slot contains this HVA");
	if (cli->opt.json)
		cli_walk_to_json(cli, cli_empty_model(cli), from, &walk);
	else
		fprintf(cli->out, "HVA 0x%" PRIx64 " of VM %s\n\n%s: %s\n", from->address,
			cli_empty_model(cli)->image.head.id, spt_verdict_name(walk.verdict),
			walk.reason);
	return 1;
}

int cli_walk_aliases(struct cli *cli, const struct cli_walk_from *from, const uint64_t *gpa,
		     size_t count)
{
	bool mapped = false;

	for (size_t i = 0; i < count && !cli_interrupted; i++) {
		struct spt_walk walk;
		int rc = walk_once(cli, gpa[i], &walk);

		if (rc)
			return rc;
		mapped |= is_mapped(&walk);
		if (cli->opt.json && i == 1)
			cli_json_array_begin(cli, "aliases");
		if (cli->opt.json && i)
			cli_json_object_begin(cli, NULL);
		if (cli->opt.json)
			cli_walk_to_json(cli, cli_empty_model(cli), from, &walk);
		else
			cli_print_walk(cli, cli_empty_model(cli), from, &walk);
		if (cli->opt.json && i)
			cli_json_object_end(cli);
		if (!cli->opt.json && i + 1 < count)
			fputc('\n', cli->out);
	}
	if (cli->opt.json && count > 1)
		cli_json_array_end(cli);
	return cli_interrupted ? -EINTR : !mapped;
}

/* Several slots may map one HVA. */
static int walk_hva(struct cli *cli, const struct cli_walk_from *from)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_MEMSLOTS };
	uint64_t gpa[CLI_MAX_ALIASES];
	struct spt_model *model;
	unsigned int count;
	int rc;

	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	count = spt_walk_hva(model, from->address, gpa, CLI_MAX_ALIASES);
	if (!count)
		return walk_nowhere(cli, from);
	if (count > CLI_MAX_ALIASES) {
		cli_warn(cli, "HVA 0x%" PRIx64 " backs %u guest addresses: the first %d are walked",
			 from->address, count, CLI_MAX_ALIASES);
		count = CLI_MAX_ALIASES;
	}
	return cli_walk_aliases(cli, from, gpa, count);
}

static const char *const kinds[] = { "gpa", "gva", "hva", "hpa", NULL };

static int walk_run(struct cli *cli, const struct cli_call *call)
{
	struct cli_walk_from from = { .kind = call->argv[0] };
	int rc = cli_parse_address(call->argv[1], "ADDR", &from.address, &cli->error);

	if (rc)
		return rc;
	from.explain = cli_has_option(call, "explain");
	from.nodes = cli_has_option(call, "node");
	if (!strcmp(from.kind, "gva"))
		return walk_gva(cli, &from, call);
	if (cli_names_option(call, "vcpu") || cli_has_option(call, "cr3"))
		return cli_fail(
			cli, EINVAL,
			"--vcpu and --cr3 say how a GVA is translated: walk %s has no use for them",
			from.kind);
	if (!strcmp(from.kind, "gpa"))
		return walk_gpa(cli, &from);
	if (!strcmp(from.kind, "hva"))
		return walk_hva(cli, &from);
	return cli_walk_hpa(cli, &from);
}

static const struct cli_option walk_options[] = {
	{ .name = "vcpu", .arg = "N", .help = "gva: by the registers of this vCPU (vcpu_id)" },
	{ .name = "cr3",
	  .arg = "VALUE",
	  .help = "gva: with these page tables instead of the vCPU's" },
	{ .name = "explain", .letter = 'e', .help = "say in words what every entry means" },
	{ .name = "node", .help = "say the NUMA node of each page, where it is known" },
	{ 0 },
};

const struct cli_command cli_cmd_walk = {
	.name = "walk",
	.args = "gpa|gva|hva|hpa ADDR",
	.help = "follow one address: slot, HVA, every root's tables, HPA, the host's own walk",
	.details =
		"The verdict is one of:\n"
		"  coherent  the SPTE and the host's page tables name the same page\n"
		"  unmapped  no SPTE yet: the guest's next access faults into KVM\n"
		"  stale     the SPTE and the host's page tables disagree, and nothing explains it\n"
		"  mmio      the address is emulated by the VMM\n"
		"  no-slot   no memory slot holds it\n"
		"  private   guest_memfd or a TD's memory: the host maps no such page\n"
		"  swapped   no SPTE, and the host has the page on swap\n"
		"  torn      it changed while it was looked at\n"
		"walk gva uses the first vCPU that does not run a guest of its own, or --vcpu, and says\n"
		"where its CR3 may be old. Of a vCPU that runs a guest of its own (L2) the address is\n"
		"L2's: its tables are walked, and the guest's nested ones from there.\n"
		"walk hpa lists every entry that maps the page, and whose page table it is.\n"
		"Exit status 1: no root maps the address; hpa: and it is no page table either.",
	.example = "walk gpa 0x1000",
	.min_args = 2,
	.max_args = 2,
	.words = kinds,
	.options = walk_options,
	.run = walk_run,
};
