/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An image without host-physical addresses and names, on which every command still works.
 *
 * Every host address in it (of tables, of pages, in entries, of the host's own walk) is
 * replaced by another one, equal ones by equal ones; kernel addresses, which only identify, by
 * numbers; the VMM's name by 'vmm'. What it has left of the host are its kernel's release and
 * build id, PID and descriptor, and the VMM's virtual addresses.
 */
#ifndef SPT_REDACT_H
#define SPT_REDACT_H

#include "spt/image.h"
#include "spt/temporary.h"

/* What could not be kept. */
struct spt_redact_lost {
	uint64_t unknown;  /* records of types that are not of this format: left out */
	uint64_t parents;  /* parent pointers of shadow pages: no longer say which entry it is */
	uint64_t transits; /* host entries of pages being moved: no longer say where to */
	uint64_t notes;	   /* addresses in notes that are nothing else's */
};

struct spt_redaction; /* which address became which */

struct spt_redaction *spt_redaction_create(void); /* NULL: no memory */
void spt_redaction_free(struct spt_redaction *r);

/* Learn the addresses of @img; of each image that is to be rewritten, before the first one is. */
int spt_redaction_learn(struct spt_redaction *r, const struct spt_image *img,
			struct spt_error *err);

/*
 * Rewrite @img into the first *@ret_len bytes of *@ret, which spt_temporary_put() gives back.
 * *@lost is added to. -ERANGE: the pages do not fit into the host's address bits when they are kept
 * apart.
 */
int spt_redaction_apply(struct spt_redaction *r, const struct spt_image *img,
			struct spt_temporary *ret, size_t *ret_len, struct spt_redact_lost *lost,
			struct spt_error *err);

/* Learn one more page, that an address is of: one that is asked for, whoever has it. */
int spt_redaction_learn_hpa(struct spt_redaction *r, uint64_t hpa, struct spt_error *err);

/* What a host address is now; itself if it was not learned. */
uint64_t spt_redaction_hpa(struct spt_redaction *r, uint64_t hpa);

#endif
