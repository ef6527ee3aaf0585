// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves against the host: KVM promises through its MMU notifiers that what an SPTE
 * maps the VMM's page tables map, too, at the same frame and with at least the same
 * right to write.
 */
#include "spt/audit_address.h"
#include "spt/verdict.h"
#include "spt/walk.h"

/* What the host has at a stretch of frames. */
struct stretch {
	uint64_t gfn, end;
	const struct spt_host_run *run; /* NULL: nothing */
};

static struct stretch next_stretch(const struct audit *a, const struct spt_memslot *slot,
				   uint64_t gfn, uint64_t end)
{
	const struct spt_host_run *run = spt_memslot_host_run_from(&a->m->memslots, slot, gfn);
	struct stretch s = { gfn, end, NULL };

	if (!run || run->gfn >= end)
		return s;
	if (run->gfn > gfn) {
		s.end = run->gfn;
		return s;
	}
	s.run = run->hpa == SPT_NO_HPA || run->flags & (SPT_HOST_RUN_SWAP | SPT_HOST_RUN_MIGRATION)
			? NULL
			: run;
	if (run->gfn + run->npages < end)
		s.end = run->gfn + run->npages;
	return s;
}

static uint64_t host_hpa(const struct stretch *s, uint64_t gfn)
{
	return s->run->hpa + ((gfn - s->run->gfn) << SPT_PAGE_SHIFT);
}

/* A page may come to the host, and then to the SPTE, without anything that tells of it. */
static void say_absent(struct audit *a, struct audit_part *part, const struct audit_place *p,
		       uint64_t gfn)
{
	struct spt_audit_finding *f =
		audit_found_as(a, part, SPT_AUDIT_LEAF_HOST, p, !a->calm[AUDIT_STILL]);
	uint64_t hpa = spt_spte_leaf_hpa(a->f, p->spte, p->level);

	audit_say(f, "no page", audit_text("0x%llx", (unsigned long long)hpa).text,
		  "the host maps no page for gfn 0x%llx, the SPTE maps 0x%llx",
		  (unsigned long long)gfn, (unsigned long long)hpa);
}

static void say_other(struct audit *a, struct audit_part *part, const struct audit_place *p,
		      uint64_t gfn, uint64_t want, uint64_t have)
{
	audit_say(audit_found(a, part, SPT_AUDIT_LEAF_HOST, p),
		  audit_text("0x%llx", (unsigned long long)want).text,
		  audit_text("0x%llx", (unsigned long long)have).text,
		  "the host maps 0x%llx for gfn 0x%llx, the SPTE maps 0x%llx",
		  (unsigned long long)want, (unsigned long long)gfn, (unsigned long long)have);
}

static void say_readonly(struct audit *a, struct audit_part *part, const struct audit_place *p,
			 uint64_t gfn)
{
	/* So may the right to write. */
	audit_say(audit_found_as(a, part, SPT_AUDIT_HOST_WRITABLE, p, !a->calm[AUDIT_STILL]),
		  "no W", "W", "the host maps gfn 0x%llx read-only, SPTE 0x%llx allows writes",
		  (unsigned long long)gfn, (unsigned long long)p->spte);
}

/* Whether the frame's memory is the guest_memfd's, which the VMM does not map. */
static bool is_private(const struct audit *a, const struct spt_node *node,
		       const struct spt_memslot *slot, uint64_t gfn)
{
	uint64_t attrs;

	if (node->mirror)
		return true;
	if (!audit_slot_facts(a, slot)->private_pages)
		return false;
	return !spt_model_attrs(a->m, gfn, &attrs) || attrs & SPT_ATTR_PRIVATE;
}

/* One leaf against the host walk of its page, for images that have no runs. */
static void leaf_by_walk(struct audit *a, struct audit_part *part, const struct audit_place *p,
			 const struct spt_memslot *slot)
{
	uint64_t gpa = p->gpa, have;
	const struct spt_host_walk *walk;
	struct spt_host_path host;

	if (p->level > 1 && a->m->image.head.req_len)
		gpa += (a->m->image.head.req_start & (spt_level_size(p->level) - 1)) &
		       ~(spt_level_size(1) - 1);
	walk = a->m->nr_host ? spt_model_host_walk(a->m, gpa) : NULL;
	/* The walk is of address space 0: SMM's slot may be another one. */
	if (!walk || walk->hva + (gpa - walk->gpa) != spt_memslot_hva(slot, gpa) ||
	    !spt_host_path(a->m, gpa, &host) || host.type == SPT_HOST_ERROR ||
	    slot->slot->flags & SPT_SLOT_GMEM_ONLY)
		return;
	have = spt_spte_leaf_hpa(a->f, p->spte, p->level) + (gpa - p->gpa);
	part->checked[SPT_AUDIT_LEAF_HOST]++;
	part->checked[SPT_AUDIT_HOST_WRITABLE] += !!(p->spte & a->f->write);
	if (host.hpa == SPT_NO_HPA)
		say_absent(a, part, p, gpa >> SPT_PAGE_SHIFT);
	else if ((host.hpa ^ have) & ~(spt_level_size(1) - 1))
		say_other(a, part, p, gpa >> SPT_PAGE_SHIFT, host.hpa, have);
	else if (p->spte & a->f->write && !host.writable)
		say_readonly(a, part, p, gpa >> SPT_PAGE_SHIFT);
}

