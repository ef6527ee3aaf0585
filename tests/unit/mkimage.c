// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/builtin.h"
#include "decoders/role.h"
#include "decoders/spte.h"
#include "mkimage.h"

#define MAX_TABLES     4096
#define MAX_VCPUS      512
#define FIRST_TABLE    0x10000000ULL /* HPA of the first table */
#define FIRST_SP       0xffff888100000000ULL
#define FIRST_EXTERNAL 0x20000000ULL /* HPA of the external table of the first table */

struct table {
	struct spt_page page;
	uint64_t root; /* sp */
	uint64_t entry[SPT_TABLE_ENTRIES];
	uint64_t translation[SPT_TABLE_ENTRIES];
	uint64_t external[SPT_TABLE_ENTRIES];
	bool has_external;
	bool shadow;
	bool tdp_root;
	uint32_t raw_kind, raw_vcpu;
};

struct values {
	uint64_t known[2];
	uint64_t value[128];
};

struct bytes {
	uint8_t *at;
	size_t len, room;
};

struct mkimage {
	struct spt_head head;
	struct spt_masks masks;
	struct spt_end end;
	struct spt_format format;
	struct values vm, vm_end;
	bool have_vm_end;
	struct values vcpu[MAX_VCPUS];
	unsigned int vcpus;
	struct table *table[MAX_TABLES];
	unsigned int tables;
	struct bytes slots, attrs, host, guest, notes; /* records in order */
	struct bytes out;
};

static void *append(struct bytes *b, const void *what, size_t len)
{
	while (b->len + len > b->room) {
		b->room = b->room ? b->room * 2 : 1 << 16;
		b->at = realloc(b->at, b->room);
		assert(b->at);
	}
	if (len)
		memcpy(b->at + b->len, what, len);
	b->len += len;
	return b->at + b->len - len;
}

struct mkimage *mkimage_new(const char *format)
{
	struct mkimage *mk = calloc(1, sizeof(*mk));
	const struct spt_masks *masks;

	assert(mk && spt_builtin(format, &mk->head, &masks));
	mk->masks = *masks;
	mk->head.rec = (struct spt_rec){ SPT_REC_HEAD, sizeof(mk->head) };
	mk->head.magic = SPT_IMAGE_MAGIC;
	mk->head.abi = SPT_IMAGE_ABI;
	mk->head.tdp_mmu = mk->head.mmu != SPT_MMU_SHADOW;
	mk->head.root_level = 4;
	mk->head.spte_addr_mask = 0x000ffffffffff000ULL;
	mk->head.req_parts = SPT_PARTS_DEFAULT;
	mk->head.pid = 1234;
	mk->head.fd = 11;
	strcpy(mk->head.id, "1234-11");
	strcpy(mk->head.comm, "qemu");
	strcpy(mk->head.release, "6.12.0-test");
	assert(!spt_format_init(&mk->format, &mk->head, &mk->masks, NULL));
	return mk;
}

void mkimage_free(struct mkimage *mk)
{
	for (unsigned int i = 0; i < mk->tables; i++)
		free(mk->table[i]);
	free(mk->slots.at);
	free(mk->attrs.at);
	free(mk->host.at);
	free(mk->guest.at);
	free(mk->notes.at);
	free(mk->out.at);
	free(mk);
}

struct spt_head *mkimage_head(struct mkimage *mk)
{
	return &mk->head;
}

struct spt_end *mkimage_end(struct mkimage *mk)
{
	return &mk->end;
}

const struct spt_format *mkimage_format(struct mkimage *mk)
{
	return &mk->format;
}

static void set_value(struct values *v, unsigned int nr, uint64_t value)
{
	v->known[nr / 64] |= 1ULL << nr % 64;
	v->value[nr] = value;
}

void mkimage_mask(struct mkimage *mk, enum spt_mask nr, uint64_t value)
{
	mk->masks.known |= 1ULL << nr;
	mk->masks.value[nr] = value;
}

void mkimage_vm(struct mkimage *mk, enum spt_vm_value nr, uint64_t value)
{
	set_value(&mk->vm, nr, value);
	if (nr == SPT_VM_GENERATION_0 || nr == SPT_VM_GENERATION_1)
		mk->end.generation_end[nr - SPT_VM_GENERATION_0] = value;
	if (nr == SPT_VM_MMU_INVALIDATE_SEQ)
		mk->end.seq_end = value;
}

void mkimage_vm_end(struct mkimage *mk)
{
	mk->vm_end = mk->vm;
	mk->have_vm_end = true;
}

