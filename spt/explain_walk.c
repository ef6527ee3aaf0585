// SPDX-License-Identifier: GPL-2.0
/* A whole walk in words: the evidence, and what the verdict means. */
#include "spt/explain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/kvm.h>

/* What a verdict means, and what comes next. */
static const struct {
	const char *means, *next;
} verdicts[] = {
	/* clang-format off */
	[SPT_VERDICT_COHERENT] = {
		"KVM's tables and the host's lead to the same page: what the guest writes, the VMM reads",
		"accesses that the last entry allows do not leave the guest" },
	[SPT_VERDICT_UNMAPPED] = {
		"no table of KVM's maps the address",
		"the guest's next access exits to KVM, which asks the host for the page and writes the entry" },
	[SPT_VERDICT_STALE] = {
		"the guest is using a page that is not the one the VMM has there, and nothing under way explains it",
		"a zap was missed: keep the moment ('save'), look at what else is wrong ('audit'), and at the invalidation state ('vm')" },
	[SPT_VERDICT_MMIO] = {
		"no memory is behind the address; KVM has noted so in the entry itself",
		"each access exits and is emulated, by KVM's own devices or by the VMM" },
	[SPT_VERDICT_NO_SLOT] = {
		"no memslot holds the address, and KVM has not met it yet",
		"the guest's first access exits, is noted as MMIO, and is emulated" },
	[SPT_VERDICT_PRIVATE] = {
		"the page is the guest's alone: the host's page tables have no such page to compare with",
		"an access by the guest is served from guest_memfd; the VMM cannot read it" },
	[SPT_VERDICT_SWAPPED] = {
		"the host took the page away and has its contents on swap, and KVM dropped its entry as it must",
		"the guest's next access exits, and waits until the host has read the page back" },
	[SPT_VERDICT_TORN] = {
		"the answer changed while it was looked for: neither of the two moments is shown whole",
		"ask again; a VM that never holds still can be paused first" },
	[SPT_VERDICT_UNKNOWN] = {
		"the address is mapped, but there is nothing to compare the page with",
		"ask the live VM, or save with the host's tables ('save --with host')" },
	/* clang-format on */
};

/* Facts about the slot. */
#define READONLY  1ULL
#define DIRTY_LOG 2ULL
#define GMEM	  4ULL
#define SMM	  8ULL
#define INVALID	  16ULL
#define PRIVATE	  32ULL
#define NO_HVA	  64ULL

static const struct spt_phrase slot_rows[] = {
	{ READONLY, 0, ", read-only: writes exit as MMIO" },
	{ DIRTY_LOG, 0, ", dirty logging on: pages are mapped by 4K and writes are recorded" },
	{ GMEM, 0, ", bound to a guest_memfd" },
	{ SMM, 0, ", seen in SMM only" },
	{ INVALID, 0, ", being deleted or moved" },
	{ PRIVATE, 0, "; the attribute says private, so guest_memfd serves it and not the HVA" },
	{ NO_HVA, 0, "; it has no HVA at all" },
};

struct lines {
	spt_explain_fn *fn;
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void line(const struct lines *to, const char *fmt, ...)
{
	char buf[SPT_EXPLAIN_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	to->fn(to->arg, buf);
}

static void explain_slot(const struct spt_walk *w, const struct lines *to)
{
	const struct spt_slot *slot = w->slot ? w->slot->slot : NULL;
	char buf[SPT_EXPLAIN_TEXT];
	uint64_t facts;

	if (!slot) {
		line(to, "no memslot holds GPA 0x%" PRIx64 ": the VM has no memory there", w->gpa);
		return;
	}
	facts = (slot->flags & KVM_MEM_READONLY ? READONLY : 0) |
		(slot->flags & KVM_MEM_LOG_DIRTY_PAGES ? DIRTY_LOG : 0) |
		(slot->gmem_file ? GMEM : 0) | (slot->as_id ? SMM : 0) |
		(slot->flags & SPT_SLOT_INVALID ? INVALID : 0) | (w->private_gpa ? PRIVATE : 0) |
		(w->hva == SPT_NO_HVA ? NO_HVA : 0);
	line(to, "memslot %d holds the GPA, %" PRIu64 " pages into it%s", slot->id,
	     (w->gpa >> SPT_PAGE_SHIFT) - (uint64_t)slot->base_gfn,
	     spt_phrases(slot_rows, sizeof(slot_rows) / sizeof(slot_rows[0]), facts, buf));
}

static void explain_paths(const struct spt_walk *w, const struct lines *to)
{
	unsigned int mapped = 0;
	uint64_t hpa = SPT_NO_HPA;
	bool alike = true;

	for (unsigned int i = 0; i < w->nr_paths; i++) {
		if (w->path[i].hpa == SPT_NO_HPA)
			continue;
		mapped++;
		if (hpa != SPT_NO_HPA && hpa != w->path[i].hpa)
			alike = false;
		hpa = hpa == SPT_NO_HPA ? w->path[i].hpa : hpa;
	}
	if (!w->nr_paths)
		line(to, "no root of KVM's leads towards the address");
	else if (!mapped)
		line(to, "none of %u ways through KVM's tables ends at a page", w->nr_paths);
	else
		line(to, "%u of %u ways through KVM's tables end at a page: HPA 0x%" PRIx64 "%s",
		     mapped, w->nr_paths, hpa, alike ? "" : ", and not all at the same");
	if (!w->have_host)
		return;
	if (w->host.hpa == SPT_NO_HPA)
		line(to, "the VMM's page tables have no page there (%s)",
		     w->host.error ? strerror(w->host.error) : spt_host_type_name(w->host.type));
	else
		line(to, "the VMM's page tables end at HPA 0x%" PRIx64 ", %s", w->host.hpa,
		     w->host.writable ? "writable" : "not writable");
}

/* Whether anything was under way, which could have explained a difference. */
static void explain_moment(const struct spt_model *m, const struct spt_walk *w,
			   const struct lines *to)
{
	uint64_t seq, seq_end, running = 0;
	char torn[160];

	if (spt_model_torn(m, torn, sizeof(torn)))
		line(to, "%s", torn);
	if (!spt_model_seq(m, &seq, &seq_end))
		return;
	spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_IN_PROGRESS, &running);
	if (running || m->image.end.in_progress_end)
		line(to,
		     "the host was invalidating mappings (mmu_invalidate_in_progress %" PRIu64
		     "): faults in that range are retried until it is done",
		     running ? running : (uint64_t)m->image.end.in_progress_end);
	else if (seq != seq_end)
		line(to,
		     "the host invalidated mappings meanwhile (mmu_invalidate_seq %" PRIu64
		     ", then %" PRIu64 ")",
		     seq, seq_end);
	else
		line(to,
		     "no invalidation was under way or came meanwhile (mmu_invalidate_seq %" PRIu64
		     ")",
		     seq);
	if (w->tries > 1)
		line(to, "looked %u times, to rule out a change in passing", w->tries);
}

void spt_explain_verdict(enum spt_verdict verdict, spt_explain_fn *fn, void *arg)
{
	fn(arg, verdicts[verdict].means);
	fn(arg, verdicts[verdict].next);
}

void spt_explain_walk(const struct spt_model *m, const struct spt_walk *w, spt_explain_fn *fn,
		      void *arg)
{
	const struct lines to = { fn, arg };

	explain_slot(w, &to);
	explain_paths(w, &to);
	explain_moment(m, w, &to);
	spt_explain_verdict(w->verdict, fn, arg);
}
