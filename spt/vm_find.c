// SPDX-License-Identifier: GPL-2.0
/* Which VM a word means: PID-FD, PID, or the name that the VMM was given. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spt/source.h"

/* QEMU: -name NAME[,key=value...] or -name guest=NAME[,...], the keys in any order. */
static void take_name(const char *arg, char *ret, size_t size)
{
	const char *guest = strncmp(arg, "guest=", 6) ? strstr(arg, ",guest=") : arg;

	if (guest)
		arg = guest + (*guest == ',') + strlen("guest=");
	snprintf(ret, size, "%.*s", (int)strcspn(arg, ","), arg);
	for (char *c = ret; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

void spt_vm_guest_name(int pid, char *ret, size_t size)
{
	char path[64], cmdline[16384];
	ssize_t len;
	int fd;

	ret[0] = 0;
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, cmdline, sizeof(cmdline) - 1);
	close(fd);
	if (len <= 0)
		return;
	cmdline[len] = 0;
	for (const char *arg = cmdline; arg < cmdline + len; arg += strlen(arg) + 1) {
		const char *value = arg + strlen(arg) + 1;

		if ((strcmp(arg, "-name") && strcmp(arg, "--name")) || value >= cmdline + len)
			continue;
		take_name(value, ret, size);
		return;
	}
}

static bool matches(const struct spt_vm_name *vm, const char *want)
{
	char pid[16], name[128];

	if (!want || !strcmp(vm->id, want))
		return true;
	snprintf(pid, sizeof(pid), "%d", vm->pid);
	if (!strcmp(pid, want))
		return true;
	spt_vm_guest_name(vm->pid, name, sizeof(name));
	return name[0] && !strcmp(name, want);
}

static void list_ids(const struct spt_vm_name *vms, size_t count, char *ret, size_t size)
{
	size_t n = 0;

	ret[0] = 0;
	for (size_t i = 0; i < count && n + sizeof(vms->id) + 8 < size; i++)
		n += snprintf(ret + n, size - n, "%s%s", n ? ", " : "", vms[i].id);
}

int spt_vm_find(const char *want, struct spt_vm_name *ret, struct spt_error *err)
{
	struct spt_vm_name *vms = NULL;
	size_t count, found = 0;
	char ids[160];
	int code = spt_vms_list(&vms, &count, err);

	if (code)
		return code;
	list_ids(vms, count, ids, sizeof(ids));
	for (size_t i = 0; i < count; i++)
		if (matches(&vms[i], want) && !found++)
			*ret = vms[i];
	free(vms);
	if (found == 1)
		return 0;
	if (!count && want)
		return spt_fail(err, ENOENT, "no VM '%s': none is running on this host", want);
	if (!count)
		return spt_fail(err, ENOENT, "no VM is running on this host");
	if (!found)
		return spt_fail(err, ENOENT, "no VM '%s': there is %s", want, ids);
	if (!want)
		return spt_fail(err, ENOTUNIQ, "%zu VMs are running: choose one with --vm: %s",
				found, ids);
	return spt_fail(err, ENOTUNIQ, "'%s' means %zu VMs: name one as PID-FD: %s", want, found,
			ids);
}
