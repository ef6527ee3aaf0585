// SPDX-License-Identifier: GPL-2.0
/* Backing memory of the slots, KVM's registration of it, and the host's pagemap. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mailbox.h"
#include "pages.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif

/* uapi of kernels newer than this machine's headers */
#define MEM_GUEST_MEMFD	      (1U << 2)
#define MEM_ATTRIBUTE_PRIVATE (1ULL << 3)
#define GMEM_MMAP_INIT_SHARED 3 /* GUEST_MEMFD_FLAG_MMAP, _INIT_SHARED */
#define SET_REGION2	      _IOW(KVMIO, 0x49, struct region2)
#define SET_MEMORY_ATTRIBUTES _IOW(KVMIO, 0xd2, struct memory_attributes)
#define CREATE_GUEST_MEMFD    _IOWR(KVMIO, 0xd4, struct create_guest_memfd)

struct region2 {
	struct kvm_userspace_memory_region region;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t pad1;
	uint64_t pad2[14];
};

struct memory_attributes {
	uint64_t address, size, attributes, flags;
};

struct create_guest_memfd {
	uint64_t size, flags, reserved[6];
};

#define ROM_ADDRESS 0xf0000 /* of a PC's firmware */

#define PAGEMAP_PFN_MASK ((1ULL << 55) - 1)
#define PAGEMAP_SWAPPED	 (1ULL << 62)
#define PAGEMAP_PRESENT	 (1ULL << 63)
#define PAGEMAP_BATCH	 4096 /* entries read at once */

/* An address range congruent to 'gpa' modulo 'align', plus skew; nothing is mapped there yet. */
static char *reserve(uint64_t gpa, uint64_t size, uint64_t align, uint64_t skew)
{
	uint64_t span = size + 2 * align;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	/* cppcheck-suppress invalidFunctionArg ; -1 is what an anonymous mapping has */
	char *base = mmap(NULL, span, PROT_NONE, flags, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	uint64_t want = (uint64_t)(uintptr_t)base + align;

	want -= (want - gpa) % align;
	/* cppcheck-suppress memleak ; it is the slot's for as long as the process lives */
	return (char *)(uintptr_t)(want + skew);
}

int memory_map_anon(struct slot *s, char *hva, uint64_t len)
{
	if (s->backing == BACKING_DEVICE || s->backing == BACKING_GMEM ||
	    s->backing == BACKING_FILE)
		return -EINVAL;

	int prot = PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;

	if (s->backing == BACKING_HUGETLB_2M)
		flags = (flags & ~MAP_NORESERVE) | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT;
	if (s->backing == BACKING_HUGETLB_1G)
		flags = (flags & ~MAP_NORESERVE) | MAP_HUGETLB | 30 << MAP_HUGE_SHIFT;
	/* cppcheck-suppress [invalidFunctionArg, leakReturnValNotUsed] */
	if (mmap(hva, len, prot, flags, -1, 0) == MAP_FAILED)
		return -errno;
	if (s->backing == BACKING_ANON)
		madvise(hva, len, MADV_NOHUGEPAGE);
	if (s->backing == BACKING_THP)
		madvise(hva, len, MADV_HUGEPAGE);
	return 0;
}

static long read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Asks the kernel for 'want' free huge pages; false: it has fewer. */
static bool reserve_hugetlb(uint64_t page_size, long want)
{
	char total[96], unused[96];

	snprintf(total, sizeof(total),
		 "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages", page_size >> 10);
	snprintf(unused, sizeof(unused),
		 "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/free_hugepages",
		 page_size >> 10);
	long have = read_number(unused);

	if (have >= want)
		return true;
	if (have < 0)
		return false;
	FILE *f = fopen(total, "r+");

	if (!f)
		return false;
	fprintf(f, "%ld\n", read_number(total) + want - have);
	fclose(f);
	return read_number(unused) >= want;
}

/* Maps at the slot's address what is no anonymous memory. */
static int map_shared(struct slot *s, int fd, off_t offset)
{
	int prot = PROT_READ | PROT_WRITE;

	if (fd < 0)
		return -errno;
	/* cppcheck-suppress leakReturnValNotUsed */
	return mmap(s->hva, s->size, prot, MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED
		       ? -errno
		       : 0;
}

static void map_device(struct slot *s)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);

	if (map_shared(s, fd, ROM_ADDRESS))
		s->skipped = "the host does not give its firmware's ROM by /dev/mem";
	if (fd >= 0)
		close(fd);
}

static void map_file(struct guest *g, struct slot *s)
{
	int fd = open(g->opt.file, O_RDWR | O_CLOEXEC);

	if (map_shared(s, fd, 0))
		s->skipped = "the file of --file cannot be mapped";
	if (fd >= 0)
		close(fd);
}

