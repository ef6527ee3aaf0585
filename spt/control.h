/* SPDX-License-Identifier: GPL-2.0 */
/* A VM's control file: one action after the other, each with its answer. */
#ifndef SPT_CONTROL_H
#define SPT_CONTROL_H

#include "spt/action.h"

struct spt_control;

/*
 * Open it for the VM whose directory is @id. -EPERM: the agent is not armed, the
 * caller lacks a capability or the kernel is locked down, the text says which;
 * otherwise as spt_source_open_vm(). Close with spt_control_close(), which ends what
 * still listens.
 */
int spt_control_open(const char *id, struct spt_control **ret, struct spt_error *err);
void spt_control_close(struct spt_control *control);

/* Who is told while an action goes on. Both may be NULL. */
struct spt_control_watch {
	/* A hit as it comes; what it returns other than 0 ends the action. */
	int (*hit)(void *arg, const struct spt_act_hit *hit);
	/* The first block is there and the action listens. */
	void (*armed)(void *arg, const struct spt_answer *answer);
	/* Asked while waiting: true stops an action that listens. A signal ends a wait. */
	bool (*stop)(void *arg);
	void *arg;
};

/*
 * Ask for an action and read its answer to the end. 0: there is an answer, what
 * became of the action is in it. -EINTR: interrupted before there was one. @answer is
 * the caller's to free (spt_answer_deinit()) in any case.
 */
int spt_control_run(struct spt_control *control, const struct spt_action_request *request,
		    const struct spt_control_watch *watch, struct spt_answer *answer,
		    struct spt_error *err);

#endif
