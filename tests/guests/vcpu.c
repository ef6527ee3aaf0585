// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU threads. A vCPU is in KVM_RUN only while it does an operation; idle,
 * its thread waits in user space, so that nothing of the guest moves.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "mailbox.h"
#include "pages.h"

#define OP_SECONDS    600 /* emulators are slow; a hang is still found */
#define STUCK_SECONDS 10  /* how long a kicked vCPU may take to come back */

/* uapi of kernels newer than this machine's headers */
#define EXIT_MEMORY_FAULT   39
#define MEMORY_EXIT_PRIVATE (1ULL << 3)

struct memory_fault {
	uint64_t flags, gpa, size;
};

static void finish(struct vcpu *v, int status, const char *why)
{
	v->status = status;
	snprintf(v->why, sizeof(v->why), "%s", why);
}

static void complete_mmio(struct kvm_run *run)
{
	/* As a bus answers where no device is. */
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

/* True: the operation is over, status and why are set. */
static bool after_exit(struct vcpu *v, int ret)
{
	struct kvm_run *run = v->run;
	char why[160];

	if (ret < 0) {
		int err = errno;
		/* In the union at whose start every exit's part is. */
		const struct memory_fault *fault = (const void *)&run->hw;

		if (err == EFAULT && run->exit_reason == EXIT_MEMORY_FAULT) {
			snprintf(why, sizeof(why), "memory fault: 0x%" PRIx64 " was used as %s",
				 fault->gpa,
				 fault->flags & MEMORY_EXIT_PRIVATE ? "private" : "shared");
			finish(v, -EFAULT, why);
			return true;
		}
		if (err == EINTR && run->immediate_exit) {
			if (v->halted)
				finish(v, 0, "");
			else
				finish(v, -EINTR, "the vCPU was kicked out of its operation");
			return true;
		}
		if (err == EINTR || err == EAGAIN)
			return false;
		snprintf(why, sizeof(why), "KVM_RUN: %s", strerror(err));
		finish(v, -err, why);
		return true;
	}
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		if (run->io.port != PORT_DONE)
			return false;
		finish(v, 0, "");
		return true;
	case KVM_EXIT_MMIO:
		v->mmio_exits++;
		complete_mmio(run);
		return false;
	case KVM_EXIT_INTR:
		return false;
	case KVM_EXIT_SHUTDOWN:
		finish(v, -EFAULT, "shutdown: the guest took an exception");
		return true;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(why, sizeof(why),
			 "the processor refused to enter the guest, reason 0x%" PRIx64,
			 (uint64_t)run->fail_entry.hardware_entry_failure_reason);
		finish(v, -EIO, why);
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(why, sizeof(why), "KVM internal error %u", run->internal.suberror);
		finish(v, -EIO, why);
		return true;
	default:
		snprintf(why, sizeof(why), "unexpected exit %u", run->exit_reason);
		finish(v, -EIO, why);
		return true;
	}
}

static void *vcpu_loop(void *arg)
{
	struct vcpu *v = arg;

	pthread_mutex_lock(&v->lock);
	for (;;) {
		while (v->state == VCPU_IDLE)
			pthread_cond_wait(&v->changed, &v->lock);
		if (v->state == VCPU_EXIT)
			break;
		pthread_mutex_unlock(&v->lock);

		int ret;

		do {
			ret = ioctl(v->fd, KVM_RUN, 0);
		} while (!after_exit(v, ret));
		/* Not at the dispatcher: put it back there. */
		if (v->status || v->halted)
			vm_reset_vcpu(v);

		pthread_mutex_lock(&v->lock);
		v->run->immediate_exit = 0;
		if (v->state == VCPU_BUSY)
			v->state = VCPU_IDLE;
		v->spinning = false;
		v->halted = false;
		v->ops++;
		pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

int vcpu_start(struct vcpu *v)
{
	struct sigaction act = { .sa_handler = on_kick };

	sigaction(SIGUSR1, &act, NULL);
	v->mailbox = (uint64_t *)(v->guest->slot[0].hva + MAILBOX_GPA + v->idx * SIZE_4K);
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	v->state = VCPU_IDLE;
	return -pthread_create(&v->thread, NULL, vcpu_loop, v);
}

int vcpu_submit(struct vcpu *v, const struct op *op)
{
	pthread_mutex_lock(&v->lock);
	if (v->state != VCPU_IDLE) {
		pthread_mutex_unlock(&v->lock);
		return -EBUSY;
	}
	v->mailbox[MB_OP / 8] = op->op;
	v->mailbox[MB_GVA / 8] = guest_base(v->guest) + op->gpa;
	v->mailbox[MB_COUNT / 8] = op->count ? op->count : 1;
	v->mailbox[MB_STRIDE / 8] = op->stride;
	v->mailbox[MB_VALUE / 8] = op->value;
	v->mailbox[MB_RESULT / 8] = 0;
	v->mailbox[MB_BAD_GVA / 8] = 0;
	v->mailbox[MB_STOP / 8] = 0;
	v->mailbox[MB_ROUNDS / 8] = 0;
	v->spinning = op->op == OP_SPIN_READ || op->op == OP_SPIN_WRITE;
	v->halted = op->op == OP_HALT;
	v->status = 0;
	v->state = VCPU_BUSY;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

/* Called with v->lock held; false: still busy at the deadline. */
static bool wait_idle(struct vcpu *v, int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	while (v->state == VCPU_BUSY)
		if (pthread_cond_timedwait(&v->changed, &v->lock, &until) == ETIMEDOUT)
			return v->state != VCPU_BUSY;
	return true;
}

/* Called with v->lock held. The signal also ends a KVM_RUN that is about to begin. */
static void kick(struct vcpu *v)
{
	v->run->immediate_exit = 1;
	pthread_kill(v->thread, SIGUSR1);
}

int vcpu_wait(struct vcpu *v, int seconds)
{
	int err = 0;

	pthread_mutex_lock(&v->lock);
	if (!wait_idle(v, seconds)) {
		kick(v);
		err = -ETIMEDOUT;
		if (wait_idle(v, STUCK_SECONDS))
			snprintf(v->why, sizeof(v->why), "the operation did not end in %d s",
				 seconds);
	} else {
		err = v->status;
	}
	pthread_mutex_unlock(&v->lock);
	return err;
}

int vcpu_pause(struct vcpu *v)
{
	if (v->mailbox)
		v->mailbox[MB_STOP / 8] = 1;
	pthread_mutex_lock(&v->lock);
	if (v->halted)
		kick(v);
	pthread_mutex_unlock(&v->lock);
	return vcpu_wait(v, OP_SECONDS);
}

int vcpu_do(struct vcpu *v, const struct op *op)
{
	int err = vcpu_submit(v, op);

	if (err) {
		pthread_mutex_lock(&v->lock);
		snprintf(v->why, sizeof(v->why), "vCPU %d is running: pause it first", v->idx);
		pthread_mutex_unlock(&v->lock);
		return err;
	}
	return vcpu_wait(v, OP_SECONDS);
}

/* Ends the thread; the vCPU itself stays. */
void vcpu_stop(struct vcpu *v)
{
	if (!v->mailbox)
		return;
	v->mailbox[MB_STOP / 8] = 1;
	pthread_mutex_lock(&v->lock);
	if (v->halted)
		kick(v);
	if (v->state == VCPU_BUSY && !wait_idle(v, STUCK_SECONDS))
		kick(v);
	v->state = VCPU_EXIT;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->thread, NULL);
	v->mailbox = NULL;
}
