/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of an audit: what every check is given and how it says what it found.
 *
 * An audit of one model is three passes. The upper tables first, one after the
 * other: who hangs where. Then all entries, table by table on several threads: what
 * one entry says, and leaves against slots and the host. Then what needs both:
 * reverse maps, counters, MMIO entries that something else maps.
 */
#ifndef SPT_AUDIT_ENGINE_H
#define SPT_AUDIT_ENGINE_H

#include "spt/audit.h"
#include "spt/lpage.h"

/* What must not have moved between two facts of an image for a rule to compare them. */
enum audit_calm {
	AUDIT_ANYWAY, /* all it needs is read at once */
	AUDIT_SEQ,    /* slots, roots, host mappings: their generations and the invalidations */
	AUDIT_COUNTS, /* what only KVM's counters tell of */
	AUDIT_STILL,  /* what nothing tells of: of a file, that no vCPU was running */
	AUDIT_CALMS,
};

/* An entry, or a table as a whole. */
struct audit_place {
	const struct spt_node *node; /* NULL: the VM as a whole */
	unsigned int index;
	int level; /* 0: no entry */
	uint64_t spte;
	uint64_t gpa;
};

/* A finding that is still to be judged. */
struct audit_suspect {
	struct spt_audit_finding f;
	bool moving; /* the image itself shows that things moved */
};

/* An MMIO entry that KVM would believe now. */
struct audit_mmio {
	uint64_t gfn;
	const struct spt_node *node;
	uint64_t spte;
	uint16_t index;
	uint8_t as_id;
	bool mapped; /* something else maps the gfn */
};

/* What one thread has found. */
struct audit_part {
	uint64_t checked[SPT_AUDIT_RULE_COUNT];
	uint64_t found[SPT_AUDIT_RULE_COUNT];  /* violations if nothing moved */
	uint64_t moving[SPT_AUDIT_RULE_COUNT]; /* the same where something did */
	uint32_t kept[SPT_AUDIT_RULE_COUNT];
	struct audit_suspect *suspect;
	size_t nr_suspects, room;
	struct audit_mmio *mmio;
	size_t nr_mmio, mmio_room;
	uint64_t leaves[SPT_MAX_LEVEL + 1]; /* of all tables */
	struct {
		uint64_t shadow, indirect, tdp; /* below the roots */
		uint64_t nx;			/* listed as possible NX huge pages */
		bool knows_nx, aliens;
	} tables;
	int error; /* -ENOMEM */
	/* Of the last table, for the next one. */
	const struct spt_memslot *slot;
	uint64_t class_bits;
	uint32_t class_role;
	int8_t class_level;
	uint64_t class_bad;
};

/* A slot as the checks want it. */
struct audit_slot {
	bool tracked;	 /* it has write-tracked frames */
	bool dirty_log;	 /* and the image has its bitmap, or needs none: see dirty_bits */
	bool dirty_bits; /* W wants the dirty bit in the bitmap, page by page */
	bool host;	 /* the host's mapping of it is known */
	bool private_pages;
};

struct audit_synced;
struct audit_frames;

/* An entry that leads to a table, and to which; NULL: to none of KVM's. */
struct audit_link {
	const struct spt_node *node, *child;
	uint64_t spte;
	uint16_t index;
};

struct audit {
	const struct spt_model *m;
	const struct spt_format *f;
	struct spt_audit *out;
	uint64_t rules;	      /* that are wanted and can be judged */
	uint64_t first, last; /* gfns asked for, both inclusive */
	bool whole;	      /* the image has all of the VM's tables */
	bool calm[AUDIT_CALMS];
	bool live;		  /* the image is of a VM that will be looked at again */
	unsigned int max;	  /* findings kept a rule */
	struct audit_slot *slots; /* by index in m->memslots.slots */
	uint8_t *linked;	  /* a node: AUDIT_LINKED, ... */
	uint64_t *base;		  /* a node: gfn that its place says it begins at */
	uint32_t *parent;	  /* a node: index + 1 of the first table that leads to it */
	uint16_t *parent_index;	  /* and which entry of that */
	uint32_t *upper;	  /* nodes above level 1, from the highest level down */
	uint32_t nr_upper;
	struct audit_link *links; /* second ones to a table, and those to none */
	size_t nr_links, links_room;
	uint64_t class_mask; /* bits of a present entry of level 1 that make its class */
	uint64_t valid_gen;  /* mmu_valid_gen; ~0 unknown */
	uint64_t generation[SPT_ADDRESS_SPACES]; /* of the slots as in MMIO entries; ~0 unknown */
	bool invalidating;			 /* an invalidation is under way */
	struct audit_frames *user,
		*shared;	     /* host pages of the VMM's and of shared roots; or NULL */
	struct audit_synced *synced; /* by (as_id, gfn) */
	size_t nr_synced;
};

