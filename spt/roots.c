// SPDX-License-Identifier: GPL-2.0
/*
 * Roots: the TDP MMU lists its own; of the shadow pages those with a root_count
 * are some; and a vCPU may enter through a table that has no kvm_mmu_page at all
 * (pae_root, and the pml4_root or pml5_root above it).
 */
#include <string.h>

#include "decoders/role.h"
#include "spt/roots.h"

#define RAW_PRESENT 1ULL /* PT_PRESENT_MASK: KVM's bit 11 is not set in raw roots */
#define PAE_ENTRIES 4

const char *spt_root_kind_name(enum spt_root_kind kind)
{
	static const char *const names[] = {
		[SPT_ROOT_DIRECT] = "direct",	  [SPT_ROOT_SHADOW] = "shadow",
		[SPT_ROOT_NESTED] = "nested",	  [SPT_ROOT_MIRROR] = "mirror",
		[SPT_ROOT_EXTERNAL] = "external",
	};

	return names[kind];
}

static enum spt_root_kind root_kind(const struct spt_bits *role, const struct spt_page *page)
{
	uint32_t word = page->role;

	if (spt_role_get(role, word, SPT_ROLE_IS_MIRROR) || page->flags & SPT_PAGE_PRIVATE)
		return SPT_ROOT_MIRROR;
	if (spt_role_get(role, word, SPT_ROLE_DIRECT))
		return SPT_ROOT_DIRECT;
	if (spt_role_get(role, word, SPT_ROLE_GUEST_MODE))
		return SPT_ROOT_NESTED;
	return SPT_ROOT_SHADOW;
}

/* KVM: kvm_memslots_for_spte_role(). The bit is wider than what it can be. */
static unsigned int address_space(const struct spt_bits *role, uint32_t word)
{
	return spt_role_get(role, word, SPT_ROLE_SMM) != 0;
}

static struct spt_root_ref *add_root(struct spt_model *m, const struct spt_page *page)
{
	const struct spt_bits *role = m->format.role;
	struct spt_root_ref *root = &m->roots[m->nr_roots++];

	*root = (struct spt_root_ref){
		.page = page,
		.hpa = page->hpa,
		.kind = root_kind(role, page),
		.level = spt_role_get(role, page->role, SPT_ROLE_LEVEL),
		.as_id = address_space(role, page->role),
		.role = page->role,
		.refcount = page->root_count,
		.valid = !spt_role_get(role, page->role, SPT_ROLE_INVALID),
		.tdp_mmu = page->flags & SPT_PAGE_TDP_MMU,
	};
	if (root->kind == SPT_ROOT_DIRECT)
		root->gpa_bits = m->gpa_bits;
	spt_format_use_role(&m->format, page->role);
	return root;
}

/* The table of a root: of several with its HPA the one that has its kvm_mmu_page. */
static const struct spt_node *root_node(const struct spt_model *m, const struct spt_page *page)
{
	const struct spt_node *n = spt_node_find(m, page->hpa);

	while (n && (!n->page || n->page->sp != page->sp || n->page->role != page->role))
		n = n->next_same_hpa ? &m->nodes[n->next_same_hpa - 1] : NULL;
	return n;
}

static bool raw_names(const struct spt_model *m, const struct spt_node *raw, uint64_t hpa)
{
	unsigned int entries = raw->raw_kind == SPT_RAW_PAE_ROOT ? PAE_ENTRIES : SPT_TABLE_ENTRIES;

	for (unsigned int i = 0; i < entries; i++) {
		uint64_t entry = spt_node_entry(raw, i);

		if (entry & RAW_PRESENT && spt_spte_table_hpa(&m->format, entry) == hpa)
			return true;
	}
	return false;
}

/* Whether some raw table leads to the table at @hpa. */
static bool below_raw(const struct spt_model *m, uint64_t hpa)
{
	for (uint32_t i = 0; m->image.count[SPT_REC_RAW_TABLE] && i < m->nr_nodes; i++)
		if (m->nodes[i].raw_kind && raw_names(m, &m->nodes[i], hpa))
			return true;
	return false;
}

/* First table with a kvm_mmu_page below a raw one: it has the role. */
static const struct spt_node *first_below(const struct spt_model *m, const struct spt_node *raw)
{
	for (int depth = 0; raw && raw->raw_kind && depth < 3; depth++) {
		const struct spt_node *below = NULL;

		for (unsigned int i = 0; i < SPT_TABLE_ENTRIES && !below; i++) {
			uint64_t entry = spt_node_entry(raw, i);

			if (entry & RAW_PRESENT)
				below = spt_node_find(m, spt_spte_table_hpa(&m->format, entry));
		}
		raw = below;
	}
	return raw && raw->page ? raw : NULL;
}

/*
 * Every vCPU without TDP has a pae_root, used or not. One that is in use is its
 * vCPU's root; of an image without vCPUs, one that leads somewhere.
 */
