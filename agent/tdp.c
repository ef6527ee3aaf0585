// SPDX-License-Identifier: GPL-2.0
/*
 * The TDP MMU's tables, read under RCU alone: KVM frees them only after a grace
 * period, so whatever is reached from a root's entry in one RCU section is a
 * table. No lock is taken; a walk finishes while somebody holds mmu_lock.
 *
 * A section is short. The next one begins as if it had never been here:
 *
 * 1. The root is looked for in tdp_mmu_roots, by address and role. A root that
 *    is gone or became invalid is given up with a note.
 * 2. The path of the cursor is followed again from the root. Where an entry
 *    names another table than the one that was emitted, the walk goes on in
 *    that one, from the same gfn, with a note.
 * 3. Tables are emitted in pre-order until the time, the user's buffer or the
 *    tree is at its end.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "entries.h"
#include "reader.h"

/* Tables between two looks at the clock; one takes a few microseconds at worst. */
#define SPT_TABLES_A_LOOK	8
/* A list of roots is never longer: one for each role and address space in use. */
#define SPT_ROOT_LIST_MAX	1024

static const struct list_head *spt_roots_head(const struct spt_reader *reader)
{
	return spt_at(reader->vm.kvm, SPT_F_KVM_TDP_MMU_ROOTS);
}

static const struct list_head *spt_next(const struct list_head *link)
{
	const struct list_head *next;

	return spt_read(&next, &link->next, sizeof(next)) ? NULL : next;
}

/* Calls @visit for each root until it says true; the root it said so for, or NULL. */
static const void *spt_find_root(const struct spt_reader *reader,
				 bool (*visit)(const void *root, void *arg), void *arg)
{
	const struct list_head *head = spt_roots_head(reader);
	const struct list_head *link = spt_next(head);
	unsigned int n;

	for (n = 0; link && link != head && n < SPT_ROOT_LIST_MAX; n++) {
		const void *root = (void *)link - spt_layout.field[SPT_F_SP_LINK].offset;

		if (visit(root, arg))
			return root;
		link = spt_next(link);
	}
	return NULL;
}

static bool spt_is_root(const void *root, void *arg)
{
	return root == arg;
}

static bool spt_is_new_root(const void *root, void *arg)
{
	const struct spt_tdp_cursor *at = arg;
	unsigned int i;

	for (i = 0; i < at->roots; i++)
		if (at->done[i] == root)
			return false;
	return true;
}

static bool spt_is_nth_root(const void *root, void *arg)
{
	u64 *n = arg;

	return !(*n)--;
}

/* The ROOT records; a root that goes while they are made may cost another its record. */
int spt_roots_step(struct spt_reader *reader)
{
	struct spt_index_cursor *at = &reader->cursor.index;
	struct spt_root *rec = spt_record(reader, SPT_REC_ROOT, sizeof(*rec));
	u64 n = at->index;
	const void *root;
	int error;

	rcu_read_lock();
	root = spt_find_root(reader, spt_is_nth_root, &n);
	error = root ? spt_sp_find(root, &reader->sp) : -ENOENT;
	if (!error)
		spt_sp_describe(&reader->sp, &rec->page);
	rcu_read_unlock();
	if (!root)
		return 0;
	if (at->index == SPT_ROOT_LIST_MAX) {
		error = spt_note(reader, SPT_NOTE_LIMIT, SPT_ROOT_LIST_MAX, 0);
		return error;
	}
	rec->order = at->index++;
	error = error ? spt_note(reader, SPT_NOTE_UNREADABLE, (unsigned long)root, 0) :
			spt_put(reader, rec);
	return error ? error : 1;
}

static bool spt_is_mirror(u32 role)
{
	const struct spt_field *mirror = &spt_layout.field[SPT_F_ROLE_IS_MIRROR];

	return mirror->present && ((role >> mirror->shift) & mirror->mask);
}

static u64 spt_root_bits(const struct spt_reader *reader, u32 role)
{
	/* kvm_gfn_root_bits(): a mirror root counts without the shared bit. */
	return spt_is_mirror(role) ? 0 : reader->direct_bits;
}

