/* SPDX-License-Identifier: GPL-2.0 */
/* The live view, as a whole: what starts it hands over what it is to look at. */
#ifndef SPT_TUI_TUI_H
#define SPT_TUI_TUI_H

#include <stdbool.h>
#include <stdio.h>

#include "decoders/error.h"

struct tui_options {
	const char *vm;		  /* as -V; NULL: the only one, or a list to choose from */
	const char *image;	  /* file to look at instead, or NULL */
	const char *view;	  /* name of the first view, NULL: the map, or the list of VMs */
	unsigned int image_flags; /* SPT_IMAGE_* */
	bool unsafe;		  /* actions may be asked for */
	/*
	 * Runs a line of the command language on VM @id (NULL: on the image) and writes its
	 * answer, error messages included, to @out, for a screen of @columns. Returns its exit
	 * status.
	 */
	int (*command)(void *arg, const char *id, const char *line, int columns, FILE *out);
	void *arg;
};

/* Until the user ends it. 0, or -errno when it could not begin: the terminal is as before. */
int tui_run(const struct tui_options *options, struct spt_error *err);

/* Names of the views, NULL-terminated, for parsers and completion. */
extern const char *const tui_view_names[];

/* The keys, for the manual: one call for each, its keys as text, where it works ("" everywhere). */
void tui_keys_list(void (*fn)(void *arg, const char *keys, const char *views, const char *help),
		   void *arg);

#endif
