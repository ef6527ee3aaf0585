// SPDX-License-Identifier: GPL-2.0
#include "man/sections.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "agent/spt_action.h"
#include "agent/spt_image.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/table.h"
#include "decoders/layout.h"
#include "decoders/layout_history.h"
#include "decoders/role_layouts.h"
#include "man/roff.h"
#include "spt/audit.h"
#include "tui/tui.h"

const char *manual_image_header;

static void put_option(FILE *out, const struct cli_option *o)
{
	char letter[16] = "";

	if (o->letter)
		snprintf(letter, sizeof(letter), BOLD("-%c") ", ", o->letter);
	if (o->arg)
		roff_tag(out, "%s" BOLD("--%s") " " ITALIC("%s"), letter, o->name, o->arg);
	else
		roff_tag(out, "%s" BOLD("--%s"), letter, o->name);
	roff_text(out, o->help);
	if (!o->words)
		return;
	fprintf(out, ".br\n");
	if (o->list)
		roff_line(out, "Several of, separated by commas:");
	else
		roff_line(out, "One of:");
	for (int i = 0; o->words[i]; i++)
		roff_line(out, BOLD("%s") "%s", o->words[i], o->words[i + 1] ? "," : "");
}

static void put_options(FILE *out, const struct cli_option *options)
{
	for (int i = 0; options && options[i].name; i++)
		put_option(out, &options[i]);
}

static void global_options(FILE *out)
{
	put_options(out, cli_global_options);
}

static void program_options(FILE *out)
{
	put_options(out, cli_program_options);
}

static void put_columns(FILE *out, const struct cli_column *columns)
{
	fprintf(out, ".PP\n");
	roff_line(out, "Columns for " BOLD("--output") "; those with a star are shown without it:");
	for (int i = 0; columns[i].name; i++) {
		roff_tag(out, BOLD("%s") "%s", columns[i].name,
			 columns[i].flags & CLI_COL_EXTRA ? "" : " *");
		roff_text(out, columns[i].help);
	}
}

static void put_command(FILE *out, const struct cli_command *c)
{
	fprintf(out, ".SS ");
	for (const char *p = c->name; *p; p++)
		fprintf(out, *p == '-' ? "\\-" : "%c", *p);
	fprintf(out, "\n");
	roff_line(out, BOLD("spt %s") "%s%s", c->name, c->args ? " " : "", c->args ? c->args : "");
	fprintf(out, ".br\n");
	roff_line(out, "%s.", c->help);
	if (c->flags & CLI_ACTS)
		roff_line(out, "Changes a guest: needs " BOLD(
				       "--unsafe") " and an agent that is armed.");
	if (c->flags & CLI_SHELL_ONLY)
		roff_line(out, "Only in the shell.");
	if (c->details) {
		fprintf(out, ".PP\n");
		roff_text(out, c->details);
	}
	put_options(out, c->options);
	if (c->columns)
		put_columns(out, c->columns);
	if (!c->example)
		return;
	fprintf(out, ".PP\n");
	roff_line(out, "Example: " BOLD("%s%s"), c->flags & CLI_SHELL_ONLY ? "" : "spt ",
		  c->example);
}

static void commands(FILE *out)
{
	for (int i = 0; cli_commands[i]; i++)
		put_command(out, cli_commands[i]);
}

static void audit_rules(FILE *out)
{
	for (unsigned int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		const struct spt_audit_rule *rule = &spt_audit_rules[i];

		roff_tag(out, BOLD("%s"), rule->name);
		roff_line(out, "%s.", rule->says);
		fprintf(out, ".br\n");
		roff_line(out, "Otherwise: %s.", rule->reason);
		fprintf(out, ".br\n");
		roff_line(out, "In KVM: %s.", rule->source);
	}
}

/* One list of names that an image has values for. */
static void put_names(FILE *out, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		roff_line(out, BOLD("%s") "%s", names[i], i + 1 < n ? "," : ".");
}

#define LIST(function, MACRO)                                                                      \
	static void function(FILE *out)                                                            \
	{                                                                                          \
		static const char *const list[] = { MACRO(NAME) };                                 \
                                                                                                   \
		put_names(out, list, sizeof(list) / sizeof(list[0]));                              \
	}
#define NAME(id, name) #name,

LIST(parts, SPT_PARTS)
LIST(masks, SPT_MASKS)
LIST(vm_values, SPT_VM_VALUES)
LIST(vcpu_values, SPT_VCPU_VALUES)
LIST(role_bits, SPT_ROLE_BITS)
LIST(results, SPT_RESULTS)
LIST(reasons, SPT_REASONS)

/* A comment of C as text: without the stars and the tabs. */
static void put_comment(FILE *out, char *comment)
{
	size_t len = strcspn(comment, "*");

	while (len && (comment[len - 1] == ' ' || comment[len - 1] == '\t'))
		len--;
	comment[len] = '\0';
	roff_line(out, "%s.", comment);
}

static void records(FILE *out)
{
	FILE *in = fopen(manual_image_header, "re");
	char line[512], name[64], comment[256];
	int number, n = 0;

	while (in && fgets(line, sizeof(line), in)) {
		if (sscanf(line, " SPT_REC_%63[A-Z_0-9] = %d, /* %255[^\n]", name, &number,
			   comment) != 3)
			continue;
		roff_tag(out, "%d " BOLD("SPT_REC_%s"), number, name);
		put_comment(out, comment);
		n++;
	}
	if (!in || !n) {
		fprintf(stderr, "manual: no records in %s\n", manual_image_header);
		exit(1);
	}
	fclose(in);
}

