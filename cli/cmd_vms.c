// SPDX-License-Identifier: GPL-2.0
/* `vms`: the virtual machines of this host, or the one of an image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/table.h"
#include "cli/target.h"

enum {
	COL_ID,
	COL_PID,
	COL_FD,
	COL_COMM,
	COL_NAME,
	COL_VCPUS,
	COL_MMU,
	COL_TDP_MMU,
	COL_TYPE,
	COL_SLOTS
};

static const struct cli_column columns[] = {
	[COL_ID] = { "id", 12, 0, "PID-FD, as KVM's own debugfs names it" },
	[COL_PID] = { "pid", 7, CLI_COL_RIGHT | CLI_COL_EXTRA, "of the VMM" },
	[COL_FD] = { "fd", 4, CLI_COL_RIGHT | CLI_COL_EXTRA, "of the VM in the VMM" },
	[COL_COMM] = { "comm", 15, 0, "command name of the VMM" },
	[COL_NAME] = { "name", 16, 0, "guest name given to the VMM (-name)" },
	[COL_VCPUS] = { "vcpus", 5, CLI_COL_RIGHT, "vCPUs online" },
	[COL_MMU] = { "mmu", 6, 0, "ept, npt or shadow" },
	[COL_TDP_MMU] = { "tdp_mmu", 7, 0, "tables are the TDP MMU's, not the shadow MMU's" },
	[COL_TYPE] = { "type", 12, 0, "normal, sw-protected, sev, tdx, ..." },
	[COL_SLOTS] = { "slots", 5, CLI_COL_RIGHT, "memory slots, both address spaces" },
	{ NULL },
};

static const struct spt_request request = {
	.parts = SPT_PART_VM | SPT_PART_MEMSLOTS,
};

static void add_row(struct cli_table *t, const struct spt_model *model, bool live)
{
	const struct spt_head *head = &model->image.head;
	char name[128] = "";
	uint64_t vcpus;

	/* The VMM of an image is long gone, and its PID may be another process's by now. */
	if (live)
		spt_vm_guest_name(head->pid, name, sizeof(name));
	cli_table_row(t);
	cli_cell_text(t, COL_ID, "%s", head->id);
	cli_cell_number(t, COL_PID, head->pid);
	cli_cell_number(t, COL_FD, head->fd);
	cli_cell_text(t, COL_COMM, "%s", head->comm);
	cli_cell_text(t, COL_NAME, "%s", name);
	if (spt_value(&model->vm, SPT_VM_ONLINE_VCPUS, &vcpus))
		cli_cell_number(t, COL_VCPUS, (int64_t)vcpus);
	else
		cli_cell_na(t, COL_VCPUS);
	cli_cell_text(t, COL_MMU, "%s", spt_model_mmu(model));
	cli_cell_bool(t, COL_TDP_MMU, head->tdp_mmu);
	cli_cell_text(t, COL_TYPE, "%s", spt_model_vm_type(model));
	cli_cell_number(t, COL_SLOTS, model->memslots.count);
}

/* A VM that went away between the listing and the reading is no error. */
static bool vanished(int rc)
{
	return rc == -ENOENT || rc == -ESTALE || rc == -ENODEV || rc == -ESRCH;
}

static int add_vm(struct cli *cli, struct cli_table *t, const char *id, struct spt_model *model)
{
	struct spt_source *source;
	struct spt_image image;
	int rc;

	rc = spt_source_open_vm(id, &source, &cli->error);
	if (rc)
		return vanished(rc) ? 0 : rc;
	rc = spt_source_read(source, &request, cli_image_flags(cli), &image, &cli->error);
	if (!rc)
		rc = spt_model_load(model, &image, &cli->error);
	if (!rc)
		add_row(t, model, true);
	spt_source_close(source);
	return vanished(rc) ? 0 : rc;
}

/* The VMs to list: all, or the one that -V means. Free *@vms. */
static int find_vms(struct cli *cli, struct spt_vm_name **vms, size_t *count)
{
	int rc;

	if (!cli->opt.vm)
		return spt_vms_list(vms, count, &cli->error);
	*count = 1;
	*vms = calloc(1, sizeof(**vms));
	if (!*vms)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = spt_vm_find(cli->opt.vm, *vms, &cli->error);
	if (rc)
		free(*vms);
	return rc;
}

static int add_all(struct cli *cli, struct cli_table *t, const struct spt_vm_name *vms,
		   size_t count)
{
	struct spt_model model;
	int rc = 0;

	spt_model_init(&model);
	for (size_t i = 0; !rc && i < count; i++)
		rc = add_vm(cli, t, vms[i].id, &model);
	spt_model_deinit(&model);
	if (!rc && !count && cli->tty)
		cli_warn(cli, "no VM runs on this host");
	return rc;
}

static int list_live(struct cli *cli)
{
	struct spt_vm_name *vms;
	struct cli_table *t;
	size_t count;
	int rc;

	rc = spt_agent_check(&cli->error);
	if (!rc)
		rc = find_vms(cli, &vms, &count);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "vms", 0);
	if (!t) {
		rc = -cli->error.code;
	} else {
		rc = add_all(cli, t, vms, count);
		if (cli_table_end(t))
			rc = -cli->error.code;
	}
	free(vms);
	return rc;
}

static int vms_run(struct cli *cli, const struct cli_call *call)
{
	struct spt_model *model;
	struct cli_table *t;
	int rc;

	spt_debugfs_set(cli->opt.debug_dir);
	if (!cli->opt.image)
		return list_live(cli);
	rc = cli_model(cli, &request, &model);
	if (rc)
		return rc;
	t = cli_table_begin(cli, columns, "vms", 0);
	if (!t)
		return -cli->error.code;
	add_row(t, model, false);
	return cli_table_end(t);
}

const struct cli_command cli_cmd_vms = {
	.name = "vms",
	.help = "list the virtual machines of this host",
	.example = "vms",
	.columns = columns,
	.run = vms_run,
};
