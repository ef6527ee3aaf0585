// SPDX-License-Identifier: GPL-2.0
/* `layout`: where the kernel keeps KVM's fields, as BTF and as DWARF have it. */
#include "cli/cmd_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/table.h"
#include "decoders/layout_listing.h"

enum {
	COL_FIELD,
	COL_NEED,
	COL_TYPE,
	COL_MEMBER,
	COL_BTF,
	COL_DWARF,
	COL_STATE,
	COL_ALTERNATIVE,
	COL_SOURCE,
};

static const struct cli_column columns[] = {
	[COL_FIELD] = { "field", 28, 0, "the agent's name for it" },
	[COL_NEED] = { "need", 4, 0,
		       "R required, O optional, A required on AMD hosts, I on Intel hosts, "
		       "T of memslots in a tree, L in an array" },
	[COL_TYPE] = { "type", 18, 0, "struct or union" },
	[COL_MEMBER] = { "member", 30, 0, "member that was found, - the type's size" },
	[COL_BTF] = { "btf", 14, 0, "offset+size in bytes; of a bit field offset:bit+bits" },
	[COL_DWARF] = { "dwarf", 14, 0, "the same as DWARF has it" },
	[COL_STATE] = { "state", 10, 0, "same, differs, one (source only), n/a, missing" },
	[COL_ALTERNATIVE] = { "alternative", 11, CLI_COL_EXTRA,
			      "number of the name in the list of names, 0 the newest" },
	[COL_SOURCE] = { "source", 20, CLI_COL_EXTRA, "file that the field was found in" },
	{ NULL },
};

const char *const cli_from_words[] = { "btf", "dwarf", NULL };

static const char *const vendor_words[] = { "svm", "vmx", NULL };

static const struct cli_option options[] = {
	CLI_LAYOUT_OPTIONS,
	{ .name = "vendor",
	  .arg = "VENDOR",
	  .help = "of files of another kernel: build ids are not compared",
	  .words = vendor_words },
	{ .name = "blob",
	  .arg = "FILE",
	  .help = "write what the agent of this host is given to FILE",
	  .complete = CLI_COMPLETE_FILE },
	{ .name = "release", .arg = "RELEASE", .help = "with --vendor: uname -r of that kernel" },
	{ NULL },
};

void cli_layout_from(const struct cli_call *call, const char *dirs[2], struct spt_layout_from *ret)
{
	const char *from = cli_option(call, "from");

	*ret = (struct spt_layout_from){ .btf_dir = cli_option(call, "btf-dir") };
	dirs[0] = cli_option(call, "dwarf-dir");
	dirs[1] = NULL;
	ret->dwarf_dirs = dirs[0] ? dirs : NULL;
	if (from)
		ret->only = strcmp(from, "btf") ? SPT_LAYOUT_DWARF : SPT_LAYOUT_BTF;
}

/* Both sources of one host, and where they differ. */
struct both {
	struct spt_host host;
	struct spt_layout btf, dwarf;
	bool differs[SPT_F_COUNT];
	unsigned int differences;
};

static void free_both(struct both **both)
{
	if (!*both)
		return;
	spt_layout_deinit(&(*both)->btf);
	spt_layout_deinit(&(*both)->dwarf);
	free(*both);
}

/* This host, or one of which we know only what the options say. */
static int find_host(struct cli *cli, const struct cli_call *call, struct spt_host *ret)
{
	const char *vendor = cli_option(call, "vendor"), *release = cli_option(call, "release");
	struct utsname here;

	if (!vendor)
		return spt_host_read(NULL, ret, &cli->error);
	*ret = (struct spt_host){ 0 };
	ret->vendor = strcmp(vendor, "svm") ? SPT_VENDOR_VMX : SPT_VENDOR_SVM;
	uname(&here);
	snprintf(ret->release, sizeof(ret->release), "%.63s", release ? release : here.release);
	return 0;
}

static bool there(const struct spt_layout *layout)
{
	return layout->source && !layout->missing.code;
}

static void open_both(const struct spt_layout_from *from, struct both *b)
{
	const struct spt_debug_search search = {
		.dirs = from->dwarf_dirs,
		.release = b->host.release,
	};

	if (from->only != SPT_LAYOUT_DWARF)
		spt_layout_from_btf(from->btf_dir ? from->btf_dir : "/sys/kernel/btf",
				    b->host.vendor, &b->btf);
	if (from->only != SPT_LAYOUT_BTF)
		spt_layout_from_dwarf(&search, &b->host, &b->dwarf);
	if (there(&b->btf) && there(&b->dwarf))
		b->differences = spt_layout_compare(&b->btf, &b->dwarf, b->differs);
}

