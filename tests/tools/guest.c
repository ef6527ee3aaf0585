// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/builtin.h"
#include "decoders/role.h"
#include "decoders/spte.h"
#include "tests/tools/guest.h"

#define GB (1ULL << 30)
#define TB (1ULL << 40)

/* Where things are in the host's memory; a guest page's frame is congruent to its GPA. */
#define FRAMES	      (4 * GB)
#define TABLES	      (8 * TB)
#define RANDOM_FRAMES (16 * TB)
#define PAGES	      0xffff888100000000ULL /* kvm_mmu_pages */
#define BELOW_4G      (2 * GB)
#define HVA	      0x7e0000000000ULL
#define ALL_ACCESS    7

/* What shadow tables translate: where Linux maps all of its memory. */
#define DIRECT_MAP_INDEX 273	      /* of 0xffff888000000000 in a table of level 4 */
#define BEYOND_MEMORY	 (1ULL << 32) /* frame: upper guest tables are not made up */

/* What happens to pages that are chosen to change. */
enum change { UNCHANGED, REMOVED, REMAPPED, PERMISSION, SPLIT, CHANGES };
static const char *const change_names[CHANGES] = {
	"unchanged", "removed", "remapped", "permission", "split",
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

static uint64_t hash(uint64_t seed, uint64_t what)
{
	return mix(what * 0x9e3779b97f4a7c15ULL + seed);
}

/* One to one on numbers of so many bits. */
static uint64_t shuffle(uint64_t x, unsigned int bits, uint64_t seed)
{
	uint64_t mask = (1ULL << bits) - 1;

	x = (x * 0x9e3779b97f4a7c15ULL + seed) & mask;
	x ^= x >> (bits / 2);
	x = x * 0xd6e8feb86659fd93ULL & mask;
	return x ^ x >> (bits / 2);
}

static bool in_memory(const struct guest *g, uint64_t gpa, uint64_t bytes)
{
	for (int i = 0; i < g->slots; i++)
		if (gpa < g->slot[i].gpa + g->slot[i].bytes && g->slot[i].gpa < gpa + bytes)
			return true;
	return false;
}

static enum change changed(const struct guest *g, uint64_t gfn, bool huge)
{
	uint64_t h = hash(g->wish.change_seed, gfn / g->wish.change_run + (huge ? 1ULL << 60 : 0));

	if (!g->change_below || h >= g->change_below)
		return UNCHANGED;
	return REMOVED + mix(h) % (huge ? 4 : 3);
}

/* Whether the 2M at @gpa are one page as the seed says, and what became of it. */
static bool is_huge(const struct guest *g, uint64_t gpa, enum change *change)
{
	*change = UNCHANGED;
	if (hash(g->wish.seed, gpa >> 21) % 8 >= g->huge_of_8)
		return false;
	*change = changed(g, gpa >> 12, true);
	return true;
}

bool guest_has_table(const struct guest *g, int level, uint64_t gpa)
{
	enum change change;

	if (level > 1)
		return in_memory(g, gpa, guest_span(level + 1));
	return in_memory(g, gpa, guest_span(2)) && (!is_huge(g, gpa, &change) || change == SPLIT);
}

unsigned int guest_first_index(const struct guest *g, int level)
{
	return g->shadow && level == 4 ? DIRECT_MAP_INDEX : 0;
}

/* Tables are numbered by level and place, and have any frame. */
static uint64_t table_number(int level, uint64_t gpa)
{
	static const uint64_t first[] = { 0, 0, 1 << 22, (1 << 22) + (1 << 13), (1 << 23) - 1 };

	return level == 4 ? first[4] : first[level] + (gpa >> (12 + 9 * level));
}

struct spt_page guest_page(const struct guest *g, int level, uint64_t gpa, uint64_t ptep)
{
	uint64_t number = shuffle(table_number(level, gpa), 23, g->wish.seed);
	struct spt_page page = {
		.sp = PAGES + number * 0xb8,
		.hpa = TABLES + (number << 12),
		.gfn = !g->shadow  ? gpa >> 12
		       : level > 1 ? BEYOND_MEMORY + number
				   : number,
		.role = (uint32_t)level << g->head.role[SPT_ROLE_LEVEL].shift |
			(uint32_t)!g->shadow << g->head.role[SPT_ROLE_DIRECT].shift |
			(uint32_t)ALL_ACCESS << g->head.role[SPT_ROLE_ACCESS].shift,
		.flags = !g->shadow   ? SPT_PAGE_TDP_MMU
			 : level == 1 ? SPT_PAGE_UNSYNC
				      : 0,
		.unsync_children = g->shadow && level > 1 ? SPT_TABLE_ENTRIES : 0,
		.known = SPT_PAGE_TDP_MMU | SPT_PAGE_UNSYNC | SPT_PAGE_NX_DISALLOWED,
		.root_count = level == 4,
		.parent = ptep,
	};

	return page;
}

static void tell(const struct guest *g, uint64_t gpa, uint64_t bytes, enum change change)
{
	if (g->wish.list && change != UNCHANGED)
		printf("0x%" PRIx64 " %" PRIu64 " %s\n", gpa, bytes, change_names[change]);
}

static uint64_t frame(const struct guest *g, uint64_t gfn, bool scattered)
{
	if (!scattered)
		return FRAMES + (gfn << 12);
	return RANDOM_FRAMES + (shuffle(gfn, g->frame_bits, g->wish.seed) << 12);
}

/* Beyond all frames, so that it is nobody else's. */
static uint64_t other_frame(uint64_t hpa)
{
	return hpa + 12 * TB;
}

static uint64_t apply(const struct guest *g, uint64_t spte, uint64_t hpa, enum change change)
{
	if (change == REMOVED)
		return g->head.empty_spte;
	if (change == REMAPPED)
		hpa = other_frame(hpa);
	if (change == PERMISSION)
		spte &= ~g->format.write;
	return spte | hpa;
}

static uint64_t leaf_4k(const struct guest *g, uint64_t gfn, bool scattered)
{
	uint64_t dirty = hash(g->wish.seed + 1, gfn / 64) & 3 ? g->format.dirty : 0;

	if (g->gap_of_64 && hash(g->wish.seed + 2, gfn) % 64 < g->gap_of_64)
		return g->head.empty_spte;
	return (g->leaf | dirty | frame(g, gfn, scattered));
}

static void entries_4k(const struct guest *g, uint64_t gpa, uint64_t *entry)
{
	enum change from_huge;
	bool split = is_huge(g, gpa, &from_huge);
	bool scattered = !split && (g->random || g->huge_of_8);

	for (int i = 0; i < SPT_TABLE_ENTRIES; i++) {
		uint64_t gfn = (gpa >> 12) + i, spte = g->head.empty_spte;
		enum change change = split ? UNCHANGED : changed(g, gfn, false);

		if (split)
			spte = g->leaf | g->format.dirty | frame(g, gfn, false);
		else if (in_memory(g, gfn << 12, 4096))
			spte = leaf_4k(g, gfn, scattered);
		if (spte != g->head.empty_spte && change != UNCHANGED) {
			uint64_t hpa = spte & g->format.addr;

			spte = apply(g, spte & ~g->format.addr, hpa, change);
			tell(g, gfn << 12, 4096, change);
		}
		entry[i] = spte;
	}
}

static void entries_2m(const struct guest *g, uint64_t gpa, uint64_t *entry)
{
	for (int i = 0; i < SPT_TABLE_ENTRIES; i++, gpa += guest_span(2)) {
		enum change change;

		entry[i] = g->head.empty_spte;
		if (!in_memory(g, gpa, guest_span(2)))
			continue;
		if (guest_has_table(g, 1, gpa)) {
			entry[i] = g->table | guest_page(g, 1, gpa, 0).hpa;
			if (is_huge(g, gpa, &change))
				tell(g, gpa, guest_span(2), change);
		} else if (is_huge(g, gpa, &change)) {
			entry[i] = apply(g, g->huge | g->format.dirty, frame(g, gpa >> 12, false),
					 change);
			tell(g, gpa, guest_span(2), change);
		}
	}
}

void guest_entries(const struct guest *g, int level, uint64_t gpa,
		   uint64_t entry[SPT_TABLE_ENTRIES])
{
	int first = (int)guest_first_index(g, level);

	if (level == 1) {
		entries_4k(g, gpa, entry);
		return;
	}
	if (level == 2) {
		entries_2m(g, gpa, entry);
		return;
	}
	for (int i = 0; i < SPT_TABLE_ENTRIES; i++)
		entry[i] = g->head.empty_spte;
	for (int i = 0; i + first < SPT_TABLE_ENTRIES; i++) {
		uint64_t below = gpa + i * guest_span(level);

		if (guest_has_table(g, level - 1, below))
			entry[i + first] = g->table | guest_page(g, level - 1, below, 0).hpa;
	}
}

static void add_slots(struct guest *g)
{
	uint64_t low = g->wish.size < BELOW_4G ? g->wish.size : BELOW_4G, high = g->wish.size - low;

	g->slot[g->slots].bytes = low;
	g->slot[g->slots++].hva = HVA;
	if (!high)
		return;
	g->slot[g->slots].gpa = 4 * GB;
	g->slot[g->slots].bytes = high;
	g->slot[g->slots++].hva = HVA + low;
}

static const char *choose_kind(struct guest *g)
{
	static const struct {
		const char *name, *format;
		bool shadow, random;
		unsigned int huge_of_8, gap_of_64;
	} kinds[] = {
		{ "4k", "npt-6.12", false, false, 0, 0 },
		{ "random", "npt-6.12", false, true, 0, 0 },
		{ "thp", "npt-6.12", false, false, 8, 0 },
		{ "fragmented", "npt-6.12", false, false, 4, 1 },
		{ "shadow", "shadow-6.12", true, false, 0, 0 },
	};
	const struct spt_masks *masks;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, g->wish.kind) != 0)
			continue;
		g->shadow = kinds[i].shadow;
		g->random = kinds[i].random;
		g->huge_of_8 = kinds[i].huge_of_8;
		g->gap_of_64 = kinds[i].gap_of_64;
		if (!spt_builtin(g->wish.format ? g->wish.format : kinds[i].format, &g->head,
				 &masks))
			return "no such format";
		g->masks = *masks;
		return NULL;
	}
	return "no such kind: there are 4k, random, thp, fragmented, shadow";
}

