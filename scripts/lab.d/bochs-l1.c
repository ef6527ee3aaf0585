// SPDX-License-Identifier: GPL-2.0
/*
 * L1 under Bochs, from the host: starts the emulator, puts kernel and initramfs straight into the
 * guest's memory when the option ROM (bochs-rom.S) asks for them, and keeps directories alike on
 * both sides while L1 runs. When L1 asks the host to run something (lab-outside), L1's physical
 * memory as it is at that moment is written to a file first.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bochs-link.h"

#define PAGE_SIZE		4096u
#define BLOCKS_MAX		(0x100000000ull / BOOT_BLOCK)
#define HUGE_ALIGN		(2ull << 20)
#define POLL_NS			2000000
/* Block 0 is among the first that are used. */
#define FIRST_BLOCK_SEARCH	(8u << 20)

/* Where the kernel finds what PVH gives it: free low memory. */
#define START_INFO		0x8000
#define START_MODULES		0x8100
#define START_MEMORY_MAP	0x8200
#define START_COMMAND_LINE	0x9000
#define COMMAND_LINE_MAX	2048

/* The PVH boot protocol (Xen's hvm_start_info, version 1). */
#define START_INFO_MAGIC	0x336ec578
#define NOTE_PHYS32_ENTRY	18

struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t modules_address, command_line, rsdp, memory_map;
	uint32_t memory_map_entries, reserved;
};

struct start_module {
	uint64_t address, size, command_line, reserved;
};

struct start_memory {
	uint64_t address, size;
	uint32_t type, reserved;
};

enum { MEMORY_RAM = 1, MEMORY_RESERVED = 2 };

/* The guest's memory in the emulator: each block's address there, 0 where there is none. */
struct guest_memory {
	pid_t pid;
	int fd;
	uint64_t block[BLOCKS_MAX];
};

static struct guest_memory memory;
static const char *ram_path;
static volatile sig_atomic_t stopped;

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

static void guest_read(uint64_t address, void *to, size_t size)
{
	guest_access(address, to, size, false);
}

static void guest_write(uint64_t address, const void *from, size_t size)
{
	guest_access(address, (void *)from, size, true);
}

static uint32_t guest_u32(uint64_t address)
{
	uint32_t value;

	guest_read(address, &value, sizeof(value));
	return value;
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

/* True: all blocks are stamped and found, and the ROM waits for a kernel. */
static bool memory_find(uint64_t base)
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

static const char *file_map(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	void *bytes;

	if (fd < 0 || fstat(fd, &stat))
		err(2, "%s", path);
	bytes = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		err(2, "%s", path);
	close(fd);
	*size = stat.st_size;
	return bytes;
}

/* The address in the ELF note that says where PVH enters; 0: this segment has no such note. */
static uint32_t pvh_entry(const char *notes, size_t size)
{
	while (size > sizeof(Elf64_Nhdr)) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)notes;
		size_t name = (note->n_namesz + 3) & ~3u, desc = (note->n_descsz + 3) & ~3u;
		size_t whole = sizeof(*note) + name + desc;

		if (whole > size)
			break;
		if (note->n_type == NOTE_PHYS32_ENTRY && !strcmp(notes + sizeof(*note), "Xen"))
			return *(const uint32_t *)(notes + sizeof(*note) + name);
		notes += whole;
		size -= whole;
	}
	return 0;
}

/* Puts the kernel's segments in place; its entry point, and in *END where it ends. */
static uint32_t kernel_load(const char *path, uint64_t *end)
{
	size_t size;
	const char *file = file_map(path, &size);
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)file;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(file + elf->e_phoff);
	uint32_t entry = 0;

	if (size < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_phoff + elf->e_phnum * sizeof(*segment) > size)
		errx(2, "%s: no ELF file: run 'scripts/lab prepare'", path);
	*end = 0;
	for (int i = 0; i < elf->e_phnum; i++, segment++) {
		if (segment->p_offset + segment->p_filesz > size)
			errx(2, "%s: cut off: run 'scripts/lab prepare'", path);
		if (segment->p_type == PT_NOTE)
			entry = entry ?: pvh_entry(file + segment->p_offset, segment->p_filesz);
		if (segment->p_type != PT_LOAD)
			continue;
		guest_write(segment->p_paddr, file + segment->p_offset, segment->p_filesz);
		if (segment->p_paddr + segment->p_memsz > *end)
			*end = segment->p_paddr + segment->p_memsz;
	}
	munmap((void *)file, size);
	if (!entry)
		errx(2, "%s: has no PVH entry", path);
	return entry;
}

