// SPDX-License-Identifier: GPL-2.0
#include "cli/guest.h"

#include <errno.h>

#include "cli/address.h"
#include "cli/target.h"

const struct cli_option cli_guest_options[] = {
	{ .name = "vcpu", .arg = "N", .help = "by the registers of this vCPU (vcpu_id)" },
	{ .name = "cr3",
	  .arg = "VALUE",
	  .help = "gva: with these page tables instead of the vCPU's" },
	{ 0 },
};

int cli_guest_by(struct cli *cli, const struct cli_call *call, bool virtual,
		 struct spt_guest_bytes *what)
{
	const char *vcpu = cli_option(call, "vcpu"), *cr3 = cli_option(call, "cr3");
	uint64_t number;
	int rc = 0;

	what->image_flags = cli_image_flags(cli);
	what->by.vcpu = SPT_ANY_VCPU;
	if (vcpu) {
		rc = cli_parse_address(vcpu, "--vcpu", &number, &cli->error);
		what->by.vcpu = (int64_t)number;
	}
	if (!rc && cr3) {
		rc = cli_parse_address(cr3, "--cr3", &what->by.cr3, &cli->error);
		what->by.have_cr3 = true;
	}
	if (!rc && cr3 && !virtual)
		rc = cli_fail(cli, EINVAL,
			      "--cr3 says how a GVA is translated: a GPA has no use for it");
	return rc;
}
