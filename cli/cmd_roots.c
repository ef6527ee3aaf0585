// SPDX-License-Identifier: GPL-2.0
/* `roots`: where translation begins, and which vCPU uses which. */
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "decoders/role.h"

enum {
	COL_HPA,
	COL_KIND,
	COL_LEVEL,
	COL_AS_ID,
	COL_HALF,
	COL_GPA_BIT,
	COL_VALID,
	COL_REFCOUNT,
	COL_VCPUS,
	COL_ROLE,
	COL_ROLE_WORD,
	COL_TDP_MMU
};

static const struct cli_column columns[] = {
	[COL_HPA] = { "hpa", 18, 0, "physical address of the root table" },
	[COL_KIND] = { "kind", 8, 0, "direct, shadow, nested, mirror or external" },
	[COL_LEVEL] = { "level", 5, CLI_COL_RIGHT, "its level" },
	[COL_AS_ID] = { "as_id", 5, CLI_COL_RIGHT, "address space: 0, or 1 for SMM" },
	[COL_HALF] = { "half", 7, CLI_COL_EXTRA,
		       "of a TD's memory: private or shared; n/a where there is one" },
	[COL_GPA_BIT] = { "gpa_bit", 8, CLI_COL_EXTRA,
			  "the bit of a GPA that chooses the half, and what it must be" },
	[COL_VALID] = { "valid", 5, 0, "no: KVM has invalidated it and tears it down" },
	[COL_REFCOUNT] = { "refcount", 8, CLI_COL_RIGHT, "users of the root" },
	[COL_VCPUS] = { "vcpus", 8, 0, "vCPUs that use it now; in brackets: have it cached" },
	[COL_ROLE] = { "role", 30, 0, "what the tables below are for" },
	[COL_ROLE_WORD] = { "role_word", 10, CLI_COL_EXTRA, "the role as a number" },
	[COL_TDP_MMU] = { "tdp_mmu", 7, CLI_COL_EXTRA, "the TDP MMU's, not the shadow MMU's" },
	{ NULL },
};

static struct json_object *vcpus_json(const struct spt_model *model,
				      const struct spt_root_ref *root, bool cached)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		enum spt_vcpu_use use = spt_vcpu_uses(&model->vcpus[i], root);

		if (use != SPT_USE_NONE && (use == SPT_USE_PREVIOUS) == cached)
			json_object_array_add(list,
					      json_object_new_int64(cli_vcpu_id(&model->vcpus[i])));
	}
	return list;
}

static struct json_object *root_to_json(const struct spt_model *model,
					const struct spt_root_ref *root)
{
	enum spt_half half = spt_root_half(root);
	struct json_object *o = json_object_new_object();

	cli_json_set_hex(o, "hpa", root->hpa);
	cli_json_set_text(o, "kind", spt_root_kind_name(root->kind));
	cli_json_set_int(o, "level", root->level);
	cli_json_set_uint(o, "as_id", root->as_id);
	cli_json_set_text(o, "half", spt_half_name(half));
	/* Which bit of a GPA chooses this root, and what it has to be. */
	cli_json_set(o, "gpa_bit",
		     half && model->gpa_bits ? json_object_new_int(__builtin_ctzll(model->gpa_bits))
					     : NULL);
	cli_json_set(o, "gpa_bit_set",
		     half && model->gpa_bits ? json_object_new_boolean(root->gpa_bits != 0) : NULL);
	cli_json_set_bool(o, "valid", root->valid);
	/* What is behind a mirror is counted with it. */
	cli_json_set(o, "refcount",
		     root->kind == SPT_ROOT_EXTERNAL ? NULL : cli_json_uint(root->refcount));
	cli_json_set(o, "role", root->page ? cli_role_json(model, root->role) : NULL);
	cli_json_set(o, "role_word", root->page ? cli_json_hex(root->role) : NULL);
	cli_json_set(o, "vcpus", vcpus_json(model, root, false));
	cli_json_set(o, "vcpus_cached", vcpus_json(model, root, true));
	cli_json_set_bool(o, "tdp_mmu", root->tdp_mmu);
	return o;
}

