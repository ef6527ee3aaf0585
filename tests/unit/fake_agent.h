/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An agent without a kernel: a folder like the agent's in debugfs, in which a
 * VM's image file is a pseudo-terminal. It can be opened by name, takes a
 * request line and answers it with bytes, as the real file does.
 */
#ifndef SPT_TESTS_FAKE_AGENT_H
#define SPT_TESTS_FAKE_AGENT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct fake_answer {
	const uint8_t *bytes;
	size_t len;
};

struct fake_agent {
	char dir[64];
	char image[128]; /* the VM's image file */
	int master;
	pthread_t thread;
	const struct fake_answer *answers; /* in turn; the last one again and again */
	unsigned int nr_answers;
	unsigned int requests; /* served */
	unsigned int late;     /* number of the answer that takes late_ms to come */
	unsigned int late_ms;
	char last_request[256];
};

/*
 * Make the folder with VM 1234-11, or $FAKE_VM, and serve it; points $SPT_DEBUGFS at it. Until
 * there is a file $FAKE_WAIT, if that is set, all answers are the first one.
 */
void fake_agent_start(struct fake_agent *agent, const struct fake_answer *answers,
		      unsigned int nr_answers);

/* The VM's directory. */
void fake_agent_vm(const struct fake_agent *agent, char *path, size_t size);

/* Close what is open of it first. Removes everything. */
void fake_agent_stop(struct fake_agent *agent);

#endif
