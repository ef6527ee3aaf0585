// SPDX-License-Identifier: GPL-2.0
/*
 * The memslot records. Slots are found again by their gfn after every step, so
 * a set that was replaced meanwhile costs a note and nothing else.
 */
#include <linux/fs.h>
#include <linux/rbtree.h>
#include <linux/srcu.h>

#include "memslots.h"

/* No red-black tree is deeper: 2 * log2 of the slots there can be. */
#define SPT_TREE_DEPTH	64

struct srcu_struct *spt_kvm_srcu(const struct kvm *kvm)
{
	return (struct srcu_struct *)spt_at(kvm, SPT_F_KVM_SRCU);
}

unsigned int spt_address_spaces(const struct spt_reader *reader)
{
	u64 private;

	/* kvm_arch_nr_memslot_as_ids() */
	if (!spt_load(reader->vm.kvm, SPT_F_KVM_HAS_PRIVATE_MEM, &private) && private)
		return 1;
	return spt_layout.bytes[SPT_F_KVM_MEMSLOTS] / sizeof(void *);
}

const void *spt_slots(const struct kvm *kvm, unsigned int as)
{
	void *const *sets = spt_at(kvm, SPT_F_KVM_MEMSLOTS);
	const void *slots;

	return spt_read(&slots, &sets[as], sizeof(slots)) ? NULL : slots;
}

void spt_slots_generations(const struct spt_reader *reader, u64 generation[2])
{
	struct srcu_struct *srcu = spt_kvm_srcu(reader->vm.kvm);
	unsigned int count = min(spt_address_spaces(reader), 2U);
	const void *slots;
	unsigned int as;
	int idx;

	generation[0] = 0;
	generation[1] = 0;
	idx = srcu_read_lock(srcu);
	for (as = 0; as < count; as++) {
		slots = spt_slots(reader->vm.kvm, as);
		if (slots)
			spt_load(slots, SPT_F_SLOTS_GENERATION, &generation[as]);
	}
	srcu_read_unlock(srcu, idx);
}

/* The nearest slot to @gfn in the tree, at or above it, or at or below. */
static const void *spt_slot_find(const void *slots, u64 gfn, bool above)
{
	const struct rb_root *tree = spt_at(slots, SPT_F_SLOTS_GFN_TREE);
	const void *best = NULL;
	struct rb_node *at;
	unsigned int depth;
	u64 node_idx;
	size_t offset;

	if (spt_load(slots, SPT_F_SLOTS_NODE_IDX, &node_idx) || node_idx > 1 ||
	    spt_read(&at, &tree->rb_node, sizeof(at)))
		return NULL;
	offset = spt_layout.field[SPT_F_SLOT_GFN_NODE].offset + node_idx * sizeof(*at);
	for (depth = 0; at && depth < SPT_TREE_DEPTH; depth++) {
		const void *slot = (void *)at - offset;
		bool left;
		u64 next;
		u64 base;

		if (spt_load(slot, SPT_F_SLOT_BASE_GFN, &base))
			return NULL;
		if (base == gfn)
			return slot;
		left = base > gfn;
		if (left == above)
			best = slot;
		if (!spt_get_word(left ? &at->rb_left : &at->rb_right, &next))
			return NULL;
		at = (struct rb_node *)next;
	}
	return best;
}

const void *spt_slot_from(const void *slots, u64 gfn)
{
	return spt_slot_find(slots, gfn, true);
}

const void *spt_slot_below(const void *slots, u64 gfn)
{
	return spt_slot_find(slots, gfn, false);
}

static u64 spt_slot_field(const void *slot, enum spt_field_id id)
{
	u64 value;

	spt_load(slot, id, &value);
	return value;
}

/* The inode number tells guest_memfd files apart; the pointer would too, but says too much. */
static u64 spt_slot_gmem(const void *slot)
{
	const struct file *file = spt_load_pointer(slot, SPT_F_SLOT_GMEM_FILE);
	const struct inode *inode;
	unsigned long ino;

	if (!file || spt_read(&inode, &file->f_inode, sizeof(inode)) ||
	    spt_read(&ino, &inode->i_ino, sizeof(ino)))
		return 0;
	return ino;
}

