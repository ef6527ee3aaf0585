// SPDX-License-Identifier: GPL-2.0
/* Fields, symbols and identity of the host as the one blob that the agent takes. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "decoders/layout.h"

int spt_layout_symbols(const char *path, enum spt_vendor vendor,
		       struct spt_kallsym ret[SPT_S_COUNT], struct spt_error *e)
{
	struct spt_kallsym wanted[SPT_S_COUNT];
	unsigned int of[SPT_S_COUNT], n = 0;
	int err;

	for (unsigned int s = 0; s < SPT_S_COUNT; s++) {
		const struct spt_symbol_name *name = &spt_symbol_names[s];

		ret[s] = (struct spt_kallsym){ spt_module_names[name->module], name->name, 0 };
		if (spt_need_other(name->need, vendor))
			continue;
		wanted[n] = ret[s];
		of[n++] = s;
	}
	err = spt_kallsyms_read(path, wanted, n, e);
	if (err)
		return err;
	for (unsigned int i = 0; i < n; i++) {
		ret[of[i]] = wanted[i];
		if (!wanted[i].address && spt_need_required(spt_symbol_names[of[i]].need, vendor))
			return spt_fail(e, ENOKEY,
					"%s: no symbol %s:%s; the kernel needs "
					"CONFIG_KALLSYMS_ALL",
					path, wanted[i].module, wanted[i].name);
	}
	return 0;
}

void spt_layout_blob_fill(const struct spt_layout *layout, const struct spt_host *host,
			  const struct spt_kallsym symbol[SPT_S_COUNT], struct spt_layout_blob *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->magic = SPT_LAYOUT_MAGIC;
	ret->abi = SPT_LAYOUT_ABI;
	ret->size = sizeof(*ret);
	ret->source = layout->source;
	ret->vendor = host->vendor;
	ret->fields = SPT_F_COUNT;
	ret->symbols = SPT_S_COUNT;
	for (unsigned int m = 0; m < SPT_MODULE_COUNT; m++)
		memcpy(ret->build_id[m].id, host->build_id[m].id, sizeof(ret->build_id[m].id));
	snprintf(ret->release, sizeof(ret->release), "%s", host->release);
	for (unsigned int f = 0; f < SPT_F_COUNT; f++)
		ret->field[f] = layout->field[f].field;
	for (unsigned int s = 0; s < SPT_S_COUNT; s++)
		ret->symbol[s].address = symbol[s].address;

	static_assert(offsetof(struct spt_layout_blob, checksum) % sizeof(__u64) == 0,
		      "the checksum is over whole words");
	for (size_t i = 0; i < offsetof(struct spt_layout_blob, checksum) / sizeof(__u64); i++) {
		__u64 word;

		memcpy(&word, (const char *)ret + i * sizeof(word), sizeof(word));
		ret->checksum += spt_checksum_word(i, word);
	}
}