static void map_gmem(struct guest *g, struct slot *s)
{
	struct create_guest_memfd create = { .size = s->size, .flags = GMEM_MMAP_INIT_SHARED };

	s->gmem_fd = ioctl(g->vm_fd, CREATE_GUEST_MEMFD, &create);
	if (map_shared(s, s->gmem_fd, 0))
		s->skipped = "KVM has no guest_memfd that can be mapped for such a VM";
	else
		s->flags |= MEM_GUEST_MEMFD;
}

static int alloc_slot(struct guest *g, struct slot *s)
{
	if (s->skipped || s->backing == BACKING_NONE)
		return 0;
	if (s->backing == BACKING_ALIAS) {
		s->hva = g->slot[s->alias_of].hva;
		return 0;
	}
	if (s->backing == BACKING_HUGETLB_2M && !reserve_hugetlb(SIZE_2M, s->size / SIZE_2M)) {
		s->skipped = "the host has not enough free 2M hugetlb pages";
		return 0;
	}
	if (s->backing == BACKING_HUGETLB_1G && !reserve_hugetlb(SIZE_1G, s->size / SIZE_1G)) {
		s->skipped = "the host has no free 1G hugetlb page";
		return 0;
	}
	uint64_t align = s->size >= SIZE_1G ? SIZE_1G : SIZE_2M;

	s->hva = reserve(s->gpa, s->size, align, s->skew);
	if (!s->hva)
		return -ENOMEM;
	if (s->backing == BACKING_DEVICE)
		map_device(s);
	else if (s->backing == BACKING_GMEM)
		map_gmem(g, s);
	else if (s->backing == BACKING_FILE)
		map_file(g, s);
	if (s->backing == BACKING_DEVICE || s->backing == BACKING_GMEM ||
	    s->backing == BACKING_FILE) {
		if (s->skipped)
			s->hva = NULL;
		return 0;
	}
	int err = memory_map_anon(s, s->hva - s->room, s->size + 2 * s->room);

	if (!err && s->private)
		err = tdx_open_gmem(g, s);
	if (!err)
		return 0;
	s->hva = NULL;
	if (s->backing == BACKING_HUGETLB_2M || s->backing == BACKING_HUGETLB_1G) {
		s->skipped = "the host's hugetlb pages cannot be mapped";
		return 0;
	}
	return err;
}

/* A slot that this machine cannot have is marked as skipped; only a real failure is an error. */
int memory_alloc(struct guest *g)
{
	for (int i = 0; i < g->slot_count; i++) {
		int err = alloc_slot(g, &g->slot[i]);

		if (err)
			return err;
	}

	/* Reads of the read-only slot shall find memory, not the zero page. */
	for (int i = 0; i < g->slot_count; i++) {
		struct slot *s = &g->slot[i];

		if (s->flags & KVM_MEM_READONLY)
			for (uint64_t at = 0; at < s->size; at += SIZE_4K)
				*(volatile uint64_t *)(s->hva + at) = s->gpa + at;
	}
	return 0;
}

static int set_region(struct guest *g, struct slot *s, uint64_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = s->id,
		.flags = flags,
		.guest_phys_addr = s->gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)s->hva,
	};

	struct region2 region2 = { .region = region, .guest_memfd = s->gmem_fd };

	if (s->flags & MEM_GUEST_MEMFD && size) {
		region2.guest_memfd_offset = s->gmem_offset;
		return ioctl(g->vm_fd, SET_REGION2, &region2) ? -errno : 0;
	}
	return ioctl(g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) ? -errno : 0;
}

int memory_set_private(struct guest *g, uint64_t gpa, uint64_t len, bool private)
{
	struct memory_attributes attributes = {
		.address = gpa & ~g->shared_mask,
		.size = len,
		.attributes = private ? MEM_ATTRIBUTE_PRIVATE : 0,
	};

	return ioctl(g->vm_fd, SET_MEMORY_ATTRIBUTES, &attributes) ? -errno : 0;
}

/* Adds the slot to the VM or deletes it. -EALREADY: it is so already. */
int memory_register(struct guest *g, struct slot *s, bool on)
{
	int err;

	pthread_mutex_lock(&g->slots_lock);
	if (!s->hva)
		err = -ENODEV;
	else if (s->registered == on)
		err = -EALREADY;
	else
		err = set_region(g, s, on ? s->size : 0, on ? s->flags : 0);
	if (!err)
		s->registered = on;
	pthread_mutex_unlock(&g->slots_lock);
	return err;
}

