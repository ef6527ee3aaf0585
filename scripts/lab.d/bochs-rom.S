/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An option ROM that hands the machine to the host: the BIOS calls it at the end of its own
 * start, it says where every block of memory is, waits until the host has put a kernel there, and
 * jumps to it. No disk is read and nothing is decompressed at the emulator's speed.
 *
 * Bochs gives guest memory host memory in blocks, in the order of their first use; so each block
 * gets a stamp (magic, its physical address), by which the host finds it (bochs-l1.c, struct
 * boot_block; the addresses here are in bochs-link.h).
 */
#include "bochs-link.h"

#define ROM_SEGMENT	0xd000
#define ROM_BASE	(ROM_SEGMENT << 4)
#define CODE32		0x08
#define DATA32		0x10
#define E820_RAM	1
#define MIB		0x100000
#define EBDA		0x9f000

	.code16
	.globl	_start
_start:
	.byte	0x55, 0xaa
	.byte	1				/* length in 512-byte sectors */

	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$BOOT_STACK, %esp

	/* The memory map, for the host and from there for the kernel. */
	movw	$BOOT_MAP, %di
	xorl	%ebp, %ebp
	xorl	%ebx, %ebx
1:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx
	movl	$20, %ecx
	int	$0x15
	jc	2f
	addw	$BOOT_MAP_ENTRY, %di
	incl	%ebp
	testl	%ebx, %ebx
	jnz	1b
2:	movl	%ebp, BOOT_MAP_COUNT

	inb	$0x92, %al			/* A20 */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	%cs:gdtr - _start
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$CODE32, $(ROM_BASE + flat - _start)

	.code32
flat:
	movw	$DATA32, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss

	/* Low memory first, then every RAM entry above it and below 4 GiB. */
	xorl	%edi, %edi
	movl	$EBDA, %ecx
	call	stamp
	movl	$BOOT_MAP, %ebx
1:	cmpl	$E820_RAM, 16(%ebx)
	jne	2f
	cmpl	$0, 4(%ebx)
	jne	2f
	movl	(%ebx), %edi
	cmpl	$MIB, %edi
	jb	2f
	movl	%edi, %ecx
	addl	8(%ebx), %ecx
	call	stamp
2:	addl	$BOOT_MAP_ENTRY, %ebx
	decl	%ebp
	jnz	1b

	movl	$1, BOOT_STAMPED
wait:	pause
	movl	BOOT_ENTRY, %eax
	testl	%eax, %eax
	jz	wait
	movl	BOOT_EBX, %ebx
	jmp	*%eax

/* Stamps the blocks of %edi..%ecx. */
stamp:
	leal	BOOT_STAMP(%edi), %eax
	cmpl	%ecx, %eax
	jae	1f
	movl	$BOOT_MAGIC_LOW, (%eax)
	movl	$BOOT_MAGIC_HIGH, 4(%eax)
	movl	%edi, 8(%eax)
	addl	$BOOT_BLOCK, %edi
	jmp	stamp
1:	ret

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* CODE32: flat */
	.quad	0x00cf93000000ffff		/* DATA32: flat */
gdtr:	.word	. - gdt - 1
	.long	ROM_BASE + gdt - _start

	.org	511				/* the host puts the checksum here */
	.byte	0
