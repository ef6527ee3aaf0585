// SPDX-License-Identifier: GPL-2.0
/*
 * A VM whose memory has two halves: the guest's own, in guest_memfd, which no VMM maps,
 * and the one it shares with the VMM, where a bit of the GPA is set. softtdx, a module of
 * the lab, makes KVM keep mirrored page tables for it, as for a TD.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pages.h"
#include "softtdx_abi.h"

/* uapi of kernels newer than this machine's headers */
#define MEM_GUEST_MEMFD	   (1U << 2)
#define CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct create_guest_memfd)
#define PRE_FAULT_MEMORY   _IOWR(KVMIO, 0xd5, struct pre_fault_memory)

struct create_guest_memfd {
	uint64_t size, flags, reserved[6];
};

struct pre_fault_memory {
	uint64_t gpa, size, flags, padding[5];
};

int tdx_convert(struct guest *g)
{
	struct softtdx_convert convert = { .vm_fd = g->vm_fd, .shared_bit = TDX_SHARED_BIT };

	g->tdx_fd = open(SOFTTDX_DEVICE, O_RDWR | O_CLOEXEC);
	if (g->tdx_fd < 0)
		return -errno;
	return ioctl(g->tdx_fd, SOFTTDX_CONVERT, &convert) ? -errno : 0;
}

int tdx_open_gmem(struct guest *g, struct slot *s)
{
	struct create_guest_memfd create = { .size = s->gmem_offset + s->size };

	s->gmem_fd = ioctl(g->vm_fd, CREATE_GUEST_MEMFD, &create);
	if (s->gmem_fd < 0)
		return -errno;
	s->flags |= MEM_GUEST_MEMFD;
	return 0;
}

static uint64_t gmem_offset(const struct slot *s, uint64_t gpa)
{
	return s->gmem_offset + (gpa & ~s->shared_mask) - s->gpa;
}

int tdx_copy(struct guest *g, const struct slot *s, uint64_t gpa, void *buffer, size_t n,
	     bool write)
{
	struct softtdx_copy copy = {
		.gmem_fd = s->gmem_fd,
		.write = write,
		.offset = gmem_offset(s, gpa),
		.bytes = n,
		.buffer = (uintptr_t)buffer,
	};

	/* What is written comes to be; what is read is there or is not. */
	if (write && tdx_allocate(s, gpa & ~(SIZE_4K - 1), SIZE_4K))
		return -errno;
	return ioctl(g->tdx_fd, SOFTTDX_COPY, &copy) ? -errno : 0;
}

static int change_file(const struct slot *s, uint64_t gpa, uint64_t len, int mode)
{
	return fallocate(s->gmem_fd, mode | FALLOC_FL_KEEP_SIZE, gmem_offset(s, gpa), len) ? -errno
											   : 0;
}

int tdx_punch(const struct slot *s, uint64_t gpa, uint64_t len)
{
	return change_file(s, gpa, len, FALLOC_FL_PUNCH_HOLE);
}

int tdx_allocate(const struct slot *s, uint64_t gpa, uint64_t len)
{
	return change_file(s, gpa, len, 0);
}

int vm_prefault(struct vcpu *v, uint64_t gpa, uint64_t len)
{
	struct pre_fault_memory range = { .gpa = gpa & ~v->guest->shared_mask, .size = len };

	/* It ends early for a signal, and says how far it came. */
	while (range.size)
		if (ioctl(v->fd, PRE_FAULT_MEMORY, &range) && errno != EINTR && errno != EAGAIN)
			return -errno;
	return 0;
}

/* The guest's code, stacks and page tables were made in the VMM's half of the system slot. */
static int move_system(struct guest *g)
{
	struct slot *s = &g->slot[0];
	char *copy = malloc(g->tables_end);
	int err = 0;

	if (!copy)
		return -ENOMEM;
	memcpy(copy, s->hva, g->tables_end);
	for (uint64_t at = 0; at < g->tables_end && !err; at += SIZE_4K)
		err = tdx_copy(g, s, s->gpa + at, copy + at, SIZE_4K, true);
	if (!err && madvise(s->hva, s->size, MADV_DONTNEED))
		err = -errno;
	if (err)
		free(copy);
	else
		g->system_copy = copy;
	return err;
}

int tdx_attributes(struct guest *g)
{
	int err = 0;

	for (int i = 0; i < g->slot_count && !err; i++) {
		const struct slot *s = &g->slot[i];
		uint64_t rest = s->size - s->private_size;

		if (s->private_size)
			err = memory_set_private(g, s->gpa, s->private_size, true);
		if (!err && s->private && rest)
			err = memory_set_private(g, s->gpa + s->private_size, rest, false);
	}
	return err ? err : memory_set_private(g, MAILBOX_GPA, MAX_VCPUS * SIZE_4K, false);
}

int tdx_begin(struct guest *g)
{
	int err = tdx_attributes(g);

	if (!err)
		err = move_system(g);
	for (int i = 0; i < MAX_VCPUS && !err; i++)
		err = tdx_punch(&g->slot[0], MAILBOX_GPA + i * SIZE_4K, SIZE_4K);
	return err;
}
