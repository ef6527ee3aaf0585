// SPDX-License-Identifier: GPL-2.0
/* Counting tables at memory speed, compared with decoding every entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "spt/halves.h"
#include "spt/stats.h"
#include "vm.h"

static struct spt_stats *count(const struct spt_model *m, uint64_t start, uint64_t len,
			       unsigned int threads, const struct spt_numa *numa)
{
	struct spt_sweep sweep = { .model = m, .start = start, .len = len, .threads = threads };
	struct spt_stats *s = malloc(sizeof(*s));
	struct spt_error err = { 0 };

	assert_non_null(s);
	assert_int_equal(spt_stats_count(&sweep, numa, s, &err), 0);
	return s;
}

static void release(struct spt_stats *s)
{
	spt_stats_free(s);
	free(s);
}

static const struct spt_slot_count *
row_of(const struct spt_stats *s, const struct spt_root_ref *root, const struct spt_memslot *slot)
{
	for (size_t i = 0; i < s->nr_slots; i++)
		if (s->slot[i].root == root && s->slot[i].slot == slot)
			return &s->slot[i];
	fail_msg("no row for that slot");
	return NULL;
}

/* Entry by entry from the iterator, each decoded, each looked up in the slots. */
static void count_slowly(const struct spt_model *m, uint64_t start, uint64_t len,
			 struct spt_stats *s, uint64_t (*mapped)[4])
{
	const struct spt_entry *e;
	struct spt_tree tree;

	spt_tree_begin(&tree, m, NULL, start, len, SPT_TREE_LEFTOVER);
	while ((e = spt_tree_next(&tree))) {
		struct spt_spte d = spt_entry_decode(m, e);
		struct spt_leaf_count *c = &s->leaf[e->level][d.perm];
		const struct spt_memslot *slot;

		s->entries[e->level][e->type]++;
		s->missing += e->type == SPT_SPTE_TABLE && !e->child;
		if (e->child)
			s->table[e->level - 1].tables++;
		if (e->type != SPT_SPTE_LEAF)
			continue;
		c->leaves++;
		c->accessed += d.accessed == SPT_YES;
		c->dirty += d.dirty == SPT_YES;
		c->no_accessed += d.accessed == SPT_NA;
		c->no_dirty += d.dirty == SPT_NA;
		c->access_tracked += d.access_tracked;
		slot = spt_memslot_find(&m->memslots, e->root->as_id, e->gpa >> 12);
		mapped[slot ? slot - m->memslots.slots : m->memslots.count][e->level] += e->size;
	}
}

static void compare(const struct spt_model *m, uint64_t start, uint64_t len, unsigned int threads)
{
	struct spt_stats *s = count(m, start, len, threads, NULL), *slow = calloc(1, sizeof(*slow));
	uint64_t mapped[64][4] = { 0 };

	assert_non_null(slow);
	assert_true(m->memslots.count < 64);
	count_slowly(m, start, len, slow, mapped);
	assert_memory_equal(s->entries, slow->entries, sizeof(s->entries));
	assert_memory_equal(s->leaf, slow->leaf, sizeof(s->leaf));
	assert_int_equal(s->missing, slow->missing);
	for (int level = 1; level < 4; level++)
		assert_int_equal(s->table[level].tables, slow->table[level].tables);
	for (uint32_t i = 0; i <= m->memslots.count; i++) {
		const struct spt_memslot *slot =
			i < m->memslots.count ? &m->memslots.slots[i] : NULL;
		uint64_t sum = mapped[i][1] + mapped[i][2] + mapped[i][3];

		/* Slots beyond the range have no row. */
		if ((!slot || len) && !sum)
			continue;

		const struct spt_slot_count *row = row_of(s, m->roots, slot);

		for (int level = 1; level < 4; level++)
			assert_int_equal(row->share.bytes[level], mapped[i][level]);
		if (slot && !len)
			assert_int_equal(row->bytes, slot->slot->npages << 12);
		assert_int_equal(spt_slot_count_mapped(row), sum);
		if (slot)
			assert_int_equal(spt_slot_count_holes(row),
					 sum < row->bytes ? row->bytes - sum : 0);
	}
	free(slow);
	release(s);
}

