// SPDX-License-Identifier: GPL-2.0
/* Asking a VM for what a query needs, which its kind of tables decides. */
#include "spt/model.h"

static bool has_shadow_pages(const struct spt_model *m)
{
	uint64_t used;

	/* The TDP MMU's tables are not among these. */
	if (spt_value(&m->vm, SPT_VM_N_USED_MMU_PAGES, &used))
		return used;
	return !m->image.head.tdp_mmu;
}

static bool has_other_addresses(const struct spt_model *m)
{
	for (uint32_t i = 0; i < m->nr_roots; i++)
		if (!spt_root_maps_gpa(&m->roots[i]))
			return true;
	return false;
}

static int read_once(struct spt_model *m, struct spt_source *src, const struct spt_request *req,
		     unsigned int flags, struct spt_error *err)
{
	int ret = spt_source_read(src, req, flags, &m->image, err);

	return ret ? ret : spt_model_load(m, &m->image, err);
}

int spt_model_read(struct spt_model *m, struct spt_source *src, const struct spt_request *req,
		   unsigned int flags, struct spt_error *err)
{
	struct spt_request more;
	int ret = read_once(m, src, req, flags, err);

	if (ret || !req || !spt_source_is_live(src))
		return ret;
	more = *req;
	if (req->parts & SPT_PART_ROOTS && !(req->parts & SPT_PART_TABLES) && has_shadow_pages(m)) {
		/* The upper levels, of the first page's range: roots are among them. */
		more.parts |= SPT_PART_TABLES;
		more.len = req->len ? req->len : spt_level_size(1);
		return read_once(m, src, &more, flags, err);
	}
	if (req->parts & SPT_PART_TABLES && req->len && has_other_addresses(m)) {
		more.start = more.len = 0;
		more.parts &= ~(unsigned int)SPT_PART_HOST; /* needs a range */
		return read_once(m, src, &more, flags, err);
	}
	return 0;
}
