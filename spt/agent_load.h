/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agent's life on this host: find its module, insert it, hand it the layout
 * of the running kernel, ask how it is, remove it. Prints nothing.
 */
#ifndef SPT_AGENT_LOAD_H
#define SPT_AGENT_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "decoders/layout.h"

#define SPT_AGENT_MODULE "spt_agent"

/* Where layouts come from; zeroed: this host's own places, BTF before DWARF. */
struct spt_layout_from {
	const char *btf_dir;	       /* NULL: /sys/kernel/btf */
	const char *const *dwarf_dirs; /* searched before the system's, NULL-terminated */
	enum spt_layout_source only;   /* 0: DWARF where there is no BTF */
};

/*
 * The layout of @host from BTF, or from DWARF where a kernel or KVM's modules
 * have no BTF. *ret is owned by the caller (spt_layout_deinit()) whatever is
 * returned. -ENOENT when there is neither, saying what to install; -ENOKEY,
 * -EUCLEAN when a source is there and does not describe KVM as we know it.
 */
int spt_layout_of_host(const struct spt_layout_from *from, const struct spt_host *host,
		       struct spt_layout *ret, struct spt_error *e);

/*
 * The blob that the agent of @host takes: its layout, and its symbols from
 * /proc/kallsyms. *fields: how many of SPT_F_COUNT were found. Errors as above,
 * and those of spt_layout_symbols().
 */
int spt_layout_blob_make(const struct spt_layout_from *from, const struct spt_host *host,
			 struct spt_layout_blob *ret, unsigned int *fields, struct spt_error *e);

struct spt_agent_load {
	const char *module; /* file to insert; NULL: $SPT_AGENT, beside the program, installed */
	bool armed;	    /* allow actions */
	struct spt_layout_from from;
};

struct spt_agent_loaded {
	bool inserted;		       /* false: it was there */
	bool layout_kept;	       /* it had a layout, which was left as it is */
	enum spt_layout_source source; /* of the layout that was written */
	char module[4096];	       /* file that was inserted */
	unsigned int fields;	       /* found of SPT_F_COUNT */
};

/*
 * Insert the agent if it is not there and write the layout if it has none. The
 * layout is made first: when that fails, nothing was changed. Errors: -EPERM not
 * root or the kernel allows no modules, -ENODEV debugfs is not mounted or KVM is
 * not loaded, -ENOENT no module file or no type information, -ENOEXEC a module
 * of another kernel, -EBUSY it is there but not armed as asked; what the agent
 * refuses a layout for comes in its own words.
 */
int spt_agent_load(const struct spt_agent_load *how, struct spt_agent_loaded *ret,
		   struct spt_error *e);

/* Remove it: -ENOENT not there, -EBUSY files of VMs are open. */
int spt_agent_unload(struct spt_error *e);

/* The agent's status file, malloc()ed and NUL-terminated: 'key: value' lines. */
int spt_agent_status(char **ret, struct spt_error *e);

/* Value of @key in @status; false and "" when it has no such line. */
bool spt_agent_status_value(const char *status, const char *key, char *ret, size_t size);

/* agent_load_module.c: the file, and the system calls with what their errors mean. */
bool spt_agent_is_loaded(void);
int spt_agent_find_module(const char *given, const char *release, char *ret, size_t size,
			  struct spt_error *e);
int spt_agent_insert(const char *path, const char *parameters, struct spt_error *e);
int spt_agent_remove(struct spt_error *e);

#endif
