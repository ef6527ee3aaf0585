// SPDX-License-Identifier: GPL-2.0
/* Walks one hierarchy of page tables in physical memory and prints it as JSON. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define MAX_LEVELS   5
#define MAX_EMPTY    4
#define ADDRESS_BITS 0x000ffffffffff000ULL

struct totals {
	uint64_t table, leaf, other;
};

struct oracle {
	struct ram ram;
	const struct format *format;
	int levels;
	int maxphyaddr;
	int empties;
	uint64_t empty[MAX_EMPTY];	      /* values that count as empty besides 0 */
	struct totals totals[MAX_LEVELS + 1]; /* by level; each table counted once */
	uint8_t *seen;			      /* bit per page of the file: table was counted */
	uint64_t missing;		      /* tables that are not in memory */
	bool printed;
};

static const char *const type_name[] = {
	[ENTRY_TABLE] = "table",
	[ENTRY_LEAF] = "leaf",
	[ENTRY_OTHER] = "other",
};

static bool is_empty(const struct oracle *o, uint64_t value)
{
	if (!value)
		return true;
	for (int i = 0; i < o->empties; i++)
		if (value == o->empty[i])
			return true;
	return false;
}

static void print_entry(struct oracle *o, const struct entry *e, int level, uint64_t gpa,
			uint64_t table, int index, uint64_t value)
{
	printf("%s\n{\"level\":%d,\"gpa\":\"0x%" PRIx64 "\",\"table_hpa\":\"0x%" PRIx64 "\","
	       "\"index\":%d,\"entry\":\"0x%016" PRIx64 "\",\"type\":\"%s\",",
	       o->printed ? "," : "", level, gpa, table, index, value, type_name[e->type]);
	if (e->hpa == NO_ADDRESS)
		printf("\"hpa\":null,\"perm\":\"%s\",\"why\":\"%s\"}", e->perm, e->why);
	else
		printf("\"hpa\":\"0x%" PRIx64 "\",\"perm\":\"%s\"}", e->hpa, e->perm);
	o->printed = true;
}

/* A table that several paths reach is printed for each, but counted once. */
static bool first_visit(struct oracle *o, const uint64_t *page)
{
	uint64_t nr = ((const uint8_t *)page - o->ram.base) / 4096;
	bool first = !(o->seen[nr / 8] >> (nr % 8) & 1);

	o->seen[nr / 8] |= 1 << (nr % 8);
	return first;
}

static void count(struct totals *t, enum entry_type type)
{
	t->table += type == ENTRY_TABLE;
	t->leaf += type == ENTRY_LEAF;
	t->other += type == ENTRY_OTHER;
}

static uint64_t canonical(const struct oracle *o, uint64_t address)
{
	int top = 11 + 9 * o->levels;

	/* Only virtual addresses have a sign. */
	if (strcmp(o->format->name, "host") || !(address >> top & 1))
		return address;
	return address | ~((1ULL << top) - 1);
}

static void walk(struct oracle *o, uint64_t table, int level, uint64_t base, int offset,
		 int entries)
{
	const uint64_t *page = ram_page(&o->ram, table);

	if (!page) {
		o->missing++;
		return;
	}
	bool counted = first_visit(o, page);

	for (int i = 0; i < entries; i++) {
		uint64_t value = *(volatile const uint64_t *)&page[offset + i];
		uint64_t address = base + ((uint64_t)i << (12 + 9 * (level - 1)));

		if (is_empty(o, value))
			continue;
		struct entry e = o->format->decode(value, level, o->maxphyaddr);

		if (counted)
			count(&o->totals[level], e.type);
		print_entry(o, &e, level, canonical(o, address), table, i, value);
		if (e.type == ENTRY_TABLE)
			walk(o, e.hpa, level - 1, address, 0, 512);
	}
}

static void print_totals(const struct oracle *o)
{
	printf("\n],\"totals\":{");
	for (int level = 1; level <= o->levels; level++)
		printf("%s\"%d\":{\"table\":%" PRIu64 ",\"leaf\":%" PRIu64 ",\"other\":%" PRIu64
		       "}",
		       level > 1 ? "," : "", level, o->totals[level].table, o->totals[level].leaf,
		       o->totals[level].other);
	printf("},\"pages_4k\":%" PRIu64 ",\"pages_2m\":%" PRIu64 ",\"pages_1g\":%" PRIu64
	       ",\"missing_tables\":%" PRIu64 "}\n",
	       o->totals[1].leaf, o->totals[2].leaf, o->totals[3].leaf, o->missing);
}

