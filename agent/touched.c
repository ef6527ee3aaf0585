// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves of a range in which something is set, as counts and as runs.
 *
 * The range is gone through in windows: leaves are visited where nobody may
 * sleep, and what is said of them takes memory.
 */
#include <linux/kernel.h>

#include "action.h"

#define SPT_TOUCHED_WINDOW	512	/* pages */

static void spt_touched_say_run(struct spt_touched *touched, const struct spt_touched_run *run)
{
	char root[24] = "n/a";

	if (run->root != SPT_NO_HPA)
		snprintf(root, sizeof(root), "%#llx", run->root);
	spt_say(touched->act, SPT_LINE_TOUCHED, "root=%s gpa=%#llx size=%#llx", root,
		run->first << PAGE_SHIFT, (run->end - run->first) << PAGE_SHIFT);
}

static int spt_touched_leaf(const struct spt_entry *leaf, void *arg)
{
	u64 end = leaf->gfn + (1ULL << spt_level_shift(leaf->level));
	struct spt_touched *touched = arg;
	struct spt_touched_run *last;

	/* A large leaf reaches over several windows, it counts in its first. */
	if (leaf->gfn < touched->window && touched->window != touched->act->target.gfn)
		return 0;
	touched->leaves++;
	if (!touched->is(leaf))
		return 0;
	touched->touched++;
	if (!touched->say)
		return 0;
	last = touched->runs ? &touched->run[touched->runs - 1] : NULL;
	if (last && last->root == leaf->root_hpa && last->end == leaf->gfn) {
		last->end = end;
	} else if (touched->runs < SPT_TOUCHED_RUNS) {
		touched->run[touched->runs++] = (struct spt_touched_run){
			leaf->root_hpa, leaf->gfn, end,
		};
	} else {
		touched->act->lost++;
	}
	return 0;
}

/* Says the runs but for the last, which the next window may go on with. */
static void spt_touched_say(struct spt_touched *touched, bool last)
{
	unsigned int i;

	if (!touched->runs)
		return;
	for (i = 0; i < touched->runs - !last; i++)
		spt_touched_say_run(touched, &touched->run[i]);
	touched->run[0] = touched->run[touched->runs - 1];
	touched->runs = !last;
}

int spt_touched_scan(struct spt_action *act, struct spt_touched *touched,
		     bool (*is)(const struct spt_entry *leaf), bool say)
{
	u64 end = act->target.gfn + act->target.npages;
	int error = 0;
	u64 next;

	touched->act = act;
	touched->is = is;
	touched->say = say;
	for (touched->window = act->target.gfn; !error && touched->window < end;
	     touched->window = next) {
		next = min(touched->window + SPT_TOUCHED_WINDOW, end);
		error = spt_scan_leaves(act, touched->window, next, spt_touched_leaf, touched);
		spt_touched_say(touched, false);
		/* A window is too short for the scan itself to ask. */
		if (!error && next < end && spt_action_stop(act))
			error = -ECANCELED;
	}
	spt_touched_say(touched, true);
	return error;
}

static int spt_touched_nothing(struct spt_action *act)
{
	return spt_action_over(act, SPT_RESULT_NO_EFFECT, SPT_WHY_UNMAPPED,
			       "nothing is mapped there");
}

int spt_touched_foresee(struct spt_action *act, struct spt_touched *touched,
			bool (*is)(const struct spt_entry *leaf))
{
	int error = spt_touched_scan(act, touched, is, false);

	return error || touched->leaves ? error : spt_touched_nothing(act);
}

int spt_touched_shown(struct spt_action *act, const struct spt_touched *touched)
{
	spt_say(act, SPT_LINE_COUNT, "%llu", touched->touched);
	return 0;
}

int spt_touched_cleared(struct spt_action *act, const struct spt_touched touched[2])
{
	spt_say(act, SPT_LINE_COUNT, "%llu", touched[0].touched);
	snprintf(act->before, sizeof(act->before), "%llu", touched[0].touched);
	snprintf(act->after, sizeof(act->after), "%llu", touched[1].touched);
	if (!touched[0].leaves)
		return spt_touched_nothing(act);
	/* A vCPU that runs on may have set as many again. */
	if (touched[0].touched)
		act->effects++;
	return 0;
}
