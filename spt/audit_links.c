// SPDX-License-Identifier: GPL-2.0
/*
 * Who hangs where: each entry that leads to a table, against that table's own idea of
 * its place. Upper tables come first, from the highest level down; those of level 1
 * are judged on several threads, when their own entries are.
 */
#include "spt/audit_engine.h"
#include "spt/tree.h"

#define RMAP_MANY	 1ULL	      /* KVM_RMAP_MANY: a chain of struct pte_list_desc */
#define RMAP_FLAGS	 3ULL	      /* with KVM_RMAP_LOCKED */
#define DIRECT_MAP_ALIGN (1ULL << 30) /* of page_offset_base, see kernel_randomize_memory() */

/* One entry that leads to a table, while it is judged. */
struct link {
	struct audit_place p;
	const struct spt_node *child;
	bool tdp;
	bool moving;	     /* nothing that compares the two may be believed */
	uint64_t gfn, pages; /* that the entry translates; direct tables */
};

/* The agent looked twice at an entry that names no table of its place, and said so. */
static bool is_bad_table(const struct audit *a, uint64_t hpa)
{
	for (uint32_t i = 0; i < a->m->nr_notes; i++)
		if (a->m->notes[i]->kind == SPT_NOTE_BAD_TABLE && a->m->notes[i]->a == hpa)
			return true;
	return false;
}

/* Entries of the range asked for, and of the image's, whose tables beside it are not there. */
static bool looked_at(const struct audit *a, const struct link *l)
{
	const struct spt_head *head = &a->m->image.head;
	uint64_t first = l->gfn << SPT_PAGE_SHIFT, last = first + (l->pages << SPT_PAGE_SHIFT) - 1;

	if (!l->p.node->direct)
		return true;
	if (!audit_in_range(a, l->gfn, l->pages))
		return false;
	return !head->req_len ||
	       (first <= head->req_start + (head->req_len - 1) && last >= head->req_start);
}

static struct link make_link(const struct audit *a, const struct audit_link *from)
{
	const struct spt_node *node = from->node;
	struct link l = { .p = { .node = node,
				 .index = from->index,
				 .level = node->level,
				 .spte = from->spte,
				 .gpa = ~0ULL },
			  .child = from->child,
			  .tdp = !audit_is_shadow(node),
			  .pages = spt_level_pages(node->level) };

	l.moving = !a->calm[l.tdp ? AUDIT_SEQ : AUDIT_STILL];
	if (node->direct) {
		l.gfn = (audit_base(a, node) + l.p.index * l.pages) &
			~(a->m->gpa_bits >> SPT_PAGE_SHIFT);
		l.p.gpa = l.gfn << SPT_PAGE_SHIFT;
	}
	return l;
}

static void check_missing(struct audit *a, struct audit_part *part, struct link *l)
{
	uint64_t hpa = spt_spte_table_hpa(a->f, l->p.spte);
	bool bad = is_bad_table(a, hpa);
	struct spt_audit_finding *f;

	if (!bad && !l->tdp && a->m->image.head.req_len)
		return; /* an image of a range leaves out shadow pages */
	/* The TDP MMU's tables come and go while they are read: only the note is proof. */
	f = audit_found_as(a, part, SPT_AUDIT_CHILD_TABLE, &l->p, !bad && (l->tdp || l->moving));
	audit_say(f, "a table of KVM's", audit_text("0x%llx", (unsigned long long)hpa).text,
		  "the entry leads to 0x%llx, which is no table of this VM's MMU",
		  (unsigned long long)hpa);
}

static void check_level(struct audit *a, struct audit_part *part, struct link *l)
{
	struct spt_audit_finding *f;

	part->checked[SPT_AUDIT_CHILD_LEVEL]++;
	if (l->child->level == l->p.level - 1)
		return;
	a->linked[l->child - a->m->nodes] |= AUDIT_ALIEN;
	f = audit_found_as(a, part, SPT_AUDIT_CHILD_LEVEL, &l->p, l->moving);
	audit_say(f, audit_text("level %d", l->p.level - 1).text,
		  audit_text("level %d", l->child->level).text,
		  "an entry of level %d leads to a table of level %d", l->p.level, l->child->level);
}

static void say_gfn(struct audit *a, struct audit_part *part, struct link *l, uint64_t want)
{
	struct spt_audit_finding *f =
		audit_found_as(a, part, SPT_AUDIT_CHILD_GFN, &l->p, l->moving);
	uint64_t gfn = l->child->page->gfn;

	audit_say(f, audit_text("gfn 0x%llx", (unsigned long long)want).text,
		  audit_text("gfn 0x%llx", (unsigned long long)gfn).text,
		  "the table at 0x%llx says it begins at gfn 0x%llx, its entry stands for 0x%llx",
		  (unsigned long long)l->child->hpa, (unsigned long long)gfn,
		  (unsigned long long)want);
}

