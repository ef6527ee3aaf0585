// SPDX-License-Identifier: GPL-2.0
/* The commands: one line in, one line 'ok ...' or 'error ...' out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailbox.h"
#include "pages.h"

#define MAX_ARGS   6
#define LIST_PAGES 512 /* pages that one answer line names */

/* What a command gets: its arguments with the words for range and vCPU taken out. */
struct request {
	struct guest *guest;
	int argc; /* words left in argv, the command's name not counted */
	char *argv[MAX_ARGS];
	struct vcpu *vcpu; /* '@N', or vCPU 0 */
	bool all_vcpus;	   /* no '@N' was given */
	uint64_t gpa, len; /* first argument, if the command takes a range */
	struct slot *slot; /* that holds the range, or that the id names */
	struct reply *reply;
};

enum takes { TAKES_NOTHING, TAKES_RANGE, TAKES_SLOT };

struct command {
	const char *name;
	enum takes takes; /* as its first argument */
	int min, max;	  /* further arguments */
	void (*run)(struct request *q);
	const char *help;
};

static void answer(struct request *q, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->reply->text, sizeof(q->reply->text), fmt, args);
	va_end(args);
}

static void add(struct request *q, const char *fmt, ...)
{
	size_t used = strlen(q->reply->text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(q->reply->text + used, sizeof(q->reply->text) - used, fmt, args);
	va_end(args);
}

static void answer_errno(struct request *q, int err)
{
	if (err)
		answer(q, "error %s", strerror(-err));
	else
		answer(q, "ok");
}

/* Number with an optional suffix K, M, G or T. */
int parse_size(const char *text, uint64_t *value)
{
	static const char suffix[] = "KMGT";
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	if (*end && !end[1]) {
		const char *s = strchr(suffix, *end & ~0x20);

		if (!s)
			return -EINVAL;
		*value <<= 10 * (s - suffix + 1);
		return 0;
	}
	return *end ? -EINVAL : 0;
}

static int parse_range(char *text, uint64_t *gpa, uint64_t *len)
{
	char *plus = strchr(text, '+');

	*len = SIZE_4K;
	if (plus) {
		*plus = 0;
		if (parse_size(plus + 1, len) || !*len)
			return -EINVAL;
	}
	return parse_size(text, gpa);
}

static uint64_t pages_of(const struct request *q)
{
	return (q->len + SIZE_4K - 1) / SIZE_4K;
}

static void run_op(struct request *q, uint64_t op, uint64_t value)
{
	struct op o = {
		.op = op,
		.gpa = q->gpa,
		.count = pages_of(q),
		.stride = SIZE_4K,
		.value = value,
	};

	if (vcpu_do(q->vcpu, &o))
		answer(q, "error %s", q->vcpu->why);
	else
		answer(q, "ok");
}

static bool memory_of(struct request *q)
{
	if (q->slot && q->slot->hva)
		return true;
	answer(q, "error no memory is behind 0x%" PRIx64, q->gpa);
	return false;
}

static void cmd_touch(struct request *q)
{
	const char *access = q->argv[0];

	if (!strcmp(access, "r")) {
		run_op(q, OP_READ, 0);
	} else if (!strcmp(access, "w")) {
		run_op(q, OP_WRITE, q->gpa);
	} else if (!strcmp(access, "x")) {
		if (!memory_of(q))
			return;
		for (uint64_t at = 0; at < pages_of(q); at++) {
			int err = memory_put_code(q->guest, q->slot, q->gpa + at * SIZE_4K);

			if (err) {
				answer_errno(q, err);
				return;
			}
		}
		run_op(q, OP_EXEC, 0);
	} else {
		answer(q, "error access is r, w or x, not '%s'", access);
	}
}

static void cmd_write(struct request *q)
{
	uint64_t value;

	if (parse_size(q->argv[0], &value))
		answer(q, "error '%s' is no number", q->argv[0]);
	else
		run_op(q, OP_WRITE, value);
}

static void cmd_read(struct request *q)
{
	run_op(q, OP_READ, 0);
	if (!strcmp(q->reply->text, "ok"))
		answer(q, "ok 0x%016" PRIx64, q->vcpu->mailbox[MB_RESULT / 8]);
}

static void cmd_peek(struct request *q)
{
	uint64_t value;

	if (!memory_of(q))
		return;
	int err = memory_load(q->guest, q->slot, q->gpa, &value, sizeof(value));

	if (err)
		answer_errno(q, err);
	else
		answer(q, "ok 0x%016" PRIx64, value);
}

static void cmd_poke(struct request *q)
{
	uint64_t value;

	if (parse_size(q->argv[0], &value)) {
		answer(q, "error '%s' is no number", q->argv[0]);
	} else if (memory_of(q)) {
		answer_errno(q, memory_store(q->guest, q->slot, q->gpa, &value, sizeof(value)));
	}
}

static void cmd_fill(struct request *q)
{
	uint64_t seed;

	if (parse_size(q->argv[0], &seed))
		answer(q, "error '%s' is no number", q->argv[0]);
	else
		run_op(q, OP_FILL, seed);
}

static void cmd_verify(struct request *q)
{
	uint64_t seed;

	if (parse_size(q->argv[0], &seed)) {
		answer(q, "error '%s' is no number", q->argv[0]);
		return;
	}
	run_op(q, OP_VERIFY, seed);
	if (strcmp(q->reply->text, "ok"))
		return;
	uint64_t bad = q->vcpu->mailbox[MB_RESULT / 8];

	if (bad)
		answer(q, "error %" PRIu64 " of %" PRIu64 " pages differ, the first at 0x%" PRIx64,
		       bad, pages_of(q),
		       (uint64_t)q->vcpu->mailbox[MB_BAD_GVA / 8] - guest_base(q->guest));
	else
		answer(q, "ok %" PRIu64 " pages", pages_of(q));
}

static void cmd_run(struct request *q)
{
	struct op op = {
		.op = !strcmp(q->argc ? q->argv[0] : "w", "r") ? OP_SPIN_READ : OP_SPIN_WRITE,
		.gpa = q->gpa,
		.count = pages_of(q),
		.stride = SIZE_4K,
	};

	if (vcpu_submit(q->vcpu, &op))
		answer(q, "error vCPU %d is running already", q->vcpu->idx);
	else
		answer(q, "ok");
}

static void cmd_halt(struct request *q)
{
	struct op op = { .op = OP_HALT, .count = 1 };

	if (!q->guest->opt.irqchip)
		answer(q, "error a HLT would leave KVM_RUN: start the guest with --irqchip");
	else if (vcpu_submit(q->vcpu, &op))
		answer(q, "error vCPU %d is running already", q->vcpu->idx);
	else
		answer(q, "ok");
}

/* What is left is a vCPU that no thread runs. */
static void cmd_end_thread(struct request *q)
{
	vcpu_stop(q->vcpu);
	answer(q, "ok");
}

static void cmd_pause(struct request *q)
{
	struct guest *g = q->guest;

	answer(q, "ok");
	for (int i = 0; i < g->vcpu_count; i++) {
		struct vcpu *v = &g->vcpu[i];

		if (!q->all_vcpus && v != q->vcpu)
			continue;
		if (vcpu_pause(v)) {
			answer(q, "error vCPU %d: %s", i, v->why);
			return;
		}
		add(q, " rounds%d=%" PRIu64, i, (uint64_t)v->mailbox[MB_ROUNDS / 8]);
	}
}

/* Where the guest's instructions are that touch what 'touch' and 'run' name; a fetch is there. */
static void cmd_code(struct request *q)
{
	const uint64_t *at = q->guest->opt.pae ? pages_guest32_at : pages_guest_at;
	uint64_t base = guest_base(q->guest) + CODE_GPA;

	answer(q,
	       "ok read=0x%" PRIx64 " write=0x%" PRIx64 " run-read=0x%" PRIx64
	       " run-write=0x%" PRIx64 " fetch=+0x%x",
	       base + at[AT_READ], base + at[AT_WRITE], base + at[AT_SPIN_READ],
	       base + at[AT_SPIN_WRITE], EXEC_OFFSET);
}

static void cmd_reset_vcpu(struct request *q)
{
	int err = vcpu_pause(q->vcpu);

	answer_errno(q, err ? err : vm_reset_vcpu(q->vcpu));
}

static void cmd_smm(struct request *q)
{
	bool on = !strcmp(q->argv[0], "on"), keep = !strcmp(q->argv[0], "leave");
	int err = vcpu_pause(q->vcpu);

	if (!on && !keep && strcmp(q->argv[0], "off"))
		answer(q, "error it is on, leave or off, not '%s'", q->argv[0]);
	else
		answer_errno(q, err ? err : vm_set_smm(q->vcpu, on, keep));
}

static void cmd_regs(struct request *q)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	/* The vCPU ioctls wait for the end of KVM_RUN: never ask while it runs. */
	pthread_mutex_lock(&q->vcpu->lock);
	if (q->vcpu->state == VCPU_BUSY)
		answer(q, "error vCPU %d is running: pause it first", q->vcpu->idx);
	else if (ioctl(q->vcpu->fd, KVM_GET_REGS, &regs) ||
		 ioctl(q->vcpu->fd, KVM_GET_SREGS, &sregs))
		answer_errno(q, -errno);
	else
		answer(q,
		       "ok rip=0x%llx rsp=0x%llx rbx=0x%llx rflags=0x%llx cr0=0x%llx cr2=0x%llx "
		       "cr3=0x%llx cr4=0x%llx efer=0x%llx rax=0x%llx rcx=0x%llx rdx=0x%llx "
		       "rsi=0x%llx rdi=0x%llx rbp=0x%llx r8=0x%llx r9=0x%llx r10=0x%llx "
		       "r11=0x%llx r12=0x%llx r13=0x%llx r14=0x%llx r15=0x%llx gdtr_base=0x%llx "
		       "gdtr_limit=0x%x idtr_base=0x%llx idtr_limit=0x%x",
		       regs.rip, regs.rsp, regs.rbx, regs.rflags, sregs.cr0, sregs.cr2, sregs.cr3,
		       sregs.cr4, sregs.efer, regs.rax, regs.rcx, regs.rdx, regs.rsi, regs.rdi,
		       regs.rbp, regs.r8, regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14,
		       regs.r15, (unsigned long long)sregs.gdt.base, sregs.gdt.limit,
		       (unsigned long long)sregs.idt.base, sregs.idt.limit);
	pthread_mutex_unlock(&q->vcpu->lock);
}

