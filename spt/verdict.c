// SPDX-License-Identifier: GPL-2.0
/*
 * The verdict of a walk. KVM promises through its MMU notifiers that whatever an
 * SPTE maps the host's page table maps too, at the same frame and with at least
 * the same right to write. The reverse is not promised: an SPTE appears at the
 * first fault. Everything below follows from that, from the memslots, and from
 * the few moments in which KVM is changing its mind.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decoders/role.h"
#include "spt/verdict.h"

/* What the paths of a walk have in common. */
struct paths {
	const struct spt_walk_path *leaf;     /* first that maps, NULL none */
	const struct spt_walk_path *mirror;   /* first of a mirror root that maps */
	const struct spt_walk_path *moved;    /* first whose page is not the host's */
	const struct spt_walk_path *writable; /* first that allows writes */
	const struct spt_walk_path *slotless; /* first that maps what its address space has not */
	const struct spt_entry *mmio;
	const struct spt_memslot *mmio_slot; /* of its own address space; NULL: none */
	const struct spt_entry *outside;     /* MMIO, where only another address space has a slot */
	bool changing;			     /* frozen entry, or a table that is not there */
};

const char *spt_verdict_name(enum spt_verdict verdict)
{
	static const char *const names[] = {
		[SPT_VERDICT_COHERENT] = "coherent", [SPT_VERDICT_UNMAPPED] = "unmapped",
		[SPT_VERDICT_STALE] = "stale",	     [SPT_VERDICT_MMIO] = "mmio",
		[SPT_VERDICT_NO_SLOT] = "no-slot",   [SPT_VERDICT_PRIVATE] = "private",
		[SPT_VERDICT_SWAPPED] = "swapped",   [SPT_VERDICT_TORN] = "torn",
		[SPT_VERDICT_UNKNOWN] = "n/a",
	};

	return names[verdict];
}

__attribute__((format(printf, 3, 4))) static void say(struct spt_walk *w, enum spt_verdict verdict,
						      const char *fmt, ...)
{
	va_list ap;

	w->verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(w->reason, sizeof(w->reason), fmt, ap);
	va_end(ap);
}

/* The same for the common case, which need not be formatted. */
static void say_plainly(struct spt_walk *w, enum spt_verdict verdict, const char *text)
{
	w->verdict = verdict;
	strcpy(w->reason, text);
}

void spt_verdict_torn(struct spt_walk *w, const char *why)
{
	say(w, SPT_VERDICT_TORN, "%s", why);
}

static uint64_t vm_value(const struct spt_model *m, enum spt_vm_value value)
{
	uint64_t v;

	return spt_value(&m->vm, value, &v) ? v : 0;
}

/*
 * An invalidation that is under way and may be about this page. Its range is in
 * frames or, until 8569992d64b8, in addresses of the VMM: either counts.
 */
bool spt_walk_invalidating(const struct spt_model *m, const struct spt_walk *w)
{
	uint64_t start = vm_value(m, SPT_VM_MMU_INVALIDATE_RANGE_START);
	uint64_t end = vm_value(m, SPT_VM_MMU_INVALIDATE_RANGE_END);
	uint64_t gfn = w->gpa >> SPT_PAGE_SHIFT;

	if (m->image.end.in_progress_end && !vm_value(m, SPT_VM_MMU_INVALIDATE_IN_PROGRESS))
		return true; /* began meanwhile, its range is not known */
	if (!vm_value(m, SPT_VM_MMU_INVALIDATE_IN_PROGRESS))
		return false;
	if (start >= end)
		return true;
	return (gfn >= start && gfn < end) || (w->hva >= start && w->hva < end);
}

/* A disagreement: stale, unless something says that it was only seen in passing. */
__attribute__((format(printf, 3, 4))) static void disagree(const struct spt_model *m,
							   struct spt_walk *w, const char *fmt, ...)
{
	uint64_t start, end;
	va_list ap;

