// SPDX-License-Identifier: GPL-2.0
#include "cli/show_events.h"

#include <inttypes.h>
#include <string.h>

#include "cli/json.h"
#include "decoders/instruction.h"

enum {
	COL_TIME,
	COL_CPU,
	COL_PID,
	COL_THREAD,
	COL_VCPU,
	COL_KIND,
	COL_ADDRESS,
	COL_SPACE,
	COL_SIZE,
	COL_SLOT,
	COL_CAUSE,
	COL_WHAT,
	COL_RIP,
	COL_INSTRUCTION,
	COL_LEVEL,
	COL_AS,
	COL_ROOT,
	COL_ERROR,
	COL_OLD,
	COL_NEW,
	COL_RESULT,
	COL_OF_FAULT,
	COL_FOREIGN,
	COL_L2,
};

#define HIDDEN CLI_COL_EXTRA

const struct cli_column cli_event_columns[] = {
	[COL_TIME] = { "time", 12, CLI_COL_RIGHT,
		       "seconds since the recording began; JSON: nanoseconds" },
	[COL_CPU] = { "cpu", 3, CLI_COL_RIGHT | HIDDEN, "host CPU" },
	[COL_PID] = { "pid", 7, CLI_COL_RIGHT | HIDDEN, "thread that did it" },
	[COL_THREAD] = { "thread", 15, HIDDEN, "its name" },
	[COL_VCPU] = { "vcpu_id", 4, CLI_COL_RIGHT, "vCPU, of a vCPU's thread" },
	[COL_KIND] = { "kind", 10, 0, "fault, spte, mmio, ...: 'help events'" },
	[COL_ADDRESS] = { "address", 18, 0, "guest-physical but where 'space' says otherwise" },
	[COL_SPACE] = { "space", 6, HIDDEN, "gpa, gva, hva, l2-gpa" },
	[COL_SIZE] = { "size", 8, CLI_COL_RIGHT | HIDDEN,
		       "bytes that it is about, 0: one address" },
	[COL_SLOT] = { "slot", 4, CLI_COL_RIGHT, "memory slot that has the address" },
	[COL_CAUSE] = { "cause", 22, HIDDEN, "as --summary counts it" },
	[COL_WHAT] = { "what", 44, 0, "what happened: the fault, or the entry before and after" },
	[COL_RIP] = { "rip", 18, 0, "instruction of the fault" },
	[COL_INSTRUCTION] = { "instruction", 30, 0, "what stood there soon after" },
	[COL_LEVEL] = { "level", 5, CLI_COL_RIGHT | HIDDEN, "of the entry" },
	[COL_AS] = { "as_id", 5, CLI_COL_RIGHT | HIDDEN, "address space: 1 is SMM's" },
	[COL_ROOT] = { "root", 18, HIDDEN, "HPA of the address space's one valid root" },
	[COL_ERROR] = { "error_code", 18, HIDDEN, "page-fault error code, or exit qualification" },
	[COL_OLD] = { "old_spte", 18, HIDDEN, "the entry before" },
	[COL_NEW] = { "new_spte", 18, HIDDEN, "the entry after" },
	[COL_RESULT] = { "result", 10, HIDDEN, "RET_PF_* of a fast fault, exit reason, ..." },
	[COL_OF_FAULT] = { "of_fault", 8, HIDDEN, "rip is that of the thread's fault before it" },
	[COL_FOREIGN] = { "foreign", 7, HIDDEN, "by a thread that is not the VMM's" },
	[COL_L2] = { "l2", 2, HIDDEN, "the vCPU ran the guest's own guest, whose rip it is" },
	{ NULL },
};

static const char *const spaces[] = { "gpa", "gva", "hva", "l2-gpa" };

static void number_if(struct cli_table *t, int col, bool known, int64_t value)
{
	if (known)
		cli_cell_number(t, col, value);
	else
		cli_cell_both(t, col, NULL, "-");
}

static void address_if(struct cli_table *t, int col, bool known, uint64_t value)
{
	if (known)
		cli_cell_address(t, col, value);
	else
		cli_cell_both(t, col, NULL, "-");
}

static void time_cell(struct cli_table *t, uint64_t ns)
{
	cli_cell_both(t, COL_TIME, json_object_new_int64((int64_t)ns), "%" PRIu64 ".%06" PRIu64,
		      ns / 1000000000, ns / 1000 % 1000000);
}

