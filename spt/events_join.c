// SPDX-License-Identifier: GPL-2.0
#include "spt/events_join.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decoders/role.h"
#include "spt/guest_bytes.h"
#include "spt/registers.h"
#include "spt/walk.h"

/* The model is read again this often at most, and twice as seldom if nothing is missing in it. */
#define RELOAD_NS 100000000ULL

struct spt_join_thread {
	int pid; /* 0: free */
	bool foreign;
	bool has_fault;
	int vcpu; /* of the fault */
	uint64_t rip;
	char comm[16];
};

struct spt_join_code {
	uint64_t rip;
	bool used;
	uint8_t bits, len;
	uint8_t code[SPT_EVENT_CODE];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The roots, apart from the rest: with shadow pages they are read for one page, slots too. */
static void load_roots(struct spt_events_join *join)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_ROOTS };
	struct spt_model *m = &join->code_model;
	unsigned int found[2] = { 0, 0 };

	if (spt_model_read(m, join->side, &request, 0, NULL))
		return;
	join->root_hpa[0] = join->root_hpa[1] = SPT_NO_HPA;
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *root = &m->roots[i];

		join->nested |= root->kind == SPT_ROOT_NESTED;
		if (!root->valid || root->kind != SPT_ROOT_DIRECT || root->as_id > 1)
			continue;
		/* Of several it is not known which. */
		join->root_hpa[root->as_id] = found[root->as_id]++ ? SPT_NO_HPA : root->hpa;
	}
}

/* What cannot be read now is as it was: the VM may be gone, its last events are not. */
static int load(struct spt_events_join *join, struct spt_error *err)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_VCPUS |
						      SPT_PART_MEMSLOTS | SPT_PART_ATTRS };
	int ret = spt_model_read(&join->model, join->src, &request, 0, err);

	if (!ret)
		load_roots(join);
	join->loaded_ns = now_ns();
	return ret;
}

int spt_join_init(struct spt_events_join *join, const char *id, bool no_code, struct spt_error *err)
{
	int ret;

	*join = (struct spt_events_join){ .no_code = no_code,
					  .root_hpa = { SPT_NO_HPA, SPT_NO_HPA } };
	spt_model_init(&join->model);
	spt_model_init(&join->code_model);
	spt_model_init(&join->code_regs);
	join->threads = calloc(SPT_JOIN_THREADS, sizeof(*join->threads));
	join->codes = calloc(SPT_JOIN_CODES, sizeof(*join->codes));
	if (!join->threads || !join->codes)
		return spt_fail(err, ENOMEM, "out of memory for events");
	ret = spt_source_open_vm(id, &join->src, err);
	if (!ret)
		ret = spt_source_open_vm(id, &join->side, err);
	if (!ret)
		ret = load(join, err);
	join->vmm = join->model.image.head.pid;
	return ret;
}

void spt_join_deinit(struct spt_events_join *join)
{
	spt_model_deinit(&join->model);
	spt_model_deinit(&join->code_model);
	spt_model_deinit(&join->code_regs);
	spt_source_close(join->src);
	spt_source_close(join->side);
	free(join->threads);
	free(join->codes);
	*join = (struct spt_events_join){ 0 };
}