static void cmd_unmap(struct request *q)
{
	if (memory_of(q))
		answer_errno(q, munmap(memory_hva(q->slot, q->gpa), q->len) ? -errno : 0);
}

static void cmd_map(struct request *q)
{
	if (memory_of(q))
		answer_errno(q, memory_map_anon(q->slot, memory_hva(q->slot, q->gpa), q->len));
}

/* The kernel's names and numbers of madvise(2) and mprotect(2). */
static const struct {
	const char *name;
	int value;
} advice_table[] = {
	{ "dontneed", 4 }, { "free", 8 }, { "hugepage", 14 }, { "nohugepage", 15 },
	{ "cold", 20 }, { "pageout", 21 }, { "populate-read", 22 }, { "populate-write", 23 },
	{ "collapse", 25 }, { "mergeable", 12 }, { "unmergeable", 13 }, { "hwpoison", 100 },
}, prot_table[] = {
	{ "none", PROT_NONE }, { "r", PROT_READ }, { "rw", PROT_READ | PROT_WRITE },
};

/* Who poisons a page is told so by a signal; without a handler that is its end. */
static void on_poison(int signal)
{
	(void)signal;
}

static void cmd_madvise(struct request *q)
{
	if (!memory_of(q))
		return;
	signal(SIGBUS, on_poison);
	for (size_t i = 0; i < sizeof(advice_table) / sizeof(advice_table[0]); i++) {
		if (strcmp(advice_table[i].name, q->argv[0]))
			continue;
		answer_errno(q, madvise(memory_hva(q->slot, q->gpa), q->len, advice_table[i].value)
					? -errno
					: 0);
		return;
	}
	answer(q, "error unknown advice '%s'", q->argv[0]);
}

