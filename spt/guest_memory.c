// SPDX-License-Identifier: GPL-2.0
#include "spt/guest_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spt/verdict.h"

/* /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst) */
#define PAGEMAP_PRESENT (1ULL << 63)
#define PAGEMAP_SWAPPED (1ULL << 62)

static const struct {
	const char *name, *text;
} results[SPT_GUEST_READS] = {
	/* clang-format off */
	[SPT_GUEST_READ] = { "read", "was read" },
	[SPT_GUEST_NO_SLOT] = { "no-slot", "no memslot has this address" },
	[SPT_GUEST_PRIVATE] = { "private", "private memory: the VMM has no address for it" },
	[SPT_GUEST_ENCRYPTED] = { "encrypted", "encrypted memory: the host sees only ciphertext" },
	[SPT_GUEST_ABSENT] = { "absent", "the VMM has no page there now; it is not faulted in to be read" },
	[SPT_GUEST_SWAPPED] = { "swapped", "the host has the page on swap or is moving it" },
	[SPT_GUEST_NOT_SAVED] = { "not-saved", "the image was saved without this page: save --with guest-tables" },
	[SPT_GUEST_UNREADABLE] = { "unreadable", "the VMM's memory cannot be read" },
	[SPT_GUEST_NOT_NESTED] = { "not-nested", "the guest's nested page tables do not map it for its own guest" },
	/* clang-format on */
};

const char *spt_guest_read_name(enum spt_guest_read result)
{
	return results[result].name;
}

const char *spt_guest_read_text(enum spt_guest_read result)
{
	return results[result].text;
}

void spt_guest_memory_init(struct spt_guest_memory *memory, const struct spt_source *src)
{
	*memory = (struct spt_guest_memory){
		.live = src && spt_source_is_live(src),
		.mem = -1,
		.pagemap = -1,
	};
}

void spt_guest_memory_deinit(struct spt_guest_memory *memory)
{
	if (memory->mem >= 0)
		close(memory->mem);
	if (memory->pagemap >= 0)
		close(memory->pagemap);
	memory->mem = memory->pagemap = -1;
	memory->pid = 0;
}

static int open_proc(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A PID may be another process's by now: the VMM is the one that holds the VM's descriptor. */
static bool has_vm(int pid, int fd)
{
	static const char vm[] = "anon_inode:kvm-vm";
	char path[64], target[64];
	ssize_t len;

	if (fd < 0)
		return true; /* unknown which */
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	len = readlink(path, target, sizeof(target));
	return len == sizeof(vm) - 1 && !memcmp(target, vm, sizeof(vm) - 1);
}

/* Both files stay bound to the VMM's memory, also when its PID goes to another process. */
static int open_vmm(struct spt_guest_memory *memory, const struct spt_model *model)
{
	int pid = model->image.head.pid;

	if (memory->pid == pid)
		return memory->pagemap < 0 ? memory->error : 0;
	spt_guest_memory_deinit(memory);
	memory->pid = pid;
	memory->mem = open_proc(pid, "mem");
	memory->pagemap = memory->mem < 0 ? -1 : open_proc(pid, "pagemap");
	if (memory->pagemap < 0) {
		memory->error = errno;
	} else if (!has_vm(pid, model->image.head.fd)) {
		close(memory->pagemap);
		memory->pagemap = -1;
		memory->error = ESRCH;
	}
	return memory->pagemap < 0 ? memory->error : 0;
}

static enum spt_guest_read unreadable(struct spt_guest_memory *memory, int code)
{
	memory->error = code;
	return SPT_GUEST_UNREADABLE;
}

static enum spt_guest_read read_live(struct spt_guest_memory *memory, const struct spt_model *model,
				     uint64_t hva, void *buf, size_t len)
{
	off_t page = (off_t)(hva >> SPT_PAGE_SHIFT) * (off_t)sizeof(uint64_t);
	uint64_t entry;
	ssize_t n;
	int code = open_vmm(memory, model);

	if (code)
		return unreadable(memory, code);
	n = pread(memory->pagemap, &entry, sizeof(entry), page);
	if (n != sizeof(entry))
		return unreadable(memory, n < 0 ? errno : ESRCH);
	if (entry & PAGEMAP_SWAPPED)
		return SPT_GUEST_SWAPPED;
	if (!(entry & PAGEMAP_PRESENT))
		return SPT_GUEST_ABSENT;
	n = pread(memory->mem, buf, len, (off_t)hva);
	if (n != (ssize_t)len)
		return unreadable(memory, n < 0 ? errno : ESRCH);
	return SPT_GUEST_READ;
}

static enum spt_guest_read read_saved(const struct spt_model *model, uint64_t gpa, void *buf,
				      size_t len)
{
	const struct spt_guest_table *table = spt_model_guest_table(model, gpa);
	uint64_t page[SPT_TABLE_ENTRIES] = { 0 };
	const uint64_t *row;

	if (!table)
		return SPT_GUEST_NOT_SAVED;
	row = (const uint64_t *)table->entry;
	for (unsigned int chunk = 0; chunk < SPT_TABLE_CHUNKS; chunk++) {
		if (!(table->chunks >> chunk & 1))
			continue;
		memcpy(page + chunk * SPT_CHUNK_ENTRIES, row, SPT_CHUNK_ENTRIES * sizeof(*row));
		row += SPT_CHUNK_ENTRIES;
	}
	memcpy(buf, (const char *)page + (gpa & (spt_level_size(1) - 1)), len);
	return SPT_GUEST_READ;
}

static bool is_encrypted(const struct spt_model *model)
{
	const char *type = spt_model_vm_type(model);

	return !strcmp(type, "sev") || !strcmp(type, "sev-es") || !strcmp(type, "snp");
}

enum spt_guest_read spt_guest_memory_read(struct spt_guest_memory *memory,
					  const struct spt_model *model, unsigned int as_id,
					  uint64_t gpa, void *buf, size_t len)
{
	const struct spt_memslot *slot;
	uint64_t attrs, hva;

	gpa &= ~model->gpa_bits;
	slot = spt_memslot_find(&model->memslots, as_id, gpa >> SPT_PAGE_SHIFT);
	if (!slot)
		return SPT_GUEST_NO_SLOT;
	spt_model_attrs(model, gpa >> SPT_PAGE_SHIFT, &attrs);
	hva = spt_memslot_hva(slot, gpa);
	if (attrs & SPT_ATTR_PRIVATE || slot->slot->flags & SPT_SLOT_GMEM_ONLY || hva == SPT_NO_HVA)
		return SPT_GUEST_PRIVATE;
	if (is_encrypted(model))
		return SPT_GUEST_ENCRYPTED;
	if (memory->live)
		return read_live(memory, model, hva, buf, len);
	return read_saved(model, gpa, buf, len);
}
