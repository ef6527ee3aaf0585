/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The layout as one source (BTF or DWARF) has it: every entry of SPT_FIELDS
 * looked up in the graphs of the kernel and of KVM's modules. All candidates
 * must agree; the first doubt is kept beside the entry and refuses the whole.
 */
#ifndef SPT_LAYOUT_RESOLVE_H
#define SPT_LAYOUT_RESOLVE_H

#include <stdbool.h>

#include "agent/spt_image.h"
#include "agent/spt_layout.h"
#include "decoders/dwarf_locate.h"
#include "decoders/kallsyms.h"
#include "decoders/layout_host.h"
#include "decoders/layout_types.h"

/* The lists of agent/spt_layout.h as tables; 'need' is R, O, A, I, T or L. */
struct spt_field_name {
	const char *id;	  /* KVM_VM_LIST */
	const char *type; /* kvm */
	const char *path; /* vm_list */
	char need;
};

struct spt_symbol_name {
	const char *id;
	const char *name;
	enum spt_module module;
	char need;
};

extern const struct spt_field_name spt_field_names[SPT_F_COUNT];
extern const struct spt_symbol_name spt_symbol_names[SPT_S_COUNT];
extern const char *const spt_module_names[SPT_MODULE_COUNT];

/* Whether the entry exists only with the other vendor, and whether this host must have it. */
bool spt_need_other(char need, enum spt_vendor vendor);
bool spt_need_required(char need, enum spt_vendor vendor);
enum spt_module spt_vendor_module(enum spt_vendor vendor);
const char *spt_vendor_name(enum spt_vendor vendor); /* "svm", "vmx" */

enum spt_field_state {
	SPT_FIELD_FOUND,
	SPT_FIELD_NO_MEMBER, /* the type is there, the member is not */
	SPT_FIELD_NO_TYPE,
	SPT_FIELD_DISAGREE,	/* two candidates put it in different places */
	SPT_FIELD_OTHER_VENDOR, /* not looked for */
	SPT_FIELD_DAMAGED,	/* the source could not be read there */
};

struct spt_field_found {
	enum spt_field_state state;
	struct spt_layout_field field; /* zero unless found */
	struct spt_typegraph *graph;   /* where it was found, borrowed */
};

/* How a kernel keeps the memslots of one address space. */
enum spt_slots_form {
	SPT_SLOTS_UNKNOWN, /* fields of both forms are missing */
	SPT_SLOTS_TREE,	   /* a tree by gfn */
	SPT_SLOTS_ARRAY,   /* an array sorted by gfn, until a54d806688fe */
};

/* One source of layouts. The graphs are owned. */
struct spt_layout {
	enum spt_layout_source source;
	enum spt_vendor vendor;
	struct spt_typegraph *graph[SPT_MODULE_COUNT]; /* NULL: none, or not needed */
	struct spt_error missing; /* why the source as a whole is not there; code 0: it is */
	struct spt_error doubt;	  /* first entry that refuses the layout; code 0: none */
	struct spt_field_found field[SPT_F_COUNT];
	enum spt_slots_form slots_form;
};

void spt_layout_deinit(struct spt_layout *layout);

/*
 * Open the BTF of @vendor's host in @dir (/sys/kernel/btf: vmlinux, kvm, kvm_amd
 * or kvm_intel) and look every field up. Whatever happens, *ret is filled in:
 * 'missing' when there is no BTF, 'doubt' when it cannot be used. Returns 0 when
 * it can, else -errno as in missing.code or doubt.code.
 */
int spt_layout_from_btf(const char *dir, enum spt_vendor vendor, struct spt_layout *ret);

/*
 * The same from the debug files of @host, searched as @search says. @host may
 * lack build ids, then any file will do. The kernel's own file is opened only
 * when the modules' lack a type that is required.
 */
int spt_layout_from_dwarf(const struct spt_debug_search *search, const struct spt_host *host,
			  struct spt_layout *ret);

/*
 * Look every field up in @ret->graph[], which the caller has filled in. Returns
 * 0, or -errno with ret->doubt saying which field (R entries that are not there, or
 * memslots in neither form: ENOKEY, candidates that disagree: EUCLEAN).
 */
int spt_layout_resolve(struct spt_layout *ret);

/*
 * Look the symbols of SPT_SYMBOLS that @vendor has up in @path ("/proc/kallsyms");
 * address 0 where there is none. -ENOKEY when one that is required is missing.
 */
int spt_layout_symbols(const char *path, enum spt_vendor vendor,
		       struct spt_kallsym ret[SPT_S_COUNT], struct spt_error *e);

/* Everything as the agent takes it, checksum included. */
void spt_layout_blob_fill(const struct spt_layout *layout, const struct spt_host *host,
			  const struct spt_kallsym symbol[SPT_S_COUNT],
			  struct spt_layout_blob *ret);

/* Fields on which both have an answer, and not the same one. */
unsigned int spt_layout_compare(const struct spt_layout *a, const struct spt_layout *b,
				bool differs[SPT_F_COUNT]);

/* Name of the alternative that was found ("mmu_notifier_seq"), in @buf. */
void spt_field_alternative(const struct spt_field_name *name, unsigned int alternative, char *buf,
			   size_t len);

#endif
