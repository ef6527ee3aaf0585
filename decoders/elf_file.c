// SPDX-License-Identifier: GPL-2.0
#include "decoders/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct spt_elf {
	Elf *elf;
	int fd;
	char *path;
	bool relocatable;
	size_t names;	 /* index of the section names' string table */
	bool *relocated; /* by section index */
	size_t sections;
};

static int damaged(struct spt_elf *elf, struct spt_error *e, const char *section)
{
	const char *why = elf_errmsg(-1);

	return spt_fail(e, EINVAL, "%s: damaged ELF file: section %s: %s", elf->path, section,
			why ? why : "bad contents");
}

static int check_header(struct spt_elf *elf, struct spt_error *e)
{
	GElf_Ehdr header;

	if (elf_kind(elf->elf) != ELF_K_ELF || !gelf_getehdr(elf->elf, &header) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return spt_fail(e, ENOEXEC, "%s: not an x86-64 ELF file", elf->path);
	if (elf_getshdrnum(elf->elf, &elf->sections) || elf_getshdrstrndx(elf->elf, &elf->names))
		return spt_fail(e, EINVAL, "%s: damaged ELF file: no section headers", elf->path);
	elf->relocatable = header.e_type == ET_REL;
	elf->relocated = calloc(elf->sections + 1, sizeof(*elf->relocated));
	return elf->relocated ? 0 : spt_fail(e, ENOMEM, "%s: out of memory", elf->path);
}

int spt_elf_open(const char *path, struct spt_elf **ret, struct spt_error *e)
{
	struct spt_elf *elf = calloc(1, sizeof(*elf));
	int err;

	if (!elf)
		return spt_fail(e, ENOMEM, "%s: out of memory", path);
	elf_version(EV_CURRENT);
	elf->path = strdup(path);
	elf->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (elf->fd < 0 || !elf->path) {
		err = spt_fail(e, errno, "%s: %s", path, strerror(errno));
	} else {
		/* Private and writable: relocations are applied in place. */
		elf->elf = elf_begin(elf->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
		err = elf->elf ? check_header(elf, e)
			       : spt_fail(e, ENOEXEC, "%s: not an ELF file", path);
	}
	if (err) {
		spt_elf_close(elf);
		return err;
	}
	*ret = elf;
	return 0;
}

void spt_elf_close(struct spt_elf *elf)
{
	if (!elf)
		return;
	elf_end(elf->elf);
	if (elf->fd >= 0)
		close(elf->fd);
	free(elf->relocated);
	free(elf->path);
	free(elf);
}

/* Store @value as relocation type @type wants it; false: a type that debug sections lack. */
static bool store(uint8_t *bytes, size_t size, uint64_t offset, uint32_t type, uint64_t value)
{
	size_t width;

	switch (type) {
	case R_X86_64_NONE:
		return true;
	case R_X86_64_64:
		width = 8;
		break;
	case R_X86_64_32:
	case R_X86_64_32S:
		width = 4;
		break;
	default:
		return false;
	}
	if (offset > size || size - offset < width)
		return false;
	memcpy(bytes + offset, &value, width); /* the machine is little-endian, as the file */
	return true;
}

/*
 * Apply the relocations of @rela to @data. Sections of a relocatable file start
 * at 0, so that a symbol's value is its offset in its section.
 */
static bool apply(struct spt_elf *elf, Elf_Scn *rela, const GElf_Shdr *header, Elf_Data *data)
{
	Elf_Data *entries = elf_getdata(rela, NULL);
	Elf_Data *symbols = elf_getdata(elf_getscn(elf->elf, header->sh_link), NULL);

	if (!entries || !symbols || entries->d_type != ELF_T_RELA || symbols->d_type != ELF_T_SYM)
		return false;

	const Elf64_Rela *r = entries->d_buf;
	const Elf64_Sym *symbol = symbols->d_buf;
	size_t nr = entries->d_size / sizeof(*r), nsymbols = symbols->d_size / sizeof(*symbol);

	for (size_t i = 0; i < nr; i++) {
		uint64_t index = ELF64_R_SYM(r[i].r_info);

		if (index >= nsymbols ||
		    !store(data->d_buf, data->d_size, r[i].r_offset, ELF64_R_TYPE(r[i].r_info),
			   symbol[index].st_value + (uint64_t)r[i].r_addend))
			return false;
	}
	return true;
}

static bool relocate(struct spt_elf *elf, size_t index, Elf_Data *data)
{
	Elf_Scn *scn = NULL;

	if (!elf->relocatable || index >= elf->sections || elf->relocated[index])
		return true;
	elf->relocated[index] = true;
	while ((scn = elf_nextscn(elf->elf, scn))) {
		GElf_Shdr header;

		if (!gelf_getshdr(scn, &header))
			return false;
		if (header.sh_type == SHT_RELA && header.sh_info == index &&
		    !apply(elf, scn, &header, data))
			return false;
	}
	return true;
}

/* The section called @name, NULL if there is none. */
static Elf_Scn *find_section(struct spt_elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf->elf, scn))) {
		const char *own;

		if (!gelf_getshdr(scn, header))
			continue;
		own = elf_strptr(elf->elf, elf->names, header->sh_name);
		if (own && !strcmp(own, name))
			return scn;
	}
	return NULL;
}

