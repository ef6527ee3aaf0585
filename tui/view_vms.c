// SPDX-License-Identifier: GPL-2.0
/*
 * The VMs of this host: what is mapped by which page size, and what happens a second. Faults
 * are KVM's own count (debugfs kvm/PID-FD/pf_taken); zaps are the invalidations that it was
 * told of, splits the huge pages that became fewer while 4K pages became more.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/number.h"
#include "tui/list.h"

#define LOOK_MS 1000

enum rate { RATE_FAULTS, RATE_ZAPS, RATE_SPLITS, RATES };

struct vm {
	char id[32];
	char comm[16], name[64];
	char mmu[8], type[16];
	struct { /* at the last look and the one before */
		bool known;
		int64_t ms;
		bool have_pages, have_faults;
		uint64_t pages[3], zaps, faults;
	} look[2];
};

struct vms {
	struct tui_list list;
	struct vm *vm;
	size_t count;
	int64_t due_ms;
	struct spt_model model;
	bool model_ready;
	bool failed; /* to list them: why is in 'error' */
	struct spt_error error;
};

static void take_look(struct vm *vm, const struct spt_model *m)
{
	static const unsigned int pages[3] = { SPT_VM_PAGES_4K, SPT_VM_PAGES_2M, SPT_VM_PAGES_1G };

	vm->look[1] = vm->look[0];
	memset(&vm->look[0], 0, sizeof(vm->look[0]));
	vm->look[0].known = vm->look[0].have_pages = true;
	vm->look[0].ms = tui_now_ms();
	for (int i = 0; i < 3; i++)
		vm->look[0].have_pages &= spt_value(&m->vm, pages[i], &vm->look[0].pages[i]);
	spt_value(&m->vm, SPT_VM_MMU_INVALIDATE_SEQ, &vm->look[0].zaps);
	snprintf(vm->comm, sizeof(vm->comm), "%s", m->image.head.comm);
	snprintf(vm->mmu, sizeof(vm->mmu), "%s", spt_model_mmu(m));
	snprintf(vm->type, sizeof(vm->type), "%s", spt_model_vm_type(m));
}

/* KVM's statistics lie beside the agent's files. */
static bool read_faults(const char *id, uint64_t *ret)
{
	const char *dir = spt_debugfs(), *end = strrchr(dir, '/');
	char path[512], text[32] = "";
	FILE *f;

	if (!end)
		return false;
	snprintf(path, sizeof(path), "%.*s/kvm/%s/pf_taken", (int)(end - dir), dir, id);
	f = fopen(path, "re");
	if (!f)
		return false;
	*ret = fgets(text, sizeof(text), f) ? strtoull(text, NULL, 10) : 0;
	fclose(f);
	return text[0] != '\0';
}

static void look_at(struct vms *v, struct vm *vm)
{
	const struct spt_request request = { .parts = SPT_PART_VM };
	struct spt_source *source;

	if (spt_source_open_vm(vm->id, &source, NULL))
		return;
	if (!spt_model_read(&v->model, source, &request, 0, NULL)) {
		take_look(vm, &v->model);
		vm->look[0].have_faults = read_faults(vm->id, &vm->look[0].faults);
	}
	spt_source_close(source);
}

/* The VMs there are now; what is known of those that were there stays. */
static int list_vms(struct vms *v)
{
	struct spt_vm_name *names;
	struct vm *vms;
	size_t count;
	int rc = spt_agent_check(&v->error);

	if (!rc)
		rc = spt_vms_list(&names, &count, &v->error);
	if (rc)
		return rc;
	vms = calloc(count + 1, sizeof(*vms));
	for (size_t i = 0; vms && i < count; i++) {
		for (size_t k = 0; k < v->count; k++)
			if (!strcmp(v->vm[k].id, names[i].id))
				vms[i] = v->vm[k];
		if (!vms[i].id[0])
			spt_vm_guest_name(names[i].pid, vms[i].name, sizeof(vms[i].name));
		memcpy(vms[i].id, names[i].id, sizeof(vms[i].id));
	}
	free(names);
	if (!vms)
		return spt_fail(&v->error, ENOMEM, "out of memory");
	free(v->vm);
	v->vm = vms;
	v->count = count;
	return 0;
}

static void look(struct tui *t, struct vms *v)
{
	int64_t now = tui_now_ms();

	if (now < v->due_ms || (t->frozen && v->count))
		return;
	v->due_ms = now + LOOK_MS;
	if (!v->model_ready)
		spt_model_init(&v->model);
	v->model_ready = true;
	if (t->opt->image) {
		if (!v->vm)
			v->vm = calloc(1, sizeof(*v->vm));
		v->count = v->vm && tui_model(t);
		if (v->count && !v->vm->look[0].known) {
			take_look(v->vm, tui_model(t));
			snprintf(v->vm->id, sizeof(v->vm->id), "%s", tui_model(t)->image.head.id);
		}
	} else {
		v->failed = list_vms(v) != 0;
		if (v->failed)
			v->count = 0;
		for (size_t i = 0; i < v->count; i++)
			look_at(v, &v->vm[i]);
	}
	tui_list_set(&v->list, (int)v->count);
}

