/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an image comes from: a VM of this host through the agent, or a file.
 * Both answer the same request with the same bytes, so that nobody above has to
 * know which it was.
 */
#ifndef SPT_SOURCE_H
#define SPT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spt/image.h"

/* What to read. parts 0: SPT_PARTS_DEFAULT; len 0: the whole address space. */
struct spt_request {
	uint32_t parts;	     /* enum spt_part, or-ed */
	uint64_t start, len; /* bytes of guest-physical address space */
};

struct spt_source;

/* One VM of this host, from the name of its debugfs directory. */
struct spt_vm_name {
	char id[32]; /* PID-FD */
	int pid, fd;
};

/* The agent's debugfs directory: as set here, else $SPT_DEBUGFS, else /sys/kernel/debug/spt. */
const char *spt_debugfs(void);
void spt_debugfs_set(const char *dir); /* borrowed; NULL: back to the default */

/*
 * Whether the agent can be used. Returns 0, -EACCES (not root), -ENODEV (debugfs
 * not mounted, agent not loaded), -ENOKEY (agent has no layout); the text says
 * how to remedy it.
 */
int spt_agent_check(struct spt_error *err);

/* VMs that the agent shows, by PID and descriptor; free *@ret with free(). */
int spt_vms_list(struct spt_vm_name **ret, size_t *count, struct spt_error *err);

/*
 * Which VM @want means: PID-FD, a PID that has one VM, the VMM's -name, or NULL
 * on a host with one VM. Returns 0, -ENOENT, -ENOTUNIQ; the text lists the choices.
 */
int spt_vm_find(const char *want, struct spt_vm_name *ret, struct spt_error *err);

/* The guest name that the VMM was started with (QEMU's -name); "" none. */
void spt_vm_guest_name(int pid, char *ret, size_t size);

/* Open the VM whose directory is @id. The agent pins the VM until spt_source_close(). */
int spt_source_open_vm(const char *id, struct spt_source **ret, struct spt_error *err);

/* Open an image file, zstd-compressed or not. */
int spt_source_open_file(const char *path, struct spt_source **ret, struct spt_error *err);

/* Keep a copy of @len bytes as a source named @name (tests, received images). */
int spt_source_open_memory(const void *bytes, size_t len, const char *name, struct spt_source **ret,
			   struct spt_error *err);

void spt_source_close(struct spt_source *src);
bool spt_source_is_live(const struct spt_source *src);
const char *spt_source_name(const struct spt_source *src); /* VM id or file */

/*
 * Have @progress called while reading takes long, with bytes where @total is 0;
 * once it returns other than 0, and as long as it does, reading ends with -EINTR.
 * NULL: nobody is told.
 */
void spt_source_set_progress(struct spt_source *src,
			     int (*progress)(void *arg, uint64_t done, uint64_t total), void *arg);

/*
 * Read an image into *@img, valid until the next call or close. A live source
 * makes a new image of what @req asks for (NULL: everything). A file gives at
 * least that: a large one with an index (spt/index.h) only it, so that little of
 * the file is read; shadow tables then come whatever the range. @flags as in
 * spt_image_open().
 */
int spt_source_read(struct spt_source *src, const struct spt_request *req, unsigned int flags,
		    struct spt_image *img, struct spt_error *err);

/*
 * Hand the same bytes to @sink piece by piece, unchecked, without keeping them:
 * memory does not grow with the image. @sink returns 0 to go on, or -errno with
 * the error filled in; a call with 0 bytes only lets it look at signals.
 */
int spt_source_stream(struct spt_source *src, const struct spt_request *req,
		      int (*sink)(void *arg, const void *bytes, size_t len), void *arg,
		      struct spt_error *err);

#endif
