// SPDX-License-Identifier: GPL-2.0
/* KVM's counters against what was counted, roots against those who use them, invalidations. */
#include <limits.h>

#include "spt/audit_engine.h"
#include "spt/entry.h"

#define STUCK_NS   3000000000ULL /* longer than any invalidation of a sane host takes */
#define PREV_ROOTS 3		 /* KVM_MMU_NUM_PREV_ROOTS */

static const struct audit_place vm_place = { .node = NULL };

static void check(struct audit *a, struct audit_part *all, enum spt_audit_rule_nr rule,
		  enum spt_vm_value which, const char *name, uint64_t low, uint64_t high)
{
	uint64_t value;

	if (!audit_wants(a, rule) || !spt_value(&a->m->vm, which, &value))
		return;
	all->checked[rule]++;
	if (value >= low && value <= high)
		return;
	audit_say(audit_found(a, all, rule, &vm_place),
		  audit_text("%s %llu", name, (unsigned long long)low).text,
		  audit_text("%s %llu", name, (unsigned long long)value).text,
		  "%s is %llu, counted are %llu", name, (unsigned long long)value,
		  (unsigned long long)low);
}

/* A vCPU's roots: its current one, the mirror, and the previous ones. */
static const enum spt_vcpu_value root_values[] = {
	SPT_VCPU_ROOT_HPA,	  SPT_VCPU_MIRROR_ROOT_HPA, SPT_VCPU_PREV_ROOT_HPA_0,
	SPT_VCPU_PREV_ROOT_HPA_1, SPT_VCPU_PREV_ROOT_HPA_2,
};
#define ROOT_VALUES (sizeof(root_values) / sizeof(root_values[0]))

static bool vcpu_root(const struct spt_vcpu_ref *vcpu, unsigned int nr, uint64_t *hpa)
{
	return spt_value(&vcpu->values, root_values[nr], hpa) && *hpa != SPT_NO_HPA && *hpa;
}

/*
 * Shadow pages that were zapped while a vCPU still had them as its root are in no
 * list, but counted until it lets go. How many there can be at most.
 */
static uint64_t unlisted_roots(const struct audit *a)
{
	uint64_t count = 0, hpa, tdp = 1;

	for (uint32_t v = 0; v < a->m->nr_vcpus; v++)
		for (unsigned int i = 0; i < ROOT_VALUES; i++)
			if (vcpu_root(&a->m->vcpus[v], i, &hpa) && !spt_node_find(a->m, hpa))
				count++;
	for (uint32_t i = 0; a->m->image.count[SPT_REC_RAW_TABLE] && i < a->m->nr_nodes; i++)
		for (unsigned int e = 0; a->m->nodes[i].raw_kind && e < SPT_TABLE_ENTRIES; e++) {
			uint64_t entry = spt_node_entry(&a->m->nodes[i], e);

			if (entry & SPT_RAW_PRESENT &&
			    !spt_node_find(a->m, spt_spte_table_hpa(a->f, entry)))
				count++;
		}
	/* The MMU of a nested guest has roots of its own, which the image lacks. */
	if (a->m->image.masks.known >> SPT_MASK_TDP_ENABLED & 1)
		tdp = a->m->image.masks.value[SPT_MASK_TDP_ENABLED];
	return count + (tdp ? (1 + PREV_ROOTS) * (uint64_t)a->m->nr_vcpus : 0);
}

/* A rule that found nothing to be checked on because the image lacks a fact is not sound. */
static void need(struct audit *a, const struct audit_part *all, enum spt_audit_rule_nr rule,
		 const char *why)
{
	if (!all->checked[rule])
		audit_na(a, rule, why);
}