static bool raw_is_root(const struct spt_model *m, const struct spt_node *raw)
{
	uint64_t hpa;

	for (uint32_t i = 0; i < m->nr_vcpus; i++)
		if (spt_value(&m->vcpus[i].values, SPT_VCPU_ROOT_HPA, &hpa) && hpa == raw->hpa)
			return true;
	return !m->nr_vcpus && !below_raw(m, raw->hpa) && first_below(m, raw);
}

static void add_raw_root(struct spt_model *m, const struct spt_node *raw)
{
	const struct spt_node *below = first_below(m, raw);
	struct spt_root_ref *root = &m->roots[m->nr_roots++];

	*root = (struct spt_root_ref){
		.node = raw,
		.hpa = raw->hpa,
		.kind = below ? root_kind(m->format.role, below->page) : SPT_ROOT_SHADOW,
		.level = raw->level,
		.as_id = below ? address_space(m->format.role, below->page->role) : 0,
		.refcount = 1,
		.valid = true,
	};
}

/* The mirror root above a table, where KVM knows of no external one that is above it. */
static const struct spt_root_ref *mirror_above(const struct spt_model *m,
					       const struct spt_node *external)
{
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *root = &m->roots[i];

		if (root->kind == SPT_ROOT_MIRROR && root->page->sp == external->root_sp &&
		    external->level >= root->level - 1)
			return root;
	}
	return NULL;
}

static void add_external_root(struct spt_model *m, const struct spt_node *node,
			      const struct spt_root_ref *mirror)
{
	bool valid = mirror->valid;

	m->roots[m->nr_roots++] = (struct spt_root_ref){
		.node = node,
		.hpa = node->hpa,
		.kind = SPT_ROOT_EXTERNAL,
		.level = node->level,
		.refcount = 1,
		.valid = valid,
		.tdp_mmu = true,
	};
}

static bool is_shadow_root(const struct spt_node *node)
{
	return node->page && !node->root_sp && node->page->root_count &&
	       !(node->page->flags & SPT_PAGE_TDP_MMU);
}

uint32_t spt_roots_count(const struct spt_model *m)
{
	uint32_t count = m->image.count[SPT_REC_ROOT] + m->image.count[SPT_REC_RAW_TABLE];

	for (uint32_t i = 0; i < m->nr_nodes; i++)
		count += is_shadow_root(&m->nodes[i]) ||
			 (m->nodes[i].is_external && m->nodes[i].level > 2);
	return count;
}

void spt_roots_find(struct spt_model *m)
{
	const struct spt_rec *rec;

	/* They come before the tables: look no further than the last one. */
	for (rec = NULL; m->nr_roots < m->image.count[SPT_REC_ROOT];) {
		rec = spt_image_next(&m->image, rec);
		if (!rec)
			break;
		if (rec->type == SPT_REC_ROOT)
			add_root(m, &((const struct spt_root *)rec)->page);
	}
	for (uint32_t i = 0; i < m->nr_roots; i++)
		m->roots[i].node = root_node(m, m->roots[i].page);
	for (uint32_t i = 0; m->image.count[SPT_REC_EXTERNAL] && i < m->nr_nodes; i++) {
		const struct spt_root_ref *mirror = NULL;

		if (m->nodes[i].is_external && m->nodes[i].level > 2)
			mirror = mirror_above(m, &m->nodes[i]);
		if (mirror)
			add_external_root(m, &m->nodes[i], mirror);
	}
	for (uint32_t i = 0; i < m->nr_nodes; i++)
		if (is_shadow_root(&m->nodes[i]) && !below_raw(m, m->nodes[i].hpa))
			add_root(m, m->nodes[i].page)->node = &m->nodes[i];
	for (uint32_t i = 0; m->image.count[SPT_REC_RAW_TABLE] && i < m->nr_nodes; i++)
		if (m->nodes[i].raw_kind && raw_is_root(m, &m->nodes[i]))
			add_raw_root(m, &m->nodes[i]);
}

enum spt_vcpu_use spt_vcpu_uses(const struct spt_vcpu_ref *vcpu, const struct spt_root_ref *root)
{
	static const struct {
		enum spt_vcpu_value value;
		enum spt_vcpu_use use;
	} uses[] = {
		{ SPT_VCPU_ROOT_HPA, SPT_USE_CURRENT },
		{ SPT_VCPU_MIRROR_ROOT_HPA, SPT_USE_MIRROR },
		{ SPT_VCPU_PREV_ROOT_HPA_0, SPT_USE_PREVIOUS },
		{ SPT_VCPU_PREV_ROOT_HPA_1, SPT_USE_PREVIOUS },
		{ SPT_VCPU_PREV_ROOT_HPA_2, SPT_USE_PREVIOUS },
	};

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		uint64_t hpa;

		if (spt_value(&vcpu->values, uses[i].value, &hpa) && hpa == root->hpa)
			return uses[i].use;
	}
	return SPT_USE_NONE;
}
