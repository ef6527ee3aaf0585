// SPDX-License-Identifier: GPL-2.0
/* A guest with a guest of its own (L2): registers that are L2's, and events of both, at one RIP. */
#include <string.h>

#include "golden_l2.h"

#define RIP	0xffffffff81000010ULL
#define L2_PAGE 0x5000ULL
#define VM_PAGE 0x3000ULL

enum { FAULT_IN_VAIN, REFLECT, FAULT_AGAIN, SET, OF_THE_GUEST, ENTRY, COUNT };

static const uint8_t store[] = { 0x48, 0x89, 0x37 }; /* mov [rdi], rsi */

static void add_registers(struct mkimage *mk, uint64_t vcpu, bool nested)
{
	union {
		struct spt_values values;
		uint64_t room[3 + SPT_REGISTER_COUNT];
	} rec = { .values.rec = { SPT_REC_REGS, sizeof(rec) } };
	const struct {
		enum spt_register nr;
		uint64_t value;
	} known[] = {
		{ SPT_REGISTER_VCPU_ID, vcpu },	    { SPT_REGISTER_SOURCE, SPT_REGS_OUTSIDE },
		{ SPT_REGISTER_NESTED, nested },    { SPT_REGISTER_RIP, RIP },
		{ SPT_REGISTER_CR0, 0x80050033 },   { SPT_REGISTER_CR3, 0x10000 },
		{ SPT_REGISTER_CR4, 0x6f0 },	    { SPT_REGISTER_EFER, 0x1d01 },
		{ SPT_REGISTER_RAX, 0x1122334455 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		rec.values.known[known[i].nr / 64] |= 1ULL << (known[i].nr % 64);
		rec.values.value[known[i].nr] = known[i].value;
	}
	mkimage_record(mk, &rec);
}

/* KVM's first fault is the hypervisor's to resolve, the second one maps the page. */
static void add_events(struct mkimage *mk, uint64_t direct, uint64_t nested)
{
	union {
		struct spt_events events;
		char room[sizeof(struct spt_events) + COUNT * sizeof(struct spt_event)];
	} rec = { .events = { .rec = { SPT_REC_EVENTS, sizeof(rec) },
			      .count = COUNT,
			      .size = sizeof(struct spt_event) } };
	const struct spt_trace trace = {
		.rec = { SPT_REC_TRACE, sizeof(trace) },
		.begin_ns = 1000000000,
		.end_ns = 1500000000,
		.begin_real_ns = 1763812800000000000ULL,
		.l2_begin_ns = 1000500000,
		.events = COUNT,
		.vms = 1,
	};
	const struct spt_event fault = {
		.known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_ERROR |
			 SPT_EVENT_HAS_RIP,
		.kind = SPT_EVENT_FAULT,
		.space = SPT_EVENT_L2_GPA,
		.flags = SPT_EVENT_L2 | SPT_EVENT_LEFT,
		.address = L2_PAGE + 8,
		.error_code = 0x100000006,
		.rip = RIP,
		.slot = -1,
		.pid = 1240,
		.comm = "CPU 0/KVM",
	};
	struct spt_event *e = rec.events.event;

	for (unsigned int i = 0; i < COUNT; i++)
		e[i] = fault;
	e[REFLECT].kind = SPT_EVENT_REFLECT;
	e[REFLECT].flags |= SPT_EVENT_OF_FAULT;
	e[FAULT_AGAIN].flags = SPT_EVENT_L2;
	e[SET].kind = SPT_EVENT_SET;
	e[SET].known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_NEW |
		       SPT_EVENT_HAS_LEVEL | SPT_EVENT_HAS_ROOT | SPT_EVENT_HAS_SLOT |
		       SPT_EVENT_HAS_RIP;
	e[SET].flags = SPT_EVENT_L2 | SPT_EVENT_OF_FAULT;
	e[SET].space = SPT_EVENT_GPA;
	e[SET].address = VM_PAGE;
	e[SET].slot = 0;
	e[SET].level = 1;
	e[SET].new_spte = mkimage_leaf(mk, 0x40003000, 1, "rwx");
	e[SET].root_hpa = nested;
	e[OF_THE_GUEST].known |= SPT_EVENT_HAS_SLOT;
	e[OF_THE_GUEST].flags = SPT_EVENT_LEFT;
	e[OF_THE_GUEST].space = SPT_EVENT_GPA;
	e[OF_THE_GUEST].slot = 0;
	e[ENTRY] = e[SET];
	e[ENTRY].kind = SPT_EVENT_SPTE;
	e[ENTRY].flags = SPT_EVENT_OF_FAULT | SPT_EVENT_LEFT;
	e[ENTRY].known |= SPT_EVENT_HAS_OLD;
	e[ENTRY].address = L2_PAGE;
	e[ENTRY].new_spte = mkimage_leaf(mk, 0x40005000, 1, "rwx");
	e[ENTRY].root_hpa = direct;
	for (unsigned int i = FAULT_AGAIN; i <= SET; i++) {
		e[i].code_bits = 64;
		e[i].code_len = sizeof(store);
		memcpy(e[i].code, store, sizeof(store));
	}
	for (unsigned int i = 0; i < COUNT; i++)
		e[i].time_ns = trace.begin_ns + 1000000 * i;
	mkimage_record(mk, &trace);
	mkimage_record(mk, &rec);
}

void golden_l2(struct mkimage *mk, uint64_t direct, uint64_t nested)
{
	add_registers(mk, 0, true);
	/* It had left L2 when they were read, after its record. */
	add_registers(mk, 1, false);
	add_events(mk, direct, nested);
}
