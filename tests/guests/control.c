// SPDX-License-Identifier: GPL-2.0
/* Who gives commands: stdin and the clients of a unix socket, one line each. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "pages.h"

#define MAX_CLIENTS    8
#define LINE_MAX_BYTES 4096

struct client {
	int in, out; /* in < 0: free */
	size_t used;
	char line[LINE_MAX_BYTES];
};

static struct client client[MAX_CLIENTS];
static int listen_fd = -1;

static int socket_address(const char *path, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	strcpy(addr->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int control_listen(const char *path)
{
	struct sockaddr_un addr;
	int fd = socket_address(path, &addr);

	if (fd < 0)
		return fd == -1 ? -errno : fd;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, MAX_CLIENTS)) {
		int err = -errno;

		close(fd);
		return err;
	}
	listen_fd = fd;
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		text += n;
		len -= n;
	}
	return 0;
}

static void close_client(struct client *c)
{
	if (c->in != STDIN_FILENO)
		close(c->in);
	c->in = -1;
}

static void answer_lines(struct guest *g, struct client *c)
{
	static struct reply reply;
	char *end;

	while (c->in >= 0 && (end = memchr(c->line, '\n', c->used))) {
		size_t len = end - c->line + 1;

		*end = 0;
		command_run(g, c->line, &reply);
		reply.text[sizeof(reply.text) - 1] = 0;
		memmove(c->line, c->line + len, c->used - len);
		c->used -= len;
		if (write_all(c->out, reply.text, strlen(reply.text)) || write_all(c->out, "\n", 1))
			close_client(c);
	}
}

static void read_client(struct guest *g, struct client *c)
{
	ssize_t n = read(c->in, c->line + c->used, sizeof(c->line) - c->used);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close_client(c);
		return;
	}
	c->used += n;
	answer_lines(g, c);
	if (c->used == sizeof(c->line))
		close_client(c);
}

static void accept_client(void)
{
	int fd = accept(listen_fd, NULL, NULL);

	if (fd < 0)
		return;
	for (int i = 0; i < MAX_CLIENTS; i++) {
		if (client[i].in >= 0)
			continue;
		client[i] = (struct client){ .in = fd, .out = fd };
		return;
	}
	close(fd);
}

/* Serves until 'quit'; the end of stdin is not the end of the guest. */
int control_serve(struct guest *g)
{
	for (int i = 0; i < MAX_CLIENTS; i++)
		client[i].in = -1;
	if (!g->opt.background)
		client[0] = (struct client){ .in = STDIN_FILENO, .out = STDOUT_FILENO };

	while (!g->quit) {
		struct pollfd fds[MAX_CLIENTS + 1];

		for (int i = 0; i < MAX_CLIENTS; i++)
			fds[i] = (struct pollfd){ .fd = client[i].in, .events = POLLIN };
		fds[MAX_CLIENTS] = (struct pollfd){ .fd = listen_fd, .events = POLLIN };
		if (poll(fds, MAX_CLIENTS + 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		for (int i = 0; i < MAX_CLIENTS && !g->quit; i++)
			if (fds[i].revents)
				read_client(g, &client[i]);
		if (fds[MAX_CLIENTS].revents)
			accept_client();
	}
	return 0;
}

/* Client mode: sends each argument as a line and prints each answer. 1: one was an error. */
int control_send(const char *path, int argc, char **argv)
{
	struct sockaddr_un addr;
	int fd = socket_address(path, &addr);
	int status = 0;

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		fprintf(stderr, "pages: cannot reach a guest at %s: %s\n", path, strerror(errno));
		return 2;
	}
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	for (int i = 0; i < argc; i++) {
		if (write_all(fd, argv[i], strlen(argv[i])) || write_all(fd, "\n", 1) ||
		    getline(&line, &size, in) < 0) {
			fprintf(stderr, "pages: the guest at %s went away at '%s'\n", path,
				argv[i]);
			status = 2;
			break;
		}
		fputs(line, stdout);
		if (strncmp(line, "ok", 2))
			status = 1;
	}
	free(line);
	fclose(in);
	return status;
}
