/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command table. One entry gives the parser, 'help', the completion and the
 * man page; a command family is one file that defines its entries and functions.
 *
 * To add a command: define a 'const struct cli_command cli_cmd_NAME' in the
 * family's file and add X(NAME) to CLI_COMMANDS below.
 */
#ifndef SPT_CLI_COMMAND_H
#define SPT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cli;

/* In the order of 'help'. */
#define CLI_COMMANDS(X)                                                                            \
	X(vms)                                                                                     \
	X(vm)                                                                                      \
	X(vcpus)                                                                                   \
	X(regs)                                                                                    \
	X(memslots)                                                                                \
	X(roots)                                                                                   \
	X(tables)                                                                                  \
	X(tree)                                                                                    \
	X(ranges)                                                                                  \
	X(stats)                                                                                   \
	X(audit)                                                                                   \
	X(walk)                                                                                    \
	X(why)                                                                                     \
	X(disasm)                                                                                  \
	X(read)                                                                                    \
	X(save)                                                                                    \
	X(report)                                                                                  \
	X(diff)                                                                                    \
	X(watch)                                                                                   \
	X(events)                                                                                  \
	X(tui)                                                                                     \
	X(fault)                                                                                   \
	X(zap)                                                                                     \
	X(remap)                                                                                   \
	X(split)                                                                                   \
	X(collapse)                                                                                \
	X(protect)                                                                                 \
	X(trap)                                                                                    \
	X(age)                                                                                     \
	X(dirty)                                                                                   \
	X(storm)                                                                                   \
	X(undo)                                                                                    \
	X(journal)                                                                                 \
	X(decode)                                                                                  \
	X(layout)                                                                                  \
	X(agent)                                                                                   \
	X(expect)                                                                                  \
	X(use)                                                                                     \
	X(set)                                                                                     \
	X(help)                                                                                    \
	X(quit)

/* What an argument or an option's value may be completed with. */
enum cli_completion {
	CLI_COMPLETE_NONE,
	CLI_COMPLETE_VM, /* ids and names of the VMs on this host */
	CLI_COMPLETE_FILE,
	CLI_COMPLETE_COMMAND,
	CLI_COMPLETE_COLUMN, /* columns of the command's table */
	CLI_COMPLETE_ROOT,   /* addresses of the VM's roots */
	CLI_COMPLETE_SLOT,   /* ids of its memory slots */
};

/* One option of one command; a table of them ends with an entry without a name. */
struct cli_option {
	const char *name; /* long option without '--' */
	char letter;	  /* short option, 0: none */
	const char *arg;  /* name of its value in the help, NULL: takes none */
	const char *help;
	enum cli_completion complete;
	const char *const *words; /* its possible values, NULL-terminated; NULL: any */
	bool list;		  /* several of the words, separated by commas */
};

#define CLI_MAX_OPTIONS 16 /* of one command */
#define CLI_MAX_ARGS	16 /* of one call */

/* One call of a command: the parsed line. Strings belong to the caller of run(). */
struct cli_call {
	const struct cli_command *command;
	int argc; /* arguments after the command's name */
	const char *argv[CLI_MAX_ARGS + 1];
	const char *value[CLI_MAX_OPTIONS]; /* by index in command->options; NULL: not given */
	bool held[CLI_MAX_OPTIONS]; /* the line has none, the value is what the session holds */
};

/* When a command can run. */
enum cli_flag {
	CLI_SHELL_ONLY = 1 << 0, /* 'use', 'quit': of the session, so of no other command's line */
	CLI_ACTS = 1 << 1,	 /* changes a guest: needs --unsafe and a live VM */
	CLI_LIVE_ONLY = 1 << 2,	 /* talks to the agent: refuses --image */
	CLI_WRAPS = 1 << 3, /* runs another command: options behind its arguments are that one's */
	CLI_ENDLESS = 1 << 4, /* goes on until it is stopped: no pager */
	CLI_TIDIES = 1 << 5,  /* has something to take away before the program may end */
};

struct cli_command {
	const char *name;
	const char *args;	 /* as the help shows them: "gpa|gva|hva|hpa ADDR" */
	const char *help;	 /* one line, lower case, no full stop */
	const char *details;	 /* further lines of 'help NAME', NULL: none */
	void (*more)(FILE *out); /* what tables of its own add to that, NULL: nothing */
	const char *example;	 /* "walk gpa 0x1000" */
	int min_args, max_args;
	unsigned int flags;	   /* enum cli_flag */
	const char *const *words;  /* values of the first argument, NULL-terminated; NULL: any */
	const char *const *second; /* the same of the second one */
	/* The second argument is a value as of this option, by the first; NULL: it is not. */
	const struct cli_option *(*value_of)(const char *first);
	enum cli_completion complete;	  /* of the last argument */
	const struct cli_option *options; /* its own ones; global ones work everywhere */
	const struct cli_column *columns; /* of its table, for -o, help and completion */
	/*
	 * Returns 0 done, 1 the answer is 'no', or -errno with cli->error filled (see
	 * spt_fail()): the caller prints it, as text or JSON, and exits with 2.
	 */
	int (*run)(struct cli *cli, const struct cli_call *call);
};

#define X(name) extern const struct cli_command cli_cmd_##name;
CLI_COMMANDS(X)
#undef X

/* All commands in the order of CLI_COMMANDS, NULL-terminated. */
extern const struct cli_command *const cli_commands[];

/* The command called @name, or NULL. */
const struct cli_command *cli_find_command(const char *name);

/* Value of the command's own option @name: NULL not given, "" given without a value. */
const char *cli_option(const struct cli_call *call, const char *name);

/* Whether the call's own line has the option: what is held for it does not count. */
bool cli_names_option(const struct cli_call *call, const char *name);

static inline bool cli_has_option(const struct cli_call *call, const char *name)
{
	return cli_option(call, name) != NULL;
}

#endif
