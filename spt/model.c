// SPDX-License-Identifier: GPL-2.0
/* Loading a model: one pass over the records, then the index by HPA, then the roots. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "decoders/role.h"
#include "spt/model.h"
#include "spt/roots.h"

#define HUGE_PAGE     (2UL << 20)
#define HUGE_WORTH    (2 * HUGE_PAGE)
#define HASH_AHEAD    16
#define RECORDS_AHEAD 8

/* Elements that each array has room for, and what the format was made of. */
struct spt_model_room {
	size_t vcpus, roots, nodes, attrs, host, notes, guest_tables, tdx_pages, regs, hash;
	bool have_format;
	struct spt_head head;
	struct spt_masks masks;
	struct spt_format format; /* as made; the model's own learns from its roots */
};

void spt_model_init(struct spt_model *model)
{
	memset(model, 0, sizeof(*model));
	spt_memslots_init(&model->memslots);
}

void spt_model_deinit(struct spt_model *model)
{
	spt_memslots_deinit(&model->memslots);
	free(model->vcpus);
	free(model->roots);
	free(model->nodes);
	free(model->attrs);
	free(model->host);
	free(model->notes);
	free(model->guest_tables);
	free(model->tdx_pages);
	free(model->regs);
	free(model->hash);
	free(model->room);
	memset(model, 0, sizeof(*model));
}

/*
 * Memory that is not zeroed. Big arrays are looked up all over: huge pages save most of
 * the misses and of the faults.
 */