static void place_text(const struct spt_field_found *found, char *text, size_t size)
{
	uint32_t bit = found->field.bit_offset, bits = found->field.bit_size;

	if (found->state == SPT_FIELD_DISAGREE)
		snprintf(text, size, "contradictory");
	else if (found->state == SPT_FIELD_DAMAGED)
		snprintf(text, size, "damaged");
	else if (found->state != SPT_FIELD_FOUND)
		snprintf(text, size, "n/a");
	else if (found->field.flags & SPT_FIELD_BITS)
		snprintf(text, size, "%u:%u+%u", bit / 8, bit % 8, bits);
	else
		snprintf(text, size, "%u+%u", bit / 8, bits / 8);
}

static const char *state_name(enum spt_field_state state)
{
	static const char *const names[] = {
		[SPT_FIELD_FOUND] = "found",
		[SPT_FIELD_NO_MEMBER] = "no_member",
		[SPT_FIELD_NO_TYPE] = "no_type",
		[SPT_FIELD_DISAGREE] = "contradictory",
		[SPT_FIELD_OTHER_VENDOR] = "other_vendor",
		[SPT_FIELD_DAMAGED] = "damaged",
	};

	return names[state];
}

static struct json_object *place_json(const struct spt_layout *layout,
				      const struct spt_field_found *found)
{
	struct json_object *o;

	if (!there(layout))
		return NULL;
	o = json_object_new_object();
	cli_json_set_text(o, "state", state_name(found->state));
	if (found->state != SPT_FIELD_FOUND)
		return o;
	cli_json_set_uint(o, "bit_offset", found->field.bit_offset);
	cli_json_set_uint(o, "bit_size", found->field.bit_size);
	cli_json_set_bool(o, "bit_field", found->field.flags & SPT_FIELD_BITS);
	cli_json_set_bool(o, "pointer", found->field.flags & SPT_FIELD_POINTER);
	cli_json_set_uint(o, "alternative", found->field.alternative);
	return o;
}

static const char *field_state(const struct both *b, unsigned int f,
			       const struct spt_field_found *found)
{
	if (b->differs[f])
		return "differs";
	if (found->state == SPT_FIELD_FOUND)
		return there(&b->btf) && there(&b->dwarf) ? "same" : "one";
	if (found->state == SPT_FIELD_DISAGREE || found->state == SPT_FIELD_DAMAGED)
		return "missing";
	return spt_need_required(spt_field_names[f].need, b->host.vendor) ? "missing" : "n/a";
}

static void print_place(struct cli_table *t, int col, const struct spt_layout *layout,
			unsigned int f)
{
	char text[32];

	if (!there(layout)) {
		cli_cell_na(t, col);
		return;
	}
	place_text(&layout->field[f], text, sizeof(text));
	cli_cell_both(t, col, place_json(layout, &layout->field[f]), "%s", text);
}

static void print_field(struct cli_table *t, const struct both *b, unsigned int f)
{
	const struct spt_field_name *name = &spt_field_names[f];
	const struct spt_field_found *found =
		there(&b->btf) ? &b->btf.field[f] : &b->dwarf.field[f];
	char member[128];

	spt_field_alternative(name, found->field.alternative, member, sizeof(member));
	cli_table_row(t);
	cli_cell_text(t, COL_FIELD, "%s", name->id);
	cli_cell_text(t, COL_NEED, "%c", name->need);
	cli_cell_text(t, COL_TYPE, "%s", name->type);
	cli_cell_text(t, COL_MEMBER, "%s", *member ? member : "-");
	print_place(t, COL_BTF, &b->btf, f);
	print_place(t, COL_DWARF, &b->dwarf, f);
	cli_cell_text(t, COL_STATE, "%s", field_state(b, f, found));
	if (found->state != SPT_FIELD_FOUND)
		return;
	cli_cell_number(t, COL_ALTERNATIVE, found->field.alternative);
	cli_cell_text(t, COL_SOURCE, "%s", found->graph->path);
}

static struct json_object *source_json(const struct spt_layout *layout)
{
	struct json_object *o = json_object_new_object(), *files = json_object_new_array();
	const struct spt_error *why = layout->missing.code ? &layout->missing : &layout->doubt;

