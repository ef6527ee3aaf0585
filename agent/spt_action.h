/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Actions: what is written to a VM's 'control' and what is read back. Agent and
 * tool compile the lists below, so a name exists once.
 *
 * A write is one line, at most SPT_ACTION_LINE_MAX bytes with its newline:
 *
 *	ACTION KEY=VALUE KEY=VALUE ...\n
 *
 * words separated by single spaces, every key at most once, numbers in hex with
 * 0x or in decimal, no sign. The write returns when the action is over, or
 * armed if it is one that listens; it succeeds whatever became of the action,
 * and fails only when there is nothing to read: -EINVAL (longer than a line, or
 * not one line), -EBUSY (the file still listens), -EINTR. The open fails with
 * -EPERM when the agent is not armed, the caller lacks CAP_SYS_ADMIN or the
 * kernel is locked down; so does a write once the kernel is locked down.
 *
 * Reads give lines 'name: value' in blocks, an empty line between two:
 *
 *	first block	'action' and the target as it was understood
 *	one a step	begins with 'step: N', N from 1; what was done once
 *	last block	'reason' unless the result is 'done', 'undo' if there is
 *			something to undo, 'result' as the very last line
 *
 * and then end of file. An action that listens gives 'armed' after the first
 * block and 'hit' lines as they come; a read waits for the next, poll() works,
 * the file's O_NONBLOCK is honoured. It ends, with the last block, by its count,
 * its timeout or the action line 'stop'; closing the file ends it too.
 *
 * Values of 'entry', 'hit' and 'mapped' are words KEY=VALUE again.
 */
#ifndef SPT_ACTION_H
#define SPT_ACTION_H

/* Bytes of a line with its newline. */
#define SPT_ACTION_LINE_MAX	512
/* The most steps that one line may ask for. */
#define SPT_ACTION_COUNT_MAX	10000
/* The most memory that one line may name, bytes; gpa=all is not bound. */
#define SPT_ACTION_RANGE_MAX	(1ULL << 40)
/* Seconds that an action which listens may last; how long it does if it is not told. */
#define SPT_ACTION_TIMEOUT_MAX	3600
#define SPT_ACTION_TIMEOUT	60
/* How long a vCPU may take to come by, milliseconds, before the agent gives up. */
#define SPT_ACTION_VCPU_WAIT_MS	2000
/* Lines a second that the agent takes unless it is loaded with another 'rate'. */
#define SPT_ACTION_RATE		1000
/* Actions that the journal remembers; undo records that one VM may have. */
#define SPT_JOURNAL_MAX		1024
#define SPT_UNDO_MAX		256

/*
 * K(id, key, form): a key, a string, and what its value looks like.
 *	RANGE	START, or START+LEN in bytes, or 'all'
 *	ADDRESS	a number of 64 bits
 *	NUMBER	a number of 32 bits
 *	FLAG	0 or 1
 *	ACCESS	r, w or x
 *	PERM	what is to remain: r, rx or rw
 *	ID	the id of an action, or 'all'
 */
#define SPT_ACTION_KEYS(K)						\
	K(GPA, "gpa", RANGE)						\
	K(ROOT, "root", ADDRESS)	/* HPA of a root, as 'roots' shows it */ \
	K(ACCESS, "access", ACCESS)					\
	K(PERM, "perm", PERM)						\
	K(VCPU, "vcpu", NUMBER)		/* vcpu_id */			\
	K(COUNT, "count", NUMBER)					\
	K(TIMEOUT, "timeout", NUMBER)	/* seconds */			\
	K(LISTEN, "listen", FLAG)	/* bound to the open file, hits are reported */ \
	K(SHOW, "show", FLAG)		/* change nothing, report what was touched */ \
	K(ID, "id", ID)							\
	K(DRY_RUN, "dry-run", FLAG)	/* check, say what would be done, do nothing */

enum spt_action_key {
#define K(id, key, form) SPT_KEY_##id,
	SPT_ACTION_KEYS(K)
#undef K
	SPT_KEY_NAMES
};

#define SPT_KEY_BIT(id)	(1U << SPT_KEY_##id)

/* What an action is like. */
#define SPT_ACTION_VCPU		(1U << 0)	/* in a vCPU's context; vcpu= chooses, else any */
#define SPT_ACTION_UNDO		(1U << 1)	/* leaves something that 'undo' takes back */
#define SPT_ACTION_LISTEN	(1U << 2)	/* always listens; others do with listen=1 */
#define SPT_ACTION_RANGE	(1U << 3)	/* gpa may be START+LEN, not only one address */
#define SPT_ACTION_ALL		(1U << 4)	/* gpa may be 'all' */
#define SPT_ACTION_QUIET	(1U << 5)	/* changes nothing: no journal, no taint */
#define SPT_ACTION_SPACES	(1U << 6)	/* KVM does it in all address spaces, SMM's too */

