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
#include "spt/trace_points.h"
#include "spt/walk.h"

/* The model is read again this often at most, and twice as seldom if nothing is missing in it. */
#define RELOAD_NS 100000000ULL
/* Code is read in vain this often at most, of a vCPU that is not in the guest whose code it is. */
#define CODE_AGAIN_NS 20000000ULL

#define CR4_VMXE  SPT_BIT(13)
#define EFER_SVME SPT_BIT(12)

struct spt_join_thread {
	int pid; /* 0: free */
	bool foreign;
	bool has_fault;
	int vcpu; /* of the fault */
	uint64_t rip;
	uint64_t address;
	bool has_address;
	bool l2;      /* the fault was L2's */
	bool l2_exit; /* L2 has left by a fault, of which the next fault speaks */
	uint64_t l2_rip;
	char comm[16];
};

struct spt_join_code {
	uint64_t rip;
	bool used, l2;
	bool left; /* the vCPU was not in the guest that is meant */
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
	unsigned int found[2][2] = { 0 };

	join->roots_ns = now_ns();
	if (spt_model_read(m, join->side, &request, 0, NULL))
		return;
	for (unsigned int as = 0; as < 2; as++)
		join->root_hpa[as] = join->nested_hpa[as] = SPT_NO_HPA;
	for (uint32_t i = 0; i < m->nr_roots; i++) {
		const struct spt_root_ref *root = &m->roots[i];
		bool nested = root->kind == SPT_ROOT_NESTED;
		uint64_t *hpa;

		join->nested |= nested;
		if (!root->valid || root->as_id > 1 || (!nested && root->kind != SPT_ROOT_DIRECT))
			continue;
		/* Of several it is not known which. */
		hpa = nested ? &join->nested_hpa[root->as_id] : &join->root_hpa[root->as_id];
		*hpa = found[nested][root->as_id]++ ? SPT_NO_HPA : root->hpa;
	}
}

/* Whether a vCPU has switched on what it needs to run guests of its own, or runs one. */
static bool may_nest(const struct spt_model *m)
{
	const bool vmx = m->image.head.vendor == SPT_VENDOR_VMX;
	uint64_t value;

	for (uint32_t i = 0; i < m->nr_vcpus; i++) {
		const struct spt_valueset *v = &m->vcpus[i].values;

		if (spt_value(v, SPT_VCPU_IN_GUEST_MMU, &value) && value)
			return true;
		if (spt_value(v, vmx ? SPT_VCPU_CR4 : SPT_VCPU_EFER, &value) &&
		    value & (vmx ? CR4_VMXE : EFER_SVME))
			return true;
	}
	return false;
}

/* What cannot be read now is as it was: the VM may be gone, its last events are not. */
static int load(struct spt_events_join *join, struct spt_error *err)
{
	const struct spt_request request = { .parts = SPT_PART_VM | SPT_PART_VCPUS |
						      SPT_PART_MEMSLOTS | SPT_PART_ATTRS };
	int ret = spt_model_read(&join->model, join->src, &request, 0, err);

	if (!ret) {
		load_roots(join);
		join->may_nest |= join->nested || may_nest(&join->model);
	}
	join->loaded_ns = now_ns();
	return ret;
}

