// SPDX-License-Identifier: GPL-2.0
/*
 * System management mode. KVM gives it an address space of its own: other slots,
 * and tables of their own. Here its slots are the others' once more, so that the
 * guest goes on as it is, and every access makes a table of that address space; and
 * some memory that it alone has, where the other modes find the layout's hole.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "pages.h"

#define SMM_SPACE (1U << 16) /* in a slot's id: the address space */
#define OWN_SLOT  30
#define OWN_GPA	  0x70008000
#define OWN_SIZE  0x4000

static int set_own_slot(struct guest *g, bool on)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	static void *memory = MAP_FAILED;
	struct kvm_userspace_memory_region region = {
		.slot = OWN_SLOT | SMM_SPACE,
		.guest_phys_addr = OWN_GPA,
		.memory_size = on ? OWN_SIZE : 0,
	};

	if (memory == MAP_FAILED)
		/* cppcheck-suppress invalidFunctionArg ; -1 is what an anonymous mapping has */
		memory = mmap(NULL, OWN_SIZE, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (memory == MAP_FAILED)
		return -errno;
	region.userspace_addr = (uintptr_t)memory;
	return ioctl(g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) && on ? -errno : 0;
}

static int set_slots(struct guest *g, bool on)
{
	for (int i = 0; i < g->slot_count; i++) {
		const struct slot *s = &g->slot[i];
		struct kvm_userspace_memory_region region = {
			.slot = s->id | SMM_SPACE,
			.guest_phys_addr = s->gpa,
			.memory_size = on ? s->size : 0,
			.userspace_addr = (uintptr_t)s->hva,
			.flags = s->flags & KVM_MEM_READONLY,
		};

		/* Deleting one that was never there is an error of no interest. */
		if (s->hva && s->size && ioctl(g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) && on)
			return -errno;
	}
	return set_own_slot(g, on);
}

int vm_set_smm(struct vcpu *v, bool on, bool keep_slots)
{
	struct kvm_vcpu_events events;
	int err = on ? set_slots(v->guest, true) : 0;

	if (err)
		return err;
	if (ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events))
		return -errno;
	events.flags = KVM_VCPUEVENT_VALID_SMM;
	memset(&events.smi, 0, sizeof(events.smi));
	events.smi.smm = on;
	if (ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events))
		return -errno;
	return on || keep_slots ? 0 : set_slots(v->guest, false);
}
