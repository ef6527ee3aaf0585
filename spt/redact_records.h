/* SPDX-License-Identifier: GPL-2.0 */
/* What of each kind of record is a host address; used by redact.c alone. */
#ifndef SPT_REDACT_RECORDS_H
#define SPT_REDACT_RECORDS_H

#include <stdbool.h>

#include "decoders/format.h"
#include "spt/model.h"
#include "spt/record.h"
#include "spt/redact.h"
#include "spt/redact_frames.h"

#define SPT_REDACT_PAGE (1ULL << SPT_PAGE_SHIFT) /* bytes of a table, of a 4K page */

struct spt_redaction {
	struct spt_frames frames; /* host memory */
	struct spt_frames kernel; /* addresses of structures */
	unsigned int bits;	  /* of a host address, 0 unknown */
	bool settled;
};

/* One walk over an image. */
struct spt_redact_pass {
	struct spt_redaction *r;
	const struct spt_head *head;
	struct spt_format format;
	bool rewrites; /* false: it learns */
	int failed;    /* -errno of what it could not learn */
	struct spt_redact_lost lost;
};

/* A host address of @len bytes; 0 and SPT_NO_HPA stay. */
uint64_t spt_redact_address(struct spt_redact_pass *pass, uint64_t hpa, uint64_t len,
			    uint64_t align);

/* A kernel address that identifies something. */
uint64_t spt_redact_kernel(struct spt_redact_pass *pass, uint64_t address);

/* Replace what @rec, which was checked, says of the host. False: it is to be left out. */
bool spt_redact_record(struct spt_redact_pass *pass, struct spt_rec *rec);

#endif