static void make_head(struct guest *g)
{
	g->head.rec = (struct spt_rec){ SPT_REC_HEAD, sizeof(g->head) };
	g->head.magic = SPT_IMAGE_MAGIC;
	g->head.abi = SPT_IMAGE_ABI;
	g->head.tdp_mmu = !g->shadow;
	g->head.root_level = 4;
	g->head.spte_addr_mask = 0x000ffffffffff000ULL;
	g->head.req_parts = SPT_PARTS_DEFAULT;
	g->head.pid = 4321;
	g->head.fd = 13;
	g->head.time_ns = 1700000000000000000ULL;
	strcpy(g->head.id, "4321-13");
	strcpy(g->head.comm, "qemu");
	strcpy(g->head.release, "6.12.0-generated");
	strcpy(g->head.agent, "none");
}

static void make_entries(struct guest *g)
{
	const struct spt_format *f = &g->format;
	uint64_t bits = SPT_SPTE_MMU_PRESENT | f->read | f->write | f->user | f->accessed;
	uint64_t write_back = f->memtype ? 6ULL << __builtin_ctzll(f->memtype) : 0;

	g->table = bits | f->exec | f->xu;
	g->leaf = g->table | f->host_writable | f->mmu_writable | f->ipat | write_back;
	if (f->nx) { /* 'exec' is the same bit, which is then not set */
		g->table &= ~f->nx;
		g->leaf &= ~f->nx;
	}
	g->huge = g->leaf | SPT_SPTE_PAGE_SIZE;
}

