// SPDX-License-Identifier: GPL-2.0
#include "spt/save_code.h"

#include <errno.h>
#include <stdlib.h>

#include "spt/guest_walk.h"
#include "spt/registers.h"

/* What `disasm` shows if not told otherwise fits behind RIP. */
#define BEHIND_RIP 256

struct saving {
	struct spt_source *src;
	struct spt_model model; /* of the VM now */
	struct spt_guest_memory memory;
	spt_guest_table_fn *fn;
	void *arg;
	uint64_t *gpa; /* pages given so far */
	size_t count, room;
};

static bool was_given(const struct saving *s, uint64_t gpa)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->gpa[i] == gpa)
			return true;
	return false;
}

static int give(struct saving *s, unsigned int as_id, uint64_t gpa)
{
	uint64_t page[SPT_TABLE_ENTRIES];

	gpa &= ~(spt_level_size(1) - 1);
	if (was_given(s, gpa) || spt_guest_memory_read(&s->memory, &s->model, as_id, gpa, page,
						       sizeof(page)) != SPT_GUEST_READ)
		return 0;
	if (s->count == s->room) {
		size_t room = s->room * 2 + 64;
		uint64_t *more = realloc(s->gpa, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->gpa = more;
		s->room = room;
	}
	s->gpa[s->count++] = gpa;
	return s->fn(s->arg, gpa, page);
}

/* The nested page tables that lead from L2's @gpa to the VM's; nothing without them. */
static int give_nested(struct saving *s, const struct spt_guest_regs *regs, uint64_t gpa)
{
	struct spt_nested_walk walk;
	int ret = 0;

	if (!regs->nested.on)
		return 0;
	spt_nested_walk(&regs->nested, &s->memory, &s->model, regs->as_id, gpa, &walk);
	for (unsigned int i = 0; i < walk.nr_levels && !ret; i++)
		ret = give(s, regs->as_id, walk.level[i].entry_gpa);
	return ret;
}

static int give_walk(struct saving *s, int64_t vcpu, uint64_t gva)
{
	const struct spt_request request = { .parts = SPT_GUEST_MEMORY_PARTS };
	const struct spt_guest_ask ask = { .gva = gva, .vcpu = vcpu };
	struct spt_guest_walk walk;
	int ret = 0;

	if (spt_guest_walk_from(s->src, &s->model, &ask, 0, &walk, NULL) ||
	    spt_model_read(&s->model, s->src, &request, 0, NULL))
		return 0;
	for (unsigned int i = 0; i < walk.nr_levels && !ret; i++) {
		ret = give_nested(s, &walk.regs, walk.level[i].entry_gpa);
		if (!ret)
			ret = give(s, walk.regs.as_id, walk.level[i].vm_gpa);
	}
	if (!ret && walk.nested.nr_levels)
		ret = give_nested(s, &walk.regs, walk.nested.from);
	if (!ret && walk.end == SPT_GUEST_END_MAPPED)
		ret = give(s, walk.regs.as_id, walk.gpa);
	return ret;
}

int spt_save_code(struct spt_source *src, const struct spt_model *model, spt_guest_table_fn *fn,
		  void *arg, uint64_t *given)
{
	struct saving s = { .src = src, .fn = fn, .arg = arg };
	struct spt_registers regs;
	uint64_t rip;
	int ret = 0;

	spt_model_init(&s.model);
	spt_guest_memory_init(&s.memory, src);
	for (uint32_t i = 0; i < model->nr_vcpus && !ret; i++) {
		spt_registers_of(model, i, &regs);
		if (regs.hidden || !spt_registers_linear_rip(&regs, &rip))
			continue;
		ret = give_walk(&s, regs.vcpu, rip);
		if (!ret && (rip ^ (rip + BEHIND_RIP)) >> SPT_PAGE_SHIFT)
			ret = give_walk(&s, regs.vcpu, rip + BEHIND_RIP);
	}
	*given = s.count;
	spt_guest_memory_deinit(&s.memory);
	spt_model_deinit(&s.model);
	free(s.gpa);
	return ret;
}
