// SPDX-License-Identifier: GPL-2.0
/*
 * A recording: pages of events from each CPU, put into the order of time.
 *
 * A CPU's events come in order. What another CPU has yet to hand over cannot be older
 * than the moment at which reading began, so what is older is given out, and the rest
 * waits for the next time.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spt/events_join.h"
#include "spt/trace_instance.h"
#include "spt/trace_points.h"

#define DEFAULT_BUFFER_KIB 8192
#define SUB_BUFFER	   65536 /* bytes, the most; as a rule it is a page */
/* The kernel's clock for NMIs may be behind by a little. */
#define SLACK_NS 1000000
/* What comes behind an exit says whose it was; it is waited for this long. */
#define HOLD_NS 1000000000ULL

/* Recorded whether they are asked for or not: by them the events of the guest's own guest are told.
 */
#define TELL_L2 (1U << SPT_EVENT_NESTED | 1U << SPT_EVENT_REFLECT)

struct waiting {
	struct spt_event event;
	uint64_t order; /* as it was read */
};

struct spt_recorder {
	const struct spt_trace_calls *calls;
	struct spt_events_ask ask;
	struct spt_trace_instance trace;
	struct spt_points_here points;
	struct spt_events_join join;
	struct spt_trace totals;
	uint32_t enabled; /* bit i: kind i is recorded */
	struct kbuffer *kbuf;
	uint64_t decoded;	 /* events that came out of the buffers, ours or not */
	struct waiting *waiting; /* read, but too young to be given */
	size_t count, room;
	uint8_t page[SUB_BUFFER];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static uint32_t vms_now(void)
{
	struct spt_vm_name *vms;
	size_t count;

	if (spt_vms_list(&vms, &count, NULL))
		return 0;
	free(vms);
	return count;
}

/* The VMM's threads. */
static int filter_threads(struct spt_recorder *r, struct spt_error *err)
{
	size_t count = 0, room = 0;
	pid_t *tids = NULL;
	struct dirent *entry;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", r->join.vmm);
	dir = opendir(path);
	if (!dir)
		return spt_fail(err, errno, "%s: %s", path, strerror(errno));
	/* cppcheck-suppress readdirCalled ; each stream is its caller's own */
	while (!ret && (entry = readdir(dir))) {
		int tid = atoi(entry->d_name);

		if (tid <= 0)
			continue;
		if (count == room) {
			pid_t *more = realloc(tids, (room = room * 2 + 64) * sizeof(*tids));

			if (!more) {
				ret = spt_fail(err, ENOMEM, "out of memory for threads");
				break;
			}
			tids = more;
		}
		tids[count++] = tid;
	}
	closedir(dir);
	if (!ret)
		ret = spt_trace_threads(&r->trace, tids, count, err);
	free(tids);
	r->totals.threads = count;
	return ret;
}

static bool by_default(const struct spt_recorder *r, unsigned int kind)
{
	return !r->ask.kinds && SPT_EVENTS_DEFAULT >> kind & 1;
}

/*
 * Shadow pages' entries are set by another function than the TDP MMU's. Both say so twice, and
 * where nobody asked, what the TDP MMU set is left out: but for the guest's own guest nobody else
 * says it.
 */
static bool is_said_twice(const struct spt_recorder *r, const struct spt_event *e)
{
	return e->kind == SPT_EVENT_SET && by_default(r, SPT_EVENT_SET) &&
	       r->join.model.image.head.tdp_mmu && !(e->flags & SPT_EVENT_L2);
}

static uint32_t kinds_that_say_more(const struct spt_recorder *r)
{
	uint32_t kinds = r->ask.kinds ? r->ask.kinds : SPT_EVENTS_DEFAULT;

	if (by_default(r, SPT_EVENT_SET) && r->join.model.image.head.tdp_mmu && !r->join.may_nest)
		kinds &= ~(1U << SPT_EVENT_SET);
	return kinds;
}

static int enable_kind(struct spt_recorder *r, unsigned int kind, struct spt_error *err)
{
	const struct spt_point *p = &spt_points[kind];
	char filter[SPT_POINT_FILTER], file[128];
	int ret = 0;

	if (!r->points.point[kind].event)
		return 0;
	spt_point_filter(&r->points, kind, &r->join.model.image.head, &r->ask, filter);
	snprintf(file, sizeof(file), "events/%s/%s/filter", p->system, p->name);
	if (filter[0])
		ret = spt_trace_write(&r->trace, file, filter, err);
	snprintf(file, sizeof(file), "events/%s/%s/enable", p->system, p->name);
	if (!ret)
		ret = spt_trace_write(&r->trace, file, "1", err);
	if (!ret)
		r->enabled |= 1U << kind;
	return ret;
}

static int enable(struct spt_recorder *r, struct spt_error *err)
{
	uint32_t kinds = kinds_that_say_more(r);
	int ret = 0;

	r->totals.wanted = kinds;
	for (unsigned int kind = 0; kind < SPT_EVENT_KINDS_COUNT && !ret; kind++) {
		if ((kinds | TELL_L2) >> kind & 1)
			ret = enable_kind(r, kind, err);
		if (kinds >> kind & 1 && !r->points.point[kind].event)
			r->totals.absent |= 1U << kind;
	}
	if (!ret && !(r->enabled & kinds))
		return spt_fail(err, ENOSYS, "this kernel has none of the tracepoints asked for");
	return ret;
}

/* A guest that began to run guests of its own meanwhile: their entries from now on. */
static int enable_late(struct spt_recorder *r, struct spt_error *err)
{
	if (!r->join.may_nest || !by_default(r, SPT_EVENT_SET) ||
	    r->totals.wanted >> SPT_EVENT_SET & 1)
		return 0;
	r->totals.wanted |= 1U << SPT_EVENT_SET;
	r->totals.l2_begin_ns = clock_ns(CLOCK_MONOTONIC);
	return enable_kind(r, SPT_EVENT_SET, err);
}

static int start(struct spt_recorder *r, const char *id, struct spt_error *err)
{
	int ret = spt_join_init(&r->join, id, r->ask.no_code, err);

	r->calls = ret ? NULL : spt_trace_calls(err);
	if (!ret && !r->calls)
		return -ENOSYS;
	if (!ret)
		ret = spt_trace_instance_open(
			&r->trace, r->calls,
			r->ask.buffer_kib ? r->ask.buffer_kib : DEFAULT_BUFFER_KIB, err);
	if (!ret)
		ret = spt_points_init(&r->points, r->calls, r->trace.dir, err);
	if (ret)
		return ret;
	r->kbuf = r->calls->kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST, KBUFFER_ENDIAN_SAME_AS_HOST);
	if (!r->kbuf)
		return spt_fail(err, ENOMEM, "out of memory for events");
	r->totals.vms = vms_now();
	if (r->ask.vmm_only || r->totals.vms != 1)
		ret = filter_threads(r, err);
	if (!ret)
		ret = enable(r, err);
	if (!ret)
		ret = spt_trace_write(&r->trace, "tracing_on", "1", err);
	r->totals.begin_ns = clock_ns(CLOCK_MONOTONIC);
	r->totals.begin_real_ns = clock_ns(CLOCK_REALTIME);
	return ret;
}

