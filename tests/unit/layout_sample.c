// SPDX-License-Identifier: GPL-2.0
/* Compiled by test_layout_types, with each kind of debug information. */
#include "layout_sample.h"

#ifdef ELSEWHERE
struct sample_elsewhere {
	long before;
	int found;
};

struct sample_elsewhere elsewhere;
#else
struct sample sample;
sample_typedef sample_by_typedef;
struct sample_elsewhere *elsewhere_pointer;
#endif
