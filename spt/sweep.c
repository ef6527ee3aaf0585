// SPDX-License-Identifier: GPL-2.0
/* The sweep: walking one part, and the threads that take one part after the other. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "spt/cpus.h"
#include "spt/entry.h"
#include "spt/sweep.h"
#include "spt/sweep_parts.h"

#define PARTS_A_THREAD	16   /* so that none waits long for the last one */
#define TABLES_A_THREAD 2048 /* fewer are not worth another thread */
#define MAX_THREADS	64
#define PROGRESS_TABLES 256 /* between two looks at progress and cancellation */

/*
 * How often a table hangs somewhere, over all tables: one of the TDP MMU once, one of
 * the shadow MMU in each address space that shares it. A hostile image's few tables
 * can make a tree that nobody lives to see the end of.
 */
#define MAX_PLACES 1024

struct pass {
	const struct spt_sweep *sweep;
	const struct spt_sweep_ops *ops;
	void *arg;
	struct spt_sweep_parts parts;
	char *states;	 /* state_size bytes a part */
	uint64_t *place; /* of each node: where it was seen first, see place_of(); 0: nowhere */
	size_t next;	 /* part to be taken */
	uint64_t done;	 /* tables */
	int stop;	 /* what ended it early; 0: nothing */
};

/* One thread's work on one part. */
struct worker {
	struct pass *pass;
	bool caller; /* the thread that called spt_sweep() */
	void *state;
	const struct spt_root_ref *root;
	struct spt_sweep_span span;
	const struct spt_node *guess; /* table that probably comes next */
	unsigned int tables;	      /* since the last look */
};

/* Root and address of a table, one word that is not 0: 27 bits and, of 2M, 36. */
static uint64_t place_of(const struct worker *w, uint64_t base)
{
	uint64_t root = w->root - w->pass->sweep->model->roots;

	return (root + 1) << 36 | (base >> spt_level_shift(2) & ((1ULL << 36) - 1));
}

/* A table belongs to the place that asks first, in all parts that the table reaches into. */
static bool seen_elsewhere(const struct worker *w, const struct spt_node *node, uint64_t base)
{
	uint64_t *place = &w->pass->place[node - w->pass->sweep->model->nodes];
	uint64_t here = place_of(w, base), there = 0;

	return !__atomic_compare_exchange_n(place, &there, here, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED) &&
	       there != here;
}

