// SPDX-License-Identifier: GPL-2.0
/*
 * Stress of a VM with private memory: the vCPUs touch either half of random pages, often
 * the wrong one, while ranges change sides, pages are punched out of the file, are mapped
 * in advance, and a slot goes and comes.
 */
#include <sys/mman.h>

#include "churn.h"
#include "mailbox.h"

#define CHANGE_PAGES 16

struct piece {
	struct slot *slot;
	uint64_t gpa; /* of the private half */
	uint64_t pages;
};

/* Of any slot but the system's, or of one with a private half. */
static struct piece random_piece(struct worker *w, bool private, uint64_t most)
{
	struct guest *g = w->guest;
	struct slot *s;

	do {
		s = &g->slot[1 + churn_random(w) % (g->slot_count - 1)];
	} while (private && !s->private);
	uint64_t all = s->size / SIZE_4K;
	uint64_t first = churn_random(w) % all;
	uint64_t count = 1 + churn_random(w) % most;

	return (struct piece){
		.slot = s,
		.gpa = s->gpa + first * SIZE_4K,
		.pages = count < all - first ? count : all - first,
	};
}

/* The slot that goes and comes. */
static struct slot *passing_slot(struct guest *g)
{
	return &g->slot[g->slot_count - 1];
}

/*
 * The shared half of the slot that goes and comes is left alone, by the guest and by who
 * maps in advance. Without a slot it is MMIO, for which KVM looks from its shared root at
 * an address that the root does not have, and warns. A TD gets a #VE there and asks its
 * VMM; nothing here plays that.
 */
static void step_fault(struct worker *w)
{
	bool shared = churn_random(w) % 2;
	struct piece p = random_piece(w, !shared, BURST_PAGES);

	shared = shared && p.slot != passing_slot(w->guest);

	struct op op = {
		.op = churn_random(w) % 3 ? OP_WRITE : OP_READ,
		.gpa = p.gpa + (shared ? w->guest->shared_mask : 0),
		.stride = SIZE_4K,
		.count = p.pages,
		.value = p.gpa,
	};

	vcpu_do(&w->guest->vcpu[w->vcpu], &op);
}

static void step_convert(struct worker *w)
{
	struct piece p = random_piece(w, true, CHANGE_PAGES);
	bool private = churn_random(w) % 2;

	memory_set_private(w->guest, p.gpa, p.pages * SIZE_4K, private);
	if (private)
		madvise(memory_hva(p.slot, p.gpa), p.pages * SIZE_4K, MADV_DONTNEED);
	else
		tdx_punch(p.slot, p.gpa, p.pages * SIZE_4K);
}

static void step_punch(struct worker *w)
{
	struct piece p = random_piece(w, true, CHANGE_PAGES);

	tdx_punch(p.slot, p.gpa, p.pages * SIZE_4K);
}

static void step_discard(struct worker *w)
{
	struct piece p = random_piece(w, false, CHANGE_PAGES);

	madvise(memory_hva(p.slot, p.gpa), p.pages * SIZE_4K, MADV_DONTNEED);
}

static void step_prefault(struct worker *w)
{
	struct piece p = random_piece(w, false, CHANGE_PAGES);

	if (p.slot == passing_slot(w->guest))
		return;
	vm_prefault(&w->guest->vcpu[0], p.gpa, p.pages * SIZE_4K);
}

static void step_slots(struct worker *w)
{
	struct slot *s = passing_slot(w->guest);

	memory_register(w->guest, s, !s->registered);
}

struct worker tdx_workers[] = {
	{ .name = "faults0", .step = step_fault, .vcpu = 0 },
	{ .name = "faults1", .step = step_fault, .vcpu = 1 },
	{ .name = "converts", .step = step_convert, .pause_us = 3000, .vcpu = -1 },
	{ .name = "punches", .step = step_punch, .pause_us = 5000, .vcpu = -1 },
	{ .name = "discards", .step = step_discard, .pause_us = 5000, .vcpu = -1 },
	{ .name = "prefaults", .step = step_prefault, .pause_us = 5000, .vcpu = -1 },
	{ .name = "slots", .step = step_slots, .pause_us = 30000, .vcpu = -1 },
};

const size_t tdx_worker_count = sizeof(tdx_workers) / sizeof(tdx_workers[0]);