bool mkimage_has_vm_end(const struct mkimage *mk)
{
	return mk->have_vm_end;
}

void mkimage_vm_end_value(struct mkimage *mk, enum spt_vm_value nr, uint64_t value)
{
	set_value(&mk->vm_end, nr, value);
}

unsigned int mkimage_vcpu(struct mkimage *mk)
{
	assert(mk->vcpus < MAX_VCPUS);
	mkimage_vcpu_value(mk, mk->vcpus, SPT_VCPU_IDX, mk->vcpus);
	return mk->vcpus++;
}

void mkimage_vcpu_value(struct mkimage *mk, unsigned int vcpu, enum spt_vcpu_value nr,
			uint64_t value)
{
	set_value(&mk->vcpu[vcpu], nr, value);
}

struct spt_slot *mkimage_slot(struct mkimage *mk, int id, unsigned int as_id, uint64_t gpa,
			      uint64_t bytes, uint64_t hva)
{
	struct spt_slot slot = {
		.rec = { SPT_REC_SLOT, sizeof(slot) },
		.base_gfn = gpa >> 12,
		.npages = bytes >> 12,
		.hva = hva,
		.as_id = as_id,
		.id = id,
		.known = SPT_SLOT_KNOWN_GMEM,
	};

	return append(&mk->slots, &slot, sizeof(slot));
}

void mkimage_run(struct mkimage *mk, enum spt_run_kind kind, uint64_t gfn, uint64_t npages,
		 uint64_t value)
{
	bool attrs = kind == SPT_RUN_ATTRS;
	struct spt_runs runs = {
		.rec = { attrs ? SPT_REC_ATTRS : SPT_REC_SLOT_RUNS,
			 sizeof(runs) + sizeof(struct spt_run) },
		.kind = kind,
		.count = 1,
	};
	struct spt_run run = { gfn, npages, value };

	append(attrs ? &mk->attrs : &mk->slots, &runs, sizeof(runs));
	append(attrs ? &mk->attrs : &mk->slots, &run, sizeof(run));
}

void mkimage_host_run(struct mkimage *mk, uint64_t gfn, uint64_t npages, uint64_t hpa, int level,
		      uint32_t flags)
{
	struct spt_host_runs runs = {
		.rec = { SPT_REC_HOST_RUNS, sizeof(runs) + sizeof(struct spt_host_run) },
		.count = 1,
	};
	struct spt_host_run run = { gfn, npages, hpa, flags, level };

	mk->head.req_parts |= SPT_PART_HOST_RUNS;
	append(&mk->slots, &runs, sizeof(runs));
	append(&mk->slots, &run, sizeof(run));
}

void mkimage_gmem_run(struct mkimage *mk, uint64_t gfn, uint64_t npages, uint64_t hpa)
{
	struct spt_host_runs runs = {
		.rec = { SPT_REC_GMEM_RUNS, sizeof(runs) + sizeof(struct spt_host_run) },
		.count = 1,
	};
	struct spt_host_run run = { gfn, npages, hpa, 0, 1 };

	append(&mk->slots, &runs, sizeof(runs));
	append(&mk->slots, &run, sizeof(run));
}

void mkimage_dirty(struct mkimage *mk, uint64_t gfn, uint64_t npages, const uint64_t *words)
{
	size_t bytes = (npages + 63) / 64 * 8;
	struct spt_dirty dirty = {
		.rec = { SPT_REC_DIRTY, sizeof(dirty) + bytes },
		.gfn = gfn,
		.npages = npages,
	};

	append(&mk->slots, &dirty, sizeof(dirty));
	append(&mk->slots, words, bytes);
}

void mkimage_tdx_pages(struct mkimage *mk, enum spt_tdx_page_kind kind, unsigned int vcpu,
		       unsigned int count, uint64_t hpa)
{
	struct spt_tdx_pages pages = {
		.rec = { SPT_REC_TDX_PAGES, sizeof(pages) + count * sizeof(uint64_t) },
		.kind = kind,
		.vcpu = vcpu,
		.count = count,
	};

	append(&mk->attrs, &pages, sizeof(pages));
	for (unsigned int i = 0; i < count; i++, hpa += 0x1000)
		append(&mk->attrs, &hpa, sizeof(hpa));
}