/* Puts the initramfs files, one after the other, below TOP; the address and, in *TOTAL, size. */
static uint64_t initramfs_load(char *const *paths, int count, uint64_t top, uint64_t *total)
{
	uint64_t at, size = 0;
	struct stat file;

	for (int i = 0; i < count; i++) {
		if (stat(paths[i], &file))
			err(2, "%s", paths[i]);
		size += (file.st_size + 3) & ~3ull;
	}
	*total = size;
	at = top = (top - size) & ~(PAGE_SIZE - 1ull);
	for (int i = 0; i < count; i++) {
		size_t bytes;
		const char *cpio = file_map(paths[i], &bytes);

		guest_write(at, cpio, bytes);
		munmap((void *)cpio, bytes);
		at += (bytes + 3) & ~3ull;
	}
	return top;
}

/* The BIOS' memory map with the link taken out of the RAM below 4 GiB; the link's address. */
static uint64_t memory_map_make(struct start_memory *map, uint32_t *entries)
{
	struct start_memory *ram = NULL;
	uint64_t end;

	*entries = guest_u32(BOOT_MAP_COUNT);
	if (!*entries || *entries >= BOOT_MAP_MAX)
		errx(2, "the BIOS told no memory map");
	for (uint32_t i = 0; i < *entries; i++) {
		guest_read(BOOT_MAP + i * BOOT_MAP_ENTRY, &map[i], BOOT_MAP_ENTRY);
		map[i].reserved = 0;
		if (map[i].type == MEMORY_RAM && map[i].address < 1ull << 32 &&
		    (!ram || map[i].size > ram->size))
			ram = &map[i];
	}
	if (!ram || ram->size < 4 * LINK_SIZE)
		errx(2, "the BIOS' memory map has no room for the link");
	end = ram->address + ram->size;
	ram->size = ((end - LINK_SIZE) & ~(HUGE_ALIGN - 1)) - ram->address;
	map[*entries] = (struct start_memory){ .address = ram->address + ram->size,
					       .size = end - ram->address - ram->size,
					       .type = MEMORY_RESERVED };
	return map[(*entries)++].address;
}

/* Boots the kernel that the ROM waits for; the link's address. */
static uint64_t kernel_start(const char *kernel, char *const *initramfs, int count,
			     const char *command_line)
{
	struct start_memory map[BOOT_MAP_MAX + 1];
	struct link_area area = { .magic = LINK_MAGIC };
	char line[COMMAND_LINE_MAX];
	struct start_module module = {};
	struct start_info info = {
		.magic = START_INFO_MAGIC, .version = 1, .modules = 1,
		.modules_address = START_MODULES, .command_line = START_COMMAND_LINE,
		.memory_map = START_MEMORY_MAP,
	};
	uint64_t link = memory_map_make(map, &info.memory_map_entries), kernel_end;
	uint32_t entry = kernel_load(kernel, &kernel_end), start = START_INFO;

	module.address = initramfs_load(initramfs, count, link, &module.size);
	if (module.address < kernel_end)
		errx(2, "L1's memory does not hold the kernel and its %llu MiB of files: "
		     "give it more (--mem)", (unsigned long long)module.size >> 20);
	if (snprintf(line, sizeof(line), "%s " LINK_PARAMETER "0x%llx", command_line,
		     (unsigned long long)link) >= (int)sizeof(line))
		errx(2, "the kernel's command line is too long");
	guest_write(link, &area, sizeof(area));
	guest_write(START_COMMAND_LINE, line, strlen(line) + 1);
	guest_write(START_MEMORY_MAP, map, info.memory_map_entries * sizeof(*map));
	guest_write(START_MODULES, &module, sizeof(module));
	guest_write(START_INFO, &info, sizeof(info));
	guest_write(BOOT_EBX, &start, sizeof(start));
	guest_write(BOOT_ENTRY, &entry, sizeof(entry));
	return link;
}

static void link_read(const struct link *link, uint64_t offset, void *to, size_t size)
{
	guest_read(*(uint64_t *)link->private + offset, to, size);
}

static void link_write(const struct link *link, uint64_t offset, const void *from, size_t size)
{
	guest_write(*(uint64_t *)link->private + offset, from, size);
}

/* One block of L1's memory into the file; pages of zeroes are left out as holes. */
static void block_save(int out, uint64_t address)
{
	static const char zeroes[PAGE_SIZE];
	static char block[BOOT_BLOCK];

	guest_read(address, block, sizeof(block));
	for (uint32_t page = 0; page < BOOT_BLOCK; page += PAGE_SIZE)
		if (memcmp(block + page, zeroes, PAGE_SIZE) &&
		    pwrite(out, block + page, PAGE_SIZE, address + page) != PAGE_SIZE)
			err(2, "%s", ram_path);
}

