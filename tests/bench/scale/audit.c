// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "spt/audit.h"
#include "tests/bench/scale/scale.h"

static int run(struct scale_image *image, struct spt_error *err)
{
	const struct spt_audit_request everything = { 0 };
	struct spt_audit audit;
	int ret = spt_audit_model(&audit, &image->model, &everything, err);

	if (!ret && audit.violations)
		ret = spt_fail(err, EINVAL, "%s: the audit found something: %s", image->path,
			       audit.findings[0].text);
	spt_audit_free(&audit);
	return ret;
}

const struct scale_figure scale_audit = { "audit", "audit, all rules", 1, false, run };