int memory_set_flags(struct guest *g, struct slot *s, uint32_t flags)
{
	int err = 0;

	pthread_mutex_lock(&g->slots_lock);
	if (s->registered)
		err = set_region(g, s, s->size, flags);
	if (!err)
		s->flags = flags;
	pthread_mutex_unlock(&g->slots_lock);
	return err;
}

uint64_t memory_bitmap_bytes(const struct slot *s)
{
	return (s->size / SIZE_4K + 63) / 64 * 8;
}

int memory_dirty_log(struct guest *g, const struct slot *s, uint64_t *bitmap)
{
	struct kvm_dirty_log log = { .slot = s->id, .dirty_bitmap = bitmap };

	return ioctl(g->vm_fd, KVM_GET_DIRTY_LOG, &log) ? -errno : 0;
}

int memory_clear_dirty(struct guest *g, const struct slot *s)
{
	uint64_t *bitmap = malloc(memory_bitmap_bytes(s));
	struct kvm_clear_dirty_log log = {
		.slot = s->id,
		.num_pages = s->size / SIZE_4K,
		.dirty_bitmap = bitmap,
	};
	int err = -ENOMEM;

	if (bitmap) {
		memset(bitmap, 0xff, memory_bitmap_bytes(s));
		err = ioctl(g->vm_fd, KVM_CLEAR_DIRTY_LOG, &log) ? -errno : 0;
	}
	free(bitmap);
	return err;
}

void *memory_hva(const struct slot *s, uint64_t gpa)
{
	return s->hva ? s->hva + ((gpa & ~s->shared_mask) - s->gpa) : NULL;
}

static bool is_private_gpa(const struct slot *s, uint64_t gpa)
{
	return s->private && !(gpa & s->shared_mask);
}

int memory_store(struct guest *g, const struct slot *s, uint64_t gpa, const void *from, size_t n)
{
	if (is_private_gpa(s, gpa))
		return tdx_copy(g, s, gpa, (void *)(uintptr_t)from, n, true);
	memcpy(memory_hva(s, gpa), from, n);
	return 0;
}

int memory_load(struct guest *g, const struct slot *s, uint64_t gpa, void *to, size_t n)
{
	if (is_private_gpa(s, gpa))
		return tdx_copy(g, s, gpa, to, n, false);
	memcpy(to, memory_hva(s, gpa), n);
	return 0;
}

int memory_put_code(struct guest *g, const struct slot *s, uint64_t gpa)
{
	const uint8_t ret = 0xc3;

	return memory_store(g, s, gpa + EXEC_OFFSET, &ret, 1);
}

static int pagemap_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	return fd;
}

static int decode_pagemap(uint64_t entry, uint64_t *hpa)
{
	if (entry & PAGEMAP_SWAPPED)
		return -EIO;
	if (!(entry & PAGEMAP_PRESENT))
		return -ENOENT;
	*hpa = (entry & PAGEMAP_PFN_MASK) * SIZE_4K;
	/* The kernel hides frame numbers from a process without CAP_SYS_ADMIN. */
	return *hpa ? 0 : -EPERM;
}

int memory_hpa(const void *hva, uint64_t *hpa)
{
	uint64_t entry;

	if (pread(pagemap_fd(), &entry, 8, (uintptr_t)hva / SIZE_4K * 8) != 8)
		return -errno;
	return decode_pagemap(entry, hpa);
}

static int pagemap_slot(struct slot *s, FILE *out, uint64_t *count)
{
	static uint64_t entry[PAGEMAP_BATCH];
	uint64_t pages = s->size / SIZE_4K;

	for (uint64_t at = 0; at < pages; at += PAGEMAP_BATCH) {
		uint64_t n = pages - at < PAGEMAP_BATCH ? pages - at : PAGEMAP_BATCH;
		off_t offset = ((uintptr_t)s->hva / SIZE_4K + at) * 8;

		if (pread(pagemap_fd(), entry, n * 8, offset) != (ssize_t)(n * 8))
			return -errno;
		for (uint64_t i = 0; i < n; i++) {
			uint64_t hpa;

			if (decode_pagemap(entry[i], &hpa))
				continue;
			fprintf(out, "0x%" PRIx64 " 0x%" PRIx64 "\n",
				s->shared_mask + s->gpa + (at + i) * SIZE_4K, hpa);
			(*count)++;
		}
	}
	return 0;
}

int memory_pagemap_file(struct guest *g, const char *path, uint64_t *count)
{
	FILE *out = fopen(path, "w");
	int err = 0;

	if (!out)
		return -errno;
	*count = 0;
	for (int i = 0; i < g->slot_count && !err; i++)
		if (g->slot[i].registered)
			err = pagemap_slot(&g->slot[i], out, count);
	if (fclose(out) && !err)
		err = -errno;
	return err;
}
