/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Synthetic images for unit tests: a VM is described by calls, then finished
 * into the bytes that an agent would have sent. It is its own writer of the
 * format, so that the reader is not compared with itself. Asserts, never fails.
 */
#ifndef SPT_TESTS_MKIMAGE_H
#define SPT_TESTS_MKIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/spt_image.h"
#include "decoders/format.h"

#define MK_KB 1024ULL
#define MK_MB (1024 * MK_KB)
#define MK_GB (1024 * MK_MB)

struct mkimage;

/* A VM whose SPTEs are of the built-in format @format ("npt-6.12"): head, masks, no values. */
struct mkimage *mkimage_new(const char *format);
void mkimage_free(struct mkimage *mk);

struct spt_head *mkimage_head(struct mkimage *mk);
struct spt_end *mkimage_end(struct mkimage *mk); /* totals and checksum are filled in later */
const struct spt_format *mkimage_format(struct mkimage *mk);

/* Another value of a mask than the format's; for what decodes nothing. */
void mkimage_mask(struct mkimage *mk, enum spt_mask nr, uint64_t value);

/* Values become known by being set. A generation is also END's, as of a VM at rest. */
void mkimage_vm(struct mkimage *mk, enum spt_vm_value nr, uint64_t value);
/* A second record of the values so far, as the agent makes it behind everything else. */
void mkimage_vm_end(struct mkimage *mk);
bool mkimage_has_vm_end(const struct mkimage *mk);
void mkimage_vm_end_value(struct mkimage *mk, enum spt_vm_value nr, uint64_t value);
unsigned int mkimage_vcpu(struct mkimage *mk);
void mkimage_vcpu_value(struct mkimage *mk, unsigned int vcpu, enum spt_vcpu_value nr,
			uint64_t value);

/* A memslot; the result may be changed until the next call. Runs and bitmaps go to the last slot.
 */
struct spt_slot *mkimage_slot(struct mkimage *mk, int id, unsigned int as_id, uint64_t gpa,
			      uint64_t bytes, uint64_t hva);
void mkimage_run(struct mkimage *mk, enum spt_run_kind kind, uint64_t gfn, uint64_t npages,
		 uint64_t value);
void mkimage_dirty(struct mkimage *mk, uint64_t gfn, uint64_t npages, const uint64_t *words);
/* What the host maps from @gfn on; ascending. One record each. */
void mkimage_host_run(struct mkimage *mk, uint64_t gfn, uint64_t npages, uint64_t hpa, int level,
		      uint32_t flags);
/* What the last slot's guest_memfd has from @gfn on; ascending, one record each. */
void mkimage_gmem_run(struct mkimage *mk, uint64_t gfn, uint64_t npages, uint64_t hpa);
void mkimage_note(struct mkimage *mk, enum spt_note_kind kind, uint64_t a, uint64_t b);

/* A role word for this format's layout; set further bits with mkimage_role(). */
uint32_t mkimage_role(struct mkimage *mk, uint32_t word, enum spt_role_bit bit, unsigned int value);

/* A root of the TDP MMU, or with @role not direct a shadow page with a root_count. By number. */
unsigned int mkimage_tdp_root(struct mkimage *mk, int level);
unsigned int mkimage_mirror_root(struct mkimage *mk, int level);
unsigned int mkimage_shadow_root(struct mkimage *mk, int level, uint64_t gfn);

/* A table by itself; its HPA is chosen. */
unsigned int mkimage_table(struct mkimage *mk, int level, uint64_t gfn, bool direct);
unsigned int mkimage_raw(struct mkimage *mk, enum spt_raw_table_kind kind, unsigned int vcpu);
struct spt_page *mkimage_page(struct mkimage *mk, unsigned int table);
uint64_t mkimage_table_hpa(struct mkimage *mk, unsigned int table);
void mkimage_set(struct mkimage *mk, unsigned int table, unsigned int index, uint64_t spte);
/* Shadow: guest frame (as address) and access that entry @index was made from. */
void mkimage_translate(struct mkimage *mk, unsigned int table, unsigned int index, uint64_t gpa,
		       unsigned int access);
/* Entry @index of @parent leads to @child. */
void mkimage_link(struct mkimage *mk, unsigned int parent, unsigned int index, unsigned int child);

/*
 * Give every table below the mirror root @root an external one with the entries that a TDX
 * module would make of the mirror's, as they are then; the record goes behind the mirror's.
 */
void mkimage_externals(struct mkimage *mk, unsigned int root);
/* Entry @index of the external table behind mirror table @table; from mkimage_externals() on. */
void mkimage_external_set(struct mkimage *mk, unsigned int table, unsigned int index,
			  uint64_t entry);

/* Let every table of the TDP MMU say which entry leads to it, as KVM's do. */
void mkimage_seat(struct mkimage *mk);
/* The last slot's reverse map of @gfn names entry @index of @table. */
void mkimage_rmap(struct mkimage *mk, int level, uint64_t gfn, unsigned int table,
		  unsigned int index);

/* Entries of this format. @perm: of "rwx". */
uint64_t mkimage_leaf(struct mkimage *mk, uint64_t hpa, int level, const char *perm);
uint64_t mkimage_nonleaf(struct mkimage *mk, uint64_t hpa);
uint64_t mkimage_mmio(struct mkimage *mk, uint64_t gpa, uint64_t generation);

/*
 * Put @spte at @level for @gpa under a direct root, with the tables above it. Returns its
 * table. Where the VM has a shared bit, set before, it is in @gpa below the shared root.
 */
unsigned int mkimage_map(struct mkimage *mk, unsigned int root, uint64_t gpa, int level,
			 uint64_t spte);

/* The host's walk of one page: @entry at @leaf level, present tables above. @error: errno. */
struct spt_host_walk *mkimage_host(struct mkimage *mk, uint64_t gpa, uint64_t hva, int leaf,
				   uint64_t entry, int error);

/* Pages that KVM gave to a TDX module. */
void mkimage_tdx_pages(struct mkimage *mk, enum spt_tdx_page_kind kind, unsigned int vcpu,
		       unsigned int count, uint64_t hpa);

/* A page of the guest's memory, 4096 bytes at @page, saved as one of its page tables. */
void mkimage_guest_table(struct mkimage *mk, uint64_t gpa, const void *page);

/* Any record, as it is, among those that the tool adds. */
void mkimage_record(struct mkimage *mk, const void *rec);

/* The image; owned by @mk, may be changed by the caller. Nothing may be added afterwards. */
uint8_t *mkimage_finish(struct mkimage *mk, size_t *len);

/* Set END's checksum right again after a change. */
void mkimage_seal(uint8_t *image, size_t len);

#endif
