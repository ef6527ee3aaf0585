/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SPT_AGENT_TEXT_H
#define SPT_AGENT_TEXT_H

#include "reader.h"

/* Appends to the batch; a step's bound holds, so nothing is ever cut off. */
__printf(2, 3)
int spt_print(struct spt_reader *reader, const char *fmt, ...);

/* The record of kinds that every text file may show: a note, the end of a torn image. */
int spt_text_common(struct spt_reader *reader, const struct spt_rec *rec);
/* One line for a page: what kvm_mmu_page says. */
int spt_text_page(struct spt_reader *reader, const char *what, const struct spt_page *page);

#endif
