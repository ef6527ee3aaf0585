// SPDX-License-Identifier: GPL-2.0
#include "tests/fuzz/kernel/kernel.h"

/* Of the kernel, what agent/tdx.c calls besides. */
typedef uint16_t u16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned short umode_t;
#define __user
#define PAGE_SHIFT 12
#define SZ_4K	   4096

struct page {
	char bytes[64];
};

#include "agent_tdx.h"

static struct page pages[AGENT_TDX_PAGES];
#define vmemmap		     pages
#define pfn_valid(pfn)	     ((pfn) < AGENT_TDX_PAGES)
#define page_to_pfn(page)    ((page)-pages)
#define PFN_PHYS(pfn)	     ((u64)(pfn) << PAGE_SHIFT)
#define pfn_to_page(pfn)     (&pages[pfn])
#define virt_to_page(va)     ((void)(va), pages)
#define page_private(page)   ((void)(page), 0UL)
#define __pa(va)	     ((u64)(uintptr_t)(va))
#define struct_size(p, m, n) (sizeof(*(p)) + (n) * sizeof((p)->m[0]))

#include "agent/reader.h"
/* The agent's own believes addresses of the kernel only. */
#define spt_read(to, from, size) copy_from_kernel_nofault(to, from, size)
#include "agent/tdx.c"

struct spt_layout spt_layout;

static struct {
	const void *const *vcpus;
	unsigned int count;
	struct spt_tdx_pages *last;
} vm;

int copy_from_kernel_nofault(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return 0;
}

int spt_load(const void *object, enum spt_field_id id, u64 *value)
{
	const struct spt_field *field = &spt_layout.field[id];

	*value = 0;
	if (!field->present)
		return -ENOENT;
	memcpy(value, object + field->offset, field->size);
	return 0;
}

void *spt_load_pointer(const void *object, enum spt_field_id id)
{
	u64 value;

	return spt_load(object, id, &value) ? NULL : (void *)(uintptr_t)value;
}

const void *spt_vcpu(const struct spt_reader *reader, u64 i)
{
	(void)reader;
	return i < vm.count ? vm.vcpus[i] : NULL;
}

void *spt_record(struct spt_reader *reader, enum spt_rec_type type, size_t bytes)
{
	struct spt_rec *rec = (void *)reader->scratch;

	memset(reader->scratch, 0, sizeof(reader->scratch));
	rec->type = type;
	rec->len = (u32)bytes;
	return rec;
}

static int keep(struct spt_reader *reader, const struct spt_rec *rec)
{
	(void)reader;
	vm.last = (void *)rec;
	return 0;
}

void agent_tdx_reset(__u32 vendor)
{
	memset(&spt_layout, 0, sizeof(spt_layout));
	spt_layout.vendor = vendor;
}

void agent_tdx_field(unsigned int field, __u32 offset, __u32 bytes, __u32 flags)
{
	spt_layout.field[field] = (struct spt_field){ .offset = offset,
						      .size = bytes > 8 ? 0 : (u8)bytes,
						      .present = true };
	spt_layout.flags[field] = flags;
}

void *agent_tdx_page(unsigned int n)
{
	return &pages[n];
}

static struct spt_values *new_values(unsigned int count)
{
	return calloc(1, sizeof(struct spt_values) + count * sizeof(u64));
}

struct spt_values *agent_tdx_vm(const void *kvm)
{
	struct spt_values *values = new_values(SPT_VM_COUNT);

	spt_tdx_vm_values(kvm, values);
	return values;
}

struct spt_values *agent_tdx_vcpu(const void *kvm, const void *vcpu)
{
	struct spt_values *values = new_values(SPT_VCPU_COUNT);
	static struct spt_reader reader;

	reader.vm.kvm = (struct kvm *)kvm;
	spt_tdx_vcpu_values(&reader, vcpu, values);
	return values;
}

const struct spt_tdx_pages *agent_tdx_pages(const void *kvm, const void *const *vcpus,
					    unsigned int count, __u64 *at)
{
	static const struct spt_sink sink = { .record = keep };
	static struct spt_reader reader;

	vm.vcpus = vcpus;
	vm.count = count;
	vm.last = NULL;
	reader.sink = &sink;
	reader.vm.kvm = (struct kvm *)kvm;
	reader.cursor.index.index = *at;
	while (!vm.last && spt_tdx_pages_step(&reader) > 0)
		;
	*at = reader.cursor.index.index;
	return vm.last;
}
