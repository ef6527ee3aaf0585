// SPDX-License-Identifier: GPL-2.0
/* vCPUs: one line each; of the chosen one its registers, and the code at RIP. */
#include <inttypes.h>

#include "decoders/gpte.h"
#include "spt/registers.h"
#include "tui/list.h"

struct vcpus {
	struct tui_list list;
	struct tui_text code; /* what `disasm rip` says of the chosen one */
	int64_t code_vcpu;
	uint64_t code_reads;
	bool have_code;
};

/* enum of kvm_host.h: OUTSIDE_GUEST_MODE, ... */
static const char *const modes[] = { "outside", "in guest", "exiting", "reading" };

/* The registers shown, as many in a row as have room; beside them the roots, which KVM has. */
static const enum spt_register registers[] = {
	SPT_REGISTER_RAX, SPT_REGISTER_RBX,  SPT_REGISTER_RCX,	  SPT_REGISTER_RDX,
	SPT_REGISTER_RSI, SPT_REGISTER_RDI,  SPT_REGISTER_RSP,	  SPT_REGISTER_RBP,
	SPT_REGISTER_RIP, SPT_REGISTER_R8,   SPT_REGISTER_R9,	  SPT_REGISTER_R10,
	SPT_REGISTER_R11, SPT_REGISTER_R12,  SPT_REGISTER_R13,	  SPT_REGISTER_R14,
	SPT_REGISTER_R15, SPT_REGISTER_CR2,  SPT_REGISTER_CR0,	  SPT_REGISTER_CR3,
	SPT_REGISTER_CR4, SPT_REGISTER_EFER, SPT_REGISTER_RFLAGS, SPT_REGISTER_CS_SELECTOR,
};

#define NR_REGISTERS   ((int)(sizeof(registers) / sizeof(registers[0])))
#define REGISTER_WIDTH 26 /* columns of one: its name, the value in full, a gap */
#define MOST_PER_ROW   3

static int per_row(const struct tui *t)
{
	int n = t->canvas.cols / REGISTER_WIDTH;

	return n < 1 ? 1 : n > MOST_PER_ROW ? MOST_PER_ROW : n;
}

/* Rows of the registers, with a title and the roots. */
static int foot(const struct tui *t)
{
	return 2 + (NR_REGISTERS + per_row(t) - 1) / per_row(t);
}

static void vcpus_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts = SPT_REGISTERS_PARTS;
}

static const char *hex_or(const struct spt_valueset *v, unsigned int nr, char text[24])
{
	uint64_t value;

	if (!spt_value(v, nr, &value))
		return "n/a";
	if (value == SPT_NO_HPA && (nr == SPT_VCPU_ROOT_HPA || nr == SPT_VCPU_MIRROR_ROOT_HPA))
		return "not loaded";
	snprintf(text, 24, "0x%" PRIx64, value);
	return text;
}

static const char *paging_name(const struct spt_valueset *v)
{
	uint64_t cr0, cr4, efer;
	struct spt_guest_mmu mmu;

	if (!spt_value(v, SPT_VCPU_CR0, &cr0) || !spt_value(v, SPT_VCPU_CR4, &cr4) ||
	    !spt_value(v, SPT_VCPU_EFER, &efer))
		return "n/a";
	spt_guest_mmu_init(&mmu, cr0, cr4, efer, 0);
	return spt_guest_paging_name(mmu.paging);
}

static void put_vcpu(struct tui *t, uint32_t nr, int row)
{
	const struct spt_valueset *v = &tui_model(t)->vcpus[nr].values;
	uint64_t id = 0, cpu = 0, pid = 0, mode = ~0ULL, rip;
	char rip_text[24] = "n/a", root[24];
	struct spt_registers regs;

	spt_value(v, SPT_VCPU_ID, &id);
	spt_value(v, SPT_VCPU_CPU, &cpu);
	spt_value(v, SPT_VCPU_PID, &pid);
	spt_value(v, SPT_VCPU_MODE, &mode);
	spt_registers_of(tui_model(t), nr, &regs);
	if (spt_register(&regs, SPT_REGISTER_RIP, &rip))
		snprintf(rip_text, sizeof(rip_text), "0x%" PRIx64, rip);
	tui_put(&t->canvas, row, 0, TUI_PLAIN, "%4d %7d %4d %-8s %-7s %-18s %s", (int)id, (int)pid,
		(int)cpu, mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "n/a",
		paging_name(v), rip_text, hex_or(v, SPT_VCPU_ROOT_HPA, root));
}

