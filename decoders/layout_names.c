// SPDX-License-Identifier: GPL-2.0
/* The lists of agent/spt_layout.h as tables, and what their 'need' letters mean. */
#include "decoders/layout.h"

#include <stdio.h>
#include <string.h>

#define NEED_R 'R'
#define NEED_O 'O'
#define NEED_A 'A'
#define NEED_I 'I'
#define NEED_T 'T'
#define NEED_L 'L'

#define MODULE_kvm	 SPT_MODULE_KVM
#define MODULE_vmlinux	 SPT_MODULE_VMLINUX
#define MODULE_kvm_amd	 SPT_MODULE_AMD
#define MODULE_kvm_intel SPT_MODULE_INTEL

const struct spt_field_name spt_field_names[SPT_F_COUNT] = {
#define F(id, need, type, path) { #id, #type, path, NEED_##need },
	SPT_FIELDS(F)
#undef F
};

const struct spt_symbol_name spt_symbol_names[SPT_S_COUNT] = {
#define S(id, need, module, name) { #id, name, MODULE_##module, NEED_##need },
	SPT_SYMBOLS(S)
#undef S
};

const char *const spt_module_names[SPT_MODULE_COUNT] = {
#define M(id, name) #name,
	SPT_MODULES(M)
#undef M
};

bool spt_need_other(char need, enum spt_vendor vendor)
{
	return (need == NEED_A && vendor != SPT_VENDOR_SVM) ||
	       (need == NEED_I && vendor != SPT_VENDOR_VMX);
}

bool spt_need_required(char need, enum spt_vendor vendor)
{
	return need == NEED_R ||
	       ((need == NEED_A || need == NEED_I) && !spt_need_other(need, vendor));
}

enum spt_module spt_vendor_module(enum spt_vendor vendor)
{
	return vendor == SPT_VENDOR_SVM ? SPT_MODULE_AMD : SPT_MODULE_INTEL;
}

const char *spt_vendor_name(enum spt_vendor vendor)
{
	return vendor == SPT_VENDOR_SVM ? "svm" : "vmx";
}

void spt_field_alternative(const struct spt_field_name *name, unsigned int alternative, char *buf,
			   size_t len)
{
	const char *path = name->path;

	while (alternative-- && strchr(path, '|'))
		path = strchr(path, '|') + 1;
	snprintf(buf, len, "%.*s", (int)strcspn(path, "|"), path);
}