/* Everything that an entry can be, in tables that are mixed, uniform or nearly empty. */
static void fill(struct vm *vm, unsigned int seed)
{
	const struct spt_format *f = mkimage_format(vm->mk);
	uint64_t slots_end = 0;
	unsigned int id = 0;

	srand(seed);
	for (uint64_t gpa = 0; gpa < 512 * MK_MB;) {
		unsigned int kind = rand() % 8;
		uint64_t end = gpa + 2 * MK_MB;

		if (gpa >= slots_end && rand() % 8 == 0) {
			uint64_t base = gpa + rand() % 512 * 0x1000;
			uint64_t size = 2 * MK_MB + rand() % 4000 * 0x1000;

			mkimage_slot(vm->mk, id++, 0, base, size, 0x7f0000000000);
			slots_end = base + size;
		}
		if (kind == 0)
			mkimage_map(vm->mk, vm->root, gpa, 2,
				    mkimage_leaf(vm->mk, 0x40000000 + gpa, 2, "rwx") |
					    (rand() % 2 ? f->dirty : 0));
		for (; kind > 3 && gpa < end; gpa += 0x1000) {
			uint64_t spte = mkimage_leaf(vm->mk, 0x80000000 + gpa, 1, "rwx");

			if (kind > 4)
				spte |= rand() % 3 ? f->accessed : f->dirty;
			if (kind > 5)
				spte &= ~(rand() % 4 ? 0 : f->write);
			if (kind > 6 && rand() % 10 == 0)
				spte = rand() % 2   ? mkimage_mmio(vm->mk, gpa, 1)
				       : rand() % 2 ? mkimage_head(vm->mk)->frozen_spte
						    : 0x123000;
			if (kind > 6 && rand() % 10 == 0)
				continue;
			mkimage_map(vm->mk, vm->root, gpa, 1, spte);
		}
		gpa = end;
		if (rand() % 10 == 0)
			gpa += rand() % 10 * 2 * MK_MB;
	}
	mkimage_set(vm->mk, vm->root, 5, mkimage_nonleaf(vm->mk, 0x7ff000));
}

static void it_counts_what_decoding_each_entry_counts(void **state)
{
	static const char *const formats[] = { "npt-6.12", "ept-6.1", "ept-6.12", "ept-7.3",
					       "npt-7.3" };

	for (unsigned int seed = 0; seed < 15; seed++) {
		struct vm vm = vm_new(formats[seed % 5]);

		fill(&vm, seed);
		vm_load(&vm);
		for (unsigned int threads = 1; threads < 8; threads += 3) {
			compare(&vm.model, 0, 0, threads);
			compare(&vm.model, 0x1234000, 0x5432000, threads);
			compare(&vm.model, 3 * MK_MB, 0x1000, threads);
		}
		vm_free(&vm);
	}
}

static void any_number_of_threads_counts_the_same(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_stats *one;

	fill(&vm, 99);
	vm_load(&vm);
	one = count(&vm.model, 0, 0, 1, NULL);
	for (unsigned int threads = 2; threads < 8; threads += 5) {
		struct spt_stats *s = count(&vm.model, 0, 0, threads, NULL);

		assert_int_equal(s->nr_slots, one->nr_slots);
		assert_memory_equal(s->slot, one->slot, s->nr_slots * sizeof(*s->slot));
		/* All but the pointer to the slots. */
		free(s->slot);
		s->slot = one->slot;
		assert_memory_equal(s, one, sizeof(*s));
		free(s);
	}
	release(one);
	vm_free(&vm);
}