void mkimage_note(struct mkimage *mk, enum spt_note_kind kind, uint64_t a, uint64_t b)
{
	struct spt_note note = {
		.rec = { SPT_REC_NOTE, sizeof(note) },
		.kind = kind,
		.a = a,
		.b = b,
	};

	append(&mk->notes, &note, sizeof(note));
	mk->end.flags |= SPT_END_TORN;
}

uint32_t mkimage_role(struct mkimage *mk, uint32_t word, enum spt_role_bit bit, unsigned int value)
{
	const struct spt_bits *b = &mk->head.role[bit];
	uint32_t mask = ((1U << b->width) - 1) << b->shift;

	assert(b->width && value < 1U << b->width);
	return (word & ~mask) | value << b->shift;
}

static struct table *new_table(struct mkimage *mk, unsigned int *nr)
{
	struct table *t = calloc(1, sizeof(*t));

	assert(t && mk->tables < MAX_TABLES);
	*nr = mk->tables++;
	mk->table[*nr] = t;
	t->page.hpa = FIRST_TABLE + *nr * 0x1000;
	t->page.sp = FIRST_SP + *nr * 0x100;
	for (int i = 0; i < SPT_TABLE_ENTRIES; i++)
		t->entry[i] = mk->head.empty_spte;
	return t;
}

unsigned int mkimage_table(struct mkimage *mk, int level, uint64_t gfn, bool direct)
{
	unsigned int nr;
	struct table *t = new_table(mk, &nr);

	t->page.role = mkimage_role(mk, 0, SPT_ROLE_LEVEL, level);
	t->page.role = mkimage_role(mk, t->page.role, SPT_ROLE_DIRECT, direct);
	t->page.gfn = gfn;
	t->shadow = !direct;
	return nr;
}

unsigned int mkimage_tdp_root(struct mkimage *mk, int level)
{
	unsigned int nr = mkimage_table(mk, level, 0, true);
	struct table *t = mk->table[nr];

	t->tdp_root = true;
	t->root = t->page.sp;
	t->page.flags = t->page.known = SPT_PAGE_TDP_MMU;
	t->page.root_count = 1;
	return nr;
}

unsigned int mkimage_mirror_root(struct mkimage *mk, int level)
{
	unsigned int nr = mkimage_tdp_root(mk, level);

	mk->table[nr]->page.role =
		mkimage_role(mk, mk->table[nr]->page.role, SPT_ROLE_IS_MIRROR, 1);
	return nr;
}

unsigned int mkimage_shadow_root(struct mkimage *mk, int level, uint64_t gfn)
{
	unsigned int nr = mkimage_table(mk, level, gfn, false);

	mk->table[nr]->page.root_count = 1;
	return nr;
}

unsigned int mkimage_raw(struct mkimage *mk, enum spt_raw_table_kind kind, unsigned int vcpu)
{
	unsigned int nr;
	struct table *t = new_table(mk, &nr);

	memset(t->entry, 0, sizeof(t->entry));
	t->raw_kind = kind;
	t->raw_vcpu = vcpu;
	return nr;
}

struct spt_page *mkimage_page(struct mkimage *mk, unsigned int table)
{
	return &mk->table[table]->page;
}

uint64_t mkimage_table_hpa(struct mkimage *mk, unsigned int table)
{
	return mk->table[table]->page.hpa;
}

void mkimage_set(struct mkimage *mk, unsigned int table, unsigned int index, uint64_t spte)
{
	mk->table[table]->entry[index] = spte;
}

void mkimage_translate(struct mkimage *mk, unsigned int table, unsigned int index, uint64_t gpa,
		       unsigned int access)
{
	mk->table[table]->translation[index] = gpa | access;
}

void mkimage_link(struct mkimage *mk, unsigned int parent, unsigned int index, unsigned int child)
{
	uint64_t hpa = mk->table[child]->page.hpa;

	/* Raw tables have PT_PRESENT_MASK and nothing of KVM's own. */
	mkimage_set(mk, parent, index,
		    mk->table[parent]->raw_kind ? hpa | 1 : mkimage_nonleaf(mk, hpa));
	if (!mk->table[parent]->raw_kind)
		mk->table[child]->root = mk->table[parent]->root;
}

void mkimage_seat(struct mkimage *mk)
{
	for (unsigned int i = 0; i < mk->tables; i++)
		for (int e = 0; e < SPT_TABLE_ENTRIES && !mk->table[i]->raw_kind; e++)
			for (unsigned int c = 0; c < mk->tables; c++) {
				uint64_t entry = mk->table[i]->entry[e];

				if (entry & SPT_SPTE_MMU_PRESENT && mk->table[c]->root &&
				    (entry & mk->format.addr) == mk->table[c]->page.hpa)
					mk->table[c]->page.parent = mk->table[i]->page.hpa + e * 8;
			}
}

