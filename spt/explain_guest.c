// SPDX-License-Identifier: GPL-2.0
/* The guest's own page tables in words. */
#include "spt/explain.h"

#include <stdio.h>

#define FACT(nr)    (1ULL << (nr))
#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

/* Facts about one entry; READ(x) are the ways in which it could not be read. */
#define READ(result) FACT(SPT_GUEST_##result)
enum {
	PRESENT = FACT(16),
	LEAF = FACT(17),
	WRITE = FACT(18),
	USER = FACT(19),
	NX = FACT(20),
	LARGE = FACT(21),
	RESERVED = FACT(22),
	REGISTER = FACT(23),
	OTHER_IN_MEMORY = FACT(24),
	MAPPED = FACT(25),   /* the table's page has an SPTE */
	DOUBTFUL = FACT(26), /* SPTE and host disagree about it */
	PDPTE = FACT(27),
	SHADOW = FACT(28),
	INNER = FACT(29), /* L2's: the nested root has the SPTEs that count */
};

static const struct spt_phrase level_rows[] = {
	/* clang-format off */
	{ PRESENT, LEAF | RESERVED, "the guest goes on in the table that this names by its GPA" },
	{ PRESENT, LEAF | RESERVED | WRITE, ", under which nothing is writable" },
	{ PRESENT, LEAF | RESERVED | USER, ", under which all is the kernel's alone" },
	{ PRESENT | NX, LEAF | RESERVED, ", under which nothing may be fetched as code" },
	{ PRESENT | LEAF | LARGE, RESERVED, "the guest maps a large page here" },
	{ PRESENT | LEAF, RESERVED | LARGE, "the guest maps a 4K page here" },
	{ PRESENT | LEAF | WRITE, RESERVED, ", writable" },
	{ PRESENT | LEAF, RESERVED | WRITE, ", read-only" },
	{ PRESENT | LEAF | USER, RESERVED, ", for user mode" },
	{ PRESENT | LEAF, RESERVED | USER, ", for its kernel" },
	{ PRESENT | LEAF | NX, RESERVED, ", not for code" },
	{ PRESENT | RESERVED, 0, "a bit is set that must be 0: the CPU raises #PF (RSVD) in the guest" },
	{ READ(READ), PRESENT | SHADOW, "the guest has nothing here: the CPU raises #PF in the guest, and KVM does not see it" },
	{ READ(READ) | SHADOW, PRESENT, "the guest has nothing here: the access exits to KVM, which passes the #PF on to the guest" },
	{ REGISTER, 0, "; the CPU uses the copy that it loaded with CR3" },
	{ REGISTER | OTHER_IN_MEMORY, 0, ", and memory has another value by now" },
	{ READ(NO_SLOT), 0, "the table lies where no memslot is: the CPU's own walk would read it by MMIO, which KVM refuses" },
	{ READ(PRIVATE), 0, "the table lies in private memory (guest_memfd), for which the VMM has no address: only the guest can read it" },
	{ READ(ENCRYPTED), 0, "the guest's memory is encrypted (SEV): page tables always are, and the host would read ciphertext" },
	{ READ(ABSENT), 0, "the VMM has no page there now, and reading it would make one: left alone" },
	{ READ(SWAPPED), 0, "the host has the table's page on swap or is moving it: left alone" },
	{ READ(NOT_SAVED), 0, "the image has no copy of the table: it was saved with other page tables, or none" },
	{ READ(UNREADABLE), 0, "the VMM's memory could not be read: it is gone, or reading it was refused" },
	{ READ(NOT_NESTED), 0, "the guest's nested page tables have nothing for the table: the CPU's own walk exits to the guest's hypervisor" },
	{ READ(READ) | MAPPED | DOUBTFUL, 0, ". The table's own page: SPTE and host do not agree, see walk gpa" },
	{ READ(READ), MAPPED | PDPTE | SHADOW | INNER, ". The table's own page has no SPTE now: the CPU's walk would exit to KVM first" },
	/* clang-format on */
};