static void *allocate(size_t bytes)
{
	void *p;

	if (bytes < HUGE_WORTH)
		return malloc(bytes ? bytes : 1);
	p = aligned_alloc(HUGE_PAGE, (bytes + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (p)
		madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

/* Room for @count elements in *@array, whose contents need not survive. */
static int reserve(void *array, size_t *room, size_t count, size_t size)
{
	void **p = array;

	if (count <= *room)
		return 0;
	free(*p);
	*p = NULL;
	*room = 0;
	if (count > SIZE_MAX / 4 / size)
		return -ENOMEM;
	*p = allocate((count + count / 4) * size);
	if (!*p)
		return -ENOMEM;
	*room = count + count / 4;
	return 0;
}

/* Counts come from records that are there, so they are bounded by the image's size. */
static int reserve_all(struct spt_model *m)
{
	const uint32_t *count = m->image.count;
	size_t nodes =
		(size_t)count[SPT_REC_TABLE] + count[SPT_REC_RAW_TABLE] + count[SPT_REC_EXTERNAL];
	size_t hash = 16;

	if (nodes >= UINT32_MAX / 4)
		return -ENOMEM;
	while (hash < nodes * 2)
		hash *= 2;
	m->hash_mask = hash - 1;
	if (reserve(&m->vcpus, &m->room->vcpus, count[SPT_REC_VCPU], sizeof(*m->vcpus)) ||
	    reserve(&m->roots, &m->room->roots, count[SPT_REC_ROOT], sizeof(*m->roots)) ||
	    reserve(&m->nodes, &m->room->nodes, nodes, sizeof(*m->nodes)) ||
	    reserve(&m->attrs, &m->room->attrs, count[SPT_REC_ATTRS], sizeof(*m->attrs)) ||
	    reserve(&m->host, &m->room->host, count[SPT_REC_HOST_WALK], sizeof(*m->host)) ||
	    reserve(&m->notes, &m->room->notes, count[SPT_REC_NOTE], sizeof(*m->notes)) ||
	    reserve(&m->guest_tables, &m->room->guest_tables, count[SPT_REC_GUEST_TABLE],
		    sizeof(*m->guest_tables)) ||
	    reserve(&m->tdx_pages, &m->room->tdx_pages, count[SPT_REC_TDX_PAGES],
		    sizeof(*m->tdx_pages)) ||
	    reserve(&m->regs, &m->room->regs, count[SPT_REC_REGS], sizeof(*m->regs)) ||
	    reserve(&m->hash, &m->room->hash, hash, sizeof(*m->hash)))
		return -ENOMEM;
	memset(m->hash, 0, hash * sizeof(*m->hash));
	return 0;
}

static struct spt_valueset valueset(const struct spt_rec *rec)
{
	const struct spt_values *values = (const void *)rec;
	size_t count = (rec->len - sizeof(*values)) / sizeof(values->value[0]);

	/* 'known' has 128 bits. */
	return (struct spt_valueset){ .rec = values, .count = count < 128 ? count : 128 };
}

static void add_to_hash(struct spt_model *m, uint32_t nr)
{
	struct spt_node *node = &m->nodes[nr];
	uint32_t at = spt_hpa_hash(node->hpa) & m->hash_mask;

	for (; m->hash[at]; at = (at + 1) & m->hash_mask) {
		struct spt_node *other = &m->nodes[m->hash[at] - 1];

		if (other->hpa != node->hpa)
			continue;
		/* Freed and used again while the image was made: keep both. */
		node->next_same_hpa = other->next_same_hpa;
		other->next_same_hpa = nr + 1;
		node->shared_hpa = other->shared_hpa = true;
		return;
	}
	m->hash[at] = nr + 1;
}

/* The index by HPA. Its places are all over: have those of some tables ahead. */
static void fill_hash(struct spt_model *m)
{
	for (uint32_t nr = 0; nr < m->nr_nodes; nr++) {
		if (nr + HASH_AHEAD < m->nr_nodes) {
			uint64_t hpa = m->nodes[nr + HASH_AHEAD].hpa;

			__builtin_prefetch(&m->hash[spt_hpa_hash(hpa) & m->hash_mask], 1);
		}
		add_to_hash(m, nr);
	}
}

static int check_level(const struct spt_model *m, const struct spt_page *page,
		       struct spt_error *err)
{
	unsigned int level = spt_role_get(m->format.role, page->role, SPT_ROLE_LEVEL);

	if (level >= 1 && level <= SPT_MAX_LEVEL)
		return 0;
	return spt_fail(err, EINVAL,
			"%s: damaged image: table 0x%llx has level %u in its role 0x%x",
			m->image.name, page->hpa, level, page->role);
}

static int add_table(struct spt_model *m, const struct spt_table *table, struct spt_error *err)
{
	const struct spt_bits *role = m->format.role;
	unsigned int level = spt_role_get(role, table->page.role, SPT_ROLE_LEVEL);
	int ret = check_level(m, &table->page, err);

	if (ret)
		return m->image.complete ? ret : 0; /* salvaged: this one is lost */
	m->nodes[m->nr_nodes] = (struct spt_node){
		.page = &table->page,
		.entry = (const uint64_t *)table->entry,
		.chunks = table->chunks,
		.empty = table->empty,
		.hpa = table->page.hpa,
		.root_sp = table->root,
		.level = level,
		.direct = spt_role_get(role, table->page.role, SPT_ROLE_DIRECT),
		.mirror = spt_role_get(role, table->page.role, SPT_ROLE_IS_MIRROR) ||
			  table->page.flags & SPT_PAGE_PRIVATE,
	};
	m->nr_nodes++;
	return 0;
}

static void add_raw_table(struct spt_model *m, const struct spt_raw_table *table)
{
	m->nodes[m->nr_nodes] = (struct spt_node){
		.entry = (const uint64_t *)table->entry,
		.chunks = table->chunks,
		.empty = table->empty,
		.hpa = table->hpa,
		.level = table->kind - SPT_RAW_PAE_ROOT + 3,
		.raw_kind = table->kind,
		.raw_vcpu = table->vcpu,
	};
	m->nr_nodes++;
}

static void add_external(struct spt_model *m, const struct spt_external *table)
{
	m->nodes[m->nr_nodes++] = (struct spt_node){
		.entry = (const uint64_t *)table->entry,
		.chunks = table->chunks,
		.hpa = table->hpa,
		.root_sp = table->root,
		.external = table,
		.level = table->level,
		.direct = true,
		.is_external = true,
	};
}

/* Translations follow the table they belong to. */
static void add_translations(struct spt_model *m, const struct spt_array *array)
{
	struct spt_node *last = m->nr_nodes ? &m->nodes[m->nr_nodes - 1] : NULL;

	if (last && last->page && last->page->sp == array->sp)
		last->translations = array;
}

static int add_record(struct spt_model *m, const struct spt_rec *rec, struct spt_error *err)
{
	int ret = 0;

	switch (rec->type) {
	case SPT_REC_VM:
		*(m->vm.rec ? &m->vm_end : &m->vm) = valueset(rec);
		break;
	case SPT_REC_VCPU:
		m->vcpus[m->nr_vcpus++].values = valueset(rec);
		break;
	case SPT_REC_REGS:
		m->regs[m->nr_regs++] = valueset(rec);
		break;
	case SPT_REC_SLOT:
		ret = spt_memslots_add(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_SLOT_RUNS:
		ret = spt_memslots_add_runs(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_RMAPS:
		ret = spt_memslots_add_rmaps(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_HOST_RUNS:
		ret = spt_memslots_add_host(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_GMEM_RUNS:
		ret = spt_memslots_add_gmem(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_DIRTY:
		ret = spt_memslots_add_dirty(&m->memslots, (const void *)rec);
		break;
	case SPT_REC_ATTRS:
		m->attrs[m->nr_attrs++] = (const void *)rec;
		break;
	case SPT_REC_ROOT:
		return check_level(m, &((const struct spt_root *)rec)->page, err);
	case SPT_REC_TABLE:
		return add_table(m, (const void *)rec, err);
	case SPT_REC_RAW_TABLE:
		add_raw_table(m, (const void *)rec);
		break;
	case SPT_REC_EXTERNAL:
		add_external(m, (const void *)rec);
		break;
	case SPT_REC_TDX_PAGES:
		m->tdx_pages[m->nr_tdx_pages++] = (const void *)rec;
		break;
	case SPT_REC_TRANSLATIONS:
		add_translations(m, (const void *)rec);
		break;
	case SPT_REC_HOST_WALK:
		m->host[m->nr_host++] = (const void *)rec;
		break;
	case SPT_REC_GUEST_TABLE:
		m->guest_tables[m->nr_guest_tables++] = (const void *)rec;
		break;
	case SPT_REC_NOTE:
		m->notes[m->nr_notes++] = (const void *)rec;
		break;
	}
	return ret ? spt_fail(err, -ret, "%s: out of memory", m->image.name) : 0;
}

static void forget(struct spt_model *m)
{
	spt_memslots_reset(&m->memslots);
	m->vm = m->vm_end = (struct spt_valueset){ 0 };
	m->nr_vcpus = m->nr_roots = m->nr_nodes = m->nr_attrs = m->nr_host = m->nr_notes = 0;
	m->nr_guest_tables = m->nr_tdx_pages = m->nr_regs = 0;
	m->gpa_bits = 0;
}

/* Whether two heads differ in nothing but the moment and the request. */
static bool same_format(const struct spt_head *a, const struct spt_head *b)
{
	const size_t moment = offsetof(struct spt_head, time_ns);
	const size_t rest = offsetof(struct spt_head, maxphyaddr);

	return !memcmp(a, b, moment) &&
	       !memcmp((const char *)a + rest, (const char *)b + rest, sizeof(*a) - rest);
}

/* Making a format costs more than a whole walk; of one VM it is the same every time. */
static int find_format(struct spt_model *m, struct spt_error *err)
{
	const struct spt_image *img = &m->image;
	bool masks = img->count[SPT_REC_MASKS];
	int ret;

	if (!m->room)
		m->room = calloc(1, sizeof(*m->room));
	if (!m->room)
		return spt_fail(err, ENOMEM, "%s: out of memory", img->name);
	if (m->room->have_format && same_format(&m->room->head, &img->head) &&
	    m->room->masks.known == img->masks.known &&
	    (!masks || !memcmp(&m->room->masks, &img->masks, sizeof(img->masks)))) {
		m->format = m->room->format;
		return 0;
	}
	m->room->have_format = false;
	ret = spt_format_init(&m->format, &img->head, masks ? &img->masks : NULL, err);
	if (ret)
		return ret;
	m->room->head = img->head;
	m->room->masks = img->masks;
	m->room->format = m->format;
	m->room->have_format = true;
	return 0;
}

static int by_gpa(const void *a, const void *b)
{
	const struct spt_guest_table *const *x = a, *const *y = b;

	return ((*x)->gpa > (*y)->gpa) - ((*x)->gpa < (*y)->gpa);
}

int spt_model_load(struct spt_model *m, const struct spt_image *img, struct spt_error *err)
{
	const struct spt_rec *rec;
	uint64_t bits;
	int ret;

	forget(m);
	if (img != &m->image)
		m->image = *img;
	ret = find_format(m, err);
	if (ret)
		return ret;
	if (reserve_all(m))
		return spt_fail(err, ENOMEM, "%s: out of memory for %u tables", img->name,
				img->count[SPT_REC_TABLE]);
	spt_image_for_each(img, rec)
	{
		/* Big images are tables of one length: have the head of one to come. */
		__builtin_prefetch((const char *)rec + RECORDS_AHEAD * (size_t)rec->len);
		ret = add_record(m, rec, err);
		if (ret)
			return ret;
	}
	fill_hash(m);
	spt_memslots_sort(&m->memslots);
	if (m->nr_guest_tables)
		qsort(m->guest_tables, m->nr_guest_tables, sizeof(*m->guest_tables), by_gpa);
	/* Only kinds of VM with private memory have attributes. */
	m->no_attrs = m->vm.rec && !(spt_value(&m->vm, SPT_VM_HAS_PRIVATE_MEM, &bits) && bits);
	/* A gfn mask in KVM. Without a high bit nothing would be left of an address. */
	if (spt_value(&m->vm, SPT_VM_GFN_DIRECT_BITS, &bits))
		m->gpa_bits = bits << SPT_PAGE_SHIFT;
	if (spt_roots_count(m) > m->room->roots &&
	    reserve(&m->roots, &m->room->roots, spt_roots_count(m), sizeof(*m->roots)))
		return spt_fail(err, ENOMEM, "%s: out of memory", img->name);
	spt_roots_find(m);
	m->torn = spt_model_torn(m, NULL, 0);
	return 0;
}

const struct spt_node *spt_node_find(const struct spt_model *m, uint64_t hpa)
{
	uint32_t at = spt_hpa_hash(hpa) & m->hash_mask;

	if (!m->hash)
		return NULL;
	for (; m->hash[at]; at = (at + 1) & m->hash_mask)
		if (m->nodes[m->hash[at] - 1].hpa == hpa)
			return &m->nodes[m->hash[at] - 1];
	return NULL;
}

const struct spt_node *spt_node_child(const struct spt_model *m, const struct spt_root_ref *root,
				      uint64_t hpa, int level)
{
	const struct spt_node *first = spt_node_find(m, hpa);
	uint64_t sp = root->page ? root->page->sp : 0;

	for (const struct spt_node *n = first; n;
	     n = n->next_same_hpa ? &m->nodes[n->next_same_hpa - 1] : NULL)
		if (n->level == level && (!n->root_sp || n->root_sp == sp))
			return n;
	return first;
}
