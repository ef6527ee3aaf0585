/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host, the option ROM and L1 agree on under Bochs: the boot block in low memory, and
 * the link, a reserved piece of L1's memory through which both sides keep a directory alike.
 */
#ifndef BOCHS_LINK_H
#define BOCHS_LINK_H

/* Memory is stamped in units of Bochs' smallest usual block. */
#define BOOT_BLOCK	0x20000
#define BOOT_STAMP	0x7000 /* offset of a stamp in its block */
#define BOOT_MAGIC_LOW	0x6c2d7073
#define BOOT_MAGIC_HIGH 0x21316261

/* The boot block follows the stamp of block 0. */
#define BOOT_STAMPED   0x7010 /* 1: the ROM is done and waits */
#define BOOT_ENTRY     0x7014 /* the host: where to go */
#define BOOT_EBX       0x7018 /* the host: and with what */
#define BOOT_MAP_COUNT 0x701c
#define BOOT_MAP       0x7100 /* E820 entries */
#define BOOT_MAP_ENTRY 24
#define BOOT_MAP_MAX   64
#define BOOT_STACK     0x6ff0

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

/*
 * The link: two rings of frames, one for each direction. Each side writes only its own counters
 * and flags, so that no side ever has to lock out the other.
 */
#define LINK_SIZE      (4u << 20)
#define LINK_MAGIC     0x4b4e494c54505300ull
#define LINK_RING_SIZE (1u << 20)
/* Looked at in this order: what 'outside' announces is then seen in 'out'. */
#define LINK_PARTS     "outside", "out"
#define LINK_PARAMETER "bochs_link=" /* of the kernel's command line */

struct link_ring {
	uint32_t produced; /* bytes ever put in, by the sender */
	uint32_t consumed; /* bytes ever taken out, by the receiver */
};

struct link_area {
	uint64_t magic;
	uint32_t off; /* L1: everything is sent, the power may go */
	uint32_t reserved;
	struct link_ring to_host; /* its bytes are at LINK_RING_SIZE */
	struct link_ring to_l1;	  /* its bytes are at LINK_RING_SIZE * 2 */
};

/* One end of the link: how this side reaches the area, and which ring is which. */
struct link {
	void (*read)(const struct link *link, uint64_t offset, void *to, size_t size);
	void (*write)(const struct link *link, uint64_t offset, const void *from, size_t size);
	size_t send_ring, receive_ring; /* offsets in struct link_area */
	uint32_t send_bytes, receive_bytes;
	void *private;
};

struct mirror;

/* What is done before a received file appears, e.g. because it asks for something. */
typedef void mirror_arrival(const char *name);

/*
 * Keeps the directories LINK_PARTS of DIR like those at the other end: what either side creates,
 * appends to, replaces or removes appears at the other, in that order; what happened within one
 * tick of the kernel, in the order of the names. One file must have one writing side. ARRIVAL may
 * be NULL. The program ends when a file system or the link fails.
 */
struct mirror *mirror_create(const struct link *link, const char *dir, mirror_arrival *arrival);

/* One round in both directions; the number of frames that were carried. */
int mirror_step(struct mirror *mirror);

#endif /* __ASSEMBLER__ */
#endif
