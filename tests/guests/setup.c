// SPDX-License-Identifier: GPL-2.0
/* The accesses that the layout promises, made by vCPU 0 before READY. */
#include <string.h>

#include "mailbox.h"
#include "pages.h"

#define X86_RET	0xc3

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

/* Returns -errno with the reason in r. */
int setup_touch(struct guest *g, struct reply *r)
{
	for (int i = 0; i < g->touch_count; i++) {
		struct touch *t = &g->touch[i];
		struct slot *s = &g->slot[t->slot];

		if (s->skipped || !t->count)
			continue;
		for (uint64_t n = 0; t->access == 'x' && n < t->count; n++)
			*(volatile uint8_t *)memory_hva(s, t->gpa + n * t->stride + EXEC_OFFSET) = X86_RET;

		struct op op = {
			.op = op_of(t->access), .gpa = t->gpa, .count = t->count, .stride = t->stride,
			.value = t->gpa,
		};
		int err = vcpu_do(&g->vcpu[0], &op);

		if (err) {
			snprintf(r->text, sizeof(r->text), "error %s, at set-up of slot %d (%s)",
				 g->vcpu[0].why, s->id, s->name);
			return err;
		}
		check_host_page(g, t);
	}
	g->touched = true;
	return 0;
}