/* Two of three level-1 tables hang at two places, one at none. */
static void tables_count_once_and_cost_what_they_take(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x100);
	unsigned int other = mkimage_shadow_root(vm.mk, 4, 0x101);
	unsigned int level3 = mkimage_table(vm.mk, 3, 0x200, false);
	unsigned int level2 = mkimage_table(vm.mk, 2, 0x300, true);
	unsigned int a = mkimage_table(vm.mk, 1, 0x400, false);
	struct spt_stats *s;

	mkimage_table(vm.mk, 1, 0x500, false);
	mkimage_slot(vm.mk, 3, 0, 0, 64 * MK_MB, 0x7f0000000000);
	mkimage_link(vm.mk, root, 0, level3);
	mkimage_link(vm.mk, other, 0, level3);
	mkimage_link(vm.mk, level3, 0, level2);
	mkimage_link(vm.mk, level2, 0, a);
	mkimage_link(vm.mk, level2, 1, a);
	for (int i = 0; i < 10; i++) {
		mkimage_set(vm.mk, a, i, mkimage_leaf(vm.mk, 0x40000000 + i * 0x1000, 1, "rw"));
		mkimage_translate(vm.mk, a, i, i < 7 ? 0x5000 : 0x5000000, 7);
	}
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 4; threads++) {
		const struct spt_slot_count *row;

		s = count(&vm.model, 0, 0, threads, NULL);
		assert_int_equal(s->table[4].tables, 2);
		assert_int_equal(s->table[3].tables, 1);
		assert_int_equal(s->table[3].links, 2);
		assert_int_equal(s->table[3].pages, 2);
		assert_int_equal(s->table[2].pages, 1);
		assert_int_equal(s->table[1].tables, 2);
		assert_int_equal(s->table[1].links, 4);
		assert_int_equal(s->table[1].detached, 1);
		assert_int_equal(s->table[1].pages, 4);
		assert_int_equal(s->entries[1][SPT_SPTE_LEAF], 10);
		assert_int_equal(s->entries[2][SPT_SPTE_TABLE], 2);
		assert_int_equal(s->entries[3][SPT_SPTE_TABLE], 1);
		row = row_of(s, NULL, &vm.model.memslots.slots[0]);
		assert_int_equal(row->share.bytes[1], 7 * 0x1000);
		assert_int_equal(row->share.decided[1][SPT_CAUSE_GUEST_SMALLER], 7 * 0x1000);
		row = row_of(s, NULL, NULL);
		assert_int_equal(row->share.bytes[1], 3 * 0x1000);
		release(s);
	}
	vm_free(&vm);
}

/* Guest frames that follow one another, some that do not, over the edges of slots and of 2M. */
static void shadow_leaves_belong_to_the_slots_of_their_frames(void **state)
{
	struct vm vm = vm_new("shadow-6.12");
	unsigned int root = mkimage_shadow_root(vm.mk, 4, 0x100);
	unsigned int level3 = mkimage_table(vm.mk, 3, 0x200, false);
	unsigned int level2 = mkimage_table(vm.mk, 2, 0x300, false);
	uint64_t mapped[4] = { 0 };

	srand(7);
	mkimage_slot(vm.mk, 0, 0, 0, 5 * MK_MB, 0x7f0000000000);
	mkimage_slot(vm.mk, 1, 0, 5 * MK_MB, 5 * MK_MB, 0x7f0000500000);
	mkimage_slot(vm.mk, 2, 0, 16 * MK_MB, 6 * MK_MB, 0x7f0001000000);
	mkimage_link(vm.mk, root, 0, level3);
	mkimage_link(vm.mk, level3, 0, level2);
	for (int t = 0; t < 40; t++) {
		unsigned int table = mkimage_table(vm.mk, 1, 0x400 + t, false);
		uint64_t gpa = t % 3 ? rand() % 24 * MK_MB : rand() % 12 * 2 * MK_MB;

		mkimage_link(vm.mk, level2, t, table);
		for (int i = 0; i < 512; i++, gpa += 0x1000) {
			if (t % 5 == 0 && i % 100 == 7)
				gpa += 0x1000;
			if (t % 7 == 1 && i % 50 == 3)
				continue;
			mkimage_set(vm.mk, table, i, mkimage_leaf(vm.mk, 0x40000000, 1, "rw"));
			mkimage_translate(vm.mk, table, i, gpa, 7);
			mapped[gpa < 5 * MK_MB			       ? 0
			       : gpa < 10 * MK_MB		       ? 1
			       : gpa >= 16 * MK_MB && gpa < 22 * MK_MB ? 2
								       : 3] += 0x1000;
		}
	}
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 3; threads++) {
		struct spt_stats *s = count(&vm.model, 0, 0, threads, NULL);

		for (int i = 0; i < 4; i++) {
			const struct spt_memslot *slot = i < 3 ? &vm.model.memslots.slots[i] : NULL;
			const struct spt_slot_count *row = row_of(s, NULL, slot);

			assert_int_equal(row->share.bytes[1], mapped[i]);
			if (slot)
				assert_int_equal(row->share.held[1][SPT_CAUSE_GUEST_SMALLER],
						 mapped[i]);
		}
		release(s);
	}
	vm_free(&vm);
}

