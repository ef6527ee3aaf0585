// SPDX-License-Identifier: GPL-2.0
/* The audit of one model: its passes, and what their findings amount to. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "spt/audit_engine.h"
#include "spt/cpus.h"

#define PARTS_A_THREAD 16
#define NODES_A_THREAD 2048 /* fewer are not worth another thread */
#define MAX_THREADS    64

#define P(id) (unsigned int)SPT_PART_##id
const struct spt_audit_rule spt_audit_rules[SPT_AUDIT_RULE_COUNT] = {
#define R(id, name, scope, parts, says, reason, source)                                            \
	[SPT_AUDIT_##id] = { name, SPT_AUDIT_PER_##scope, parts, says, reason, source },
	SPT_AUDIT_RULES(R)
#undef R
};
#undef P

const char *const spt_audit_names[SPT_AUDIT_RULE_COUNT + 1] = {
#define R(id, name, scope, parts, says, reason, source) [SPT_AUDIT_##id] = name,
	SPT_AUDIT_RULES(R)
#undef R
};

static int rule_by_name(const char *name, size_t len)
{
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++)
		if (strlen(spt_audit_names[i]) == len && !memcmp(spt_audit_names[i], name, len))
			return i;
	return -1;
}

int spt_audit_parse(const char *text, uint64_t *ret, struct spt_error *err)
{
	*ret = 0;
	for (;;) {
		size_t len = strcspn(text, ",");
		int rule = rule_by_name(text, len);

		if (rule < 0)
			return spt_fail(err, EINVAL,
					"no rule is called '%.*s'; 'audit --list' shows them all",
					(int)len, text);
		*ret |= 1ULL << rule;
		if (!text[len])
			return 0;
		text += len + 1;
	}
}

unsigned int spt_audit_parts(uint64_t rules)
{
	unsigned int parts = SPT_PART_VM | SPT_PART_ROOTS;

	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++)
		if (!rules || rules >> i & 1)
			parts |= spt_audit_rules[i].parts;
	if (!rules ||
	    rules & (AUDIT_BIT(LEAF_HOST) | AUDIT_BIT(HOST_WRITABLE) | AUDIT_BIT(MIRROR_USER)))
		parts |= SPT_PART_HOST_RUNS;
	/* The record of the VM that ends the image comes with one of these. */
	return parts & (SPT_PART_HOST_RUNS | SPT_PART_RMAPS) ? parts : parts | SPT_PART_DIRTY;
}

/* The table pass: parts of tables that follow one another, on several threads. */
struct pass {
	struct audit *a;
	struct audit_part *part;
	uint32_t parts, next;
	uint32_t done; /* tables */
	int stop;
};

static void audit_nodes(struct audit *a, struct audit_part *part, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const struct spt_node *node = &a->m->nodes[i];

		audit_place(a, part, node);
		audit_table_facts(a, part, node);
		audit_private_table(a, part, node);
		audit_table_entries(a, part, node);
	}
}

static void work(struct pass *p, bool caller)
{
	const struct spt_audit_request *req = &p->a->out->request;
	uint32_t total = p->a->m->nr_nodes;

	for (;;) {
		uint32_t nr = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
		uint32_t from, to;

		if (nr >= p->parts || __atomic_load_n(&p->stop, __ATOMIC_RELAXED))
			return;
		from = (uint64_t)total * nr / p->parts;
		to = (uint64_t)total * (nr + 1) / p->parts;
		audit_nodes(p->a, &p->part[nr], from, to);
		__atomic_add_fetch(&p->done, to - from, __ATOMIC_RELAXED);
		if (caller && req->progress &&
		    req->progress(req->progress_arg, __atomic_load_n(&p->done, __ATOMIC_RELAXED),
				  total))
			__atomic_store_n(&p->stop, -EINTR, __ATOMIC_RELAXED);
	}
}

static void *thread_main(void *arg)
{
	work(arg, false);
	return NULL;
}

/* A thread that cannot be had is work for the others. */
static int audit_tables(struct audit *a, struct audit_part *all)
{
	unsigned int threads = a->out->request.threads ? a->out->request.threads : spt_cpus();
	unsigned int worth = a->m->nr_nodes / NODES_A_THREAD + 1, started = 0;
	pthread_t thread[MAX_THREADS];
	struct pass p = { .a = a };

	if (threads > worth)
		threads = worth;
	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	p.parts = threads > 1 ? threads * PARTS_A_THREAD : 1;
	p.part = calloc(p.parts, sizeof(*p.part));
	if (!p.part)
		return -ENOMEM;
	while (started + 1 < threads && !pthread_create(&thread[started], NULL, thread_main, &p))
		started++;
	work(&p, true);
	while (started)
		pthread_join(thread[--started], NULL);
	for (uint32_t i = 0; i < p.parts; i++) {
		if (!p.stop)
			p.stop = audit_part_merge(all, &p.part[i], a->max);
		audit_part_free(&p.part[i]);
	}
	free(p.part);
	return p.stop;
}

