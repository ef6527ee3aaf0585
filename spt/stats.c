// SPDX-License-Identifier: GPL-2.0
/*
 * Counting. Most tables hold entries that differ in nothing but the address and the
 * accessed and dirty bits: one pass over the array tells so, and one decoding then
 * speaks for all. Only mixed tables are counted run by run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spt/entry.h"
#include "spt/stats.h"
#include "spt/stats_part.h"
#include "spt/vector.h"

/* How leaves that are equal under spt_stats_pass.key are to be counted. */
static void learn_class(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			const struct spt_node *node, uint64_t spte)
{
	enum spt_spte_kind kind = spt_node_kind(pass->model, node);
	struct spt_spte s;

	if (p->class.count && p->class.level == node->level && p->class.kind == kind &&
	    !((p->class.spte ^ spte) & pass->key))
		return;
	s = spt_spte_decode(&pass->model->format, spte, node->level, kind);
	p->class.spte = spte;
	p->class.level = node->level;
	p->class.kind = kind;
	p->class.count = &p->stats.leaf[node->level][s.perm % SPT_STATS_PERMS];
	p->class.accessed_known = s.accessed != SPT_NA;
	p->class.dirty_known = s.dirty != SPT_NA;
	p->class.tracked = s.access_tracked;
}

static void count_leaves(struct spt_stats_part *p, uint64_t leaves, uint64_t accessed,
			 uint64_t dirty)
{
	struct spt_leaf_count *c = p->class.count;

	c->leaves += leaves;
	*(p->class.accessed_known ? &c->accessed : &c->no_accessed) +=
		p->class.accessed_known ? accessed : leaves;
	*(p->class.dirty_known ? &c->dirty : &c->no_dirty) += p->class.dirty_known ? dirty : leaves;
	if (p->class.tracked)
		c->access_tracked += leaves;
	p->stats.entries[p->class.level][SPT_SPTE_LEAF] += leaves;
}

/* What is no leaf: empty, special, or a table that the image does not have. */
static void count_other(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			const struct spt_node *node, uint64_t spte)
{
	enum spt_spte_type type;

	if (!spte || spte == pass->model->format.empty || spte == node->empty)
		return;
	type = spt_entry_type(pass->model, node, spte);
	p->stats.entries[node->level][type]++;
	p->stats.missing += type == SPT_SPTE_TABLE;
}

/* An array of mixed entries, by runs of leaves that are equal. Returns the leaves. */
static uint64_t count_runs(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			   const struct spt_node *node, const uint64_t *entry, size_t count)
{
	const struct spt_format *f = &pass->model->format;
	uint64_t leaves = 0;

	for (size_t i = 0, run; i < count; i += run) {
		uint64_t accessed = 0, dirty = 0;

		run = 1;
		if (entry[i] == node->empty || node->raw_kind ||
		    spt_spte_type(f, entry[i], node->level) != SPT_SPTE_LEAF) {
			count_other(p, pass, node, entry[i]);
			continue;
		}
		accessed += (entry[i] & f->accessed) != 0;
		dirty += (entry[i] & f->dirty) != 0;
		for (; i + run < count && !((entry[i + run] ^ entry[i]) & pass->key) &&
		       entry[i + run] != node->empty;
		     run++) {
			accessed += (entry[i + run] & f->accessed) != 0;
			dirty += (entry[i + run] & f->dirty) != 0;
		}
		learn_class(p, pass, node, entry[i]);
		count_leaves(p, run, accessed, dirty);
		leaves += run;
	}
	return leaves;
}

uint64_t spt_stats_entries(struct spt_stats_part *p, const struct spt_stats_pass *pass,
			   const struct spt_node *node, const uint64_t *entry, size_t count)
{
	const struct spt_format *f = &pass->model->format;
	const uint64_t empty[2] = { f->empty, node->empty };
	uint64_t leaf = SPT_SPTE_MMU_PRESENT | (node->level > 1 ? SPT_SPTE_PAGE_SIZE : 0);

	p->bits = spt_reduce(entry, count, empty, f->accessed, f->dirty);
	if (p->bits.other || node->raw_kind || node->empty & SPT_SPTE_MMU_PRESENT)
		return count_runs(p, pass, node, entry, count);
	if (!p->bits.present)
		return 0;
	if ((p->bits.all & leaf) != leaf || (p->bits.any ^ p->bits.all) & pass->key)
		return count_runs(p, pass, node, entry, count);
	learn_class(p, pass, node, p->bits.all);
	count_leaves(p, p->bits.present, p->bits.accessed, p->bits.dirty);
	return p->bits.present;
}

