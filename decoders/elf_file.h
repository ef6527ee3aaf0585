/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sections of an ELF file (libelf), as a reader of debug information wants them:
 * decompressed, and relocated where the file is relocatable, as modules are.
 * The file is mapped, so that a section costs what is touched of it.
 */
#ifndef SPT_ELF_FILE_H
#define SPT_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/error.h"

/* NT_GNU_BUILD_ID: what ties debug information and layouts to the very build. */
struct spt_build_id {
	uint8_t id[20];
	unsigned int len; /* bytes in use; 0: none known */
};

#define SPT_BUILD_ID_TEXT 41

struct spt_elf;

/* -ENOENT, -EACCES ...; -ENOEXEC when it is no 64-bit little-endian ELF file. */
int spt_elf_open(const char *path, struct spt_elf **ret, struct spt_error *e);
void spt_elf_close(struct spt_elf *elf);

struct spt_elf_bytes {
	const uint8_t *bytes; /* belong to the file, until it is closed */
	size_t size;
};

/*
 * A section by name. 1 with *ret filled in, 0 when there is none or it has no
 * bytes in this file (stripped into another one), -EINVAL when it is damaged.
 */
int spt_elf_section(struct spt_elf *elf, const char *name, struct spt_elf_bytes *ret,
		    struct spt_error *e);

/* Whether the section is there and has bytes in this file. */
bool spt_elf_has_section(struct spt_elf *elf, const char *name);

/* Name of the separate debug file (.gnu_debuglink) and its CRC. 1, 0 none, or -errno. */
int spt_elf_debuglink(struct spt_elf *elf, const char **name, uint32_t *crc, struct spt_error *e);

/* The file's build id: 1, 0 none, or -errno. */
int spt_elf_build_id(struct spt_elf *elf, struct spt_build_id *ret, struct spt_error *e);

/* The build id in a sequence of ELF notes, such as /sys/kernel/notes. */
bool spt_build_id_parse(const void *notes, size_t size, struct spt_build_id *ret);

bool spt_build_id_equal(const struct spt_build_id *a, const struct spt_build_id *b);
/* In hexadecimal; "" for none. */
void spt_build_id_text(const struct spt_build_id *id, char buf[SPT_BUILD_ID_TEXT]);

#endif
