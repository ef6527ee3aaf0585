// SPDX-License-Identifier: GPL-2.0
/* The VM, its vCPUs' registers, and KVM's statistics of it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mailbox.h"
#include "pages.h"

#define CR0_LONG      0x80010033ULL /* PG WP NE ET MP PE */
#define CR4_PAE	      0x20ULL
#define EFER_LONG     0xd00ULL /* NXE LMA LME */
#define EFER_PAE      0x800ULL /* NXE */
#define MAX_CPUID     256
#define TSS_ADDR      0xfffbd000UL /* Intel: three pages that no slot uses */
#define IDENTITY_ADDR 0xfffbc000UL
#define IDENTITY_BASE 0x535000000000UL /* a number that nothing else is */
#define RING_ENTRIES  4096

/*
 * Interrupts are let in though none is ever sent: Bochs keeps them from the host, too, where
 * neither the host, as it enters the guest, nor the guest has them on, and an endless loop is then
 * endless.
 */
#define RFLAGS_OPEN 0x202ULL

static int set_cpuid(struct guest *g, int vcpu_fd, bool *has_1g)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(cpuid->entries[0]));
	int err = 0;

	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = MAX_CPUID;
	if (ioctl(g->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	    ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid))
		err = -errno;
	*has_1g = false;
	g->maxphyaddr = 36;
	for (unsigned int i = 0; i < cpuid->nent && !err; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 0x80000001)
			*has_1g = e->edx & 1U << 26;
		if (e->function == 0x80000008)
			g->maxphyaddr = e->eax & 0xff;
	}
	free(cpuid);
	return err;
}

static int create_vcpu(struct guest *g, int idx)
{
	struct vcpu *v = &g->vcpu[idx];
	bool has_1g;

	v->guest = g;
	v->idx = idx;
	v->fd = ioctl(g->vm_fd, KVM_CREATE_VCPU, (unsigned long)idx);
	if (v->fd < 0)
		return -errno;
	int size = ioctl(g->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	v->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		return -errno;
	int err = set_cpuid(g, v->fd, &has_1g);

	/* PAE has no page of that size, either. */
	for (int i = 0; i < g->slot_count && !err && (!has_1g || g->opt.pae); i++)
		if (g->slot[i].guest_page == SIZE_1G)
			g->slot[i].guest_page = SIZE_2M;
	return err;
}

/* Makes VM and vCPUs; no slot yet, no registers. */
int vm_create(struct guest *g)
{
	uint64_t identity = IDENTITY_ADDR;

	g->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g->kvm_fd < 0)
		return -errno;
	g->vm_fd = ioctl(g->kvm_fd, KVM_CREATE_VM, 0UL);
	if (g->vm_fd < 0)
		return -errno;
	/* Intel needs these before a vCPU leaves real mode; AMD ignores them. */
	ioctl(g->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	ioctl(g->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDR);

	if (g->opt.manual_dirty) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE },
		};

		if (ioctl(g->vm_fd, KVM_ENABLE_CAP, &cap))
			return -errno;
	}

	if (g->opt.dirty_ring) {
		struct kvm_enable_cap cap = {
			.cap = KVM_CAP_DIRTY_LOG_RING,
			.args = { RING_ENTRIES * sizeof(struct kvm_dirty_gfn) },
		};

		if (ioctl(g->vm_fd, KVM_ENABLE_CAP, &cap))
			return -errno;
	}

	if (g->opt.irqchip) {
		struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

		if (ioctl(g->vm_fd, KVM_ENABLE_CAP, &cap))
			return -errno;
	}

	int converted = g->opt.tdx ? tdx_convert(g) : 0;

	if (converted)
		return converted;
	g->vcpu_count = g->opt.vcpus;
	for (int i = 0; i < g->vcpu_count; i++) {
		int err = create_vcpu(g, i);

		if (err)
			return err;
	}
	return 0;
}