static int spt_slot_put(struct spt_reader *reader, const void *slot)
{
	struct spt_slot *rec = spt_record(reader, SPT_REC_SLOT, sizeof(*rec));
	void *rmap;

	rec->base_gfn = spt_slot_field(slot, SPT_F_SLOT_BASE_GFN);
	rec->npages = spt_slot_field(slot, SPT_F_SLOT_NPAGES);
	rec->hva = spt_slot_field(slot, SPT_F_SLOT_HVA);
	rec->generation = reader->cursor.slot.generation;
	rec->dirty_bitmap = !!spt_slot_field(slot, SPT_F_SLOT_DIRTY_BITMAP);
	rec->gmem_file = spt_slot_gmem(slot);
	rec->gmem_pgoff = spt_slot_field(slot, SPT_F_SLOT_GMEM_PGOFF);
	rec->flags = spt_slot_field(slot, SPT_F_SLOT_FLAGS);
	rec->as_id = spt_slot_field(slot, SPT_F_SLOT_AS_ID);
	rec->id = spt_slot_field(slot, SPT_F_SLOT_ID);
	rec->known = spt_has(SPT_F_SLOT_GMEM_FILE) ? SPT_SLOT_KNOWN_GMEM : 0;
	rec->known |= spt_gmem_readable() ? SPT_SLOT_KNOWN_GMEM_PAGES : 0;
	rec->has_rmap = !spt_read(&rmap, spt_at(slot, SPT_F_SLOT_RMAP), sizeof(rmap)) && rmap;
	return spt_put(reader, rec);
}

/* Is this the set that the last step saw? */
static int spt_slots_same(struct spt_reader *reader, const void *slots)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	u64 generation;

	spt_load(slots, SPT_F_SLOTS_GENERATION, &generation);
	if (!at->started) {
		/* A slot that begins below the range may reach into it. */
		const void *slot = spt_slot_below(slots, spt_request_first(reader));

		at->started = true;
		at->generation = generation;
		at->gfn = slot ? spt_slot_field(slot, SPT_F_SLOT_BASE_GFN) : 0;
		return 0;
	}
	if (!((generation ^ at->generation) & ~BIT_ULL(63)))
		return 0;
	at->generation = generation;
	return spt_note(reader, SPT_NOTE_SLOTS_CHANGED, at->as, 0);
}

/* The next slot from the cursor on, NULL after the last one of the range. */
static const void *spt_slots_next(struct spt_reader *reader, const void *slots)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	const void *slot;
	u64 base;

	while ((slot = spt_slot_from(slots, at->gfn))) {
		base = spt_slot_field(slot, SPT_F_SLOT_BASE_GFN);
		if (base >= spt_request_end(reader))
			return NULL;
		at->gfn = base;
		if (base + spt_slot_field(slot, SPT_F_SLOT_NPAGES) > spt_request_first(reader))
			return slot;
		at->gfn++;
	}
	return NULL;
}

static void spt_slots_next_as(struct spt_slot_cursor *at)
{
	u8 as = at->as + 1;

	memset(at, 0, sizeof(*at));
	at->as = as;
}

/* One slot, or one stretch of an array of the slot emitted last. */
static int spt_slots_one(struct spt_reader *reader, const void *slots)
{
	struct spt_slot_cursor *at = &reader->cursor.slot;
	const void *slot;
	int ret;

	ret = spt_slots_same(reader, slots);
	if (ret)
		return ret;
	if (!at->runs) {
		slot = spt_slots_next(reader, slots);
		if (!slot) {
			spt_slots_next_as(at);
			return 1;
		}
		ret = spt_slot_put(reader, slot);
	} else {
		slot = spt_slot_from(slots, at->gfn);
		if (!slot || spt_slot_field(slot, SPT_F_SLOT_BASE_GFN) != at->gfn) {
			at->runs = 0;	/* deleted: its arrays are gone */
			at->gfn++;
			return 1;
		}
		ret = spt_slot_runs(reader, slot);
	}
	if (ret)
		return ret;
	at->index = 0;
	at->chain = 0;
	at->open.npages = 0;
	at->runs = spt_slot_runs_next(reader, slot, at->runs);
	if (!at->runs)
		at->gfn++;
	return 1;
}

int spt_slots_step(struct spt_reader *reader)
{
	struct srcu_struct *srcu = spt_kvm_srcu(reader->vm.kvm);
	struct spt_slot_cursor *at = &reader->cursor.slot;
	const void *slots;
	int idx;
	int ret;

	if (at->as >= spt_address_spaces(reader))
		return 0;
	idx = srcu_read_lock(srcu);
	slots = spt_slots(reader->vm.kvm, at->as);
	if (slots) {
		ret = spt_slots_one(reader, slots);
	} else {
		spt_slots_next_as(at);
		ret = 1;
	}
	srcu_read_unlock(srcu, idx);
	return ret;
}