static void count(struct guest *g)
{
	const uint64_t end = g->slot[g->slots - 1].gpa + g->slot[g->slots - 1].bytes;
	bool all_there = !g->gap_of_64 && !g->change_below;
	uint64_t entry[SPT_TABLE_ENTRIES];

	g->tables = 1;
	for (int level = 1; level < 4; level++)
		for (uint64_t gpa = 0; gpa < end; gpa += guest_span(level + 1)) {
			if (!guest_has_table(g, level, gpa))
				continue;
			g->tables++;
			if (level > 2 || (level == 1 && all_there && in_memory(g, gpa, 4096))) {
				g->pages_4k += level == 1 ? SPT_TABLE_ENTRIES : 0;
				continue;
			}
			guest_entries(g, level, gpa, entry);
			for (int i = 0; i < SPT_TABLE_ENTRIES; i++) {
				enum spt_spte_type type =
					spt_spte_type(&g->format, entry[i], level);

				*(level == 1 ? &g->pages_4k : &g->pages_2m) +=
					type == SPT_SPTE_LEAF;
			}
		}
}

const char *guest_init(struct guest *g, const struct guest_wish *wish)
{
	struct spt_error error;
	const char *wrong;

	memset(g, 0, sizeof(*g));
	g->wish = *wish;
	if (!wish->size || wish->size > GUEST_MAX_SIZE || wish->size % guest_span(2))
		return "the size must be a multiple of 2M, and at most 4T";
	if (wish->changes < 0 || wish->changes >= 100 || !wish->change_run)
		return "changes are 0 to less than 100 per cent, in runs of at least one page";
	wrong = choose_kind(g);
	if (wrong)
		return wrong;
	make_head(g);
	if (spt_format_init(&g->format, &g->head, &g->masks, &error))
		return "the format contradicts itself";
	make_entries(g);
	add_slots(g);
	for (g->frame_bits = 2; (1ULL << g->frame_bits) << 12 < wish->size + 4 * GB;)
		g->frame_bits++;
	g->change_below = (uint64_t)(wish->changes / 100 * 0x1p64);
	g->wish.list = false;
	count(g);
	g->wish.list = wish->list;
	return NULL;
}