static void set_segment(struct kvm_segment *s, uint16_t selector, uint8_t type, bool code64)
{
	*s = (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.db = !code64,
		.l = code64,
		.g = 1,
	};
}

uint64_t vm_identity(int vcpu)
{
	return IDENTITY_BASE | (uint64_t)getpid() << 8 | vcpu;
}

/* Puts the vCPU at its dispatcher, in 64-bit mode or with --pae in 32-bit mode. Called when it is
 * not in KVM_RUN. */
int vm_reset_vcpu(struct vcpu *v)
{
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = guest_base(v->guest) + CODE_GPA,
		.rbx = guest_base(v->guest) + v->guest->shared_mask + MAILBOX_GPA +
		       v->idx * SIZE_4K,
		.rsp = guest_base(v->guest) + STACK_GPA + (v->idx + 1) * SIZE_4K,
		.rflags = RFLAGS_OPEN,
	};

	/* Out of a HLT; with an APIC in the kernel, all but the first vCPU wait for INIT. */
	if (v->guest->opt.irqchip) {
		struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

		if (ioctl(v->fd, KVM_SET_MP_STATE, &runnable))
			return -errno;
	}
	if (ioctl(v->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	set_segment(&sregs.cs, 0x8, 11, !v->guest->opt.pae);
	set_segment(&sregs.ds, 0x10, 3, false);
	sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.ds;
	sregs.tr =
		(struct kvm_segment){ .limit = 0x67, .selector = 0x18, .type = 11, .present = 1 };
	sregs.ldt = (struct kvm_segment){ .unusable = 1, .type = 2 };
	/*
	 * No table of either kind: an exception in the guest is a shutdown, and is reported.
	 * The base that is never used says whose vCPU this is to who finds its VMCB in memory.
	 */
	sregs.idt = (struct kvm_dtable){ 0 };
	sregs.gdt = (struct kvm_dtable){ .base = vm_identity(v->idx) };
	sregs.cr0 = CR0_LONG;
	sregs.cr3 = TABLES_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = v->guest->opt.pae ? EFER_PAE : EFER_LONG;
	if (ioctl(v->fd, KVM_SET_SREGS, &sregs) || ioctl(v->fd, KVM_SET_REGS, &regs))
		return -errno;
	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events))
		return -errno;
	memset(&events.exception, 0, sizeof(events.exception));
	memset(&events.interrupt, 0, sizeof(events.interrupt));
	memset(&events.nmi, 0, sizeof(events.nmi));
	events.flags = 0;
	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events))
		return -errno;
	return 0;
}

static bool wanted_stat(const char *name)
{
	return !strcmp(name, "pages_4k") || !strcmp(name, "pages_2m") || !strcmp(name, "pages_1g");
}

/* KVM's own counters through its binary statistics (Documentation/virt/kvm/api.rst, 4.133). */
int vm_stats(struct guest *g, bool all, struct reply *r)
{
	struct kvm_stats_header head;
	int fd = ioctl(g->vm_fd, KVM_GET_STATS_FD, NULL);
	size_t used = strlen(r->text);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (pread(fd, &head, sizeof(head), 0) != sizeof(head)) {
		close(fd);
		return -EIO;
	}
	size_t size = sizeof(struct kvm_stats_desc) + head.name_size;
	struct kvm_stats_desc *desc = malloc(size + 1);

	for (uint32_t i = 0; desc && i < head.num_desc && !err; i++) {
		uint64_t value;

		memset(desc, 0, size + 1);
		if (pread(fd, desc, size, head.desc_offset + i * size) != (ssize_t)size) {
			err = -EIO;
			break;
		}
		if (desc->size != 1 || (!all && !wanted_stat(desc->name)))
			continue;
		if (pread(fd, &value, 8, head.data_offset + desc->offset) != 8)
			err = -EIO;
		else if (used < sizeof(r->text))
			used += snprintf(r->text + used, sizeof(r->text) - used, " %s=%" PRIu64,
					 desc->name, value);
	}
	free(desc);
	close(fd);
	return err;
}