/* The table behind a mirror page, which goes with it after a grace period, too. */
static const u64 *spt_tdp_external(const struct spt_reader *reader, const struct spt_sp *sp)
{
	const u64 *external;

	if (!reader->external_readable || !spt_is_mirror(sp->role))
		return NULL;
	external = (const u64 *)(unsigned long)spt_number(sp->copy, SPT_F_SP_EXTERNAL_SPT);
	return spt_in_direct_map(external, PAGE_SIZE) ? external : NULL;
}

/*
 * Emits the page in reader->sp, which is then the path's end. @base and @level are
 * those of its place in the tree, whatever the page says of itself.
 */
static int spt_tdp_emit(struct spt_reader *reader, u64 base, u8 level)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	const struct spt_sp *sp = &reader->sp;
	struct spt_found_table table = { .sp = sp, .base = base };
	struct spt_frame *frame = &at->frame[at->depth];
	u64 bits = spt_root_bits(reader, at->role);
	u64 first = spt_request_first(reader);
	u64 end = spt_request_end(reader);
	int error;

	if (reader->request.len) {
		first |= bits;
		end |= bits;
	}
	table.root_sp = (unsigned long)at->root;
	table.external = spt_tdp_external(reader, sp);
	table.allowed = spt_table_range(base, level, first, end, &frame->next, &frame->end);
	error = reader->sink->table(reader, &table);
	if (error)
		return error;
	/* No tables below, or none that could be told: a link to the wrong level may be a loop. */
	if (level == 1 || sp->level != level)
		return 1;
	frame->sp = sp->sp;
	frame->spt = sp->spt;
	frame->base = base;
	frame->chunks = table.chunks;
	frame->level = level;
	if (at->resume > base) {
		u64 skip = (at->resume - base) >> spt_level_shift(level);

		frame->next = max_t(u64, frame->next, min_t(u64, skip, SPT_TABLE_ENTRIES));
	}
	at->depth++;
	return 1;
}

static int spt_tdp_lost_root(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	u64 root = (unsigned long)at->root;

	at->root = NULL;
	return spt_note(reader, SPT_NOTE_ROOT_CHANGED, root, 0);
}

/* Emits a root that was not walked yet; 0: there is none. */
static int spt_tdp_next_root(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	const void *root = spt_find_root(reader, spt_is_new_root, at);
	int ret;

	if (!root)
		return 0;
	if (at->roots == SPT_ROOTS_MAX) {
		ret = spt_note(reader, SPT_NOTE_LIMIT, SPT_ROOTS_MAX, 0);
		return ret;
	}
	at->depth = 0;
	at->resume = 0;
	ret = spt_sp_find(root, &reader->sp);
	if (!ret) {
		at->root = root;
		at->role = reader->sp.role;
		ret = spt_tdp_emit(reader, 0, reader->sp.level);
		if (ret < 0)
			at->root = NULL;
	} else {
		ret = spt_note(reader, SPT_NOTE_UNREADABLE, (unsigned long)root, 0);
		if (!ret)
			ret = 1;
	}
	if (ret > 0)
		at->done[at->roots++] = root;
	return ret;
}

/*
 * The table that @spte, entry @index of @frame, names, into reader->sp. False:
 * what it names is no table. A table that says it belongs elsewhere is one: who
 * reads the image is to see what it says.
 */
static bool spt_tdp_child(struct spt_reader *reader, const struct spt_frame *frame,
			  unsigned int index, u64 spte, u64 *base)
{
	u64 hpa = spte & spt_layout.addr_mask;
	const void *sp = spt_sp_of(hpa);

	*base = frame->base + ((u64)index << spt_level_shift(frame->level));
	return sp && !spt_sp_copy(sp, &reader->sp) && reader->sp.spt == __va(hpa);
}

static bool spt_tdp_is_table(u64 spte, u8 level)
{
	return spt_spte_present(spte) && !spt_spte_leaf(spte, level);
}

