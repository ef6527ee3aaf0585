// SPDX-License-Identifier: GPL-2.0
/* What events are called and what they say; and those that an image has. */
#include "spt/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/instruction.h"
#include "decoders/number.h"
#include "decoders/pferr.h"
#include "decoders/role.h"
#include "ept/exit_qual.h"
#include "spt/trace_points.h"

static const char *const kind_names[] = {
#define E(id, name) #name,
	SPT_EVENT_KINDS(E)
#undef E
};

const char *spt_event_kind_name(unsigned int kind)
{
	return kind < SPT_EVENT_KINDS_COUNT ? kind_names[kind] : NULL;
}

const char *spt_event_kind_help(unsigned int kind)
{
	return spt_points[kind].help;
}

const char *spt_event_tracepoint(unsigned int kind)
{
	return spt_points[kind].name;
}

/* KVM gives the exit qualification of an EPT violation in place of an error code. */
static bool is_qualification(const struct spt_model *m)
{
	return m->image.head.vendor == SPT_VENDOR_VMX && m->image.head.mmu == SPT_MMU_EPT;
}

static uint64_t pferr_of(const struct spt_model *m, const struct spt_event *e)
{
	return is_qualification(m) ? spt_exit_qual_pferr(e->error_code, false) : e->error_code;
}

static bool pferr(uint64_t code, enum spt_pferr bit)
{
	return code >> bit & 1;
}

static const char *fault_cause(const struct spt_model *m, const struct spt_event *e)
{
	uint64_t code = pferr_of(m, e);
	bool write = pferr(code, SPT_PFERR_WRITE), fetch = pferr(code, SPT_PFERR_FETCH);

	if (!(e->known & SPT_EVENT_HAS_ERROR))
		return "fault";
	if (pferr(code, SPT_PFERR_RSVD))
		return "access to MMIO";
	if (!pferr(code, SPT_PFERR_PRESENT))
		return fetch   ? "fetch, not mapped"
		       : write ? "write, not mapped"
			       : "read, not mapped";
	return fetch   ? "fetch, not executable"
	       : write ? "write, not writable"
		       : "read, not readable";
}

static struct spt_spte decoded(const struct spt_model *m, const struct spt_event *e, uint64_t spte)
{
	int level = e->known & SPT_EVENT_HAS_LEVEL && e->level >= 1 && e->level <= 5 ? e->level : 1;

	return spt_spte_decode(&m->format, spte, level, SPT_SPTE_WALKED);
}

static const char *gone_cause(const struct spt_spte *old)
{
	switch (old->type) {
	case SPT_SPTE_TABLE:
		return "table unlinked";
	case SPT_SPTE_LEAF:
		return "unmapped";
	case SPT_SPTE_MMIO:
		return "MMIO entry removed";
	default:
		return "entry cleared";
	}
}

static const char *leaf_cause(const struct spt_spte *old, const struct spt_spte *new)
{
	if (old->type == SPT_SPTE_TABLE)
		return "collapsed";
	if (old->type != SPT_SPTE_LEAF)
		return "mapped";
	if (old->hpa != new->hpa)
		return "remapped";
	if (old->perm & ~new->perm)
		return old->perm & ~new->perm &SPT_PERM_WRITE ? "write-protected" : "access taken";
	return new->perm & ~old->perm ? "access given" : "bits changed";
}

static const char *entry_cause(const struct spt_model *m, const struct spt_event *e)
{
	struct spt_spte old = decoded(m, e, e->old_spte), new = decoded(m, e, e->new_spte);

	switch (new.type) {
	case SPT_SPTE_TABLE:
		return old.type == SPT_SPTE_LEAF ? "split" : "table linked";
	case SPT_SPTE_LEAF:
		return leaf_cause(&old, &new);
	case SPT_SPTE_MMIO:
		return "made MMIO";
	case SPT_SPTE_FROZEN:
		return "frozen";
	default:
		return gone_cause(&old);
	}
}

