// SPDX-License-Identifier: GPL-2.0
#include "spt/guest_walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CR4_SMEP SPT_BIT(20)
#define CR4_SMAP SPT_BIT(21)
#define CR4_PKE	 SPT_BIT(22)

#define GPTE_AD	   (SPT_BIT(5) | SPT_BIT(6)) /* the processor sets them as the guest runs */
#define PKEY_SHIFT 59
#define PKEY_MASK  15
#define MOST_TRIES 4 /* walks of a guest that changes its tables */
#define REGS_PARTS (SPT_GUEST_MEMORY_PARTS | SPT_GUEST_REGS_PARTS)
#define ALL_PERMS  (SPT_PERM_READ | SPT_PERM_WRITE | SPT_PERM_EXEC)

const char *spt_guest_end_name(enum spt_guest_end end)
{
	static const char *const names[SPT_GUEST_ENDS] = {
		[SPT_GUEST_END_MAPPED] = "mapped",
		[SPT_GUEST_END_NOT_PRESENT] = "not-present",
		[SPT_GUEST_END_RESERVED] = "reserved",
		[SPT_GUEST_END_NOT_CANONICAL] = "non-canonical",
		[SPT_GUEST_END_UNREADABLE] = "unreadable",
		[SPT_GUEST_END_NOT_NESTED] = "not-nested",
	};

	return names[end];
}

/* All that a walk carries along. */
struct guest {
	struct spt_source *src;
	struct spt_model *model;
	struct spt_guest_memory memory;
	unsigned int image_flags;
	struct spt_walk walk; /* of the table's page */
};

__attribute__((format(printf, 3, 4))) static void
end_walk(struct spt_guest_walk *w, enum spt_guest_end end, const char *fmt, ...)
{
	va_list args;

	w->end = end;
	va_start(args, fmt);
	vsnprintf(w->reason, sizeof(w->reason), fmt, args);
	va_end(args);
}

static const struct spt_walk_path *mapping_path(const struct spt_walk *walk, unsigned int as_id)
{
	const struct spt_walk_path *found = NULL;

	for (unsigned int i = 0; i < walk->nr_paths; i++) {
		const struct spt_walk_path *p = &walk->path[i];

		if (p->hpa == SPT_NO_HPA)
			continue;
		if (p->root && p->root->as_id == as_id)
			return p;
		found = found ? found : p;
	}
	return found;
}

/* Walk @gpa as KVM and the host see it. */
static int find_place(struct guest *g, uint64_t gpa, unsigned int as_id,
		      struct spt_guest_place *ret, struct spt_error *err)
{
	const struct spt_walk_path *path;
	int code;

	*ret = (struct spt_guest_place){ -1,	     SPT_NO_HVA, SPT_NO_HPA,
					 SPT_NO_HPA, 0,		 SPT_VERDICT_NO_SLOT };
	if (gpa >> SPT_GPA_BITS)
		return 0;
	code = spt_walk_gpa_next(g->src, g->model, gpa, g->image_flags, &g->walk, err);
	if (code)
		return code;
	path = mapping_path(&g->walk, as_id);
	if (g->walk.slot)
		ret->slot = g->walk.slot->slot->id;
	ret->hva = g->walk.hva;
	ret->verdict = g->walk.verdict;
	if (path) {
		ret->hpa = path->hpa;
		ret->page_size = path->page_size;
	}
	if (g->walk.have_host)
		ret->host_hpa = g->walk.host.hpa;
	return 0;
}

/* @gpa is made the VM's own. */
static enum spt_guest_read read_entry(struct guest *g, const struct spt_guest_regs *regs,
				      uint64_t *gpa, uint64_t *entry)
{
	*entry = 0;
	return spt_nested_memory_read(&regs->nested, &g->memory, g->model, regs->as_id, gpa, entry,
				      spt_guest_entry_size(&regs->mmu));
}

/* The entry that the address selects in the table at @table. */
static void take_level(struct guest *g, const struct spt_guest_walk *w, int level, uint64_t table,
		       struct spt_guest_level *l)
{
	const struct spt_guest_regs *regs = &w->regs;
	uint64_t entry;

