/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code of a guest in 32-bit mode with PAE paging (--pae): what guest.S does, the same
 * operations by the same mailbox, whose quadwords are taken in halves.
 *
 * ebx points to this vCPU's mailbox. Addresses, counts and strides fit 32 bits here.
 */
#include "mailbox.h"

#define HIGH 4 /* offset of a quadword's upper half */

	.section .rodata
	.globl pages_guest32_code
	.globl pages_guest32_code_size
	.globl pages_guest32_at
	.code32
	.balign 16

pages_guest32_code:
	movl	MB_OP(%ebx), %eax
	movl	MB_GVA(%ebx), %edi
	movl	MB_COUNT(%ebx), %ecx
	movl	MB_STRIDE(%ebx), %edx
	movl	MB_VALUE(%ebx), %esi
	movl	MB_VALUE+HIGH(%ebx), %ebp
	cmpl	$OP_READ, %eax
	je	.Lread
	cmpl	$OP_WRITE, %eax
	je	.Lwrite
	cmpl	$OP_EXEC, %eax
	je	.Lexec
	cmpl	$OP_FILL, %eax
	je	.Lfill
	cmpl	$OP_VERIFY, %eax
	je	.Lverify
	cmpl	$OP_SPIN_READ, %eax
	je	.Lspin_read
	cmpl	$OP_SPIN_WRITE, %eax
	je	.Lspin_write
	cmpl	$OP_HALT, %eax
	je	.Lhalt

.Ldone:
	outb	%al, $PORT_DONE
	jmp	pages_guest32_code

.Lread:
	movl	(%edi), %eax
	movl	HIGH(%edi), %ebp
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lread
	movl	%eax, MB_RESULT(%ebx)
	movl	%ebp, MB_RESULT+HIGH(%ebx)
	jmp	.Ldone

.Lwrite:
	movl	%esi, (%edi)
	movl	%ebp, HIGH(%edi)
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lwrite
	jmp	.Ldone

	/* The host put a 'ret' at EXEC_OFFSET of each page. */
.Lexec:
	leal	EXEC_OFFSET(%edi), %eax
	call	*%eax
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lexec
	jmp	.Ldone

.Lfill:
	movl	%esi, %eax
	addl	%edi, %eax
	movl	%eax, FILL_OFFSET(%edi)
	movl	%ebp, %eax
	adcl	$0, %eax
	movl	%eax, FILL_OFFSET+HIGH(%edi)
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lfill
	jmp	.Ldone

	/* RESULT: how many pages differ; BAD_GVA: the first of them. The host cleared both. */
.Lverify:
	movl	%esi, %eax
	addl	%edi, %eax
	pushl	%ebp
	adcl	$0, (%esp)
	cmpl	%eax, FILL_OFFSET(%edi)
	popl	%eax
	jne	.Lverify_bad
	cmpl	%eax, FILL_OFFSET+HIGH(%edi)
	je	.Lverify_next
.Lverify_bad:
	cmpl	$0, MB_RESULT(%ebx)
	jne	.Lverify_count
	movl	%edi, MB_BAD_GVA(%ebx)
.Lverify_count:
	addl	$1, MB_RESULT(%ebx)
.Lverify_next:
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lverify
	jmp	.Ldone

	/* Round and round the range until the host sets STOP; ROUNDS counts. */
.Lspin_read:
	cmpl	$0, MB_STOP(%ebx)
	jne	.Ldone
.Lspin_read_at:
	movl	(%edi), %eax
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lspin_read
	call	.Lround
	jmp	.Lspin_read

.Lspin_write:
	cmpl	$0, MB_STOP(%ebx)
	jne	.Ldone
.Lspin_write_at:
	addl	$1, (%edi)
	adcl	$0, HIGH(%edi)
	addl	%edx, %edi
	subl	$1, %ecx
	jnz	.Lspin_write
	call	.Lround
	jmp	.Lspin_write

.Lround:
	movl	MB_GVA(%ebx), %edi
	movl	MB_COUNT(%ebx), %ecx
	addl	$1, MB_ROUNDS(%ebx)
	adcl	$0, MB_ROUNDS+HIGH(%ebx)
	ret

	/* The host puts the vCPU back to its dispatcher. */
.Lhalt:
	hlt
	jmp	.Lhalt

	.balign 8
pages_guest32_code_size:
	.quad	pages_guest32_code_size - pages_guest32_code

	/* Where the instructions are that access memory, in the order of enum guest_at. */
pages_guest32_at:
	.quad	.Lread - pages_guest32_code
	.quad	.Lwrite - pages_guest32_code
	.quad	.Lspin_read_at - pages_guest32_code
	.quad	.Lspin_write_at - pages_guest32_code

	.section .note.GNU-stack, "", @progbits
