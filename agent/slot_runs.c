// SPDX-License-Identifier: GPL-2.0
/*
 * The arrays of a slot, one element a page: why a huge page is not allowed,
 * what is write-tracked, what is dirty. Long and mostly zero, so they are read
 * in blocks and shown as runs, and for a stretch of srcu time at once.
 */
#include <linux/ktime.h>

#include "memslots.h"

#define SPT_BLOCK_BYTES		512
#define SPT_RUNS_MAX		((SPT_SCRATCH_BYTES - sizeof(struct spt_runs)) / \
				 sizeof(struct spt_run))
#define SPT_DIRTY_WORDS		256	/* of the bitmap, in one record */

/* An array of a slot: @count elements, the first one for @first, a page of 1 << @shift gfns. */
struct spt_slot_array {
	enum spt_run_kind kind;
	const u8 *at;
	u8 size;		/* bytes of an element */
	u8 shift;
	u64 first;
	u64 count;
};

bool spt_slot_wanted(const struct spt_reader *reader, const struct spt_slot_pages *slot,
		     u64 *index, u64 *end)
{
	u64 first = spt_request_first(reader);
	u64 behind = spt_request_end(reader);

	if (first > slot->base)
		*index = max(*index, first - slot->base);
	*end = slot->npages;
	if (behind < slot->base + slot->npages)
		*end = behind > slot->base ? behind - slot->base : 0;
	return *index < *end;
}

static bool spt_block_zero(const u64 *block)
{
	u64 or = 0;
	unsigned int i;

	for (i = 0; i < SPT_BLOCK_BYTES / sizeof(u64); i++)
		or |= block[i];
	return !or;
}

static u32 spt_block_element(const u64 *block, const struct spt_slot_array *array, unsigned int i)
{
	return array->size == sizeof(u32) ? ((const u32 *)block)[i] : ((const u16 *)block)[i];
}

/* Appends an element to the runs; false: the record is full and the element was not taken. */
static bool spt_runs_add(struct spt_runs *runs, u64 gfn, u64 npages, u64 value)
{
	struct spt_run *last = runs->count ? &runs->run[runs->count - 1] : NULL;

	if (last && last->value == value && last->gfn + last->npages == gfn) {
		last->npages += npages;
		return true;
	}
	if (runs->count == SPT_RUNS_MAX)
		return false;
	runs->run[runs->count++] = (struct spt_run){ gfn, npages, value };
	return true;
}

/* One block from element @index on; how many elements were taken. */
static u64 spt_runs_block(struct spt_runs *runs, const struct spt_slot_array *array, u64 index,
			  u64 end)
{
	u64 block[SPT_BLOCK_BYTES / sizeof(u64)];
	u64 count = min_t(u64, end - index, SPT_BLOCK_BYTES / array->size);
	u64 i;

	if (count < SPT_BLOCK_BYTES / array->size)
		memset(block, 0, sizeof(block));
	if (spt_read(block, array->at + index * array->size, count * array->size) ||
	    spt_block_zero(block))
		return count;
	for (i = 0; i < count; i++) {
		u32 value = spt_block_element(block, array, i);

		if (value && !spt_runs_add(runs, array->first + ((index + i) << array->shift),
					   1ULL << array->shift, value))
			return i;
	}
	return count;
}

/* The elements of the array that the request wants, from the cursor on. */
static int spt_runs_stretch(struct spt_reader *reader, const struct spt_slot_array *array)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SRCU_SLICE_NS;
	u64 first = spt_request_first(reader);
	u64 end = array->count;
	struct spt_runs *runs;
	u64 taken = 1;
	int error;

	if (first > array->first)
		at->index = max(at->index, (first - array->first) >> array->shift);
	if (spt_request_end(reader) > array->first)
		end = min(end, ((spt_request_end(reader) - array->first - 1) >> array->shift) + 1);
	runs = spt_record(reader, SPT_REC_SLOT_RUNS, sizeof(*runs));
	runs->kind = array->kind;
	while (at->index < end && taken && ktime_get_mono_fast_ns() < deadline) {
		taken = spt_runs_block(runs, array, at->index, end);
		at->index += taken;
	}
	if (runs->count) {
		runs->rec.len = struct_size(runs, run, runs->count);
		error = spt_put(reader, runs);
		if (error)
			return error;
	}
	return at->index < end;
}

