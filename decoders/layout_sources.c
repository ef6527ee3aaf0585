// SPDX-License-Identifier: GPL-2.0
/* The graphs that a layout is looked up in: the host's BTF, or its debug files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/btf.h"
#include "decoders/dwarf.h"
#include "decoders/layout.h"

int spt_layout_from_btf(const char *dir, enum spt_vendor vendor, struct spt_layout *ret)
{
	const enum spt_module modules[] = { SPT_MODULE_VMLINUX, SPT_MODULE_KVM,
					    spt_vendor_module(vendor) };

	*ret = (struct spt_layout){ .source = SPT_LAYOUT_BTF, .vendor = vendor };
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		enum spt_module m = modules[i];
		struct spt_typegraph *base = ret->graph[SPT_MODULE_VMLINUX];
		char path[4096];
		int err;

		snprintf(path, sizeof(path), "%s/%s", dir, spt_module_names[m]);
		err = spt_btf_open(path, base, &ret->graph[m], &ret->missing);
		if (err)
			return err;
	}
	return spt_layout_resolve(ret);
}

static int open_debug_file(struct spt_layout *l, const struct spt_debug_search *search,
			   const struct spt_host *host, enum spt_module module, struct spt_error *e)
{
	char *path;
	int err = spt_debug_locate(search, spt_module_names[module], &host->build_id[module], &path,
				   e);

	if (err)
		return err;
	err = spt_dwarf_open(path, &l->graph[module], e);
	free(path);
	return err;
}

static bool lacks_type(const struct spt_layout *l)
{
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		if (l->field[f].state == SPT_FIELD_NO_TYPE &&
		    (spt_need_required(spt_field_names[f].need, l->vendor) ||
		     spt_field_names[f].need == 'T'))
			return true;
	return false;
}

int spt_layout_from_dwarf(const struct spt_debug_search *search, const struct spt_host *host,
			  struct spt_layout *ret)
{
	int err;

	*ret = (struct spt_layout){ .source = SPT_LAYOUT_DWARF, .vendor = host->vendor };
	err = open_debug_file(ret, search, host, SPT_MODULE_KVM, &ret->missing);
	if (!err)
		err = open_debug_file(ret, search, host, spt_vendor_module(host->vendor),
				      &ret->missing);
	if (err)
		return err;
	err = spt_layout_resolve(ret);
	if (err != -ENOKEY || !lacks_type(ret))
		return err;
	/* Hundreds of megabytes; only where KVM is built in are its types in there alone. */
	if (open_debug_file(ret, search, host, SPT_MODULE_VMLINUX, NULL))
		return err;
	return spt_layout_resolve(ret);
}