static struct table *table_at(struct mkimage *mk, uint64_t hpa)
{
	for (unsigned int i = 0; i < mk->tables; i++)
		if (mk->table[i]->page.hpa == hpa)
			return mk->table[i];
	return NULL;
}

/* tdh_mem_sept_add(), tdh_mem_page_aug(): the hardware's bits of the mirror's entry. */
static uint64_t external_entry(struct mkimage *mk, uint64_t spte, int level)
{
	const uint64_t software = 0xeULL << 8 | 0x7ffULL << 52;
	struct table *child = NULL;

	if (!(spte & SPT_SPTE_MMU_PRESENT))
		return 0;
	if (level > 1 && !(spte & SPT_SPTE_PAGE_SIZE))
		child = table_at(mk, spte & mk->format.addr);
	return child ? child->page.external | 7 : spte & ~software;
}

void mkimage_externals(struct mkimage *mk, unsigned int root)
{
	for (unsigned int i = 0; i < mk->tables; i++)
		if (mk->table[i]->root == mk->table[root]->page.sp && i != root) {
			mk->table[i]->page.external = FIRST_EXTERNAL + i * 0x1000;
			mk->table[i]->page.known |= SPT_PAGE_HAS_EXTERNAL;
			mk->table[i]->has_external = true;
		}
	for (unsigned int i = 0; i < mk->tables; i++) {
		struct table *t = mk->table[i];
		int level = spt_role_get(mk->head.role, t->page.role, SPT_ROLE_LEVEL);

		for (int e = 0; t->has_external && e < SPT_TABLE_ENTRIES; e++)
			t->external[e] = external_entry(mk, t->entry[e], level);
	}
	mkimage_vm(mk, SPT_VM_EXTERNAL_READABLE, 1);
}

void mkimage_external_set(struct mkimage *mk, unsigned int table, unsigned int index,
			  uint64_t entry)
{
	mk->table[table]->external[index] = entry;
}

void mkimage_rmap(struct mkimage *mk, int level, uint64_t gfn, unsigned int table,
		  unsigned int index)
{
	struct spt_rmaps rmaps = {
		.rec = { SPT_REC_RMAPS, sizeof(rmaps) + sizeof(struct spt_rmap) },
		.level = level,
		.count = 1,
	};
	struct spt_rmap rmap = { gfn, mk->table[table]->page.hpa + index * 8 };

	mk->head.req_parts |= SPT_PART_RMAPS;
	append(&mk->slots, &rmaps, sizeof(rmaps));
	append(&mk->slots, &rmap, sizeof(rmap));
}

uint64_t mkimage_leaf(struct mkimage *mk, uint64_t hpa, int level, const char *perm)
{
	const struct spt_format *f = &mk->format;
	uint64_t spte = hpa | SPT_SPTE_MMU_PRESENT | f->user | (level > 1 ? SPT_SPTE_PAGE_SIZE : 0);
	bool exec = strchr(perm, 'x');

	if (strchr(perm, 'r'))
		spte |= f->read;
	if (strchr(perm, 'w'))
		spte |= f->write | f->host_writable | f->mmu_writable;
	if (f->nx)
		spte |= exec ? 0 : f->nx;
	else if (exec)
		spte |= f->exec | f->xu;
	return spte;
}

uint64_t mkimage_nonleaf(struct mkimage *mk, uint64_t hpa)
{
	const struct spt_format *f = &mk->format;

	return hpa | SPT_SPTE_MMU_PRESENT | f->read | f->write | f->user |
	       (f->nx ? 0 : f->exec | f->xu);
}

uint64_t mkimage_mmio(struct mkimage *mk, uint64_t gpa, uint64_t generation)
{
	/* MMIO_SPTE_GEN_LOW_*: 8 bits from bit 3, 7 of them with a role.access of 4 bits. */
	unsigned int low = mk->head.role[SPT_ROLE_ACCESS].width == 4 ? 7 : 8;

	return mk->format.mmio_value | gpa | (generation & ((1 << low) - 1)) << 3 |
	       (generation >> low) << 52;
}

static unsigned int find_table(struct mkimage *mk, uint64_t hpa)
{
	for (unsigned int i = 0; i < mk->tables; i++)
		if (mk->table[i]->page.hpa == hpa)
			return i;
	assert(!"no such table");
	return 0;
}

