// SPDX-License-Identifier: GPL-2.0
/* `vcpus`: each vCPU's MMU state as KVM caches it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/json.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/target.h"
#include "decoders/gpte.h"

/* One column a value, in the order of the image; then what is made of several. */
enum { COL_STATE = SPT_VCPU_COUNT, COL_PAGING, COL_FRESH };

#define HIDDEN CLI_COL_EXTRA

static const struct cli_column columns[] = {
	[SPT_VCPU_ID] = { "vcpu_id", 7, CLI_COL_RIGHT, "APIC id that the VMM gave it" },
	[SPT_VCPU_IDX] = { "vcpu_idx", 8, CLI_COL_RIGHT | HIDDEN, "order of creation" },
	[SPT_VCPU_PID] = { "pid", 7, CLI_COL_RIGHT, "thread that ran it last" },
	[SPT_VCPU_CPU] = { "cpu", 4, CLI_COL_RIGHT,
			   "host CPU that it was loaded on last, -1 none" },
	[SPT_VCPU_MODE] = { "mode", 4, CLI_COL_RIGHT | HIDDEN, "kvm_vcpu.mode" },
	[SPT_VCPU_REQUESTS] = { "requests", 18, HIDDEN, "pending KVM_REQ_* bits" },
	[SPT_VCPU_HFLAGS] = { "hflags", 18, HIDDEN, "HF_* flags: SMM, guest mode, ..." },
	[SPT_VCPU_IN_GUEST_MMU] = { "in_guest_mmu", 12, HIDDEN, "1: runs its own guest (L2)" },
	[SPT_VCPU_ROOT_HPA] = { "root_hpa", 18, 0, "root of the page tables in use" },
	[SPT_VCPU_ROOT_PGD] = { "root_pgd", 18, HIDDEN, "guest table that the root shadows" },
	[SPT_VCPU_PREV_ROOT_HPA_0] = { "prev_root_hpa0", 18, HIDDEN, "cached previous root" },
	[SPT_VCPU_PREV_ROOT_PGD_0] = { "prev_root_pgd0", 18, HIDDEN, "guest table it shadows" },
	[SPT_VCPU_PREV_ROOT_HPA_1] = { "prev_root_hpa1", 18, HIDDEN, "cached previous root" },
	[SPT_VCPU_PREV_ROOT_PGD_1] = { "prev_root_pgd1", 18, HIDDEN, "guest table it shadows" },
	[SPT_VCPU_PREV_ROOT_HPA_2] = { "prev_root_hpa2", 18, HIDDEN, "cached previous root" },
	[SPT_VCPU_PREV_ROOT_PGD_2] = { "prev_root_pgd2", 18, HIDDEN, "guest table it shadows" },
	[SPT_VCPU_MIRROR_ROOT_HPA] = { "mirror_root_hpa", 18, HIDDEN,
				       "root of a TD's private half" },
	[SPT_VCPU_ROOT_ROLE] = { "root_role", 18, HIDDEN, "role word of the root" },
	[SPT_VCPU_CPU_ROLE] = { "cpu_role", 18, HIDDEN,
				"role of the guest's own paging, or of the NPT or EPT of its L2 that runs" },
	[SPT_VCPU_PAE_ROOT] = { "pae_root", 18, HIDDEN, "HPA of the PAE root table" },
	[SPT_VCPU_PML4_ROOT] = { "pml4_root", 18, HIDDEN, "HPA of the PML4 above a PAE root" },
	[SPT_VCPU_PML5_ROOT] = { "pml5_root", 18, HIDDEN, "HPA of the PML5 above it" },
	[SPT_VCPU_HW_ROOT] = { "hw_root", 18, 0, "EPTP or nCR3 that the hardware gets" },
	[SPT_VCPU_HW_ROOT_SOURCE] = { "hw_root_source", 14, 0, "where that was read" },
	[SPT_VCPU_CR0] = { "cr0", 18, HIDDEN, "CR0" },
	[SPT_VCPU_CR2] = { "cr2", 18, HIDDEN, "CR2" },
	[SPT_VCPU_CR3] = { "cr3", 18, 0, "CR3" },
	[SPT_VCPU_CR4] = { "cr4", 18, HIDDEN, "CR4" },
	[SPT_VCPU_EFER] = { "efer", 18, HIDDEN, "EFER" },
	[SPT_VCPU_PKRU] = { "pkru", 18, HIDDEN, "PKRU" },
	[SPT_VCPU_REGS_AVAIL] = { "regs_avail", 18, HIDDEN, "which registers KVM has cached" },
	[SPT_VCPU_CR3_FRESH] = { "cr3_fresh", 9, HIDDEN,
				 "CR3 is the guest's, now or at its last exit" },
	[SPT_VCPU_REGS_FRESH] = { "regs_fresh", 10, HIDDEN, "it was not in guest mode when read" },
	[SPT_VCPU_RAX] = { "rax", 18, HIDDEN, "RAX" },
	[SPT_VCPU_RCX] = { "rcx", 18, HIDDEN, "RCX" },
	[SPT_VCPU_RDX] = { "rdx", 18, HIDDEN, "RDX" },
	[SPT_VCPU_RBX] = { "rbx", 18, HIDDEN, "RBX" },
	[SPT_VCPU_RSP] = { "rsp", 18, HIDDEN, "RSP" },
	[SPT_VCPU_RBP] = { "rbp", 18, HIDDEN, "RBP" },
	[SPT_VCPU_RSI] = { "rsi", 18, HIDDEN, "RSI" },
	[SPT_VCPU_RDI] = { "rdi", 18, HIDDEN, "RDI" },
	[SPT_VCPU_R8] = { "r8", 18, HIDDEN, "R8" },
	[SPT_VCPU_R9] = { "r9", 18, HIDDEN, "R9" },
	[SPT_VCPU_R10] = { "r10", 18, HIDDEN, "R10" },
	[SPT_VCPU_R11] = { "r11", 18, HIDDEN, "R11" },
	[SPT_VCPU_R12] = { "r12", 18, HIDDEN, "R12" },
	[SPT_VCPU_R13] = { "r13", 18, HIDDEN, "R13" },
	[SPT_VCPU_R14] = { "r14", 18, HIDDEN, "R14" },
	[SPT_VCPU_R15] = { "r15", 18, HIDDEN, "R15" },
	[SPT_VCPU_RIP] = { "rip", 18, 0, "RIP" },
	[SPT_VCPU_PDPTR0] = { "pdptr0", 18, HIDDEN, "PDPTE 0 of a PAE guest" },
	[SPT_VCPU_PDPTR1] = { "pdptr1", 18, HIDDEN, "PDPTE 1" },
	[SPT_VCPU_PDPTR2] = { "pdptr2", 18, HIDDEN, "PDPTE 2" },
	[SPT_VCPU_TDX_STATE] = { "tdx_vcpu_state", 14, CLI_COL_RIGHT | HIDDEN,
				 "of a TD's vCPU: 1 initialized" },
	[SPT_VCPU_TDX_TDVPR] = { "tdx_tdvpr", 18, HIDDEN, "TDVPR page of a TD's vCPU" },
	[SPT_VCPU_PDPTR3] = { "pdptr3", 18, HIDDEN, "PDPTE 3" },
	[SPT_VCPU_STATE_PROTECTED] = { "state_protected", 15, HIDDEN,
				       "1: its registers are not the host's to read (SEV-ES)" },
	[COL_STATE] = { "state", 10, 0, "outside, in-guest, exiting, reading" },
	[COL_PAGING] = { "paging", 7, 0, "the guest's paging mode" },
	[COL_FRESH] = { "fresh", 5, CLI_COL_TEXT,
			"cr3 and rip are the guest's, now or at its last exit" },
	{ NULL },
};

