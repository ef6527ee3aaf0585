// SPDX-License-Identifier: GPL-2.0
/*
 * failnth: one operation again and again, its first, second, ... allocation failed by the kernel's
 * fault injection (/proc/thread-self/fail-nth), until it does with fewer than that; each failed one
 * (of those that load or unload a module: each sixteenth, they take long) is followed by one that
 * nothing fails, which must succeed.
 *
 * insmod FILE PARAMETERS WRONG
 *	and rmmod, which nothing fails. With the parameters WRONG the module is refused: what the
 *	kernel allocates until it looks at them is left alone, where it warns of a failure.
 * rmmod FILE [PARAMETERS]
 *	the other way round
 * open PATH
 * read PATH
 *	to its end; the open is not failed
 * find DIRECTORY
 *	the agent's: a walk to a new VM's directory in it
 * list PATH
 *	a directory's names
 * write PATH FROM
 *	all of FROM in one write
 * act PATH LINE [BEFORE]...
 *	LINE in one write, then read to the end; nothing fails the open, nor the lines BEFORE,
 *	whatever becomes of them
 * fresh DIRECTORY LINE
 *	the agent's: LINE done to a VM that is new each time, with one slot (FRESH_GPA) and one
 *	vCPU that never ran. What fails is not this thread's: it is what the kernel's workers
 *	allocate, who do what must be in the VM's memory.
 * unarm FILE LAYOUT FROM CONTROL LINE...
 *	rmmod of what was loaded armed, was given a layout, and has done each LINE, the last of
 *	which it is to take back
 *
 * What may come of a failed allocation is -ENOMEM, or success where the kernel does without. The
 * last line says how often what happened; exit status 1 when anything else did.
 *
 * Static: fail-nth counts every allocation of the thread, and nobody wants those of a linker.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "injection.h"

#define NTH_MAX	  100000
#define BUFFER	  (256 << 10)
#define BLOB_MAX  (64 << 10)
#define NAME_SIZE 64
/* A new VM's one slot. */
#define FRESH_GPA  0x100000
#define FRESH_SIZE (64 << 10)
/* Which allocations the loader makes differs a little from time to time; of sysfs it has dozens. */
#define SKIP_MORE 16

struct operation {
	const char *path;
	const char *rest; /* parameters, the line to write, the file to write from */
	char **more;	  /* the words after it, up to a NULL */
	char module[NAME_SIZE];
	int fd;
	char *buffer; /* BUFFER bytes that are there: no page fault allocates */
	size_t size;  /* of what is written */
	off_t whole;  /* bytes that reading to the end gave when nothing failed */
	int vm, vcpu; /* of 'fresh' */
};

/* 0 or -errno each. 'prepare' and 'finish' are never failed; finish is told what run returned. */
struct kind {
	const char *name;
	int words;	    /* that must follow */
	unsigned int again; /* how many failures there are for one more time without */
	bool none;	    /* it may do without an allocation */
	const char *whose;  /* names of the threads that it fails begin so; NULL: this one */
	/* How many allocations are left alone. */
	unsigned int (*skip)(struct operation *op);
	int (*prepare)(struct operation *op);
	int (*run)(struct operation *op);
	int (*finish)(struct operation *op, int result);
};

static int errno_of(long result)
{
	return result < 0 ? -errno : 0;
}

static int insmod(struct operation *op)
{
	return errno_of(syscall(SYS_finit_module, op->fd, op->rest, 0));
}

static int rmmod(struct operation *op)
{
	return errno_of(syscall(SYS_delete_module, op->module, O_NONBLOCK));
}

static int insmod_finish(struct operation *op, int result)
{
	return result ? 0 : rmmod(op);
}

static int rmmod_finish(struct operation *op, int result)
{
	return result ? rmmod(op) : 0;
}

static int open_it(struct operation *op)
{
	op->fd = open(op->path, O_RDONLY | O_CLOEXEC);
	return errno_of(op->fd);
}

static int open_both(struct operation *op)
{
	op->fd = open(op->path, O_RDWR | O_CLOEXEC);
	return errno_of(op->fd);
}

static int close_it(struct operation *op, int result)
{
	(void)result;
	return op->fd >= 0 ? errno_of(close(op->fd)) : 0;
}

static int read_all(struct operation *op)
{
	off_t whole = 0;
	ssize_t size;

	while ((size = read(op->fd, op->buffer, BUFFER)) > 0)
		whole += size;
	op->whole = whole;
	return errno_of(size);
}

static int write_all(struct operation *op)
{
	ssize_t size = write(op->fd, op->buffer, op->size);

	return size < 0 ? -errno : (size_t)size == op->size ? 0 : -EIO;
}