	if (m->torn) {
		spt_model_torn(m, w->reason, sizeof(w->reason));
		w->verdict = SPT_VERDICT_TORN;
		return;
	}
	if (spt_walk_invalidating(m, w)) {
		spt_verdict_torn(w, "the host is invalidating this range");
		return;
	}
	if (spt_model_seq(m, &start, &end) && start != end) {
		spt_verdict_torn(w, "the host invalidated mappings while the image was made");
		return;
	}
	w->verdict = SPT_VERDICT_STALE;
	va_start(ap, fmt);
	vsnprintf(w->reason, sizeof(w->reason), fmt, ap);
	va_end(ap);
}

/* The slot that a path's own address space has there: SMM's may be another one, or none. */
static const struct spt_memslot *own_slot(const struct spt_model *m, const struct spt_walk *w,
					  const struct spt_walk_path *p)
{
	const struct spt_page *page = p->level[p->nr_levels - 1].node->page;
	unsigned int as_id = 0;

	if (p->root)
		as_id = p->root->as_id;
	else if (page)
		as_id = spt_role_get(m->format.role, page->role, SPT_ROLE_SMM) != 0;
	return spt_memslot_find(&m->memslots, as_id, w->gpa >> SPT_PAGE_SHIFT);
}

static void look_at_mmio(const struct spt_walk *w, const struct spt_entry *mmio,
			 const struct spt_memslot *own, struct paths *all)
{
	if (!own && w->slot) {
		all->outside = all->outside ? all->outside : mmio;
	} else if (!all->mmio) {
		all->mmio = mmio;
		all->mmio_slot = own;
	}
}

static void look_at_leaf(const struct spt_model *m, struct spt_walk *w,
			 const struct spt_walk_path *p, const struct spt_memslot *own,
			 struct paths *all)
{
	if (!own && w->slot) {
		all->slotless = all->slotless ? all->slotless : p;
		return;
	}
	/* The host's walk is of one HVA: what is behind another one is another page by right. */
	if (own && spt_memslot_hva(own, w->gpa) != w->hva)
		return;
	if (!all->leaf)
		all->leaf = p;
	if (!all->moved && p->hpa != w->host.hpa)
		all->moved = p;
	if (!all->writable &&
	    spt_spte_perm(&m->format, p->level[p->nr_levels - 1].spte) & SPT_PERM_WRITE)
		all->writable = p;
}

static void look_at(const struct spt_model *m, struct spt_walk *w, const struct spt_walk_path *p,
		    struct paths *all)
{
	const struct spt_entry *last = p->nr_levels ? &p->level[p->nr_levels - 1] : NULL;
	const struct spt_memslot *own;

	/*
	 * An invalid root is on its way out: nobody can enter through it. What is behind a
	 * mirror was compared with the mirror.
	 */
	if (!last || (p->root && (!p->root->valid || p->root->kind == SPT_ROOT_EXTERNAL)))
		return;
	all->changing |= last->type == SPT_SPTE_FROZEN || last->problems;
	own = own_slot(m, w, p);
	if (last->type == SPT_SPTE_MMIO)
		look_at_mmio(w, last, own, all);
	if (last->type != SPT_SPTE_LEAF)
		return;
	if (p->root && p->root->kind == SPT_ROOT_MIRROR) {
		if (!all->mirror)
			all->mirror = p;
		return;
	}
	look_at_leaf(m, w, p, own, all);
}

/* MMIO entries are forgotten by counting the memslot generation up, not by removing them. */
static void judge_mmio_in_slot(const struct spt_model *m, struct spt_walk *w, const struct paths *p)
{
	const struct spt_slot *slot = p->mmio_slot->slot;
	struct spt_spte spte = spt_entry_decode(m, p->mmio);
	unsigned int bits = __builtin_popcountll(m->format.mmio_gen);
	uint64_t now;

	if (slot->id >= SPT_FIRST_INTERNAL_SLOT)
		say(w, SPT_VERDICT_MMIO, "emulated page of KVM's own memslot %d", slot->id);
	else if (!spt_value(&m->vm, slot->as_id ? SPT_VM_GENERATION_1 : SPT_VM_GENERATION_0,
			    &now) ||
		 !bits)
		say(w, SPT_VERDICT_UNMAPPED, "an MMIO entry whose generation cannot be checked");
	else if ((now & ((1ULL << bits) - 1)) != spte.mmio_gen)
		say(w, SPT_VERDICT_UNMAPPED,
		    "an MMIO entry of an older memslot generation: KVM will ignore it");
	else
		disagree(m, w, "a valid MMIO entry where memslot %d is", slot->id);
}

