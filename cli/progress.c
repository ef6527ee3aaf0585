// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"

#define FIRST_MS 400 /* shorter work is not worth a line */
#define EVERY_MS 100
#define WIDTH	 40
#define LINE	 (WIDTH + 25) /* with what it is, and a number */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

struct cli_progress cli_progress_begin(struct cli *cli, const char *what)
{
	return (struct cli_progress){
		.what = what,
		.began = now_ms(),
		.tty = isatty(STDERR_FILENO),
	};
}

static void draw(const struct cli_progress *p, uint64_t done, uint64_t total)
{
	unsigned int percent = total ? (double)done / total * 100 : 0;
	char bar[WIDTH + 1];

	if (!total) {
		fprintf(stderr, "\r%s %llu MiB", p->what, (unsigned long long)done >> 20);
		return;
	}
	for (unsigned int i = 0; i < WIDTH; i++)
		bar[i] = i * 100 < percent * WIDTH ? '#' : '.';
	bar[WIDTH] = 0;
	fprintf(stderr, "\r%s [%s] %u%%", p->what, bar, percent);
}

int cli_progress_step(void *arg, uint64_t done, uint64_t total)
{
	struct cli_progress *p = arg;
	uint64_t now;

	if (!p->tty)
		return cli_interrupted;
	now = now_ms();
	if (now - p->began >= FIRST_MS && now - p->drawn >= EVERY_MS) {
		draw(p, done, total);
		p->drawn = now;
		p->shown = true;
	}
	return cli_interrupted;
}

void cli_progress_end(struct cli_progress *p)
{
	/* Not every terminal knows a sequence that does this. */
	if (p->shown)
		fprintf(stderr, "\r%*s\r", LINE, "");
	p->shown = false;
}
