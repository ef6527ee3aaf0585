/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The code that runs inside the 'pages' guest: 64-bit, position independent,
 * no stack frame but for OP_EXEC, no interrupt, no instruction beyond mov, add,
 * cmp, jumps, hlt and out, so that any emulator of nested virtualization runs it.
 *
 * rbx points to this vCPU's mailbox (struct mailbox). The vCPU starts at its
 * dispatcher, does the operation found there, says so by writing to PORT_DONE
 * (which exits to user space), and dispatches again when it is entered again.
 */
#include "mailbox.h"

	.section .rodata
	.globl pages_guest_code
	.globl pages_guest_code_size
	.globl pages_guest_at
	.code64
	.balign 16

pages_guest_code:
	movq	MB_OP(%rbx), %rax
	movq	MB_GVA(%rbx), %rdi
	movq	MB_COUNT(%rbx), %rcx
	movq	MB_STRIDE(%rbx), %rdx
	movq	MB_VALUE(%rbx), %rsi
	cmpq	$OP_READ, %rax
	je	.Lread
	cmpq	$OP_WRITE, %rax
	je	.Lwrite
	cmpq	$OP_EXEC, %rax
	je	.Lexec
	cmpq	$OP_FILL, %rax
	je	.Lfill
	cmpq	$OP_VERIFY, %rax
	je	.Lverify
	cmpq	$OP_SPIN_READ, %rax
	je	.Lspin_read
	cmpq	$OP_SPIN_WRITE, %rax
	je	.Lspin_write
	cmpq	$OP_HALT, %rax
	je	.Lhalt

.Ldone:
	outb	%al, $PORT_DONE
	jmp	pages_guest_code

.Lread:
	movq	(%rdi), %rax
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lread
	movq	%rax, MB_RESULT(%rbx)
	jmp	.Ldone

.Lwrite:
	movq	%rsi, (%rdi)
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lwrite
	jmp	.Ldone

	/* The host put a 'ret' at EXEC_OFFSET of each page. */
.Lexec:
	leaq	EXEC_OFFSET(%rdi), %rax
	call	*%rax
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lexec
	jmp	.Ldone

.Lfill:
	movq	%rsi, %rax
	addq	%rdi, %rax
	movq	%rax, FILL_OFFSET(%rdi)
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lfill
	jmp	.Ldone

	/* RESULT: how many pages differ; BAD_GVA: the first of them. */
.Lverify:
	movq	$0, %r8
	movq	$0, %r9
.Lverify_page:
	movq	%rsi, %rax
	addq	%rdi, %rax
	cmpq	%rax, FILL_OFFSET(%rdi)
	je	.Lverify_next
	cmpq	$0, %r8
	jne	.Lverify_count
	movq	%rdi, %r9
.Lverify_count:
	addq	$1, %r8
.Lverify_next:
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lverify_page
	movq	%r8, MB_RESULT(%rbx)
	movq	%r9, MB_BAD_GVA(%rbx)
	jmp	.Ldone

	/* Round and round the range until the host sets STOP; ROUNDS counts. */
.Lspin_read:
	cmpq	$0, MB_STOP(%rbx)
	jne	.Ldone
.Lspin_read_at:
	movq	(%rdi), %rax
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lspin_read
	movq	MB_GVA(%rbx), %rdi
	movq	MB_COUNT(%rbx), %rcx
	addq	$1, MB_ROUNDS(%rbx)
	jmp	.Lspin_read

.Lspin_write:
	cmpq	$0, MB_STOP(%rbx)
	jne	.Ldone
.Lspin_write_at:
	addq	$1, (%rdi)
	addq	%rdx, %rdi
	subq	$1, %rcx
	jnz	.Lspin_write
	movq	MB_GVA(%rbx), %rdi
	movq	MB_COUNT(%rbx), %rcx
	addq	$1, MB_ROUNDS(%rbx)
	jmp	.Lspin_write

	/* The host puts the vCPU back to its dispatcher. */
.Lhalt:
	hlt
	jmp	.Lhalt

	.balign 8
pages_guest_code_size:
	.quad	pages_guest_code_size - pages_guest_code

	/* Where the instructions are that access memory, in the order of enum guest_at. */
pages_guest_at:
	.quad	.Lread - pages_guest_code
	.quad	.Lwrite - pages_guest_code
	.quad	.Lspin_read_at - pages_guest_code
	.quad	.Lspin_write_at - pages_guest_code

	.section .note.GNU-stack, "", @progbits
