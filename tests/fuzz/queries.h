/* SPDX-License-Identifier: GPL-2.0 */
/* Every question that can be asked about a whole model, for the harnesses. */
#ifndef SPT_FUZZ_QUERIES_H
#define SPT_FUZZ_QUERIES_H

#include "spt/model.h"

/* Ask them all, on one thread. The answers do not matter. */
void fuzz_queries(const struct spt_model *model);

#endif