/* From @row on, what fits above @end. */
static void put_registers(struct tui *t, uint32_t nr, int row, int end)
{
	const struct spt_model *m = tui_model(t);
	const struct spt_valueset *v = &m->vcpus[nr].values;
	int columns = per_row(t), width = t->canvas.cols / columns, col;
	struct spt_registers regs;
	char root[24], hw[24];

	spt_registers_of(m, nr, &regs);
	tui_fill(&t->canvas, row, 0, t->canvas.cols, TUI_DIM, 0x2500);
	tui_put(&t->canvas, row, 2, TUI_TITLE, " vCPU %d%s: %s ", (int)regs.vcpu,
		regs.nested ? " (its own guest's)" : "", spt_regs_source_text(regs.source));
	for (int i = 0; i < NR_REGISTERS && row + 1 + i / columns < end; i++) {
		int at = row + 1 + i / columns;
		uint64_t value;

		col = tui_put(&t->canvas, at, i % columns * width, TUI_DIM, "%6.6s ",
			      spt_register_name(registers[i]));
		if (spt_register(&regs, registers[i], &value))
			tui_put(&t->canvas, at, col, TUI_PLAIN, "0x%" PRIx64, value);
		else
			tui_put(&t->canvas, at, col, TUI_DIM, "n/a");
	}
	row += foot(t) - 1;
	if (row >= end)
		return;
	col = tui_put(&t->canvas, row, 0, TUI_DIM, "  root ");
	col = tui_put(&t->canvas, row, col, TUI_PLAIN, "%s", hex_or(v, SPT_VCPU_ROOT_HPA, root));
	col = tui_put(&t->canvas, row, col, TUI_DIM, "  EPTP or nCR3 ");
	tui_put(&t->canvas, row, col, TUI_PLAIN, "%s", hex_or(v, SPT_VCPU_HW_ROOT, hw));
}

/* The code at RIP, below; read anew with the registers, of a VM that is still there. */
static void put_code(struct tui *t, struct vcpus *v, int row, int rows)
{
	uint64_t id = 0;
	char line[64];

	spt_value(&tui_model(t)->vcpus[v->list.at].values, SPT_VCPU_ID, &id);
	if (rows < 3 || t->subject.gone)
		return;
	if (!v->have_code || v->code_vcpu != (int64_t)id ||
	    (v->code_reads != t->subject.reads && !t->frozen)) {
		snprintf(line, sizeof(line), "disasm rip --vcpu %d --count %d", (int)id, rows - 1);
		if (tui_command(t, line, &v->code) < 0)
			return;
		v->have_code = true;
		v->code_vcpu = (int64_t)id;
		v->code_reads = t->subject.reads;
	}
	tui_text_draw(&v->code, &t->canvas, row, rows, "code at RIP");
}

static int list_rows(const struct tui *t, const struct tui_area *area, const struct tui_list *list)
{
	int rows = area->rows - 1 - foot(t);

	rows = rows > list->count ? list->count : rows;
	return rows > 1 ? rows : 1;
}

static bool vcpus_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct vcpus *v = state;
	const struct spt_model *m = tui_model(t);
	int rows;

	tui_list_set(&v->list, (int)m->nr_vcpus);
	rows = list_rows(t, area, &v->list);
	tui_list_fit(&v->list, rows);
	tui_put(&t->canvas, area->row, 0, TUI_HEADING,
		"vCPU  thread  CPU state    paging  %-18s root", "RIP");
	for (int i = 0; i < rows && v->list.top + i < v->list.count; i++)
		put_vcpu(t, (uint32_t)(v->list.top + i), area->row + 1 + i);
	if (v->list.count) {
		put_registers(t, (uint32_t)v->list.at, area->row + 1 + rows,
			      area->row + area->rows);
		put_code(t, v, area->row + 1 + rows + foot(t), area->rows - 1 - rows - foot(t));
	} else {
		tui_put(&t->canvas, area->row + 1, 0, TUI_DIM, "no vCPU");
	}
	tui_list_mark(t, &v->list, area->row + 1, rows);
	return false;
}

static bool vcpus_key(struct tui *t, void *state, enum tui_command command, int key,
		      const struct tui_area *area)
{
	struct vcpus *v = state;

	return tui_list_key(&v->list, command, key, area->row + 1, list_rows(t, area, &v->list));
}

static void vcpus_close(void *state)
{
	tui_text_free(&((struct vcpus *)state)->code);
}

const struct tui_view tui_view_vcpus = {
	.state_size = sizeof(struct vcpus),
	.want = vcpus_want,
	.draw = vcpus_draw,
	.key = vcpus_key,
	.close = vcpus_close,
};
