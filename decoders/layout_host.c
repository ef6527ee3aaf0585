// SPDX-License-Identifier: GPL-2.0
#include "decoders/layout_host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "decoders/layout.h"

#define PATH_SIZE  4096
#define NOTES_SIZE 8192 /* /sys/kernel/notes has some 500 bytes */

/* The beginning of a small file, NUL-terminated; its length or -errno. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = read(fd, buf, size - 1);
	if (got < 0)
		got = -errno;
	else
		buf[got] = '\0';
	close(fd);
	return got;
}

static int read_release(const char *root, char ret[64], struct spt_error *e)
{
	char path[PATH_SIZE];
	ssize_t got;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", root);
	got = read_small(path, ret, 64);
	if (got < 0)
		return spt_fail(e, (int)-got, "%s: %s", path, strerror((int)-got));
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

static int read_build_id(const char *root, enum spt_module module, struct spt_build_id *ret,
			 struct spt_error *e)
{
	char path[PATH_SIZE], notes[NOTES_SIZE];
	ssize_t got;

	if (module == SPT_MODULE_VMLINUX)
		snprintf(path, sizeof(path), "%s/sys/kernel/notes", root);
	else
		snprintf(path, sizeof(path), "%s/sys/module/%s/notes/.note.gnu.build-id", root,
			 spt_module_names[module]);
	got = read_small(path, notes, sizeof(notes));
	if (got < 0)
		return spt_fail(e, (int)-got, "%s: %s", path, strerror((int)-got));
	if (!spt_build_id_parse(notes, (size_t)got, ret))
		return spt_fail(e, ENODATA,
				"%s: no build id; the kernel must be linked with "
				"--build-id",
				path);
	return 0;
}

static bool is_loaded(const char *root, enum spt_module module)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/sys/module/%s", root, spt_module_names[module]);
	return !access(path, F_OK);
}

int spt_host_read(const char *root, struct spt_host *ret, struct spt_error *e)
{
	enum spt_module modules[] = { SPT_MODULE_VMLINUX, SPT_MODULE_KVM, SPT_MODULE_AMD };
	bool amd, intel;
	int err;

	*ret = (struct spt_host){ 0 };
	root = root ? root : "";
	err = read_release(root, ret->release, e);
	if (err)
		return err;
	amd = is_loaded(root, SPT_MODULE_AMD);
	intel = is_loaded(root, SPT_MODULE_INTEL);
	if (!amd && !intel)
		return spt_fail(e, ENODEV,
				"KVM is not loaded: 'modprobe kvm_amd' or 'modprobe "
				"kvm_intel'");
	if (amd && intel)
		return spt_fail(e, ENOTSUP,
				"both kvm_amd and kvm_intel are loaded: unload the one "
				"that is not for this CPU");
	ret->vendor = amd ? SPT_VENDOR_SVM : SPT_VENDOR_VMX;
	modules[2] = spt_vendor_module(ret->vendor);
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		err = read_build_id(root, modules[i], &ret->build_id[modules[i]], e);
		if (err)
			return err;
	}
	return 0;
}