	cli_json_set_bool(o, "available", there(layout));
	cli_json_set_text(o, "reason", why->code ? why->text : NULL);
	for (unsigned int m = 0; m < SPT_MODULE_COUNT; m++)
		if (layout->graph[m])
			json_object_array_add(files,
					      json_object_new_string(layout->graph[m]->path));
	cli_json_set(o, "files", files);
	return o;
}

static void print_source(FILE *out, const char *name, const struct spt_layout *layout)
{
	if (!layout->source)
		return;
	fprintf(out, "%-6s", name);
	if (layout->missing.code)
		fprintf(out, " n/a: %s", layout->missing.text);
	for (unsigned int m = 0; there(layout) && m < SPT_MODULE_COUNT; m++)
		if (layout->graph[m])
			fprintf(out, " %s", layout->graph[m]->path);
	fputc('\n', out);
}

/* The source that decides when there is one only, for errors and listings. */
static const struct spt_layout *best(const struct both *b)
{
	return there(&b->btf) || !b->dwarf.source ? &b->btf : &b->dwarf;
}

static void print_sources(struct cli *cli, const struct both *b)
{
	static const char *const forms[] = { "unknown", "tree", "array" };
	static const char *const words[] = {
		"in neither form that is known",
		"in a tree by gfn",
		"in a sorted array (id_to_index), which the agent does not read",
	};
	enum spt_slots_form form = best(b)->slots_form;

	if (cli->opt.json) {
		cli_json_put(cli, "release", json_object_new_string(b->host.release));
		cli_json_put(cli, "vendor",
			     json_object_new_string(spt_vendor_name(b->host.vendor)));
		cli_json_put(cli, "btf", source_json(&b->btf));
		cli_json_put(cli, "dwarf", source_json(&b->dwarf));
		cli_json_put(cli, "differences", cli_json_uint(b->differences));
		cli_json_put(cli, "memslots", json_object_new_string(forms[form]));
	} else if (!cli->opt.raw && !cli->opt.columns && !cli->opt.no_headings) {
		fprintf(cli->out, "Linux %s, %s\n", b->host.release,
			spt_vendor_name(b->host.vendor));
		print_source(cli->out, "BTF", &b->btf);
		print_source(cli->out, "DWARF", &b->dwarf);
		fprintf(cli->out, "memslots are kept %s\n", words[form]);
	}
}

/* Every field that the agent reads. */
static int list_fields(struct cli *cli, const struct both *b)
{
	const struct spt_error *doubt = b->btf.doubt.code ? &b->btf.doubt : &b->dwarf.doubt;
	struct cli_table *t;
	int rc;

	print_sources(cli, b);
	t = cli_table_begin(cli, columns, "fields", 0);
	if (!t)
		return -cli->error.code;
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		print_field(t, b, f);
	rc = cli_table_end(t);
	if (rc)
		return rc;
	if (doubt->code)
		cli_warn(cli, "not usable: %s", doubt->text);
	if (b->differences)
		cli_warn(cli, "BTF and DWARF differ in %u fields", b->differences);
	return doubt->code || b->differences ? CLI_NO : CLI_DONE;
}

static struct json_object *member_json(const struct spt_listed *m)
{
	struct json_object *o = json_object_new_object();

	cli_json_set_text(o, "name", m->name);
	cli_json_set_text(o, "type", m->type);
	cli_json_set_uint(o, "depth", m->depth);
	cli_json_set_uint(o, "bit_offset", m->bit_offset);
	cli_json_set_uint(o, "bit_size", m->bits);
	cli_json_set_bool(o, "bit_field", m->bit_field);
	return o;
}

static void print_member(FILE *out, const struct spt_listed *m)
{
	char place[48];

	if (m->bit_field)
		snprintf(place, sizeof(place), "%" PRIu64 ":%u", m->bit_offset / 8,
			 (unsigned int)(m->bit_offset % 8));
	else
		snprintf(place, sizeof(place), "%" PRIu64, m->bit_offset / 8);
	fprintf(out, "%8s  %7" PRIu64 "%s  %*s%s %s\n", place, m->bit_field ? m->bits : m->bits / 8,
		m->bit_field ? "b" : " ", (int)m->depth * 4, "", m->type, m->name ? m->name : "");
}