const char *spt_event_cause(const struct spt_model *m, const struct spt_event *e)
{
	switch (e->kind) {
	case SPT_EVENT_FAULT:
		return fault_cause(m, e);
	case SPT_EVENT_SPTE:
		return entry_cause(m, e);
	case SPT_EVENT_SET:
		return "entry set";
	case SPT_EVENT_FAST:
		return e->old_spte != e->new_spte ? "resolved without mmu_lock"
						  : "fast path in vain";
	case SPT_EVENT_MMIO_FAULT:
		return "fault on an MMIO entry";
	case SPT_EVENT_MMIO_SPTE:
		return "MMIO entry made";
	case SPT_EVENT_MMIO:
		return e->flags & SPT_EVENT_WRITE   ? "MMIO write emulated"
		       : e->flags & SPT_EVENT_ASKED ? "MMIO read, VMM asked"
						    : "MMIO read emulated";
	case SPT_EVENT_ZAP_PAGE:
		return "shadow page zapped";
	case SPT_EVENT_ZAP_ALL:
		return "all roots zapped";
	case SPT_EVENT_SPLIT:
		return "huge page split";
	case SPT_EVENT_UNMAP:
		return "host unmapped memory";
	case SPT_EVENT_REFLECT:
		return "given to the guest's hypervisor";
	default:
		return NULL;
	}
}

/* "rwx 4K 0x12345000", "table 0x1234000", "none". */
static void entry_text(const struct spt_model *m, const struct spt_event *e, uint64_t value,
		       char *text, size_t size)
{
	struct spt_spte spte = decoded(m, e, value);
	char perm[SPT_PERM_TEXT];

	switch (spte.type) {
	case SPT_SPTE_TABLE:
		snprintf(text, size, "table 0x%" PRIx64, (uint64_t)spte.hpa);
		break;
	case SPT_SPTE_LEAF:
		snprintf(text, size, "%s %s 0x%" PRIx64, spt_perm_text(&m->format, spte.perm, perm),
			 spt_size(spte.size).text, (uint64_t)spte.hpa);
		break;
	case SPT_SPTE_NONPRESENT:
		snprintf(text, size, spte.empty ? "none" : "none (0x%" PRIx64 ")", value);
		break;
	default:
		snprintf(text, size, "%s", spt_spte_type_name(spte.type));
	}
}

static void change_text(const struct spt_model *m, const struct spt_event *e, char *text)
{
	bool known = e->known & SPT_EVENT_HAS_LEVEL && e->level >= 1 && e->level <= 5;
	const char *size = known ? spt_size(spt_level_size(e->level)).text : "4K";
	char old[64], new[64];

	entry_text(m, e, e->old_spte, old, sizeof(old));
	entry_text(m, e, e->new_spte, new, sizeof(new));
	if (e->known & SPT_EVENT_HAS_OLD)
		snprintf(text, SPT_EVENT_TEXT, "%s: %s -> %s", size, old, new);
	else
		snprintf(text, SPT_EVENT_TEXT, "%s: set to %s", size, new);
}

/* Bit 33 of an error code: the guest's page walk made the access, not the instruction itself. */
static void fault_text(const struct spt_model *m, const struct spt_event *e, char *text)
{
	bool walk = e->known & SPT_EVENT_HAS_ERROR && pferr(pferr_of(m, e), SPT_PFERR_GUEST_PAGE);

	snprintf(text, SPT_EVENT_TEXT, "%s%s", fault_cause(m, e),
		 walk ? ", by the guest's page walk" : "");
}

/* Kinds that speak of what L2 did, or of entries in the tables that it runs on. */
#define KINDS_OF_L2                                                                                \
	(1U << SPT_EVENT_FAULT | 1U << SPT_EVENT_EXIT | 1U << SPT_EVENT_NESTED |                   \
	 1U << SPT_EVENT_REFLECT | 1U << SPT_EVENT_SET | 1U << SPT_EVENT_FAST |                    \
	 1U << SPT_EVENT_MMIO_FAULT | 1U << SPT_EVENT_MMIO_SPTE)

static bool is_of_l2(const struct spt_model *m, const struct spt_event *e)
{
	if (e->kind == SPT_EVENT_ZAP_PAGE)
		return spt_role_get(m->image.head.role, e->result, SPT_ROLE_GUEST_MODE);
	return e->flags & SPT_EVENT_L2 && KINDS_OF_L2 >> e->kind & 1;
}

