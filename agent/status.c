// SPDX-License-Identifier: GPL-2.0
/*
 * The files that speak of the agent and of KVM as a whole: status and masks.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/utsname.h>

#include "action.h"
#include "agent.h"
#include "reader.h"

static const struct spt_name spt_mask_names[SPT_MASK_COUNT] = {
#define M(id, name) { SPT_MASK_##id, #name },
	SPT_MASKS(M)
#undef M
};

static void spt_status_kvm(struct seq_file *seq)
{
	static const char *const mmu[] = {
		[SPT_MMU_NPT] = "npt",
		[SPT_MMU_EPT] = "ept",
		[SPT_MMU_SHADOW] = "shadow",
	};

	seq_printf(seq, "kvm_build_id: %*phN\n", SPT_BUILD_ID_SIZE, spt_layout.kvm_build_id);
	seq_printf(seq, "vendor: %s\n", spt_layout.vendor == SPT_VENDOR_SVM ? "svm" : "vmx");
	seq_printf(seq, "mmu: %s\n", mmu[spt_layout.mmu]);
	seq_printf(seq, "tdp_mmu: %u\n", spt_layout.tdp_mmu);
	seq_printf(seq, "layout: %s %016llx\n",
		   spt_layout.source == SPT_LAYOUT_BTF ? "btf" : "dwarf", spt_layout.id);
}

static void spt_status_no_kvm(struct seq_file *seq)
{
	u8 id[SPT_BUILD_ID_SIZE];
	char reason[SPT_REASON_SIZE];

	if (spt_running_build_id("kvm", id))
		seq_puts(seq, "kvm_build_id: n/a\n");
	else
		seq_printf(seq, "kvm_build_id: %*phN\n", SPT_BUILD_ID_SIZE, id);
	seq_puts(seq, "vendor: n/a\nmmu: n/a\ntdp_mmu: n/a\n");
	spt_layout_reason(reason, sizeof(reason));
	if (reason[0])
		seq_printf(seq, "layout: none (%s)\n", reason);
	else
		seq_puts(seq, "layout: none\n");
}

static int spt_status_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "abi: %u\n", SPT_IMAGE_ABI);
	seq_printf(seq, "version: %s\n", SPT_AGENT_VERSION);
	seq_printf(seq, "kernel: %s\n", init_utsname()->release);
	if (!spt_layout_enter()) {
		spt_status_kvm(seq);
		spt_layout_leave();
	} else {
		spt_status_no_kvm(seq);
	}
	seq_printf(seq, "armed: %s\n", spt_armed ? "yes" : "no");
	seq_printf(seq, "vms: %u\n", spt_vm_dirs_count());
	seq_printf(seq, "actions: %llu\n", spt_journal_actions());
	return 0;
}

static int spt_masks_show(struct seq_file *seq, void *unused)
{
	unsigned int i;
	u64 value;

	if (spt_layout_enter())
		return -ENODEV;
	for (i = 0; i < SPT_MASK_COUNT; i++)
		if (spt_mask_value(i, &value))
			seq_printf(seq, "%s: %#llx\n", spt_mask_names[i].name, value);
		else
			seq_printf(seq, "%s: n/a\n", spt_mask_names[i].name);
	spt_layout_leave();
	return 0;
}

/* F(name, show) */
#define SPT_SEQ_FILE(name)							\
static int spt_##name##_open(struct inode *inode, struct file *file)		\
{										\
	int error = spt_may_open();						\
										\
	return error ? error : single_open(file, spt_##name##_show, NULL);	\
}										\
										\
const struct file_operations spt_##name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = spt_##name##_open,						\
	.read = seq_read,							\
	.llseek = seq_lseek,							\
	.release = single_release,						\
}

SPT_SEQ_FILE(status);
SPT_SEQ_FILE(masks);
