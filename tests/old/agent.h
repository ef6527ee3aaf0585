/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TESTS_OLD_AGENT_H
#define TESTS_OLD_AGENT_H

#include <stddef.h>

/* What the agent says to this struct spt_layout_blob: 0, or -errno with its reason in @text. */
int old_agent_check(const void *blob, char *text, size_t size);

#endif