static void judge_private(const struct spt_model *m, struct spt_walk *w, const struct paths *p)
{
	const struct spt_walk_path *own = p->mirror ? p->mirror : m->gpa_bits ? NULL : p->leaf;
	const char *what = p->mirror ? "mirror root" : "SPTE";
	bool gmem = w->private_gpa && w->knows_gmem && own;

	if (m->gpa_bits && w->private_gpa && p->leaf)
		disagree(m, w, "private memory, but the shared root maps it at 0x%llx",
			 (unsigned long long)p->leaf->hpa);
	else if (p->mirror && w->knows_attrs && !w->private_gpa)
		disagree(m, w, "shared memory, but the mirror root maps it at 0x%llx",
			 (unsigned long long)p->mirror->hpa);
	else if (gmem && w->gmem_hpa == SPT_NO_HPA)
		disagree(m, w, "the %s maps 0x%llx, guest_memfd has no page there", what,
			 (unsigned long long)own->hpa);
	else if (gmem && w->gmem_hpa != own->hpa)
		disagree(m, w, "the %s maps 0x%llx, guest_memfd has 0x%llx", what,
			 (unsigned long long)own->hpa, (unsigned long long)w->gmem_hpa);
	else if (w->external == SPT_NO)
		disagree(m, w, "mirror and external table differ at level %d", w->external_level);
	else if (p->mirror || p->leaf)
		say(w, SPT_VERDICT_PRIVATE,
		    "private memory, mapped at 0x%llx; the VMM has no address for it",
		    (unsigned long long)(p->mirror ? p->mirror : p->leaf)->hpa);
	else
		say(w, SPT_VERDICT_PRIVATE, "private memory, not mapped yet");
}

/* Memory of a guest_memfd that is not private: whoever maps it, the file says which page it is. */
static void judge_gmem(const struct spt_model *m, struct spt_walk *w, const struct paths *p)
{
	bool has_page = w->knows_gmem && w->gmem_hpa != SPT_NO_HPA;

	if (!p->leaf)
		say(w, SPT_VERDICT_UNMAPPED, "no SPTE yet%s",
		    has_page	    ? "; guest_memfd has the page"
		    : w->knows_gmem ? ", and guest_memfd has no page there yet"
				    : "");
	else if (!w->knows_gmem)
		say(w, SPT_VERDICT_UNKNOWN,
		    "mapped at 0x%llx; this image does not say what guest_memfd has",
		    (unsigned long long)p->leaf->hpa);
	else if (!has_page)
		disagree(m, w, "the SPTE maps 0x%llx, guest_memfd has no page there",
			 (unsigned long long)p->leaf->hpa);
	else if (p->leaf->hpa != w->gmem_hpa)
		disagree(m, w, "the SPTE maps 0x%llx, guest_memfd has 0x%llx",
			 (unsigned long long)p->leaf->hpa, (unsigned long long)w->gmem_hpa);
	else
		say(w, SPT_VERDICT_COHERENT, "the SPTE maps the page that guest_memfd has");
}

