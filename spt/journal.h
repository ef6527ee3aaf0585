/* SPDX-License-Identifier: GPL-2.0 */
/* The agent's journal: what was done to which VM, by whom, and whether it can be taken back. */
#ifndef SPT_JOURNAL_H
#define SPT_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "decoders/error.h"

/* State of an entry's undo record. */
#define SPT_UNDO_STATES(U)                                                                         \
	U(NONE, none) /* there is nothing to take back */                                          \
	U(OPEN, open)                                                                              \
	U(DONE, done) /* taken back */                                                             \
	U(LOST, lost) /* the VM died first */

enum spt_undo_state {
#define U(id, name) SPT_UNDO_##id,
	SPT_UNDO_STATES(U)
#undef U
		SPT_UNDO_STATE_COUNT,
};

const char *spt_undo_state_name(enum spt_undo_state state);

struct spt_journal_entry {
	uint64_t id;
	uint64_t time_ns; /* CLOCK_REALTIME */
	int pid;
	char comm[24], vm[32], action[16], target[48];
	char before[48], after[48]; /* 'L:SPTE', a number of leaves, or "-" */
	char result[16], reason[24];
	enum spt_undo_state undo;
};

/*
 * All that the agent remembers, oldest first; @vm: of this VM's directory alone, NULL: of
 * all. Free *@ret with free(). Errors as spt_agent_check(), -EBADMSG for lines
 * that are none.
 */
int spt_journal_read(const char *vm, struct spt_journal_entry **ret, size_t *count,
		     struct spt_error *err);

/* One line of the file; -EBADMSG. */
int spt_journal_parse(const char *line, struct spt_journal_entry *ret, struct spt_error *err);

#endif
