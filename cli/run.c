// SPDX-License-Identifier: GPL-2.0
#include "cli/run.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ends.h"
#include "cli/held.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/pipe.h"
#include "cli/stream.h"
#include "cli/target.h"

volatile sig_atomic_t cli_interrupted;
volatile sig_atomic_t cli_outlives_interrupts;

void cli_warn(struct cli *cli, const char *fmt, ...)
{
	FILE *err = cli->err ? cli->err : stderr;
	va_list ap;

	fflush(cli->out);
	fputs("spt: ", err);
	va_start(ap, fmt);
	vfprintf(err, fmt, ap);
	va_end(ap);
	fputc('\n', err);
}

static void print_error(struct cli *cli, const char *where)
{
	if (where)
		cli_warn(cli, "%s: %s", where, cli->error.text);
	else
		cli_warn(cli, "%s", cli->error.text);
}

void cli_report(struct cli *cli, const char *where)
{
	if (cli->opt.json) {
		struct cli_stream *s = cli_stream_create(cli->out);

		if (s)
			cli_stream_finish(s, &cli->error);
	}
	print_error(cli, where);
}

bool cli_wants_json(int argc, const char *const *argv)
{
	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "-J"))
			return true;
	return false;
}

static bool is_word(const char *const *words, const char *text)
{
	while (*words && strcmp(*words, text))
		words++;
	return *words;
}

static const char *join_words(const char *const *words, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (int i = 0; words[i] && at < size; i++)
		at += snprintf(text + at, size - at, "%s%s", i ? ", " : "", words[i]);
	return text;
}

/* What can be said about a call before the command runs. */
static int check_call(struct cli *cli, const struct cli_call *call)
{
	const struct cli_command *c = call->command;

	if (call->argc < c->min_args || call->argc > c->max_args)
		return cli_fail(cli, EINVAL, "%s: usage: %s%s%s", c->name, c->name,
				c->args ? " " : "", c->args ? c->args : "");
	for (int i = 0; c->options && c->options[i].name; i++) {
		const char *const *words = c->options[i].words;
		char list[128];

		/* A list is the command's own to take apart. */
		if (words && !c->options[i].list && call->value[i] &&
		    !is_word(words, call->value[i]))
			return cli_fail(cli, EINVAL, "%s: --%s '%s' is not one of %s", c->name,
					c->options[i].name, call->value[i],
					join_words(words, list, sizeof(list)));
	}
	if (c->words && call->argc && !is_word(c->words, call->argv[0])) {
		char list[128];

		return cli_fail(cli, EINVAL, "%s: '%s' is not one of %s", c->name, call->argv[0],
				join_words(c->words, list, sizeof(list)));
	}
	if (c->second && call->argc > 1 && !is_word(c->second, call->argv[1])) {
		char list[128];

		return cli_fail(cli, EINVAL, "%s: '%s' is not one of %s", c->name, call->argv[1],
				join_words(c->second, list, sizeof(list)));
	}
	if (c->flags & CLI_SHELL_ONLY && !cli->shell)
		return cli_fail(cli, EINVAL, "'%s' means something in the shell only", c->name);
	if (c->flags & CLI_SHELL_ONLY && cli->session)
		return cli_fail(cli, EINVAL, "'%s' stands by itself, not behind another command",
				c->name);
	if (c->flags & (CLI_LIVE_ONLY | CLI_ACTS) && cli->opt.image)
		return cli_fail(cli, EINVAL, "'%s' needs a live host, not --image", c->name);
	if (c->flags & CLI_ACTS && !cli->opt.unsafe)
		return cli_fail(cli, EPERM,
				"'%s' changes the guest's page tables: it needs --unsafe", c->name);
	if (cli->opt.columns && !c->columns)
		return cli_fail(cli, EINVAL, "%s prints no list: --output does not apply", c->name);
	return 0;
}

/* Find the command and take its options and the global ones out of argv. */
static int parse_call(struct cli *cli, int argc, const char **argv, struct cli_call *call,
		      bool *help)
{
	const char *globals[CLI_OPT_GLOBALS] = { NULL };
	struct cli_option_set sets[] = {
		{ cli_global_options, globals },
		{ NULL, call->value },
	};
	/* Options may stand before the command, as those of the program do. */
	int rc = cli_parse_options(argv, &argc, sets, 1, true, &cli->error);

	/* Even of a line that is wrong: its error is to be JSON. */
	if (globals[CLI_OPT_JSON])
		cli->opt.json = true;
	if (rc)
		return rc;
	if (!argc && globals[CLI_OPT_HELP]) {
		globals[CLI_OPT_HELP] = NULL;
		argv[argc++] = "help";
	}
	if (!argc)
		return cli_fail(cli, EINVAL, "options without a command: see 'spt help'");
	call->command = cli_find_command(argv[0]);
	if (!call->command)
		return cli_fail(cli, EINVAL, "unknown command '%s': see 'spt help'", argv[0]);
	sets[1].options = call->command->options;
	argc--;
	argv++;
	rc = cli_parse_options(argv, &argc, sets, 2, call->command->flags & CLI_WRAPS, &cli->error);
	if (globals[CLI_OPT_JSON])
		cli->opt.json = true;
	if (rc)
		return rc;
	rc = cli_apply_globals(&cli->opt, globals, &cli->error);
	if (rc)
		return rc;
	*help = globals[CLI_OPT_HELP] != NULL;
	if (*help)
		return 0;
	if (argc > CLI_MAX_ARGS)
		return cli_fail(cli, E2BIG, "%s: more than %d arguments", call->command->name,
				CLI_MAX_ARGS);
	call->argc = argc;
	memcpy(call->argv, argv, argc * sizeof(*argv));
	cli_take_held(cli, call);
	return check_call(cli, call);
}

