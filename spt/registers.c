// SPDX-License-Identifier: GPL-2.0
#include "spt/registers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/bits.h"
#include "spt/guest_regs.h"

#define CR0_PE	  SPT_BIT(0)
#define RFLAGS_VM SPT_BIT(17)
#define EFER_LMA  SPT_BIT(10)

static const char *const value_names[] = {
#define V(id, name) #name,
	SPT_REGS_VALUES(V)
#undef V
};

static const char *const segment_names[SPT_SEGMENTS] = {
	"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
};

static const struct {
	const char *name, *text;
} sources[] = {
	[0] = { "unknown", "the image does not say of which moment they are" },
	[SPT_REGS_LAST_EXIT] = { "last-exit",
				 "the vCPU was in the guest: they are of its last exit" },
	[SPT_REGS_OUTSIDE] = { "outside", "the vCPU was not in the guest: they are its registers" },
	[SPT_REGS_INTERRUPTED] = { "interrupted",
				   "the vCPU was in the guest and was interrupted to read them" },
	[SPT_REGS_PROTECTED] = { "protected",
				 "protected guest state: the host does not have them" },
};

/* include/uapi/linux/kvm.h: KVM_MP_STATE_* */
static const char *const mp_states[] = {
	"runnable",   "uninitialized", "init-received", "halted",	 "sipi-received", "stopped",
	"check-stop", "operating",     "load",		"ap-reset-hold", "suspended",
};

/* Values that older images have in the vCPU's own record. */
static const struct {
	enum spt_register to;
	enum spt_vcpu_value from;
} in_vcpu[] = {
	{ SPT_REGISTER_VCPU_ID, SPT_VCPU_ID }, { SPT_REGISTER_RIP, SPT_VCPU_RIP },
	{ SPT_REGISTER_CR0, SPT_VCPU_CR0 },    { SPT_REGISTER_CR2, SPT_VCPU_CR2 },
	{ SPT_REGISTER_CR3, SPT_VCPU_CR3 },    { SPT_REGISTER_CR4, SPT_VCPU_CR4 },
	{ SPT_REGISTER_EFER, SPT_VCPU_EFER },  { SPT_REGISTER_NESTED, SPT_VCPU_IN_GUEST_MMU },
};

static void set(struct spt_registers *r, unsigned int nr, uint64_t value)
{
	r->value[nr] = value;
	r->known[nr / 64] |= 1ULL << (nr % 64);
}

bool spt_register(const struct spt_registers *r, enum spt_register nr, uint64_t *ret)
{
	if (!(r->known[nr / 64] >> (nr % 64) & 1))
		return false;
	*ret = r->value[nr];
	return true;
}

static void take_vcpu(const struct spt_valueset *vcpu, struct spt_registers *r)
{
	uint64_t value;

	for (size_t i = 0; i < sizeof(in_vcpu) / sizeof(in_vcpu[0]); i++)
		if (spt_value(vcpu, in_vcpu[i].from, &value))
			set(r, in_vcpu[i].to, value);
	for (unsigned int i = 0; i <= SPT_VCPU_R15 - SPT_VCPU_RAX; i++)
		if (spt_value(vcpu, SPT_VCPU_RAX + i, &value))
			set(r, SPT_REGISTER_RAX + i, value);
	if (spt_value(vcpu, SPT_VCPU_REGS_FRESH, &value))
		set(r, SPT_REGISTER_SOURCE, value ? SPT_REGS_OUTSIDE : SPT_REGS_LAST_EXIT);
}

/* The record of the vCPU with @id, or NULL. */
static const struct spt_valueset *record_of(const struct spt_model *m, uint64_t id)
{
	uint64_t value;

	for (uint32_t i = 0; i < m->nr_regs; i++)
		if (spt_value(&m->regs[i], SPT_REGISTER_VCPU_ID, &value) && value == id)
			return &m->regs[i];
	return NULL;
}

void spt_registers_of(const struct spt_model *m, uint32_t nr, struct spt_registers *r)
{
	const struct spt_valueset *rec = NULL;
	struct spt_guest_regs guest;
	uint64_t value;

	*r = (struct spt_registers){ .vcpu = -1 };
	if (spt_value(&m->vcpus[nr].values, SPT_VCPU_ID, &value)) {
		r->vcpu = (int64_t)value;
		rec = record_of(m, value);
	}
	for (unsigned int i = 0; rec && i < SPT_REGISTER_COUNT; i++)
		if (spt_value(rec, i, &value))
			set(r, i, value);
	if (!rec)
		take_vcpu(&m->vcpus[nr].values, r);
	spt_guest_regs_of(m, &m->vcpus[nr], &guest);
	/* The vCPU's own record is of another moment than that of the registers. */
	if (rec && spt_register(r, SPT_REGISTER_NESTED, &value))
		r->nested = value;
	else
		r->nested = guest.flags & SPT_REGS_NESTED;
	r->hidden = guest.flags & SPT_REGS_HIDDEN;
	if (spt_register(r, SPT_REGISTER_SOURCE, &value) &&
	    value < sizeof(sources) / sizeof(sources[0]))
		r->source = value;
	r->hidden |= r->source == SPT_REGS_PROTECTED;
	if (r->hidden)
		r->source = SPT_REGS_PROTECTED;
}

int spt_registers_find(const struct spt_model *m, int64_t vcpu, struct spt_registers *ret,
		       struct spt_error *err)
{
	uint64_t id;