static void cmd_mprotect(struct request *q)
{
	if (!memory_of(q))
		return;
	for (size_t i = 0; i < sizeof(prot_table) / sizeof(prot_table[0]); i++) {
		if (strcmp(prot_table[i].name, q->argv[0]))
			continue;
		answer_errno(q, mprotect(memory_hva(q->slot, q->gpa), q->len, prot_table[i].value)
					? -errno
					: 0);
		return;
	}
	answer(q, "error protection is none, r or rw, not '%s'", q->argv[0]);
}

static void cmd_pin(struct request *q)
{
	if (memory_of(q))
		answer_errno(q, memory_pin(memory_hva(q->slot, q->gpa), q->len));
}

static void cmd_bind(struct request *q)
{
	uint64_t node;

	if (parse_size(q->argv[0], &node) || node > UINT32_MAX)
		answer(q, "error '%s' is no node", q->argv[0]);
	else if (memory_of(q))
		answer_errno(q, memory_bind(memory_hva(q->slot, q->gpa), q->len, node));
}

/* A letter a page: its node, '-' without a page, '?' where the kernel does not say. */
static void cmd_nodes(struct request *q)
{
	int node[LIST_PAGES], err;
	uint64_t count;

	if (!memory_of(q))
		return;
	count = pages_of(q) < LIST_PAGES ? pages_of(q) : LIST_PAGES;
	err = memory_nodes(memory_hva(q->slot, q->gpa), count, node);
	if (err) {
		answer_errno(q, err);
		return;
	}
	answer(q, "ok ");
	for (uint64_t i = 0; i < count; i++)
		add(q, "%c",
		    node[i] >= 0 && node[i] < 10 ? '0' + node[i]
		    : node[i] == -ENOENT	 ? '-'
						 : '?');
}

