// SPDX-License-Identifier: GPL-2.0
/* The agent in debugfs: whether it is there, which VMs it shows, what its errors mean. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "spt/source_live.h"

#define SPT_DEBUGFS_MOUNT "/sys/kernel/debug"
#define SPT_DEBUGFS_DIR	  SPT_DEBUGFS_MOUNT "/spt"

static const char *debugfs_dir;

void spt_debugfs_set(const char *dir)
{
	debugfs_dir = dir;
}

const char *spt_debugfs(void)
{
	const char *env = getenv("SPT_DEBUGFS");

	if (debugfs_dir)
		return debugfs_dir;
	return env && *env ? env : SPT_DEBUGFS_DIR;
}

static bool debugfs_mounted(void)
{
	struct statfs fs;

	return !statfs(SPT_DEBUGFS_MOUNT, &fs) && fs.f_type == DEBUGFS_MAGIC;
}

/* Value of @key in the agent's status file; false when it has no such line. */
static bool status_value(FILE *status, const char *key, char *ret, size_t size)
{
	size_t key_len = strlen(key);
	char line[512];

	rewind(status);
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, key, key_len) || line[key_len] != ':')
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(ret, size, "%s", line + key_len + 1 + strspn(line + key_len + 1, " \t"));
		return true;
	}
	return false;
}

bool spt_live_status(const char *key, char *ret, size_t size)
{
	char path[512];
	FILE *status;
	bool found;

	snprintf(path, sizeof(path), "%s/status", spt_debugfs());
	status = fopen(path, "re");
	if (!status)
		return false;
	found = status_value(status, key, ret, size);
	fclose(status);
	return found;
}

int spt_agent_check(struct spt_error *err)
{
	char path[512], layout[128] = "";
	FILE *status;
	int code;

	snprintf(path, sizeof(path), "%s/status", spt_debugfs());
	status = fopen(path, "re");
	code = errno;
	if (status) {
		bool known = status_value(status, "layout", layout, sizeof(layout));

		fclose(status);
		if (known && !strncmp(layout, "none", 4))
			return spt_fail(
				err, ENOKEY,
				"the agent has no layout of this kernel: run 'spt agent load'");
		return 0;
	}
	if (code == EACCES || code == EPERM)
		return spt_fail(
			err, EACCES,
			"%s: permission denied: reading live VMs needs root (on a locked-down kernel, nobody may)",
			spt_debugfs());
	if (!strcmp(spt_debugfs(), SPT_DEBUGFS_DIR) && !debugfs_mounted())
		return spt_fail(
			err, ENODEV,
			"debugfs is not mounted: run 'mount -t debugfs none " SPT_DEBUGFS_MOUNT
			"', or read a saved image with --image");
	return spt_fail(
		err, ENODEV,
		"the agent is not loaded (no %s): run 'spt agent load', or read a saved image with --image",
		spt_debugfs());
}

int spt_live_fail(const char *id, int code, struct spt_error *err)
{
	int ret = spt_agent_check(err);

	if (ret)
		return ret;
	switch (code) {
	case ENOENT:
	case ENODEV:
	case EIO: /* debugfs: the file was removed while open */
	case ESRCH:
	case ENODATA:
		return spt_fail(err, ENOENT, "VM %s is gone: 'spt vms' lists those there are", id);
	case EACCES:
	case EPERM:
		return spt_fail(
			err, EACCES,
			"VM %s: permission denied: reading live VMs needs root (on a locked-down kernel, nobody may)",
			id);
	case EINVAL:
		return spt_fail(err, EINVAL, "VM %s: the agent does not understand this request",
				id);
	case EBUSY:
		return spt_fail(err, EBUSY, "VM %s: the agent is being unloaded", id);
	}
	return spt_fail(err, code, "VM %s: %s", id, strerror(code));
}

int spt_live_open(const char *id, struct spt_error *err)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s/image", spt_debugfs(), id);
	/* Were it a terminal, as in tests, it is not to become ours. */
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return spt_live_fail(id, errno, err);
	return fd;
}

static char *put_text(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *put_hex(char *to, uint64_t value)
{
	int digits = value ? (67 - __builtin_clzll(value)) / 4 : 1;

	to = put_text(to, "0x");
	for (int i = digits - 1; i >= 0; i--)
		*to++ = "0123456789abcdef"[value >> (4 * i) & 15];
	return to;
}

/* By hand: a live walk is a few microseconds, and printf() would be a third of them. */
int spt_live_request_line(const struct spt_request *req, char *line)
{
	static const char *const names[] = {
#define P(nr, name) #name,
		SPT_PARTS(P)
#undef P
	};
	uint32_t parts = req && req->parts ? req->parts : SPT_PARTS_DEFAULT;
	const char *sep = "parts=";
	char *to = line;

	if (req && req->len) {
		uint64_t most = ~0ULL - req->start;

		to = put_hex(put_text(to, "gpa="), req->start);
		to = put_hex(put_text(to, "+"), req->len - 1 > most ? most : req->len);
		to = put_text(to, " ");
	}
	for (int i = 0; i < SPT_PART_COUNT; i++) {
		if (!(parts >> i & 1))
			continue;
		to = put_text(put_text(to, sep), names[i]);
		sep = ",";
	}
	to = put_text(to, "\n");
	return to - line;
}

int spt_live_request(int fd, const char *id, const struct spt_request *req, struct spt_error *err)
{
	char line[SPT_REQUEST_LINE];
	int len = spt_live_request_line(req, line);

	for (;;) {
		ssize_t n = write(fd, line, len);

		if (n == len)
			return 0;
		if (n >= 0 || errno != EINTR)
			return spt_live_fail(id, n < 0 ? errno : EIO, err);
	}
}

static bool parse_id(const char *name, struct spt_vm_name *ret)
{
	int used = 0;

	if (strlen(name) >= sizeof(ret->id) ||
	    sscanf(name, "%d-%d%n", &ret->pid, &ret->fd, &used) != 2 || name[used] || ret->pid <= 0)
		return false;
	strcpy(ret->id, name);
	return true;
}

static int by_pid_fd(const void *a, const void *b)
{
	const struct spt_vm_name *x = a, *y = b;

	return x->pid != y->pid ? (x->pid < y->pid ? -1 : 1) : (x->fd > y->fd) - (x->fd < y->fd);
}

int spt_vms_list(struct spt_vm_name **ret, size_t *count, struct spt_error *err)
{
	int code = spt_agent_check(err);
	struct spt_vm_name *list = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;
	DIR *dir;

	if (code)
		return code;
	dir = opendir(spt_debugfs());
	if (!dir)
		return spt_fail(err, errno, "%s: %s", spt_debugfs(), strerror(errno));
	/* cppcheck-suppress readdirCalled ; each stream is its caller's own */
	while ((entry = readdir(dir))) {
		struct spt_vm_name vm;

		if (!parse_id(entry->d_name, &vm))
			continue;
		if (n == room) {
			struct spt_vm_name *more =
				realloc(list, (room = room * 2 + 16) * sizeof(*list));

			if (!more) {
				free(list);
				closedir(dir);
				return spt_fail(err, ENOMEM, "out of memory");
			}
			list = more;
		}
		list[n++] = vm;
	}
	closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), by_pid_fd);
	*ret = list;
	*count = n;
	return 0;
}
