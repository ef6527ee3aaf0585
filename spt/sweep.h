/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The sweep: one pass over all tables of a loaded model, on several threads; external
 * tables, which repeat what their mirrors say, are left out.
 *
 * What is to be seen is cut into parts of about equal cost that follow one another:
 * roots in the model's order, addresses ascending. One thread at a time works on a
 * part, and each part has a state of its own; when all is seen the states are handed
 * over in order. So nothing needs a lock, and what comes out does not depend on the
 * number of threads.
 */
#ifndef SPT_SWEEP_H
#define SPT_SWEEP_H

#include "spt/tree.h"

/* One table, at one of the places where it hangs. Valid during the call that gives it. */
struct spt_sweep_table {
	const struct spt_root_ref *root;
	const struct spt_node *node;
	const struct spt_sweep_table *parent; /* the table above; NULL: this is the root's */
	uint64_t parent_spte;		      /* the entry above that leads here; 0 for a root */
	unsigned int parent_index;	      /* and its index */
	uint64_t base;	    /* first address that entry 0 translates, as the tables count */
	unsigned int first; /* entries first .. end - 1 are in the range swept */
	unsigned int end;
	/*
	 * False at one of the places where the table hangs, whichever was reached first:
	 * what is counted without the others is counted once.
	 */
	bool again;
};

/* What entry @index translates first, as the tables count; for people: spt_root_address(). */
static inline uint64_t spt_sweep_address(const struct spt_sweep_table *t, unsigned int index)
{
	return t->base + ((uint64_t)index << spt_level_shift(t->node->level));
}

/*
 * What to do with what is seen. @state is the part's: state_size bytes, zero when the
 * part begins. Callbacks run on any thread, and must change nothing but @state and what
 * it owns; a return value other than 0 ends the sweep and is what spt_sweep() returns.
 */
struct spt_sweep_ops {
	size_t state_size;
	/* Once for every table and place, before anything below it. May be NULL. */
	int (*table)(void *arg, void *state, const struct spt_sweep_table *t);
	/*
	 * Entries @first .. @end - 1 of a table, among them none that leads to a table of
	 * this image: in a part all leaves in the order of their addresses, each once,
	 * also where tables and huge pages alternate. May be NULL.
	 */
	int (*entries)(void *arg, void *state, const struct spt_sweep_table *t, unsigned int first,
		       unsigned int end);
	/*
	 * After the last part, on the caller's thread, part by part in order. It owns
	 * what the state owns. May be NULL.
	 */
	int (*merge)(void *arg, void *state);
	/* For each state, also those never merged because the sweep ended early. May be NULL. */
	void (*drop)(void *state);
};

struct spt_sweep {
	const struct spt_model *model;
	const struct spt_root_ref *root; /* NULL: every root */
	uint64_t start, len;		 /* as in spt_tree_begin(); len 0: everything */
	unsigned int threads;		 /* 0: as many as pay on the CPUs that are online */
	/*
	 * Called on the caller's thread now and then with the number of tables seen and
	 * the image's; a value other than 0 ends the sweep with -EINTR. May be NULL.
	 */
	int (*progress)(void *arg, uint64_t done, uint64_t total);
	void *progress_arg;
};

/*
 * Sweep. @arg is handed to the callbacks. Returns 0, what a callback returned, -EINTR,
 * -ELOOP (the tables make no tree that a host could have), or -ENOMEM; @err is filled in
 * for the last three.
 */
int spt_sweep(const struct spt_sweep *sweep, const struct spt_sweep_ops *ops, void *arg,
	      struct spt_error *err);

#endif
