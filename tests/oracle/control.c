// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the control structure of a guest in physical memory by where the guest
 * executes and what its GDT base is, so that nobody has to say where its page
 * tables are. VMCB: AMD64 APM volume 2, appendix B. A VMCS has no documented
 * layout; there, every value that has the form of an EPTP or of a CR3 is given.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "oracle.h"

#define VMCB_INTERCEPT_VMRUN 0x010 /* bit 0; VMRUN refuses a VMCB without it */
#define VMCB_ASID	     0x058 /* 32 bits, never 0 */
#define VMCB_EXITCODE	     0x070
#define VMCB_NP_ENABLE	     0x090 /* bit 0 */
#define VMCB_N_CR3	     0x0b0
#define VMCB_GDTR_BASE	     0x468
#define VMCB_EFER	     0x4d0
#define VMCB_CR4	     0x548
#define VMCB_CR3	     0x550
#define VMCB_CR0	     0x558
#define VMCB_RIP	     0x578
#define VMCB_RSP	     0x5d8
#define EFER_SVME	     (1UL << 12)
#define CR0_PG		     (1UL << 31)

/* EPTP: write-back tables (6), 4 or 5 levels, accessed/dirty flags or not (SDM 3, 25.6.11). */
#define EPTP_FORM     0xfbfUL
#define EPTP_4_LEVELS 0x01eUL
#define EPTP_5_LEVELS 0x026UL
#define ADDRESS_BITS  0x000ffffffffff000UL

#define PAGE	  4096UL
#define ANY_WORDS (PAGE / 4 - 1)
#define FOUR_GIB  0x100000000UL

static uint64_t field(const uint64_t *page, int offset)
{
	return page[offset / 8];
}

static uint64_t address_of(const struct ram *ram, uint64_t offset)
{
	return offset < ram->low ? offset : offset - ram->low + FOUR_GIB;
}

static bool is_vmcb(const uint64_t *page, uint64_t rip_first, uint64_t rip_last)
{
	return field(page, VMCB_RIP) >= rip_first && field(page, VMCB_RIP) <= rip_last &&
	       field(page, VMCB_EFER) & EFER_SVME && field(page, VMCB_CR0) & CR0_PG &&
	       field(page, VMCB_INTERCEPT_VMRUN) & 1 && (uint32_t)field(page, VMCB_ASID);
}

static void print_vmcb(const uint64_t *page, uint64_t hpa, const char *comma)
{
	static const struct {
		const char *name;
		int offset;
	} fields[] = {
		{ "ncr3", VMCB_N_CR3 },	       { "cr0", VMCB_CR0 },
		{ "cr3", VMCB_CR3 },	       { "cr4", VMCB_CR4 },
		{ "efer", VMCB_EFER },	       { "rip", VMCB_RIP },
		{ "rsp", VMCB_RSP },	       { "gdt_base", VMCB_GDTR_BASE },
		{ "exitcode", VMCB_EXITCODE },
	};

	printf("%s\n{\"vmcb\":\"0x%" PRIx64 "\",\"np_enable\":%s,\"asid\":%u", comma, hpa,
	       field(page, VMCB_NP_ENABLE) & 1 ? "true" : "false",
	       (uint32_t)field(page, VMCB_ASID));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		printf(",\"%s\":\"0x%" PRIx64 "\"", fields[i].name, field(page, fields[i].offset));
	printf("}");
}

void vmcb_print_all(const struct ram *ram, uint64_t rip_first, uint64_t rip_last)
{
	const char *comma = "";

	printf("{\"vmcbs\":[");
	for (uint64_t offset = 0; offset + PAGE <= ram->size; offset += PAGE) {
		const uint64_t *page = (const uint64_t *)(ram->base + offset);

		if (!is_vmcb(page, rip_first, rip_last))
			continue;
		print_vmcb(page, address_of(ram, offset), comma);
		comma = ",";
	}
	printf("]}\n");
}

/* A quadword at any multiple of 4 bytes: that is all that may be said of a VMCS. */
static uint64_t any_word(const uint64_t *page, unsigned int i)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)page + i * 4, sizeof(value));
	return value;
}

static bool has_between(const uint64_t *page, uint64_t first, uint64_t last)
{
	for (unsigned int i = 0; i < ANY_WORDS; i++)
		if (any_word(page, i) >= first && any_word(page, i) <= last)
			return true;
	return false;
}

static bool is_eptp(const struct ram *ram, uint64_t value)
{
	uint64_t form = value & EPTP_FORM;

	return !(value & ~(ADDRESS_BITS | 0xfff)) &&
	       (form == EPTP_4_LEVELS || form == EPTP_5_LEVELS) && value & ADDRESS_BITS &&
	       ram_page(ram, value & ADDRESS_BITS);
}

/* Any page of memory may be a CR3: an address and nothing else. */
static bool is_cr3(const struct ram *ram, uint64_t value)
{
	return value && !(value & ~ADDRESS_BITS) && ram_page(ram, value);
}

static void print_values(const struct ram *ram, const uint64_t *page, const char *name,
			 bool (*wanted)(const struct ram *ram, uint64_t value))
{
	const char *comma = "";

	printf(",\"%s\":[", name);
	for (unsigned int i = 0; i < ANY_WORDS; i++) {
		uint64_t value = any_word(page, i);

		if (!wanted(ram, value))
			continue;
		printf("%s\"0x%" PRIx64 "\"", comma, value);
		comma = ",";
	}
	printf("]");
}

void vmcs_print_all(const struct ram *ram, uint64_t rip_first, uint64_t rip_last, uint64_t gdt_base)
{
	const char *comma = "";

	printf("{\"vmcss\":[");
	for (uint64_t offset = 0; offset + PAGE <= ram->size; offset += PAGE) {
		const uint64_t *page = (const uint64_t *)(ram->base + offset);

		if (!has_between(page, gdt_base, gdt_base) ||
		    !has_between(page, rip_first, rip_last))
			continue;
		printf("%s\n{\"page\":\"0x%" PRIx64 "\"", comma, address_of(ram, offset));
		print_values(ram, page, "eptps", is_eptp);
		print_values(ram, page, "cr3s", is_cr3);
		printf("}");
		comma = ",";
	}
	printf("]}\n");
}