static void vms_want(struct tui *t, void *state, struct spt_request *req)
{
	/* An image is there in full anyway. */
	req->parts = t->opt->image ? SPT_PART_VM : 0;
}

static uint64_t became_fewer(uint64_t before, uint64_t now)
{
	return before > now ? before - now : 0;
}

/* What happened between the two looks, a second; false: not known. */
static bool rate_of(const struct vm *vm, enum rate what, uint64_t *ret)
{
	int64_t ms = vm->look[0].ms - vm->look[1].ms;
	uint64_t n = 0;

	if (!vm->look[1].known || ms <= 0)
		return false;
	if (what == RATE_FAULTS) {
		if (!vm->look[0].have_faults || !vm->look[1].have_faults)
			return false;
		n = vm->look[0].faults - vm->look[1].faults;
	} else if (what == RATE_ZAPS) {
		n = vm->look[0].zaps - vm->look[1].zaps;
	} else {
		if (!vm->look[0].have_pages || !vm->look[1].have_pages)
			return false;
		if (vm->look[0].pages[0] > vm->look[1].pages[0])
			n = became_fewer(vm->look[1].pages[1], vm->look[0].pages[1]) +
			    became_fewer(vm->look[1].pages[2], vm->look[0].pages[2]);
	}
	*ret = (n * 1000 + (uint64_t)ms / 2) / (uint64_t)ms;
	return true;
}

/* Bytes with at most four digits. */
static const char *short_size(uint64_t bytes, char text[24])
{
	static const char units[] = "BKMGTPE";
	int unit = 0;

	while (bytes >= 10000 && unit < 6) {
		bytes = (bytes + 512) >> 10;
		unit++;
	}
	snprintf(text, 24, "%" PRIu64 "%c", bytes, units[unit]);
	return text;
}

static void put_vm(struct tui *t, const struct vm *vm, int row)
{
	char text[24];
	int col = tui_put(&t->canvas, row, 0, TUI_PLAIN, "%-12s %-10.10s %-6s", vm->id,
			  vm->name[0] ? vm->name : vm->comm, vm->mmu);
	static const int widths[RATES] = { 8, 7, 8 };
	uint64_t rate;

	for (int i = 0; i < 3; i++) {
		if (vm->look[0].have_pages)
			short_size(vm->look[0].pages[i] * spt_level_size(i + 1), text);
		else
			snprintf(text, sizeof(text), "n/a");
		col = tui_put(&t->canvas, row, col,
			      i == 0   ? TUI_ORANGE
			      : i == 1 ? TUI_SKY
				       : TUI_BLUE,
			      " %7s", text);
	}
	for (int i = 0; i < RATES; i++) {
		if (rate_of(vm, i, &rate))
			col = tui_put(&t->canvas, row, col, TUI_PLAIN, " %*" PRIu64, widths[i],
				      rate);
		else
			col = tui_put(&t->canvas, row, col, TUI_DIM, " %*s", widths[i], "n/a");
	}
}

static bool vms_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct vms *v = state;
	int rows = area->rows - 1;

	look(t, v);
	tui_list_fit(&v->list, rows);
	tui_put(&t->canvas, area->row, 0, TUI_HEADING, "%-12s %-10s %-6s %7s %7s %7s %8s %7s %8s",
		"VM", "name", "MMU", "4K", "2M", "1G", "faults/s", "zaps/s", "splits/s");
	for (int i = 0; i < rows && v->list.top + i < v->list.count; i++)
		put_vm(t, &v->vm[v->list.top + i], area->row + 1 + i);
	if (v->failed)
		tui_put(&t->canvas, area->row + 1, 0, TUI_BAD, "%s", v->error.text);
	else if (!v->list.count)
		tui_put(&t->canvas, area->row + 1, 0, TUI_DIM, "no VM runs on this host");
	tui_list_mark(t, &v->list, area->row + 1, rows);
	return false;
}

static bool vms_key(struct tui *t, void *state, enum tui_command command, int key,
		    const struct tui_area *area)
{
	struct vms *v = state;

	if (command == TUI_CMD_REREAD) {
		v->due_ms = 0;
		return true;
	}
	if (tui_list_key(&v->list, command, key, area->row + 1, area->rows - 1))
		return true;
	if ((command != TUI_CMD_ENTER && key != TUI_KEY_DOUBLE) || !v->list.count)
		return false;
	if (t->opt->image)
		tui_show(t, TUI_VIEW_MAP);
	else
		tui_choose_vm(t, v->vm[v->list.at].id);
	return true;
}

static int vms_wait(struct tui *t, void *state)
{
	const struct vms *v = state;
	int64_t left = v->due_ms - tui_now_ms();

	if (t->opt->image || t->frozen)
		return -1;
	return left > 0 ? (int)left : 0;
}

static void vms_close(void *state)
{
	struct vms *v = state;

	if (v->model_ready)
		spt_model_deinit(&v->model);
	free(v->vm);
}

const struct tui_view tui_view_vms = {
	.state_size = sizeof(struct vms),
	.want = vms_want,
	.draw = vms_draw,
	.key = vms_key,
	.close = vms_close,
	.wait = vms_wait,
};
