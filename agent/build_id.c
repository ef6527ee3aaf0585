// SPDX-License-Identifier: GPL-2.0
/*
 * Build ids of what runs, from the ELF notes in sysfs: these kernels keep none
 * in struct module (CONFIG_STACKTRACE_BUILD_ID is off), and the notes' symbols
 * are not exported.
 */
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "layout.h"

#define SPT_NT_GNU_BUILD_ID	3
#define SPT_NOTES_MAX		PAGE_SIZE

static int spt_find_build_id(const u8 *notes, size_t size, u8 id[SPT_BUILD_ID_SIZE])
{
	size_t at = 0;

	while (size - at >= sizeof(struct elf_note)) {
		const struct elf_note *note = (const struct elf_note *)(notes + at);
		size_t name = ALIGN((size_t)note->n_namesz, 4);
		size_t desc = ALIGN((size_t)note->n_descsz, 4);

		at += sizeof(*note);
		if (name > size - at || desc > size - at - name)
			break;
		if (note->n_type == SPT_NT_GNU_BUILD_ID && note->n_namesz == sizeof("GNU") &&
		    !memcmp(notes + at, "GNU", sizeof("GNU")) &&
		    note->n_descsz == SPT_BUILD_ID_SIZE) {
			memcpy(id, notes + at + name, SPT_BUILD_ID_SIZE);
			return 0;
		}
		at += name + desc;
	}
	return -ENODATA;
}

int spt_running_build_id(const char *module, u8 id[SPT_BUILD_ID_SIZE])
{
	char path[80] = "/sys/kernel/notes";
	struct file *file;
	ssize_t size;
	loff_t at = 0;
	u8 *notes;
	int error;

	if (module)
		snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", module);
	file = filp_open(path, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	notes = kmalloc(SPT_NOTES_MAX, GFP_KERNEL);
	if (notes) {
		size = kernel_read(file, notes, SPT_NOTES_MAX, &at);
		error = size < 0 ? size : spt_find_build_id(notes, size, id);
		kfree(notes);
	} else {
		error = -ENOMEM;
	}
	filp_close(file, NULL);
	return error;
}
