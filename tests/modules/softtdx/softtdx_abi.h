/* SPDX-License-Identifier: GPL-2.0 */
/* What a VMM asks of softtdx: ioctls of /dev/softtdx. */
#ifndef SOFTTDX_ABI_H
#define SOFTTDX_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SOFTTDX_DEVICE	"/dev/softtdx"

/* A fresh VM (no vCPU, no slot) is to have mirrored page tables; bit of a GPA: it is shared. */
struct softtdx_convert {
	__u32 vm_fd;
	__u32 shared_bit;
};

/* Content of guest_memfd, which no VMM can map; the pages must be there (fallocate). */
struct softtdx_copy {
	__u32 gmem_fd;
	__u32 write;	/* 1: into the guest's memory */
	__u64 offset;	/* of the file */
	__u64 bytes;
	__u64 buffer;	/* address in the caller */
};

#define SOFTTDX_CONVERT	_IOW('x', 0xe0, struct softtdx_convert)
#define SOFTTDX_COPY	_IOW('x', 0xe1, struct softtdx_copy)

#endif