/* Values that are counts or ids and not bit patterns. */
static bool is_number(unsigned int value)
{
	switch (value) {
	case SPT_VCPU_ID:
	case SPT_VCPU_IDX:
	case SPT_VCPU_PID:
	case SPT_VCPU_CPU:
	case SPT_VCPU_MODE:
		return true;
	default:
		return false;
	}
}

static bool is_boolean(unsigned int value)
{
	return value == SPT_VCPU_IN_GUEST_MMU || value == SPT_VCPU_CR3_FRESH ||
	       value == SPT_VCPU_REGS_FRESH || value == SPT_VCPU_STATE_PROTECTED;
}

/* Values that are physical addresses and may say 'none'. */
static bool is_root(unsigned int value)
{
	switch (value) {
	case SPT_VCPU_ROOT_HPA:
	case SPT_VCPU_PREV_ROOT_HPA_0:
	case SPT_VCPU_PREV_ROOT_HPA_1:
	case SPT_VCPU_PREV_ROOT_HPA_2:
	case SPT_VCPU_MIRROR_ROOT_HPA:
		return true;
	default:
		return false;
	}
}

/* enum of kvm_host.h: OUTSIDE_GUEST_MODE, ... */
static const char *const mode_names[] = { "outside", "in-guest", "exiting", "reading" };