static void an_untouched_slot_is_one_hole(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_stats *s;

	mkimage_slot(vm.mk, 0, 0, 0, 4 * MK_MB, 0x7f0000000000);
	mkimage_slot(vm.mk, 1, 0, MK_GB, 4 * MK_MB, 0x7f0000400000);
	mkimage_slot(vm.mk, 2, 1, MK_GB, 4 * MK_MB, 0x7f0000400000);
	mkimage_map(vm.mk, vm.root, 0, 2, mkimage_leaf(vm.mk, 0x40000000, 2, "rwx"));
	vm_load(&vm);
	s = count(&vm.model, 0, 0, 1, NULL);
	assert_int_equal(s->nr_slots, 2); /* the third is of another address space */
	assert_int_equal(spt_slot_count_holes(&s->slot[0]), 2 * MK_MB);
	assert_int_equal(spt_slot_count_holes(&s->slot[1]), 4 * MK_MB);
	release(s);
	s = count(&vm.model, MK_GB + MK_MB, MK_MB, 1, NULL);
	assert_int_equal(s->nr_slots, 1);
	assert_int_equal(spt_slot_count_holes(&s->slot[0]), MK_MB);
	release(s);
	vm_free(&vm);
}

static void each_of_many_slots_has_one_row(void **state)
{
	enum { SLOTS = 1000, PAGES = 4 };
	struct vm vm = vm_new("npt-6.12");

	for (uint64_t i = 0; i < SLOTS; i++) {
		uint64_t base = i * 0x8000;

		mkimage_slot(vm.mk, i, 0, base, PAGES * 0x1000, 0x7f0000000000 + base);
		/* Of every second one; of the others nothing is mapped. */
		for (uint64_t page = 0; page < PAGES - 1 && i % 2; page++)
			mkimage_map(vm.mk, vm.root, base + page * 0x1000, 1,
				    mkimage_leaf(vm.mk, 0x40000000, 1, "rwx"));
	}
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 4; threads++) {
		struct spt_stats *s = count(&vm.model, 0, 0, threads, NULL);

		assert_int_equal(s->nr_slots, SLOTS);
		for (size_t i = 0; i < s->nr_slots; i++) {
			assert_ptr_equal(s->slot[i].slot, &vm.model.memslots.slots[i]);
			assert_int_equal(spt_slot_count_mapped(&s->slot[i]), i % 2 ? 0x3000 : 0);
			assert_int_equal(spt_slot_count_holes(&s->slot[i]),
					 i % 2 ? 0x1000 : 0x4000);
		}
		release(s);
	}
	vm_free(&vm);
}

/* Two nodes of 1G each; the second one has two zones, and a gap before them. */
static const char zoneinfo[] = "Node 0, zone    DMA32\n"
			       "  pages free     56000\n"
			       "        spanned  262144\n"
			       "        present  262144\n"
			       "  start_pfn:           0\n"
			       "Node 1, zone   Normal\n"
			       "        spanned  131072\n"
			       "  start_pfn:           524288\n"
			       "Node 1, zone  Movable\n"
			       "        spanned  131072\n"
			       "  start_pfn:           655360\n"
			       "Node 1, zone   Device\n"
			       "        spanned  0\n"
			       "  start_pfn:           0\n";

static void read_zones(const char *text, struct spt_numa *numa)
{
	char name[] = "/tmp/spt-zones-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	assert_int_equal(spt_numa_read(name, numa), 0);
	unlink(name);
}

static void frames_have_nodes(void **state)
{
	struct spt_numa numa;

	read_zones(zoneinfo, &numa);
	assert_int_equal(numa.count, 2);
	assert_int_equal(spt_numa_node(&numa, 0, MK_GB - 1), 0);
	assert_int_equal(spt_numa_node(&numa, 0, MK_GB), -1);
	assert_int_equal(spt_numa_node(&numa, 3 * MK_GB / 2, 3 * MK_GB / 2), -1);
	assert_int_equal(spt_numa_node(&numa, 2 * MK_GB, 3 * MK_GB - 1), 1);
	assert_int_equal(spt_numa_node(&numa, 3 * MK_GB, 3 * MK_GB), -1);
	spt_numa_free(&numa);
	assert_int_not_equal(spt_numa_read("/nonexistent", &numa), 0);
	spt_numa_free(&numa);
	read_zones("Node 0, zone A\n spanned 10\n start_pfn: 0\n"
		   "Node 1, zone A\n spanned 10\n start_pfn: 5\n",
		   &numa);
	assert_int_equal(spt_numa_node(&numa, 0, 0xfff), -1); /* which one cannot be said */
	spt_numa_free(&numa);
}