/* kvm_lpage_info of one level, as kvm_alloc_memslot_metadata() sizes it. */
static int spt_lpage_runs(struct spt_reader *reader, const void *slot, u64 base, u64 npages,
			  unsigned int level)
{
	const u8 *const *arrays = spt_at(slot, SPT_F_SLOT_LPAGE_INFO);
	struct spt_slot_array array = {
		.kind = level == 2 ? SPT_RUN_LPAGE_2M : SPT_RUN_LPAGE_1G,
		.size = sizeof(u32),
		.shift = spt_level_shift(level),
	};

	if (spt_read(&array.at, &arrays[level - 2], sizeof(array.at)) || !array.at)
		return 0;
	array.first = base >> array.shift << array.shift;
	array.count = ((base + npages - 1) >> array.shift) - (base >> array.shift) + 1;
	return spt_runs_stretch(reader, &array);
}

static int spt_track_runs(struct spt_reader *reader, const void *slot, u64 base, u64 npages)
{
	struct spt_slot_array array = {
		.kind = SPT_RUN_WRITE_TRACK,
		.at = spt_load_pointer(slot, SPT_F_SLOT_WRITE_TRACK),
		.size = sizeof(u16),
		.first = base,
		.count = npages,
	};

	return array.at ? spt_runs_stretch(reader, &array) : 0;
}

/* Words of the bitmap from the cursor on that are not all zero, one record of them. */
static int spt_dirty_words(struct spt_reader *reader, const void *slot, u64 base, u64 npages)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	const u64 *bitmap = spt_load_pointer(slot, SPT_F_SLOT_DIRTY_BITMAP);
	u64 first = spt_request_first(reader);
	u64 words = DIV_ROUND_UP(npages, 64);
	struct spt_dirty *dirty;
	u64 or = 0;
	u64 count;
	u64 i;

	if (!bitmap)
		return 0;
	if (first > base)
		at->index = max(at->index, (first - base) / 64);
	if (spt_request_end(reader) < base + npages)
		words = DIV_ROUND_UP(spt_request_end(reader) - base, 64);
	if (at->index >= words)
		return 0;
	count = min_t(u64, words - at->index, SPT_DIRTY_WORDS);
	dirty = spt_record(reader, SPT_REC_DIRTY, sizeof(*dirty));
	dirty->rec.len = struct_size(dirty, word, count);
	dirty->gfn = base + at->index * 64;
	dirty->npages = min(count * 64, npages - at->index * 64);
	if (spt_read(dirty->word, bitmap + at->index, count * sizeof(u64)))
		return 0;
	at->index += count;
	for (i = 0; i < count; i++)
		or |= dirty->word[i];
	if (or) {
		int error = spt_put(reader, dirty);

		if (error)
			return error;
	}
	return at->index < words;
}

u8 spt_slot_runs_next(const struct spt_reader *reader, const void *slot, u8 runs)
{
	static const u32 part[SPT_RUNS_END] = {
		[SPT_RUNS_2M] = SPT_PART_LPAGE,
		[SPT_RUNS_1G] = SPT_PART_LPAGE,
		[SPT_RUNS_TRACK] = SPT_PART_LPAGE,
		[SPT_RUNS_DIRTY] = SPT_PART_DIRTY,
		[SPT_RUNS_HOST] = SPT_PART_HOST_RUNS,
		[SPT_RUNS_GMEM] = SPT_PART_GMEM,
		[SPT_RUNS_RMAP_4K] = SPT_PART_RMAPS,
		[SPT_RUNS_RMAP_2M] = SPT_PART_RMAPS,
		[SPT_RUNS_RMAP_1G] = SPT_PART_RMAPS,
	};

	while (++runs < SPT_RUNS_END) {
		if (!(reader->request.parts & part[runs]))
			continue;
		if (runs != SPT_RUNS_GMEM || spt_load_pointer(slot, SPT_F_SLOT_GMEM_FILE))
			return runs;
	}
	return 0;
}

int spt_slot_runs(struct spt_reader *reader, const void *slot)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	struct spt_slot_pages pages;

	if (spt_load(slot, SPT_F_SLOT_BASE_GFN, &pages.base) ||
	    spt_load(slot, SPT_F_SLOT_NPAGES, &pages.npages) || !pages.npages ||
	    spt_load(slot, SPT_F_SLOT_HVA, &pages.hva))
		return 0;
	switch (at->runs) {
	case SPT_RUNS_2M:
	case SPT_RUNS_1G:
		return spt_lpage_runs(reader, slot, pages.base, pages.npages,
				      at->runs - SPT_RUNS_2M + 2);
	case SPT_RUNS_TRACK:
		return spt_track_runs(reader, slot, pages.base, pages.npages);
	case SPT_RUNS_DIRTY:
		return spt_dirty_words(reader, slot, pages.base, pages.npages);
	case SPT_RUNS_HOST:
		return spt_host_runs(reader, &pages);
	case SPT_RUNS_GMEM:
		return spt_gmem_runs(reader, slot, &pages);
	default:
		return spt_rmaps(reader, slot, &pages, at->runs - SPT_RUNS_RMAP_4K + 1);
	}
}
