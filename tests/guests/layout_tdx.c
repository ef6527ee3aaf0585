// SPDX-License-Identifier: GPL-2.0
/* The slots and the accesses made before READY, with --tdx. */
#include "pages.h"

/* clang-format off */
const struct slot tdx_slot_table[] = {
	/* All of it private but for the mailboxes. */
	{ .id = 0, .name = "system", .gpa = 0, .size = 4 * SIZE_2M, .backing = BACKING_ANON,
	  .guest_page = SIZE_4K, .private = true, .private_size = 4 * SIZE_2M },
	{ .id = 1, .name = "private", .gpa = 0x10000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K,
	  .private = true, .private_size = 2 * SIZE_2M },
	{ .id = 2, .name = "mixed", .gpa = 0x20000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_ANON, .guest_page = SIZE_2M,
	  .private = true, .private_size = SIZE_2M },
	{ .id = 3, .name = "shared", .gpa = 0x30000000, .size = 2 * SIZE_2M,
	  .backing = BACKING_THP, .guest_page = SIZE_2M },
	/* Not at its file's start. */
	{ .id = 4, .name = "offset", .gpa = 0x40000000, .size = 0x100000,
	  .backing = BACKING_ANON, .guest_page = SIZE_4K,
	  .private = true, .private_size = 0x80000, .gmem_offset = 0x100000 },
};

const struct touch tdx_touch_table[] = {
	{ .slot = 1, .gpa = 0, .count = 64, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 1, .gpa = 0x180000, .count = 1, .stride = SIZE_4K, .access = 'x',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 1, .gpa = 0x200000, .count = 16, .stride = SIZE_4K, .access = ACCESS_PREFAULT,
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 2, .gpa = 0, .count = 16, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 2, .gpa = 0x200000, .count = 16, .stride = SIZE_4K, .access = 'w',
	  .shared = true, .page_size = SIZE_4K, .perm = "rwx" },
	{ .slot = 3, .gpa = 0, .count = 2, .stride = SIZE_2M, .access = 'w',
	  .shared = true, .page_size = SIZE_2M, .perm = "rwx" },
	{ .slot = 4, .gpa = 0, .count = 8, .stride = SIZE_4K, .access = 'w',
	  .page_size = SIZE_4K, .perm = "rwx" },
};
/* clang-format on */

const int tdx_slot_count = sizeof(tdx_slot_table) / sizeof(tdx_slot_table[0]);
const int tdx_touch_count = sizeof(tdx_touch_table) / sizeof(tdx_touch_table[0]);
