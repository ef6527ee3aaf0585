/* SPDX-License-Identifier: GPL-2.0 */
/* Types from BTF (libbpf): the kernel's own, and each module's, split upon it. */
#ifndef SPT_BTF_H
#define SPT_BTF_H

#include "decoders/layout_types.h"

/*
 * Open a file of raw BTF, such as /sys/kernel/btf/vmlinux. @base: NULL, or the
 * graph that a module's split BTF continues; it must outlive *ret. -ENOENT when
 * there is no such file, -EINVAL when it is not BTF or damaged.
 */
int spt_btf_open(const char *path, struct spt_typegraph *base, struct spt_typegraph **ret,
		 struct spt_error *e);

#endif
