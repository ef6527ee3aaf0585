// SPDX-License-Identifier: GPL-2.0
/* A page that the kernel holds for long, as it does for DMA: a registered buffer of io_uring. */
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "pages.h"

static int ring = -1;

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
