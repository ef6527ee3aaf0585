// SPDX-License-Identifier: GPL-2.0
/* Physical memory of a machine, as a file. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oracle.h"

#define FOUR_GIB 0x100000000UL
#define PAGE	 4096UL

int ram_open(struct ram *ram, const char *path, uint64_t low)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		int err = -errno;

		close(fd);
		return err;
	}
	ram->size = st.st_size;
	ram->low = low && low < ram->size ? low : ram->size;
	ram->base = mmap(NULL, ram->size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return ram->base == MAP_FAILED ? -errno : 0;
}

const uint64_t *ram_page(const struct ram *ram, uint64_t hpa)
{
	uint64_t offset = hpa;

	if (hpa >= FOUR_GIB)
		offset = hpa - FOUR_GIB + ram->low;
	else if (hpa >= ram->low)
		return NULL;
	/* A machine without high memory has none above 4 GiB either. */
	if (offset < hpa - (hpa >= FOUR_GIB ? FOUR_GIB : 0) || offset + PAGE > ram->size)
		return NULL;
	return (const uint64_t *)(ram->base + offset);
}