/*
 * A(id, name, must, may, flags, text): an action, the keys it must and may have
 * (dry-run is always allowed), what it is like, and a line of help.
 */
#define SPT_ACTIONS(A)							\
	A(FAULT, fault, SPT_KEY_BIT(GPA),				\
	  SPT_KEY_BIT(ACCESS) | SPT_KEY_BIT(VCPU) | SPT_KEY_BIT(COUNT),	\
	  SPT_ACTION_VCPU, "resolve an address as if the vCPU had faulted there") \
	A(ZAP, zap, SPT_KEY_BIT(GPA), SPT_KEY_BIT(ROOT),		\
	  SPT_ACTION_RANGE | SPT_ACTION_ALL | SPT_ACTION_SPACES,	\
	  "remove mappings and flush the TLBs")				\
	A(REMAP, remap, SPT_KEY_BIT(GPA),				\
	  SPT_KEY_BIT(COUNT) | SPT_KEY_BIT(VCPU),			\
	  SPT_ACTION_VCPU, "move the host page to another frame and map that") \
	A(SPLIT, split, SPT_KEY_BIT(GPA), 0,				\
	  SPT_ACTION_UNDO, "map 4K pages and keep them until undone")	\
	A(COLLAPSE, collapse, SPT_KEY_BIT(GPA), SPT_KEY_BIT(VCPU),	\
	  SPT_ACTION_VCPU, "map a huge page where the host has one")	\
	A(PROTECT, protect, SPT_KEY_BIT(GPA) | SPT_KEY_BIT(PERM), 0,	\
	  0, "take permissions from a leaf, until the next fault")	\
	A(TRACK, track, SPT_KEY_BIT(GPA),				\
	  SPT_KEY_BIT(LISTEN) | SPT_KEY_BIT(COUNT) | SPT_KEY_BIT(TIMEOUT), \
	  SPT_ACTION_UNDO | SPT_ACTION_RANGE, "keep writes tracked until undone") \
	A(TRAP, trap, SPT_KEY_BIT(GPA),					\
	  SPT_KEY_BIT(ACCESS) | SPT_KEY_BIT(COUNT) | SPT_KEY_BIT(TIMEOUT), \
	  SPT_ACTION_LISTEN, "report the next accesses to a page")	\
	A(AGE, age, SPT_KEY_BIT(GPA), SPT_KEY_BIT(SHOW),		\
	  SPT_ACTION_RANGE, "clear accessed, or show what was accessed since") \
	A(DIRTY, dirty, SPT_KEY_BIT(GPA), SPT_KEY_BIT(SHOW),		\
	  SPT_ACTION_RANGE, "take write permission, or show what was written since") \
	A(UNDO, undo, SPT_KEY_BIT(ID), 0, 0, "take an action back")	\
	A(STOP, stop, 0, 0, SPT_ACTION_QUIET, "end the action that this file listens to")

enum spt_action_id {
#define A(id, name, must, may, flags, text) SPT_ACT_##id,
	SPT_ACTIONS(A)
#undef A
	SPT_ACT_COUNT
};

/* R(id, name): what became of it; all names are strings. */
#define SPT_RESULTS(R)							\
	R(DONE, "done")			/* with the effect, verified */	\
	R(REFUSED, "refused")		/* nothing was changed */	\
	R(NO_EFFECT, "no-effect")	/* tried, nothing is different */ \
	R(FAILED, "failed")		/* tried, KVM or the host said no, or only part was done */

enum spt_result {
#define R(id, name) SPT_RESULT_##id,
	SPT_RESULTS(R)
#undef R
	SPT_RESULT_COUNT
};

