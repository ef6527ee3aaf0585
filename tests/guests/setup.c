// SPDX-License-Identifier: GPL-2.0
/* The accesses that the layout promises, made by vCPU 0 before READY. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mailbox.h"
#include "pages.h"

#define POPULATE_PAGES 4096 /* more than this are worth populating at once */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static uint64_t op_of(char access)
{
	return access == 'x' ? OP_EXEC : access == 'w' ? OP_WRITE : OP_READ;
}

/*
 * A huge mapping needs a huge page behind it. Where the host had none to give,
 * the promise of this layout is the smaller one.
 */
static void check_host_page(struct guest *g, struct touch *t)
{
	struct slot *s = &g->slot[t->slot];

	if (s->backing != BACKING_THP || t->page_size != SIZE_2M)
		return;
	for (uint64_t i = 0; i < t->count; i++) {
		uint64_t start = (t->gpa + i * t->stride) & ~(SIZE_2M - 1);
		uint64_t first, last;

		if (memory_hpa(memory_hva(s, start), &first) ||
		    memory_hpa(memory_hva(s, start + SIZE_2M - SIZE_4K), &last) ||
		    first % SIZE_2M || last - first != SIZE_2M - SIZE_4K) {
			t->page_size = SIZE_4K;
			t->note = "the host had no huge page to give";
			return;
		}
	}
}

static int fetch_log(struct guest *g, const struct slot *s)
{
	uint64_t *bitmap = malloc(memory_bitmap_bytes(s));
	int err = bitmap ? memory_dirty_log(g, s, bitmap) : -ENOMEM;

	free(bitmap);
	if (!err && g->opt.manual_dirty)
		err = memory_clear_dirty(g, s);
	return err;
}

static int make_access(struct guest *g, const struct touch *t, struct slot *s, const char **why)
{
	struct op op = {
		.op = op_of(t->access),
		.gpa = t->gpa,
		.count = t->count,
		.stride = t->stride,
		.value = t->gpa,
	};

	*why = g->vcpu[0].why;
	/* With a ring there is no log to fetch. */
	if (t->access == ACCESS_LOG && g->opt.dirty_ring)
		return 0;
	if (t->access == ACCESS_LOG) {
		*why = "the dirty log cannot be fetched";
		return fetch_log(g, s);
	}
	if (t->access == ACCESS_PREFAULT) {
		*why = "KVM does not map it in advance";
		return vm_prefault(&g->vcpu[0], t->gpa, t->count * SIZE_4K);
	}
	/* One host fault for each guest fault is what makes many of them slow. */
	if (t->stride == SIZE_4K && t->count > POPULATE_PAGES)
		madvise(memory_hva(s, t->gpa), t->count * SIZE_4K, MADV_POPULATE_WRITE);
	for (uint64_t n = 0; t->access == 'x' && n < t->count; n++) {
		int err = memory_put_code(g, s, t->gpa + n * t->stride);

		*why = "no code can be put there";
		if (err)
			return err;
	}
	*why = g->vcpu[0].why;
	return vcpu_do(&g->vcpu[0], &op);
}

/* Returns -errno with the reason in r. */
int setup_touch(struct guest *g, struct reply *r)
{
	for (int i = 0; i < g->touch_count; i++) {
		struct touch *t = &g->touch[i];
		struct slot *s = &g->slot[t->slot];
		const char *why;

		if (s->skipped || !t->count)
			continue;
		int err = make_access(g, t, s, &why);

		if (err) {
			snprintf(r->text, sizeof(r->text), "error %s, at set-up of slot %d (%s)",
				 why, s->id, s->name);
			return err;
		}
		check_host_page(g, t);
	}
	g->touched = true;
	return 0;
}