/* As many as there is room for, and how many those are not. */
static void vcpus_text(const struct spt_model *model, const struct spt_root_ref *root, char *text,
		       size_t size)
{
	const size_t room = size - sizeof(" and 4294967295 more");
	size_t at = 0, more = 0;

	snprintf(text, size, "-");
	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		enum spt_vcpu_use use = spt_vcpu_uses(&model->vcpus[i], root);
		bool cached = use == SPT_USE_PREVIOUS;
		char one[32];
		size_t len;

		if (use == SPT_USE_NONE)
			continue;
		len = (size_t)snprintf(one, sizeof(one), "%s%s%" PRId64 "%s", at ? "," : "",
				       cached ? "(" : "", cli_vcpu_id(&model->vcpus[i]),
				       cached ? ")" : "");
		if (more || at + len > room) {
			more++;
			continue;
		}
		memcpy(text + at, one, len + 1);
		at += len;
	}
	if (more)
		snprintf(text + at, size - at, " and %zu more", more);
}

static void set_half(struct cli_table *t, const struct spt_model *model,
		     const struct spt_root_ref *root)
{
	const char *half = spt_half_name(spt_root_half(root));

	if (half)
		cli_cell_string(t, COL_HALF, half);
	else
		cli_cell_na(t, COL_HALF);
	if (half && model->gpa_bits)
		cli_cell_text(t, COL_GPA_BIT, "%d %s", __builtin_ctzll(model->gpa_bits),
			      root->gpa_bits ? "set" : "clear");
	else
		cli_cell_na(t, COL_GPA_BIT);
}

static void add_row(struct cli *cli, struct cli_table *t, const struct spt_model *model,
		    const struct spt_root_ref *root)
{
	char text[256];

	cli_table_row(t);
	if (cli->opt.json) {
		cli_row_json(t, root_to_json(model, root));
		return;
	}
	cli_cell_address(t, COL_HPA, root->hpa);
	cli_cell_text(t, COL_KIND, "%s", spt_root_kind_name(root->kind));
	cli_cell_number(t, COL_LEVEL, root->level);
	cli_cell_number(t, COL_AS_ID, root->as_id);
	cli_cell_bool(t, COL_VALID, root->valid);
	set_half(t, model, root);
	if (root->kind == SPT_ROOT_EXTERNAL)
		cli_cell_na(t, COL_REFCOUNT);
	else
		cli_cell_number(t, COL_REFCOUNT, root->refcount);
	vcpus_text(model, root, text, sizeof(text));
	cli_cell_text(t, COL_VCPUS, "%s", text);
	if (root->page) {
		spt_role_text(model->format.role, root->role, text, sizeof(text));
		cli_cell_text(t, COL_ROLE, "%s", text);
		cli_cell_hex(t, COL_ROLE_WORD, root->role);
	} else {
		cli_cell_na(t, COL_ROLE);
		cli_cell_na(t, COL_ROLE_WORD);
	}
	cli_cell_bool(t, COL_TDP_MMU, root->tdp_mmu);
}

/* What the hardware is given for one vCPU, and for which of KVM's roots. */
struct loaded_root {
	bool known, loaded, hw_known, mirrored;
	uint64_t root_hpa, hw_root, source, mirror_hpa;
};

static struct loaded_root loaded_root_of(const struct spt_vcpu_ref *vcpu)
{
	struct loaded_root l = { 0 };

	l.known = spt_value(&vcpu->values, SPT_VCPU_ROOT_HPA, &l.root_hpa);
	l.loaded = l.known && l.root_hpa != SPT_NO_HPA;
	l.hw_known = spt_value(&vcpu->values, SPT_VCPU_HW_ROOT, &l.hw_root);
	spt_value(&vcpu->values, SPT_VCPU_HW_ROOT_SOURCE, &l.source);
	l.mirrored = spt_value(&vcpu->values, SPT_VCPU_MIRROR_ROOT_HPA, &l.mirror_hpa) &&
		     l.mirror_hpa && l.mirror_hpa != SPT_NO_HPA;
	return l;
}

static void vcpu_roots_to_json(struct cli *cli, const struct spt_model *model)
{
	cli_json_array_begin(cli, "vcpu_roots");
	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		struct loaded_root l = loaded_root_of(&model->vcpus[i]);
		struct json_object *o = json_object_new_object();

		cli_json_set_int(o, "vcpu_id", cli_vcpu_id(&model->vcpus[i]));
		cli_json_set_bool(o, "loaded", l.loaded);
		cli_json_set(o, "root_hpa", l.loaded ? cli_json_hex(l.root_hpa) : NULL);
		cli_json_set(o, "mirror_root_hpa", l.mirrored ? cli_json_hex(l.mirror_hpa) : NULL);
		cli_json_set(o, "hw_root", l.hw_known ? cli_json_hex(l.hw_root) : NULL);
		cli_json_set_text(o, "hw_root_source",
				  l.hw_known ? cli_hw_root_source(l.source) : NULL);
		cli_json_put(cli, NULL, o);
	}
	cli_json_array_end(cli);
}

