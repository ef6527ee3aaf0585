/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walks in words, for someone who does not have KVM's source at hand: what each
 * entry tells the processor, what KVM keeps in it, why the walk ends there, and
 * what the verdict rests on. The texts are tables; a row holds for the facts that
 * it names.
 */
#ifndef SPT_EXPLAIN_H
#define SPT_EXPLAIN_H

#include <stddef.h>
#include <stdint.h>

#include "spt/guest_walk.h"
#include "spt/walk.h"

#define SPT_EXPLAIN_TEXT 512 /* bytes that a buffer for one explanation has */

/* One entry of KVM's tables; returns @buf. */
const char *spt_explain_entry(const struct spt_model *model, const struct spt_entry *entry,
			      char buf[SPT_EXPLAIN_TEXT]);

/* One entry of the VMM's page tables. */
const char *spt_explain_host(const struct spt_host_level *level, char buf[SPT_EXPLAIN_TEXT]);

/* One entry of the guest's own tables, with what KVM makes of the table's page. */
const char *spt_explain_guest(const struct spt_guest_walk *walk,
			      const struct spt_guest_level *level, char buf[SPT_EXPLAIN_TEXT]);

/* The same of an entry of the guest's nested page tables; nothing to be freed. */
const char *spt_explain_nested(const struct spt_nested_level *level);

/* Given one line at a time, without a newline. */
typedef void spt_explain_fn(void *arg, const char *line);

/* Who may do what with the page that the guest's walk found, and by which registers. */
void spt_explain_access(const struct spt_guest_walk *walk, spt_explain_fn *fn, void *arg);

/* What the verdict rests on, what it means, and what happens at the guest's next access. */
void spt_explain_walk(const struct spt_model *model, const struct spt_walk *walk,
		      spt_explain_fn *fn, void *arg);

/* The same for a verdict without a walk: the address ended before any of KVM's tables. */
void spt_explain_verdict(enum spt_verdict verdict, spt_explain_fn *fn, void *arg);

/* A text that holds where all facts of @need are there and none of @without. */
struct spt_phrase {
	uint64_t need, without;
	const char *text;
};

/* The texts that hold, one behind the other, in @buf; returns it. For the tables of this query. */
const char *spt_phrases(const struct spt_phrase *rows, size_t count, uint64_t facts,
			char buf[SPT_EXPLAIN_TEXT]);

#endif