/* What the answer's last line says: done or nothing to do, else told so; -EPROTO: no such line. */
static int answered(const char *answer)
{
	const char *result = NULL, *next = answer;

	while ((next = strstr(next, "result: ")))
		result = next++;
	if (!result)
		return -EPROTO;
	result += strlen("result: ");
	if (!strncmp(result, "done", 4) || !strncmp(result, "no-effect", 9))
		return 0;
	return !strncmp(result, "refused", 7) || !strncmp(result, "failed", 6) ? -ENOMEM : -EPROTO;
}

/* What was written is answered; the answer is behind it, for it is needed again. */
static int read_answer(struct operation *op, int fd)
{
	char *answer = op->buffer + BLOB_MAX;
	size_t room = BUFFER - BLOB_MAX - 1, filled = 0;
	ssize_t size = 1;
	int error = 0;

	while (!error && size > 0 && filled < room) {
		size = read(fd, answer + filled, room - filled);
		error = errno_of(size);
		filled += size > 0 ? size : 0;
	}
	answer[filled] = '\0';
	return error ? error : answered(answer);
}

static int act(struct operation *op)
{
	int error = write_all(op);

	return error ? error : read_answer(op, op->fd);
}

static int act_line(struct operation *op, int fd, const char *line)
{
	ssize_t size = dprintf(fd, "%s\n", line);

	return size < 0 ? -errno : read_answer(op, fd);
}

static int open_to_act(struct operation *op)
{
	int error = open_both(op);

	/* What is refused may have been there already. */
	for (char **line = op->more; !error && *line; line++)
		act_line(op, op->fd, *line);
	return error;
}

/* LAYOUT FROM CONTROL LINE..., in op->rest and op->more: the module is as 'unarm' wants it. */
static int arm(struct operation *op)
{
	int layout, control, error = errno_of(syscall(SYS_finit_module, op->fd, "armed=1", 0));
	char **line = op->more + 2;

	if (error)
		return error;
	layout = open(op->rest, O_WRONLY | O_CLOEXEC);
	if (layout < 0 || write(layout, op->buffer, op->size) != (ssize_t)op->size)
		err(1, "%s", op->rest);
	close(layout);
	control = open(op->more[1], O_RDWR | O_CLOEXEC);
	if (control < 0)
		err(1, "%s", op->more[1]);
	for (; *line; line++) {
		error = act_line(op, control, *line);
		if (error && !line[1])
			errx(1, "%s: %s", *line, op->buffer + BLOB_MAX);
	}
	close(control);
	return 0;
}

/* A VM that nobody has looked at yet; op->fd. */
static int create_vm(struct operation *op)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0)
		return -errno;
	op->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	return errno_of(op->fd);
}

static int find_vm(struct operation *op)
{
	char path[PATH_MAX];
	struct stat stat;

	snprintf(path, sizeof(path), "%s/%d-%d/vm", op->path, getpid(), op->fd);
	return errno_of(lstat(path, &stat));
}

/* The one that was not found for lack of memory is found now. */
static int find_vm_again(struct operation *op, int result)
{
	int error = find_vm(op);

	(void)result;
	close(op->fd);
	return error;
}

static int list(struct operation *op)
{
	long size;

	while ((size = syscall(SYS_getdents64, op->fd, op->buffer, BUFFER)) > 0)
		;
	return errno_of(size);
}

