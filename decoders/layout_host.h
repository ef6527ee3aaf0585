/* SPDX-License-Identifier: GPL-2.0 */
/* What runs here, as far as layouts depend on it: release, vendor, build ids. */
#ifndef SPT_LAYOUT_HOST_H
#define SPT_LAYOUT_HOST_H

#include <stdbool.h>

#include "agent/spt_image.h"
#include "agent/spt_layout.h"
#include "decoders/elf_file.h"

struct spt_host {
	char release[64];
	enum spt_vendor vendor;
	struct spt_build_id build_id[SPT_MODULE_COUNT]; /* len 0: of the other vendor */
};

/*
 * Read them from sysfs and procfs below @root (NULL or "": this host's). -ENODEV
 * when KVM's modules are not loaded, -ENODATA when something has no build id.
 */
int spt_host_read(const char *root, struct spt_host *ret, struct spt_error *e);

#endif
