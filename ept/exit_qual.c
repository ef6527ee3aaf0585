// SPDX-License-Identifier: GPL-2.0
#include "ept/exit_qual.h"

#include <stdio.h>

#include "decoders/pferr.h"

/* SDM Vol. 3C table 28-7. */
#define ACC_READ       SPT_BIT(0)
#define ACC_WRITE      SPT_BIT(1)
#define ACC_FETCH      SPT_BIT(2)
#define GPA_READ       SPT_BIT(3)
#define GPA_WRITE      SPT_BIT(4)
#define GPA_EXEC       SPT_BIT(5)
#define GPA_USER_EXEC  SPT_BIT(6)
#define GVA_VALID      SPT_BIT(7)
#define GVA_TRANSLATED SPT_BIT(8)
#define GVA_USER       SPT_BIT(9)

static const struct spt_bit rows[] = {
	{ ACC_READ, .name = "read", .set = "the access was a read" },
	{ ACC_WRITE, .name = "write", .set = "the access was a write" },
	{ ACC_FETCH, .name = "fetch", .set = "the access was an instruction fetch" },
	{ GPA_READ, .name = "gpa-readable", .set = "the GPA was readable",
	  .clear = "the GPA was not readable" },
	{ GPA_WRITE, .name = "gpa-writable", .set = "the GPA was writable",
	  .clear = "the GPA was not writable" },
	{ GPA_EXEC, .name = "gpa-executable", .set = "the GPA was executable",
	  .clear = "the GPA was not executable" },
	{ GPA_USER_EXEC, .name = "gpa-user-executable",
	  .set = "executable in user mode (under MBEC)" },
	{ GVA_VALID, .name = "gva-valid", .set = "the guest-linear-address field is valid",
	  .clear = "no linear address" },
	{ GVA_TRANSLATED, .name = "gva-translated", .set = "to the translated address",
	  .clear = "to a guest page-table entry, if the linear address is valid" },
	{ GVA_USER, .name = "gva-user", .set = "a user-mode linear address" },
	{ SPT_BIT(10), .name = "gva-writable", .set = "a writable linear address" },
	{ SPT_BIT(11), .name = "gva-nx", .set = "an execute-disabled linear address" },
	{ SPT_BIT(12), .name = "nmi-unblocking", .set = "IRET had unblocked NMIs" },
	{ SPT_BIT(13), .name = "shadow-stack", .set = "the access was a shadow-stack one" },
	{ SPT_BIT(14), .name = "supervisor-shadow-stack",
	  .set = "the GPA is a supervisor shadow-stack page" },
	{ SPT_BIT(15), .name = "guest-paging-verification",
	  .set = "guest-paging verification failed" },
	{ SPT_BIT(16), .name = "asynchronous",
	  .set = "not from the instruction: trace or PEBS output" },
	{ SPT_BITS(63, 17), .kind = SPT_BIT_IGNORED, .name = "unused" },
};

const struct spt_bit *spt_exit_qual_rows(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}

int spt_exit_qual_sentence(__u64 q, char *buf, size_t size)
{
	const char *access = q & ACC_FETCH ? "instruction fetch" : q & ACC_WRITE ? "write" : "read";
	const char *where = "";

	if (q & GVA_VALID)
		where = q & GVA_TRANSLATED ? " to the translated address"
					   : " to a guest page-table entry";
	if (!(q & (GPA_READ | GPA_WRITE | GPA_EXEC)))
		return snprintf(buf, size, "%s%s where nothing is mapped", access, where);
	return snprintf(buf, size, "%s%s mapped %c%c%c", access, where, q & GPA_READ ? 'r' : '-',
			q & GPA_WRITE ? 'w' : '-', q & GPA_EXEC ? 'x' : '-');
}

__u64 spt_exit_qual_pferr(__u64 q, bool user_from_gva)
{
	__u64 error_code = 0;

	if (q & ACC_WRITE)
		error_code |= SPT_BIT(SPT_PFERR_WRITE);
	if (q & ACC_FETCH)
		error_code |= SPT_BIT(SPT_PFERR_FETCH);
	if (q & (GPA_READ | GPA_WRITE | GPA_EXEC))
		error_code |= SPT_BIT(SPT_PFERR_PRESENT);
	if (q & GVA_VALID)
		error_code |=
			SPT_BIT(q & GVA_TRANSLATED ? SPT_PFERR_GUEST_FINAL : SPT_PFERR_GUEST_PAGE);
	if (user_from_gva ? (q & GVA_VALID) && (q & GVA_TRANSLATED) && (q & GVA_USER)
			  : q & ACC_READ)
		error_code |= SPT_BIT(SPT_PFERR_USER);
	return error_code;
}
