/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: one VM as an image describes it, with an index over its tables.
 *
 * Everything points into the image, which must stay as long as the model is
 * used. A model costs a few dozen bytes a table and nothing an entry, and can be
 * loaded again and again without allocating.
 */
#ifndef SPT_MODEL_H
#define SPT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decoders/format.h"
#include "decoders/spte.h"
#include "memslot/memslot.h"
#include "spt/image.h"
#include "spt/source.h"

#define SPT_PAGE_SHIFT 12
#define SPT_LEVEL_BITS 9
#define SPT_MAX_WALK   6 /* levels of one walk; PML5, PML4, PAE root above shadow tables */

/* Shift and bytes of what one entry at @level (1: 4K) translates. */
static inline unsigned int spt_level_shift(int level)
{
	return SPT_PAGE_SHIFT + SPT_LEVEL_BITS * (level - 1);
}

static inline uint64_t spt_level_size(int level)
{
	return 1ULL << spt_level_shift(level);
}

/* Named values of a VM or vCPU record. */
struct spt_valueset {
	const struct spt_values *rec; /* NULL: the image has no such record */
	uint32_t count;		      /* values the record really has */
};

/* Value @i; false: this kernel has no such thing, or it was not asked for. */
static inline bool spt_value(const struct spt_valueset *v, unsigned int i, uint64_t *ret)
{
	if (i >= v->count || !(v->rec->known[i / 64] >> (i % 64) & 1))
		return false;
	*ret = v->rec->value[i];
	return true;
}

/* One page table. */
struct spt_node {
	const struct spt_page *page; /* its kvm_mmu_page; NULL: raw root table without one */
	const uint64_t *entry;	     /* stored chunks, in order */
	uint64_t chunks;	     /* which of the 64 chunks are stored */
	uint64_t empty;		     /* value of every entry that is not stored */
	uint64_t hpa;		     /* of the table itself */
	uint64_t root_sp;	     /* sp of the root it was reached from; 0: active list, raw */
	union {
		const struct spt_array
			*translations;		     /* shadow paging: guest frames; NULL: direct */
		const struct spt_external *external; /* 'is_external': its record */
	};
	uint32_t next_same_hpa; /* index + 1 of another table with this HPA; 0 none */
	int8_t level;
	uint8_t raw_kind;  /* enum spt_raw_table_kind, 0: not raw */
	uint16_t raw_vcpu; /* raw: vcpu_idx of its owner */
	bool direct;	   /* role.direct: gfn + index is what it maps */
	bool mirror;	   /* role.is_mirror, or what older kernels have for it */
	bool is_external;  /* behind a mirror: no kvm_mmu_page, hardware's entries */
	bool shared_hpa;   /* other tables of the image have this HPA, too */
};

enum spt_root_kind {
	SPT_ROOT_DIRECT,   /* guest-physical addresses */
	SPT_ROOT_SHADOW,   /* guest-virtual addresses */
	SPT_ROOT_NESTED,   /* physical addresses of the guest's own guest (L2) */
	SPT_ROOT_MIRROR,   /* private half of a TD */
	SPT_ROOT_EXTERNAL, /* the topmost table behind a mirror that KVM knows of */
};

const char *spt_root_kind_name(enum spt_root_kind kind); /* as in JSON */

struct spt_root_ref {
	const struct spt_page *page; /* NULL: raw */
	const struct spt_node *node; /* NULL: its table is not in the image */
	uint64_t hpa;
	enum spt_root_kind kind;
	int level;
	unsigned int as_id; /* role.smm */
	uint32_t role;	    /* role word; 0 for raw */
	uint32_t refcount;
	bool valid; /* !role.invalid */
	bool tdp_mmu;
	uint64_t gpa_bits; /* set in every address it translates (TDX: the shared bit) */
};

/* True for the kinds whose addresses are this VM's GPAs. */
static inline bool spt_root_maps_gpa(const struct spt_root_ref *root)
{
	return root->kind != SPT_ROOT_SHADOW && root->kind != SPT_ROOT_NESTED;
}

struct spt_vcpu_ref {
	struct spt_valueset values; /* enum spt_vcpu_value */
};

enum spt_vcpu_use { SPT_USE_NONE, SPT_USE_CURRENT, SPT_USE_MIRROR, SPT_USE_PREVIOUS };

