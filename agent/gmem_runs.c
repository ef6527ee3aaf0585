// SPDX-License-Identifier: GPL-2.0
/*
 * The pages behind a slot's guest_memfd, from the file's page cache, as runs of
 * neighbours.
 *
 * A slot has no reference to its file: it is taken as kvm_gmem_get_file() takes
 * it, under kvm->srcu, and fails once the file is being closed. The pages are
 * found as filemap_get_entry() finds them: under RCU, with a reference, and
 * looked up again before they are believed. Only entries that exist are visited.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/xarray.h>

#include "memslots.h"

#ifdef SPT_HAVE_GET_FILE_ACTIVE

/* Pages between two looks at the clock. */
#define SPT_GMEM_BURST	64

struct spt_gmem_scan {
	const struct spt_slot_pages *slot;
	u64 pgoff;		/* of the slot's first page in the file */
	u64 end;		/* pages of the slot up to here are wanted */
	struct spt_host_runs *rec;
	struct spt_host_run *open;
};

/* Level of the largest page that a folio of so many pages can be. */
static u8 spt_gmem_level(unsigned long pages)
{
	if (pages >= 1UL << spt_level_shift(3))
		return 3;
	return pages >= 1UL << spt_level_shift(2) ? 2 : 1;
}

/*
 * What the folio, held by a reference, has of the slot from page *@index on; then
 * *@index is behind it. False: the record is full.
 */
static bool spt_gmem_folio(const struct spt_gmem_scan *scan, struct folio *folio, u64 *index)
{
	unsigned long pages = folio_nr_pages(folio);
	u64 first = max(*index + scan->pgoff, (u64)folio->index);
	u64 end = min((u64)folio->index + pages, scan->end + scan->pgoff);
	struct spt_host_run run = {
		.gfn = scan->slot->base + (first - scan->pgoff),
		.npages = end - first,
		.hpa = PFN_PHYS(folio_pfn(folio) + (first - folio->index)),
		.flags = (u32)(folio_nid(folio) + 1) << SPT_HOST_RUN_NODE_SHIFT,
		.level = spt_gmem_level(pages),
	};

	if (first >= end)
		return true;
	if (!spt_host_run_add(scan->rec, scan->open, &run))
		return false;
	*index = end - scan->pgoff;
	return true;
}

/* One slice. 1: come again, 0: there is nothing left in the cursor's slot. */
static int spt_gmem_slice(const struct spt_gmem_scan *scan, struct address_space *mapping,
			  u64 *index)
{
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	XA_STATE(xas, &mapping->i_pages, scan->pgoff + *index);
	struct folio *folio;
	unsigned int n = 0;
	bool more = false;

	rcu_read_lock();
	xas_for_each(&xas, folio, scan->pgoff + scan->end - 1) {
		if (!(++n % SPT_GMEM_BURST) && ktime_get_mono_fast_ns() > deadline)
			more = true;
		if (more)
			break;
		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		if (!folio_try_get(folio)) {
			xas_reset(&xas);
			continue;
		}
		if (folio != xas_reload(&xas)) {
			folio_put(folio);
			xas_reset(&xas);
			continue;
		}
		more = !spt_gmem_folio(scan, folio, index);
		folio_put(folio);
	}
	rcu_read_unlock();
	return more;
}

int spt_gmem_runs(struct spt_reader *reader, const void *slot, const struct spt_slot_pages *pages)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	struct spt_gmem_scan scan = { .slot = pages, .open = &at->open };
	bool more = false;
	struct file *file;
	int error;

	if (!spt_has(SPT_F_SLOT_GMEM_FILE) || spt_load(slot, SPT_F_SLOT_GMEM_PGOFF, &scan.pgoff))
		return 0;
	file = get_file_active((struct file **)spt_at(slot, SPT_F_SLOT_GMEM_FILE));
	if (!file)
		return 0;
	scan.rec = spt_record(reader, SPT_REC_GMEM_RUNS, sizeof(*scan.rec));
	if (spt_slot_wanted(reader, pages, &at->index, &scan.end))
		more = spt_gmem_slice(&scan, file_inode(file)->i_mapping, &at->index);
	fput(file);
	if (!more)
		more = !spt_host_run_close(scan.rec, scan.open);
	if (scan.rec->count) {
		scan.rec->rec.len = struct_size(scan.rec, run, scan.rec->count);
		error = spt_put(reader, scan.rec);
		if (error)
			return error;
	}
	return more;
}

bool spt_gmem_readable(void)
{
	return spt_has(SPT_F_SLOT_GMEM_FILE) && spt_has(SPT_F_SLOT_GMEM_PGOFF);
}

#else

int spt_gmem_runs(struct spt_reader *reader, const void *slot, const struct spt_slot_pages *pages)
{
	return 0;
}

bool spt_gmem_readable(void)
{
	return false;
}

#endif