/* One type's members, as the source has them. */
static int list_type(struct cli *cli, const char *name, const struct spt_layout *layout)
{
	struct spt_listing listing;
	int rc = spt_listing_of(layout, name, &listing, &cli->error);

	if (rc)
		return rc;
	if (cli->opt.json) {
		cli_json_put(cli, "type", json_object_new_string(name));
		cli_json_put(cli, "kind",
			     json_object_new_string(listing.is_union ? "union" : "struct"));
		cli_json_put(cli, "size", cli_json_uint(listing.size));
		cli_json_put(cli, "source", json_object_new_string(listing.graph->path));
		cli_json_array_begin(cli, "members");
	} else if (!cli->opt.no_headings) {
		fprintf(cli->out, "%s %s, %" PRIu64 " bytes, from %s\n",
			listing.is_union ? "union" : "struct", name, listing.size,
			listing.graph->path);
		fprintf(cli->out, "  OFFSET     SIZE  MEMBER\n");
	}
	for (size_t i = 0; i < listing.count; i++) {
		if (cli->opt.json)
			cli_json_put(cli, NULL, member_json(&listing.member[i]));
		else
			print_member(cli->out, &listing.member[i]);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
	spt_listing_deinit(&listing);
	return CLI_DONE;
}

/* What 'agent load' writes to debugfs, for those who want to look at it or write it themselves. */
static int write_blob(struct cli *cli, const struct spt_layout_from *from,
		      const struct spt_host *host, const char *path)
{
	struct spt_layout_blob blob;
	unsigned int fields;
	int fd, rc = spt_layout_blob_make(from, host, &blob, &fields, &cli->error);
	ssize_t written;

	if (rc)
		return rc;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return cli_fail(cli, errno, "%s: %s", path, strerror(errno));
	written = write(fd, &blob, sizeof(blob));
	rc = written < 0 ? errno : ENOSPC;
	if (close(fd) || written != sizeof(blob))
		return cli_fail(cli, rc, "%s: %s", path, strerror(rc));
	if (cli->opt.json) {
		cli_json_put(cli, "file", json_object_new_string(path));
		cli_json_put(cli, "bytes", cli_json_uint(sizeof(blob)));
		cli_json_put(cli, "fields", cli_json_uint(fields));
	} else {
		fprintf(cli->out, "%s: %zu bytes, %u of %u fields from %s\n", path, sizeof(blob),
			fields, (unsigned int)SPT_F_COUNT,
			blob.source == SPT_LAYOUT_BTF ? "BTF" : "DWARF");
	}
	return CLI_DONE;
}

static int layout_run(struct cli *cli, const struct cli_call *call)
{
	struct both *b __attribute__((cleanup(free_both))) = calloc(1, sizeof(*b));
	struct spt_layout_from from;
	const char *dirs[2];
	int rc;

	if (!b)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = find_host(cli, call, &b->host);
	if (rc)
		return rc;
	cli_layout_from(call, dirs, &from);
	if (cli_has_option(call, "blob")) {
		if (call->argc || cli_has_option(call, "vendor"))
			return cli_fail(
				cli, EINVAL,
				"--blob is for this host's whole layout: no TYPE, no --vendor");
		return write_blob(cli, &from, &b->host, cli_option(call, "blob"));
	}
	/* A type is listed from one source: the debug files only where there is no BTF. */
	if (call->argc && !from.only) {
		from.only = SPT_LAYOUT_BTF;
		open_both(&from, b);
		from.only = there(&b->btf) ? SPT_LAYOUT_BTF : SPT_LAYOUT_DWARF;
	}
	if (!there(&b->btf))
		open_both(&from, b);
	if (!there(&b->btf) && !there(&b->dwarf))
		return cli_fail(cli, ENOENT, "no type information: %.100s%s%s", b->btf.missing.text,
				b->btf.source ? "; " : "", b->dwarf.missing.text);
	return call->argc ? list_type(cli, call->argv[0], best(b)) : list_fields(cli, b);
}

const struct cli_command cli_cmd_layout = {
	.name = "layout",
	.args = "[TYPE]",
	.help = "where this kernel keeps what the agent reads; or a type's members",
	.details =
		"Every field is looked up by name, its older names too, in BTF and, where debug\n"
		"files are installed, in DWARF; exit status 1 when they differ or a field that is\n"
		"required is missing. With TYPE: the members of that struct or union.",
	.example = "layout kvm_mmu_page",
	.max_args = 1,
	.options = options,
	.columns = columns,
	.run = layout_run,
};