	*l = (struct spt_guest_level){ .level = level, .table_gpa = table };
	l->index = spt_guest_index(&regs->mmu, w->gva, level);
	l->entry_gpa = table + (uint64_t)l->index * spt_guest_entry_size(&regs->mmu);
	l->vm_gpa = l->entry_gpa;
	l->read = read_entry(g, regs, &l->vm_gpa, &entry);
	l->memory = entry;
	if (level == 3 && regs->mmu.paging == SPT_GUEST_PAE && regs->have_pdptrs) {
		l->from_register = true;
		l->read = SPT_GUEST_READ;
		entry = regs->pdptr[l->index];
	}
	if (l->read == SPT_GUEST_READ)
		l->gpte = spt_gpte_decode(&regs->mmu, entry, level);
}

/* Whether the walk ends at this entry; then says how. */
static bool ends_at(struct spt_guest_walk *w, const struct spt_guest_level *l)
{
	if (l->read != SPT_GUEST_READ)
		end_walk(w, SPT_GUEST_END_UNREADABLE,
			 "the guest's level %d table at GPA 0x%" PRIx64 " cannot be read: %s",
			 l->level, l->table_gpa, spt_guest_read_text(l->read));
	else if (!l->gpte.present)
		end_walk(
			w, SPT_GUEST_END_NOT_PRESENT,
			"the guest's own level %d entry is not present: an access is a page fault in the guest, not in KVM",
			l->level);
	else if (l->gpte.reserved)
		end_walk(w, SPT_GUEST_END_RESERVED,
			 "the guest's own level %d entry has reserved bits 0x%" PRIx64
			 " set: an access is a page fault in the guest",
			 l->level, (uint64_t)l->gpte.reserved);
	else if (!l->gpte.leaf)
		return false;
	else {
		w->page_size = l->gpte.size;
		w->gpa = l->gpte.gpa + (w->gva & (l->gpte.size - 1));
		end_walk(w, SPT_GUEST_END_MAPPED, "the guest maps it to GPA 0x%" PRIx64, w->gpa);
	}
	return true;
}

/* Follow the tables; fills levels and how it ended. Level 1 always ends it. */
static void descend(struct guest *g, struct spt_guest_walk *w)
{
	uint64_t table = spt_guest_top_table(&w->regs.mmu, w->regs.cr3);
	int level = spt_guest_levels(&w->regs.mmu);

	for (w->nr_levels = 0; level >= 1; level--) {
		struct spt_guest_level *l = &w->level[w->nr_levels++];

		take_level(g, w, level, table, l);
		if (ends_at(w, l))
			return;
		table = l->gpte.gpa;
	}
}

/* SDM Vol. 3A 4.6: what supervisor and user mode may do, from all entries and the registers. */
static void find_access(struct spt_guest_walk *w)
{
	const struct spt_guest_regs *r = &w->regs;
	bool user = true, write = true, nx = false;
	unsigned int key;

	for (unsigned int i = 0; i < w->nr_levels; i++) {
		user &= w->level[i].gpte.user;
		write &= w->level[i].gpte.write;
		nx |= w->level[i].gpte.nx;
	}
	if (!r->mmu.wp && !write)
		w->flags |= SPT_GUEST_NO_WP;
	w->supervisor = SPT_PERM_READ | (write || !r->mmu.wp ? SPT_PERM_WRITE : 0) |
			(nx ? 0 : SPT_PERM_EXEC);
	if (!user)
		return;
	w->user = SPT_PERM_READ | (write ? SPT_PERM_WRITE : 0) | (nx ? 0 : SPT_PERM_EXEC);
	if (r->cr4 & CR4_SMEP) {
		w->flags |= SPT_GUEST_SMEP;
		w->supervisor &= ~(unsigned int)SPT_PERM_EXEC;
	}
	if (r->cr4 & CR4_SMAP)
		w->flags |= SPT_GUEST_SMAP;
	if (!(r->cr4 & CR4_PKE) || r->mmu.paging < SPT_GUEST_4LEVEL)
		return;
	w->flags |= SPT_GUEST_PKEY | (r->have_pkru ? 0 : SPT_GUEST_NO_PKRU);
	w->pkey = w->level[w->nr_levels - 1].gpte.raw >> PKEY_SHIFT & PKEY_MASK;
	key = r->pkru >> 2 * w->pkey & 3;
	if (key & 1) { /* access disabled: data of both modes */
		w->user &= SPT_PERM_EXEC;
		w->supervisor &= SPT_PERM_EXEC;
	} else if (key & 2) { /* write disabled; of supervisor mode under CR0.WP */
		w->user &= ~(unsigned int)SPT_PERM_WRITE;
		if (r->mmu.wp)
			w->supervisor &= ~(unsigned int)SPT_PERM_WRITE;
	}
}

