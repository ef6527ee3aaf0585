// SPDX-License-Identifier: GPL-2.0
/*
 * Starts a kernel in L1's memory by the PVH protocol (Xen's hvm_start_info): the uncompressed
 * kernel and the initramfs are copied in place, and the option ROM is told where to jump.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bochs-l1.h"
#include "bochs-link.h"

#define HUGE_ALIGN (2ull << 20)

/* Where the kernel finds what PVH gives it: free low memory. */
#define START_INFO	   0x8000
#define START_MODULES	   0x8100
#define START_MEMORY_MAP   0x8200
#define START_COMMAND_LINE 0x9000
#define COMMAND_LINE_MAX   2048

/* The PVH boot protocol (Xen's hvm_start_info, version 1). */
#define START_INFO_MAGIC  0x336ec578
#define NOTE_PHYS32_ENTRY 18

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

static uint32_t guest_u32(uint64_t address)
{
	uint32_t value;

	guest_read(address, &value, sizeof(value));
	return value;
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

/* Puts the initramfs below TOP; its address and, in *SIZE, its size. */
static uint64_t initramfs_load(const char *path, uint64_t top, uint64_t *size)
{
	size_t bytes;
	const char *cpio = file_map(path, &bytes);
	uint64_t at = (top - bytes) & ~(PAGE_SIZE - 1ull);

	if (bytes > top)
		errx(2, "%s: does not fit in L1's memory: give it more (--mem)", path);
	guest_write(at, cpio, bytes);
	munmap((void *)cpio, bytes);
	*size = bytes;
	return at;
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

uint64_t kernel_start(const char *vmlinux, const char *initramfs, const char *command_line)
{
	struct start_memory map[BOOT_MAP_MAX + 1];
	struct link_area area = { .magic = LINK_MAGIC };
	char line[COMMAND_LINE_MAX];
	struct start_module module = {};
	struct start_info info = {
		.magic = START_INFO_MAGIC,
		.version = 1,
		.modules = 1,
		.modules_address = START_MODULES,
		.command_line = START_COMMAND_LINE,
		.memory_map = START_MEMORY_MAP,
	};
	uint64_t link = memory_map_make(map, &info.memory_map_entries), kernel_end;
	uint32_t entry = kernel_load(vmlinux, &kernel_end), start = START_INFO;

	module.address = initramfs_load(initramfs, link, &module.size);
	if (module.address < kernel_end)
		errx(2, "L1's memory does not hold its kernel and files: give it more (--mem)");
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
