// SPDX-License-Identifier: GPL-2.0
/* The two ends of the lab's link: what announces other files appears after them. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "bochs-link.h"

static char area[LINK_SIZE];
static char dirs[2][32];
static struct mirror *ends[2];
static char arrived[1024]; /* names, each with a space behind it */

static void area_read(const struct link *link, uint64_t offset, void *to, size_t size)
{
	(void)link;
	memcpy(to, area + offset, size);
}

static void area_write(const struct link *link, uint64_t offset, const void *from, size_t size)
{
	(void)link;
	memcpy(area + offset, from, size);
}

static const struct link links[2] = {
	{ area_read, area_write, offsetof(struct link_area, to_host),
	  offsetof(struct link_area, to_l1), LINK_RING_SIZE, LINK_RING_SIZE * 2, NULL },
	{ area_read, area_write, offsetof(struct link_area, to_l1),
	  offsetof(struct link_area, to_host), LINK_RING_SIZE * 2, LINK_RING_SIZE, NULL },
};

static void arrival(const char *name)
{
	size_t used = strlen(arrived);

	snprintf(arrived + used, sizeof(arrived) - used, "%s ", name);
}

static int link_begin(void **state)
{
	static const char *const parts[] = { LINK_PARTS };

	(void)state;
	for (int i = 0; i < 2; i++) {
		char part[64];

		strcpy(dirs[i], "/tmp/spt-link.XXXXXX");
		if (!mkdtemp(dirs[i]))
			return -1;
		for (size_t j = 0; j < sizeof(parts) / sizeof(*parts); j++) {
			snprintf(part, sizeof(part), "%s/%s", dirs[i], parts[j]);
			if (mkdir(part, 0700))
				return -1;
		}
		ends[i] = mirror_create(&links[i], dirs[i], arrival);
	}
	return 0;
}

static int link_end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s %s", dirs[0], dirs[1]);
	return system(command) ? -1 : 0;
}

/* Writes a file at end 0, as old as TIME says. */
static void put(const char *name, const char *text, const struct timespec *time)
{
	const struct timespec times[2] = { *time, *time };
	char path[96], *slash;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dirs[0], name);
	slash = strrchr(path, '/');
	*slash = 0;
	mkdir(path, 0700);
	*slash = '/';
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

/* What arrives at the other end, in its order. */
static const char *carry(void)
{
	arrived[0] = 0;
	while (mirror_step(ends[0]) + mirror_step(ends[1]))
		;
	return arrived;
}

static void older_comes_first(void **state)
{
	(void)state;
	put("out/a", "1", &(struct timespec){ 1000, 8 });
	put("outside/7/z", "2", &(struct timespec){ 1000, 4 });
	put("out/m", "3", &(struct timespec){ 999, 9 });
	assert_string_equal(carry(), "out/m outside/7/z out/a ");
}

/* A tick is milliseconds: a request and what it asks about may well be of the same. */
static void request_comes_after_its_words(void **state)
{
	const struct timespec tick = { 1000, 0 };

	(void)state;
	put("outside/8/ready", "", &tick);
	put("outside/8/argv", "true", &tick);
	put("out/gathered", "4", &tick);
	assert_string_equal(carry(), "out/gathered outside/8/argv outside/8/ready ");
}

static void answer_comes_whole(void **state)
{
	const struct timespec tick = { 1000, 0 };

	(void)state;
	put("outside/9/status", "0\n", &tick);
	put("outside/9/out", "some", &tick);
	put("outside/9/err", "none", &tick);
	assert_string_equal(carry(), "outside/9/err outside/9/out outside/9/status ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_comes_first),
		cmocka_unit_test(request_comes_after_its_words),
		cmocka_unit_test(answer_comes_whole),
	};

	return cmocka_run_group_tests(tests, link_begin, link_end);
}