unsigned int mkimage_map(struct mkimage *mk, unsigned int root, uint64_t gpa, int level,
			 uint64_t spte)
{
	unsigned int at = root;
	int l = mk->table[root]->page.role >> mk->head.role[SPT_ROLE_LEVEL].shift & 15;

	for (;; l--) {
		unsigned int shift = 12 + 9 * (l - 1), index = gpa >> shift & 511, child;
		uint64_t entry = mk->table[at]->entry[index];

		if (l == level) {
			mkimage_set(mk, at, index, spte);
			return at;
		}
		if (entry & SPT_SPTE_MMU_PRESENT) {
			at = find_table(mk, entry & mk->format.addr);
			continue;
		}
		/* tdp_mmu_init_child_sp(): the gfn is without the shared bit. */
		child = mkimage_table(
			mk, l - 1,
			gpa >> shift << (shift - 12) & ~mk->vm.value[SPT_VM_GFN_DIRECT_BITS], true);
		if (mk->head.role[SPT_ROLE_IS_MIRROR].width) {
			const struct spt_bits *b = &mk->head.role[SPT_ROLE_IS_MIRROR];

			mk->table[child]->page.role |= mk->table[root]->page.role & 1U << b->shift;
		}
		mk->table[child]->page.flags = mk->table[root]->page.flags;
		mkimage_link(mk, at, index, child);
		at = child;
	}
}

struct spt_host_walk *mkimage_host(struct mkimage *mk, uint64_t gpa, uint64_t hva, int leaf,
				   uint64_t entry, int error)
{
	struct spt_host_walk walk = {
		.rec = { SPT_REC_HOST_WALK, sizeof(walk) },
		.gpa = gpa,
		.hva = hva,
		.top = 4,
		.leaf = leaf,
		.error = error,
	};

	for (int l = 1; l <= SPT_HOST_LEVELS; l++) {
		bool reached = l >= leaf && l <= 4;

		walk.level[l - 1].table_hpa = reached ? 0x7000000ULL + l * 0x1000 : SPT_NO_HPA;
		walk.level[l - 1].entry = !reached    ? 0
					  : l == leaf ? entry
						      : 0x7000067ULL + (l - 1) * 0x1000;
	}
	return append(&mk->host, &walk, sizeof(walk));
}

static void put_values(struct mkimage *mk, enum spt_rec_type type, const struct values *v,
		       unsigned int count)
{
	struct spt_values head = { .rec = { type, sizeof(head) + count * 8 } };

	memcpy(head.known, v->known, sizeof(head.known));
	append(&mk->out, &head, sizeof(head));
	append(&mk->out, v->value, count * 8);
}

