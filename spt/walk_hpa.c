// SPDX-License-Identifier: GPL-2.0
#include "spt/walk_hpa.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "spt/entry.h"

int spt_walk_hpa_from(struct spt_source *src, struct spt_model *model, uint64_t hpa,
		      struct spt_sweep *sweep, unsigned int image_flags, struct spt_reverse *ret,
		      struct spt_error *err)
{
	const struct spt_request req = { .parts = SPT_WALK_HPA_PARTS };
	int code;

	*ret = (struct spt_reverse){ 0 };
	if (hpa >> SPT_GPA_BITS)
		return spt_fail(err, ERANGE,
				"HPA 0x%" PRIx64 " is beyond the %d bits of a physical address",
				hpa, SPT_GPA_BITS);
	code = spt_model_read(model, src, &req, image_flags, err);
	if (code)
		return code;
	sweep->model = model;
	code = spt_reverse_find(sweep, hpa, ret, err);
	if (code)
		spt_reverse_free(ret);
	return code;
}

bool spt_reverse_gpa(const struct spt_model *model, const struct spt_reverse_hit *hit, uint64_t hpa,
		     uint64_t *gpa)
{
	unsigned int access;

	if (hit->kind != SPT_REVERSE_LEAF)
		return false;
	if (hit->root && spt_root_maps_gpa(hit->root)) {
		*gpa = hit->address & ~model->gpa_bits;
		return true;
	}
	if (!spt_node_translation(hit->node, hit->index, gpa, &access))
		return false;
	*gpa = (*gpa & ~(hit->size - 1)) + (hpa & (hit->size - 1));
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t spt_reverse_gpas(const struct spt_model *model, const struct spt_reverse *reverse,
			uint64_t hpa, uint64_t *gpa, size_t max)
{
	uint64_t *all = malloc((reverse->count + !reverse->count) * sizeof(*all));
	size_t found = 0, distinct = 0;

	if (!all)
		return 0;
	for (size_t i = 0; i < reverse->count; i++)
		found += spt_reverse_gpa(model, &reverse->hit[i], hpa, &all[found]);
	qsort(all, found, sizeof(*all), by_number);
	for (size_t i = 0; i < found; i++) {
		if (i && all[i] == all[i - 1])
			continue;
		if (distinct < max)
			gpa[distinct] = all[i];
		distinct++;
	}
	free(all);
	return distinct;
}

bool spt_reverse_parent(const struct spt_model *model, const struct spt_reverse_hit *hit,
			struct spt_entry *ret)
{
	struct spt_walk_path path;

	if (hit->kind != SPT_REVERSE_TABLE || !hit->root || !hit->spte)
		return false;
	spt_walk_root(model, hit->root, hit->address, &path);
	for (unsigned int i = 0; i < path.nr_levels; i++) {
		if (path.level[i].child == hit->node) {
			*ret = path.level[i];
			return true;
		}
	}
	return false;
}

const char *spt_reverse_kind_name(enum spt_reverse_kind kind)
{
	static const char *const names[] = {
		[SPT_REVERSE_LEAF] = "leaf",	       [SPT_REVERSE_TABLE] = "table",
		[SPT_REVERSE_DETACHED] = "detached",   [SPT_REVERSE_EXTERNAL] = "external",
		[SPT_REVERSE_VCPU_ROOT] = "vcpu-root",
	};

	return names[kind];
}
