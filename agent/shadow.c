// SPDX-License-Identifier: GPL-2.0
/*
 * The pages of active_mmu_pages: all tables of the shadow MMU and of TDP without
 * the TDP MMU, and the ones for nested guests beside it.
 *
 * KVM frees them without a grace period, so mmu_lock is held for read, in short
 * holds. New pages come in at the head, so the walk goes from the tail; it goes
 * on after the page emitted last, when that one is still this VM's: found by
 * following its hash link back to this VM's buckets. One that was freed and made
 * anew meanwhile is so, too, but stands at the head, all that was to come behind it.
 */
#include <linux/delay.h>
#include <linux/ktime.h>

#include "entries.h"
#include "reader.h"

/* Links of a hash chain that are followed; KVM's chains are a few pages long. */
#define SPT_CHAIN_MAX	4096
/* How long to sleep before mmu_lock is tried again. */
#define SPT_RETRY_US	50

rwlock_t *spt_mmu_lock(const struct spt_reader *reader)
{
	return (rwlock_t *)spt_at(reader->vm.kvm, SPT_F_KVM_MMU_LOCK);
}

void spt_mmu_wait(void)
{
	usleep_range(SPT_RETRY_US, 2 * SPT_RETRY_US);
}

static const struct list_head *spt_active_head(const struct spt_reader *reader)
{
	return spt_at(reader->vm.kvm, SPT_F_KVM_ACTIVE_MMU_PAGES);
}

static const struct list_head *spt_previous(const struct list_head *link)
{
	const struct list_head *previous;

	return spt_read(&previous, &link->prev, sizeof(previous)) ? NULL : previous;
}

/* Is @at one of the buckets of this VM's hash? */
static bool spt_is_bucket(const struct spt_reader *reader, const void *at)
{
	const void *hash = spt_at(reader->vm.kvm, SPT_F_KVM_MMU_PAGE_HASH);

	/* An array in struct kvm, or a pointer to it. */
	if (spt_layout.bytes[SPT_F_KVM_MMU_PAGE_HASH] == sizeof(void *))
		hash = spt_load_pointer(reader->vm.kvm, SPT_F_KVM_MMU_PAGE_HASH);
	return hash && at >= hash && at < hash + SPT_HASH_BUCKETS * sizeof(struct hlist_head);
}

static bool spt_in_hash(const struct spt_reader *reader, const void *sp)
{
	const struct hlist_node *node = spt_at(sp, SPT_F_SP_HASH_LINK);
	unsigned int n;

	for (n = 0; n < SPT_CHAIN_MAX; n++) {
		struct hlist_node **pprev;
		struct hlist_node *next;

		if (spt_read(&pprev, &node->pprev, sizeof(pprev)) ||
		    spt_read(&next, pprev, sizeof(next)) || next != node)
			return false;
		if (spt_is_bucket(reader, pprev))
			return true;
		node = container_of(pprev, struct hlist_node, next);
	}
	return false;
}

/* A page may be in the hash after it left the list: then it is invalid, its link elsewhere. */
static bool spt_still_listed(const struct spt_reader *reader, const void *sp)
{
	const struct spt_field *invalid = &spt_layout.field[SPT_F_ROLE_INVALID];
	const struct list_head *link = spt_at(sp, SPT_F_SP_LINK);
	struct list_head *back;
	struct list_head copy;
	u64 role;

	return spt_in_hash(reader, sp) && !spt_load(sp, SPT_F_SP_ROLE, &role) &&
	       !((role >> invalid->shift) & invalid->mask) &&
	       !spt_read(&copy, link, sizeof(copy)) &&
	       !spt_read(&back, &copy.prev->next, sizeof(back)) && back == link &&
	       !spt_read(&back, &copy.next->prev, sizeof(back)) && back == link;
}

/*
 * Is the page emitted last where it was? Another one was to come after it, and comes still, or
 * none was, and what comes is new.
 */
static bool spt_same_place(const struct spt_reader *reader)
{
	const struct spt_shadow_cursor *at = &reader->cursor.shadow;
	u64 gfn;

	return spt_still_listed(reader, at->last) && spt_role_of(at->last) == at->role &&
	       !spt_load(at->last, SPT_F_SP_GFN, &gfn) && gfn == at->gfn &&
	       (at->next == spt_active_head(reader) ||
		at->next == spt_previous(spt_at(at->last, SPT_F_SP_LINK)));
}

