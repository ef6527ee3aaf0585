// SPDX-License-Identifier: GPL-2.0
/* The README of a report. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/report.h"

static void put_origin(const struct report *r, FILE *out)
{
	time_t seconds = (time_t)(r->head.time_ns / 1000000000);
	struct tm tm;
	char when[64] = "?";

	if (gmtime_r(&seconds, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &tm);
	fprintf(out,
		"Report of VM %s, made by spt %s.\n\n"
		"Taken %s on Linux %s%s%s.\n",
		r->head.id, SPT_VERSION, when, r->head.release,
		r->live ? "" : ", from a saved image",
		r->saved.torn ? ". The VM changed while it was read (torn: the image says where)"
			      : "");
}

static void put_replay(const struct report *r, FILE *out)
{
	fprintf(out,
		"\nTo replay: every command of spt that only reads works on the image, on any machine,\n"
		"without KVM and without root:\n\n"
		"    spt -i " REPORT_IMAGE "                    the shell\n"
		"    spt -i " REPORT_IMAGE " walk gpa 0x1000 --explain\n"
		"    spt -i " REPORT_IMAGE " why 0x1000\n"
		"    spt -i " REPORT_IMAGE " audit\n\n"
		"The texts begin with the line that makes them from it. Without spt,\n"
		"'zstd -d " REPORT_IMAGE "' gives the image as spt-image(5) has it.\n");
	if (r->have_page)
		fprintf(out,
			"\n" REPORT_PAGE
			" is the one page of --walk a moment later, with the host's\n"
			"page tables level by level: spt -i " REPORT_PAGE " walk %s %s\n",
			r->walk[0], r->walk[1]);
}

static void put_secrets(const struct report *r, FILE *out)
{
	fprintf(out, "\nOf the guest's memory ");
	if (r->guest_pages)
		fprintf(out, "%llu pages are in it, %s%s", (unsigned long long)r->guest_pages,
			r->guest_tables ? "its page tables, which were asked for"
					: "with which an image was saved",
			r->guest_code ? "; and " : "");
	if (r->guest_code)
		fprintf(out, "the instructions of %llu events are in it",
			(unsigned long long)r->guest_code);
	fprintf(out, "%s; its vCPUs' registers are.\n",
		r->guest_pages || r->guest_code ? "" : "nothing is in it");
	if (!r->redact) {
		fprintf(out,
			"Host-physical addresses are in it; 'spt report --redact' hides them.\n");
		return;
	}
	fprintf(out,
		"Redacted: every host-physical address is replaced by another, equal ones by equal\n"
		"ones, neighbours by neighbours, huge pages aligned: walks, ranges and audit hold.\n"
		"Addresses of kernel structures are replaced by numbers, those of symbols left out.\n"
		"The VMM is called 'vmm', and so are its threads; other threads 'other'.\n"
		"What is left of the host: kernel release and build id, PID, file descriptor, the\n"
		"VMM's virtual addresses.\n");
	if (r->lost.parents)
		fprintf(out,
			"%llu shadow pages no longer say which entry is their parent: the audit's rule\n"
			"parent-pointer skips them.\n",
			(unsigned long long)r->lost.parents);
	if (r->lost.transits)
		fprintf(out, "%llu host entries of pages on the move lost their frame.\n",
			(unsigned long long)r->lost.transits);
	if (r->lost.notes)
		fprintf(out, "%llu notes on unreadable addresses lost the address.\n",
			(unsigned long long)r->lost.notes);
	if (r->lost.unknown)
		fprintf(out, "%llu records of unknown types were left out of the image.\n",
			(unsigned long long)r->lost.unknown);
}

int report_readme(struct report *r)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int rc;

	if (!out)
		return cli_fail(r->cli, ENOMEM, "out of memory");
	put_origin(r, out);
	put_replay(r, out);
	put_secrets(r, out);
	fprintf(out, "\nIn it:\n%s", r->contents ? r->contents : "");
	if (r->left_out)
		fprintf(out, "\nNot in it:\n%s", r->left_out);
	fclose(out);
	rc = spt_bundle_add(&r->bundle, "README", text, size, &r->cli->error);
	free(text);
	r->members += !rc;
	return rc;
}