/*
 * Whether the entries that led somewhere are still what they were, but for A and D, and still
 * where they were; those of the nested tables by which the page itself was found, too.
 */
static bool still_so(struct guest *g, const struct spt_guest_walk *w)
{
	for (unsigned int i = 0; i < w->nr_levels; i++) {
		const struct spt_guest_level *l = &w->level[i];
		uint64_t entry, gpa = l->entry_gpa;

		if (l->from_register || l->read != SPT_GUEST_READ)
			continue;
		if (read_entry(g, &w->regs, &gpa, &entry) != SPT_GUEST_READ || gpa != l->vm_gpa ||
		    (entry ^ l->gpte.raw) & ~GPTE_AD)
			return false;
	}
	return spt_nested_still_so(&w->regs.nested, &g->memory, g->model, w->regs.as_id,
				   &w->nested);
}

static int find_places(struct guest *g, struct spt_guest_walk *w, struct spt_error *err)
{
	int code = 0;

	for (unsigned int i = 0; i < w->nr_levels && !code; i++)
		code = find_place(g, w->level[i].vm_gpa, w->regs.as_id, &w->level[i].table, err);
	return code;
}

/* The address that L2's tables, or L2 without paging, lead to becomes the VM's. */
static void leave_nested(struct guest *g, struct spt_guest_walk *w)
{
	const struct spt_nested_tables *tables = &w->regs.nested;
	const uint64_t from = w->gpa;
	enum spt_guest_read read;

	if (w->end != SPT_GUEST_END_MAPPED || !tables->on)
		return;
	read = spt_nested_walk(tables, &g->memory, g->model, w->regs.as_id, from, &w->nested);
	w->gpa = w->nested.gpa;
	if (read != SPT_GUEST_READ)
		end_walk(w, SPT_GUEST_END_UNREADABLE,
			 "the guest's guest maps it to its address 0x%" PRIx64
			 "; a nested page table cannot be read: %s",
			 from, spt_guest_read_text(read));
	else if (!w->nested.mapped)
		end_walk(w, SPT_GUEST_END_NOT_NESTED,
			 "the guest's guest maps it to its address 0x%" PRIx64
			 ", %s: an access exits to the guest's hypervisor",
			 from, spt_nested_absence(tables, &w->nested));
	else
		end_walk(w, SPT_GUEST_END_MAPPED,
			 "the guest's guest maps it to its address 0x%" PRIx64
			 ", the guest's %s that to GPA 0x%" PRIx64,
			 from, spt_nested_format_name(tables), w->gpa);
}

/* Without paging the linear address is what the tables would have led to. */
static void take_linear(struct spt_guest_walk *w)
{
	w->gpa = w->gva & SPT_BITS(31, 0);
	w->supervisor = w->user = ALL_PERMS;
	if (w->gpa == w->gva)
		end_walk(w, SPT_GUEST_END_MAPPED,
			 "paging is off: linear addresses are guest-physical");
	else
		end_walk(w, SPT_GUEST_END_NOT_CANONICAL, "paging is off: an address has 32 bits");
}

/* All the way once, as the tables are now. */
static void walk_once(struct guest *g, struct spt_guest_walk *w)
{
	w->nested.nr_levels = 0;
	if (w->regs.mmu.paging == SPT_GUEST_NO_PAGING)
		take_linear(w);
	else
		descend(g, w);
	leave_nested(g, w);
}

/* Of a GPA alone the walk is address space 0's where that has a slot: have it said if SMM differs.
 */
static void compare_slots(const struct guest *g, struct spt_guest_walk *w)
{
	const struct spt_memslots *slots = &g->model->memslots;
	const uint64_t gfn = w->gpa >> SPT_PAGE_SHIFT;
	const struct spt_memslot *own = spt_memslot_find(slots, w->regs.as_id, gfn);
	const struct spt_memslot *shown = spt_memslot_find(slots, 0, gfn);

	if (shown && (!own || spt_memslot_hva(own, w->gpa) != spt_memslot_hva(shown, w->gpa)))
		w->flags |= SPT_GUEST_SMM_SLOT;
}

