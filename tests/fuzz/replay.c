// SPDX-License-Identifier: GPL-2.0
/*
 * A harness without a fuzzer: every file of the directories given goes through
 * it once. Says most under sanitizers.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

/* No corpus file is larger. */
#define INPUT_MAX_BYTES (1U << 20)

static int one(const char *path)
{
	static uint8_t room[INPUT_MAX_BYTES];
	FILE *f = fopen(path, "re");
	uint8_t *bytes;
	size_t len;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	len = fread(room, 1, sizeof(room), f);
	fclose(f);
	/* Exactly as long as it is: a byte too far is seen. */
	bytes = malloc(len ? len : 1);
	if (!bytes)
		return -1;
	memcpy(bytes, room, len);
	LLVMFuzzerTestOneInput(bytes, len);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int inputs = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		struct dirent *file;

		/* cppcheck-suppress readdirCalled ; one thread */
		while (dir && (file = readdir(dir))) {
			char path[4096];

			snprintf(path, sizeof(path), "%s/%s", argv[i], file->d_name);
			if (file->d_name[0] == '.')
				continue;
			if (one(path))
				return 1;
			inputs++;
		}
		if (dir)
			closedir(dir);
	}
	printf("%u inputs did no harm\n", inputs);
	/* A corpus that cannot be found proves nothing. */
	return inputs ? 0 : 1;
}
