// SPDX-License-Identifier: GPL-2.0
/*
 * fake_host IMAGE ANSWERS JOURNAL COMMAND...: runs COMMAND where $SPT_DEBUGFS has one VM,
 * called $FAKE_VM, or 1234-11 (who looks whether its VMM still runs wants a PID that is one),
 * whose image is IMAGE (of several, separated by commas, one after the other, the last one
 * again and again; none but the first before there is a file $FAKE_WAIT) and whose control file
 * gives the answers of ANSWERS in turn, separated by lines '%'. Prints the lines that were asked on
 * stderr, as '> LINE'.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fake_agent.h"
#include "tests/unit/fake_control.h"

#define MOST_ANSWERS 32
#define MOST_IMAGES  8

static char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *text;

	if (!file) {
		perror(path);
		exit(125);
	}
	assert(!fseek(file, 0, SEEK_END));
	*len = ftell(file);
	rewind(file);
	text = malloc(*len + 1);
	assert(text && fread(text, 1, *len, file) == *len);
	text[*len] = '\0';
	fclose(file);
	return text;
}

static unsigned int split(char *text, const char *answers[MOST_ANSWERS])
{
	unsigned int n = 0;

	while (n < MOST_ANSWERS) {
		char *end = strstr(text, "%\n");

		answers[n++] = text;
		if (!end)
			break;
		*end = '\0';
		text = end + 2;
	}
	return n;
}

static void copy_journal(const char *dir, const char *from)
{
	size_t len;
	char *text = read_file(from, &len), path[100];
	FILE *file;

	snprintf(path, sizeof(path), "%s/journal", dir);
	file = fopen(path, "we");
	assert(file);
	assert(fwrite(text, 1, len, file) == len);
	fclose(file);
	free(text);
}

int main(int argc, char **argv)
{
	struct fake_control control;
	struct fake_answer images[MOST_IMAGES];
	unsigned int nr_images = 0;
	struct fake_agent agent;
	const char *answers[MOST_ANSWERS];
	char *text, path[100];
	int status;
	pid_t pid;

	if (argc < 5) {
		fprintf(stderr, "Usage: fake_host IMAGE ANSWERS JOURNAL COMMAND...\n");
		return 125;
	}
	for (char *name; (name = strsep(&argv[1], ",")) && nr_images < MOST_IMAGES; nr_images++)
		images[nr_images].bytes = (uint8_t *)read_file(name, &images[nr_images].len);
	text = read_file(argv[2], &(size_t){ 0 });
	fake_agent_start(&agent, images, nr_images);
	copy_journal(agent.dir, argv[3]);
	fake_agent_vm(&agent, path, sizeof(path));
	fake_control_start(&control, path, answers, split(text, answers));

	pid = fork();
	if (!pid) {
		execv(argv[4], argv + 4);
		_exit(126);
	}
	assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	if (control.requests)
		fprintf(stderr, "> %s", control.last_request);
	fake_control_stop(&control);
	snprintf(path, sizeof(path), "%s/journal", agent.dir);
	unlink(path);
	fake_agent_stop(&agent);
	free(text);
	while (nr_images--)
		free((void *)images[nr_images].bytes);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
