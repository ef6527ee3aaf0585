/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses of the running kernel's symbols, from one pass over /proc/kallsyms. */
#ifndef SPT_KALLSYMS_H
#define SPT_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/error.h"

struct spt_kallsym {
	const char *module; /* in: "kvm"; "vmlinux" for the kernel's own */
	const char *name;   /* in */
	uint64_t address;   /* out: 0, there is no such symbol */
};

/*
 * Look @n symbols up in @path ("/proc/kallsyms"). Returns 0, -EPERM when the
 * kernel hides addresses from us, -ENOTUNIQ when a name stands for two addresses
 * of one module, or what reading the file failed with.
 */
int spt_kallsyms_read(const char *path, struct spt_kallsym *symbol, size_t n, struct spt_error *e);

#endif