void audit_counts(struct audit *a, struct audit_part *all)
{
	uint64_t shadow = all->tables.shadow, nx = all->tables.nx;

	if (all->tables.aliens)
		audit_na(a, SPT_AUDIT_COUNT_PAGES,
			 "the entries of a table with a wrong role cannot be counted");
	check(a, all, SPT_AUDIT_COUNT_PAGES, SPT_VM_PAGES_4K, "pages_4k", all->leaves[1],
	      all->leaves[1]);
	check(a, all, SPT_AUDIT_COUNT_PAGES, SPT_VM_PAGES_2M, "pages_2m", all->leaves[2],
	      all->leaves[2]);
	check(a, all, SPT_AUDIT_COUNT_PAGES, SPT_VM_PAGES_1G, "pages_1g", all->leaves[3],
	      all->leaves[3]);
	check(a, all, SPT_AUDIT_COUNT_SHADOW, SPT_VM_N_USED_MMU_PAGES, "n_used_mmu_pages", shadow,
	      shadow + unlisted_roots(a));
	check(a, all, SPT_AUDIT_COUNT_INDIRECT, SPT_VM_INDIRECT_SHADOW_PAGES,
	      "indirect_shadow_pages", all->tables.indirect, all->tables.indirect);
	check(a, all, SPT_AUDIT_COUNT_TDP, SPT_VM_TDP_MMU_PAGES, "tdp_mmu_pages", all->tables.tdp,
	      all->tables.tdp);
	if (!all->tables.knows_nx)
		audit_na(a, SPT_AUDIT_COUNT_NX, "the image does not say which tables are listed");
	check(a, all, SPT_AUDIT_COUNT_NX, SPT_VM_NX_LPAGE_SPLITS, "nx_lpage_splits", nx, nx);
	check(a, all, SPT_AUDIT_COUNT_NX, SPT_VM_POSSIBLE_NX_PAGES, "possible_nx_huge_pages", nx,
	      nx);
	need(a, all, SPT_AUDIT_COUNT_PAGES, "the image lacks the counters");
	need(a, all, SPT_AUDIT_COUNT_SHADOW, "the image lacks the counter");
	need(a, all, SPT_AUDIT_COUNT_TDP, "this kernel has no such counter");
	need(a, all, SPT_AUDIT_COUNT_INDIRECT, "the image lacks the counter");
	need(a, all, SPT_AUDIT_COUNT_NX, "the image lacks the counter");
	if (!a->m->nr_nodes)
		return;
	need(a, all, SPT_AUDIT_BACKLINK, "the image does not say whether tables' pages point back");
	need(a, all, SPT_AUDIT_NX_LIST, "the image does not say which tables are listed");
}

/* References to a root that the image shows, but for those before (@vcpu, @nr): 0 if it had some.
 */
static uint32_t count_users(const struct audit *a, uint32_t vcpu, unsigned int nr, uint64_t root)
{
	uint32_t users = 0;
	uint64_t hpa;

	for (uint32_t v = 0; v < a->m->nr_vcpus; v++)
		for (unsigned int i = 0; i < ROOT_VALUES; i++) {
			if (!vcpu_root(&a->m->vcpus[v], i, &hpa) || hpa != root)
				continue;
			if (v < vcpu || (v == vcpu && i < nr))
				return 0;
			users++;
		}
	return users;
}

/* A table that hangs below another and is nobody's root: that it is used as one is vcpu-root's. */
static bool is_inner(const struct audit *a, const struct spt_node *node)
{
	return node && node->page && !node->page->root_count && a->parent[node - a->m->nodes];
}

static void check_root_count(struct audit *a, struct audit_part *all, uint32_t vcpu,
			     unsigned int nr, uint64_t hpa)
{
	struct audit_place p = { .node = spt_node_find(a->m, hpa), .gpa = ~0ULL };
	uint32_t users = count_users(a, vcpu, nr, hpa), count;
	struct spt_audit_finding *f;

	if (!users || !p.node || !p.node->page || is_inner(a, p.node))
		return;
	all->checked[SPT_AUDIT_COUNT_ROOTS]++;
	count = p.node->page->root_count;
	if (count >= users)
		return;
	f = audit_found(a, all, SPT_AUDIT_COUNT_ROOTS, &p);
	audit_say(f, audit_text("at least %u", users).text, audit_text("%u", count).text,
		  "%u vCPU references to the root at 0x%llx, its count is %u", users,
		  (unsigned long long)hpa, count);
	if (f)
		f->root = hpa;
}

static void check_root_counts(struct audit *a, struct audit_part *all)
{
	uint64_t hpa;

	for (uint32_t v = 0; v < a->m->nr_vcpus; v++)
		for (unsigned int i = 0; i < ROOT_VALUES; i++)
			if (vcpu_root(&a->m->vcpus[v], i, &hpa))
				check_root_count(a, all, v, i, hpa);
}

static const struct spt_root_ref *find_root(const struct audit *a, uint64_t hpa)
{
	for (uint32_t i = 0; i < a->m->nr_roots; i++)
		if (a->m->roots[i].hpa == hpa)
			return &a->m->roots[i];
	return NULL;
}