int spt_join_init(struct spt_events_join *join, const char *id, bool no_code, struct spt_error *err)
{
	int ret;

	*join = (struct spt_events_join){ .no_code = no_code,
					  .root_hpa = { SPT_NO_HPA, SPT_NO_HPA },
					  .nested_hpa = { SPT_NO_HPA, SPT_NO_HPA } };
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

/*
 * Whether the guest's own guest (L2) did it. Only the exit says so, right before the fault that it
 * made; from there on it is that fault's doing until the vCPU's next one.
 */
static void join_l2(struct spt_events_join *join, struct spt_join_thread *t, struct spt_event *e)
{
	bool l2 = t->has_fault && t->l2;

	switch (e->kind) {
	case SPT_EVENT_EXIT: /* the recorder has looked what comes behind it */
		return;
	case SPT_EVENT_NESTED:
		t->l2_exit = spt_point_is_fault(&join->model.image.head, e);
		t->l2_rip = e->rip;
		l2 = true;
		break;
	case SPT_EVENT_FAULT:
		l2 = t->l2_exit && t->l2_rip == e->rip;
		t->l2_exit = false;
		break;
	case SPT_EVENT_REFLECT:
		l2 = true;
		break;
	}
	e->flags |= l2 ? SPT_EVENT_L2 : 0;
	join->may_nest |= l2;
}

/* Intel's second word of an exit is of an interrupted event; the address is in none. */
static void drop_no_address(const struct spt_model *m, struct spt_event *e)
{
	if (m->image.head.vendor == SPT_VENDOR_VMX &&
	    (e->kind == SPT_EVENT_EXIT || e->kind == SPT_EVENT_NESTED ||
	     e->kind == SPT_EVENT_REFLECT))
		e->known &= ~(uint32_t)SPT_EVENT_HAS_ADDRESS;
}

/* L2's address is the VM's where the guest runs L2 without nested page tables. */
static enum spt_event_space space_of(const struct spt_events_join *join, const struct spt_event *e)
{
	switch (e->kind) {
	case SPT_EVENT_UNMAP:
	case SPT_EVENT_AGE:
		return SPT_EVENT_HVA;
	case SPT_EVENT_FAULT:
	case SPT_EVENT_EXIT:
	case SPT_EVENT_FAST:
	case SPT_EVENT_NESTED:
	case SPT_EVENT_REFLECT:
		if (join->model.image.head.mmu == SPT_MMU_SHADOW)
			return SPT_EVENT_GVA;
		return e->flags & SPT_EVENT_L2 && join->nested ? SPT_EVENT_L2_GPA : SPT_EVENT_GPA;
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

/* What the TDP MMU changed is below a direct root, what was set for L2 below a nested one. */
static void join_root(const struct spt_events_join *join, struct spt_event *e)
{
	bool nested = e->kind == SPT_EVENT_SET && e->flags & SPT_EVENT_L2 && join->nested;
	uint64_t hpa;

	if (e->space != SPT_EVENT_GPA || !(e->known & (SPT_EVENT_HAS_OLD | SPT_EVENT_HAS_NEW)) ||
	    e->as_id > 1)
		return;
	hpa = nested ? join->nested_hpa[e->as_id] : join->root_hpa[e->as_id];
	if (hpa == SPT_NO_HPA)
		return;
	e->root_hpa = hpa;
	e->known |= SPT_EVENT_HAS_ROOT;
}

/* Roots for L2 come and go with what it does: they are looked at after the event. */
static void reload_roots(struct spt_events_join *join, const struct spt_event *e)
{
	if (e->flags & SPT_EVENT_L2 && join->roots_ns < e->time_ns &&
	    now_ns() - join->roots_ns > RELOAD_NS)
		load_roots(join);
}

/* A fault, or the exit that tells of it first. */
static bool begins_fault(const struct spt_event *e)
{
	return e->kind == SPT_EVENT_FAULT || e->kind == SPT_EVENT_EXIT ||
	       e->kind == SPT_EVENT_NESTED;
}

/* What a thread does after its fault is that fault's doing, until the next one. */
static void join_fault(struct spt_join_thread *t, struct spt_event *e)
{
	if (begins_fault(e)) {
		t->has_fault = e->known & SPT_EVENT_HAS_RIP;
		t->rip = e->rip;
		t->vcpu = e->vcpu;
		t->has_address = e->known & SPT_EVENT_HAS_ADDRESS;
		t->address = e->address;
		t->l2 = e->flags & SPT_EVENT_L2;
		return;
	}
	if (e->known & SPT_EVENT_HAS_RIP || !t->has_fault || !(e->known & SPT_EVENT_HAS_VCPU) ||
	    e->vcpu != t->vcpu)
		return;
	e->rip = t->rip;
	e->known |= SPT_EVENT_HAS_RIP;
	e->flags |= SPT_EVENT_OF_FAULT;
	if (e->kind != SPT_EVENT_REFLECT)
		return;
	/* From here on it is the guest's hypervisor that runs. */
	t->has_fault = false;
	if (!(e->known & SPT_EVENT_HAS_ADDRESS) && t->has_address) {
		e->address = t->address;
		e->known |= SPT_EVENT_HAS_ADDRESS;
	}
}

static int take_code(void *arg, const struct spt_guest_piece *piece)
{
	struct spt_join_code *code = arg;

	code->left = piece->l2 != code->l2;
	if (piece->why || code->left)
		return 1;
	memcpy(code->code + code->len, piece->bytes, piece->len);
	code->len += piece->len;
	return 0;
}

/*
 * The mode of the code is that of the vCPU now; of a 64-bit guest on Intel CS cannot be had. Its
 * tables are the vCPU's, too: those of L2 only while it runs L2, and no others then.
 */
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
	code->left = regs.nested != code->l2;
	if (code->left)
		return;
	code->bits = spt_registers_code_bits(&regs);
	if (!code->bits && spt_register(&regs, SPT_REGISTER_EFER, &efer) && efer >> 10 & 1)
		code->bits = 64;
	if (code->bits != 64 && spt_registers_segment(&regs, SPT_CS, &cs))
		what.start = (uint32_t)(e->rip + cs.base);
	if (!code->bits || what.start > ~0ULL - SPT_EVENT_CODE)
		return;
	code->len = 0;
	spt_guest_bytes_each(join->side, &join->code_model, &what, take_code, code, NULL);
}

static bool may_try_again(struct spt_events_join *join)
{
	uint64_t now = now_ns();

	if (now - join->code_ns < CODE_AGAIN_NS)
		return false;
	join->code_ns = now;
	return true;
}

static void join_code(struct spt_events_join *join, struct spt_event *e)
{
	const bool l2 = e->flags & SPT_EVENT_L2;
	unsigned int at = ((e->rip + l2) * 0x9e3779b97f4a7c15ULL >> 32) % SPT_JOIN_CODES;
	struct spt_join_code *code;

	if (join->no_code || !(e->known & SPT_EVENT_HAS_RIP) || !(e->known & SPT_EVENT_HAS_VCPU))
		return;
	for (code = &join->codes[at]; code->used && (code->rip != e->rip || code->l2 != l2);
	     code = &join->codes[at = (at + 1) % SPT_JOIN_CODES])
		;
	if (!code->used) {
		if (join->nr_codes == SPT_JOIN_CODES / 2)
			return;
		join->nr_codes++;
		*code = (struct spt_join_code){ .rip = e->rip, .used = true, .l2 = l2 };
		read_code(join, e, code);
	} else if (code->left && may_try_again(join)) {
		read_code(join, e, code);
	}
	e->code_bits = code->bits;
	e->code_len = code->len;
	e->flags |= code->left ? SPT_EVENT_LEFT : 0;
	memcpy(e->code, code->code, sizeof(e->code));
}

void spt_join_event(struct spt_events_join *join, struct spt_event *e)
{
	struct spt_join_thread *t = thread_of(join, e->pid);

	memcpy(e->comm, t->comm, sizeof(e->comm));
	e->flags |= t->foreign ? SPT_EVENT_FOREIGN : 0;
	drop_no_address(&join->model, e);
	join_vcpu(&join->model, e);
	join_l2(join, t, e);
	reload_roots(join, e);
	e->space = space_of(join, e);
	if (!join_slot(&join->model, e) && now_ns() - join->loaded_ns > RELOAD_NS) {
		load(join, NULL);
		join_slot(&join->model, e);
	}
	join_root(join, e);
	join_fault(t, e);
	join_code(join, e);
}