/* An entry that changed meanwhile is looked at again; else it is a broken tree. */
static int spt_tdp_bad_table(struct spt_reader *reader, struct spt_frame *frame, u64 spte)
{
	u64 now;

	if (!spt_read(&now, &frame->spt[frame->next], sizeof(now)) && now != spte)
		return 1;
	frame->next++;
	now = spt_note(reader, SPT_NOTE_BAD_TABLE, spte & spt_layout.addr_mask, spte);
	return now ? (int)now : 1;
}

/* Goes to the next table in pre-order and emits it; with none left, leaves the root. */
static int spt_tdp_next(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;

	while (at->depth) {
		struct spt_frame *frame = &at->frame[at->depth - 1];
		u64 spte;
		u64 base;
		int ret;

		if (frame->next >= frame->end) {
			at->depth--;
			continue;
		}
		if (!(frame->chunks & BIT_ULL(frame->next / SPT_CHUNK_ENTRIES))) {
			frame->next = (frame->next | (SPT_CHUNK_ENTRIES - 1)) + 1;
			continue;
		}
		if (!spt_get_word(&frame->spt[frame->next], &spte) ||
		    !spt_tdp_is_table(spte, frame->level)) {
			frame->next++;
			continue;
		}
		if (!spt_tdp_child(reader, frame, frame->next, spte, &base))
			return spt_tdp_bad_table(reader, frame, spte);
		ret = spt_tdp_emit(reader, base, frame->level - 1);
		if (ret > 0)
			frame->next++;
		return ret;
	}
	at->root = NULL;
	return 1;
}

/* The gfn that the walk had come to. */
static u64 spt_tdp_gfn(const struct spt_tdp_cursor *at)
{
	const struct spt_frame *last = &at->frame[at->depth - 1];

	return last->base + ((u64)last->next << spt_level_shift(last->level));
}

/* Step 2: cuts the path where it is not the one that was emitted. */
static int spt_tdp_check_path(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	unsigned int d;

	for (d = 1; d < at->depth; d++) {
		struct spt_frame *parent = &at->frame[d - 1];
		const struct spt_frame *child = &at->frame[d];
		u64 spte;

		if (!spt_read(&spte, &parent->spt[parent->next - 1], sizeof(spte)) &&
		    spt_tdp_is_table(spte, parent->level) &&
		    (spte & spt_layout.addr_mask) == __pa(child->spt) &&
		    spt_sp_of(spte & spt_layout.addr_mask) == child->sp)
			continue;
		at->resume = spt_tdp_gfn(at);
		at->depth = d;
		parent->next--;
		return spt_note(reader, SPT_NOTE_PATH_CHANGED, child->base, child->level);
	}
	return 0;
}

/* A root that was freed and made anew at the same address has another table or role. */
static bool spt_is_same_root(const struct spt_tdp_cursor *at)
{
	return spt_role_of(at->root) == at->role &&
	       (!at->depth || spt_load_pointer(at->root, SPT_F_SP_SPT) == at->frame[0].spt);
}

/* Steps 1 and 2. 1: go on, 0: all roots are done. */
static int spt_tdp_enter(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	int error;

	if (at->root) {
		if (spt_find_root(reader, spt_is_root, (void *)at->root) && spt_is_same_root(at))
			error = spt_tdp_check_path(reader);
		else
			error = spt_tdp_lost_root(reader);
		if (error)
			return error;
	}
	return 1;
}

int spt_tdp_step(struct spt_reader *reader)
{
	struct spt_tdp_cursor *at = &reader->cursor.tdp;
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	unsigned int n;
	int ret;

	rcu_read_lock();
	pagefault_disable();
	ret = spt_tdp_enter(reader);
	for (n = 1; ret > 0; n++) {
		ret = at->root ? spt_tdp_next(reader) : spt_tdp_next_root(reader);
		if (spt_out_pending(reader) ||
		    (!(n % SPT_TABLES_A_LOOK) && ktime_get_mono_fast_ns() > deadline))
			break;
	}
	pagefault_enable();
	rcu_read_unlock();
	return ret;
}