/* With a slot, a vCPU, and its 'control' open. */
static int create_whole_vm(struct operation *op)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = FRESH_GPA,
		.memory_size = FRESH_SIZE,
		.userspace_addr = (uintptr_t)op->buffer + BUFFER - FRESH_SIZE,
	};
	char path[PATH_MAX];
	int error = create_vm(op);

	op->vm = op->fd;
	op->fd = -1;
	if (error)
		return error;
	if (ioctl(op->vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		return -errno;
	op->vcpu = ioctl(op->vm, KVM_CREATE_VCPU, 0);
	if (op->vcpu < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/%d-%d/control", op->path, getpid(), op->vm);
	op->fd = open(path, O_RDWR | O_CLOEXEC);
	return errno_of(op->fd);
}

static int close_vm(struct operation *op, int result)
{
	int error = close_it(op, result);

	close(op->vcpu);
	close(op->vm);
	return error;
}

/* The loader's, until it looks at the parameters; more come before the module's own. */
static unsigned int skip_loader(struct operation *op)
{
	long result;

	fail_nth(NTH_MAX);
	result = syscall(SYS_finit_module, op->fd, op->more[0], 0);
	if (!result)
		errx(2, "%s: it is loaded with '%s', too", op->path, op->more[0]);
	return NTH_MAX - fail_left() + SKIP_MORE;
}

static const struct kind kinds[] = {
	{ "insmod", 3, 16, false, NULL, skip_loader, NULL, insmod, insmod_finish },
	{ "rmmod", 1, 16, false, NULL, NULL, insmod, rmmod, rmmod_finish },
	{ "open", 1, 1, false, NULL, NULL, NULL, open_it, close_it },
	{ "read", 1, 1, true, NULL, NULL, open_it, read_all, close_it },
	{ "find", 1, 1, false, NULL, NULL, create_vm, find_vm, find_vm_again },
	{ "list", 1, 1, true, NULL, NULL, open_it, list, close_it },
	{ "write", 2, 1, false, NULL, NULL, open_both, write_all, close_it },
	{ "act", 2, 1, false, NULL, NULL, open_to_act, act, close_it },
	{ "fresh", 2, 16, false, "kworker/u", NULL, create_whole_vm, act, close_vm },
	{ "unarm", 5, 16, false, NULL, NULL, arm, rmmod, rmmod_finish },
};

/* One time, the nth allocation failed (0: none). Sets *happened. Returns what the run did. */
static int once(const struct kind *kind, struct operation *op, unsigned int n, bool *happened)
{
	int error = kind->prepare ? kind->prepare(op) : 0;
	int result;

	if (error)
		errx(1, "%s: before allocation %u is failed: %s", kind->name, n, strerror(-error));
	if (kind->whose)
		fail_named(kind->whose);
	fail_nth(n);
	result = kind->run(op);
	*happened = fail_happened() && n;
	error = kind->finish ? kind->finish(op, result) : 0;
	if (error)
		errx(1, "%s: after allocation %u was failed: %s", kind->name, n, strerror(-error));
	return result;
}

/* How often an allocation was failed, and how it ended. */
struct tally {
	unsigned int refused; /* -ENOMEM */
	unsigned int done;    /* without it */
	unsigned int wrong;
};

static void judge(const struct kind *kind, const struct operation *op, unsigned int n, int result,
		  off_t whole, struct tally *tally)
{
	if (result == -ENOMEM) {
		tally->refused++;
	} else if (result) {
		printf("%s: allocation %u failed: %s\n", kind->name, n, strerror(-result));
		tally->wrong++;
	} else if (op->whole != whole) {
		printf("%s: allocation %u failed: %lld bytes were read, not %lld\n", kind->name, n,
		       (long long)op->whole, (long long)whole);
		tally->wrong++;
	} else {
		tally->done++;
	}
}

static int walk(const struct kind *kind, struct operation *op)
{
	struct tally tally = { 0 };
	unsigned int skipped, n;
	bool happened;
	off_t whole;

	if (once(kind, op, 0, &happened))
		err(1, "%s %s: nothing was failed, and yet", kind->name, op->path);
	whole = op->whole;
	skipped = kind->skip ? kind->skip(op) : 0;
	for (n = skipped + 1; n < NTH_MAX; n++) {
		int result = once(kind, op, n, &happened);

		if (!happened)
			break;
		judge(kind, op, n, result, whole, &tally);
		if (n % kind->again)
			continue;
		result = once(kind, op, 0, &happened);
		if (result) {
			printf("%s: after allocation %u was failed, once more: %s\n", kind->name, n,
			       strerror(-result));
			tally.wrong++;
		}
	}
	if (once(kind, op, 0, &happened)) {
		printf("%s: after all these failures it does not work\n", kind->name);
		tally.wrong++;
	}
	printf("%s %s: %u allocations failed: %u times refused, %u times done all the same, %u wrong\n",
	       kind->name, op->path, n - 1 - skipped, tally.refused, tally.done, tally.wrong);
	return tally.wrong || n == NTH_MAX || (n == skipped + 1 && !kind->none);
}

/* The module's name is its file's. */
static void name_module(struct operation *op)
{
	const char *base = strrchr(op->path, '/');
	char *end;

	snprintf(op->module, sizeof(op->module), "%s", base ? base + 1 : op->path);
	end = strchr(op->module, '.');
	if (end)
		*end = '\0';
	op->fd = open(op->path, O_RDONLY | O_CLOEXEC);
	if (op->fd < 0)
		err(2, "%s", op->path);
}

static void read_blob(struct operation *op, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, op->buffer, BLOB_MAX);

	if (size < 0)
		err(2, "%s", path);
	op->size = size;
	close(fd);
}

int main(int argc, char **argv)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	struct operation op = { .fd = -1 };
	const struct kind *kind = NULL;

	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kind = &kinds[i];
	if (!kind || argc - 2 < kind->words)
		errx(2,
		     "Usage: failnth insmod|rmmod|open|read|find|list|write|act|fresh|unarm PATH [REST]...");
	op.path = argv[2];
	op.rest = argc > 3 ? argv[3] : "";
	op.more = argv + (argc > 3 ? 4 : argc);
	/* cppcheck-suppress [invalidFunctionArg] ; -1 is what an anonymous mapping has */
	op.buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (op.buffer == MAP_FAILED)
		err(2, "no memory");
	if (kind->run == insmod || kind->run == rmmod)
		name_module(&op);
	if (kind->prepare == arm) {
		read_blob(&op, op.more[0]);
	} else if (kind->run == act) {
		op.size = snprintf(op.buffer, BLOB_MAX, "%s\n", op.rest);
	} else if (kind->run == write_all) {
		read_blob(&op, op.rest);
	}
	fail_own();
	return walk(kind, &op);
}