static void cmd_unpin(struct request *q)
{
	memory_unpin();
	answer(q, "ok");
}

static void cmd_splice(struct request *q)
{
	if (memory_of(q))
		answer_errno(q, memory_splice(memory_hva(q->slot, q->gpa), q->len));
}

static void cmd_unsplice(struct request *q)
{
	memory_unsplice();
	answer(q, "ok");
}

static void cmd_attributes(struct request *q)
{
	bool private = !strcmp(q->argv[0], "private");

	if (!private && strcmp(q->argv[0], "shared"))
		answer(q, "error it is private or shared, not '%s'", q->argv[0]);
	else
		answer_errno(q, memory_set_private(q->guest, q->gpa, q->len, private));
}

static bool private_half(struct request *q)
{
	if (q->slot && q->slot->private)
		return true;
	answer(q, "error 0x%" PRIx64 " has no private half", q->gpa);
	return false;
}

/* As a VMM does when its guest asks: the half that is not used any more is given back. */
static void cmd_convert(struct request *q)
{
	bool private = !strcmp(q->argv[0], "private");

	cmd_attributes(q);
	if (strcmp(q->reply->text, "ok") || !private_half(q))
		return;
	if (!private)
		answer_errno(q, tdx_punch(q->slot, q->gpa, q->len));
	else if (madvise(memory_hva(q->slot, q->gpa), q->len, MADV_DONTNEED))
		answer_errno(q, -errno);
}

static void cmd_punch(struct request *q)
{
	if (private_half(q))
		answer_errno(q, tdx_punch(q->slot, q->gpa, q->len));
}

static void cmd_allocate(struct request *q)
{
	if (private_half(q))
		answer_errno(q, tdx_allocate(q->slot, q->gpa, q->len));
}

static void cmd_prefault(struct request *q)
{
	if (q->vcpu->state == VCPU_BUSY)
		answer(q, "error vCPU %d is running: pause it first", q->vcpu->idx);
	else
		answer_errno(q, vm_prefault(q->vcpu, q->gpa, q->len));
}

/* A child that shares all memory copy-on-write, and is gone again. */
static void cmd_fork(struct request *q)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	answer_errno(q, pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : 0);
}

/* For what the kernel allows the VM's own process only. */
static void cmd_write_file(struct request *q)
{
	int fd = open(q->argv[0], O_WRONLY | O_CLOEXEC);
	size_t len = strlen(q->argv[1]);

	answer_errno(q, fd < 0 || write(fd, q->argv[1], len) != (ssize_t)len ? -errno : 0);
	if (fd >= 0)
		close(fd);
}

static void cmd_delete_slot(struct request *q)
{
	answer_errno(q, memory_register(q->guest, q->slot, false));
}

static void cmd_add_slot(struct request *q)
{
	answer_errno(q, memory_register(q->guest, q->slot, true));
}

