// SPDX-License-Identifier: GPL-2.0
/* The agent's module: which file, into the kernel, out of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decoders/elf_file.h"
#include "spt/agent_load.h"

/* linux/module.h; the C library has no header for it. */
#define MODULE_INIT_COMPRESSED_FILE 4

#define FILE_NAME SPT_AGENT_MODULE ".ko"

bool spt_agent_is_loaded(void)
{
	return !access("/sys/module/" SPT_AGENT_MODULE, F_OK);
}

/* The release that a module file is built for, from .modinfo; "" when it does not say. */
static void module_release(const char *path, char *ret, size_t size)
{
	static const char key[] = "vermagic=";
	struct spt_elf_bytes info;
	struct spt_elf *elf;

	*ret = '\0';
	if (spt_elf_open(path, &elf, NULL))
		return;
	if (spt_elf_section(elf, ".modinfo", &info, NULL) > 0) {
		const char *at = memmem(info.bytes, info.size, key, sizeof(key) - 1);
		size_t left = at ? info.size - (size_t)(at - (const char *)info.bytes) : 0;

		if (at && memchr(at, ' ', left)) {
			at += sizeof(key) - 1;
			snprintf(ret, size, "%.*s", (int)strcspn(at, " "), at);
		}
	}
	spt_elf_close(elf);
}

/* Whether the file can be inserted here. 1 yes, 0 there is none, -ENOEXEC of another kernel. */
static int check_module(const char *path, const char *release, struct spt_error *e)
{
	char theirs[128];

	if (access(path, R_OK))
		return 0;
	module_release(path, theirs, sizeof(theirs));
	if (*theirs && strcmp(theirs, release))
		return spt_fail(e, ENOEXEC,
				"%s is built for Linux %s, this is %s: run 'make -C agent' "
				"against this kernel's headers",
				path, theirs, release);
	return 1;
}

/* Candidates: beside the program as built and as installed, then the kernel's own places. */
static int search_module(const char *release, char *ret, size_t size, struct spt_error *e)
{
	static const char *const beside[] = { "", "agent/", "../agent/", "../../agent/" };
	static const char *const installed[] = { "updates", "updates/dkms", "extra" };
	static const char *const suffix[] = { "", ".xz", ".zst", ".gz" };
	char self[2048] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int found = 0;

	self[len > 0 ? len : 0] = '\0';
	*(strrchr(self, '/') ? strrchr(self, '/') + 1 : self) = '\0';
	for (size_t i = 0; *self && i < sizeof(beside) / sizeof(beside[0]); i++) {
		snprintf(ret, size, "%s%s" FILE_NAME, self, beside[i]);
		found = check_module(ret, release, e);
		if (found > 0)
			return found;
	}
	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
		for (size_t s = 0; s < sizeof(suffix) / sizeof(suffix[0]); s++) {
			int here;

			snprintf(ret, size, "/lib/modules/%s/%s/" FILE_NAME "%s", release,
				 installed[i], suffix[s]);
			here = check_module(ret, release, e);
			if (here > 0)
				return here;
			found = here ? here : found;
		}
	}
	return found;
}

int spt_agent_find_module(const char *given, const char *release, char *ret, size_t size,
			  struct spt_error *e)
{
	int found;

	if (!given)
		given = getenv("SPT_AGENT");
	if (given && *given) {
		snprintf(ret, size, "%s", given);
		found = check_module(ret, release, e);
		return found ? (found < 0 ? found : 0)
			     : spt_fail(e, ENOENT, "%s: %s", given, strerror(errno));
	}
	found = search_module(release, ret, size, e);
	if (found)
		return found < 0 ? found : 0;
	return spt_fail(e, ENOENT,
			"no " FILE_NAME " beside the program nor in /lib/modules/%s: build "
			"it with 'make -C agent' and name it with --module or $SPT_AGENT",
			release);
}

struct errno_text {
	int code;
	const char *text;
};

static const char *explain(const struct errno_text *table, int code)
{
	while (table->text && table->code != code)
		table++;
	return table->text ? table->text : strerror(code);
}

static const struct errno_text insert_errors[] = {
	{ EPERM, "not permitted: root is needed, and a kernel that takes modules "
		 "(kernel.modules_disabled, lockdown)" },
	{ ENOEXEC, "not a module of this kernel: build it against this kernel's headers" },
	{ ENOENT, "it needs a symbol that this kernel lacks: see the kernel log" },
	{ EKEYREJECTED, "the kernel takes only modules signed by a key that it trusts" },
	{ ENOKEY, "the kernel takes only modules signed by a key that it trusts" },
	{ EINVAL, "the kernel takes no such module or parameter: see the kernel log" },
	{ EOPNOTSUPP, "the kernel cannot decompress modules: unpack it first" },
	{ 0, NULL },
};

int spt_agent_insert(const char *path, const char *parameters, struct spt_error *e)
{
	bool plain = !strcmp(path + strlen(path) - 3, ".ko");
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;

	if (fd < 0)
		return spt_fail(e, errno, "%s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, parameters, plain ? 0 : MODULE_INIT_COMPRESSED_FILE))
		code = errno;
	close(fd);
	if (!code || code == EEXIST)
		return 0;
	return spt_fail(e, code, "%s: %s", path, explain(insert_errors, code));
}

static const struct errno_text remove_errors[] = {
	{ EPERM, "not permitted: unloading a module needs root" },
	{ ENOENT, "the agent is not loaded" },
	{ EWOULDBLOCK, "the agent is in use: end the programs that have a VM's file open "
		       "(a spt shell, a cat of an image)" },
	{ EBUSY, "the agent is in use: it is being loaded or unloaded" },
	{ 0, NULL },
};

int spt_agent_remove(struct spt_error *e)
{
	int code;

	if (!syscall(SYS_delete_module, SPT_AGENT_MODULE, O_NONBLOCK))
		return 0;
	code = errno;
	return spt_fail(e, code == EWOULDBLOCK ? EBUSY : code, "%s", explain(remove_errors, code));
}