struct spt_model {
	struct spt_image image;
	struct spt_format format; /* how this VM's SPTEs and roles are to be read */
	struct spt_valueset vm;	  /* enum spt_vm_value */
	struct spt_valueset
		vm_end; /* the same when all else was read; .rec NULL: not in the image */
	struct spt_memslots memslots;
	struct spt_vcpu_ref *vcpus;
	struct spt_valueset *regs;     /* enum spt_regs_value, of one vCPU each: spt/registers.h */
	struct spt_root_ref *roots;    /* TDP MMU's in KVM's order, then shadow, then raw */
	struct spt_node *nodes;	       /* in the image's order */
	const struct spt_runs **attrs; /* memory attributes, ascending */
	const struct spt_host_walk **host; /* each speaks for pages up to the next */
	const struct spt_note **notes;
	const struct spt_guest_table **guest_tables; /* ascending by gpa */
	const struct spt_tdx_pages **tdx_pages;
	uint32_t nr_vcpus, nr_roots, nr_nodes, nr_attrs, nr_host, nr_notes, nr_guest_tables;
	uint32_t nr_tdx_pages, nr_regs;
	uint32_t *hash; /* HPA to index + 1 of nodes; open addressing */
	uint32_t hash_mask;
	uint64_t gpa_bits;	     /* gfn_direct_bits as an address mask; 0 none */
	bool torn;		     /* see spt_model_torn() */
	bool no_attrs;		     /* this VM cannot have memory attributes */
	struct spt_model_room *room; /* sizes of the arrays; private to model.c */
};

/* Which half of a VM's memory a root maps, where memory has two. */
enum spt_half { SPT_HALF_NONE, SPT_HALF_SHARED, SPT_HALF_PRIVATE };

enum spt_half spt_root_half(const struct spt_root_ref *root);
const char *spt_half_name(enum spt_half half); /* "shared", "private"; NULL: there are none */

void spt_model_init(struct spt_model *model);
void spt_model_deinit(struct spt_model *model);

/*
 * Index @img, which is copied unless it is the model's own; its bytes are not.
 * Returns 0, -ENOMEM or -EINVAL; the model then holds nothing that may be used.
 */
int spt_model_load(struct spt_model *model, const struct spt_image *img, struct spt_error *err);

/*
 * Read @req from @src and load it. A live VM with shadow tables is asked a second
 * time where the answer to @req would mislead: those tables' addresses are no
 * GPAs, so that a range leaves out the wrong ones, and their roots are listed
 * among the tables.
 */
int spt_model_read(struct spt_model *model, struct spt_source *src, const struct spt_request *req,
		   unsigned int image_flags, struct spt_error *err);

/*
 * Whether the VM changed while the image was made, and what: one line into @text
 * (may be NULL). Invalidations alone do not tear an image; a moved memslot
 * generation, a lost root or path, a guessed list position do.
 */
bool spt_model_torn(const struct spt_model *model, char *text, size_t size);

/* The table at @hpa, or NULL. */
const struct spt_node *spt_node_find(const struct spt_model *model, uint64_t hpa);

/* The same, for the child of an entry: of several it takes the one of this level and root. */
const struct spt_node *spt_node_child(const struct spt_model *model,
				      const struct spt_root_ref *root, uint64_t hpa, int level);

/*
 * The same, but try @guess first (may be NULL): images hold tables in the order in which
 * they hang, so that the next child as a rule is the next node.
 */
static inline const struct spt_node *spt_node_child_near(const struct spt_model *model,
							 const struct spt_root_ref *root,
							 uint64_t hpa, int level,
							 const struct spt_node *guess)
{
	if (guess && guess->hpa == hpa && guess->level == level && !guess->shared_hpa)
		return guess;
	return spt_node_child(model, root, hpa, level);
}

/* The node behind @node, which probably is the next table; NULL: it is the last. Prefetched. */
static inline const struct spt_node *spt_node_after(const struct spt_model *model,
						    const struct spt_node *node)
{
	const struct spt_node *next = node + 1;
	const int lines = 4; /* the rest of a table the CPU fetches by itself */

	if (next >= model->nodes + model->nr_nodes)
		return NULL;
	__builtin_prefetch(next->page);
	for (int line = 0; line < lines; line++)
		__builtin_prefetch(next->entry + line * SPT_CHUNK_ENTRIES);
	return next;
}

/* The entries of a chunk that is stored. */
static inline const uint64_t *spt_node_row(const struct spt_node *node, unsigned int chunk)
{
	uint64_t before = node->chunks & ((1ULL << chunk) - 1);

	if (node->chunks == ~0ULL)
		return node->entry + chunk * SPT_CHUNK_ENTRIES;
	return node->entry + __builtin_popcountll(before) * SPT_CHUNK_ENTRIES;
}

