// SPDX-License-Identifier: GPL-2.0
/* Which answers an address has, one for each root that leads to it, and the state of each. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "spt/verdict.h"
#include "spt/why_parts.h"

/* Looks at a live VM while what it shows is a change under way. */
#define MOST_LOOKS 4

const char *spt_why_state_name(enum spt_why_state state)
{
	static const char *const names[] = {
#define S(id, name) [SPT_WHY_##id] = (name),
		SPT_WHY_STATES(S)
#undef S
	};

	return names[state];
}

static void access_tracked(struct spt_why_ask *ask)
{
	if (!ask->spte.access_tracked)
		return;
	spt_why_add(ask, SPT_CAUSE_ACC_TRACK);
	spt_why_fact_spte(ask);
	spt_why_fact_hex(ask, "shadow_acc_track_mask", ask->model->format.acc_track);
}

static void explain_leaf(struct spt_why_ask *ask)
{
	ask->answer->state = SPT_WHY_MAPPED;
	ask->answer->page_size = ask->last->size;
	ask->answer->perm = ask->spte.perm;
	spt_why_find_host(ask, ask->last->level + 1);
	spt_why_not_larger(ask);
	access_tracked(ask);
	spt_why_not_writable(ask);
	spt_why_not_executable(ask);
}

static void explain_absence(struct spt_why_ask *ask)
{
	spt_why_find_host(ask, 0);
	spt_why_not_mapped(ask);
	/* What is cached but void is said there; of no slot or KVM's own here. */
	ask->answer->state = ask->last && ask->last->type == SPT_SPTE_FROZEN ? SPT_WHY_CHANGING
									     : SPT_WHY_UNMAPPED;
}

/* A valid MMIO entry, or a page that KVM emulates itself. */
static bool is_emulated(const struct spt_why_ask *ask)
{
	uint64_t generation;
	unsigned int bits = __builtin_popcountll(ask->model->format.mmio_gen);

	if (!ask->last || ask->last->type != SPT_SPTE_MMIO)
		return false;
	if (ask->slot->id >= SPT_FIRST_INTERNAL_SLOT || !bits ||
	    !spt_value(&ask->model->vm, ask->as_id ? SPT_VM_GENERATION_1 : SPT_VM_GENERATION_0,
		       &generation))
		return true;
	return (generation & ((1ULL << bits) - 1)) == ask->spte.mmio_gen;
}

static bool is_in_image(const struct spt_why_ask *ask)
{
	const struct spt_model *m = ask->model;

	if (!spt_model_covers(m, ask->walk->gpa) || (!m->nr_nodes && m->nr_roots))
		return false;
	return !ask->last || !ask->last->problems;
}

static void explain(struct spt_why_ask *ask)
{
	if (!is_in_image(ask)) {
		ask->answer->state = SPT_WHY_UNKNOWN;
	} else if (ask->last && ask->last->type == SPT_SPTE_LEAF) {
		explain_leaf(ask);
	} else if (!ask->slot) {
		ask->answer->state = SPT_WHY_NO_SLOT;
		spt_why_mmio(ask);
	} else if (is_emulated(ask)) {
		ask->answer->state = SPT_WHY_MMIO;
		spt_why_mmio(ask);
	} else {
		explain_absence(ask);
	}
}

static void answer(const struct spt_model *m, struct spt_why *why, const struct spt_walk_path *path)
{
	struct spt_why_answer *a = &why->answer[why->nr_answers++];
	struct spt_why_ask ask = {
		.model = m,
		.walk = &why->walk,
		.answer = a,
		.gfn = why->walk.gpa >> SPT_PAGE_SHIFT,
		.as_id = path && path->root ? path->root->as_id : 0,
		.private_gfn = why->walk.private_gpa,
	};

	memset(a, 0, offsetof(struct spt_why_answer, cause));
	a->nr_causes = a->nr_facts = 0;
	a->path = path;
	ask.memslot = spt_memslot_find(&m->memslots, ask.as_id, ask.gfn);
	ask.slot = ask.memslot ? ask.memslot->slot : NULL;
	a->slot = ask.memslot;
	if (path && path->nr_levels) {
		ask.last = &path->level[path->nr_levels - 1];
		ask.spte = spt_entry_decode(m, ask.last);
	}
	explain(&ask);
}

/* Whether the root is the half of a TD's memory that the page is in; other VMs have one half. */
static bool is_half(const struct spt_walk *w, const struct spt_walk_path *path)
{
	return w->private_gpa || path->root->kind != SPT_ROOT_MIRROR;
}

/* 0: private memory's own half; 1: a vCPU uses the root now; 2: nobody does; 3: nobody can. */
static int rank(const struct spt_model *m, const struct spt_walk *w,
		const struct spt_walk_path *path)
{
	if (!path->root || !path->root->valid || !is_half(w, path) ||
	    path->root->kind == SPT_ROOT_EXTERNAL)
		return 3;
	if (w->private_gpa && path->root->kind == SPT_ROOT_MIRROR)
		return 0;
	for (uint32_t i = 0; i < m->nr_vcpus; i++) {
		enum spt_vcpu_use use = spt_vcpu_uses(&m->vcpus[i], path->root);

		if (use == SPT_USE_CURRENT || use == SPT_USE_MIRROR)
			return 1;
	}
	return 2;
}

void spt_why_gpa(const struct spt_model *m, uint64_t gpa, struct spt_why *ret)
{
	struct spt_walk *w = &ret->walk;

	spt_walk_gpa(m, gpa, w);
	ret->nr_answers = 0;
	for (int r = 0; r <= 2; r++)
		for (unsigned int i = 0; i < w->nr_paths; i++)
			if (rank(m, w, &w->path[i]) == r)
				answer(m, ret, &w->path[i]);
	/* Shadow pages that no valid root reaches are better than nothing. */
	for (unsigned int i = 0; i < w->nr_paths && !ret->nr_answers; i++)
		if (!w->path[i].root)
			answer(m, ret, &w->path[i]);
	if (!ret->nr_answers)
		answer(m, ret, NULL);
}

static bool is_changing(const struct spt_model *m, const struct spt_why *why)
{
	for (unsigned int i = 0; i < why->nr_answers; i++)
		if (why->answer[i].state == SPT_WHY_CHANGING)
			return true;
	return m->torn;
}

int spt_why_from(struct spt_source *src, struct spt_model *m, uint64_t gpa,
		 unsigned int image_flags, struct spt_why *ret, struct spt_error *err)
{
	uint64_t block = spt_level_size(2);
	struct spt_request req = {
		.parts = SPT_WHY_PARTS,
		.start = gpa & ~(block - 1),
		.len = block,
	};

	if (gpa >> SPT_GPA_BITS)
		return spt_fail(err, ERANGE,
				"GPA 0x%" PRIx64 " is beyond the %d bits of a physical address",
				gpa, SPT_GPA_BITS);
	for (unsigned int look = 1;; look++) {
		int code = spt_source_read(src, &req, image_flags, &m->image, err);

		if (!code)
			code = spt_model_load(m, &m->image, err);
		if (code)
			return code;
		if (req.start & m->gpa_bits && spt_source_is_live(src)) {
			req.start &= ~m->gpa_bits; /* as frames are counted */
			look--;
			continue;
		}
		spt_why_gpa(m, gpa, ret);
		ret->walk.tries = look;
		if (look == MOST_LOOKS || !spt_source_is_live(src) || !is_changing(m, ret))
			return 0;
	}
}
