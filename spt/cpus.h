/* SPDX-License-Identifier: GPL-2.0 */
/* How many threads are worth starting. */
#ifndef SPT_CPUS_H
#define SPT_CPUS_H

/* CPUs that this process may run on, at least 1. */
unsigned int spt_cpus(void);

#endif
