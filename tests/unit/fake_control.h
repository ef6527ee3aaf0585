/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM's control file without a kernel: a pseudo-terminal that takes lines and answers
 * each with a text and an end of file, as the agent does.
 */
#ifndef SPT_TESTS_FAKE_CONTROL_H
#define SPT_TESTS_FAKE_CONTROL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* One answer. A text that ends with FAKE_LISTENS is no end: the next line goes on with it. */
#define FAKE_LISTENS "\001"

struct fake_control {
	char path[160];
	int master;
	pthread_t thread;
	const char *const *answers; /* in turn; the last one again and again */
	unsigned int nr_answers;
	unsigned int requests; /* served */
	char last_request[600];
};

/* Make the file 'control' in the VM's directory @vm_dir and serve it. */
void fake_control_start(struct fake_control *control, const char *vm_dir,
			const char *const *answers, unsigned int nr_answers);
void fake_control_stop(struct fake_control *control);

#endif
