// SPDX-License-Identifier: GPL-2.0
/*
 * The static calls behind calls.h, and the objects that they are handed.
 */
#include "action.h"

#define C(symbol, name, type, parameters) DEFINE_STATIC_CALL_NULL(spt_call_##name, spt_fn_##name)
SPT_CALLS(C)
#undef C

static void *spt_symbol(enum spt_symbol_id id)
{
	return (void *)(unsigned long)spt_layout.symbol[id];
}

void spt_calls_update(void)
{
#define C(id, name, type, parameters) static_call_update(spt_call_##name, spt_symbol(SPT_S_##id))
	SPT_CALLS(C)
#undef C
}

void spt_store(void *object, enum spt_field_id id, u64 value)
{
	const struct spt_field *field = &spt_layout.field[id];
	u64 word;

	if (!field->present)
		return;
	memcpy(&word, object + field->offset, sizeof(word));
	word &= ~(field->mask << field->shift);
	word |= (value & field->mask) << field->shift;
	memcpy(object + field->offset, &word, sizeof(word));
}
