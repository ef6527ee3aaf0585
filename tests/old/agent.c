// SPDX-License-Identifier: GPL-2.0
/* The tool's resolver, in the same program, has tables of these names. */
#define spt_field_names	 agent_field_names
#define spt_symbol_names agent_symbol_names

#include "tests/fuzz/agent_check.h"

#include "tests/old/agent.h"

int old_agent_check(const void *bytes, char *text, size_t size)
{
	struct spt_refusal why = { 0 };
	int err;

	memcpy(&blob, bytes, sizeof(blob));
	err = spt_layout_check(&blob, &spt_layout, &why);
	snprintf(text, size, "%s", why.text);
	return err;
}
