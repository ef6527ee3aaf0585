/* SPDX-License-Identifier: GPL-2.0 */
/* What the host says of its memory and of a process: /proc/iomem, pagemap, thread states. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_AREAS 64

struct area {
	uint64_t first, last; /* inclusive */
};

struct host {
	struct area ram[MAX_AREAS];
	int rams;
	struct area kernel[MAX_AREAS]; /* its code and variables */
	int kernels;
	int kpageflags;
	uint64_t zero_page; /* HPA of the page that every read of untouched memory maps */
};

/* 0 or -errno; -EPERM: addresses are hidden from this user. */
int host_read(struct host *h);
bool host_is_ram(const struct host *h, uint64_t hpa, uint64_t size);
bool host_is_kernel(const struct host *h, uint64_t hpa, uint64_t size);

/* Stops all threads of a process and waits until they are; -ETIMEDOUT, -errno. */
int host_stop(int pid);
int host_continue(int pid);
/* HPA of a page of another process, by its pagemap's descriptor. -ENOENT: none. */
int host_pagemap(int fd, uint64_t hva, uint64_t *hpa);

#endif
