// SPDX-License-Identifier: GPL-2.0
/*
 * Stress: while the vCPUs touch random ranges, one thread each deletes and
 * re-adds slots, throws memory away, toggles dirty logging, and splits and
 * re-forms huge pages. Errors of single steps are part of the game (a slot may
 * be gone just now); they are counted, not reported one by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "churn.h"
#include "mailbox.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static atomic_bool stopping;
static bool active;

/* xorshift64: repeatable, and cheap in an emulator. */
uint64_t churn_random(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random;
}

/* Slots that may be hurt: never the system slot, whose memory the guest runs in. */
static struct slot *random_slot(struct worker *w, bool registered)
{
	static const int ids[] = { 1, 2, 5, 6, 7, 8, 9, 10, 11 };

	for (;;) {
		struct slot *s =
			&w->guest->slot[ids[churn_random(w) % (sizeof(ids) / sizeof(ids[0]))]];

		if (!registered || s->hva)
			return s;
	}
}

static void step_fault(struct worker *w)
{
	struct slot *s = random_slot(w, false);
	uint64_t pages = s->size / SIZE_4K;
	uint64_t first = churn_random(w) % pages;
	uint64_t count = 1 + churn_random(w) % BURST_PAGES;
	struct op op = {
		.op = churn_random(w) % 3 ? OP_WRITE : OP_READ,
		.gpa = s->gpa + first * SIZE_4K,
		.stride = SIZE_4K,
		.count = count < pages - first ? count : pages - first,
		.value = first,
	};

	/* MMIO exits are slow: few of them. */
	if (!s->hva || s->flags & KVM_MEM_READONLY)
		op.op = OP_READ;
	if (!s->hva)
		op.count = 1;
	vcpu_do(&w->guest->vcpu[w->vcpu], &op);
}

static void step_slots(struct worker *w)
{
	static const int ids[] = { 11, 7, 9 };
	struct slot *s = &w->guest->slot[ids[churn_random(w) % 3]];

	memory_register(w->guest, s, !s->registered);
}

static void step_discard(struct worker *w)
{
	struct slot *s = random_slot(w, true);
	uint64_t pages = s->size / SIZE_4K;
	uint64_t first = churn_random(w) % pages;
	uint64_t count = 1 + churn_random(w) % BURST_PAGES;

	madvise(s->hva + first * SIZE_4K, (count < pages - first ? count : pages - first) * SIZE_4K,
		MADV_DONTNEED);
}

static void step_dirty(struct worker *w)
{
	static uint64_t bitmap[4096];
	struct slot *s = &w->guest->slot[churn_random(w) % 2 ? 8 : 2];

	if (churn_random(w) % 2 && s->flags & KVM_MEM_LOG_DIRTY_PAGES)
		memory_dirty_log(w->guest, s, bitmap);
	else
		memory_set_flags(w->guest, s, s->flags ^ KVM_MEM_LOG_DIRTY_PAGES);
}

static void step_huge(struct worker *w)
{
	struct slot *s = &w->guest->slot[churn_random(w) % 2 ? 2 : 11];
	char *huge = s->hva + churn_random(w) % (s->size / SIZE_2M) * SIZE_2M;

	if (churn_random(w) % 2)
		madvise(huge + churn_random(w) % 512 * SIZE_4K, SIZE_4K, MADV_DONTNEED);
	else
		madvise(huge, SIZE_2M, MADV_COLLAPSE);
}

static struct worker workers[] = {
	{ .name = "faults0", .step = step_fault, .vcpu = 0 },
	{ .name = "faults1", .step = step_fault, .vcpu = 1 },
	/* Deleting a slot empties all tables: between two, something must come into them. */
	{ .name = "slots", .step = step_slots, .pause_us = 30000, .vcpu = -1 },
	{ .name = "discards", .step = step_discard, .pause_us = 2000 },
	{ .name = "dirty", .step = step_dirty, .pause_us = 5000, .vcpu = -1 },
	{ .name = "huge", .step = step_huge, .pause_us = 5000, .vcpu = -1 },
};

/* Those of the guest that is being changed. */
static struct worker *team = workers;
static size_t team_size = sizeof(workers) / sizeof(workers[0]);

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&stopping)) {
		w->step(w);
		w->steps++;
		if (w->pause_us)
			usleep(w->pause_us);
	}
	return NULL;
}

bool churn_active(void)
{
	return active;
}

/* From now on until churn_stop() no other operation on a vCPU can begin. */
int churn_start(struct guest *g)
{
	atomic_store(&stopping, false);
	if (g->opt.tdx) {
		team = tdx_workers;
		team_size = tdx_worker_count;
	}
	for (size_t i = 0; i < team_size; i++) {
		struct worker *w = &team[i];

		if (w->vcpu >= g->vcpu_count)
			continue;
		w->guest = g;
		w->random = 0x9e3779b97f4a7c15ULL * (i + 1);
		w->steps = 0;
		w->started = !pthread_create(&w->thread, NULL, work, w);
		if (!w->started) {
			churn_stop(g);
			return -EAGAIN;
		}
	}
	active = true;
	return 0;
}

/* Ends the threads and puts every slot back as the layout has it. */
void churn_stop(struct guest *g)
{
	atomic_store(&stopping, true);
	for (size_t i = 0; i < team_size; i++) {
		if (team[i].started)
			pthread_join(team[i].thread, NULL);
		team[i].started = false;
	}
	if (!active)
		return;
	active = false;
	for (int i = 0; i < g->slot_count; i++)
		if (g->slot[i].hva && !g->slot[i].registered)
			memory_register(g, &g->slot[i], true);
	if (g->opt.tdx) {
		tdx_attributes(g);
		return;
	}
	memory_set_flags(g, &g->slot[2], g->slot[2].flags & ~KVM_MEM_LOG_DIRTY_PAGES);
	memory_set_flags(g, &g->slot[8], g->slot[8].flags | KVM_MEM_LOG_DIRTY_PAGES);
}

void churn_report(struct reply *r)
{
	size_t used = strlen(r->text);

	for (size_t i = 0; i < team_size && used < sizeof(r->text); i++)
		used += snprintf(r->text + used, sizeof(r->text) - used, " %s=%" PRIu64,
				 team[i].name, team[i].steps);
}