/* With fewer than there are KVM takes the oldest away. */
static void cmd_mmu_pages(struct request *q)
{
	uint64_t n;

	if (parse_size(q->argv[0], &n))
		answer(q, "error '%s' is no number", q->argv[0]);
	else
		answer_errno(q, ioctl(q->guest->vm_fd, KVM_SET_NR_MMU_PAGES, n) ? -errno : 0);
}

static void cmd_dirty_log(struct request *q)
{
	bool on = !strcmp(q->argv[0], "on");

	if (!on && strcmp(q->argv[0], "off"))
		answer(q, "error it is on or off, not '%s'", q->argv[0]);
	else
		answer_errno(q, memory_set_flags(q->guest, q->slot,
						 (q->slot->flags & ~KVM_MEM_LOG_DIRTY_PAGES) |
							 (on ? KVM_MEM_LOG_DIRTY_PAGES : 0)));
}

/* Answers the first dirty pages and how many there are. */
static void cmd_get_dirty(struct request *q)
{
	uint64_t *bitmap = calloc(1, memory_bitmap_bytes(q->slot));
	int err = bitmap ? memory_dirty_log(q->guest, q->slot, bitmap) : -ENOMEM;
	uint64_t dirty = 0;

	answer_errno(q, err);
	for (uint64_t i = 0; !err && i < q->slot->size / SIZE_4K; i++)
		if (bitmap[i / 64] >> (i % 64) & 1 && ++dirty <= LIST_PAGES)
			add(q, " 0x%" PRIx64, q->slot->gpa + i * SIZE_4K);
	if (!err)
		add(q, " pages=%" PRIu64, dirty);
	free(bitmap);
}

static void cmd_clear_dirty(struct request *q)
{
	if (q->guest->opt.manual_dirty)
		answer_errno(q, memory_clear_dirty(q->guest, q->slot));
	else
		answer(q, "error start with --manual-dirty: without it get-dirty clears");
}

static void cmd_pagemap(struct request *q)
{
	if (!memory_of(q))
		return;
	answer(q, "ok");
	for (uint64_t i = 0; i < pages_of(q) && i < LIST_PAGES; i++) {
		uint64_t gpa = q->gpa + i * SIZE_4K, hpa;
		int err = memory_hpa(memory_hva(q->slot, gpa), &hpa);

		if (!err)
			add(q, " 0x%" PRIx64 "=0x%" PRIx64, gpa, hpa | (gpa & (SIZE_4K - 1)));
		else
			add(q, " 0x%" PRIx64 "=%s", gpa,
			    err == -ENOENT ? "none"
			    : err == -EIO  ? "swap"
					   : "hidden");
	}
}

static void cmd_pagemap_file(struct request *q)
{
	uint64_t count;
	int err = memory_pagemap_file(q->guest, q->argv[0], &count);

	if (err)
		answer_errno(q, err);
	else
		answer(q, "ok %" PRIu64 " pages", count);
}

static void cmd_stats(struct request *q)
{
	answer(q, "ok");
	int err = vm_stats(q->guest, q->argc && !strcmp(q->argv[0], "all"), q->reply);

	if (err)
		answer_errno(q, err);
}

static void cmd_layout(struct request *q)
{
	char *text = NULL;
	size_t size;
	FILE *out = q->argc ? fopen(q->argv[0], "w") : open_memstream(&text, &size);

	if (!out) {
		answer_errno(q, -errno);
		return;
	}
	layout_print(q->guest, out);
	if (q->argc)
		fputc('\n', out);
	if (fclose(out))
		answer_errno(q, -errno);
	else if (q->argc)
		answer(q, "ok");
	else if (size + 4 > sizeof(q->reply->text))
		answer(q, "error the layout is %zu bytes: name a FILE", size);
	else
		answer(q, "ok %s", text);
	free(text);
}

/* Where to look: the first page of each access that the layout promises something of. */
static void cmd_touched(struct request *q)
{
	answer(q, "ok");
	for (int i = 0; q->guest->touched && i < q->guest->touch_count; i++) {
		const struct touch *t = &q->guest->touch[i];

		if (layout_promises(q->guest, t))
			add(q, " 0x%" PRIx64, t->gpa);
	}
}

static void cmd_setup(struct request *q)
{
	answer(q, "ok");
	setup_touch(q->guest, q->reply);
}