/*
 * What is implied without the guest's own tables: below a direct table the place, below
 * a root that adds a level the same guest table, and where a guest's huge page is mapped
 * by small ones, a frame at which such a page can begin.
 */
static void check_gfn(struct audit *a, struct audit_part *part, struct link *l)
{
	const struct spt_page *child = l->child->page, *parent = l->p.node->page;

	if (!l->p.node->direct && !l->child->direct &&
	    !audit_role(a, l->p.node, SPT_ROLE_PASSTHROUGH))
		return;
	part->checked[SPT_AUDIT_CHILD_GFN]++;
	if (l->p.node->direct) {
		if (child->gfn != l->gfn)
			say_gfn(a, part, l, l->gfn);
	} else if (audit_role(a, l->p.node, SPT_ROLE_PASSTHROUGH)) {
		if (child->gfn != parent->gfn)
			say_gfn(a, part, l, parent->gfn);
	} else if (child->gfn & (l->pages - 1)) {
		say_gfn(a, part, l, child->gfn & ~(l->pages - 1));
	}
}

/* The role that the entry implies, with @child's in the bits that it leaves open. */
static uint32_t implied_role(struct audit *a, const struct link *l)
{
	const struct spt_bits *layout = a->f->role;
	uint32_t parent = l->p.node->page->role, child = l->child->page->role, role = parent;
	struct {
		enum spt_role_bit bit;
		unsigned int value;
	} set[] = {
		{ SPT_ROLE_LEVEL, spt_role_get(layout, child, SPT_ROLE_LEVEL) },
		{ SPT_ROLE_INVALID, 0 },
		{ SPT_ROLE_PASSTHROUGH, 0 },
		{ SPT_ROLE_ACCESS, spt_role_get(layout, child, SPT_ROLE_ACCESS) },
		{ SPT_ROLE_DIRECT, spt_role_get(layout, child, SPT_ROLE_DIRECT) },
		{ SPT_ROLE_QUADRANT, l->p.index & 1 },
	};
	unsigned int count = 3;

	if (l->tdp && spt_role_get(layout, parent, SPT_ROLE_INVALID))
		set[1].value = spt_role_get(layout, child, SPT_ROLE_INVALID);
	if (!l->p.node->direct)
		count = 5; /* the guest's tables say these */
	for (unsigned int i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		struct spt_bits b = layout[set[i].bit];

		if (i >= count &&
		    (set[i].bit != SPT_ROLE_QUADRANT || !spt_role_4_byte_gpte(layout, parent)))
			continue;
		if (b.width && b.width < 32)
			role = (role & ~(((1U << b.width) - 1) << b.shift)) | set[i].value
										      << b.shift;
	}
	return role;
}

static void check_role(struct audit *a, struct audit_part *part, struct link *l)
{
	uint32_t want = implied_role(a, l), have = l->child->page->role;
	struct spt_audit_finding *f;
	int bit;

	part->checked[SPT_AUDIT_CHILD_ROLE]++;
	for (bit = 0; bit < SPT_ROLE_COUNT; bit++)
		if (spt_role_get(a->f->role, want, bit) != spt_role_get(a->f->role, have, bit))
			break;
	if (bit == SPT_ROLE_COUNT)
		return;
	a->linked[l->child - a->m->nodes] |= AUDIT_ALIEN;
	f = audit_found_as(a, part, SPT_AUDIT_CHILD_ROLE, &l->p, l->moving);
	audit_say(f,
		  audit_text("%s %u", spt_role_name(bit), spt_role_get(a->f->role, want, bit)).text,
		  audit_text("%s %u", spt_role_name(bit), spt_role_get(a->f->role, have, bit)).text,
		  "the table at 0x%llx has role 0x%x, its place implies 0x%x: %s differs",
		  (unsigned long long)l->child->hpa, have, want, spt_role_name(bit));
}

/* ptep of a TDP MMU's table; parent_ptes of a shadow page if it has one parent alone. */
static bool names_entry(const struct link *l, bool *known)
{
	uint64_t entry = l->p.node->hpa + l->p.index * sizeof(uint64_t);
	uint64_t parent = l->child->page->parent;

	*known = true;
	if (l->tdp)
		return parent == entry;
	if (parent & RMAP_MANY) {
		*known = parent & ~RMAP_FLAGS; /* the chain is not in the image */
		return false;
	}
	/* An address in the direct map, whose base is not known. */
	return parent && !((parent - entry) & (DIRECT_MAP_ALIGN - 1) & ~RMAP_FLAGS);
}

