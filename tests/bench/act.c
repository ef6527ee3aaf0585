// SPDX-License-Identifier: GPL-2.0
/*
 * bench-act FIGURE VM SOCKET: what an action on the 'pages' guest at SOCKET costs, its line
 * written and its answer read.
 *
 *	fault_latency_ratio	mapping a page that the host has, against the guest's own fault:
 *				touching many such pages less touching them once more
 *	zap_latency_ratio	unmapping a range, against MADV_DONTNEED of the same range by the
 *				VMM; what asking the VMM for nothing costs is taken off
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ratio.h"
#include "spt/control.h"

#define ROUNDS	   15
#define RANGE_GPA  0x10000000ULL /* of slot 'anon', 4K pages */
#define PAGES	   256
#define PAGE	   0x1000ULL
#define BUSY_GPA   0x50000000ULL /* of slot 'alias-a': where the guest runs meanwhile */
#define RATE_PAUSE 20000	 /* microseconds, when the agent takes no more lines for now */

struct bench {
	struct spt_control *control;
	FILE *guest;
	uint64_t none_ns; /* of a command that does nothing */
};

static uint64_t ask_guest(struct bench *b, const char *command)
{
	uint64_t begin = bench_now();
	char answer[512];

	fprintf(b->guest, "%s\n", command);
	fflush(b->guest);
	if (!fgets(answer, sizeof(answer), b->guest) || strncmp(answer, "ok", 2))
		bench_fail("the guest refuses '%s'", command);
	return bench_now() - begin;
}

static uint64_t act(struct bench *b, const struct spt_action_request *request)
{
	struct spt_answer answer = { 0 };
	struct spt_error err = { 0 };
	enum spt_reason reason;
	uint64_t spent;

	do {
		uint64_t begin = bench_now();

		if (spt_control_run(b->control, request, NULL, &answer, &err))
			bench_fail("%s", err.text);
		spent = bench_now() - begin;
		reason = answer.reason;
		if (answer.result != SPT_RESULT_DONE && reason != SPT_WHY_RATE)
			bench_fail("%s: %s: %s", spt_actions[request->action].name,
				   spt_result_name(answer.result), answer.reason_text);
		spt_answer_deinit(&answer);
		if (reason == SPT_WHY_RATE)
			usleep(RATE_PAUSE);
	} while (reason == SPT_WHY_RATE);
	return spent;
}

static uint64_t zap(struct bench *b)
{
	struct spt_action_request request = { .action = SPT_ACT_ZAP,
					      .keys = SPT_KEY_BIT(GPA),
					      .gpa = RANGE_GPA,
					      .len = PAGES * PAGE };

	return act(b, &request);
}

static void touch(struct bench *b)
{
	char command[64];

	snprintf(command, sizeof(command), "touch 0x%llx+0x%llx w", RANGE_GPA, PAGES * PAGE);
	ask_guest(b, command);
}

/* The guest's own faults, nanoseconds each. */
static uint64_t guest_faults(struct bench *b)
{
	uint64_t cold, warm, begin;

	zap(b);
	begin = bench_now();
	touch(b);
	cold = bench_now() - begin;
	begin = bench_now();
	touch(b);
	warm = bench_now() - begin;
	return cold > warm ? (cold - warm) / PAGES : 1;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t median(uint64_t *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), by_number);
	return values[n / 2];
}

/* The agent's, with the vCPU in the guest: the median of as many. */
static uint64_t forced_faults(struct bench *b)
{
	static uint64_t spent[PAGES];
	char command[64];

	zap(b);
	snprintf(command, sizeof(command), "run 0x%llx w", BUSY_GPA);
	ask_guest(b, command);
	for (unsigned int i = 0; i < PAGES; i++) {
		struct spt_action_request request = { .action = SPT_ACT_FAULT,
						      .keys = SPT_KEY_BIT(GPA) |
							      SPT_KEY_BIT(ACCESS),
						      .gpa = RANGE_GPA + i * PAGE,
						      .access = 'w' };

		spent[i] = act(b, &request);
	}
	ask_guest(b, "pause");
	return median(spent, PAGES);
}

static uint64_t zap_mapped(struct bench *b)
{
	touch(b);
	return zap(b);
}

static uint64_t madvise_mapped(struct bench *b)
{
	char command[64];
	uint64_t spent;

	touch(b);
	snprintf(command, sizeof(command), "madvise 0x%llx+0x%llx dontneed", RANGE_GPA,
		 PAGES * PAGE);
	spent = ask_guest(b, command);
	return spent > b->none_ns ? spent - b->none_ns : 1;
}

static const struct figure {
	const char *name, *ours, *reference;
	uint64_t (*run)(struct bench *b);
	uint64_t (*against)(struct bench *b);
} figures[] = {
	{ "fault_latency_ratio", "one line 'fault'", "the same fault taken by the guest",
	  forced_faults, guest_faults },
	{ "zap_latency_ratio", "one line 'zap' of 1 MiB", "MADV_DONTNEED of the same 1 MiB",
	  zap_mapped, madvise_mapped },
};

static FILE *connect_guest(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *guest;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		bench_fail("%s: %s", path, strerror(errno));
	guest = fdopen(fd, "r+");
	if (!guest)
		bench_fail("%s: %s", path, strerror(errno));
	setvbuf(guest, NULL, _IONBF, 0);
	return guest;
}

static void measure(struct bench *b, const struct figure *figure)
{
	uint64_t ours[ROUNDS], theirs[ROUNDS], none[ROUNDS];
	struct bench_side a, r;

	for (unsigned int i = 0; i < ROUNDS; i++)
		none[i] = ask_guest(b, "peek 0x1000");
	b->none_ns = median(none, ROUNDS);
	figure->run(b);
	figure->against(b);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		ours[i] = figure->run(b);
		theirs[i] = figure->against(b);
	}
	a = (struct bench_side){ .name = figure->ours, .median_ns = median(ours, ROUNDS) };
	r = (struct bench_side){ .name = figure->reference, .median_ns = median(theirs, ROUNDS) };
	bench_print(figure->name, (double)a.median_ns / (double)r.median_ns, &a, &r);
}

int main(int argc, char **argv)
{
	struct spt_error err = { 0 };
	struct bench b = { 0 };

	if (argc != 4)
		bench_fail("usage: bench-act FIGURE VM SOCKET");
	b.guest = connect_guest(argv[3]);
	if (spt_control_open(argv[2], &b.control, &err))
		bench_fail("%s", err.text);
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		if (strcmp(figures[i].name, argv[1]))
			continue;
		measure(&b, &figures[i]);
		spt_control_close(b.control);
		return 0;
	}
	bench_fail("no figure %s", argv[1]);
}