static void what_cells(struct cli_table *t, const struct spt_model *m, const struct spt_event *e)
{
	char text[SPT_EVENT_TEXT], insn[SPT_INSTRUCTION_TEXT];
	const char *cause = spt_event_cause(m, e), *why = spt_event_no_instruction(e);

	spt_event_text(m, e, text);
	spt_event_instruction(e, insn, sizeof(insn));
	cli_cell_string(t, COL_CAUSE, cause ? cause : "");
	cli_cell_string(t, COL_WHAT, text);
	if (why)
		cli_cell_both(t, COL_INSTRUCTION, json_object_new_string(insn), "(%s)", why);
	else
		cli_cell_string(t, COL_INSTRUCTION, insn);
}

void cli_event_row(struct cli *cli, struct cli_table *t, const struct spt_model *m,
		   const struct spt_event *e, uint64_t begin_ns)
{
	uint32_t known = e->known;

	(void)cli;
	cli_table_row(t);
	time_cell(t, e->time_ns > begin_ns ? e->time_ns - begin_ns : 0);
	cli_cell_number(t, COL_CPU, e->cpu);
	cli_cell_number(t, COL_PID, e->pid);
	cli_cell_string(t, COL_THREAD, e->comm);
	number_if(t, COL_VCPU, known & SPT_EVENT_HAS_VCPU, e->vcpu);
	cli_cell_string(t, COL_KIND, spt_event_kind_name(e->kind));
	address_if(t, COL_ADDRESS, known & SPT_EVENT_HAS_ADDRESS, e->address);
	cli_cell_string(t, COL_SPACE,
			e->space < sizeof(spaces) / sizeof(spaces[0]) ? spaces[e->space] : "");
	cli_cell_size(t, COL_SIZE, e->len);
	number_if(t, COL_SLOT, known & SPT_EVENT_HAS_SLOT && e->slot >= 0, e->slot);
	what_cells(t, m, e);
	address_if(t, COL_RIP, known & SPT_EVENT_HAS_RIP, e->rip);
	number_if(t, COL_LEVEL, known & SPT_EVENT_HAS_LEVEL, e->level);
	number_if(t, COL_AS, known & SPT_EVENT_HAS_AS, e->as_id);
	address_if(t, COL_ROOT, known & SPT_EVENT_HAS_ROOT, e->root_hpa);
	address_if(t, COL_ERROR, known & SPT_EVENT_HAS_ERROR, e->error_code);
	address_if(t, COL_OLD, known & SPT_EVENT_HAS_OLD, e->old_spte);
	address_if(t, COL_NEW, known & SPT_EVENT_HAS_NEW, e->new_spte);
	number_if(t, COL_RESULT, known & SPT_EVENT_HAS_RESULT, (int64_t)e->result);
	cli_cell_bool(t, COL_OF_FAULT, e->flags & SPT_EVENT_OF_FAULT);
	cli_cell_bool(t, COL_FOREIGN, e->flags & SPT_EVENT_FOREIGN);
	cli_cell_bool(t, COL_L2, e->flags & SPT_EVENT_L2);
}

static void kinds_summary(struct cli *cli, const struct spt_events_summary *s,
			  const struct spt_trace *trace)
{
	struct json_object *o = json_object_new_object();

	if (!cli->opt.json)
		fprintf(cli->out, "events\n");
	for (unsigned int i = 0; i < SPT_EVENT_KINDS_COUNT; i++) {
		bool absent = trace->absent >> i & 1;

		if (cli->opt.json)
			cli_json_set(o, spt_event_kind_name(i),
				     absent ? NULL : cli_json_uint(s->kinds[i]));
		else if (absent)
			fprintf(cli->out, "  %10s  %-13s %s: this kernel has none\n", "n/a",
				spt_event_kind_name(i), spt_event_tracepoint(i));
		else if (s->kinds[i])
			fprintf(cli->out, "  %10" PRIu64 "  %-13s %s\n", s->kinds[i],
				spt_event_kind_name(i), spt_event_kind_help(i));
	}
	if (cli->opt.json) {
		cli_json_put(cli, "kinds", o);
		cli_json_put(cli, "peak_faults_per_second", cli_json_uint(s->peak));
		cli_json_put(cli, "uncounted", cli_json_uint(s->uncounted));
		return;
	}
	json_object_put(o);
	if (s->peak)
		fprintf(cli->out, "  %10" PRIu64 "  faults in the busiest second\n", s->peak);
}

