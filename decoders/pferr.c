// SPDX-License-Identifier: GPL-2.0
#include "decoders/pferr.h"

#include <stdio.h>

#define ROW(nr, id, on, off)                                                                       \
	{                                                                                          \
		.mask = SPT_BIT(nr), .kind = SPT_BIT_FLAG, .name = (id), .set = (on),              \
		.clear = (off)                                                                     \
	}
#define UNUSED(hi, lo)                                                                             \
	{                                                                                          \
		.mask = SPT_BITS(hi, lo), .kind = SPT_BIT_IGNORED, .name = "unused"                \
	}

static const struct spt_bit rows[] = {
	ROW(SPT_PFERR_PRESENT, "present", "the entry was present: a permission was missing",
	    "no entry was present"),
	ROW(SPT_PFERR_WRITE, "write", "the access was a write", "the access was no write"),
	ROW(SPT_PFERR_USER, "user", "the access was a user-mode one", "by supervisor code"),
	ROW(SPT_PFERR_RSVD, "rsvd", "a reserved bit was set in an entry (KVM: an MMIO SPTE)", NULL),
	ROW(SPT_PFERR_FETCH, "fetch", "the access was an instruction fetch", NULL),
	ROW(SPT_PFERR_PK, "pk", "a protection key forbade it", NULL),
	ROW(SPT_PFERR_SS, "shadow-stack", "the access was a shadow-stack one", NULL),
	UNUSED(14, 7),
	ROW(SPT_PFERR_SGX, "sgx", "an SGX access check failed", NULL),
	UNUSED(30, 16),
	ROW(SPT_PFERR_RMP, "rmp", "the reverse map table (SNP) forbade it", NULL),
	ROW(SPT_PFERR_GUEST_FINAL, "guest-final", "while accessing the guest's final address",
	    NULL),
	ROW(SPT_PFERR_GUEST_PAGE, "guest-page", "while walking the guest's page tables", NULL),
	ROW(SPT_PFERR_GUEST_ENC, "guest-enc", "the guest's access was encrypted (SNP)", NULL),
	ROW(SPT_PFERR_GUEST_SIZEM, "guest-sizem", "page size mismatch with the RMP (SNP)", NULL),
	ROW(SPT_PFERR_GUEST_VMPL, "guest-vmpl",
	    "the permissions of the guest's VMPL forbade it (SNP)", NULL),
	UNUSED(47, 37),
	ROW(SPT_PFERR_IMPLICIT, "implicit", "KVM: an implicit supervisor access", NULL),
	ROW(SPT_PFERR_PRIVATE, "private", "KVM: the guest wants private memory", NULL),
	UNUSED(63, 50),
};

const struct spt_bit *spt_pferr_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

static bool has(__u64 error_code, enum spt_pferr bit)
{
	return error_code >> bit & 1;
}

static const char *access_text(__u64 e)
{
	if (has(e, SPT_PFERR_FETCH))
		return "instruction fetch";
	return has(e, SPT_PFERR_WRITE) ? "write" : "read";
}

static const char *cause_text(__u64 e)
{
	if (has(e, SPT_PFERR_RSVD))
		return "through an entry with a reserved bit (for KVM: MMIO)";
	if (has(e, SPT_PFERR_RMP))
		return "that the reverse map table forbids";
	if (has(e, SPT_PFERR_PK))
		return "that a protection key forbids";
	if (has(e, SPT_PFERR_PRESENT))
		return "that a present entry forbids";
	return "where no entry is present";
}

static const char *origin_text(__u64 e)
{
	if (has(e, SPT_PFERR_GUEST_PAGE))
		return ", during the walk of the guest's page tables";
	if (has(e, SPT_PFERR_GUEST_FINAL))
		return ", to the guest's final address";
	return "";
}

int spt_pferr_sentence(__u64 e, char *buf, size_t size)
{
	return snprintf(buf, size, "%s %s %s%s%s", has(e, SPT_PFERR_USER) ? "user" : "supervisor",
			access_text(e), cause_text(e), origin_text(e),
			has(e, SPT_PFERR_PRIVATE) ? ", private memory" : "");
}
