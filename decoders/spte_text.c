// SPDX-License-Identifier: GPL-2.0
/* What an SPTE is called: types, flags, permissions, and the whole of it in one sentence. */
#include "decoders/spte.h"

#include <stdio.h>

#include "decoders/role.h"

const char *spt_spte_type_name(enum spt_spte_type type)
{
	static const char *const names[SPT_SPTE_TYPES] = {
		[SPT_SPTE_NONPRESENT] = "nonpresent",
		[SPT_SPTE_TABLE] = "table",
		[SPT_SPTE_LEAF] = "leaf",
		[SPT_SPTE_MMIO] = "mmio",
		[SPT_SPTE_FROZEN] = "frozen",
	};

	return (unsigned int)type < SPT_SPTE_TYPES ? names[type] : "?";
}

static const struct {
	const char *name, *text;
} flag_texts[SPT_SPTE_FLAG_COUNT] = {
#define F(id, flag_name, flag_text) [SPT_SPTE_FLAG_NR_##id] = { flag_name, flag_text },
	SPT_SPTE_FLAGS(F)
#undef F
};

const char *spt_spte_flag_name(unsigned int nr)
{
	return nr < SPT_SPTE_FLAG_COUNT ? flag_texts[nr].name : "?";
}

const char *spt_spte_flag_text(unsigned int nr)
{
	return nr < SPT_SPTE_FLAG_COUNT ? flag_texts[nr].text : "?";
}

int spt_spte_flags_text(__u32 flags, const char *sep, char *buf, size_t size)
{
	int len = 0;

	if (size)
		buf[0] = '\0';
	for (unsigned int i = 0; i < SPT_SPTE_FLAG_COUNT; i++) {
		size_t used = (size_t)len < size ? (size_t)len : size;

		if (flags >> i & 1)
			len += snprintf(buf ? buf + used : NULL, size - used, "%s%s",
					len ? sep : "", flag_texts[i].name);
	}
	return len;
}

const char *spt_perm_text(const struct spt_format *f, unsigned int perm, char *buf)
{
	buf[0] = perm & SPT_PERM_READ ? 'r' : '-';
	buf[1] = perm & SPT_PERM_WRITE ? 'w' : '-';
	buf[2] = perm & SPT_PERM_EXEC ? 'x' : '-';
	buf[3] = (char)(!f->user_exec ? '\0' : perm & SPT_PERM_USER_EXEC ? 'X' : '-');
	buf[4] = '\0';
	return buf;
}

/* '4K', '2M', '1G', '512G', '256T'. */
static const char *span_text(int level)
{
	static const char *const texts[] = { "?", "4K", "2M", "1G", "512G", "256T" };

	return texts[level];
}

/* Why a leaf cannot be written, by the three bits of arch/x86/kvm/mmu/spte.h; NULL: it can. */
static const char *not_writable(const struct spt_spte *s)
{
	if (s->perm & SPT_PERM_WRITE || s->access_tracked)
		return NULL;
	if (s->flags & SPT_SPTE_FLAG_MMU_WRITABLE)
		return "; write-protected to log the next write, KVM lifts that without mmu_lock";
	if (s->flags & SPT_SPTE_FLAG_HOST_WRITABLE)
		return "; not writable: KVM has not allowed it yet, or watches a guest page table there";
	return "; read-only for the host: slot, mapping or a page that is only read so far";
}

static int leaf_sentence(const struct spt_format *f, const struct spt_spte *s, char *buf,
			 size_t size)
{
	char perm[SPT_PERM_TEXT], restored[SPT_PERM_TEXT];
	const char *why = s->present_kvm ? not_writable(s) : NULL;

	spt_perm_text(f, s->perm, perm);
	if (s->access_tracked)
		return snprintf(
			buf, size,
			"maps %s at HPA 0x%llx; permissions removed to see the next access, which brings back %s",
			span_text(s->level), s->hpa, spt_perm_text(f, s->restored_perm, restored));
	return snprintf(buf, size, "maps %s at HPA 0x%llx, %s%s", span_text(s->level), s->hpa, perm,
			why ? why : "");
}

static int mmio_sentence(const struct spt_format *f, const struct spt_spte *s, char *buf,
			 size_t size)
{
	char access[SPT_ACCESS_TEXT] = "";

	if (f->mmio_access)
		spt_access_text(f->role, s->mmio_access, access);
	return snprintf(buf, size,
			"emulated: no memory behind gfn 0x%llx%s%s, memslot generation %u",
			s->mmio_gfn, f->mmio_access ? ", access " : "", access, s->mmio_gen);
}

int spt_spte_sentence(const struct spt_format *f, const struct spt_spte *s, char *buf, size_t size)
{
	char perm[SPT_PERM_TEXT];

	switch (s->type) {
	case SPT_SPTE_TABLE:
		return snprintf(buf, size, "leads to the table at HPA 0x%llx, %s", s->hpa,
				spt_perm_text(f, s->perm, perm));
	case SPT_SPTE_LEAF:
		return leaf_sentence(f, s, buf, size);
	case SPT_SPTE_MMIO:
		return mmio_sentence(f, s, buf, size);
	case SPT_SPTE_FROZEN:
		return snprintf(buf, size,
				"frozen: KVM is replacing or tearing down what was here");
	case SPT_SPTE_NONPRESENT:
	case SPT_SPTE_TYPES:
		break;
	}
	if (s->empty)
		return snprintf(buf, size, "empty: nothing is mapped");
	if (s->flags & SPT_SPTE_FLAG_HW_PRESENT)
		return snprintf(buf, size, "not present for KVM, but the hardware would use it");
	return snprintf(buf, size, "not present, but not 0x%llx as an empty entry is", f->empty);
}