/* In a shell --unsafe is given once, with the first command that wants it, and not unheard. */
static void allow_actions(struct cli *cli, const struct cli_call *call)
{
	if (!cli->shell || !(call->command->flags & CLI_ACTS))
		return;
	cli->session->unsafe = true;
	if (!cli->warned)
		cli_warn(cli,
			 "from now on in this session commands may change guests' page tables");
	cli->warned = true;
}

/* Run a parsed call; what it wrote ends as valid JSON whatever happens. */
static int run_call(struct cli *cli, const struct cli_call *call, bool help)
{
	int rc;

	if (cli->opt.json) {
		cli->json_out = cli_stream_create(cli->out);
		if (!cli->json_out)
			return cli_fail(cli, ENOMEM, "out of memory");
	}
	cli_interrupted = 0;
	rc = help ? cli_help_command(cli, call->command) : call->command->run(cli, call);
	/* The program that the output goes to has seen enough: what it did not take is no error. */
	if (rc == -EIO && cli->piped && ferror(cli->out))
		rc = cli->error.code = 0;
	if (rc < 0 && !cli->error.code)
		cli_fail(cli, -rc, "%s: %s", call->command->name, strerror(-rc));
	if (rc < 0 && cli_interrupted)
		cli_fail(cli, EINTR, "%s: interrupted", call->command->name);
	if (cli->json_out)
		cli_stream_finish(cli->json_out, rc < 0 ? &cli->error : NULL);
	cli->json_out = NULL;
	return rc;
}

/* A command that ran another one gives CLI_ERROR where that has said why. */
static int status_of(int rc)
{
	return rc < 0 || rc == CLI_ERROR ? CLI_ERROR : rc ? CLI_NO : CLI_DONE;
}

int cli_run(struct cli *cli, int argc, const char **argv, const char *where)
{
	struct cli_globals before = cli->opt;
	struct cli_globals *outer = cli->session;
	struct cli_call call = { 0 };
	bool help = false;
	int rc;

	cli->error.code = 0;
	cli->where = where;
	rc = parse_call(cli, argc, argv, &call, &help);
	/* A command that another one runs is of that one's line. */
	cli->session = outer ? outer : &before;
	if (rc) {
		cli->opt.json |= cli_wants_json(argc, argv);
		cli_report(cli, where);
	} else {
		if (!help)
			allow_actions(cli, &call);
		if (call.command->flags & CLI_TIDIES)
			cli_hold_ends();
		rc = run_call(cli, &call, help);
		if (call.command->flags & CLI_TIDIES)
			cli_release_ends();
		/* What was said is for whoever still reads. */
		if (cli_held_end() && cli_held_end() != SIGPIPE)
			fflush(cli->out);
		cli_raise_end();
		if (rc < 0)
			print_error(cli, where);
	}
	/* Options on a command's line are its own. */
	cli->opt = before;
	cli->session = outer;
	if (!cli->shell)
		cli_target_close(cli);
	if (fflush(cli->out) || ferror(cli->out)) {
		clearerr(cli->out);
		/* Who reads along has seen enough: that is no error, nor is Ctrl-C meanwhile. */
		if (cli->piped && (errno == EPIPE || cli_interrupted))
			return status_of(rc);
		cli_warn(cli, "cannot write the output: %s", strerror(errno));
		return CLI_ERROR;
	}
	return status_of(rc);
}

/* Why splitting a line stopped. */
enum line_end { LINE_END, LINE_MORE, LINE_PIPE, LINE_BAD_QUOTE, LINE_TOO_LONG };

/*
 * Take the words of the next command off *@line, unquoting them in place.
 * LINE_MORE: a ';' ended it, LINE_PIPE: a '|', and *line is the program's line.
 */
static enum line_end split_command(char **line, const char **argv, int *argc)
{
	char *in = *line;

