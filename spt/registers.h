/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a vCPU as an image has them: what they are, and how far to trust them. */
#ifndef SPT_REGISTERS_H
#define SPT_REGISTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "spt/model.h"

struct spt_registers {
	int64_t vcpu;			    /* vcpu_id; -1 unknown */
	enum spt_regs_source source;	    /* 0: the image does not say */
	bool nested;			    /* they are of the vCPU's own guest (L2) */
	bool hidden;			    /* protected guest state: the host does not have them */
	uint64_t known[2];		    /* bit i: value[i] is valid */
	uint64_t value[SPT_REGISTER_COUNT]; /* by enum spt_register */
};

enum spt_segment { SPT_ES, SPT_CS, SPT_SS, SPT_DS, SPT_FS, SPT_GS, SPT_LDTR, SPT_TR, SPT_SEGMENTS };

/* One segment register; attributes as VMX has them. */
struct spt_segment_value {
	uint64_t selector, base, limit, attributes;
};

/* Fields of the attributes. */
static inline unsigned int spt_segment_type(uint64_t attributes)
{
	return attributes & 15;
}

static inline unsigned int spt_segment_dpl(uint64_t attributes)
{
	return attributes >> 5 & 3;
}

#define SPT_SEGMENT_S (1U << 4)	 /* code or data; else one of the system's */
#define SPT_SEGMENT_P (1U << 7)	 /* present */
#define SPT_SEGMENT_L (1U << 13) /* 64-bit code */
#define SPT_SEGMENT_D (1U << 14) /* 32-bit by default */
#define SPT_SEGMENT_G (1U << 15) /* the limit counts pages */

/*
 * The parts of an image that they are read from; SPT_PART_FRESH besides: a vCPU that
 * is in the guest is interrupted, as by any interrupt of the host's, and its registers
 * are those of that moment.
 */
#define SPT_REGISTERS_PARTS (SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_REGS)

/*
 * Registers of vCPU number @nr of the model (< nr_vcpus). Images that were made
 * without the part 'regs' give what their vCPU records have.
 */
void spt_registers_of(const struct spt_model *model, uint32_t nr, struct spt_registers *ret);

/* Of the vCPU whose vcpu_id is @vcpu, or SPT_ANY_VCPU: the first. 0 or -ENOENT. */
int spt_registers_find(const struct spt_model *model, int64_t vcpu, struct spt_registers *ret,
		       struct spt_error *err);

/* Value @nr; false: not known. */
bool spt_register(const struct spt_registers *regs, enum spt_register nr, uint64_t *ret);

/* False: not all four of its values are known. */
bool spt_registers_segment(const struct spt_registers *regs, enum spt_segment segment,
			   struct spt_segment_value *ret);

/* Operand size of the code that runs: 64, 32, 16; 0: what decides it is not known. */
unsigned int spt_registers_code_bits(const struct spt_registers *regs);

/* Where RIP points, as a linear address; false: RIP, or a base that counts, is not known. */
bool spt_registers_linear_rip(const struct spt_registers *regs, uint64_t *ret);

/* "last-exit", "outside", "interrupted", "protected"; "unknown". */
const char *spt_regs_source_name(enum spt_regs_source source);

/* What the source means for who reads the values: a sentence without a full stop. */
const char *spt_regs_source_text(enum spt_regs_source source);

const char *spt_register_name(enum spt_register nr); /* "rax", "cs_selector" */
const char *spt_segment_name(enum spt_segment segment);

/* "runnable", "halted", ... of SPT_REGISTER_MP_STATE; NULL: unknown. */
const char *spt_mp_state_name(uint64_t state);

/*
 * Names of the bits that are set in RFLAGS, CR0, CR4 or EFER, separated by blanks;
 * other registers give "".
 */
#define SPT_REGISTER_BITS_TEXT 160
void spt_register_bits(enum spt_register nr, uint64_t value, char text[SPT_REGISTER_BITS_TEXT]);

#endif
