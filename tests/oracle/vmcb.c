// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the VMCB of a guest in physical memory by where the guest executes, so
 * that nobody has to say where its nested page tables are. Offsets: AMD64 APM
 * volume 2, appendix B.
 */
#include <inttypes.h>
#include <stdio.h>

#include "oracle.h"

#define VMCB_INTERCEPT_VMRUN	0x010	/* bit 0; VMRUN refuses a VMCB without it */
#define VMCB_ASID		0x058	/* 32 bits, never 0 */
#define VMCB_EXITCODE		0x070
#define VMCB_NP_ENABLE		0x090	/* bit 0 */
#define VMCB_N_CR3		0x0b0
#define VMCB_GDTR_BASE		0x468
#define VMCB_EFER		0x4d0
#define VMCB_CR4		0x548
#define VMCB_CR3		0x550
#define VMCB_CR0		0x558
#define VMCB_RIP		0x578
#define VMCB_RSP		0x5d8
#define EFER_SVME		(1ULL << 12)
#define EFER_LMA		(1ULL << 10)
#define CR0_PG			(1ULL << 31)
#define PAGE			4096UL
#define FOUR_GIB		0x100000000UL

static uint64_t field(const uint64_t *page, int offset)
{
	return page[offset / 8];
}

static bool is_vmcb(const uint64_t *page, uint64_t rip_first, uint64_t rip_last)
{
	return field(page, VMCB_RIP) >= rip_first && field(page, VMCB_RIP) <= rip_last &&
	       (field(page, VMCB_EFER) & (EFER_SVME | EFER_LMA)) == (EFER_SVME | EFER_LMA) &&
	       field(page, VMCB_CR0) & CR0_PG && field(page, VMCB_INTERCEPT_VMRUN) & 1 &&
	       (uint32_t)field(page, VMCB_ASID);
}

void vmcb_print_all(const struct ram *ram, uint64_t rip_first, uint64_t rip_last)
{
	const char *comma = "";

	printf("{\"vmcbs\":[");
	for (uint64_t offset = 0; offset + PAGE <= ram->size; offset += PAGE) {
		const uint64_t *page = (const uint64_t *)(ram->base + offset);

		if (!is_vmcb(page, rip_first, rip_last))
			continue;
		printf("%s{\"vmcb\":\"0x%" PRIx64 "\",\"np_enable\":%s,\"ncr3\":\"0x%" PRIx64 "\","
		       "\"cr3\":\"0x%" PRIx64 "\",\"cr4\":\"0x%" PRIx64 "\",\"efer\":\"0x%" PRIx64 "\","
		       "\"rip\":\"0x%" PRIx64 "\",\"rsp\":\"0x%" PRIx64 "\",\"gdt_base\":\"0x%" PRIx64 "\",\"asid\":%u,\"exitcode\":\"0x%"
		       PRIx64 "\"}", comma, offset < ram->low ? offset : offset - ram->low + FOUR_GIB,
		       field(page, VMCB_NP_ENABLE) & 1 ? "true" : "false", field(page, VMCB_N_CR3),
		       field(page, VMCB_CR3), field(page, VMCB_CR4), field(page, VMCB_EFER),
		       field(page, VMCB_RIP), field(page, VMCB_RSP),
		       field(page, VMCB_GDTR_BASE), (uint32_t)field(page, VMCB_ASID),
		       field(page, VMCB_EXITCODE));
		comma = ",";
	}
	printf("]}\n");
}