/* A guest table that a shadow page in sync stands for: the guest must not write it. */
struct audit_synced {
	uint64_t gfn;
	uint32_t as_id;
	uint32_t node;
};

#define AUDIT_LINKED  1 /* an entry leads to it */
#define AUDIT_LINKED2 2 /* and a second one */
#define AUDIT_ALIEN   4 /* its level or role is not its place's: its entries mean nothing */
#define AUDIT_AGAIN   8 /* the same table as one before, met at another place */

#define AUDIT_BIT(id) (1ULL << SPT_AUDIT_##id)

static inline bool audit_wants(const struct audit *a, enum spt_audit_rule_nr rule)
{
	return a->rules >> rule & 1;
}

/* The rule cannot be judged on this image. @why: static. */
void audit_na(struct audit *a, enum spt_audit_rule_nr rule, const char *why);

/* The same, where something but the image's calm says that things @moving are seen. */
struct spt_audit_finding *audit_found_as(const struct audit *a, struct audit_part *part,
					 enum spt_audit_rule_nr rule, const struct audit_place *p,
					 bool moving);

/* What the rule needs to stand still. */
enum audit_calm audit_calm_of(enum spt_audit_rule_nr rule);

/*
 * Count a breach of @rule at @p. Returns the finding to describe with audit_say(),
 * or NULL where enough are kept.
 */
struct spt_audit_finding *audit_found(const struct audit *a, struct audit_part *part,
				      enum spt_audit_rule_nr rule, const struct audit_place *p);

/* @expected and @found: what the rule wants and what is there; @fmt: the sentence. */
void audit_say(struct spt_audit_finding *f, const char *expected, const char *found,
	       const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* A short text made on the spot, for audit_say(). */
struct audit_text {
	char text[80];
};
struct audit_text audit_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The table's root, as the image names it; NULL unknown. */
const struct spt_root_ref *audit_root(const struct audit *a, const struct spt_node *node);

/* On its way out: an invalid root's tables, an obsolete shadow page. Nothing enters there. */
bool audit_dead(const struct audit *a, const struct spt_node *node);

static inline unsigned int audit_role(const struct audit *a, const struct spt_node *node,
				      enum spt_role_bit bit);

/* Address space whose slots the table maps. */
unsigned int audit_as_id(const struct audit *a, const struct spt_node *node);

/* Whether an entry leads to a table, for KVM. */
static inline bool audit_is_link(uint64_t spte, int level)
{
	return level > 1 && spte & SPT_SPTE_MMU_PRESENT && !(spte & SPT_SPTE_PAGE_SIZE);
}

/* The table at @hpa below @node, of several the one that fits best; NULL: none of KVM's. */
const struct spt_node *audit_child(const struct audit *a, const struct spt_node *node,
				   uint64_t hpa);

/* Whether the table's entries are to be judged: not when something is wrong with the table. */
static inline bool audit_looks_at(const struct audit *a, const struct spt_node *node)
{
	return node->page && !(a->linked[node - a->m->nodes] & (AUDIT_ALIEN | AUDIT_AGAIN));
}

/* The first gfn of a table that maps frames in order, by its place. */
static inline uint64_t audit_base(const struct audit *a, const struct spt_node *node)
{
	return a->base[node - a->m->nodes];
}

/* A page of the shadow MMU's lists, not the TDP MMU's. */
static inline bool audit_is_shadow(const struct spt_node *node)
{
	return node->page && !(node->page->flags & SPT_PAGE_TDP_MMU);
}

/* sp_has_gptes(): a table of the guest stands behind it. */
bool audit_has_gptes(const struct audit *a, const struct spt_node *node);

/* Whether the image was made of the frame, and so has what there is to know of it. */
static inline bool audit_covers(const struct audit *a, uint64_t gfn)
{
	return spt_model_covers(a->m, gfn << SPT_PAGE_SHIFT);
}

static inline const struct spt_memslot *
audit_slot_of(const struct audit *a, struct audit_part *part, unsigned int as_id, uint64_t gfn)
{
	const struct spt_memslot *s = part->slot;

	if (!s || s->slot->as_id != as_id || gfn - s->slot->base_gfn >= s->slot->npages)
		s = spt_memslot_find(&a->m->memslots, as_id, gfn);
	if (s)
		part->slot = s;
	return s;
}

static inline const struct audit_slot *audit_slot_facts(const struct audit *a,
							const struct spt_memslot *s)
{
	return &a->slots[s - a->m->memslots.slots];
}

/* Whether @gfn, one of @pages, is in the range asked for. */
static inline bool audit_in_range(const struct audit *a, uint64_t gfn, uint64_t pages)
{
	return gfn <= a->last && gfn + pages - 1 >= a->first;
}

/* The passes; each returns 0 or -errno. */
int audit_places(struct audit *a);			   /* audit_places.c */
int audit_prepare(struct audit *a);			   /* what can be judged at all */
int audit_links(struct audit *a, struct audit_part *part); /* audit_links.c */
/* The entry that leads to a table of level 1; the others are audit_links()'s. */
void audit_place(struct audit *a, struct audit_part *part, const struct spt_node *node);
void audit_table_entries(struct audit *a, struct audit_part *part, const struct spt_node *node);
void audit_table_facts(struct audit *a, struct audit_part *part, const struct spt_node *node);

/* What is wrong with a present entry by itself: AUDIT_BIT()s of the class rules. */
uint64_t audit_class(const struct audit *a, const struct spt_node *node, uint64_t spte);
void audit_say_class(const struct audit *a, struct spt_audit_finding *f,
		     enum spt_audit_rule_nr rule, const struct audit_place *p);

/* One leaf against slots and the host. */
void audit_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p);

