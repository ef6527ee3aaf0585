/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actions from the side that asks: the line that is written to a VM's 'control',
 * and what its answer says. The lists are those of agent/spt_action.h. Parsing
 * is strict: an answer that is not of the grammar is none.
 */
#ifndef SPT_SPT_ACTION_H
#define SPT_SPT_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_action.h"
#include "decoders/error.h"

/* An action as the shared list has it. */
struct spt_action {
	const char *name;
	unsigned int must, may; /* SPT_KEY_BIT(), or-ed */
	unsigned int flags;	/* SPT_ACTION_* */
	const char *text;
};

extern const struct spt_action spt_actions[SPT_ACT_COUNT];

/* Their names in words; NULL for a number out of range. */
const char *spt_result_name(enum spt_result result);
const char *spt_reason_name(enum spt_reason reason);
const char *spt_line_name(enum spt_line line);

/* The action called @name, or SPT_ACT_COUNT. */
enum spt_action_id spt_action_find(const char *name);

/* What to ask for: the keys in @keys, the others are not sent. */
struct spt_action_request {
	enum spt_action_id action;
	unsigned int keys; /* SPT_KEY_BIT(), or-ed */
	bool all;	   /* gpa=all, id=all */
	uint64_t gpa, len; /* bytes; len 0: the one address */
	uint64_t root;
	char access;	  /* r, w or x */
	const char *perm; /* "r", "rx", "rw" */
	uint32_t vcpu, count, timeout;
	bool listen, show, dry_run;
	uint64_t id;
};

/*
 * The line for it, with its newline, into @line[SPT_ACTION_LINE_MAX]; returns its
 * length, or -EINVAL where the action takes or wants other keys.
 */
int spt_action_line(const struct spt_action_request *request, char *line, struct spt_error *err);

/* One line of an answer. */
struct spt_act_line {
	enum spt_line name;
	unsigned int step; /* of the block it stands in: 0 the first, SPT_ACT_LAST the last */
	uint64_t number;   /* of those that are one */
	const char *text;  /* the value as it came */
};

#define SPT_ACT_LAST (~0U)

/* An answer as far as it has come. Lines that listening gave (hits) are not kept. */
struct spt_answer {
	struct spt_act_line *lines;
	size_t nr_lines;
	unsigned int steps;
	bool ended; /* the result is here; what follows speaks */
	enum spt_result result;
	enum spt_reason reason; /* SPT_WHY_NONE with SPT_RESULT_DONE */
	const char *reason_text;
	/* Of the parser. */
	enum spt_action_id action;
	size_t room, bytes;
	unsigned int step; /* of the block that is being read */
	size_t block;	   /* its first line */
	bool in_block;	   /* it has a line */
	bool began;	   /* a block has ended */
	uint64_t seen;	   /* names in it, a bit each */
};

void spt_answer_init(struct spt_answer *answer, enum spt_action_id action);
void spt_answer_deinit(struct spt_answer *answer);

/*
 * Take one line of it, without its newline. Returns 0, 1 when it is a hit that the
 * caller is to look at (spt_act_hit()), -EBADMSG with what is wrong, -ENOMEM,
 * -E2BIG for an answer without an end.
 */
int spt_answer_take(struct spt_answer *answer, const char *line, struct spt_error *err);

/* The first line called @name of step @step, or NULL. */
const struct spt_act_line *spt_answer_find(const struct spt_answer *answer, unsigned int step,
					   enum spt_line name);

/* The value of KEY=VALUE in a line of words, its length in *len; NULL: no such key. */
const char *spt_act_word(const char *words, const char *key, size_t *len);
/* The same as a number; false: no such key, or not a number. */
bool spt_act_number(const char *words, const char *key, uint64_t *ret);

/* An SPTE, and the level of its table. */
struct spt_act_spte {
	bool known;
	bool none; /* told, and that there was no such entry */
	int level;
	uint64_t raw;
};

#define SPT_ACT_KIND 16 /* bytes of a root's kind */

/* Root of what no root of its own leads to: shadow tables, which roots share. */
#define SPT_ACT_NO_ROOT (~0ULL)

/* An 'entry' line: one entry of one root. */
struct spt_act_entry {
	uint64_t root, gpa;
	uint64_t table; /* HPA of its table; 0: not told */
	char kind[SPT_ACT_KIND];
	struct spt_act_spte before, after;
};

/* A 'mapped' line: leaves in the range, by page size 4K, 2M, 1G. */
struct spt_act_mapped {
	uint64_t root;
	char kind[SPT_ACT_KIND];
	bool have_after;
	uint64_t before[3], after[3];
};

/* A 'touched' line. */
struct spt_act_touched {
	uint64_t root, gpa, size;
};

#define SPT_ACT_INSN 15 /* bytes of the longest instruction */

/* A 'hit' line. */
struct spt_act_hit {
	uint64_t seq, rip, gpa, gva, error, value;
	int64_t vcpu; /* vcpu_id, -1: not told */
	bool have_rip, have_gva, have_error, have_value;
	char access;
	unsigned int bits; /* of the code segment: 16, 32, 64; 0 not told */
	uint8_t insn[SPT_ACT_INSN];
	unsigned int insn_len;
	uint64_t root;
	char kind[SPT_ACT_KIND];
	struct spt_act_spte before, after;
};

/* Lines taken apart; false: not of that form. spt_answer_take() has checked those it kept. */
bool spt_act_entry(const char *words, struct spt_act_entry *ret);
bool spt_act_mapped(const char *words, struct spt_act_mapped *ret);
bool spt_act_touched(const char *words, struct spt_act_touched *ret);
bool spt_act_hit(const char *words, struct spt_act_hit *ret);

/* The entry of a vCPU's root, or the first one: what an action on one page is judged by. */
bool spt_answer_entry(const struct spt_answer *answer, struct spt_act_entry *ret);

#endif