int spt_recorder_start(const char *id, const struct spt_events_ask *ask, struct spt_recorder **ret,
		       struct spt_error *err)
{
	struct spt_recorder *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return spt_fail(err, ENOMEM, "out of memory for a recording");
	r->ask = *ask;
	r->totals.rec = (struct spt_rec){ SPT_REC_TRACE, sizeof(r->totals) };
	code = start(r, id, err);
	if (code) {
		spt_recorder_close(r);
		return code;
	}
	*ret = r;
	return 0;
}

static int keep(struct spt_recorder *r, const struct spt_event *e, struct spt_error *err)
{
	if (r->count == r->room) {
		size_t room = r->room * 2 + 1024;
		struct waiting *more = realloc(r->waiting, room * sizeof(*more));

		if (!more)
			return spt_fail(err, ENOMEM, "out of memory for %zu events", room);
		r->waiting = more;
		r->room = room;
	}
	r->waiting[r->count++] = (struct waiting){ *e, r->decoded };
	return 0;
}

static int take_page(struct spt_recorder *r, unsigned int cpu, struct spt_error *err)
{
	unsigned long long time;
	struct spt_event e;
	void *raw;
	int ret = 0;

	if (r->calls->kbuffer_load_subbuffer(r->kbuf, r->page))
		return spt_fail(err, EIO, "a page of the trace buffer is not understood");
	for (raw = r->calls->kbuffer_read_event(r->kbuf, &time); raw && !ret;
	     raw = r->calls->kbuffer_next_event(r->kbuf, &time)) {
		r->decoded++;
		if (!spt_point_decode(&r->points, raw, r->calls->kbuffer_event_size(r->kbuf), &e))
			continue;
		e.time_ns = time;
		e.cpu = cpu;
		ret = keep(r, &e, err);
	}
	return ret;
}

static int drain(struct spt_recorder *r, struct spt_error *err)
{
	int ret = 0;

	for (unsigned int cpu = 0; cpu < r->trace.cpus && !ret; cpu++) {
		ssize_t n;

		while (!ret && (n = spt_trace_read(&r->trace, cpu, r->page, sizeof(r->page))) > 0)
			ret = take_page(r, cpu, err);
		if (!ret && n < 0)
			ret = spt_fail(err, errno, "trace_pipe_raw of CPU %u: %s", cpu,
				       strerror(errno));
	}
	return ret;
}