const char *spt_explain_guest(const struct spt_guest_walk *w, const struct spt_guest_level *l,
			      char buf[SPT_EXPLAIN_TEXT])
{
	const struct {
		bool holds;
		uint64_t fact;
	} facts_of[] = {
		{ l->gpte.present, PRESENT },
		{ l->gpte.leaf, LEAF },
		{ l->gpte.write, WRITE },
		{ l->gpte.user, USER },
		{ l->gpte.nx, NX },
		{ l->level > 1, LARGE },
		{ l->gpte.reserved, RESERVED },
		{ w->flags & SPT_GUEST_SHADOW, SHADOW },
		{ w->regs.flags & SPT_REGS_NESTED, INNER },
		{ l->from_register, REGISTER | PDPTE },
		{ l->from_register && l->memory != l->gpte.raw, OTHER_IN_MEMORY },
		{ l->table.hpa != SPT_NO_HPA, MAPPED },
		{ l->table.verdict == SPT_VERDICT_STALE || l->table.verdict == SPT_VERDICT_TORN,
		  DOUBTFUL },
	};
	uint64_t facts = FACT(l->read);

	for (size_t i = 0; i < sizeof(facts_of) / sizeof(facts_of[0]); i++)
		if (facts_of[i].holds)
			facts |= facts_of[i].fact;
	return spt_phrases(ROWS(level_rows), facts, buf);
}

const char *spt_explain_nested(const struct spt_nested_level *l)
{
	if (l->read != SPT_GUEST_READ)
		return spt_guest_read_text(l->read);
	if (!l->gpte.present)
		return "the guest's hypervisor has nothing here: an access of its guest exits to it, KVM passes the exit on";
	if (l->gpte.reserved)
		return "a bit is set that must be 0: KVM tells the guest's hypervisor so, as the CPU would";
	if (l->keeps_out)
		return "has no U, which keeps every guest out: an access exits to the guest's hypervisor, KVM passes the exit on";
	if (!l->gpte.leaf)
		return "goes on in the table that this names by its GPA";
	return l->gpte.write ? "the guest's hypervisor gives its guest this page, writable"
			     : "the guest's hypervisor gives its guest this page, not for writing";
}

/* What decides beside the entries: by the flags of struct spt_guest_walk. */
static const struct spt_phrase access_rows[] = {
	/* clang-format off */
	{ SPT_GUEST_SMEP, 0, "CR4.SMEP: the kernel may not run code of a user page" },
	{ SPT_GUEST_SMAP, 0, "CR4.SMAP: the kernel reads and writes a user page only with EFLAGS.AC set" },
	{ SPT_GUEST_NO_WP, 0, "CR0.WP is clear: the kernel writes also where W is" },
	{ SPT_GUEST_PKEY, SPT_GUEST_NO_PKRU, "CR4.PKE: the page's protection key and PKRU were taken into account" },
	{ SPT_GUEST_PKEY | SPT_GUEST_NO_PKRU, 0, "CR4.PKE: PKRU is not known, its restrictions are left out" },
	{ SPT_GUEST_SMM_SLOT, 0, "the vCPU is in SMM, which has other memslots here than the rest of the walk is about" },
	{ SPT_GUEST_CHANGED, 0, "the guest changed an entry in each of several tries: this is one moment of many" },
	/* clang-format on */
};

void spt_explain_access(const struct spt_guest_walk *w, spt_explain_fn *fn, void *arg)
{
	const char *doubt = spt_guest_regs_doubt(&w->regs);
	char buf[SPT_EXPLAIN_TEXT];

	for (size_t i = 0; i < sizeof(access_rows) / sizeof(access_rows[0]); i++)
		if (*spt_phrases(&access_rows[i], 1, w->flags, buf))
			fn(arg, buf);
	if (w->end == SPT_GUEST_END_MAPPED && w->page_size && !w->user)
		fn(arg,
		   "an entry on the way is not for user mode, so that the page is the kernel's alone");
	if (doubt)
		fn(arg, doubt);
}
