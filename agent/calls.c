// SPDX-License-Identifier: GPL-2.0
/*
 * The static calls behind calls.h.
 */
#include "calls.h"

#define C(symbol, name, type, parameters)				\
	DEFINE_STATIC_CALL_NULL(spt_call_##name, spt_fn_##name);
SPT_CALLS(C)
#undef C

void spt_calls_update(void)
{
#define C(id, name, type, parameters)							\
	static_call_update(spt_call_##name,						\
			   (typeof(&spt_fn_##name))spt_layout.symbol[SPT_S_##id]);
	SPT_CALLS(C)
#undef C
}