static void cmd_churn(struct request *q)
{
	if (!strcmp(q->argv[0], "on")) {
		answer_errno(q, churn_active() ? -EALREADY : churn_start(q->guest));
	} else {
		churn_stop(q->guest);
		answer(q, "ok");
		churn_report(q->reply);
	}
}

static void cmd_quit(struct request *q)
{
	q->guest->quit = true;
	answer(q, "ok");
}

static void cmd_help(struct request *q);

static const struct command command_table[] = {
	{ "touch", TAKES_RANGE, 1, 1, cmd_touch, "GPA[+LEN] r|w|x [@VCPU]" },
	{ "write", TAKES_RANGE, 1, 1, cmd_write, "GPA[+LEN] VALUE [@VCPU]" },
	{ "read", TAKES_RANGE, 0, 0, cmd_read, "GPA [@VCPU]" },
	{ "fill", TAKES_RANGE, 1, 1, cmd_fill, "GPA[+LEN] SEED [@VCPU]" },
	{ "verify", TAKES_RANGE, 1, 1, cmd_verify, "GPA[+LEN] SEED [@VCPU]" },
	{ "run", TAKES_RANGE, 0, 1, cmd_run, "GPA[+LEN] [r|w] [@VCPU]" },
	{ "halt", TAKES_NOTHING, 0, 0, cmd_halt, "[@VCPU]" },
	{ "end-thread", TAKES_NOTHING, 0, 0, cmd_end_thread, "[@VCPU]" },
	{ "pause", TAKES_NOTHING, 0, 0, cmd_pause, "[@VCPU]" },
	{ "code", TAKES_NOTHING, 0, 0, cmd_code, "" },
	{ "reset-vcpu", TAKES_NOTHING, 0, 0, cmd_reset_vcpu, "[@VCPU]" },
	{ "regs", TAKES_NOTHING, 0, 0, cmd_regs, "[@VCPU]" },
	{ "smm", TAKES_NOTHING, 1, 1, cmd_smm, "on|leave|off [@VCPU]" },
	{ "peek", TAKES_RANGE, 0, 0, cmd_peek, "GPA" },
	{ "poke", TAKES_RANGE, 1, 1, cmd_poke, "GPA VALUE" },
	{ "unmap", TAKES_RANGE, 0, 0, cmd_unmap, "GPA[+LEN]" },
	{ "map", TAKES_RANGE, 0, 0, cmd_map, "GPA[+LEN]" },
	{ "madvise", TAKES_RANGE, 1, 1, cmd_madvise, "GPA[+LEN] ADVICE" },
	{ "mprotect", TAKES_RANGE, 1, 1, cmd_mprotect, "GPA[+LEN] none|r|rw" },
	{ "pin", TAKES_RANGE, 0, 0, cmd_pin, "GPA[+LEN]" },
	{ "unpin", TAKES_NOTHING, 0, 0, cmd_unpin, "" },
	{ "splice", TAKES_RANGE, 0, 0, cmd_splice, "GPA[+LEN]" },
	{ "unsplice", TAKES_NOTHING, 0, 0, cmd_unsplice, "" },
	{ "bind", TAKES_RANGE, 1, 1, cmd_bind, "GPA[+LEN] NODE" },
	{ "nodes", TAKES_RANGE, 0, 0, cmd_nodes, "GPA[+LEN]" },
	{ "attributes", TAKES_RANGE, 1, 1, cmd_attributes, "GPA[+LEN] private|shared" },
	{ "convert", TAKES_RANGE, 1, 1, cmd_convert, "GPA[+LEN] private|shared" },
	{ "punch", TAKES_RANGE, 0, 0, cmd_punch, "GPA[+LEN]" },
	{ "allocate", TAKES_RANGE, 0, 0, cmd_allocate, "GPA[+LEN]" },
	{ "prefault", TAKES_RANGE, 0, 0, cmd_prefault, "GPA[+LEN] [@VCPU]" },
	{ "fork", TAKES_NOTHING, 0, 0, cmd_fork, "" },
	{ "write-file", TAKES_NOTHING, 2, 2, cmd_write_file, "FILE WORD" },
	{ "delete-slot", TAKES_SLOT, 0, 0, cmd_delete_slot, "ID" },
	{ "add-slot", TAKES_SLOT, 0, 0, cmd_add_slot, "ID" },
	{ "mmu-pages", TAKES_NOTHING, 1, 1, cmd_mmu_pages, "N" },
	{ "dirty-log", TAKES_SLOT, 1, 1, cmd_dirty_log, "ID on|off" },
	{ "get-dirty", TAKES_SLOT, 0, 0, cmd_get_dirty, "ID" },
	{ "clear-dirty", TAKES_SLOT, 0, 0, cmd_clear_dirty, "ID" },
	{ "pagemap", TAKES_RANGE, 0, 0, cmd_pagemap, "GPA[+LEN]" },
	{ "pagemap-file", TAKES_NOTHING, 1, 1, cmd_pagemap_file, "FILE" },
	{ "stats", TAKES_NOTHING, 0, 1, cmd_stats, "[all]" },
	{ "layout", TAKES_NOTHING, 0, 1, cmd_layout, "[FILE]" },
	{ "touched", TAKES_NOTHING, 0, 0, cmd_touched, "" },
	{ "setup", TAKES_NOTHING, 0, 0, cmd_setup, "" },
	{ "churn", TAKES_NOTHING, 1, 1, cmd_churn, "on|off" },
	{ "help", TAKES_NOTHING, 0, 0, cmd_help, "" },
	{ "quit", TAKES_NOTHING, 0, 0, cmd_quit, "" },
};

