// SPDX-License-Identifier: GPL-2.0
/*
 * Completion files. What there is to complete comes from the tables, as three functions that
 * both shells understand; how a shell asks for it is the text below.
 *
 * An answer is a list of words, or one of :file, :vm, :root, :slot and :command; a list that may be
 * several words with commas between them begins with ','.
 */
#include "man/completion.h"

#include <stdbool.h>
#include <string.h>

#include "cli/command.h"
#include "cli/options.h"
#include "cli/table.h"

static void put_words(FILE *out, const char *const *words, bool list)
{
	fprintf(out, "echo '%s", list ? ", " : "");
	for (int i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", words[i]);
	fprintf(out, "' ;;\n");
}

static void put_columns(FILE *out, const struct cli_column *columns)
{
	fprintf(out, "echo ',");
	for (int i = 0; columns && columns[i].name; i++)
		fprintf(out, " %s", columns[i].name);
	fprintf(out, "' ;;\n");
}

static void put_kind(FILE *out, enum cli_completion kind)
{
	static const char *const names[] = {
		[CLI_COMPLETE_NONE] = "",      [CLI_COMPLETE_VM] = ":vm",
		[CLI_COMPLETE_FILE] = ":file", [CLI_COMPLETE_COMMAND] = ":command",
		[CLI_COMPLETE_ROOT] = ":root", [CLI_COMPLETE_SLOT] = ":slot",
	};

	fprintf(out, "echo '%s' ;;\n", names[kind]);
}

/* Options with a value: of @command, or "*" those of all. */
static void put_values(FILE *out, const char *command, const struct cli_option *options)
{
	for (int i = 0; options && options[i].name; i++) {
		const struct cli_option *o = &options[i];

		if (!o->arg || o->complete == CLI_COMPLETE_COLUMN)
			continue;
		fprintf(out, "\t%s:--%s", command, o->name);
		if (o->letter)
			fprintf(out, " | %s:-%c", command, o->letter);
		fprintf(out, ") ");
		if (o->words)
			put_words(out, o->words, o->list);
		else
			put_kind(out, o->complete);
	}
}

static void put_option_names(FILE *out, const struct cli_option *options)
{
	for (int i = 0; options && options[i].name; i++)
		fprintf(out, " --%s", options[i].name);
}

static void values_function(FILE *out)
{
	fprintf(out, "# Values of option $2 of command $1; fails if it takes none.\n"
		     "_spt_values() {\n\tcase $1:$2 in\n");
	for (int i = 0; cli_commands[i]; i++) {
		put_values(out, cli_commands[i]->name, cli_commands[i]->options);
		if (!cli_commands[i]->columns)
			continue;
		fprintf(out, "\t%s:--output | %s:-o) ", cli_commands[i]->name,
			cli_commands[i]->name);
		put_columns(out, cli_commands[i]->columns);
	}
	fprintf(out, "\t*:--output | *:-o) echo ;;\n");
	put_values(out, "*", cli_global_options);
	put_values(out, "", cli_program_options);
	fprintf(out, "\t*) return 1 ;;\n\tesac\n}\n\n");
}

static void options_function(FILE *out)
{
	fprintf(out, "# Options of command $1; of spt itself if there is none.\n"
		     "_spt_options() {\n\tcase $1 in\n\t'') echo '");
	put_option_names(out, cli_program_options);
	fprintf(out, "' ;;\n");
	for (int i = 0; cli_commands[i]; i++) {
		if (!cli_commands[i]->options)
			continue;
		fprintf(out, "\t%s) echo '", cli_commands[i]->name);
		put_option_names(out, cli_commands[i]->options);
		fprintf(out, "' ;;\n");
	}
	fprintf(out, "\tesac\n\techo '");
	put_option_names(out, cli_global_options);
	fprintf(out, "'\n}\n\n");
}

static void arguments_function(FILE *out)
{
	fprintf(out, "# What argument $2 of command $1 may be.\n"
		     "_spt_arguments() {\n\tcase $1:$2 in\n\t:*) echo :command ;;\n");
	for (int i = 0; cli_commands[i]; i++) {
		const struct cli_command *c = cli_commands[i];

		if (c->words) {
			fprintf(out, "\t%s:1) ", c->name);
			put_words(out, c->words, false);
		}
		if (c->second) {
			fprintf(out, "\t%s:2) ", c->name);
			put_words(out, c->second, false);
		}
		if (c->complete != CLI_COMPLETE_NONE && c->complete != CLI_COMPLETE_COLUMN) {
			fprintf(out, "\t%s:*) ", c->name);
			put_kind(out, c->complete);
		}
	}
	fprintf(out, "\tesac\n}\n\n_spt_commands='");
	for (int i = 0; cli_commands[i]; i++)
		if (!(cli_commands[i]->flags & CLI_SHELL_ONLY))
			fprintf(out, "%s%s", i ? " " : "", cli_commands[i]->name);
	fprintf(out, "'\n\n");
}

static void put_tables(FILE *out)
{
	values_function(out);
	options_function(out);
	arguments_function(out);
}

/*
 * $1 is the word to complete, the others are those before it, spt's own name left out. Prints
 * what fits there, as above.
 */
static const char position[] =
	"# What may stand where $1 does, after the words $2 and so on.\n"
	"_spt_candidates() {\n"
	"\tlocal typed=$1 command='' before='' number=1 word\n"
	"\tshift\n"
	"\tfor word; do\n"
	"\t\tif [ \"$word\" = = ]; then\n"
	"\t\t\tcontinue\n"
	"\t\telif [ -n \"$before\" ]; then\n"
	"\t\t\tbefore=''\n"
	"\t\telif [ \"${word#-}\" != \"$word\" ]; then\n"
	"\t\t\t_spt_values \"$command\" \"$word\" >/dev/null && before=$word\n"
	"\t\telif [ -z \"$command\" ]; then\n"
	"\t\t\tcommand=$word\n"
	"\t\telse\n"
	"\t\t\tnumber=$((number + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [ -n \"$before\" ]; then\n"
	"\t\t_spt_values \"$command\" \"$before\"\n"
	"\telif [ \"${typed#-}\" != \"$typed\" ]; then\n"
	"\t\t_spt_options \"$command\"\n"
	"\telse\n"
	"\t\t_spt_arguments \"$command\" \"$number\"\n"
	"\tfi\n"
	"}\n\n";

/* Roots and slots are of the VM or the image that the line names. */
static const char target[] =
	"# The words of @ that say what is looked at.\n"
	"_spt_target() {\n"
	"\tlocal word before=''\n"
	"\tfor word; do\n"
	"\t\tcase $before in\n"
	"\t\t-V | --vm | -i | --image) printf '%s\\n%s\\n' \"$before\" \"$word\" ;;\n"
	"\t\tesac\n"
	"\t\t[ \"$word\" = = ] || before=$word\n"
	"\tdone\n"
	"}\n\n";

static const char bash[] =
	"_spt() {\n"
	"\tlocal typed=${COMP_WORDS[COMP_CWORD]} list\n"
	"\tCOMPREPLY=()\n"
	"\t[ \"$typed\" = = ] && typed=''\n"
	"\tlist=$(_spt_candidates \"$typed\" \"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
	"\tcase $list in\n"
	"\t:file)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
	"\t\treturn\n"
	"\t\t;;\n"
	"\t:vm) list=$(spt vms -rn -o id 2>/dev/null) ;;\n"
	"\t:root | :slot)\n"
	"\t\tlocal target\n"
	"\t\tmapfile -t target < <(_spt_target \"${COMP_WORDS[@]}\")\n"
	"\t\tif [ \"$list\" = :root ]; then\n"
	"\t\t\tlist=$(spt \"${target[@]}\" roots -rn -o hpa 2>/dev/null)\n"
	"\t\telse\n"
	"\t\t\tlist=$(spt \"${target[@]}\" memslots -rn -o id 2>/dev/null)\n"
	"\t\tfi\n"
	"\t\t;;\n"
	"\t:command) list=$_spt_commands ;;\n"
	"\t,*)\n"
	"\t\tlocal done=''\n"
	"\t\t[[ $typed = +* ]] && done=+\n"
	"\t\t[[ $typed = *,* ]] && done=${typed%,*},\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -P \"$done\" -W \"${list#,}\" -- \"${typed#\"$done\"}\")\n"
	"\t\tcompopt -o nospace 2>/dev/null\n"
	"\t\treturn\n"
	"\t\t;;\n"
	"\tesac\n"
	"\tmapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$typed\")\n"
	"}\n"
	"complete -F _spt spt\n";

static const char zsh[] =
	"_spt() {\n"
	"\tlocal list=$(_spt_candidates \"${words[CURRENT]}\" \"${(@)words[2,CURRENT-1]}\")\n"
	"\tcase $list in\n"
	"\t:file) _files; return ;;\n"
	"\t:vm) list=$(spt vms -rn -o id 2>/dev/null) ;;\n"
	"\t:root) list=$(spt ${(f)\"$(_spt_target \"${words[@]}\")\"} roots -rn -o hpa 2>/dev/null) ;;\n"
	"\t:slot) list=$(spt ${(f)\"$(_spt_target \"${words[@]}\")\"} memslots -rn -o id 2>/dev/null) ;;\n"
	"\t:command) list=$_spt_commands ;;\n"
	"\t,*)\n"
	"\t\tcompset -P '*,' || compset -P '+'\n"
	"\t\tcompadd -S '' -- ${=list#,}\n"
	"\t\treturn\n"
	"\t\t;;\n"
	"\tesac\n"
	"\tcompadd -- ${=list}\n"
	"}\n"
	"_spt \"$@\"\n";

int completion_bash(FILE *out)
{
	fprintf(out, "# bash completion for spt; generated from its command table\n"
		     "# SPDX-License-Identifier: GPL-2.0\n\n");
	put_tables(out);
	fputs(position, out);
	fputs(target, out);
	fputs(bash, out);
	return fflush(out) ? 1 : 0;
}

int completion_zsh(FILE *out)
{
	fprintf(out, "#compdef spt\n# zsh completion for spt; generated from its command table\n"
		     "# SPDX-License-Identifier: GPL-2.0\n\n");
	put_tables(out);
	fputs(position, out);
	fputs(target, out);
	fputs(zsh, out);
	return fflush(out) ? 1 : 0;
}
