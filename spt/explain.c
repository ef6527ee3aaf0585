// SPDX-License-Identifier: GPL-2.0
/* Single entries in words: KVM's, the VMM's, the guest's. */
#include "spt/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/format.h"

#define FACT(nr)    (1ULL << (nr))
#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

const char *spt_phrases(const struct spt_phrase *rows, size_t count, uint64_t facts,
			char buf[SPT_EXPLAIN_TEXT])
{
	size_t at = 0;

	buf[0] = 0;
	for (size_t i = 0; i < count && at < SPT_EXPLAIN_TEXT; i++)
		if ((facts & rows[i].need) == rows[i].need && !(facts & rows[i].without))
			at += snprintf(buf + at, SPT_EXPLAIN_TEXT - at, "%s", rows[i].text);
	return buf;
}

/* Facts about an entry of KVM's. */
enum {
	NONPRESENT = FACT(0), /* the first five by enum spt_spte_type */
	TABLE = FACT(1),
	LEAF = FACT(2),
	MMIO = FACT(3),
	FROZEN = FACT(4),
	EPT = FACT(5),
	ABOVE_4K = FACT(6),
	R = FACT(7),
	W = FACT(8),
	X = FACT(9),
	HOST_W = FACT(10),
	MMU_W = FACT(11),
	TRACKED = FACT(12),
	NO_AD = FACT(13),
	ACCESSED = FACT(14),
	DIRTY = FACT(15),
	MIRROR = FACT(16),
	LEFTOVER = FACT(17),
	NO_CHILD = FACT(18),
	BAD_CHILD = FACT(19),
	NX_SPLIT = FACT(20),
	UNSYNC = FACT(21),
	SHADOW = FACT(22),
	GUEST_NO_W = FACT(23),
	RESERVED = FACT(24),
	OWN = FACT(25), /* of a kvm_mmu_page: KVM's software bits are there */
	USER = FACT(26),
	PT = FACT(27),
	NO_ACCESSED = FACT(28), /* nobody records it */
};

