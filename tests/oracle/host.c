// SPDX-License-Identifier: GPL-2.0
/* What the host says of its memory and of a process. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

#define PAGE	     4096UL
#define PFN_MASK     ((1UL << 55) - 1)
#define PRESENT	     (1UL << 63)
#define KPF_RESERVED (1UL << 32)
#define STOP_TRIES   2000
#define STOP_WAIT_US 500

static void add_area(struct area *list, int *count, uint64_t first, uint64_t last)
{
	if (*count < MAX_AREAS)
		list[(*count)++] = (struct area){ first, last };
}

static int read_iomem(struct host *h)
{
	FILE *f = fopen("/proc/iomem", "r");
	uint64_t first, last;
	char line[160], name[80];

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %" SCNx64 "-%" SCNx64 " : %79[^\n]", &first, &last, name) != 3)
			continue;
		if (!strcmp(name, "System RAM"))
			add_area(h->ram, &h->rams, first, last);
		else if (!strncmp(name, "Kernel ", 7))
			add_area(h->kernel, &h->kernels, first, last);
	}
	fclose(f);
	/* Without CAP_SYS_ADMIN every address reads as 0. */
	return h->rams && h->ram[0].last ? 0 : -EPERM;
}

static int find_zero_page(struct host *h)
{
	/* cppcheck-suppress invalidFunctionArg ; -1 is what an anonymous mapping has */
	volatile const char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	int err = -errno;

	if (page != MAP_FAILED && fd >= 0) {
		(void)*page;
		err = host_pagemap(fd, (uintptr_t)page, &h->zero_page);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

int host_read(struct host *h)
{
	int err;

	memset(h, 0, sizeof(*h));
	h->kpageflags = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (h->kpageflags < 0)
		return -errno;
	err = read_iomem(h);
	return err ? err : find_zero_page(h);
}

bool host_is_ram(const struct host *h, uint64_t hpa, uint64_t size)
{
	for (int i = 0; i < h->rams; i++)
		if (hpa >= h->ram[i].first && hpa + size - 1 <= h->ram[i].last)
			return true;
	return false;
}

static bool is_reserved(const struct host *h, uint64_t hpa)
{
	uint64_t flags;

	return pread(h->kpageflags, &flags, 8, hpa / PAGE * 8) == 8 && flags & KPF_RESERVED;
}

/* Parts of the kernel's areas that only served its start are ordinary memory afterwards. */
bool host_is_kernel(const struct host *h, uint64_t hpa, uint64_t size)
{
	for (int i = 0; i < h->kernels; i++)
		for (uint64_t at = hpa; at < hpa + size; at += PAGE)
			if (at >= h->kernel[i].first && at <= h->kernel[i].last &&
			    is_reserved(h, at))
				return true;
	return false;
}

static bool all_stopped(int pid)
{
	char path[300];
	bool all = true;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *dir = opendir(path);

	if (!dir)
		return false;
	/* cppcheck-suppress readdirCalled ; one thread, its own stream */
	for (struct dirent *d; all && (d = readdir(dir));) {
		char state = '?';

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", pid, d->d_name);
		FILE *f = fopen(path, "r");

		if (!f)
			continue; /* the thread has ended */
		if (fscanf(f, "%*d %*[^)]) %c", &state) != 1)
			state = '?';
		fclose(f);
		all = state == 'T';
	}
	closedir(dir);
	return all;
}

int host_stop(int pid)
{
	if (kill(pid, SIGSTOP))
		return -errno;
	for (int i = 0; i < STOP_TRIES; i++) {
		if (all_stopped(pid))
			return 0;
		usleep(STOP_WAIT_US);
	}
	return -ETIMEDOUT;
}

int host_continue(int pid)
{
	return kill(pid, SIGCONT) ? -errno : 0;
}

int host_pagemap(int fd, uint64_t hva, uint64_t *hpa)
{
	uint64_t entry;

	if (pread(fd, &entry, 8, hva / PAGE * 8) != 8)
		return -errno;
	if (!(entry & PRESENT))
		return -ENOENT;
	*hpa = (entry & PFN_MASK) * PAGE;
	return *hpa ? 0 : -EPERM;
}