void audit_host_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p,
		     const struct spt_memslot *slot)
{
	uint64_t first = spt_block_first(p->gpa >> SPT_PAGE_SHIFT, p->level);
	uint64_t from = first > a->first ? first : a->first;
	uint64_t end = first + spt_level_pages(p->level), hpa;
	bool readonly = false;
	struct stretch s;

	if (!(a->rules & (AUDIT_BIT(LEAF_HOST) | AUDIT_BIT(HOST_WRITABLE))) ||
	    slot->slot->flags & SPT_SLOT_INVALID || is_private(a, p->node, slot, first))
		return;
	if (!audit_slot_facts(a, slot)->host) {
		leaf_by_walk(a, part, p, slot);
		return;
	}
	if (end - 1 > a->last)
		end = a->last + 1;
	if (end > slot->slot->base_gfn + slot->slot->npages)
		end = slot->slot->base_gfn + slot->slot->npages;
	part->checked[SPT_AUDIT_LEAF_HOST]++;
	part->checked[SPT_AUDIT_HOST_WRITABLE] += !!(p->spte & a->f->write);
	/* Reserved bits are another rule's. */
	hpa = spt_spte_leaf_hpa(a->f, p->spte, p->level) & ~a->f->reserved;
	for (uint64_t gfn = from; gfn < end; gfn = s.end) {
		uint64_t have = hpa + ((gfn - first) << SPT_PAGE_SHIFT);

		s = next_stretch(a, slot, gfn, end);
		if (!s.run) {
			say_absent(a, part, p, gfn);
			return;
		}
		if (host_hpa(&s, gfn) != have) {
			say_other(a, part, p, gfn, host_hpa(&s, gfn), have);
			return;
		}
		if (p->spte & a->f->write && !(s.run->flags & SPT_HOST_RUN_WRITABLE) && !readonly) {
			say_readonly(a, part, p, gfn);
			readonly = true;
		}
	}
}

/* Whether @count stored entries map one frame after the other from @hpa on. */
static bool in_order(const uint64_t *entry, unsigned int count, uint64_t mask, uint64_t hpa)
{
	uint64_t differs = 0;

	for (unsigned int i = 0; i < count; i++)
		differs |= (entry[i] & mask) ^ (hpa + ((uint64_t)i << SPT_PAGE_SHIFT));
	return !differs;
}

static bool has_leaf(const uint64_t bits[8], unsigned int index)
{
	return bits[index / 64] >> (index % 64) & 1;
}

/* Entries @from .. @end - 1 of a table, one stretch of the host's. */
static void compare_stretch(struct audit *a, struct audit_part *part, const struct audit_leaves *l,
			    const struct stretch *s, unsigned int from, unsigned int end)
{
	const uint64_t mask = a->f->leaf_addr[1] & ~a->f->reserved;
	bool readonly = s->run && !(s->run->flags & SPT_HOST_RUN_WRITABLE);

	if (s->run && !readonly && l->node->chunks == ~0ULL &&
	    in_order(l->node->entry + from, end - from, mask, host_hpa(s, s->gfn)))
		return;
	for (unsigned int i = from; i < end; i++) {
		struct audit_place p;
		uint64_t want;

		if (!has_leaf(l->leaf, i))
			continue;
		p = audit_leaf_place(a, l, i);
		want = s->run ? host_hpa(s, l->gfn + i) : 0;
		if (!s->run)
			say_absent(a, part, &p, l->gfn + i);
		else if ((p.spte & mask) != want)
			say_other(a, part, &p, l->gfn + i, want, p.spte & mask);
		else if (readonly && has_leaf(l->writable, i))
			say_readonly(a, part, &p, l->gfn + i);
	}
}

void audit_host_table(struct audit *a, struct audit_part *part, const struct audit_leaves *l,
		      const struct spt_memslot *slot)
{
	uint64_t end = l->gfn + SPT_TABLE_ENTRIES;
	struct stretch s;

	if (!(a->rules & (AUDIT_BIT(LEAF_HOST) | AUDIT_BIT(HOST_WRITABLE))) || l->node->mirror ||
	    slot->slot->flags & SPT_SLOT_INVALID)
		return;
	if (!audit_slot_facts(a, slot)->host) {
		for (unsigned int i = 0; a->m->nr_host && i < SPT_TABLE_ENTRIES; i++) {
			struct audit_place p = audit_leaf_place(a, l, i);

			if (has_leaf(l->leaf, i))
				leaf_by_walk(a, part, &p, slot);
		}
		return;
	}
	part->checked[SPT_AUDIT_LEAF_HOST] += l->leaves;
	part->checked[SPT_AUDIT_HOST_WRITABLE] += l->writables;
	for (uint64_t gfn = l->gfn; gfn < end; gfn = s.end) {
		s = next_stretch(a, slot, gfn, end);
		compare_stretch(a, part, l, &s, gfn - l->gfn, s.end - l->gfn);
	}
}
