/* SPDX-License-Identifier: GPL-2.0 */
/* A bug report that is being put together; the files report_*.c are its parts. */
#ifndef SPT_CLI_REPORT_H
#define SPT_CLI_REPORT_H

#include <stdbool.h>

#include "cli/cli.h"
#include "spt/bundle.h"
#include "spt/redact.h"
#include "spt/save.h"
#include "spt/source.h"

#define REPORT_IMAGE  "vm.spt.zst"   /* everything */
#define REPORT_EVENTS "events.spt"   /* as 'events --record' made it */
#define REPORT_PAGE   "page.spt.zst" /* the page that --walk names, with the host's own walk */

struct report {
	struct cli *cli;
	const char *file;	   /* of the report */
	const char *walk[2];	   /* kind and address of --walk, NULL: none */
	char *events;		   /* file of recorded events, NULL: none */
	bool redact, guest_tables; /* as asked for */
	bool live;		   /* not from an image */
	int pid;		   /* of a live VM's VMM */
	struct spt_head head;	   /* of the image */
	struct spt_saved saved;	   /* what is in it */
	struct spt_redaction *redaction;
	struct spt_redact_lost lost;
	struct spt_bundle bundle;
	char folder[64]; /* that the report unpacks into */
	char work[64];	 /* directory of the images until they are in, "" none */
	bool have_page;	 /* there is REPORT_PAGE */
	/* Of the guest's memory: saved pages, and instructions that events stand at. */
	uint64_t guest_pages, guest_code;
	unsigned int members;
	char *contents; /* lines of the README: what is in, what is not */
	char *left_out;
	unsigned int nr_left_out;
};

/* Save the images in r->work and redact them where that is asked for. */
int report_images(struct report *r);

/* Facts of this host that no image has. */
int report_host(struct report *r);

/* What the bundle is and how it is read; the last member, for it lists the others. */
int report_readme(struct report *r);

/* Add a member and a line of what it is to the README. */
int report_add(struct report *r, const char *name, const char *what, const void *bytes, size_t len);
int report_add_file(struct report *r, const char *name, const char *what, const char *path);

/* A line of the README on what is not in the report, and why. */
int report_leave_out(struct report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