static int see_table(void *arg, void *state, const struct spt_sweep_table *t)
{
	struct spt_stats_part *p = state;
	struct spt_table_count *c = &p->stats.table[t->node->level];

	if (t->parent)
		p->stats.entries[t->parent->node->level][SPT_SPTE_TABLE] += !t->parent->again;
	c->links++;
	if (t->again)
		return 0;
	c->tables++;
	c->raw += t->node->raw_kind != 0;
	c->pages++;
	if (t->node->page) {
		c->pages += !t->node->direct; /* shadowed_translation */
		c->pages += t->node->page->external != 0;
	}
	return 0;
}

/* Equal in these bits: counted alike, but for the bits that are counted one by one. */
static uint64_t class_bits(const struct spt_format *f)
{
	return (SPT_SPTE_MMU_PRESENT | SPT_SPTE_PAGE_SIZE | f->read | f->write | f->exec |
		f->user_exec | f->nx | f->ad_type | f->acc_track) &
	       ~(f->accessed | f->dirty);
}

/* Tables that the sweep did not come to. */
static void count_detached(const struct spt_model *m, struct spt_stats *s)
{
	struct spt_table_count all[SPT_MAX_LEVEL + 1] = { 0 };
	uint64_t seen = 0;

	for (int level = 1; level <= SPT_MAX_LEVEL; level++)
		seen += s->table[level].tables;
	if (seen == m->nr_nodes - m->image.count[SPT_REC_EXTERNAL])
		return;
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		const struct spt_node *node = &m->nodes[i];
		struct spt_table_count *c = &all[node->level];

		if (node->is_external)
			continue; /* memory of the mirror's */
		c->tables++;
		c->raw += node->raw_kind != 0;
		c->pages += 1 + (node->page && !node->direct) +
			    (node->page && node->page->external != 0);
	}
	for (int level = 1; level <= SPT_MAX_LEVEL; level++) {
		struct spt_table_count *c = &s->table[level];

		c->detached = all[level].tables - c->tables;
		c->tables = all[level].tables;
		c->raw = all[level].raw;
		c->pages = all[level].pages;
	}
}

static void add_words(void *into, const void *from, size_t size)
{
	uint64_t *a = into;
	const uint64_t *b = from;

	for (size_t i = 0; i < size / sizeof(*a); i++)
		a[i] += b[i];
}

static int merge(void *arg, void *state)
{
	struct spt_stats_pass *pass = arg;
	struct spt_stats *s = pass->result;
	const struct spt_stats *from = &((struct spt_stats_part *)state)->stats;

	add_words(s->entries, from->entries, sizeof(s->entries));
	add_words(s->leaf, from->leaf, sizeof(s->leaf));
	add_words(s->table, from->table, sizeof(s->table));
	add_words(s->node_bytes, from->node_bytes, sizeof(s->node_bytes));
	s->missing += from->missing;
	s->no_node_bytes += from->no_node_bytes;
	return spt_stats_merge_slots(pass, from);
}

static void drop(void *state)
{
	spt_stats_free(&((struct spt_stats_part *)state)->stats);
}

int spt_stats_count(const struct spt_sweep *sweep, const struct spt_numa *numa,
		    struct spt_stats *ret, struct spt_error *err)
{
	static const struct spt_sweep_ops ops = {
		.state_size = sizeof(struct spt_stats_part),
		.table = see_table,
		.entries = spt_stats_see_entries,
		.merge = merge,
		.drop = drop,
	};
	struct spt_stats_pass pass = {
		.model = sweep->model,
		.sweep = sweep,
		.result = ret,
		.key = class_bits(&sweep->model->format),
		.numa = numa && numa->count && !numa->overlap ? numa : NULL,
	};
	int code;

	memset(ret, 0, sizeof(*ret));
	pass.host_runs = !numa && sweep->model->memslots.nr_host;
	ret->have_nodes = pass.numa || pass.host_runs;
	code = spt_sweep(sweep, &ops, &pass, err);
	if (!code)
		code = spt_stats_all_slots(&pass);
	if (code == -ENOMEM)
		spt_fail(err, ENOMEM, "%s: out of memory", sweep->model->image.name);
	if (!code && !sweep->root && !sweep->len)
		count_detached(sweep->model, ret);
	return code;
}

void spt_stats_free(struct spt_stats *stats)
{
	free(stats->slot);
	free(stats->slot_hash);
	stats->slot_hash = NULL;
	stats->slot_hash_size = 0;
	stats->slot = NULL;
	stats->nr_slots = 0;
}