/*
 * audit_private.c: a VM whose memory has two halves. What is compared with each mirror
 * leaf; one leaf; a mirror's table against the one behind it.
 */
int audit_private_prepare(struct audit *a);
void audit_private_free(struct audit *a);
void audit_private_leaf(struct audit *a, struct audit_part *part, const struct audit_place *p,
			const struct spt_memslot *slot);
void audit_private_table(struct audit *a, struct audit_part *part, const struct spt_node *node);
/*
 * Whether an entry of a shared root, empty for KVM, leads to the external table of its
 * place: one root for the hardware to walk both halves from.
 */
bool audit_is_spliced(const struct audit *a, const struct audit_place *p);

/* Leaves of a table of level 1 that maps gfns in order; one bit an entry. */
struct audit_leaves {
	const struct spt_node *node;
	uint64_t gfn; /* of entry 0 */
	uint64_t leaf[8], writable[8];
	unsigned int leaves, writables; /* bits in them */
};
void audit_leaves(struct audit *a, struct audit_part *part, const struct audit_leaves *l);

/* MMIO entries: one; then all of them, once every leaf is known. */
void audit_mmio_entry(struct audit *a, struct audit_part *part, const struct audit_place *p);
int audit_mmio(struct audit *a, struct audit_part *part);

int audit_rmaps(struct audit *a, struct audit_part *part);
void audit_counts(struct audit *a, struct audit_part *part);
void audit_roots(struct audit *a, struct audit_part *part);
void audit_vm(struct audit *a, struct audit_part *part);
void audit_guest_ptes(struct audit *a, struct audit_part *part);

/* All suspects of one model, to be judged by the caller. Frees nothing but what it made. */
int audit_run(struct spt_audit *out, const struct spt_model *m, bool live, struct audit_part *all,
	      struct spt_error *err);
void audit_part_free(struct audit_part *part);
int audit_part_merge(struct audit_part *to, struct audit_part *from, unsigned int max);

/* Make the suspects of @all the audit's findings; those that moved only count. */
int audit_conclude(struct spt_audit *out, struct audit_part *all);

#include "decoders/role.h"

static inline unsigned int audit_role(const struct audit *a, const struct spt_node *node,
				      enum spt_role_bit bit)
{
	return node->page ? spt_role_get(a->f->role, node->page->role, bit) : 0;
}

#endif
