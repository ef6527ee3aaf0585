// SPDX-License-Identifier: GPL-2.0
#include "spt/agent_load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "spt/source.h"

#define DEBUGFS_MOUNT "/sys/kernel/debug"

/* How long after insertion the debugfs files may take to appear. */
#define WAIT_MS	     5000
#define WAIT_STEP_MS 10

#define STATUS_SIZE 4096

static const char *source_name(enum spt_layout_source source)
{
	return source == SPT_LAYOUT_BTF ? "BTF" : "DWARF";
}

static int use(struct spt_layout *layout, struct spt_error *e)
{
	const struct spt_error *why = layout->missing.code ? &layout->missing : &layout->doubt;

	return why->code ? spt_fail(e, why->code, "%s", why->text) : 0;
}

int spt_layout_of_host(const struct spt_layout_from *from, const struct spt_host *host,
		       struct spt_layout *ret, struct spt_error *e)
{
	const struct spt_debug_search search = {
		.dirs = from->dwarf_dirs,
		.release = host->release,
	};
	struct spt_error btf = { 0 };

	if (from->only != SPT_LAYOUT_DWARF) {
		spt_layout_from_btf(from->btf_dir ? from->btf_dir : "/sys/kernel/btf", host->vendor,
				    ret);
		if (!ret->missing.code || from->only == SPT_LAYOUT_BTF)
			return use(ret, e);
		btf = ret->missing;
		spt_layout_deinit(ret);
	}
	spt_layout_from_dwarf(&search, host, ret);
	if (ret->missing.code && btf.code)
		return spt_fail(e, ENOENT, "no BTF (%.90s) and %s", btf.text, ret->missing.text);
	return use(ret, e);
}

int spt_layout_blob_make(const struct spt_layout_from *from, const struct spt_host *host,
			 struct spt_layout_blob *ret, unsigned int *fields, struct spt_error *e)
{
	struct spt_kallsym symbol[SPT_S_COUNT];
	struct spt_layout *layout = calloc(1, sizeof(*layout));
	int err;

	if (!layout)
		return spt_fail(e, ENOMEM, "out of memory");
	*fields = 0;
	err = spt_layout_of_host(from, host, layout, e);
	if (!err)
		err = spt_layout_symbols("/proc/kallsyms", host->vendor, symbol, e);
	if (!err) {
		spt_layout_blob_fill(layout, host, symbol, ret);
		for (unsigned int f = 0; f < SPT_F_COUNT; f++)
			*fields += layout->field[f].state == SPT_FIELD_FOUND;
	}
	spt_layout_deinit(layout);
	free(layout);
	return err;
}

static int check_debugfs(struct spt_error *e)
{
	struct statfs fs;

	if (strncmp(spt_debugfs(), DEBUGFS_MOUNT "/", sizeof(DEBUGFS_MOUNT)))
		return 0; /* told to look elsewhere */
	if (!statfs(DEBUGFS_MOUNT, &fs) && fs.f_type == DEBUGFS_MAGIC)
		return 0;
	return spt_fail(e, ENODEV,
			"debugfs is not mounted: run 'mount -t debugfs none " DEBUGFS_MOUNT "'");
}

static int open_layout_file(char *path, size_t size, struct spt_error *e)
{
	const struct timespec step = { 0, WAIT_STEP_MS * 1000000L };
	int fd = -1;

	snprintf(path, size, "%s/layout", spt_debugfs());
	for (int ms = 0; ms < WAIT_MS; ms += WAIT_STEP_MS) {
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0 || errno != ENOENT)
			break;
		nanosleep(&step, NULL);
	}
	if (fd < 0 && errno == EPERM)
		return spt_fail(e, EPERM,
				"%s: not permitted: a locked-down kernel shows its memory "
				"to nobody",
				path);
	return fd >= 0 ? fd : spt_fail(e, errno, "%s: %s", path, strerror(errno));
}

/* Why the agent has no layout, as its status says it: 'none (REASON)'. */
static void read_refusal(char *ret, size_t size)
{
	static const char before[] = "none (";
	char value[200], *status;

	*ret = '\0';
	if (spt_agent_status(&status, NULL))
		return;
	spt_agent_status_value(status, "layout", value, sizeof(value));
	free(status);
	if (strncmp(value, before, sizeof(before) - 1))
		return;
	snprintf(ret, size, "%s", value + sizeof(before) - 1);
	if (*ret && ret[strlen(ret) - 1] == ')')
		ret[strlen(ret) - 1] = '\0';
}

