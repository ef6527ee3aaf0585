/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the host side of 'pages' and its guest code talk: one mailbox page per
 * vCPU in guest memory. The host writes a request and enters the vCPU; the
 * guest does it and exits through PORT_DONE. Read by C and by the assembler.
 */
#ifndef PAGES_MAILBOX_H
#define PAGES_MAILBOX_H

#define PORT_DONE 0x10

#define OP_READ	      1 /* load a quadword of each of COUNT pages, RESULT: the last one */
#define OP_WRITE      2 /* store VALUE in each */
#define OP_EXEC	      3 /* call into each */
#define OP_FILL	      4 /* store VALUE + GVA at FILL_OFFSET of each */
#define OP_VERIFY     5 /* compare with what OP_FILL stored, RESULT: pages that differ */
#define OP_SPIN_READ  6 /* load from each, round and round, until STOP */
#define OP_SPIN_WRITE 7 /* add 1 to each, round and round, until STOP */
#define OP_HALT	      8 /* hlt: no interrupt ever comes, the host ends it */

/* Offsets in the mailbox; every member is a quadword. */
#define MB_OP	   0
#define MB_GVA	   8  /* of the first access */
#define MB_COUNT   16 /* accesses, at least 1 */
#define MB_STRIDE  24 /* bytes from one access to the next */
#define MB_VALUE   32
#define MB_RESULT  40
#define MB_BAD_GVA 48
#define MB_STOP	   56
#define MB_ROUNDS  64

/* Offsets within a page. Touching and spinning use offset 0 of the given address. */
#define EXEC_OFFSET 8 /* where OP_EXEC calls; the host puts a 'ret' there first */
#define FILL_OFFSET 16

#endif