static void print_vcpu_roots(struct cli *cli, const struct spt_model *model)
{
	bool vmx = model->image.head.vendor == SPT_VENDOR_VMX;
	bool shadow = model->image.head.mmu == SPT_MMU_SHADOW;
	const char *name = shadow ? "CR3" : vmx ? "EPTP" : "nCR3";

	for (uint32_t i = 0; i < model->nr_vcpus; i++) {
		struct loaded_root l = loaded_root_of(&model->vcpus[i]);
		long long id = cli_vcpu_id(&model->vcpus[i]);

		if (!l.known)
			fprintf(cli->out, "vCPU %lld: root n/a", id);
		else if (!l.loaded)
			fprintf(cli->out,
				"vCPU %lld: no root loaded (not run yet, or KVM dropped it)", id);
		else
			fprintf(cli->out, "vCPU %lld: root 0x%" PRIx64, id, l.root_hpa);
		if (l.mirrored)
			fprintf(cli->out, ", mirror 0x%" PRIx64, l.mirror_hpa);
		if (l.hw_known)
			fprintf(cli->out, ", %s 0x%" PRIx64 " (%s)", name, l.hw_root,
				cli_hw_root_source(l.source));
		fputc('\n', cli->out);
	}
}

static bool has_mirror(const struct spt_model *model)
{
	for (uint32_t i = 0; i < model->nr_roots; i++)
		if (model->roots[i].kind == SPT_ROOT_MIRROR)
			return true;
	return false;
}

/* Which bit of a GPA chooses between the halves of a TD's memory, and what is behind a mirror. */
static void print_halves(FILE *out, const struct spt_model *model)
{
	bool external = false;

	for (uint32_t i = 0; i < model->nr_roots; i++)
		external |= model->roots[i].kind == SPT_ROOT_EXTERNAL;
	if (model->gpa_bits)
		fprintf(out,
			"GPA bit %d: set, the direct root translates it (shared memory);"
			" clear, the mirror's external tables (private)\n",
			__builtin_ctzll(model->gpa_bits));
	if (external)
		fprintf(out,
			"external: the topmost tables behind the mirror that KVM knows of; the root"
			" above them is the TDX module's\n");
	else if (has_mirror(model) && spt_model_externals(model) == SPT_NO)
		fprintf(out,
			"external: not shown, the tables behind the mirror are the TDX module's and"
			" can be read by it alone\n");
}

/* Roots of the shadow MMU are found among its pages only: ask for them where there are any. */
static int read_roots(struct cli *cli, struct spt_model **model)
{
	struct spt_request request = {
		.parts = SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_ROOTS,
	};
	uint64_t shadow_pages;
	int rc = cli_read(cli, &request, model);

	if (rc)
		return rc;
	/* And what is behind a mirror among its tables. */
	if (has_mirror(*model) || !(*model)->image.head.tdp_mmu ||
	    !spt_value(&(*model)->vm, SPT_VM_N_USED_MMU_PAGES, &shadow_pages) || shadow_pages) {
		request.parts |= SPT_PART_TABLES;
		return cli_model(cli, &request, model);
	}
	cli_note_torn(cli, *model);
	return 0;
}

static int roots_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_model *model;
	struct cli_table *t;
	int rc;

	rc = read_roots(cli, &model);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "roots", 0);
	if (!t)
		return -cli->error.code;
	for (uint32_t i = 0; i < model->nr_roots; i++)
		add_row(cli, t, model, &model->roots[i]);
	rc = cli_table_end(t);
	if (rc)
		return rc;
	if (cli->opt.json) {
		vcpu_roots_to_json(cli, model);
	} else if (!cli->opt.raw && !cli->opt.columns && !cli->opt.no_headings) {
		print_vcpu_roots(cli, model);
		print_halves(cli->out, model);
	}
	return 0;
}

const struct cli_command cli_cmd_roots = {
	.name = "roots",
	.help = "list the roots of the page tables, and what each vCPU has loaded",
	.details =
		"A root that no vCPU uses is kept because KVM or a vCPU has it cached, or is being\n"
		"torn down (valid: no). A vCPU without a root has not entered the guest since KVM\n"
		"last dropped its roots.",
	.example = "roots --json",
	.columns = columns,
	.run = roots_run,
};