/* W(id, name): the first word of 'reason', followed by ': ' and a sentence. */
#define SPT_REASONS(W)							\
	W(BAD_LINE, "bad-line")		/* not of the grammar, or a key's value is not */ \
	W(UNSUPPORTED, "unsupported")	/* the agent or the kernel has no such thing */ \
	W(RATE, "rate")			/* more lines a second than allowed */ \
	W(LIMIT, "limit")		/* undo records or the range are at their limit */ \
	W(NO_SLOT, "no-slot")		/* no memslot holds the address */ \
	W(READ_ONLY, "read-only")	/* the slot is read-only */	\
	W(MIRROR, "mirror")		/* the root or the address is private to a TD */ \
	W(PRIVATE, "private")		/* the page is of a guest_memfd */ \
	W(PFNMAP, "pfnmap")		/* VM_PFNMAP, VM_IO or another mapping without pages */ \
	W(HUGETLB, "hugetlb")						\
	W(PINNED, "pinned")		/* somebody holds the page for long */ \
	W(ZERO_PAGE, "zero-page")					\
	W(KSM, "ksm")			/* a page that KSM shares */	\
	W(DAX, "dax")			/* a page of a device */	\
	W(HOST, "host")			/* the host has no page there and gives none */ \
	W(MODE, "mode")			/* this MMU mode cannot do it; the sentence says why */ \
	W(NESTED, "nested")		/* the vCPU runs a nested guest */ \
	W(NO_ROOT, "no-root")		/* no root at that address, or none at all */ \
	W(NO_VCPU, "no-vcpu")		/* the VM has no such vCPU */	\
	W(BUSY, "busy")			/* the vCPU did not come by in time, … */ \
	W(UNMAPPED, "unmapped")		/* no entry maps it */		\
	W(UNCHANGED, "unchanged")	/* the entry is what it was */	\
	W(CHANGED, "changed")		/* the target changed between check and act */ \
	W(NOT_HUGE, "not-huge")						\
	W(NOT_4K, "not-4k")		/* it is huge already */	\
	W(KEPT, "kept")			/* KVM has reasons of its own to keep it so */ \
	W(GONE, "gone")			/* the VM dies, or its VMM has left */ \
	W(NO_UNDO, "no-undo")		/* no such record in this VM */	\
	W(MEMORY, "memory")		/* no memory for it */		\
	W(INTERRUPTED, "interrupted")	/* a signal, or the file was closed */ \
	W(TIMEOUT, "timeout")		/* it listened that long */	\
	W(KVM, "kvm")			/* KVM returned an error; the sentence has its number */

enum spt_reason {
	SPT_WHY_NONE,
#define W(id, name) SPT_WHY_##id,
	SPT_REASONS(W)
#undef W
	SPT_WHY_COUNT
};

/*
 * N(id, name): names of result lines. Numbers that are addresses or SPTEs are
 * 0x…, all others decimal. Words of the longer ones:
 *	slot	as_id:id base=0x… size=0x… hva=0x… flags=…
 *	entry	root=0x… kind=… table=0x… gpa=0x… level-before=N before=0x… level-after=N
 *		after=0x… ; root n/a, and level 0 with '-' for an entry that was not there
 *	mapped	root=0x… kind=… 4k-before=N 2m-before=N 1g-before=N 4k-after=N …
 *	touched	root=0x… gpa=0x… size=0x… : one run of entries
 *	hit	seq=N vcpu=N rip=0x… gpa=0x… [gva=0x…] access=r|w|x error=0x…
 *		insn=HEX (up to 15 bytes at rip) bits=16|32|64 (of the code segment)
 *		root=0x… kind=… level-before=N before=0x… level-after=N after=0x…
 *		value=0x… ; what is not known is left out
 */
#define SPT_LINES(N)							\
	N(ACTION, "action")						\
	N(ID, "id")		/* of the journal entry, and for undo */ \
	N(VM, "vm")							\
	N(GPA, "gpa")		/* page-aligned where a page is meant */ \
	N(SIZE, "size")		/* bytes */				\
	N(SLOT, "slot")							\
	N(HVA, "hva")							\
	N(VCPU, "vcpu")							\
	N(ACCESS, "access")						\
	N(PERM, "perm")							\
	N(DRY_RUN, "dry-run")	/* 1 */					\
	N(STEP, "step")							\
	N(CONTEXT, "context")	/* run, user, thread: where the vCPU's work was done */ \
	N(RET, "ret")		/* fixed, spurious, retry, emulate, …: RET_PF_*; or -ERRNO */ \
	N(RETRIES, "retries")						\
	N(NS, "ns")		/* nanoseconds that KVM took */		\
	N(WAIT_NS, "wait-ns")	/* nanoseconds until the vCPU came by */ \
	N(ENTRY, "entry")						\
	N(MAPPED, "mapped")						\
	N(TOUCHED, "touched")						\
	N(OLD_HPA, "old-hpa")						\
	N(NEW_HPA, "new-hpa")						\
	N(PAGE_SIZE, "page-size")					\
	N(ARMED, "armed")	/* 1 */					\
	N(HIT, "hit")							\
	N(LOST, "lost")		/* lines, hits mostly, without room */ \
	N(COUNT, "count")						\
	N(UNDONE, "undone")	/* id of an action that was taken back */ \
	N(UNDO, "undo")		/* id to take it back with */		\
	N(REASON, "reason")						\
	N(RESULT, "result")

enum spt_line {
#define N(id, name) SPT_LINE_##id,
	SPT_LINES(N)
#undef N
	SPT_LINE_NAMES
};

/*
 * journal, one action a line, oldest first:
 *	id=N time=SECONDS.NANOSECONDS pid=N comm=NAME vm=PID-FD action=NAME target=GPA[+LEN]|all|-
 *	before=… after=… result=NAME reason=NAME|- undo=none|open|done|lost
 * time is of CLOCK_REALTIME; a comm's bytes that are no printing ASCII, and
 * blanks, are '?'. before and after: 'L:SPTE' of the first entry (level and
 * value), or a number of leaves where it was a range, or '-'. undo: 'lost' when
 * the VM died first.
 */

#endif