int audit_run(struct spt_audit *out, const struct spt_model *m, bool live, struct audit_part *all,
	      struct spt_error *err)
{
	const struct spt_audit_request *req = &out->request;
	struct audit a = { .m = m, .f = &m->format, .out = out, .live = live };
	int ret;

	memset(out->result, 0, sizeof(out->result));
	a.max = req->max ? req->max : SPT_AUDIT_KEEP;
	a.first = req->len ? req->start >> SPT_PAGE_SHIFT : 0;
	a.last = req->len ? (req->start + (req->len - 1)) >> SPT_PAGE_SHIFT : ~0ULL;
	if (req->len && req->len - 1 > ~0ULL - req->start)
		a.last = ~0ULL;
	a.slots = calloc(m->memslots.count + 1, sizeof(*a.slots));
	a.linked = calloc(m->nr_nodes + 1, 1);
	a.base = calloc(m->nr_nodes + 1, sizeof(*a.base));
	a.parent = calloc(m->nr_nodes + 1, sizeof(*a.parent));
	a.parent_index = calloc(m->nr_nodes + 1, sizeof(*a.parent_index));
	ret = a.slots && a.linked && a.base && a.parent && a.parent_index ? 0 : -ENOMEM;
	if (!ret)
		ret = audit_places(&a);
	if (!ret)
		ret = audit_prepare(&a);
	if (!ret)
		ret = audit_private_prepare(&a);
	if (!ret)
		ret = audit_links(&a, all);
	if (!ret)
		ret = audit_tables(&a, all);
	if (!ret)
		ret = audit_mmio(&a, all);
	if (!ret)
		ret = audit_rmaps(&a, all);
	if (!ret) {
		audit_counts(&a, all);
		audit_roots(&a, all);
		audit_vm(&a, all);
		audit_guest_ptes(&a, all);
		ret = all->error;
	}
	out->reads++;
	free(a.slots);
	free(a.linked);
	free(a.base);
	free(a.parent);
	free(a.parent_index);
	free(a.upper);
	free(a.links);
	free(a.synced);
	audit_private_free(&a);
	if (ret == -ENOMEM)
		spt_fail(err, ENOMEM, "%s: out of memory", m->image.name);
	if (ret == -EINTR)
		spt_fail(err, EINTR, "%s: interrupted", m->image.name);
	return ret;
}

static int by_rule(const void *a, const void *b)
{
	const struct spt_audit_finding *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	if (x->gpa != y->gpa)
		return x->gpa < y->gpa ? -1 : 1;
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* How each rule came out, and its findings that are no hints and no changes under way. */
int audit_conclude(struct spt_audit *out, struct audit_part *all)
{
	out->findings = calloc(all->nr_suspects + 1, sizeof(*out->findings));
	if (!out->findings)
		return -ENOMEM;
	for (size_t i = 0; i < all->nr_suspects; i++)
		if (!all->suspect[i].moving)
			out->findings[out->nr_findings++] = all->suspect[i].f;
	qsort(out->findings, out->nr_findings, sizeof(*out->findings), by_rule);
	for (int i = 0; i < SPT_AUDIT_RULE_COUNT; i++) {
		struct spt_audit_result *r = &out->result[i];
		bool hint = i == SPT_AUDIT_INVALIDATE_SEQ;

		r->checked = all->checked[i];
		r->violations = hint ? 0 : all->found[i];
		r->in_flux = all->moving[i];
		out->violations += r->violations;
		out->in_flux += r->in_flux;
		out->hints += hint ? all->found[i] : 0;
	}
	return 0;
}

int spt_audit_model(struct spt_audit *out, const struct spt_model *m,
		    const struct spt_audit_request *request, struct spt_error *err)
{
	struct audit_part all = { 0 };
	int ret;

	memset(out, 0, sizeof(*out));
	out->request = *request;
	ret = audit_run(out, m, false, &all, err);
	if (!ret)
		ret = audit_conclude(out, &all);
	audit_part_free(&all);
	return ret;
}

void spt_audit_free(struct spt_audit *out)
{
	free(out->findings);
	memset(out, 0, sizeof(*out));
}