static void read_comm(int pid, char comm[16])
{
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, comm, 15);
		close(fd);
	}
	comm[n > 0 ? n - 1 : 0] = '\0';
	for (char *c = comm; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static bool is_of_vmm(int vmm, int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", vmm, pid);
	return !access(path, F_OK);
}

static struct spt_join_thread *thread_of(struct spt_events_join *join, int pid)
{
	struct spt_join_thread *t;
	unsigned int at = (unsigned int)pid % SPT_JOIN_THREADS;

	for (unsigned int i = 0; i < SPT_JOIN_THREADS / 8; i++) {
		t = &join->threads[(at + i) % SPT_JOIN_THREADS];
		if (t->pid == pid || !t->pid)
			break;
	}
	if (t->pid == pid)
		return t;
	/* A free one, or the last one looked at is forgotten. */
	*t = (struct spt_join_thread){ .pid = pid, .foreign = !is_of_vmm(join->vmm, pid) };
	read_comm(pid, t->comm);
	return t;
}

static void join_vcpu(const struct spt_model *m, struct spt_event *e)
{
	uint64_t pid, id;

	for (uint32_t i = 0; i < m->nr_vcpus && !(e->known & SPT_EVENT_HAS_VCPU); i++) {
		if (!spt_value(&m->vcpus[i].values, SPT_VCPU_PID, &pid) || (int32_t)pid != e->pid ||
		    !spt_value(&m->vcpus[i].values, SPT_VCPU_ID, &id))
			continue;
		e->vcpu = (int32_t)id;
		e->known |= SPT_EVENT_HAS_VCPU;
	}
}

/* The vCPU of the event runs its own guest, whose physical addresses faults are of. */
static bool is_nested(const struct spt_model *m, const struct spt_event *e)
{
	uint64_t id, nested;

	for (uint32_t i = 0; i < m->nr_vcpus && e->known & SPT_EVENT_HAS_VCPU; i++)
		if (spt_value(&m->vcpus[i].values, SPT_VCPU_ID, &id) && (int32_t)id == e->vcpu)
			return spt_value(&m->vcpus[i].values, SPT_VCPU_IN_GUEST_MMU, &nested) &&
			       nested;
	return false;
}

static enum spt_event_space space_of(const struct spt_model *m, const struct spt_event *e)
{
	switch (e->kind) {
	case SPT_EVENT_UNMAP:
	case SPT_EVENT_AGE:
		return SPT_EVENT_HVA;
	case SPT_EVENT_FAULT:
	case SPT_EVENT_EXIT:
	case SPT_EVENT_FAST:
		if (m->image.head.mmu == SPT_MMU_SHADOW)
			return SPT_EVENT_GVA;
		return is_nested(m, e) ? SPT_EVENT_L2_GPA : SPT_EVENT_GPA;
	case SPT_EVENT_NESTED:
		return SPT_EVENT_L2_GPA;
	default:
		return SPT_EVENT_GPA;
	}
}

static bool join_slot(const struct spt_model *m, struct spt_event *e)
{
	const struct spt_memslot *slot = NULL;
	uint64_t gpa = e->address & ~m->gpa_bits;

	if (!(e->known & SPT_EVENT_HAS_ADDRESS))
		return true;
	if (e->space == SPT_EVENT_GPA) {
		slot = spt_memslot_find(&m->memslots, e->as_id, gpa >> SPT_PAGE_SHIFT);
	} else if (e->space == SPT_EVENT_HVA) {
		uint64_t found[1];

		/* The slot whose memory the range begins in. */
		if (spt_walk_hva(m, e->address, found, 1))
			slot = spt_memslot_find(&m->memslots, 0, found[0] >> SPT_PAGE_SHIFT);
	} else {
		return true;
	}
	e->slot = slot ? slot->slot->id : -1;
	e->known |= SPT_EVENT_HAS_SLOT;
	return slot || e->space == SPT_EVENT_HVA;
}

static void join_root(const struct spt_events_join *join, struct spt_event *e)
{
	if (e->space != SPT_EVENT_GPA || !(e->known & (SPT_EVENT_HAS_OLD | SPT_EVENT_HAS_NEW)) ||
	    e->as_id > 1 || join->root_hpa[e->as_id] == SPT_NO_HPA)
		return;
	e->root_hpa = join->root_hpa[e->as_id];
	e->known |= SPT_EVENT_HAS_ROOT;
}

/* What a thread does after its fault is that fault's doing, until the next one. */
static void join_fault(struct spt_join_thread *t, struct spt_event *e)
{
	if (e->kind == SPT_EVENT_FAULT || e->kind == SPT_EVENT_EXIT) {
		t->has_fault = e->known & SPT_EVENT_HAS_RIP;
		t->rip = e->rip;
		t->vcpu = e->vcpu;
		return;
	}
	if (e->known & SPT_EVENT_HAS_RIP || !t->has_fault || !(e->known & SPT_EVENT_HAS_VCPU) ||
	    e->vcpu != t->vcpu)
		return;
	e->rip = t->rip;
	e->known |= SPT_EVENT_HAS_RIP;
	e->flags |= SPT_EVENT_OF_FAULT;
}

static int take_code(void *arg, const struct spt_guest_piece *piece)
{
	struct spt_join_code *code = arg;

	if (piece->why)
		return 1;
	memcpy(code->code + code->len, piece->bytes, piece->len);
	code->len += piece->len;
	return 0;
}

/* The mode of the code is that of the vCPU now; of a 64-bit guest on Intel CS cannot be had. */
static void read_code(struct spt_events_join *join, const struct spt_event *e,
		      struct spt_join_code *code)
{
	const struct spt_request request = { .parts = SPT_REGISTERS_PARTS };
	struct spt_guest_bytes what = {
		.virtual = true,
		.start = e->rip,
		.len = SPT_EVENT_CODE,
		.by.vcpu = e->vcpu,
	};
	struct spt_segment_value cs;
	struct spt_registers regs;
	uint64_t efer;

	if (spt_model_read(&join->code_regs, join->side, &request, 0, NULL) ||
	    spt_registers_find(&join->code_regs, e->vcpu, &regs, NULL) || regs.hidden)
		return;
	code->bits = spt_registers_code_bits(&regs);
	if (!code->bits && spt_register(&regs, SPT_REGISTER_EFER, &efer) && efer >> 10 & 1)
		code->bits = 64;
	if (code->bits != 64 && spt_registers_segment(&regs, SPT_CS, &cs))
		what.start = (uint32_t)(e->rip + cs.base);
	if (!code->bits || what.start > ~0ULL - SPT_EVENT_CODE)
		return;
	spt_guest_bytes_each(join->side, &join->code_model, &what, take_code, code, NULL);
}

static void join_code(struct spt_events_join *join, struct spt_event *e)
{
	unsigned int at = (e->rip * 0x9e3779b97f4a7c15ULL >> 32) % SPT_JOIN_CODES;
	struct spt_join_code *code;

	if (join->no_code || !(e->known & SPT_EVENT_HAS_RIP) || !(e->known & SPT_EVENT_HAS_VCPU) ||
	    is_nested(&join->model, e) || e->kind == SPT_EVENT_NESTED)
		return;
	for (code = &join->codes[at]; code->used && code->rip != e->rip;
	     code = &join->codes[at = (at + 1) % SPT_JOIN_CODES])
		;
	if (!code->used) {
		if (join->nr_codes == SPT_JOIN_CODES / 2)
			return;
		join->nr_codes++;
		*code = (struct spt_join_code){ .rip = e->rip, .used = true };
		read_code(join, e, code);
	}
	e->code_bits = code->bits;
	e->code_len = code->len;
	memcpy(e->code, code->code, sizeof(e->code));
}

void spt_join_event(struct spt_events_join *join, struct spt_event *e)
{
	struct spt_join_thread *t = thread_of(join, e->pid);

	memcpy(e->comm, t->comm, sizeof(e->comm));
	e->flags |= t->foreign ? SPT_EVENT_FOREIGN : 0;
	join_vcpu(&join->model, e);
	e->space = space_of(&join->model, e);
	if (!join_slot(&join->model, e) && now_ns() - join->loaded_ns > RELOAD_NS) {
		load(join, NULL);
		join_slot(&join->model, e);
	}
	join_root(join, e);
	join_fault(t, e);
	join_code(join, e);
}
