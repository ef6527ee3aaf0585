// SPDX-License-Identifier: GPL-2.0
/* NUMA nodes of the VMM's memory: where it is to be, and where the kernel says that it is. */
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pages.h"

int memory_bind(void *hva, uint64_t len, unsigned int node)
{
	unsigned long mask;

	if (node >= 8 * sizeof(mask))
		return -EINVAL;
	mask = 1UL << node;
	return syscall(SYS_mbind, hva, len, MPOL_BIND, &mask, 8 * sizeof(mask),
		       MPOL_MF_STRICT | MPOL_MF_MOVE)
		       ? -errno
		       : 0;
}

int memory_nodes(void *hva, uint64_t count, int *node)
{
	void **page = malloc(count * sizeof(*page));
	int err;

	if (!page)
		return -ENOMEM;
	for (uint64_t i = 0; i < count; i++)
		page[i] = (char *)hva + i * SIZE_4K;
	/* Without nodes to go to nothing is moved: it only says where each page is. */
	err = syscall(SYS_move_pages, 0, count, page, NULL, node, 0) ? -errno : 0;
	free(page);
	return err;
}