static void memory_is_counted_by_node(void **state)
{
	struct vm vm = vm_new("ept-6.12");
	struct spt_numa numa;
	struct spt_stats *s;

	/* A table of node 0, one of both, a huge page of node 1, one page of none. */
	for (int i = 0; i < 512; i++) {
		mkimage_map(vm.mk, vm.root, i * 0x1000, 1,
			    mkimage_leaf(vm.mk, 0x10000000 + i * 0x1000, 1, "rwx"));
		mkimage_map(vm.mk, vm.root, 2 * MK_MB + i * 0x1000, 1,
			    mkimage_leaf(vm.mk, (i % 2 ? 0 : 2 * MK_GB) + i * 0x1000, 1, "rwx"));
	}
	mkimage_map(vm.mk, vm.root, 4 * MK_MB, 2, mkimage_leaf(vm.mk, 2 * MK_GB, 2, "rwx"));
	mkimage_map(vm.mk, vm.root, 6 * MK_MB, 1, mkimage_leaf(vm.mk, 9 * MK_GB, 1, "rwx"));
	vm_load(&vm);
	read_zones(zoneinfo, &numa);
	s = count(&vm.model, 0, 0, 1, &numa);
	assert_true(s->have_nodes);
	assert_int_equal(s->node_bytes[0], 3 * MK_MB);
	assert_int_equal(s->node_bytes[1], 3 * MK_MB);
	assert_int_equal(s->no_node_bytes, 0x1000);
	release(s);
	s = count(&vm.model, 0, 0, 1, NULL);
	assert_false(s->have_nodes);
	release(s);
	spt_numa_free(&numa);
	vm_free(&vm);
}

/* What the image says of the host's mapping, where the host itself is not at hand. */
static void a_saved_image_knows_the_nodes_of_its_host(void **state)
{
	struct vm vm = vm_new("npt-6.12");
	struct spt_stats *s;

	mkimage_slot(vm.mk, 0, 0, 0, 8 * MK_MB, 0x7f0000000000);
	/* Node 0: 300 pages; node 3: the rest of that table, and a huge page; then unknown. */
	mkimage_host_run(vm.mk, 0, 300, 0x40000000, 1,
			 SPT_HOST_RUN_WRITABLE | 1 << SPT_HOST_RUN_NODE_SHIFT);
	mkimage_host_run(vm.mk, 300, 724, 0x50000000, 1, 4 << SPT_HOST_RUN_NODE_SHIFT);
	mkimage_host_run(vm.mk, 1024, 512, 0x60000000, 1, 0);
	for (int i = 0; i < 512; i++) {
		mkimage_map(vm.mk, vm.root, i * 0x1000, 1, mkimage_leaf(vm.mk, i * 0x1000, 1, "r"));
		/* One in eight; and some of what the host does not map. */
		if (i % 8 == 0)
			mkimage_map(vm.mk, vm.root, 4 * MK_MB + i * 0x2000, 1,
				    mkimage_leaf(vm.mk, i * 0x1000, 1, "r"));
	}
	mkimage_map(vm.mk, vm.root, 2 * MK_MB, 2, mkimage_leaf(vm.mk, 2 * MK_MB, 2, "rwx"));
	mkimage_map(vm.mk, vm.root, 9 * MK_MB, 1, mkimage_leaf(vm.mk, 2 * MK_MB, 1, "rwx"));
	vm_load(&vm);
	for (unsigned int threads = 1; threads < 3; threads++) {
		s = count(&vm.model, 0, 0, threads, NULL);
		assert_true(s->have_nodes);
		assert_int_equal(s->node_bytes[0], 300 * 0x1000);
		assert_int_equal(s->node_bytes[3], 212 * 0x1000 + 2 * MK_MB);
		assert_int_equal(s->no_node_bytes, 65 * 0x1000);
		release(s);
	}
	vm_free(&vm);
}