static void end_early(struct pass *p, int code)
{
	int none = 0;

	__atomic_compare_exchange_n(&p->stop, &none, code, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

/* Now and then: whether another thread or the caller wants to end it. */
static int look(struct worker *w)
{
	struct pass *p = w->pass;
	uint64_t done = __atomic_add_fetch(&p->done, w->tables, __ATOMIC_RELAXED);
	uint64_t total = p->sweep->model->nr_nodes;

	w->tables = 0;
	if (w->caller && p->sweep->progress &&
	    p->sweep->progress(p->sweep->progress_arg, done < total ? done : total, total))
		end_early(p, -EINTR);
	if (done / MAX_PLACES > total + PROGRESS_TABLES)
		end_early(p, -ELOOP);
	return __atomic_load_n(&p->stop, __ATOMIC_RELAXED);
}

static int give_entries(struct worker *w, const struct spt_sweep_table *t, unsigned int first,
			unsigned int end)
{
	const struct spt_sweep_ops *ops = w->pass->ops;

	return ops->entries && first < end ? ops->entries(w->pass->arg, w->state, t, first, end)
					   : 0;
}

static int visit(struct worker *w, const struct spt_node *node,
		 const struct spt_sweep_table *parent, unsigned int parent_index,
		 uint64_t parent_spte, uint64_t base);

/* An upper table: what lies between its children, and those. */
static int visit_children(struct worker *w, const struct spt_sweep_table *t, unsigned int first,
			  unsigned int end)
{
	const struct spt_model *m = w->pass->sweep->model;
	struct spt_tree_frame at = { .node = t->node, .index = first, .end = end };
	uint64_t spte;

	while (spt_tree_step(&at, m->format.empty, &spte)) {
		unsigned int index = at.index - 1;
		uint64_t address = spt_sweep_address(t, index);
		const struct spt_node *child;
		int ret;

		if (spt_entry_type(m, t->node, spte) != SPT_SPTE_TABLE)
			continue;
		child = spt_entry_child(m, t->root, t->node, address, spte, w->guess);
		if (!child)
			continue;
		w->guess = spt_node_after(m, child);
		ret = give_entries(w, t, first, index);
		if (!ret)
			ret = visit(w, child, t, index, spte, address);
		if (ret)
			return ret;
		first = index + 1;
	}
	return give_entries(w, t, first, end);
}

/* The part that has a table's first wanted address is the one that gives the table. */
static bool owns(const struct worker *w, uint64_t base)
{
	return (base > w->span.want_first ? base : w->span.want_first) >= w->span.first;
}

static int visit(struct worker *w, const struct spt_node *node,
		 const struct spt_sweep_table *parent, unsigned int parent_index,
		 uint64_t parent_spte, uint64_t base)
{
	const struct spt_sweep_ops *ops = w->pass->ops;
	struct spt_sweep_table t = {
		.root = w->root,
		.node = node,
		.parent = parent,
		.parent_index = parent_index,
		.parent_spte = parent_spte,
		.base = base,
	};
	unsigned int first, end;
	int ret = 0;

	spt_sweep_clip(node, base, w->span.want_first, w->span.want_last, &t.first, &t.end);
	spt_sweep_clip(node, base, w->span.first, w->span.last, &first, &end);
	t.again = seen_elsewhere(w, node, base);
	if (owns(w, base)) {
		if (ops->table)
			ret = ops->table(w->pass->arg, w->state, &t);
		if (!ret && ++w->tables >= PROGRESS_TABLES)
			ret = look(w);
	}
	if (ret || first == end)
		return ret;
	return node->level == 1 ? give_entries(w, &t, first, end)
				: visit_children(w, &t, first, end);
}

static int sweep_part(struct worker *w, size_t part)
{
	struct pass *p = w->pass;
	const struct spt_model *m = p->sweep->model;
	const struct spt_sweep_cut *cut = &p->parts.cut[part];
	int ret = 0;

	w->state = p->states + part * p->ops->state_size;
	for (uint32_t i = cut->root; i <= cut[1].root && i < m->nr_roots && !ret; i++) {
		w->root = &m->roots[i];
		if (spt_sweep_span(p->sweep, cut, cut + 1, i, &w->span))
			ret = visit(w, w->root->node, NULL, 0, 0, spt_root_base(w->root));
	}
	return ret;
}

static void work(struct worker *w)
{
	struct pass *p = w->pass;

	for (;;) {
		size_t part;
		int ret;

		if (look(w))
			return;
		part = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
		if (part >= p->parts.count)
			return;
		ret = sweep_part(w, part);
		if (ret) {
			end_early(p, ret);
			return;
		}
	}
}

static void *thread_main(void *arg)
{
	work(&(struct worker){ .pass = arg });
	return NULL;
}

/* A thread that cannot be had is work for the others. */
static void run(struct pass *p, unsigned int threads)
{
	pthread_t thread[MAX_THREADS];
	unsigned int started = 0;

	while (started + 1 < threads && started < MAX_THREADS &&
	       !pthread_create(&thread[started], NULL, thread_main, p))
		started++;
	work(&(struct worker){ .pass = p, .caller = true });
	while (started)
		pthread_join(thread[--started], NULL);
}

static unsigned int choose_threads(const struct spt_sweep *s)
{
	unsigned int worth = s->model->nr_nodes / TABLES_A_THREAD + 1;
	unsigned int threads = s->threads ? s->threads : spt_cpus();

	if (!s->threads && threads > worth)
		threads = worth;
	return threads < MAX_THREADS ? threads : MAX_THREADS;
}

static int merge(struct pass *p)
{
	const struct spt_sweep_ops *ops = p->ops;
	int ret = p->stop;

	for (size_t i = 0; ops->merge && i < p->parts.count && !ret; i++)
		ret = ops->merge(p->arg, p->states + i * ops->state_size);
	for (size_t i = 0; ops->drop && i < p->parts.count; i++)
		ops->drop(p->states + i * ops->state_size);
	return ret;
}

int spt_sweep(const struct spt_sweep *sweep, const struct spt_sweep_ops *ops, void *arg,
	      struct spt_error *err)
{
	struct pass p = { .sweep = sweep, .ops = ops, .arg = arg };
	const struct spt_model *m = sweep->model;
	unsigned int threads = choose_threads(sweep);
	int ret = spt_sweep_parts_make(sweep, threads > 1 ? threads * PARTS_A_THREAD : 1, &p.parts);

	if (!ret) {
		p.states = calloc(p.parts.count, ops->state_size ? ops->state_size : 1);
		p.place = calloc((size_t)m->nr_nodes + 1, sizeof(*p.place));
		if (p.states && p.place) {
			run(&p, threads);
			ret = merge(&p);
		} else {
			ret = -ENOMEM;
		}
	}
	free(p.states);
	free(p.place);
	spt_sweep_parts_free(&p.parts);
	if (ret == -ENOMEM)
		spt_fail(err, ENOMEM, "%s: out of memory for %u tables", m->image.name,
			 m->nr_nodes);
	if (ret == -EINTR)
		spt_fail(err, EINTR, "%s: interrupted", m->image.name);
	if (ret == -ELOOP)
		spt_fail(err, ELOOP,
			 "%s: its %u tables hang in more than %u places each: no host has such",
			 m->image.name, m->nr_nodes, MAX_PLACES);
	return ret;
}