static void set_value(struct cli_table *t, unsigned int i, uint64_t value)
{
	if (is_number(i))
		cli_cell_number(t, (int)i, (int64_t)value);
	else if (is_boolean(i))
		cli_cell_bool(t, (int)i, value);
	else if (i == SPT_VCPU_HW_ROOT_SOURCE)
		cli_cell_text(t, (int)i, "%s", cli_hw_root_source(value));
	else if (is_root(i) && value == SPT_NO_HPA)
		cli_cell_both(t, (int)i, NULL, "not loaded");
	else
		cli_cell_address(t, (int)i, value);
}

static void add_row(struct cli_table *t, const struct spt_valueset *values)
{
	uint64_t mode, cr0, cr4, efer, cr3_fresh, regs_fresh, value;
	struct spt_guest_mmu mmu;

	cli_table_row(t);
	for (unsigned int i = 0; i < SPT_VCPU_COUNT; i++) {
		if (spt_value(values, i, &value))
			set_value(t, i, value);
		else
			cli_cell_na(t, (int)i);
	}
	if (spt_value(values, SPT_VCPU_MODE, &mode) &&
	    mode < sizeof(mode_names) / sizeof(mode_names[0]))
		cli_cell_text(t, COL_STATE, "%s", mode_names[mode]);
	else
		cli_cell_na(t, COL_STATE);
	if (spt_value(values, SPT_VCPU_CR0, &cr0) && spt_value(values, SPT_VCPU_CR4, &cr4) &&
	    spt_value(values, SPT_VCPU_EFER, &efer)) {
		spt_guest_mmu_init(&mmu, cr0, cr4, efer, 0);
		cli_cell_text(t, COL_PAGING, "%s", spt_guest_paging_name(mmu.paging));
	} else {
		cli_cell_na(t, COL_PAGING);
	}
	if (spt_value(values, SPT_VCPU_CR3_FRESH, &cr3_fresh) &&
	    spt_value(values, SPT_VCPU_REGS_FRESH, &regs_fresh))
		cli_cell_text(t, COL_FRESH, "%s",
			      cr3_fresh && regs_fresh ? "yes"
			      : cr3_fresh	      ? "cr3"
			      : regs_fresh	      ? "rip"
						      : "no");
	else
		cli_cell_na(t, COL_FRESH);
}

static int vcpus_run(struct cli *cli, const struct cli_call *call)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_VCPUS };
	struct spt_model *model;
	struct cli_table *t;
	int rc;

	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "vcpus", 0);
	if (!t)
		return -cli->error.code;
	for (uint32_t i = 0; i < model->nr_vcpus; i++)
		add_row(t, &model->vcpus[i].values);
	return cli_table_end(t);
}

const struct cli_command cli_cmd_vcpus = {
	.name = "vcpus",
	.help = "list the vCPUs: root, EPTP or nCR3, paging mode, registers",
	.details =
		"While a vCPU runs, KVM's copy of its registers is as old as its last exit: see 'fresh'.",
	.example = "vcpus -o vcpu_id,root_hpa,hw_root,cr3",
	.columns = columns,
	.run = vcpus_run,
};