static void judge_unmapped(struct spt_walk *w)
{
	static const char *const why[] = {
		[SPT_HOST_NONE] = "no SPTE yet, and the host has no page there yet",
		[SPT_HOST_TABLE] = "no SPTE yet",
		[SPT_HOST_PAGE] = "no SPTE yet; the host has the page",
		[SPT_HOST_PROTNONE] = "no SPTE yet; the host traps accesses to the page",
		[SPT_HOST_MIGRATION] = "no SPTE; the host is moving the page",
		[SPT_HOST_SPECIAL] = "no SPTE; the host marks the page (poison or userfaultfd)",
		[SPT_HOST_ERROR] = "no SPTE yet; the VMM's page tables could not be read",
	};

	if (!w->have_host)
		say(w, SPT_VERDICT_UNMAPPED, "no SPTE yet");
	else if (w->host.type == SPT_HOST_SWAP)
		say(w, SPT_VERDICT_SWAPPED, "no SPTE, and the host has the page on swap");
	else
		say(w, SPT_VERDICT_UNMAPPED, "%s", why[w->host.type]);
}

static void judge_mapped(const struct spt_model *m, struct spt_walk *w, const struct paths *p)
{
	const struct spt_host_path *host = &w->host;

	if (!w->have_host)
		say(w, SPT_VERDICT_UNKNOWN,
		    "this image has no walk of the VMM's page tables to compare with");
	else if (host->type == SPT_HOST_ERROR)
		say(w, SPT_VERDICT_UNKNOWN, "the VMM's page tables could not be read: %s",
		    host->error ? strerror(host->error) : "the walk ended early");
	else if (host->hpa == SPT_NO_HPA)
		disagree(m, w, "the SPTE maps 0x%llx, the host has no page there (%s)",
			 (unsigned long long)p->leaf->hpa, spt_host_type_name(host->type));
	else if (p->moved)
		disagree(m, w, "the SPTE maps 0x%llx, the host 0x%llx",
			 (unsigned long long)p->moved->hpa, (unsigned long long)host->hpa);
	else if (p->writable && host->type == SPT_HOST_PAGE && !host->writable)
		disagree(m, w, "the SPTE allows writes, the host's entry does not");
	else if (host->type == SPT_HOST_PROTNONE)
		say(w, SPT_VERDICT_COHERENT,
		    "the same page; the host traps its own accesses to it");
	else
		say_plainly(w, SPT_VERDICT_COHERENT, "SPTE and host map the same page");
}

void spt_verdict_find(const struct spt_model *m, struct spt_walk *w)
{
	struct paths p = { 0 };

	for (unsigned int i = 0; i < w->nr_paths; i++)
		look_at(m, w, &w->path[i], &p);
	if (!spt_model_covers(m, w->gpa))
		say(w, SPT_VERDICT_UNKNOWN, "this image was made of another range");
	else if (!m->nr_nodes && m->nr_roots)
		say(w, SPT_VERDICT_UNKNOWN, "this image has no tables");
	else if (p.changing)
		spt_verdict_torn(
			w,
			"an entry on the way is being changed, or its table is not in the image");
	else if (!w->slot && (p.leaf || p.mirror))
		disagree(m, w, "mapped at 0x%llx, but no memslot has this address",
			 (unsigned long long)(p.leaf ? p.leaf : p.mirror)->hpa);
	else if (!w->slot && p.mmio)
		say(w, SPT_VERDICT_MMIO, "no memslot; KVM remembers that accesses are emulated");
	else if (!w->slot)
		say(w, SPT_VERDICT_NO_SLOT, "no memslot has this address");
	else if (w->slot->slot->flags & SPT_SLOT_INVALID)
		spt_verdict_torn(w, "the memslot is being deleted or moved");
	else if (p.slotless)
		disagree(m, w, "mapped at 0x%llx in an address space that has no memslot there",
			 (unsigned long long)p.slotless->hpa);
	else if (w->private_gpa || p.mirror || w->external == SPT_NO)
		judge_private(m, w, &p);
	else if (w->slot->slot->flags & SPT_SLOT_GMEM_ONLY && !p.mmio)
		judge_gmem(m, w, &p);
	else if (p.leaf)
		judge_mapped(m, w, &p);
	else if (p.mmio)
		judge_mmio_in_slot(m, w, &p);
	else if (p.outside && w->slot->slot->as_id)
		say(w, SPT_VERDICT_MMIO,
		    "no memslot but SMM's; KVM remembers that other accesses are emulated");
	else
		judge_unmapped(w);
}
