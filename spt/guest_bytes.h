/* SPDX-License-Identifier: GPL-2.0 */
/* A stretch of the guest's memory, by guest-physical or guest-virtual address, page by page. */
#ifndef SPT_GUEST_BYTES_H
#define SPT_GUEST_BYTES_H

#include "spt/guest_memory.h"
#include "spt/guest_walk.h"

struct spt_guest_bytes {
	bool virtual;		 /* 'start' is a GVA; else a GPA */
	uint64_t start, len;	 /* the last byte may be the last of the address space */
	struct spt_guest_ask by; /* GVA: by which vCPU or CR3; 'gva' is not looked at */
	unsigned int image_flags;
};

/* The part of it that is in one page. */
struct spt_guest_piece {
	uint64_t address; /* as asked for */
	uint64_t gpa;	  /* valid if 'mapped' */
	size_t len;
	bool mapped;		  /* false: the guest's own tables map no such address */
	bool l2;		  /* GVA: of the guest's own guest, which the vCPU ran */
	enum spt_guest_read read; /* valid if 'mapped' */
	const char *why;	  /* it could not be read: half a sentence; NULL: it was */
	const uint8_t *bytes;	  /* NULL: not read */
};

/* Valid during the call. Not 0: stop, return it. */
typedef int spt_guest_piece_fn(void *arg, const struct spt_guest_piece *piece);

/*
 * Give @fn every piece. @model is loaded on the way, as by spt_guest_walk_from(),
 * whose errors this returns for a GVA.
 */
int spt_guest_bytes_each(struct spt_source *src, struct spt_model *model,
			 const struct spt_guest_bytes *what, spt_guest_piece_fn *fn, void *arg,
			 struct spt_error *err);

/* One instruction of some code. */
struct spt_code_line {
	uint64_t address;
	const uint8_t *bytes;
	unsigned int len;
	const char *text; /* "(bad)": no instruction begins so, @len is 1 */
};

typedef int spt_code_fn(void *arg, const struct spt_code_line *line);

/*
 * The first @count instructions of @len bytes of code of @bits (16, 32, 64) at
 * @address. An instruction that goes on behind the last byte is left out.
 * Returns 0, what @fn returned, or as spt_instruction_text().
 */
int spt_code_each(const uint8_t *bytes, size_t len, uint64_t address, unsigned int bits,
		  unsigned int count, spt_code_fn *fn, void *arg);

#endif