static uint64_t used_chunks(const uint64_t *array, uint64_t empty)
{
	uint64_t chunks = 0;

	for (int i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (array[i] != empty)
			chunks |= 1ULL << i / SPT_CHUNK_ENTRIES;
	return chunks;
}

static void put_chunks(struct mkimage *mk, const uint64_t *array, uint64_t chunks)
{
	for (int c = 0; c < SPT_TABLE_CHUNKS; c++)
		if (chunks >> c & 1)
			append(&mk->out, array + c * SPT_CHUNK_ENTRIES, SPT_CHUNK_ENTRIES * 8);
}

static void put_table(struct mkimage *mk, const struct table *t)
{
	uint64_t empty = t->raw_kind ? 0 : mk->head.empty_spte;
	uint64_t chunks = used_chunks(t->entry, empty);
	size_t bytes = __builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * 8;
	struct spt_raw_table raw = {
		.rec = { SPT_REC_RAW_TABLE, sizeof(raw) + bytes },
		.kind = t->raw_kind,
		.vcpu = t->raw_vcpu,
		.hpa = t->page.hpa,
		.chunks = chunks,
	};
	struct spt_table table = {
		.rec = { SPT_REC_TABLE, sizeof(table) + bytes },
		.page = t->page,
		.root = t->root,
		.empty = empty,
		.chunks = chunks,
	};

	if (t->raw_kind) {
		append(&mk->out, &raw, sizeof(raw));
		put_chunks(mk, t->entry, chunks);
		return;
	}
	append(&mk->out, &table, sizeof(table));
	put_chunks(mk, t->entry, chunks);
	mk->end.tables++;
	mk->end.entries += bytes / 8;
	chunks = used_chunks(t->translation, 0);
	if (t->shadow) {
		struct spt_array array = {
			.rec = { SPT_REC_TRANSLATIONS,
				 sizeof(array) +
					 __builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * 8 },
			.sp = t->page.sp,
			.chunks = chunks,
		};

		append(&mk->out, &array, sizeof(array));
		put_chunks(mk, t->translation, chunks);
	}
}

static void put_external(struct mkimage *mk, const struct table *t)
{
	uint64_t chunks = used_chunks(t->external, 0);
	struct spt_external rec = {
		.rec = { SPT_REC_EXTERNAL,
			 sizeof(rec) + __builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * 8 },
		.hpa = t->page.external,
		.mirror = t->page.hpa,
		.sp = t->page.sp,
		.root = t->root,
		.gfn = t->page.gfn,
		.chunks = chunks,
		.level = spt_role_get(mk->head.role, t->page.role, SPT_ROLE_LEVEL),
	};

	append(&mk->out, &rec, sizeof(rec));
	put_chunks(mk, t->external, chunks);
}

void mkimage_guest_table(struct mkimage *mk, uint64_t gpa, const void *page)
{
	uint64_t word[SPT_TABLE_ENTRIES], chunks;
	struct spt_guest_table table = { .rec = { SPT_REC_GUEST_TABLE, sizeof(table) },
					 .gpa = gpa };

	memcpy(word, page, sizeof(word));
	chunks = used_chunks(word, 0);
	table.chunks = chunks;
	table.rec.len += __builtin_popcountll(chunks) * SPT_CHUNK_ENTRIES * 8;
	append(&mk->guest, &table, sizeof(table));
	for (int c = 0; c < SPT_TABLE_CHUNKS; c++)
		if (chunks >> c & 1)
			append(&mk->guest, word + c * SPT_CHUNK_ENTRIES, SPT_CHUNK_ENTRIES * 8);
}

void mkimage_record(struct mkimage *mk, const void *rec)
{
	append(&mk->guest, rec, ((const struct spt_rec *)rec)->len);
}

void mkimage_seal(uint8_t *image, size_t len)
{
	struct spt_end *end = (void *)(image + len - sizeof(*end));
	uint64_t *word = (void *)image, sum = 0;

	for (size_t i = 0; i < (size_t)((uint64_t *)&end->checksum - word); i++)
		sum += word[i] * (2 * i + 1);
	end->checksum = sum;
}

uint8_t *mkimage_finish(struct mkimage *mk, size_t *len)
{
	uint32_t order = 0;

	append(&mk->out, &mk->head, sizeof(mk->head));
	append(&mk->out, &mk->masks, sizeof(mk->masks));
	put_values(mk, SPT_REC_VM, &mk->vm, SPT_VM_COUNT);
	for (unsigned int i = 0; i < mk->vcpus; i++)
		put_values(mk, SPT_REC_VCPU, &mk->vcpu[i], SPT_VCPU_COUNT);
	append(&mk->out, mk->slots.at, mk->slots.len);
	append(&mk->out, mk->attrs.at, mk->attrs.len);
	for (unsigned int i = 0; i < mk->tables; i++) {
		struct spt_root root = {
			.rec = { SPT_REC_ROOT, sizeof(root) },
			.page = mk->table[i]->page,
			.order = order,
		};

		if (!mk->table[i]->tdp_root)
			continue;
		append(&mk->out, &root, sizeof(root));
		order++;
	}
	for (unsigned int i = 0; i < mk->tables; i++) {
		put_table(mk, mk->table[i]);
		if (mk->table[i]->has_external)
			put_external(mk, mk->table[i]);
	}
	append(&mk->out, mk->host.at, mk->host.len);
	append(&mk->out, mk->guest.at, mk->guest.len);
	append(&mk->out, mk->notes.at, mk->notes.len);
	if (mk->have_vm_end)
		put_values(mk, SPT_REC_VM, &mk->vm_end, SPT_VM_COUNT);

	mk->end.rec = (struct spt_rec){ SPT_REC_END, sizeof(mk->end) };
	append(&mk->out, &mk->end, sizeof(mk->end));

	uint64_t records = 0;

	for (size_t off = 0; off < mk->out.len; records++)
		off += ((struct spt_rec *)(mk->out.at + off))->len;
	((struct spt_end *)(mk->out.at + mk->out.len - sizeof(mk->end)))->records = records;
	mkimage_seal(mk->out.at, mk->out.len);
	*len = mk->out.len;
	return mk->out.at;
}