static const struct spt_phrase entry_rows[] = {
	/* clang-format off */
	/* What the processor does with it. */
	{ MIRROR, 0, "KVM's copy of an entry of the TDX module, which the CPU walks instead: " },
	{ TABLE, 0, "the CPU goes on in the table that this names" },
	{ TABLE, W, ", under which nothing may be written" },
	{ TABLE, X, ", under which nothing may be fetched as code" },
	{ LEAF | ABOVE_4K, 0, "the CPU ends its walk here, with a large page" },
	{ LEAF, ABOVE_4K, "the CPU ends its walk here, with a 4K page" },
	{ LEAF | R | W | X, 0, ": reads, writes and fetches run without KVM" },
	{ LEAF | R | X, W, ": reads and fetches run without KVM, a write exits to it" },
	{ LEAF | R | W, X, ": reads and writes run without KVM, a fetch exits to it" },
	{ LEAF | R, W | X, ": reads run without KVM, writes and fetches exit to it" },
	{ LEAF | X, R, ": only fetches run without KVM" },
	{ LEAF, R | X, ": every access exits to KVM" },
	{ LEAF | SHADOW | PT, USER, "; the guest's user mode has no access" },
	{ MMIO | EPT, 0, "the CPU stops with an EPT misconfiguration at this entry, which is made to cause one" },
	{ MMIO, EPT, "the CPU faults on reserved bits in this entry, which are set to make it fault" },
	{ NONPRESENT, 0, "the CPU finds nothing here: an access exits to KVM" },
	{ NONPRESENT | ABOVE_4K, 0, ", which has no table for the whole range of this entry" },
	{ FROZEN, 0, "the CPU finds nothing here: an access exits to KVM, which sends the vCPU back to try again" },
	{ RESERVED, MMIO, "; a bit is set that the CPU reserves, so that it faults here instead" },

	/* What KVM keeps in it. */
	{ LEAF | DIRTY, 0, "; written since it was last looked at" },
	{ LEAF | ACCESSED, DIRTY, "; read, but not written, since it was last looked at" },
	{ LEAF | OWN, ACCESSED | DIRTY | NO_AD | TRACKED | NO_ACCESSED,
	  "; not used since it was last looked at" },
	{ LEAF | NO_AD, 0, "; accesses and writes are not recorded by the CPU, KVM traps them" },
	{ LEAF | TRACKED, 0, ". KVM: took the permissions away to see the next access, which brings them back" },
	{ LEAF | OWN | HOST_W | MMU_W | W, 0, ". KVM: the host lets the page be written, nothing is watched" },
	{ LEAF | OWN | HOST_W | MMU_W, W | TRACKED,
	  ". KVM: took W away to log the next write (dirty logging), and gives it back without mmu_lock" },
	{ LEAF | OWN | HOST_W | GUEST_NO_W, MMU_W, ". KVM: the host lets the page be written, the guest's own entry does not" },
	{ LEAF | OWN | HOST_W, MMU_W | GUEST_NO_W,
	  ". KVM: the host lets the page be written, but KVM does not: one of the guest's page tables is watched there" },
	{ LEAF | OWN, HOST_W,
	  ". KVM: the host does not let it be written: a read-only slot or mapping, or a page (zero page, copy-on-write) that was only read so far" },
	{ TABLE | OWN, 0, ". KVM: bit 11 says that it is KVM's entry" },
	{ TABLE | NX_SPLIT, 0, ", a table in place of a large page because the guest fetched code (NX huge pages)" },
	{ TABLE | UNSYNC, 0, "; the table is out of sync with the guest's own until the guest's next TLB flush" },
	{ TABLE | NO_CHILD, 0, ". The image does not have that table: the walk ends" },
	{ TABLE | BAD_CHILD, 0, ". What is there is a table of another place: it was freed and used again, or the entry is wrong" },
	{ MMIO, 0, ". KVM: no memory behind this frame; the access is emulated, by KVM itself or by the VMM" },
	{ FROZEN, 0, ". KVM: is about to replace or remove what was here" },
	{ NONPRESENT | LEFTOVER, 0, ". KVM: not the value that an empty entry has" },
	{ NONPRESENT, LEFTOVER, ". KVM: never mapped anything here, or removed what it had" },
	/* clang-format on */
};

static uint64_t flag_facts(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		uint64_t fact;
	} map[] = {
		{ SPT_SPTE_FLAG_HOST_WRITABLE, HOST_W },
		{ SPT_SPTE_FLAG_MMU_WRITABLE, MMU_W },
		{ SPT_SPTE_FLAG_ACC_TRACK, TRACKED },
		{ SPT_SPTE_FLAG_AD_DISABLED, NO_AD },
		{ SPT_SPTE_FLAG_ACCESSED, ACCESSED },
		{ SPT_SPTE_FLAG_DIRTY, DIRTY },
		{ SPT_SPTE_FLAG_LEFTOVER, LEFTOVER },
		{ SPT_SPTE_FLAG_RESERVED, RESERVED },
		{ SPT_SPTE_FLAG_USER, USER },
	};
	uint64_t facts = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (flags & map[i].flag)
			facts |= map[i].fact;
	return facts;
}

/* Whether the guest's own tables leave no write, where KVM shadows them. */
static bool guest_denies_write(const struct spt_model *m, const struct spt_entry *e)
{
	unsigned int access;

	return spt_entry_guest_access(m, e, &access) && !(access & SPT_ACC_WRITE);
}