static void event_text(const struct spt_model *m, const struct spt_event *e, char *text)
{
	const char *cause = spt_event_cause(m, e);

	text[0] = '\0';
	switch (e->kind) {
	case SPT_EVENT_FAULT:
		fault_text(m, e, text);
		break;
	case SPT_EVENT_EXIT:
	case SPT_EVENT_NESTED:
		snprintf(text, SPT_EVENT_TEXT, "exit 0x%" PRIx64 ", 0x%" PRIx64,
			 (uint64_t)e->result, (uint64_t)e->error_code);
		break;
	case SPT_EVENT_SPTE:
	case SPT_EVENT_SET:
		change_text(m, e, text);
		break;
	case SPT_EVENT_FAST:
		if (e->old_spte != e->new_spte)
			change_text(m, e, text);
		else
			snprintf(text, SPT_EVENT_TEXT, "%s, ret %" PRId64, cause,
				 (int64_t)e->result);
		break;
	case SPT_EVENT_MMIO:
		snprintf(text, SPT_EVENT_TEXT, "%s of %" PRIu64 " bytes, %s",
			 e->flags & SPT_EVENT_WRITE ? "write" : "read", (uint64_t)e->result,
			 e->flags & SPT_EVENT_ASKED ? "asked of the VMM" : "emulated");
		break;
	case SPT_EVENT_ZAP_PAGE:
		snprintf(text, SPT_EVENT_TEXT, "%s, level %u", cause,
			 spt_role_get(m->image.head.role, e->result, SPT_ROLE_LEVEL));
		break;
	case SPT_EVENT_ZAP_ALL:
		snprintf(text, SPT_EVENT_TEXT, "%s, generation %" PRIu64, cause,
			 (uint64_t)e->result);
		break;
	case SPT_EVENT_UNMAP:
	case SPT_EVENT_AGE:
		snprintf(text, SPT_EVENT_TEXT, "%" PRIu64 " pages of the host's",
			 (uint64_t)e->len >> SPT_PAGE_SHIFT);
		break;
	default:
		snprintf(text, SPT_EVENT_TEXT, "%s", cause ? cause : "");
	}
}

void spt_event_text(const struct spt_model *m, const struct spt_event *e, char text[SPT_EVENT_TEXT])
{
	char of_all[SPT_EVENT_TEXT];

	event_text(m, e, of_all);
	snprintf(text, SPT_EVENT_TEXT, "%s%.240s", is_of_l2(m, e) ? "L2: " : "", of_all);
}

void spt_event_instruction(const struct spt_event *e, char *text, size_t size)
{
	char insn[SPT_INSTRUCTION_TEXT];

	text[0] = '\0';
	if (!(e->known & SPT_EVENT_HAS_RIP) || !e->code_len || e->code_len > sizeof(e->code))
		return;
	if (spt_instruction_text(e->code, e->code_len, e->rip, e->code_bits, insn) > 0)
		snprintf(text, size, "%s", insn);
}

const char *spt_event_no_instruction(const struct spt_event *e)
{
	if (e->code_len || !(e->flags & SPT_EVENT_LEFT))
		return NULL;
	return e->flags & SPT_EVENT_L2 ? "vCPU has left L2" : "vCPU runs L2 now";
}

int spt_events_check(const struct spt_image *img, struct spt_error *err)
{
	if (img->count[SPT_REC_TRACE])
		return 0;
	if (img->count[SPT_REC_EVENTS])
		return spt_fail(err, ENODATA,
				"%s: has events, but the record of their trace is lost", img->name);
	return spt_fail(err, ENODATA,
			"%s: has no events: 'events --record FILE' makes an image with some",
			img->name);
}

int spt_events_each(const struct spt_image *img, spt_event_fn *fn, void *arg, struct spt_error *err)
{
	const struct spt_rec *rec;

	spt_image_for_each(img, rec)
	{
		const struct spt_events *events = (const void *)rec;

		if (rec->type != SPT_REC_EVENTS)
			continue;
		for (uint32_t i = 0; i < events->count; i++) {
			const char *at = (const char *)events->event + (size_t)i * events->size;
			struct spt_event e;
			int ret;

			memcpy(&e, at, sizeof(e));
			e.comm[sizeof(e.comm) - 1] = '\0';
			for (char *c = e.comm; *c; c++)
				if (*c < ' ' || *c > '~')
					*c = '?';
			if (e.kind >= SPT_EVENT_KINDS_COUNT)
				continue;
			ret = fn(arg, &e);
			if (ret)
				return ret;
		}
	}
	return spt_events_check(img, err);
}

bool spt_events_trace(const struct spt_image *img, struct spt_trace *ret)
{
	const struct spt_rec *rec;

	spt_image_for_each(img, rec)
	{
		if (rec->type != SPT_REC_TRACE)
			continue;
		*ret = (struct spt_trace){ 0 };
		memcpy(ret, rec, rec->len < sizeof(*ret) ? rec->len : sizeof(*ret));
		return true;
	}
	return false;
}
