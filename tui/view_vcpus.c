// SPDX-License-Identifier: GPL-2.0
/* vCPUs: one line each; of the chosen one its registers, and the code at RIP. */
#include <inttypes.h>

#include "decoders/gpte.h"
#include "tui/list.h"

struct vcpus {
	struct tui_list list;
};

/* enum of kvm_host.h: OUTSIDE_GUEST_MODE, ... */
static const char *const modes[] = { "outside", "in guest", "exiting", "reading" };

/* The registers shown, three in a row. */
static const struct {
	const char *name;
	enum spt_vcpu_value value;
} registers[] = {
	{ "rax", SPT_VCPU_RAX },   { "rbx", SPT_VCPU_RBX },	  { "rcx", SPT_VCPU_RCX },
	{ "rdx", SPT_VCPU_RDX },   { "rsi", SPT_VCPU_RSI },	  { "rdi", SPT_VCPU_RDI },
	{ "rsp", SPT_VCPU_RSP },   { "rbp", SPT_VCPU_RBP },	  { "rip", SPT_VCPU_RIP },
	{ "r8", SPT_VCPU_R8 },	   { "r9", SPT_VCPU_R9 },	  { "r10", SPT_VCPU_R10 },
	{ "r11", SPT_VCPU_R11 },   { "r12", SPT_VCPU_R12 },	  { "r13", SPT_VCPU_R13 },
	{ "r14", SPT_VCPU_R14 },   { "r15", SPT_VCPU_R15 },	  { "cr2", SPT_VCPU_CR2 },
	{ "cr0", SPT_VCPU_CR0 },   { "cr3", SPT_VCPU_CR3 },	  { "cr4", SPT_VCPU_CR4 },
	{ "efer", SPT_VCPU_EFER }, { "root", SPT_VCPU_ROOT_HPA }, { "hw", SPT_VCPU_HW_ROOT },
};

#define NR_REGISTERS ((int)(sizeof(registers) / sizeof(registers[0])))
#define PER_ROW	     3
#define FOOT	     (1 + NR_REGISTERS / PER_ROW + 1)

static void vcpus_want(struct tui *t, void *state, struct spt_request *req)
{
	req->parts = SPT_PART_VM | SPT_PART_VCPUS;
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

static void put_vcpu(struct tui *t, const struct spt_valueset *v, int row)
{
	uint64_t id = 0, cpu = 0, pid = 0, mode = ~0ULL;
	char rip[24], root[24];

	spt_value(v, SPT_VCPU_ID, &id);
	spt_value(v, SPT_VCPU_CPU, &cpu);
	spt_value(v, SPT_VCPU_PID, &pid);
	spt_value(v, SPT_VCPU_MODE, &mode);
	tui_put(&t->canvas, row, 0, TUI_PLAIN, "%4d %7d %4d %-8s %-7s %-18s %s", (int)id, (int)pid,
		(int)cpu, mode < sizeof(modes) / sizeof(modes[0]) ? modes[mode] : "n/a",
		paging_name(v), hex_or(v, SPT_VCPU_RIP, rip), hex_or(v, SPT_VCPU_ROOT_HPA, root));
}

static void put_registers(struct tui *t, const struct spt_valueset *v, int row)
{
	uint64_t fresh = 0, cr3_fresh = 0, id = 0;
	int width = t->canvas.cols / PER_ROW;
	char text[24];

	spt_value(v, SPT_VCPU_ID, &id);
	spt_value(v, SPT_VCPU_REGS_FRESH, &fresh);
	spt_value(v, SPT_VCPU_CR3_FRESH, &cr3_fresh);
	tui_fill(&t->canvas, row, 0, t->canvas.cols, TUI_DIM, 0x2500);
	tui_put(&t->canvas, row, 2, TUI_TITLE, " vCPU %d: %s ", (int)id,
		fresh && cr3_fresh ? "registers of its last exit, or of now"
		: fresh		   ? "CR3 may be older than the rest"
				   : "it was in the guest: registers of its last exit");
	for (int i = 0; i < NR_REGISTERS; i++) {
		int col = tui_put(&t->canvas, row + 1 + i / PER_ROW, i % PER_ROW * width, TUI_DIM,
				  "%4s ", registers[i].name);

		tui_put(&t->canvas, row + 1 + i / PER_ROW, col, TUI_PLAIN, "%s",
			hex_or(v, registers[i].value, text));
	}
}

static int list_rows(const struct tui_area *area, const struct tui_list *list)
{
	int rows = area->rows - 1 - FOOT;

	rows = rows > list->count ? list->count : rows;
	return rows > 1 ? rows : 1;
}

static bool vcpus_draw(struct tui *t, void *state, const struct tui_area *area)
{
	struct vcpus *v = state;
	const struct spt_model *m = tui_model(t);
	int rows;

	tui_list_set(&v->list, (int)m->nr_vcpus);
	rows = list_rows(area, &v->list);
	tui_list_fit(&v->list, rows);
	tui_put(&t->canvas, area->row, 0, TUI_HEADING,
		"vCPU  thread  CPU state    paging  %-18s root", "RIP");
	for (int i = 0; i < rows && v->list.top + i < v->list.count; i++)
		put_vcpu(t, &m->vcpus[v->list.top + i].values, area->row + 1 + i);
	if (v->list.count)
		put_registers(t, &m->vcpus[v->list.at].values, area->row + 1 + rows);
	else
		tui_put(&t->canvas, area->row + 1, 0, TUI_DIM, "no vCPU");
	tui_list_mark(t, &v->list, area->row + 1, rows);
	return false;
}

static bool vcpus_key(struct tui *t, void *state, enum tui_command command, int key,
		      const struct tui_area *area)
{
	struct vcpus *v = state;

	return tui_list_key(&v->list, command, key, area->row + 1, list_rows(area, &v->list));
}

const struct tui_view tui_view_vcpus = {
	.state_size = sizeof(struct vcpus),
	.want = vcpus_want,
	.draw = vcpus_draw,
	.key = vcpus_key,
};