static void say_vcpu(struct audit *a, struct audit_part *all, uint32_t vcpu, uint64_t hpa,
		     const char *expected, const char *found)
{
	struct audit_place p = { .node = spt_node_find(a->m, hpa), .gpa = ~0ULL };
	struct spt_audit_finding *f = audit_found(a, all, SPT_AUDIT_VCPU_ROOT, &p);
	uint64_t id = vcpu;

	/* By the id that the VMM gave it, as everywhere. */
	spt_value(&a->m->vcpus[vcpu].values, SPT_VCPU_ID, &id);
	audit_say(f, expected, found, "vCPU %llu has root 0x%llx: %s, not %s",
		  (unsigned long long)id, (unsigned long long)hpa, found, expected);
	if (f)
		f->root = hpa;
}

static void check_vcpu(struct audit *a, struct audit_part *all, uint32_t nr)
{
	const struct spt_valueset *v = &a->m->vcpus[nr].values;
	const struct spt_root_ref *root;
	uint64_t hpa, role, nested = 0;
	unsigned int level;

	if (!vcpu_root(&a->m->vcpus[nr], 0, &hpa) || !spt_value(v, SPT_VCPU_ROOT_ROLE, &role))
		return;
	spt_value(v, SPT_VCPU_IN_GUEST_MMU, &nested);
	root = find_root(a, hpa);
	/* Zapped shadow roots and the dummy root are in no list. */
	if (!root && !is_inner(a, spt_node_find(a->m, hpa)) &&
	    (!a->m->image.head.tdp_mmu || nested ||
	     !spt_role_get(a->f->role, role, SPT_ROLE_DIRECT)))
		return;
	if (root && !root->page)
		return; /* pae_root and those above it have no role */
	all->checked[SPT_AUDIT_VCPU_ROOT]++;
	level = spt_role_get(a->f->role, role, SPT_ROLE_LEVEL);
	if (!root)
		say_vcpu(a, all, nr, hpa, "a root", "no root");
	else if ((unsigned int)root->level != level)
		say_vcpu(a, all, nr, hpa, audit_text("level %u", level).text,
			 audit_text("level %d", root->level).text);
}

void audit_roots(struct audit *a, struct audit_part *all)
{
	if (audit_wants(a, SPT_AUDIT_COUNT_ROOTS))
		check_root_counts(a, all);
	for (uint32_t i = 0; audit_wants(a, SPT_AUDIT_VCPU_ROOT) && i < a->m->nr_vcpus; i++)
		check_vcpu(a, all, i);
}

static void check_stuck(struct audit *a, struct audit_part *all)
{
	const struct spt_model *m = a->m;
	uint64_t under_way = 0, start, end;
	struct spt_audit_finding *f;
	bool stuck;

	if (!audit_wants(a, SPT_AUDIT_INVALIDATE_STUCK))
		return;
	all->checked[SPT_AUDIT_INVALIDATE_STUCK]++;
	spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, &under_way);
	if (!under_way || !spt_model_seq(m, &start, &end))
		return;
	/* Each one that ends counts the sequence up. */
	stuck = start == end && m->image.end.in_progress_end &&
		m->image.end.time_ns - m->image.head.time_ns >= STUCK_NS;
	f = audit_found_as(a, all, SPT_AUDIT_INVALIDATE_STUCK, &vm_place, !stuck);
	audit_say(f, "an end",
		  audit_text("%lld under way, seq 0x%llx", (long long)under_way,
			     (unsigned long long)start)
			  .text,
		  "%lld invalidations are under way and none ends: mmu_invalidate_seq stays 0x%llx",
		  (long long)under_way, (unsigned long long)start);
}

static void check_seq(struct audit *a, struct audit_part *all)
{
	uint64_t seq = 0;

	if (!audit_wants(a, SPT_AUDIT_INVALIDATE_SEQ))
		return;
	all->checked[SPT_AUDIT_INVALIDATE_SEQ]++;
	spt_value(&a->m->vm, SPT_VM_MMU_INVALIDATE_SEQ, &seq);
	if (seq > INT_MAX)
		audit_say(
			audit_found(a, all, SPT_AUDIT_INVALIDATE_SEQ, &vm_place),
			"at most 0x7fffffff", audit_text("0x%llx", (unsigned long long)seq).text,
			"mmu_invalidate_seq is 0x%llx, past INT_MAX: where KVM keeps an int of it, faults are retried for ever",
			(unsigned long long)seq);
}

void audit_vm(struct audit *a, struct audit_part *all)
{
	check_stuck(a, all);
	check_seq(a, all);
}
