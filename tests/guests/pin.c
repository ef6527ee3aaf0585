// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that the kernel holds: for long, as it does for DMA (a registered buffer of io_uring), or
 * by a plain reference, of which nobody can say what it is for (a pipe that has them).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pages.h"

static int ring = -1;
static int pipe_ends[2] = { -1, -1 };

int memory_pin(void *hva, uint64_t len)
{
	struct iovec buffer = { .iov_base = hva, .iov_len = len };
	struct io_uring_params params;
	int err;

	if (ring >= 0)
		return -EBUSY;
	memset(&params, 0, sizeof(params));
	ring = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		return -errno;
	if (!syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		return 0;
	err = -errno;
	memory_unpin();
	return err;
}

void memory_unpin(void)
{
	if (ring >= 0)
		close(ring);
	ring = -1;
}

int memory_splice(void *hva, uint64_t len)
{
	struct iovec from = { .iov_base = hva, .iov_len = len };
	ssize_t took;
	int err;

	if (pipe_ends[0] >= 0)
		return -EBUSY;
	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	took = vmsplice(pipe_ends[1], &from, 1, SPLICE_F_NONBLOCK);
	if (took == (ssize_t)len)
		return 0;
	/* A pipe has room for so many pages. */
	err = took < 0 ? -errno : -ENOSPC;
	memory_unsplice();
	return err;
}

void memory_unsplice(void)
{
	for (int i = 0; i < 2; i++) {
		if (pipe_ends[i] >= 0)
			close(pipe_ends[i]);
		pipe_ends[i] = -1;
	}
}
