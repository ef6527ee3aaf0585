// SPDX-License-Identifier: GPL-2.0
/* Kernel symbols that are not exported: by name, called by static calls only. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/file.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>
#include "softtdx.h"

/* A probe sits behind ENDBR where the kernel has it; functions begin at 16 bytes. */
#define FUNCTION_ALIGN	16UL

DEFINE_STATIC_CALL_NULL(softtdx_lookup, softtdx_lookup_prototype);
DEFINE_STATIC_CALL_NULL(softtdx_is_kvm, softtdx_file_is_kvm_prototype);

static int find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int error = register_kprobe(&probe);

	if (error) {
		pr_err("kallsyms_lookup_name cannot be found: %d\n", error);
		return error;
	}
	static_call_update(softtdx_lookup, (void *)((unsigned long)probe.addr &
						    ~(FUNCTION_ALIGN - 1)));
	unregister_kprobe(&probe);
	return 0;
}

unsigned long softtdx_symbol(const char *name)
{
	unsigned long address = static_call(softtdx_lookup)(name);

	if (!address)
		pr_err("this kernel has no %s\n", name);
	return address;
}

bool softtdx_file_is_kvm(struct file *file)
{
	return static_call(softtdx_is_kvm)(file);
}

int softtdx_symbols_init(void)
{
	unsigned long address;
	int error = find_lookup();

	if (error)
		return error;
	address = softtdx_symbol("kvm:file_is_kvm");
	if (!address)
		return -EOPNOTSUPP;
	static_call_update(softtdx_is_kvm, (void *)address);
	return 0;
}