static uint64_t entry_facts(const struct spt_model *m, const struct spt_entry *e)
{
	struct spt_spte spte = spt_entry_decode(m, e);
	const struct spt_page *child = e->child ? e->child->page : NULL;
	uint64_t facts = FACT(e->type) | flag_facts(spte.flags);
	const struct {
		bool holds;
		uint64_t fact;
	} more[] = {
		{ m->format.style == SPT_STYLE_EPT, EPT },
		{ m->format.style == SPT_STYLE_PT, PT },
		{ e->level > 1, ABOVE_4K },
		{ spte.perm & SPT_PERM_READ, R },
		{ spte.perm & SPT_PERM_WRITE, W },
		{ spte.perm & SPT_PERM_EXEC, X },
		{ spte.kind == SPT_SPTE_MIRROR, MIRROR },
		{ e->problems & SPT_ENTRY_NO_CHILD, NO_CHILD },
		{ e->problems & SPT_ENTRY_BAD_CHILD, BAD_CHILD },
		{ child && child->flags & SPT_PAGE_NX_DISALLOWED, NX_SPLIT },
		{ child && child->flags & SPT_PAGE_UNSYNC, UNSYNC },
		{ e->root && e->root->kind == SPT_ROOT_SHADOW, SHADOW },
		{ !e->node->raw_kind && !e->node->is_external, OWN },
		{ spte.accessed == SPT_NA, NO_ACCESSED },
		{ guest_denies_write(m, e), GUEST_NO_W },
	};

	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (more[i].holds)
			facts |= more[i].fact;
	return facts;
}

const char *spt_explain_entry(const struct spt_model *m, const struct spt_entry *e,
			      char buf[SPT_EXPLAIN_TEXT])
{
	static const char *const spans[] = { "?", "4K", "2M", "1G", "512G", "256T" };
	char words[SPT_EXPLAIN_TEXT];

	snprintf(buf, SPT_EXPLAIN_TEXT, "%s from 0x%" PRIx64 ": %s", spans[e->level], e->gpa,
		 spt_phrases(ROWS(entry_rows), entry_facts(m, e), words));
	return buf;
}

/* Facts about an entry of the VMM's: the first by enum spt_host_type. */
#define HOST(type)  FACT(SPT_HOST_##type)
#define HOST_WRITE  FACT(16)
#define HOST_DIRTY  FACT(17)
#define HOST_KERNEL FACT(18)
#define HOST_HUGE   FACT(19)

static const struct spt_phrase host_rows[] = {
	/* clang-format off */
	{ HOST(TABLE), 0, "leads to the next table of the VMM's own page tables" },
	{ HOST(PAGE) | HOST_HUGE, 0, "the VMM's large page" },
	{ HOST(PAGE), HOST_HUGE, "the VMM's 4K page" },
	{ HOST(PAGE) | HOST_WRITE, 0, ", writable: KVM may let the guest write it" },
	{ HOST(PAGE), HOST_WRITE, ", not writable: a write makes the host fault first (copy-on-write, write protection, read-only mapping), and KVM must not map it writable" },
	{ HOST(PAGE) | HOST_KERNEL, 0, "; not for user mode, which no page of a guest should be" },
	{ HOST(NONE), 0, "the host has nothing here: the next access of VMM or guest makes the page" },
	{ HOST(PROTNONE), 0, "a page that the host let nobody touch for now: automatic NUMA balancing or PROT_NONE" },
	{ HOST(SWAP), 0, "the page is on swap: the next access reads it back" },
	{ HOST(MIGRATION), 0, "the host is moving the page: accesses wait until it has moved" },
	{ HOST(SPECIAL), 0, "a marker instead of a page: poisoned memory or userfaultfd" },
	/* clang-format on */
};

const char *spt_explain_host(const struct spt_host_level *l, char buf[SPT_EXPLAIN_TEXT])
{
	uint64_t facts = FACT(l->type) | (l->writable ? HOST_WRITE : 0) |
			 (l->dirty ? HOST_DIRTY : 0) | (l->user ? 0 : HOST_KERNEL) |
			 (l->level > 1 ? HOST_HUGE : 0);

	return spt_phrases(ROWS(host_rows), facts, buf);
}
