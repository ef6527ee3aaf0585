/* SPDX-License-Identifier: GPL-2.0 */
/*
 * agent/layout_check.c itself, in a program, and a kernel around it that agrees with whatever
 * 'blob' says of release, build ids and symbols, so that all is down to the check.
 */
#ifndef TESTS_AGENT_CHECK_H
#define TESTS_AGENT_CHECK_H

#include "tests/fuzz/kernel/kernel.h"

#include "agent/layout_check.c"
#include "agent/layout_names.c"

struct spt_layout spt_layout;

static struct spt_layout_blob blob;

int spt_refuse(struct spt_refusal *why, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	why->error = error;
	return error;
}

struct new_utsname *init_utsname(void)
{
	static struct new_utsname name;

	memcpy(name.release, blob.release, sizeof(blob.release));
	return &name;
}

int spt_running_build_id(const char *module, u8 id[SPT_BUILD_ID_SIZE])
{
	unsigned int m = 0;

	while (module &&
	       strcmp(module, (const char *[]){ "vmlinux", "kvm", "kvm_amd", "kvm_intel" }[m]))
		m++;
	memcpy(id, blob.build_id[m].id, SPT_BUILD_ID_SIZE);
	return 0;
}

int sprint_symbol(char *buffer, unsigned long address)
{
	for (unsigned int i = 0; i < SPT_S_COUNT; i++) {
		const struct spt_symbol_name *symbol = &spt_symbol_names[i];
		bool kernel = !strcmp(symbol->module, "vmlinux");

		if (blob.symbol[i].address == address)
			return snprintf(buffer, KSYM_SYMBOL_LEN, "%s+0x0/0x8%s%s%s", symbol->name,
					kernel ? "" : " [", kernel ? "" : symbol->module,
					kernel ? "" : "]");
	}
	return snprintf(buffer, KSYM_SYMBOL_LEN, "0x%lx", address);
}

int copy_from_kernel_nofault(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return 0;
}

#endif