static int walk_tables(struct guest *g, struct spt_guest_walk *w, struct spt_error *err)
{
	bool paging = w->regs.mmu.paging != SPT_GUEST_NO_PAGING, same = false;

	for (w->tries = 0; w->tries < MOST_TRIES && !same; w->tries++) {
		walk_once(g, w);
		same = !g->memory.live || still_so(g, w);
	}
	if (!same)
		w->flags |= SPT_GUEST_CHANGED;
	/* Also where the nested tables then had nothing. */
	if (paging && (w->end == SPT_GUEST_END_MAPPED || w->nested.nr_levels))
		find_access(w);
	if (!g->memory.live && !g->model->nr_guest_tables && w->nr_levels &&
	    w->level[0].read == SPT_GUEST_NOT_SAVED)
		return spt_fail(
			err, ENODATA,
			"%s: saved without the guest's page tables: walk gva needs an image made by 'save --with guest-tables'",
			g->model->image.name);
	return find_places(g, w, err);
}

static int walk(struct guest *g, struct spt_guest_walk *w, struct spt_error *err)
{
	const char *refuse = spt_guest_regs_refuse(&w->regs);

	if (refuse)
		return spt_fail(err, ENODATA, "%s: vCPU %" PRId64 ": %s", g->model->image.name,
				w->regs.vcpu, refuse);
	if (w->regs.mmu.paging != SPT_GUEST_NO_PAGING &&
	    !spt_guest_gva_valid(&w->regs.mmu, w->gva)) {
		end_walk(w, SPT_GUEST_END_NOT_CANONICAL,
			 "not an address of %s paging: the guest gets #GP before any table is read",
			 spt_guest_paging_name(w->regs.mmu.paging));
		return 0;
	}
	return walk_tables(g, w, err);
}

enum spt_verdict spt_guest_walk_verdict(const struct spt_guest_walk *w)
{
	static const enum spt_verdict unread[SPT_GUEST_READS] = {
		[SPT_GUEST_READ] = SPT_VERDICT_UNKNOWN,
		[SPT_GUEST_NO_SLOT] = SPT_VERDICT_NO_SLOT,
		[SPT_GUEST_PRIVATE] = SPT_VERDICT_PRIVATE,
		[SPT_GUEST_ENCRYPTED] = SPT_VERDICT_PRIVATE,
		[SPT_GUEST_ABSENT] = SPT_VERDICT_UNKNOWN,
		[SPT_GUEST_SWAPPED] = SPT_VERDICT_SWAPPED,
		[SPT_GUEST_NOT_SAVED] = SPT_VERDICT_UNKNOWN,
		[SPT_GUEST_UNREADABLE] = SPT_VERDICT_UNKNOWN,
		[SPT_GUEST_NOT_NESTED] = SPT_VERDICT_UNMAPPED,
	};

	if (w->flags & SPT_GUEST_CHANGED)
		return SPT_VERDICT_TORN;
	if (w->end == SPT_GUEST_END_UNREADABLE && w->nested.nr_levels)
		return unread[w->nested.level[w->nested.nr_levels - 1].read];
	if (w->end == SPT_GUEST_END_UNREADABLE && w->nr_levels)
		return unread[w->level[w->nr_levels - 1].read];
	return SPT_VERDICT_UNMAPPED;
}

int spt_guest_walk_from(struct spt_source *src, struct spt_model *model,
			const struct spt_guest_ask *ask, unsigned int image_flags,
			struct spt_guest_walk *ret, struct spt_error *err)
{
	const struct spt_request req = { .parts = REGS_PARTS };
	struct guest g = { .src = src, .model = model, .image_flags = image_flags };
	int code = spt_model_read(model, src, &req, image_flags, err);

	*ret = (struct spt_guest_walk){ .gva = ask->gva };
	if (!code && model->image.head.mmu == SPT_MMU_SHADOW)
		ret->flags |= SPT_GUEST_SHADOW;
	if (!code)
		code = spt_guest_regs_find(model, ask->vcpu, &ret->regs, err);
	if (code)
		return code;
	if (ask->have_cr3)
		spt_guest_regs_set_cr3(&ret->regs, ask->cr3);
	spt_guest_memory_init(&g.memory, src);
	code = walk(&g, ret, err);
	if (!code && ret->end == SPT_GUEST_END_MAPPED)
		compare_slots(&g, ret);
	spt_guest_memory_deinit(&g.memory);
	return code;
}
