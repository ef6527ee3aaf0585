// SPDX-License-Identifier: GPL-2.0
#include "cli/target.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/progress.h"

struct cli_target {
	struct spt_source *source;
	struct spt_model model;
	bool is_image;
	struct spt_numa numa; /* of a live VM's host, when asked for last */
	int pid;	      /* of a live VM's VMM */
	char *asked;	      /* the -V or -i it was opened for; NULL: the only VM */
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* A VM outlives its VMM for as long as we hold it, but nothing runs in it any more. */
static bool vmm_is_gone(const struct cli_target *t)
{
	return !t->is_image && kill(t->pid, 0) && errno == ESRCH;
}

/* Whether the open target is what the options in force mean. */
static bool target_fits(const struct cli *cli)
{
	const struct cli_target *t = cli->target;

	if (t->is_image != (cli->opt.image != NULL))
		return false;
	return same_text(t->asked, t->is_image ? cli->opt.image : cli->opt.vm);
}

void cli_target_close(struct cli *cli)
{
	struct cli_target *t = cli->target;

	if (!t)
		return;
	spt_model_deinit(&t->model);
	spt_numa_free(&t->numa);
	spt_source_close(t->source);
	free(t->asked);
	free(t);
	cli->target = NULL;
}

static int open_source(struct cli *cli, struct spt_source **ret, int *pid)
{
	struct spt_vm_name vm;
	int rc;

	if (cli->opt.image)
		return spt_source_open_file(cli->opt.image, ret, &cli->error);
	rc = spt_agent_check(&cli->error);
	if (rc)
		return rc;
	rc = spt_vm_find(cli->opt.vm, &vm, &cli->error);
	if (rc)
		return rc;
	*pid = vm.pid;
	return spt_source_open_vm(vm.id, ret, &cli->error);
}

int cli_source(struct cli *cli, struct spt_source **ret)
{
	const char *asked = cli->opt.image ? cli->opt.image : cli->opt.vm;
	struct cli_target *t;
	int rc;

	spt_debugfs_set(cli->opt.debug_dir);
	if (cli->target && target_fits(cli) && !vmm_is_gone(cli->target)) {
		*ret = cli->target->source;
		return 0;
	}
	cli_target_close(cli);
	t = calloc(1, sizeof(*t));
	if (!t)
		return cli_fail(cli, ENOMEM, "out of memory");
	rc = open_source(cli, &t->source, &t->pid);
	if (rc) {
		free(t);
		return rc;
	}
	spt_model_init(&t->model);
	t->is_image = cli->opt.image != NULL;
	t->asked = asked ? strdup(asked) : NULL;
	cli->target = t;
	*ret = t->source;
	return 0;
}

struct spt_model *cli_empty_model(struct cli *cli)
{
	return &cli->target->model;
}

unsigned int cli_image_flags(const struct cli *cli)
{
	return cli->opt.salvage ? SPT_IMAGE_SALVAGE : 0;
}

void cli_note_torn(struct cli *cli, const struct spt_model *model)
{
	const char *name = model->image.name;
	char text[160];
	bool torn = spt_model_torn(model, text, sizeof(text));

	if (torn)
		cli_warn(cli, "%s: torn: %s", name, text);
	if (model->image.missing[0])
		cli_warn(cli, "%s: incomplete: %s", name, model->image.missing);
	if (cli->opt.json) {
		cli_json_put(cli, "torn", json_object_new_boolean(torn));
		if (torn)
			cli_json_put(cli, "torn_by", json_object_new_string(text));
		if (model->image.missing[0])
			cli_json_put(cli, "missing", json_object_new_string(model->image.missing));
	}
}

int cli_read(struct cli *cli, const struct spt_request *req, struct spt_model **ret)
{
	struct cli_progress progress;
	struct spt_source *source;
	int rc;

	rc = cli_source(cli, &source);
	if (rc)
		return rc;
	progress = cli_progress_begin(cli, "reading");
	spt_source_set_progress(source, cli_progress_step, &progress);
	rc = spt_model_read(&cli->target->model, source, req, cli_image_flags(cli), &cli->error);
	spt_source_set_progress(source, NULL, NULL);
	cli_progress_end(&progress);
	if (rc) {
		/* A VM that is gone stays gone on this descriptor; look it up again next time. */
		cli_target_close(cli);
		return rc;
	}
	*ret = &cli->target->model;
	return 0;
}

int cli_model(struct cli *cli, const struct spt_request *req, struct spt_model **ret)
{
	int rc = cli_read(cli, req, ret);

	if (!rc)
		cli_note_torn(cli, *ret);
	return rc;
}

const struct spt_numa *cli_numa(struct cli *cli)
{
	struct cli_target *t = cli->target;

	if (!t || t->is_image)
		return NULL;
	spt_numa_free(&t->numa);
	spt_numa_read(NULL, &t->numa);
	return &t->numa;
}