static void old_names(FILE *out)
{
	for (size_t i = 0; spt_old_name(i); i++) {
		const struct spt_old_name *old = spt_old_name(i);
		char commit[64] = "";

		if (old->commit)
			snprintf(commit, sizeof(commit), ", commit " BOLD("%s"), old->commit);
		roff_tag(out, BOLD("%s") " of %s", old->old, old->type);
		if (old->today)
			roff_line(out, "today " BOLD("%s") "%s%s%s.", old->today, commit,
				  old->note ? "; " : "", old->note ? old->note : "");
		else
			roff_line(out, "gone%s%s%s.", commit, old->note ? "; " : "",
				  old->note ? old->note : "");
	}
}

/* Parameters as the module itself describes them: MODULE_PARM_DESC(NAME, "TEXT"). */
static void module_parameters(FILE *out)
{
	char pattern[4096], line[512], name[64], text[256];
	glob_t files;
	int n = 0;

	snprintf(pattern, sizeof(pattern), "%.*s*.c",
		 (int)(strrchr(manual_image_header, '/') + 1 - manual_image_header),
		 manual_image_header);
	if (glob(pattern, 0, NULL, &files))
		files.gl_pathc = 0;
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *in = fopen(files.gl_pathv[i], "re");

		while (in && fgets(line, sizeof(line), in)) {
			if (sscanf(line, "MODULE_PARM_DESC(%63[a-z_0-9], \"%255[^\"]", name,
				   text) != 2)
				continue;
			roff_tag(out, BOLD("%s"), name);
			roff_line(out, "%s", text);
			n++;
		}
		if (in)
			fclose(in);
	}
	if (!n) {
		fprintf(stderr, "manual: no module parameters in %s\n", pattern);
		exit(1);
	}
	globfree(&files);
}

/* What an action is like, as words. */
static void put_action(FILE *out, const char *name, unsigned int flags, const char *text)
{
	roff_tag(out, BOLD("%s"), name);
	roff_line(out, "%s%s%s%s.", text, flags & SPT_ACTION_VCPU ? "; in a vCPU's context" : "",
		  flags & SPT_ACTION_UNDO ? "; can be undone" : "",
		  flags & SPT_ACTION_LISTEN ? "; goes on until the file is closed" : "");
}

static void put_keys(FILE *out, unsigned int must, unsigned int may)
{
	static const char *const keys[] = {
#define K(id, key, form) key "=" #form,
		SPT_ACTION_KEYS(K)
#undef K
	};

	must &= (1U << SPT_KEY_NAMES) - 1;
	if (!(must | may))
		return;
	fprintf(out, ".br\n");
	roff_line(out, "Keys:");
	for (unsigned int i = 0; i < SPT_KEY_NAMES; i++)
		if ((must | may) >> i & 1)
			roff_line(out, must >> i & 1 ? BOLD("%s") : "[" BOLD("%s") "]", keys[i]);
}

static void actions(FILE *out)
{
#define A(id, name, must, may, flags, text)                                                        \
	put_action(out, #name, flags, text);                                                       \
	put_keys(out, must, may);
	SPT_ACTIONS(A)
#undef A
}

static const char *need_text(char need)
{
	switch (need) {
	case 'R':
		return "required";
	case 'A':
		return "required on AMD hosts";
	case 'I':
		return "required on Intel hosts";
	case 'T':
		return "required, of memslots in a tree";
	case 'L':
		return "of memslots in a sorted array";
	default:
		return "optional";
	}
}

static void fields(FILE *out)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++) {
		const struct spt_field_name *name = &spt_field_names[f];

		roff_tag(out, BOLD("%s"), name->id);
		if (*name->path)
			roff_line(out, "%s of %s; %s.", name->path, name->type,
				  need_text(name->need));
		else
			roff_line(out, "the size of %s; %s.", name->type, need_text(name->need));
	}
}

static void put_key(void *out, const char *keys, const char *views, const char *help)
{
	roff_tag(out, BOLD("%s"), keys);
	roff_line(out, "%s%s%s.", help, views[0] ? "; in " : "", views);
}

static void tui_keys(FILE *out)
{
	tui_keys_list(put_key, out);
}

static void role_layouts(FILE *out)
{
	const char *name, *about;

	for (size_t i = 0; (name = spt_role_layout_name(i, &about)); i++) {
		roff_tag(out, BOLD("%s"), name);
		roff_line(out, "%s.", about);
	}
}

static const struct {
	const char *name;
	void (*write)(FILE *out);
} sections[] = {
	{ "COMMANDS", commands },
	{ "GLOBAL_OPTIONS", global_options },
	{ "PROGRAM_OPTIONS", program_options },
	{ "AUDIT_RULES", audit_rules },
	{ "PARTS", parts },
	{ "MASKS", masks },
	{ "VM_VALUES", vm_values },
	{ "VCPU_VALUES", vcpu_values },
	{ "ROLE_BITS", role_bits },
	{ "RECORDS", records },
	{ "OLD_NAMES", old_names },
	{ "FIELDS", fields },
	{ "ROLE_LAYOUTS", role_layouts },
	{ "MODULE_PARAMETERS", module_parameters },
	{ "ACTIONS", actions },
	{ "RESULTS", results },
	{ "REASONS", reasons },
	{ "TUI_KEYS", tui_keys },
};

int manual_section(FILE *out, const char *name)
{
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strcmp(name, sections[i].name) != 0)
			continue;
		sections[i].write(out);
		return 0;
	}
	return -1;
}
