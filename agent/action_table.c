// SPDX-License-Identifier: GPL-2.0
/*
 * Which actions there are and who does them.
 */
#include "action.h"

const struct spt_action_row spt_action_rows[SPT_ACT_COUNT] = {
#define A(id, name, must, may, flags, text) \
	[SPT_ACT_##id] = { SPT_ACT_##id, #name, must, may, flags },
	SPT_ACTIONS(A)
#undef A
};

static const struct spt_action_ops *const spt_action_ops_of[SPT_ACT_COUNT] = {
	[SPT_ACT_FAULT] = &spt_fault_ops,
	[SPT_ACT_ZAP] = &spt_zap_ops,
	[SPT_ACT_REMAP] = &spt_remap_ops,
	[SPT_ACT_SPLIT] = &spt_split_ops,
	[SPT_ACT_COLLAPSE] = &spt_collapse_ops,
	[SPT_ACT_PROTECT] = &spt_protect_ops,
	[SPT_ACT_TRACK] = &spt_track_ops,
	[SPT_ACT_TRAP] = &spt_trap_ops,
	[SPT_ACT_AGE] = &spt_age_ops,
	[SPT_ACT_DIRTY] = &spt_dirty_ops,
	[SPT_ACT_UNDO] = &spt_undo_ops,
};

const struct spt_action_ops *spt_action_ops(enum spt_action_id id)
{
	return spt_action_ops_of[id];
}
