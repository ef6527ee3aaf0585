// SPDX-License-Identifier: GPL-2.0
/* The role's bits as a file's type information has them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "decoders/btf.h"
#include "decoders/dwarf.h"
#include "decoders/layout.h"
#include "decoders/layout_path.h"
#include "decoders/role_layouts.h"

static const enum spt_field_id fields[SPT_ROLE_COUNT] = {
#define B(id, name) [SPT_ROLE_##id] = SPT_F_ROLE_##id,
	SPT_ROLE_BITS(B)
#undef B
};

static bool is_elf(const char *path)
{
	char magic[4] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool elf = fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		   !memcmp(magic, "\177ELF", sizeof(magic));

	if (fd >= 0)
		close(fd);
	return elf;
}

static int read_bits(struct spt_typegraph *graph, spt_type_id role, struct spt_role_layout *ret,
		     struct spt_error *e)
{
	for (unsigned int bit = 0; bit < SPT_ROLE_COUNT; bit++) {
		const struct spt_field_name *name = &spt_field_names[fields[bit]];
		struct spt_layout_field f;
		int found = spt_path_find(graph, role, name->path, &f, e);

		if (found < 0)
			return found;
		if (!found)
			continue;
		if (f.bit_offset + f.bit_size > 32 || f.bit_size > 8)
			return spt_fail(e, EINVAL, "%s: %s of the role is no bit field of 32 bits",
					graph->path, name->path);
		ret->bits[bit] = (struct spt_bits){ (__u8)f.bit_offset, (__u8)f.bit_size };
		spt_field_alternative(name, f.alternative, ret->name[bit], sizeof(ret->name[bit]));
	}
	if (!spt_role_has(ret->bits, SPT_ROLE_LEVEL) || !spt_role_layout_valid(ret->bits))
		return spt_fail(e, EINVAL, "%s: union kvm_mmu_page_role is none that is understood",
				graph->path);
	return 0;
}

int spt_role_layout_from_file(const char *path, struct spt_role_layout *ret, struct spt_error *e)
{
	struct spt_type_query query = { .name = "kvm_mmu_page_role" };
	struct spt_typegraph *graph = NULL;
	int err;

	memset(ret, 0, sizeof(*ret));
	err = is_elf(path) ? spt_dwarf_open(path, &graph, e) : spt_btf_open(path, NULL, &graph, e);
	if (!err)
		err = spt_types_find(graph, &query, 1, e);
	if (!err && !query.hits)
		err = spt_fail(e, ENOKEY, "%s: no union kvm_mmu_page_role in its %s", path,
			       is_elf(path) ? "DWARF" : "BTF");
	if (!err)
		err = read_bits(graph, query.hit[0], ret, e);
	spt_typegraph_destroy(graph);
	return err;
}