static int by_time(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;

	if (x->event.time_ns != y->event.time_ns)
		return x->event.time_ns < y->event.time_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_wanted(const struct spt_recorder *r, const struct spt_event *e)
{
	uint64_t size = e->known & SPT_EVENT_HAS_LEVEL ? spt_level_size(e->level) : 1;

	if (!(r->totals.wanted >> e->kind & 1) || is_said_twice(r, e))
		return false;
	if (!r->ask.len || e->space == SPT_EVENT_HVA || !(e->known & SPT_EVENT_HAS_ADDRESS))
		return true;
	if (e->space == SPT_EVENT_L2_GPA)
		return false;
	/* Below a table the whole of it is meant. */
	return e->address <= r->ask.start + (r->ask.len - 1) &&
	       e->address + (size - 1) >= r->ask.start;
}

/*
 * Number @i is an exit: the thread's next event tells whether it was L2's. False: there is none
 * yet, and it is too early to say that there will be none.
 */
static bool tell_exit(const struct spt_recorder *r, size_t i, uint64_t before)
{
	struct spt_event *e = &r->waiting[i].event;

	for (size_t k = i + 1; k < r->count; k++) {
		const struct spt_event *next = &r->waiting[k].event;

		if (next->pid != e->pid)
			continue;
		if (next->kind == SPT_EVENT_NESTED && next->rip == e->rip)
			e->flags |= SPT_EVENT_L2;
		return true;
	}
	return before > e->time_ns + HOLD_NS;
}

/* Hand over what is older than @before. */
static int give(struct spt_recorder *r, uint64_t before, spt_event_fn *fn, void *arg)
{
	size_t i = 0;
	int ret = 0;

	if (r->trace.cpus > 1 && r->count)
		qsort(r->waiting, r->count, sizeof(*r->waiting), by_time);
	for (; i < r->count && r->waiting[i].event.time_ns < before && !ret; i++) {
		struct spt_event *e = &r->waiting[i].event;

		if (e->kind == SPT_EVENT_EXIT && !tell_exit(r, i, before))
			break;
		spt_join_event(&r->join, e);
		if (!is_wanted(r, e))
			continue;
		r->totals.events++;
		ret = fn(arg, e);
	}
	r->count -= i;
	if (i)
		memmove(r->waiting, r->waiting + i, r->count * sizeof(*r->waiting));
	return ret;
}

static int take_counts(struct spt_recorder *r, struct spt_trace_counts *counts,
		       struct spt_error *err)
{
	int ret = spt_trace_counts(&r->trace, counts, err);
	uint32_t vms = vms_now();

	if (ret)
		return ret;
	r->totals.overrun = counts->overrun;
	r->totals.commit = counts->commit;
	r->totals.dropped = counts->dropped;
	r->totals.end_ns = clock_ns(CLOCK_MONOTONIC);
	if (vms > r->totals.vms)
		r->totals.vms = vms;
	return 0;
}

int spt_recorder_read(struct spt_recorder *r, int wait_ms, spt_event_fn *fn, void *arg,
		      struct spt_error *err)
{
	struct spt_trace_counts counts;
	uint64_t before;
	int ret;

	if (wait_ms)
		spt_trace_wait(&r->trace, wait_ms);
	before = clock_ns(CLOCK_MONOTONIC) - SLACK_NS;
	ret = drain(r, err);
	if (!ret)
		ret = take_counts(r, &counts, err);
	if (!ret)
		ret = give(r, before, fn, arg);
	return ret ? ret : enable_late(r, err);
}

int spt_recorder_stop(struct spt_recorder *r, spt_event_fn *fn, void *arg, struct spt_error *err)
{
	struct spt_trace_counts counts;
	int ret = spt_trace_write(&r->trace, "tracing_on", "0", err);

	if (!ret)
		ret = drain(r, err);
	if (!ret)
		ret = take_counts(r, &counts, err);
	/* What the kernel says was read must have been seen here: the lost ones are all lost ones.
	 */
	if (!ret && (counts.read != r->decoded || counts.waiting))
		ret = spt_fail(err, EIO,
			       "the kernel gave %llu events, %llu were understood, %llu are left",
			       (unsigned long long)counts.read, (unsigned long long)r->decoded,
			       (unsigned long long)counts.waiting);
	return ret ? ret : give(r, ~0ULL, fn, arg);
}

const struct spt_trace *spt_recorder_trace(const struct spt_recorder *r)
{
	return &r->totals;
}

const struct spt_model *spt_recorder_model(const struct spt_recorder *r)
{
	return &r->join.model;
}

struct spt_source *spt_recorder_source(const struct spt_recorder *r)
{
	return r->join.side;
}

bool spt_recorder_gone(const struct spt_recorder *r)
{
	return kill(r->join.vmm, 0) && errno == ESRCH;
}

void spt_recorder_close(struct spt_recorder *r)
{
	if (!r)
		return;
	if (r->kbuf)
		r->calls->kbuffer_free(r->kbuf);
	if (r->points.calls)
		spt_points_deinit(&r->points);
	if (r->trace.calls)
		spt_trace_instance_close(&r->trace);
	spt_join_deinit(&r->join);
	free(r->waiting);
	free(r);
}