/*
 * Where in memory the stored entries from @index on begin: those from i to k - 1 are
 * the array from position(i) to position(k).
 */
static inline const uint64_t *spt_node_position(const struct spt_node *node, unsigned int index)
{
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;
	const uint64_t all = ~0ULL;

	if (node->chunks == all)
		return node->entry + index;

	uint64_t before = chunk < SPT_TABLE_CHUNKS ? node->chunks & ~(all << chunk) : node->chunks;
	bool stored = chunk < SPT_TABLE_CHUNKS && node->chunks >> chunk & 1;

	return node->entry + __builtin_popcountll(before) * SPT_CHUNK_ENTRIES +
	       (stored ? index % SPT_CHUNK_ENTRIES : 0);
}

/* How many entries from @index on are stored one after the other in memory. */
static inline unsigned int spt_node_stored_from(const struct spt_node *node, unsigned int index)
{
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;
	uint64_t missing;

	if (chunk >= SPT_TABLE_CHUNKS)
		return 0;
	missing = ~(node->chunks >> chunk);
	if (missing & 1)
		return 0;
	if (!missing)
		return SPT_TABLE_ENTRIES - index;
	return (chunk + (unsigned int)__builtin_ctzll(missing)) * SPT_CHUNK_ENTRIES - index;
}

/* Entry @index; chunks that are not stored give the empty value. */
static inline uint64_t spt_node_entry(const struct spt_node *node, unsigned int index)
{
	unsigned int chunk = index / SPT_CHUNK_ENTRIES;

	if (!(node->chunks >> chunk & 1))
		return node->empty;
	return spt_node_row(node, chunk)[index % SPT_CHUNK_ENTRIES];
}

/* In what kind of table its entries stand, for spt_spte_decode(). */
enum spt_spte_kind spt_node_kind(const struct spt_model *model, const struct spt_node *node);

/*
 * Guest frame (as address) and access bits that entry @index of a table translates to; all
 * bits of *access set: it is not known, or not limited.
 */
bool spt_node_translation(const struct spt_node *node, unsigned int index, uint64_t *gpa,
			  unsigned int *access);

/*
 * Of at most @count entries from @index on, how many translate to guest frames that follow
 * one another. 0: the first translates to none that is known.
 */
unsigned int spt_node_frames_from(const struct spt_node *node, unsigned int index,
				  unsigned int count);

/* What of a vCPU's MMU refers to @root; see also prev_root_hpa*. */
enum spt_vcpu_use spt_vcpu_uses(const struct spt_vcpu_ref *vcpu, const struct spt_root_ref *root);

/* Value of memory attributes (KVM_MEMORY_ATTRIBUTE_*) at @gfn; false: the image has none. */
bool spt_model_attrs(const struct spt_model *model, uint64_t gfn, uint64_t *attrs);

/*
 * Whether external tables are in the image: SPT_YES, SPT_NO where they are a TDX module's
 * own, SPT_NA where this kernel has none or the image does not say.
 */
enum spt_known spt_model_externals(const struct spt_model *model);

/* The external table behind a mirror table, or NULL. */
const struct spt_node *spt_node_external(const struct spt_model *model,
					 const struct spt_node *mirror);

/* HPA of the page that guest_memfd has for @gpa; SPT_NO_HPA: none, or not in the image. */
uint64_t spt_model_gmem_hpa(const struct spt_model *model, uint64_t gpa);

/* Whether the image says which pages the slot's guest_memfd has. */
bool spt_model_knows_gmem(const struct spt_model *model, const struct spt_memslot *slot);

/* Whether @gpa is in the range that the image was asked for. */
bool spt_model_covers(const struct spt_model *model, uint64_t gpa);

/* The host walk that speaks for the page of @gpa (it may begin below), or NULL. */
const struct spt_host_walk *spt_model_host_walk(const struct spt_model *model, uint64_t gpa);

/* The saved page of the guest's memory that holds @gpa, or NULL. */
const struct spt_guest_table *spt_model_guest_table(const struct spt_model *model, uint64_t gpa);

/* "normal", "sw-protected", "sev", "tdx", ...; "n/a" when unknown. */
const char *spt_model_vm_type(const struct spt_model *model);

/* "ept", "npt" or "shadow". */
const char *spt_model_mmu(const struct spt_model *model);

/* MMU_INVALIDATE_SEQ at start and end; false: unknown. */
bool spt_model_seq(const struct spt_model *model, uint64_t *start, uint64_t *end);

#endif
