// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "fake_agent.h"
#include "fake_lines.h"

/* A terminal's buffer is small: write what fits, the reader makes room. */
static void send_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len < 1024 ? len : 1024);

		if (n < 0 && errno == EAGAIN) {
			usleep(200);
			continue;
		}
		if (n <= 0)
			return;
		bytes += n;
		len -= n;
	}
}

static void *serve(void *arg)
{
	struct fake_agent *agent = arg;
	struct fake_lines lines = { .master = agent->master };
	const char *waits = getenv("FAKE_WAIT");
	char line[sizeof(agent->last_request)];

	while (fake_lines_next(&lines, line, sizeof(line))) {
		unsigned int nr = agent->requests < agent->nr_answers ? agent->requests
								      : agent->nr_answers - 1;

		if (waits && access(waits, F_OK))
			nr = 0;
		strcpy(agent->last_request, line);
		if (nr == agent->late)
			usleep(agent->late_ms * 1000);
		agent->requests++;
		send_all(agent->master, agent->answers[nr].bytes, agent->answers[nr].len);
	}
	return NULL;
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert(f);
	fputs(text, f);
	fclose(f);
}

void fake_agent_vm(const struct fake_agent *agent, char *path, size_t size)
{
	const char *id = getenv("FAKE_VM");

	snprintf(path, size, "%s/%s", agent->dir, id ? id : "1234-11");
}

void fake_agent_start(struct fake_agent *agent, const struct fake_answer *answers,
		      unsigned int nr_answers)
{
	struct termios raw;
	char vm[96];
	int slave;

	memset(agent, 0, sizeof(*agent));
	agent->answers = answers;
	agent->nr_answers = nr_answers;
	strcpy(agent->dir, "/tmp/spt-agent.XXXXXX");
	assert(mkdtemp(agent->dir));
	fake_agent_vm(agent, vm, sizeof(vm));
	assert(!mkdir(vm, 0700));
	put_file(agent->dir, "status", "abi: 1\nlayout: btf 0123\n");
	agent->master = posix_openpt(O_RDWR | O_NOCTTY);
	assert(agent->master >= 0 && !grantpt(agent->master) && !unlockpt(agent->master));
	slave = open(ptsname(agent->master), O_RDWR | O_NOCTTY);
	assert(slave >= 0 && !tcgetattr(slave, &raw));
	cfmakeraw(&raw);
	assert(!tcsetattr(slave, TCSANOW, &raw));
	close(slave);
	snprintf(agent->image, sizeof(agent->image), "%s/image", vm);
	assert(!symlink(ptsname(agent->master), agent->image));
	assert(!setenv("SPT_DEBUGFS", agent->dir, 1));
	assert(!pthread_create(&agent->thread, NULL, serve, agent));
}

void fake_agent_stop(struct fake_agent *agent)
{
	int slave = open(agent->image, O_RDWR | O_NOCTTY);
	char path[128];

	assert(slave >= 0 && write(slave, "quit\n", 5) == 5);
	pthread_join(agent->thread, NULL);
	close(slave);
	close(agent->master);
	unlink(agent->image);
	fake_agent_vm(agent, path, sizeof(path));
	rmdir(path);
	snprintf(path, sizeof(path), "%s/status", agent->dir);
	unlink(path);
	assert(!rmdir(agent->dir));
	unsetenv("SPT_DEBUGFS");
}