int spt_elf_section(struct spt_elf *elf, const char *name, struct spt_elf_bytes *ret,
		    struct spt_error *e)
{
	GElf_Shdr header;
	Elf_Scn *scn = find_section(elf, name, &header);
	Elf_Data *data;

	*ret = (struct spt_elf_bytes){ 0 };
	if (!scn || header.sh_type == SHT_NOBITS)
		return 0;
	if (header.sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
		return damaged(elf, e, name);
	data = elf_getdata(scn, NULL);
	if (!data || (data->d_size && !data->d_buf))
		return damaged(elf, e, name);
	if (!data->d_size)
		return 0;
	if (!relocate(elf, elf_ndxscn(scn), data))
		return damaged(elf, e, name);
	*ret = (struct spt_elf_bytes){ data->d_buf, data->d_size };
	return 1;
}

bool spt_elf_has_section(struct spt_elf *elf, const char *name)
{
	GElf_Shdr header;

	return find_section(elf, name, &header) && header.sh_type != SHT_NOBITS && header.sh_size;
}

int spt_elf_debuglink(struct spt_elf *elf, const char **name, uint32_t *crc, struct spt_error *e)
{
	struct spt_elf_bytes link;
	int found = spt_elf_section(elf, ".gnu_debuglink", &link, e);
	size_t len;

	if (found <= 0)
		return found;
	/* A file name, padded to 4 bytes, and the CRC. */
	len = strnlen((const char *)link.bytes, link.size);
	if (!len || ((len + 4) & ~3UL) + sizeof(*crc) > link.size)
		return damaged(elf, e, ".gnu_debuglink");
	memcpy(crc, link.bytes + ((len + 4) & ~3UL), sizeof(*crc));
	*name = (const char *)link.bytes;
	return 1;
}

int spt_elf_build_id(struct spt_elf *elf, struct spt_build_id *ret, struct spt_error *e)
{
	Elf_Scn *scn = NULL;

	*ret = (struct spt_build_id){ 0 };
	while ((scn = elf_nextscn(elf->elf, scn))) {
		GElf_Shdr header;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_NOTE)
			continue;
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf && spt_build_id_parse(data->d_buf, data->d_size, ret))
			return 1;
	}
	return 0;
}

bool spt_build_id_parse(const void *notes, size_t size, struct spt_build_id *ret)
{
	const uint8_t *p = notes, *end = p + size;

	while ((size_t)(end - p) >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;
		size_t left, name, desc;

		memcpy(&note, p, sizeof(note));
		p += sizeof(note);
		left = (size_t)(end - p);
		name = ((size_t)note.n_namesz + 3) & ~3UL;
		desc = ((size_t)note.n_descsz + 3) & ~3UL;
		if (name > left || note.n_descsz > left - name)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    !memcmp(p, ELF_NOTE_GNU, 4) && note.n_descsz &&
		    note.n_descsz <= sizeof(ret->id)) {
			*ret = (struct spt_build_id){ .len = note.n_descsz };
			memcpy(ret->id, p + name, note.n_descsz);
			return true;
		}
		if (desc > left - name)
			return false;
		p += name + desc;
	}
	return false;
}

bool spt_build_id_equal(const struct spt_build_id *a, const struct spt_build_id *b)
{
	return a->len == b->len && !memcmp(a->id, b->id, a->len);
}

void spt_build_id_text(const struct spt_build_id *id, char buf[SPT_BUILD_ID_TEXT])
{
	buf[0] = '\0';
	for (unsigned int i = 0; i < id->len; i++)
		sprintf(buf + 2 * i, "%02x", id->id[i]);
}