/* Where this hold begins; NULL: the list cannot be read. */
static const struct list_head *spt_shadow_resume(struct spt_reader *reader)
{
	struct spt_shadow_cursor *at = &reader->cursor.shadow;
	const struct list_head *head = spt_active_head(reader);
	const struct list_head *link = spt_previous(head);
	u64 n;

	if (!at->last)
		return link;
	if (spt_same_place(reader))
		return spt_previous(spt_at(at->last, SPT_F_SP_LINK));
	if (spt_note(reader, SPT_NOTE_LIST_CHANGED, 0, 0))
		return NULL;
	for (n = 0; link && link != head && n < at->count; n++)
		link = spt_previous(link);
	return link;
}

/* Does a page of translations translate a gfn of the range? */
static bool spt_translates(const u64 *translations, u64 first, u64 end)
{
	unsigned int i;
	u64 word;

	for (i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (!spt_read(&word, &translations[i], sizeof(word)) && word >> 12 >= first &&
		    word >> 12 < end)
			return true;
	return false;
}

/*
 * An entry that is not present and not empty is of a gfn without a page (MMIO),
 * which KVM keeps no translation of: it may be of the range.
 */
static bool spt_has_special(const u64 *spt)
{
	unsigned int i;
	u64 word;

	for (i = 0; i < SPT_TABLE_ENTRIES; i++)
		if (!spt_read(&word, &spt[i], sizeof(word)) && word & ~BIT_ULL(63) &&
		    !spt_spte_present(word))
			return true;
	return false;
}

/*
 * Emits the page in reader->sp unless the request leaves it out. The gfn of a
 * page that is not direct is its guest table's, so only its translations and its
 * special entries tell what it maps; upper levels are always given, and so are
 * pages whose guest table is itself in the range: they are why it is not writable.
 */
static int spt_shadow_emit(struct spt_reader *reader)
{
	struct spt_sp *sp = &reader->sp;
	struct spt_found_table table = { .sp = sp, .base = sp->gfn };
	u64 first = spt_request_first(reader);
	u64 end = spt_request_end(reader);
	u16 from;
	u16 to;

	table.translations = (const u64 *)(unsigned long)
			     spt_number(sp->copy, SPT_F_SP_TRANSLATION);
	if (!spt_in_direct_map(table.translations, sizeof(u64)))
		table.translations = NULL;
	table.allowed = ~0ULL;
	if (sp->direct)
		table.allowed = spt_table_range(sp->gfn, sp->level, first, end, &from, &to);
	else if (sp->level == 1 && reader->request.len && table.translations &&
		 (sp->gfn < first || sp->gfn >= end) &&
		 !spt_translates(table.translations, first, end) && !spt_has_special(sp->spt))
		table.allowed = 0;
	if (!table.allowed)
		return 0;
	return reader->sink->table(reader, &table);
}

/* One page of the list; the cursor is behind it when it was emitted. */
static int spt_shadow_page(struct spt_reader *reader, const struct list_head *link)
{
	struct spt_shadow_cursor *at = &reader->cursor.shadow;
	const void *sp = (void *)link - spt_layout.field[SPT_F_SP_LINK].offset;
	int error;

	if (spt_sp_find(sp, &reader->sp))
		error = spt_note(reader, SPT_NOTE_UNREADABLE, (unsigned long)sp, 0);
	else
		error = spt_shadow_emit(reader);
	if (error)
		return error;
	at->last = sp;
	at->next = spt_previous(link);
	at->gfn = reader->sp.gfn;
	at->role = reader->sp.role;
	at->count++;
	return 0;
}

/* 1: there is more, 0: the list is done. mmu_lock is held. */
static int spt_shadow_hold(struct spt_reader *reader)
{
	u64 deadline = ktime_get_mono_fast_ns() + SPT_SLICE_NS;
	const struct list_head *head = spt_active_head(reader);
	const struct list_head *link = spt_shadow_resume(reader);
	int error;

	while (link && link != head) {
		error = spt_shadow_page(reader, link);
		if (error)
			return error;
		link = spt_previous(link);
		if (spt_out_pending(reader) || rwlock_is_contended(spt_mmu_lock(reader)) ||
		    ktime_get_mono_fast_ns() > deadline)
			return 1;
	}
	return link ? 0 : spt_note(reader, SPT_NOTE_UNREADABLE, (unsigned long)head, 0);
}

int spt_shadow_step(struct spt_reader *reader)
{
	const struct list_head *head = spt_active_head(reader);
	rwlock_t *lock = spt_mmu_lock(reader);
	int ret;

	/* Without a page there is nothing to lock for. */
	if (spt_previous(head) == head)
		return 0;
	if (!read_trylock(lock)) {
		spt_mmu_wait();
		return 1;
	}
	pagefault_disable();
	ret = spt_shadow_hold(reader);
	pagefault_enable();
	read_unlock(lock);
	return ret;
}