static int usage(FILE *out)
{
	fprintf(out,
		"Usage: oracle --ram FILE --root ADDRESS --format FORMAT [OPTIONS]\n"
		"       oracle --ram FILE --find-vmcb FIRST-LAST | --find-vmcs FIRST-LAST,GDT\n"
		"Walks page tables in a copy of physical memory as the processor does.\n\n"
		"  --ram FILE         physical memory; offset = address below the hole\n"
		"  --low BYTES        memory below the hole; the rest is at 4 GiB (default: all)\n"
		"  --root ADDRESS     nCR3, EPTP or CR3; low bits that are no address are ignored\n"
		"  --format FORMAT    as below\n"
		"  --levels N         4 (default) or 5\n"
		"  --maxphyaddr N     physical address bits of the processor (default 40)\n"
		"  --empty VALUE      an entry of this value is empty, as 0 is; may be repeated\n"
		"  --find-vmcb A-B    list the VMCBs whose RIP is in that range\n"
		"  --find-vmcs A-B,G  list what may be a VMCS: with such a RIP and that GDT base\n\n");
	for (int i = 0; i < format_count; i++)
		fprintf(out, "  %-5s %s\n", format_table[i].name, format_table[i].help);
	return out == stdout ? 0 : 2;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "oracle: %s: %s\n", what, why);
	return 2;
}

static bool number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return !errno && end != text && !*end;
}

static int find_vmcbs(const struct oracle *o, char *range)
{
	char *dash = strchr(range, '-');
	uint64_t first, last;

	if (dash)
		*dash = 0;
	if (!dash || !number(range, &first) || !number(dash + 1, &last))
		return fail("--find-vmcb", "the range is FIRST-LAST");
	vmcb_print_all(&o->ram, first, last);
	return 0;
}

static int find_vmcss(const struct oracle *o, char *text)
{
	char *dash = strchr(text, '-'), *comma = strchr(text, ',');
	uint64_t first, last, gdt_base;

	if (!dash || !comma || comma < dash)
		return fail("--find-vmcs", "it wants FIRST-LAST,GDT");
	*dash = *comma = 0;
	if (!number(text, &first) || !number(dash + 1, &last) || !number(comma + 1, &gdt_base))
		return fail("--find-vmcs", "it wants three numbers, FIRST-LAST,GDT");
	vmcs_print_all(&o->ram, first, last, gdt_base);
	return 0;
}

static int print_hierarchy(struct oracle *o, uint64_t root)
{
	uint64_t table = root & ADDRESS_BITS;
	/* A PAE root is 32 bytes anywhere in the first 4 GiB. */
	int offset = o->levels == 3 ? (root & 0xfe0) / 8 : 0;

	o->seen = calloc(o->ram.size / 4096 / 8 + 1, 1);
	if (!o->seen)
		return fail("memory", strerror(ENOMEM));
	printf("{\"root\":\"0x%" PRIx64 "\",\"format\":\"%s\",\"levels\":%d,\"entries\":[",
	       o->levels == 3 ? root & 0xffffffe0 : table, o->format->name, o->levels);
	walk(o, table, o->levels, 0, offset, o->format->root_entries);
	print_totals(o);
	free(o->seen);
	return o->missing ? fail("walk", "an entry names a table where there is no memory") : 0;
}

static const struct option long_options[] = {
	{ "ram", required_argument, NULL, 'm' },
	{ "low", required_argument, NULL, 'l' },
	{ "root", required_argument, NULL, 'r' },
	{ "format", required_argument, NULL, 'f' },
	{ "levels", required_argument, NULL, 'n' },
	{ "maxphyaddr", required_argument, NULL, 'p' },
	{ "empty", required_argument, NULL, 'e' },
	{ "find-vmcb", required_argument, NULL, 'v' },
	{ "find-vmcs", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

int main(int argc, char **argv)
{
	struct oracle o = { .levels = 4, .maxphyaddr = 40 };
	const char *ram = NULL, *format = NULL;
	uint64_t root = NO_ADDRESS, low = 0, n;
	char *vmcb = NULL, *vmcs = NULL;

	for (int opt; (opt = getopt_long(argc, argv, "", long_options, NULL)) >= 0;) {
		n = 0;
		if (strchr("lrnpe", opt) && !number(optarg, &n))
			return fail(optarg, "is no number");
		switch (opt) {
		case 'm':
			ram = optarg;
			break;
		case 'l':
			low = n;
			break;
		case 'r':
			root = n;
			break;
		case 'f':
			format = optarg;
			break;
		case 'n':
			o.levels = n;
			break;
		case 'p':
			o.maxphyaddr = n;
			break;
		case 'e':
			if (o.empties == MAX_EMPTY)
				return fail("--empty", "too many");
			o.empty[o.empties++] = n;
			break;
		case 'v':
			vmcb = optarg;
			break;
		case 's':
			vmcs = optarg;
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	if (!ram || optind < argc)
		return usage(stderr);
	int err = ram_open(&o.ram, ram, low);

	if (err)
		return fail(ram, strerror(-err));
	if (vmcb)
		return find_vmcbs(&o, vmcb);
	if (vmcs)
		return find_vmcss(&o, vmcs);
	o.format = format ? format_find(format) : NULL;
	if (root == NO_ADDRESS || !o.format)
		return usage(stderr);
	if (o.format->levels)
		o.levels = o.format->levels;
	if (o.levels < 3 || o.levels > MAX_LEVELS || o.maxphyaddr < 32 || o.maxphyaddr > 52)
		return fail("--levels, --maxphyaddr", "out of range");
	return print_hierarchy(&o, root);
}
