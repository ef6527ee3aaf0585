/* SPDX-License-Identifier: GPL-2.0 */
/* A synthetic guest with page tables of its own, for one test. Include after cmocka.h. */
#ifndef SPT_TESTS_GUEST_H
#define SPT_TESTS_GUEST_H

#include <string.h>

#include "spt/guest_walk.h"
#include "vm.h"

#define CR0_PE	 (1ULL << 0)
#define CR0_WP	 (1ULL << 16)
#define CR0_PG	 (1ULL << 31)
#define CR4_PSE	 (1ULL << 4)
#define CR4_PAE	 (1ULL << 5)
#define CR4_LA57 (1ULL << 12)
#define CR4_SMEP (1ULL << 20)
#define CR4_SMAP (1ULL << 21)
#define CR4_PKE	 (1ULL << 22)
#define EFER_LMA (1ULL << 10)
#define EFER_NXE (1ULL << 11)

#define G_P  1ULL
#define G_W  2ULL
#define G_U  4ULL
#define G_A  0x20ULL
#define G_D  0x40ULL
#define G_PS 0x80ULL
#define G_NX (1ULL << 63)
#define G_T  (G_P | G_W | G_U | G_A) /* a table that restricts nothing */

#define GUEST_PAGES 16
#define GUEST_HVA   0x7f0000000000ULL
#define GUEST_RAM   (64 * MK_MB)

struct guest {
	struct vm vm;
	unsigned int vcpu;
	uint64_t gpa[GUEST_PAGES]; /* of the pages that are saved */
	uint8_t page[GUEST_PAGES][4096];
	unsigned int pages;
	struct spt_source *src;
	struct spt_error err;
};

static inline void guest_reg(struct guest *g, enum spt_vcpu_value nr, uint64_t value)
{
	mkimage_vcpu_value(g->vm.mk, g->vcpu, nr, value);
}

/* One vCPU at rest, a slot from 0 up, in a VM whose SPTEs are of the built-in @format. */
static inline void guest_new_of(struct guest *g, const char *format, uint64_t cr0, uint64_t cr4,
				uint64_t efer, uint64_t cr3)
{
	memset(g, 0, sizeof(*g));
	g->vm = vm_new(format);
	g->vcpu = mkimage_vcpu(g->vm.mk);
	mkimage_slot(g->vm.mk, 0, 0, 0, GUEST_RAM, GUEST_HVA);
	guest_reg(g, SPT_VCPU_ID, 0);
	guest_reg(g, SPT_VCPU_CR0, cr0);
	guest_reg(g, SPT_VCPU_CR3, cr3);
	guest_reg(g, SPT_VCPU_CR4, cr4);
	guest_reg(g, SPT_VCPU_EFER, efer);
	guest_reg(g, SPT_VCPU_CR3_FRESH, 1);
	guest_reg(g, SPT_VCPU_REGS_FRESH, 1);
}

static inline void guest_new(struct guest *g, uint64_t cr0, uint64_t cr4, uint64_t efer,
			     uint64_t cr3)
{
	guest_new_of(g, "npt-6.12", cr0, cr4, efer, cr3);
}

static inline void guest_long_mode_of(struct guest *g, const char *format)
{
	guest_new_of(g, format, CR0_PE | CR0_WP | CR0_PG, CR4_PAE, EFER_LMA | EFER_NXE, 0x1000);
}

static inline void guest_long_mode(struct guest *g)
{
	guest_long_mode_of(g, "npt-6.12");
}

static inline void *guest_at(struct guest *g, uint64_t gpa)
{
	for (unsigned int i = 0; i < g->pages; i++)
		if (g->gpa[i] == (gpa & ~4095ULL))
			return g->page[i] + (gpa & 4095);
	assert_true(g->pages < GUEST_PAGES);
	g->gpa[g->pages] = gpa & ~4095ULL;
	return g->page[g->pages++] + (gpa & 4095);
}

static inline void guest_put64(struct guest *g, uint64_t table, unsigned int index, uint64_t entry)
{
	memcpy(guest_at(g, table + index * 8ULL), &entry, sizeof(entry));
}

static inline void guest_put32(struct guest *g, uint64_t table, unsigned int index, uint32_t entry)
{
	memcpy(guest_at(g, table + index * 4ULL), &entry, sizeof(entry));
}

/* Finish the image and open it as a file would be. */
static inline void guest_open(struct guest *g)
{
	uint8_t *image;
	size_t len;

	for (unsigned int i = 0; i < g->pages; i++)
		mkimage_guest_table(g->vm.mk, g->gpa[i], g->page[i]);
	image = mkimage_finish(g->vm.mk, &len);
	if (spt_source_open_memory(image, len, "test", &g->src, &g->err))
		fail_msg("%s", g->err.text);
}

static inline int guest_ask(struct guest *g, const struct spt_guest_ask *ask,
			    struct spt_guest_walk *ret)
{
	return spt_guest_walk_from(g->src, &g->vm.model, ask, 0, ret, &g->err);
}

static inline void guest_walk(struct guest *g, uint64_t gva, struct spt_guest_walk *ret)
{
	const struct spt_guest_ask ask = { .gva = gva, .vcpu = SPT_ANY_VCPU };

	if (guest_ask(g, &ask, ret))
		fail_msg("%s", g->err.text);
}

static inline void guest_free(struct guest *g)
{
	spt_source_close(g->src);
	vm_free(&g->vm);
}

#endif
