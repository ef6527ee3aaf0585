/* SPDX-License-Identifier: GPL-2.0 */
/* From a host-physical address back to the guest: who maps it, or whose page table it is. */
#ifndef SPT_WALK_HPA_H
#define SPT_WALK_HPA_H

#include "spt/reverse.h"
#include "spt/source.h"
#include "spt/walk.h"

/* The parts of an image that this needs. */
#define SPT_WALK_HPA_PARTS                                                                         \
	(SPT_PART_VM | SPT_PART_VCPUS | SPT_PART_MEMSLOTS | SPT_PART_ATTRS | SPT_PART_ROOTS |      \
	 SPT_PART_TABLES)

/*
 * Read all tables of @src into @model and find what refers to @hpa; see spt_reverse_find()
 * for @sweep, whose model is set here. -ERANGE: no such address exists.
 */
int spt_walk_hpa_from(struct spt_source *src, struct spt_model *model, uint64_t hpa,
		      struct spt_sweep *sweep, unsigned int image_flags, struct spt_reverse *ret,
		      struct spt_error *err);

/*
 * The VM's own GPA at which @hit, a leaf, maps @hpa. False: the hit is no leaf, or its
 * table does not say what it was made for (no GPA of this VM).
 */
bool spt_reverse_gpa(const struct spt_model *model, const struct spt_reverse_hit *hit, uint64_t hpa,
		     uint64_t *gpa);

/* Those GPAs, each once, ascending: up to @max into @gpa. Returns how many there are. */
size_t spt_reverse_gpas(const struct spt_model *model, const struct spt_reverse *reverse,
			uint64_t hpa, uint64_t *gpa, size_t max);

/* The entry that leads to @hit, a table below a root. False: it is the root's own, or no table. */
bool spt_reverse_parent(const struct spt_model *model, const struct spt_reverse_hit *hit,
			struct spt_entry *ret);

/* "leaf", "table", "detached", "external", "vcpu-root": stable, for JSON. */
const char *spt_reverse_kind_name(enum spt_reverse_kind kind);

#endif
