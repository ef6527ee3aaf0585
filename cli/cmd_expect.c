// SPDX-License-Identifier: GPL-2.0
/* `expect`: a check in a script: what another command must say. */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/json.h"

/* What a line must be: a text, or /REGEX/. */
struct wanted {
	const char *text;
	bool is_regex;
	regex_t regex;
};

static int parse_wanted(struct cli *cli, const char *text, struct wanted *ret)
{
	size_t len = strlen(text);
	char *pattern, why[128];
	int rc;

	*ret = (struct wanted){ .text = text,
				.is_regex = len > 1 && text[0] == '/' && text[len - 1] == '/' };
	if (!ret->is_regex)
		return 0;
	pattern = strndup(text + 1, len - 2);
	if (!pattern)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = regcomp(&ret->regex, pattern, REG_EXTENDED | REG_NOSUB);
	free(pattern);
	if (!rc)
		return 0;
	regerror(rc, &ret->regex, why, sizeof(why));
	return cli_fail(cli, EINVAL, "expect: %s: %s", text, why);
}

/* One line, without the blanks around it. */
static bool line_fits(const struct wanted *w, char *line)
{
	size_t len;

	line += strspn(line, " \t");
	len = strlen(line);
	while (len && strchr(" \t\r", line[len - 1]))
		line[--len] = '\0';
	return w->is_regex ? !regexec(&w->regex, line, 0, NULL, 0) : !strcmp(line, w->text);
}

/* Whether some line of @output fits; *first gets the first one. */
static bool output_fits(const struct wanted *w, char *output, const char **first)
{
	bool fits = false;
	char *save;

	*first = "nothing";
	for (char *line = strtok_r(output, "\n", &save); line && !fits;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line == output)
			*first = line;
		fits = line_fits(w, line);
	}
	return fits;
}

static int expect_run(struct cli *cli, const struct cli_call *call)
{
	const char *argv[CLI_MAX_ARGS + 1];
	const char *where = cli->where, *first = "nothing";
	struct wanted wanted;
	char *output;
	size_t size;
	bool fits;
	int status, rc = parse_wanted(cli, call->argv[0], &wanted);

	if (rc)
		return rc;
	memcpy(argv, call->argv + 1, sizeof(argv[0]) * (size_t)(call->argc - 1));
	status = cli_capture(cli, call->argc - 1, argv, CLI_WARNINGS_STDERR, &output, &size);
	fits = status != CLI_ERROR && output && output_fits(&wanted, output, &first);
	if (wanted.is_regex)
		regfree(&wanted.regex);
	if (status == CLI_ERROR || !output) {
		free(output);
		/* It has said why, but not where --json wants it. */
		if (!cli->opt.json)
			return CLI_ERROR;
		return cli_fail(cli, ECANCELED, "expect: '%s' failed", call->argv[1]);
	}
	if (cli->opt.json) {
		cli_json_put(cli, "expected", json_object_new_string(call->argv[0]));
		cli_json_put(cli, "met", json_object_new_boolean(fits));
	}
	if (!fits)
		cli_warn(cli, "%s%sexpected %s of '%s', which says: %s", where ? where : "",
			 where ? ": " : "", call->argv[0], call->argv[1], first);
	free(output);
	return fits ? CLI_DONE : CLI_NO;
}

const struct cli_command cli_cmd_expect = {
	.name = "expect",
	.args = "VALUE COMMAND [ARGS]",
	.help = "check what a command says: for scripts",
	.details =
		"VALUE is a whole line of what the command prints, blanks around it left out, or\n"
		"/REGEX/ (extended), which some line must match. Otherwise the exit status is 1, and\n"
		"a line on stderr says what was printed, and in a script where. The script goes on.",
	.example = "expect npt vms -rn -o mmu",
	.min_args = 2,
	.max_args = CLI_MAX_ARGS,
	.flags = CLI_WRAPS,
	.complete = CLI_COMPLETE_COMMAND,
	.run = expect_run,
};