/* Writes L1's memory to a new file; L1 stands still meanwhile. */
static void ram_save(void)
{
	char path[PATH_MAX];
	uint64_t end = 0;
	int out, status;

	snprintf(path, sizeof(path), "%s.new", ram_path);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (out < 0)
		err(2, "%s", path);
	if (kill(memory.pid, SIGSTOP) || waitpid(memory.pid, &status, WUNTRACED) < 0 ||
	    !WIFSTOPPED(status))
		errx(2, "the emulator cannot be stopped");
	for (uint64_t i = 0; i < BLOCKS_MAX; i++) {
		if (!memory.block[i])
			continue;
		block_save(out, i * BOOT_BLOCK);
		end = (i + 1) * BOOT_BLOCK;
	}
	kill(memory.pid, SIGCONT);
	if (ftruncate(out, end) || close(out) || rename(path, ram_path))
		err(2, "%s", ram_path);
}

/* Where the time goes, whatever else the machine does: a line for each of L1's phases. */
static void cpu_time_print(void)
{
	struct timespec used = {};
	clockid_t clock;

	if (!clock_getcpuclockid(memory.pid, &clock))
		clock_gettime(clock, &used);
	fprintf(stderr, "bochs-l1: next phase after %ld.%02ld s of CPU time\n", (long)used.tv_sec,
		used.tv_nsec / 10000000);
}

/* A request of lab-outside is complete when its 'ready' comes. */
static void on_arrival(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (!strcmp(name, "out/phase"))
		cpu_time_print();
	if (!strncmp(name, "outside/", 8) && !strcmp(slash, "/ready"))
		ram_save();
}

static void on_signal(int signal)
{
	stopped = signal;
}

/* Starts the emulator on a terminal of its own; its screen goes to a file. */
static int emulator_start(char *const *argv)
{
	const struct winsize size = { .ws_row = 30, .ws_col = 100 };
	int terminal;

	memory.pid = forkpty(&terminal, NULL, NULL, &size);
	if (memory.pid < 0)
		err(2, "forkpty");
	if (!memory.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("TERM", "vt100", 1);
		execvp(argv[0], argv);
		warn("%s", argv[0]);
		_exit(127);
	}
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	fcntl(terminal, F_SETFD, FD_CLOEXEC);
	return terminal;
}

/* The terminal must be read, or the emulator stops; the last of it helps when it fails. */
static void screen_drain(int terminal, int screen)
{
	char text[4096];
	ssize_t size;

	while ((size = read(terminal, text, sizeof(text))) > 0)
		if (write(screen, text, size) != size)
			break;
}

static bool emulator_runs(void)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int status;

	nanosleep(&pause, NULL);
	return !stopped && waitpid(memory.pid, &status, WNOHANG) == 0;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: bochs-l1 -k VMLINUX -i INITRAMFS... [-a COMMAND-LINE] -d DIRECTORY -r RAM\n"
		"                -l LOG -s SCREEN -- EMULATOR [ARGUMENT...]\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *kernel = NULL, *append = "", *dir = NULL, *log = NULL;
	const char *screen_path = "/dev/null";
	char *initramfs[16], path[64];
	uint64_t address, base = 0;
	struct link link = {
		.read = link_read, .write = link_write, .private = &address,
		.send_ring = offsetof(struct link_area, to_l1), .send_bytes = LINK_RING_SIZE * 2,
		.receive_ring = offsetof(struct link_area, to_host), .receive_bytes = LINK_RING_SIZE,
	};
	struct mirror *mirror;
	int count = 0, option, terminal, screen;
	uint32_t off = 0;

	while ((option = getopt(argc, argv, "k:i:a:d:r:l:s:")) != -1) {
		switch (option) {
		case 'k': kernel = optarg; break;
		case 'i':
			if (count == sizeof(initramfs) / sizeof(*initramfs))
				return usage();
			initramfs[count++] = optarg;
			break;
		case 'a': append = optarg; break;
		case 'd': dir = optarg; break;
		case 'r': ram_path = optarg; break;
		case 'l': log = optarg; break;
		case 's': screen_path = optarg; break;
		default: return usage();
		}
	}
	if (!kernel || !count || !dir || !ram_path || !log || optind == argc)
		return usage();

	screen = open(screen_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (screen < 0)
		err(2, "%s", screen_path);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGHUP, on_signal);
	terminal = emulator_start(argv + optind);
	snprintf(path, sizeof(path), "/proc/%d/mem", memory.pid);
	do {
		if (!emulator_runs())
			errx(3, "the emulator ended before L1's start: see %s", log);
		screen_drain(terminal, screen);
		base = base ?: memory_base(log);
		/* Not before: the file belongs to the program that runs when it is opened. */
		if (base && !memory.fd)
			memory.fd = open(path, O_RDWR | O_CLOEXEC);
		if (memory.fd < 0)
			err(2, "%s", path);
	} while (!base || !memory_find(base));
	address = kernel_start(kernel, initramfs, count, append);
	mirror = mirror_create(&link, dir, on_arrival);
	while (!off && emulator_runs()) {
		screen_drain(terminal, screen);
		link_read(&link, offsetof(struct link_area, off), &off, sizeof(off));
		while (mirror_step(mirror))
			;
	}
	kill(memory.pid, SIGKILL);
	return off ? 0 : 3;
}