	for (uint32_t i = 0; i < m->nr_vcpus; i++) {
		if (vcpu != SPT_ANY_VCPU &&
		    (!spt_value(&m->vcpus[i].values, SPT_VCPU_ID, &id) || (int64_t)id != vcpu))
			continue;
		spt_registers_of(m, i, ret);
		return 0;
	}
	if (vcpu == SPT_ANY_VCPU)
		return spt_fail(err, ENOENT, "%s has no vCPU", m->image.name);
	return spt_fail(err, ENOENT, "%s has no vCPU %" PRId64 ": 'vcpus' lists them",
			m->image.name, vcpu);
}

bool spt_registers_segment(const struct spt_registers *r, enum spt_segment segment,
			   struct spt_segment_value *ret)
{
	unsigned int first = SPT_REGISTER_ES_SELECTOR + 4 * segment;

	return spt_register(r, first, &ret->selector) && spt_register(r, first + 1, &ret->base) &&
	       spt_register(r, first + 2, &ret->limit) &&
	       spt_register(r, first + 3, &ret->attributes);
}

unsigned int spt_registers_code_bits(const struct spt_registers *r)
{
	struct spt_segment_value cs;
	uint64_t cr0, efer, rflags;

	if (!spt_register(r, SPT_REGISTER_CR0, &cr0) || !spt_register(r, SPT_REGISTER_EFER, &efer))
		return 0;
	if (!(cr0 & CR0_PE))
		return 16;
	if (!spt_registers_segment(r, SPT_CS, &cs))
		return 0;
	if (efer & EFER_LMA && cs.attributes & SPT_SEGMENT_L)
		return 64;
	if (spt_register(r, SPT_REGISTER_RFLAGS, &rflags) && rflags & RFLAGS_VM)
		return 16;
	return cs.attributes & SPT_SEGMENT_D ? 32 : 16;
}

bool spt_registers_linear_rip(const struct spt_registers *r, uint64_t *ret)
{
	struct spt_segment_value cs;

	if (!spt_register(r, SPT_REGISTER_RIP, ret))
		return false;
	if (spt_registers_code_bits(r) == 64)
		return true; /* the base counts as 0 */
	if (!spt_registers_segment(r, SPT_CS, &cs))
		return false;
	*ret = (uint32_t)(cs.base + *ret);
	return true;
}

const char *spt_regs_source_name(enum spt_regs_source source)
{
	return sources[source].name;
}

const char *spt_regs_source_text(enum spt_regs_source source)
{
	return sources[source].text;
}

const char *spt_register_name(enum spt_register nr)
{
	return value_names[nr];
}

const char *spt_segment_name(enum spt_segment segment)
{
	return segment_names[segment];
}

const char *spt_mp_state_name(uint64_t state)
{
	return state < sizeof(mp_states) / sizeof(mp_states[0]) ? mp_states[state] : NULL;
}

/* SDM volume 3, 2.3 and 2.5; volume 4, EFER. */
struct bit_name {
	unsigned int bit;
	const char *name;
};

static const struct bit_name rflags_bits[] = {
	{ 0, "CF" },  { 2, "PF" },   { 4, "AF" },   { 6, "ZF" },  { 7, "SF" },	{ 8, "TF" },
	{ 9, "IF" },  { 10, "DF" },  { 11, "OF" },  { 14, "NT" }, { 16, "RF" }, { 17, "VM" },
	{ 18, "AC" }, { 19, "VIF" }, { 20, "VIP" }, { 21, "ID" }, { 0, NULL },
};

static const struct bit_name cr0_bits[] = {
	{ 0, "PE" },  { 1, "MP" },  { 2, "EM" },  { 3, "TS" },	{ 4, "ET" },  { 5, "NE" },
	{ 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" }, { 31, "PG" }, { 0, NULL },
};

static const struct bit_name cr4_bits[] = {
	{ 0, "VME" },	      { 1, "PVI" },    { 2, "TSD" },	  { 3, "DE" },	  { 4, "PSE" },
	{ 5, "PAE" },	      { 6, "MCE" },    { 7, "PGE" },	  { 8, "PCE" },	  { 9, "OSFXSR" },
	{ 10, "OSXMMEXCPT" }, { 11, "UMIP" },  { 12, "LA57" },	  { 13, "VMXE" }, { 14, "SMXE" },
	{ 16, "FSGSBASE" },   { 17, "PCIDE" }, { 18, "OSXSAVE" }, { 20, "SMEP" }, { 21, "SMAP" },
	{ 22, "PKE" },	      { 23, "CET" },   { 24, "PKS" },	  { 0, NULL },
};

static const struct bit_name efer_bits[] = {
	{ 0, "SCE" },	{ 8, "LME" },	 { 10, "LMA" },	  { 11, "NX" },
	{ 12, "SVME" }, { 13, "LMSLE" }, { 14, "FFXSR" }, { 0, NULL },
};

static const struct bit_name *bits_of(enum spt_register nr)
{
	switch (nr) {
	case SPT_REGISTER_RFLAGS:
		return rflags_bits;
	case SPT_REGISTER_CR0:
		return cr0_bits;
	case SPT_REGISTER_CR4:
		return cr4_bits;
	case SPT_REGISTER_EFER:
		return efer_bits;
	default:
		return NULL;
	}
}

void spt_register_bits(enum spt_register nr, uint64_t value, char text[SPT_REGISTER_BITS_TEXT])
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct bit_name *b = bits_of(nr); b && b->name; b++)
		if (value >> b->bit & 1)
			used += snprintf(text + used, SPT_REGISTER_BITS_TEXT - used, "%s%s",
					 used ? " " : "", b->name);
}