/* Of 8M, 2M and a page are private by attribute; two pages of them are there, one is mapped. */
static void halves_are_counted_apart(void **state)
{
	const uint64_t bit = 1ULL << 39;
	struct vm vm = vm_new("npt-7.3"), plain = vm_new("npt-7.3");
	struct spt_sweep sweep = { .model = &vm.model, .threads = 1 };
	struct spt_half_count halves[2];
	struct spt_stats *s;
	struct spt_slot *slot;
	unsigned int mirror;

	mkimage_vm(vm.mk, SPT_VM_HAS_PRIVATE_MEM, 1);
	mkimage_vm(vm.mk, SPT_VM_GFN_DIRECT_BITS, bit >> 12);
	mirror = mkimage_mirror_root(vm.mk, 4);
	mkimage_map(vm.mk, mirror, 0x1000, 1, mkimage_leaf(vm.mk, 0x40001000, 1, "rwx"));
	for (uint64_t i = 0; i < 3; i++)
		mkimage_map(vm.mk, vm.root, bit + 4 * MK_MB + (i << 12), 1,
			    mkimage_leaf(vm.mk, 0x50000000 + (i << 12), 1, "rw"));
	mkimage_externals(vm.mk, mirror);
	slot = mkimage_slot(vm.mk, 0, 0, 0, 8 * MK_MB, 0x7f0000000000);
	slot->gmem_file = 1;
	slot->known |= SPT_SLOT_KNOWN_GMEM_PAGES;
	mkimage_gmem_run(vm.mk, 1, 2, 0x40001000);
	mkimage_run(vm.mk, SPT_RUN_ATTRS, 0, 513, 8);
	vm_load(&vm);
	s = count(&vm.model, 0, 0, 1, NULL);
	assert_true(spt_halves_count(&sweep, s, halves));
	assert_string_equal(spt_half_name(halves[0].half), "private");
	assert_int_equal(halves[0].bytes, 2 * MK_MB + 0x1000);
	assert_int_equal(halves[0].pages, 0x2000);
	assert_true(halves[0].has_pages);
	assert_false(halves[1].has_pages);
	assert_int_equal(halves[0].mapped, 0x1000);
	assert_int_equal(halves[0].tables, (4 + 3) * 0x1000); /* the root has no external one */
	assert_int_equal(halves[1].bytes, 6 * MK_MB - 0x1000);
	assert_int_equal(halves[1].mapped, 0x3000);
	assert_int_equal(halves[1].tables, 4 * 0x1000);
	/* External tables are memory of their mirrors, and no tables that nobody leads to. */
	for (int level = 1; level <= 4; level++)
		assert_int_equal(s->table[level].detached, 0);
	assert_int_equal(s->table[1].tables, 2);
	assert_int_equal(s->table[1].pages, 3);
	release(s);
	/* A range of it. */
	s = count(&vm.model, 0x1000, 0x1000, 1, NULL);
	sweep.start = sweep.len = 0x1000;
	assert_true(spt_halves_count(&sweep, s, halves));
	assert_int_equal(halves[0].bytes, 0x1000);
	assert_int_equal(halves[0].pages, 0x1000);
	assert_int_equal(halves[1].bytes, 0);
	/* None that are known is not none. */
	vm.model.image.head.req_parts &= ~(uint32_t)SPT_PART_GMEM;
	assert_true(spt_halves_count(&sweep, s, halves));
	assert_false(halves[0].has_pages);
	release(s);

	mkimage_vm(plain.mk, SPT_VM_HAS_PRIVATE_MEM, 0);
	vm_load(&plain);
	s = count(&plain.model, 0, 0, 1, NULL);
	sweep = (struct spt_sweep){ .model = &plain.model };
	assert_false(spt_halves_count(&sweep, s, halves));
	release(s);
	vm_free(&vm);
	vm_free(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_what_decoding_each_entry_counts),
		cmocka_unit_test(any_number_of_threads_counts_the_same),
		cmocka_unit_test(tables_count_once_and_cost_what_they_take),
		cmocka_unit_test(shadow_leaves_belong_to_the_slots_of_their_frames),
		cmocka_unit_test(an_untouched_slot_is_one_hole),
		cmocka_unit_test(each_of_many_slots_has_one_row),
		cmocka_unit_test(frames_have_nodes),
		cmocka_unit_test(memory_is_counted_by_node),
		cmocka_unit_test(a_saved_image_knows_the_nodes_of_its_host),
		cmocka_unit_test(halves_are_counted_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
