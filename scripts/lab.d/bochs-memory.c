// SPDX-License-Identifier: GPL-2.0
/*
 * L1's physical memory, from outside the emulator, through /proc/PID/mem. Bochs gives guest memory
 * host memory in blocks, in the order of their first use; the stamps that the option ROM put in
 * each (bochs-rom.S) tell where they are.
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bochs-l1.h"
#include "bochs-link.h"

#define BLOCKS_MAX (0x100000000ull / BOOT_BLOCK)
/* Block 0 is among the first that are used. */
#define FIRST_BLOCK_SEARCH (8u << 20)

/* Each block's address in the emulator, 0 where there is none. */
static struct {
	pid_t pid;
	int fd;
	uint64_t base;
	uint64_t block[BLOCKS_MAX];
} memory;

static void guest_access(uint64_t address, void *bytes, size_t size, bool write)
{
	while (size) {
		uint64_t block = address / BOOT_BLOCK, offset = address % BOOT_BLOCK;
		size_t piece = BOOT_BLOCK - offset < size ? BOOT_BLOCK - offset : size;
		ssize_t done;

		if (block >= BLOCKS_MAX || !memory.block[block])
			errx(2, "L1 has no memory at 0x%llx: give it more (--mem)",
			     (unsigned long long)address);
		done = write ? pwrite(memory.fd, bytes, piece, memory.block[block] + offset)
			     : pread(memory.fd, bytes, piece, memory.block[block] + offset);
		if (done != (ssize_t)piece)
			err(2, "the emulator's memory");
		address += piece;
		bytes = (char *)bytes + piece;
		size -= piece;
	}
}

void guest_read(uint64_t address, void *to, size_t size)
{
	guest_access(address, to, size, false);
}

void guest_write(uint64_t address, const void *from, size_t size)
{
	guest_access(address, (void *)from, size, true);
}

/* The stamp's physical address, or -1. */
static int64_t stamp_read(uint64_t at)
{
	uint32_t stamp[3];

	if (pread(memory.fd, stamp, sizeof(stamp), at + BOOT_STAMP) != sizeof(stamp) ||
	    stamp[0] != BOOT_MAGIC_LOW || stamp[1] != BOOT_MAGIC_HIGH)
		return -1;
	return stamp[2];
}

/* Where the emulator keeps the guest's memory: it says so in its log, once; 0: not yet. */
static uint64_t memory_base(const char *log_path)
{
	FILE *log = fopen(log_path, "re");
	uint64_t base = 0;
	char line[512];

	while (log && !base && fgets(line, sizeof(line), log)) {
		const char *vector = strstr(line, "after alignment, vector=");

		if (vector && strchr(line, '\n'))
			base = strtoull(strchr(vector, '=') + 1, NULL, 16);
	}
	if (log)
		fclose(log);
	return base;
}

/* Finds all blocks and removes their stamps; false: the ROM is not done. */
static bool blocks_find(uint64_t base)
{
	static const uint32_t none[4];
	uint32_t stamped = 0;

	for (uint64_t at = base; !stamped && at < base + FIRST_BLOCK_SEARCH; at += BOOT_BLOCK)
		if (stamp_read(at) == 0 &&
		    pread(memory.fd, &stamped, sizeof(stamped), at + BOOT_STAMPED) < 0)
			err(2, "the emulator's memory");
	for (uint64_t at = base; stamped && at - base < BLOCKS_MAX * BOOT_BLOCK; at += BOOT_BLOCK) {
		int64_t address = stamp_read(at);

		if (address < 0 || address % BOOT_BLOCK)
			continue;
		memory.block[address / BOOT_BLOCK] = at;
		if (pwrite(memory.fd, none, sizeof(none), at + BOOT_STAMP) != sizeof(none))
			err(2, "the emulator's memory");
	}
	return stamped;
}

bool memory_find(pid_t pid, const char *log)
{
	char path[64];

	if (!memory.base) {
		memory.base = memory_base(log);
		if (!memory.base)
			return false;
		/* Not before: the file belongs to the program that runs when it is opened. */
		snprintf(path, sizeof(path), "/proc/%d/mem", pid);
		memory.pid = pid;
		memory.fd = open(path, O_RDWR | O_CLOEXEC);
		if (memory.fd < 0)
			err(2, "%s", path);
	}
	return blocks_find(memory.base);
}

/* One block of L1's memory into the file. */
static void block_save(int out, uint64_t address, const char *path)
{
	static const char zeroes[PAGE_SIZE];
	static char block[BOOT_BLOCK];

	guest_read(address, block, sizeof(block));
	for (uint32_t page = 0; page < BOOT_BLOCK; page += PAGE_SIZE)
		if (memcmp(block + page, zeroes, PAGE_SIZE) &&
		    pwrite(out, block + page, PAGE_SIZE, address + page) != PAGE_SIZE)
			err(2, "%s", path);
}

void memory_save(const char *path)
{
	char new[PATH_MAX];
	uint64_t end = 0;
	int out, status;

	snprintf(new, sizeof(new), "%s.new", path);
	out = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		err(2, "%s", new);
	if (kill(memory.pid, SIGSTOP) || waitpid(memory.pid, &status, WUNTRACED) < 0 ||
	    !WIFSTOPPED(status))
		errx(2, "the emulator cannot be stopped");
	for (uint64_t i = 0; i < BLOCKS_MAX; i++) {
		if (!memory.block[i])
			continue;
		block_save(out, i * BOOT_BLOCK, new);
		end = (i + 1) * BOOT_BLOCK;
	}
	kill(memory.pid, SIGCONT);
	if (ftruncate(out, end) || close(out) || rename(new, path))
		err(2, "%s", path);
}