	*argc = 0;
	while (true) {
		char quote = '\0';
		char *out;

		in += strspn(in, " \t\r\n");
		if (!*in || *in == '#')
			return LINE_END;
		if (*in == ';' || *in == '|') {
			*line = in + 1;
			return *in == ';' ? LINE_MORE : LINE_PIPE;
		}
		if (*argc == CLI_MAX_WORDS)
			return LINE_TOO_LONG;
		argv[(*argc)++] = out = in;
		for (; *in && (quote || !strchr(" \t\r\n;|", *in)); in++) {
			if (quote && *in == quote)
				quote = '\0';
			else if (!quote && (*in == '\'' || *in == '"'))
				quote = *in;
			else if (quote != '\'' && *in == '\\' && in[1])
				*out++ = *++in;
			else
				*out++ = *in;
		}
		if (quote)
			return LINE_BAD_QUOTE;
		/* The word's end may be the separator itself: look before it is overwritten. */
		if (*in == ';' || *in == '|') {
			enum line_end end = *in == ';' ? LINE_MORE : LINE_PIPE;

			*out = '\0';
			*line = in + 1;
			return end;
		}
		if (*in)
			in++;
		*out = '\0';
	}
}

/* The outside program's part of the line, up to a ';' that it does not quote; as it stands. */
static enum line_end split_program(char **line, const char **program)
{
	char quote = '\0';
	char *in = *line;

	*program = in;
	for (; *in && (quote || *in != ';'); in++) {
		if (quote && *in == quote)
			quote = '\0';
		else if (!quote && (*in == '\'' || *in == '"'))
			quote = *in;
		else if (quote != '\'' && *in == '\\' && in[1])
			in++;
	}
	if (quote)
		return LINE_BAD_QUOTE;
	if (!*in)
		return LINE_END;
	*in = '\0';
	*line = in + 1;
	return LINE_MORE;
}

/* The command of a line, behind its options; NULL: none, or the line is wrong. */
static const struct cli_command *command_of(int argc, const char *const *argv)
{
	const char *words[CLI_MAX_WORDS], *globals[CLI_OPT_GLOBALS];
	struct cli_option_set set = { cli_global_options, globals };
	struct spt_error ignored;

	memcpy(words, argv, sizeof(words[0]) * (size_t)argc);
	if (cli_parse_options(words, &argc, &set, 1, true, &ignored) || !argc)
		return NULL;
	return cli_find_command(words[0]);
}

/* Run a command of a line, with its output into @program, or the pager where there is one. */
static int run_piped(struct cli *cli, int argc, const char **argv, const char *program,
		     const char *where)
{
	const struct cli_command *command = command_of(argc, argv);
	const unsigned int unpaged = CLI_SHELL_ONLY | CLI_ACTS | CLI_ENDLESS;
	struct cli_pipe pipe = { 0 };
	bool terminal = !program;
	int status, rc = 0;

	if (!program && command && !(command->flags & unpaged))
		program = cli_pager(cli);
	if (program)
		rc = cli_pipe_begin(cli, program, terminal, &pipe);
	if (!rc) {
		status = cli_run(cli, argc, argv, where);
		rc = cli_pipe_end(cli, &pipe);
	}
	if (!rc)
		return status;
	cli_report(cli, where);
	return CLI_ERROR;
}

static int check_split(struct cli *cli, enum line_end end, int argc, const char *program)
{
	if (end == LINE_BAD_QUOTE)
		return cli_fail(cli, EINVAL, "a quote is not closed");
	if (end == LINE_TOO_LONG)
		return cli_fail(cli, EINVAL, "more than %d words in one command", CLI_MAX_WORDS);
	if (program && (!argc || !program[strspn(program, " \t\r\n")]))
		return cli_fail(cli, EINVAL, "'|' stands between a command and a program");
	return 0;
}

int cli_run_line(struct cli *cli, char *line, const char *where)
{
	const char *argv[CLI_MAX_WORDS + 1];
	int worst = CLI_DONE;
	enum line_end end;

	do {
		const char *program = NULL;
		int argc;

		end = split_command(&line, argv, &argc);
		if (end == LINE_PIPE)
			end = split_program(&line, &program);
		if (check_split(cli, end, argc, program)) {
			cli_report(cli, where);
			return CLI_ERROR;
		}
		if (argc) {
			int status = run_piped(cli, argc, argv, program, where);

			if (status > worst)
				worst = status;
		}
	} while (end == LINE_MORE && worst < CLI_ERROR && !cli->quit);
	return worst;
}

int cli_run_file(struct cli *cli, FILE *in, const char *name, bool stop)
{
	int worst = CLI_DONE;
	char *line = NULL;
	size_t room = 0;

	for (unsigned long number = 1; !cli->quit && getline(&line, &room, in) >= 0; number++) {
		char where[300];
		int status;

		snprintf(where, sizeof(where), "%.255s:%lu", name, number);
		status = cli_run_line(cli, line, where);
		if (status > worst)
			worst = status;
		if (status == CLI_ERROR && stop)
			break;
	}
	free(line);
	return worst;
}
