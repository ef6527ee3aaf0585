// SPDX-License-Identifier: GPL-2.0
/*
 * The manual's pages and the shells' completion, from the tables that the program itself uses.
 *
 *   manual page TEMPLATE IMAGE-HEADER   a page: lines '@NAME@' of the template are sections
 *   manual bash | zsh                   a completion file
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "man/completion.h"
#include "man/sections.h"

static int write_page(const char *template)
{
	FILE *in = fopen(template, "re");
	char line[1024];
	int nr = 0;

	if (!in) {
		perror(template);
		return 1;
	}
	while (fgets(line, sizeof(line), in)) {
		char name[64], end;

		nr++;
		if (sscanf(line, "@%63[A-Z_]%c", name, &end) != 2 || end != '@') {
			fputs(line, stdout);
			continue;
		}
		if (manual_section(stdout, name)) {
			fprintf(stderr, "%s:%d: no section @%s@\n", template, nr, name);
			return 1;
		}
	}
	fclose(in);
	return fflush(stdout) ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "page")) {
		manual_image_header = argv[3];
		return write_page(argv[2]);
	}
	if (argc == 2 && !strcmp(argv[1], "bash"))
		return completion_bash(stdout);
	if (argc == 2 && !strcmp(argv[1], "zsh"))
		return completion_zsh(stdout);
	fprintf(stderr, "usage: manual page TEMPLATE IMAGE-HEADER | bash | zsh\n");
	return 2;
}