static void causes_summary(struct cli *cli, const struct spt_events_summary *s, uint64_t top)
{
	if (cli->opt.json)
		cli_json_array_begin(cli, "causes");
	else
		fprintf(cli->out, "causes\n");
	for (size_t i = 0; i < s->nr_causes && i < top; i++) {
		struct json_object *o;

		if (!cli->opt.json) {
			fprintf(cli->out, "  %10" PRIu64 "  %s%s\n", s->causes[i].count,
				s->causes[i].l2 ? "L2: " : "", s->causes[i].name);
			continue;
		}
		o = json_object_new_object();
		cli_json_set_text(o, "cause", s->causes[i].name);
		cli_json_set_bool(o, "l2", s->causes[i].l2);
		cli_json_set_uint(o, "count", s->causes[i].count);
		cli_json_put(cli, NULL, o);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
}

static void page_json(struct cli *cli, const struct spt_events_page *p)
{
	struct json_object *o = json_object_new_object();

	cli_json_set_hex(o, "address", p->address);
	cli_json_set_text(o, "space", spaces[p->space & 3]);
	cli_json_set(o, "slot", p->slot < 0 ? NULL : json_object_new_int(p->slot));
	cli_json_set_uint(o, "faults", p->faults);
	cli_json_set_uint(o, "mapped", p->mapped);
	cli_json_set_uint(o, "zapped", p->zapped);
	cli_json_set_uint(o, "emulated", p->emulated);
	cli_json_set_uint(o, "reflected", p->reflected);
	cli_json_set_uint(o, "in_vain", p->in_vain);
	cli_json_set_text(o, "storm", spt_storm_name(spt_events_storm(p)));
	cli_json_put(cli, NULL, o);
}

/* Where the page is, and what became of faults that are not KVM's to resolve. */
static void page_place(const struct spt_events_page *p, char *text, size_t size)
{
	if (p->space != SPT_EVENT_GPA && p->reflected)
		snprintf(text, size, "%s, %" PRIu64 " given to the guest's hypervisor",
			 spaces[p->space & 3], p->reflected);
	else if (p->space != SPT_EVENT_GPA)
		snprintf(text, size, "%s", spaces[p->space & 3]);
	else if (p->slot >= 0)
		snprintf(text, size, "slot %d", p->slot);
	else
		snprintf(text, size, "no slot");
}

static void pages_summary(struct cli *cli, const struct spt_events_summary *s, uint64_t top)
{
	if (cli->opt.json)
		cli_json_array_begin(cli, "pages");
	else
		fprintf(cli->out, "pages: faults, mapped, zapped, emulated\n");
	for (size_t i = 0; i < s->nr_pages && i < top; i++) {
		const struct spt_events_page *p = &s->pages[i];
		char place[80];

		if (cli->opt.json) {
			page_json(cli, p);
			continue;
		}
		page_place(p, place, sizeof(place));
		fprintf(cli->out,
			"  %10" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "  0x%016" PRIx64
			"  %s\n",
			p->faults, p->mapped, p->zapped, p->emulated, p->address, place);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
}

static void places_summary(struct cli *cli, const struct spt_events_summary *s, uint64_t top)
{
	char insn[SPT_INSTRUCTION_TEXT];

	if (cli->opt.json)
		cli_json_array_begin(cli, "instructions");
	else
		fprintf(cli->out, "instructions: faults\n");
	for (size_t i = 0; i < s->nr_places && i < top; i++) {
		const struct spt_events_place *p = &s->places[i];
		const char *why = spt_event_no_instruction(&p->event);
		struct json_object *o;

		spt_event_instruction(&p->event, insn, sizeof(insn));
		if (!cli->opt.json) {
			fprintf(cli->out, "  %10" PRIu64 "  0x%016" PRIx64 "  %s", p->faults,
				p->rip, p->l2 ? "L2: " : "");
			fprintf(cli->out, "%s%s%s\n", why ? "(" : "", why ? why : insn,
				why ? ")" : "");
			continue;
		}
		o = json_object_new_object();
		cli_json_set_hex(o, "rip", p->rip);
		cli_json_set_bool(o, "l2", p->l2);
		cli_json_set_uint(o, "faults", p->faults);
		cli_json_set_text(o, "instruction", insn);
		cli_json_put(cli, NULL, o);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
}

static void storms_summary(struct cli *cli, const struct spt_events_summary *s, uint64_t top)
{
	uint64_t shown = 0;

	if (cli->opt.json)
		cli_json_array_begin(cli, "storms");
	for (size_t i = 0; i < s->nr_pages && shown < top; i++) {
		const struct spt_events_page *p = &s->pages[i];
		enum spt_storm_kind storm = spt_events_storm(p);

		if (storm == SPT_NO_STORM)
			continue;
		if (cli->opt.json)
			page_json(cli, p);
		else if (!shown)
			fprintf(cli->out, "storms\n");
		shown++;
		if (cli->opt.json)
			continue;
		fprintf(cli->out, "  0x%016" PRIx64 " %s: ", p->address, spt_storm_name(storm));
		if (storm == SPT_STORM_SPINNING)
			fprintf(cli->out, "%" PRIu64 " faults in a row changed no entry\n",
				p->in_vain);
		else if (storm == SPT_STORM_CIRCLE)
			fprintf(cli->out, "mapped %" PRIu64 " times, taken away %" PRIu64 "\n",
				p->mapped, p->zapped);
		else
			fprintf(cli->out, "%" PRIu64 " accesses were emulated\n", p->emulated);
	}
	if (cli->opt.json)
		cli_json_array_end(cli);
}

void cli_events_summary(struct cli *cli, const struct spt_model *m,
			const struct spt_events_summary *s, const struct spt_trace *trace,
			uint64_t top)
{
	kinds_summary(cli, s, trace);
	causes_summary(cli, s, top);
	pages_summary(cli, s, top);
	places_summary(cli, s, top);
	storms_summary(cli, s, top);
	if (s->uncounted)
		cli_warn(cli,
			 "%" PRIu64 " faults are in no list: more pages or instructions than are "
			 "counted one by one: --range",
			 s->uncounted);
}

static struct json_object *totals_json(const struct spt_trace *trace)
{
	struct json_object *o = json_object_new_object();

	cli_json_set_uint(o, "begin_real_ns", trace->begin_real_ns);
	cli_json_set_uint(o, "duration_ns",
			  trace->end_ns > trace->begin_ns ? trace->end_ns - trace->begin_ns : 0);
	cli_json_set_uint(o, "events", trace->events);
	cli_json_set_uint(o, "lost", spt_trace_lost(trace));
	cli_json_set_uint(o, "overrun", trace->overrun);
	cli_json_set_uint(o, "commit_overrun", trace->commit);
	cli_json_set_uint(o, "dropped", trace->dropped);
	cli_json_set_uint(o, "unkept", trace->unkept);
	cli_json_set(o, "threads", trace->threads ? cli_json_uint(trace->threads) : NULL);
	cli_json_set_uint(o, "vms", trace->vms);
	cli_json_set(o, "l2_begin_ns",
		     trace->l2_begin_ns ? cli_json_uint(trace->l2_begin_ns - trace->begin_ns)
					: NULL);
	return o;
}

void cli_events_totals(struct cli *cli, const struct spt_trace *trace, uint64_t shown)
{
	uint64_t ns = trace->end_ns > trace->begin_ns ? trace->end_ns - trace->begin_ns : 0;

	if (cli->opt.json) {
		cli_json_put(cli, "trace", totals_json(trace));
	} else if (!cli->opt.raw && !cli->opt.no_headings) {
		fprintf(cli->out, "%" PRIu64 " events in %" PRIu64 ".%03" PRIu64 " s, ", shown,
			ns / 1000000000, ns / 1000000 % 1000);
		if (spt_trace_lost(trace))
			fprintf(cli->out, "%" PRIu64 " lost", spt_trace_lost(trace));
		else
			fprintf(cli->out, "none lost");
		if (trace->threads)
			fprintf(cli->out, "; of %u threads of the VMM\n", trace->threads);
		else
			fprintf(cli->out, "; of all threads, the VM being the only one\n");
	}
	if (spt_trace_lost(trace))
		cli_warn(cli,
			 "%" PRIu64 " events were lost: %" PRIu64 " overwritten, %" PRIu64
			 " without room, %" PRIu64 " in interrupts: a larger --buffer, or --range",
			 spt_trace_lost(trace), (uint64_t)trace->overrun, (uint64_t)trace->dropped,
			 (uint64_t)trace->commit);
	if (trace->unkept)
		cli_warn(cli, "%" PRIu64 " events were too many to be kept",
			 (uint64_t)trace->unkept);
	if (trace->l2_begin_ns)
		cli_warn(cli,
			 "the guest began to run guests of its own meanwhile: entries set for "
			 "those are events from %.3f s on",
			 (double)(trace->l2_begin_ns - trace->begin_ns) / 1e9);
	if (!trace->threads && trace->vms > 1)
		cli_warn(cli, "another VM appeared meanwhile: events may be that one's");
}