#define COMMANDS (sizeof(command_table) / sizeof(command_table[0]))

static void cmd_help(struct request *q)
{
	answer(q, "ok");
	for (size_t i = 0; i < COMMANDS; i++)
		add(q, "%s %s %s", i ? "," : "", command_table[i].name, command_table[i].help);
}

/* Takes '@N' out of the words. */
static bool take_vcpu(struct request *q)
{
	int kept = 0;

	q->vcpu = &q->guest->vcpu[0];
	q->all_vcpus = true;
	for (int i = 0; i < q->argc; i++) {
		if (q->argv[i][0] != '@') {
			q->argv[kept++] = q->argv[i];
			continue;
		}
		long n = strtol(q->argv[i] + 1, NULL, 10);

		if (n < 0 || n >= q->guest->vcpu_count) {
			answer(q, "error there is no vCPU %ld", n);
			return false;
		}
		q->vcpu = &q->guest->vcpu[n];
		q->all_vcpus = false;
	}
	q->argc = kept;
	return true;
}

static bool take_first(struct request *q, const struct command *c)
{
	uint64_t id;

	if (c->takes == TAKES_NOTHING)
		return true;
	if (!q->argc) {
		answer(q, "error %s needs %s", c->name, c->help);
		return false;
	}
	if (c->takes == TAKES_SLOT) {
		q->slot = parse_size(q->argv[0], &id) ? NULL : layout_slot(q->guest, id);
		if (!q->slot || !q->slot->hva) {
			answer(q, "error there is no slot '%s'", q->argv[0]);
			return false;
		}
	} else {
		if (parse_range(q->argv[0], &q->gpa, &q->len)) {
			answer(q, "error '%s' is no address or range", q->argv[0]);
			return false;
		}
		q->slot = layout_find(q->guest, q->gpa, q->len);
		if (!q->slot || q->slot->skipped) {
			answer(q,
			       "error 0x%" PRIx64 "+0x%" PRIx64
			       " is in no slot or hole of the layout",
			       q->gpa, q->len);
			return false;
		}
	}
	memmove(q->argv, q->argv + 1, --q->argc * sizeof(q->argv[0]));
	return true;
}

/* The line is cut up. An empty line is answered with 'ok'. */
void command_run(struct guest *g, char *line, struct reply *r)
{
	struct request q = { .guest = g, .reply = r };
	char *save, *name = strtok_r(line, " \t\r\n", &save);

	answer(&q, "ok");
	if (!name)
		return;
	for (char *word; (word = strtok_r(NULL, " \t\r\n", &save));) {
		if (q.argc == MAX_ARGS) {
			answer(&q, "error too many words");
			return;
		}
		q.argv[q.argc++] = word;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &command_table[i];

		if (strcmp(c->name, name))
			continue;
		if (!take_vcpu(&q) || !take_first(&q, c))
			return;
		if (q.argc < c->min || q.argc > c->max)
			answer(&q, "error usage: %s %s", c->name, c->help);
		else
			c->run(&q);
		return;
	}
	answer(&q, "error unknown command '%s' (try help)", name);
}
