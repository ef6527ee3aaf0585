// SPDX-License-Identifier: GPL-2.0
#include <sched.h>

#include "spt/cpus.h"

unsigned int spt_cpus(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return count > 0 ? count : 1;
}
