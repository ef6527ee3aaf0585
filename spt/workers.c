// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "spt/cpus.h"
#include "spt/workers.h"

struct crew {
	const struct spt_workers *w;
	uint64_t end;
	atomic_uint_fast64_t next;
	atomic_int failed;
};

struct worker {
	struct crew *crew;
	unsigned int nr;
	pthread_t thread;
	bool started;
};

unsigned int spt_workers_threads(const struct spt_workers *w)
{
	unsigned int threads = w->threads ? w->threads : spt_cpus();

	return threads < SPT_WORKERS_MAX ? threads : SPT_WORKERS_MAX;
}

static void *work(void *arg)
{
	struct worker *self = arg;
	struct crew *crew = self->crew;

	while (!atomic_load(&crew->failed)) {
		uint64_t nr = atomic_fetch_add(&crew->next, 1);
		int none = 0, ret;

		if (nr >= crew->end)
			break;
		ret = crew->w->job(crew->w->arg, nr, self->nr);
		if (ret)
			atomic_compare_exchange_strong(&crew->failed, &none, ret);
	}
	return NULL;
}

int spt_workers_run(const struct spt_workers *w, uint64_t first, uint64_t end)
{
	struct worker worker[SPT_WORKERS_MAX] = { 0 };
	unsigned int threads = spt_workers_threads(w);
	struct crew crew = { .w = w, .end = end, .next = first };

	if (threads > end - first)
		threads = end > first ? end - first : 1;
	for (unsigned int i = 0; i < threads; i++) {
		worker[i].crew = &crew;
		worker[i].nr = i;
		/* A thread that cannot be had leaves more for the others. */
		if (i)
			worker[i].started =
				!pthread_create(&worker[i].thread, NULL, work, &worker[i]);
	}
	work(&worker[0]);
	for (unsigned int i = 1; i < threads; i++)
		if (worker[i].started)
			pthread_join(worker[i].thread, NULL);
	return crew.failed;
}