/* Write the blob in one piece; a refusal is reported in the agent's own words. */
static int write_blob(const struct spt_layout_blob *blob, struct spt_error *e)
{
	char path[512], reason[200];
	int fd = open_layout_file(path, sizeof(path), e), code = 0;
	ssize_t written;

	if (fd < 0)
		return fd;
	written = write(fd, blob, sizeof(*blob));
	if (written < 0)
		code = errno;
	else if ((size_t)written != sizeof(*blob))
		code = EIO;
	close(fd);
	if (!code)
		return 0;
	read_refusal(reason, sizeof(reason));
	return spt_fail(e, code, "the agent refuses the layout from %s: %s",
			source_name(blob->source), *reason ? reason : strerror(code));
}

/* What the agent that is there already has: 1 a layout, 0 none, or -errno. */
static int check_loaded(const struct spt_agent_load *how, struct spt_error *e)
{
	char *status, layout[128], armed[16];
	int err = spt_agent_status(&status, e);

	if (err)
		return err;
	spt_agent_status_value(status, "layout", layout, sizeof(layout));
	spt_agent_status_value(status, "armed", armed, sizeof(armed));
	free(status);
	if (how->armed && !strcmp(armed, "no"))
		return spt_fail(e, EBUSY,
				"the agent is loaded and not armed: run 'spt agent unload' "
				"first");
	return strncmp(layout, "none", 4) != 0;
}

static int insert(const struct spt_agent_load *how, const struct spt_host *host,
		  struct spt_agent_loaded *ret, struct spt_error *e)
{
	int err = spt_agent_find_module(how->module, host->release, ret->module,
					sizeof(ret->module), e);

	if (!err)
		err = spt_agent_insert(ret->module, how->armed ? "armed=1" : "", e);
	ret->inserted = !err;
	return err;
}

int spt_agent_load(const struct spt_agent_load *how, struct spt_agent_loaded *ret,
		   struct spt_error *e)
{
	struct spt_layout_blob blob;
	struct spt_host host;
	int err;

	memset(ret, 0, sizeof(*ret));
	if (geteuid())
		return spt_fail(e, EPERM, "not permitted: loading the agent needs root");
	err = check_debugfs(e);
	if (err)
		return err;
	if (spt_agent_is_loaded()) {
		err = check_loaded(how, e);
		if (err) {
			ret->layout_kept = err > 0;
			return err < 0 ? err : 0;
		}
	}
	err = spt_host_read(NULL, &host, e);
	if (!err)
		err = spt_layout_blob_make(&how->from, &host, &blob, &ret->fields, e);
	if (!err && !spt_agent_is_loaded())
		err = insert(how, &host, ret, e);
	if (err)
		return err;
	ret->source = blob.source;
	return write_blob(&blob, e);
}

int spt_agent_unload(struct spt_error *e)
{
	return spt_agent_remove(e);
}

int spt_agent_status(char **ret, struct spt_error *e)
{
	char path[512], *text = calloc(1, STATUS_SIZE);
	ssize_t got = -1;
	size_t have = 0;
	int fd, code, err;

	if (!text)
		return spt_fail(e, ENOMEM, "out of memory");
	snprintf(path, sizeof(path), "%s/status", spt_debugfs());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (got = read(fd, text + have, STATUS_SIZE - 1 - have)) > 0)
		have += (size_t)got;
	code = errno;
	if (fd >= 0)
		close(fd);
	if (got >= 0) {
		*ret = text;
		return 0;
	}
	free(text);
	/* Why there is no such file is a question with one answer, in one place. */
	err = spt_agent_check(e);
	return err ? err : spt_fail(e, code, "%s: %s", path, strerror(code));
}

bool spt_agent_status_value(const char *status, const char *key, char *ret, size_t size)
{
	size_t len = strlen(key);

	*ret = '\0';
	for (const char *line = status; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *value = line + len + 1;

		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		value += strspn(value, " \t");
		snprintf(ret, size, "%.*s", (int)strcspn(value, "\n"), value);
		return true;
	}
	return false;
}