static void check_parent(struct audit *a, struct audit_part *part, struct link *l)
{
	uint64_t entry = l->p.node->hpa + l->p.index * sizeof(uint64_t);
	struct spt_audit_finding *f;
	bool known;

	if (names_entry(l, &known))
		known = false;
	else if (!l->tdp && l->child->page->parent & RMAP_MANY)
		known = false;
	part->checked[SPT_AUDIT_PARENT_POINTER]++;
	if (!known)
		return;
	f = audit_found_as(a, part, SPT_AUDIT_PARENT_POINTER, &l->p, l->moving);
	audit_say(f, audit_text("0x%llx", (unsigned long long)entry).text,
		  audit_text("0x%llx", (unsigned long long)l->child->page->parent).text,
		  "the table at 0x%llx says that 0x%llx leads to it; 0x%llx does",
		  (unsigned long long)l->child->hpa, (unsigned long long)l->child->page->parent,
		  (unsigned long long)entry);
}

/* A second entry that leads to a table: what else is wrong with it follows from that. */
static bool is_second(struct audit *a, struct audit_part *part, struct link *l)
{
	bool known;

	if (!l->tdp)
		return false;
	part->checked[SPT_AUDIT_LINKED_ONCE]++;
	if (!(a->linked[l->child - a->m->nodes] & AUDIT_LINKED2) || names_entry(l, &known))
		return false;
	audit_say(audit_found_as(a, part, SPT_AUDIT_LINKED_ONCE, &l->p, l->moving), "one entry",
		  "two entries", "the table at 0x%llx hangs at 0x%llx, too",
		  (unsigned long long)l->child->hpa, (unsigned long long)l->child->page->parent);
	return true;
}

static void check_link(struct audit *a, struct audit_part *part, const struct audit_link *from)
{
	struct link l = make_link(a, from);

	if (!audit_looks_at(a, from->node) || !looked_at(a, &l))
		return;
	part->checked[SPT_AUDIT_CHILD_TABLE]++;
	if (!l.child) {
		check_missing(a, part, &l);
		return;
	}
	if (is_second(a, part, &l))
		return;
	check_level(a, part, &l);
	if (l.child->level != l.p.level - 1)
		return;
	check_gfn(a, part, &l);
	check_role(a, part, &l);
	check_parent(a, part, &l);
}

/* The first entry that leads to the table. */
static void check_first(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	size_t nr = node - a->m->nodes;
	struct audit_link link = { .child = node, .index = a->parent_index[nr] };

	if (!a->parent[nr])
		return;
	link.node = &a->m->nodes[a->parent[nr] - 1];
	link.spte = spt_node_entry(link.node, link.index);
	check_link(a, part, &link);
}

void audit_place(struct audit *a, struct audit_part *part, const struct spt_node *node)
{
	if (node->level == 1 && node->page)
		check_first(a, part, node);
}

static bool unsync_below(const struct spt_node *child)
{
	return child && audit_is_shadow(child) &&
	       (child->page->flags & SPT_PAGE_UNSYNC || child->page->unsync_children);
}

/* Bits of unsync_child_bitmap are cleared late, so there may be more than there are children. */
static void check_unsync_parent(struct audit *a, struct audit_part *part,
				const struct spt_node *node)
{
	struct spt_tree_frame at = { .node = node, .end = SPT_TABLE_ENTRIES };
	struct audit_place p = { .node = node, .gpa = ~0ULL };
	uint32_t children = 0, counted = node->page->unsync_children;
	uint64_t spte;

	if (!audit_is_shadow(node))
		return;
	while (spt_tree_step(&at, a->f->empty, &spte))
		if (audit_is_link(spte, node->level) &&
		    unsync_below(audit_child(a, node, spt_spte_table_hpa(a->f, spte))))
			children++;
	part->checked[SPT_AUDIT_UNSYNC_PARENT]++;
	if (children > counted)
		audit_say(
			audit_found(a, part, SPT_AUDIT_UNSYNC_PARENT, &p),
			audit_text("at least %u", children).text, audit_text("%u", counted).text,
			"%u children of the shadow page at 0x%llx are unsync or lead to such, it counts %u",
			children, (unsigned long long)node->hpa, counted);
}

int audit_links(struct audit *a, struct audit_part *part)
{
	for (uint32_t i = 0; i < a->nr_upper; i++)
		check_first(a, part, &a->m->nodes[a->upper[i]]);
	for (size_t i = 0; i < a->nr_links; i++)
		check_link(a, part, &a->links[i]);
	for (uint32_t i = 0; i < a->nr_upper && audit_wants(a, SPT_AUDIT_UNSYNC_PARENT); i++)
		if (audit_looks_at(a, &a->m->nodes[a->upper[i]]))
			check_unsync_parent(a, part, &a->m->nodes[a->upper[i]]);
	return part->error;
}
