// SPDX-License-Identifier: GPL-2.0
/*
 * System management mode. KVM gives it an address space of its own: other slots,
 * and tables of their own. Here its slots are the others' once more, so that the
 * guest goes on as it is, and every access makes a table of that address space.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "pages.h"

#define SMM_SPACE (1U << 16) /* in a slot's id: the address space */

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
	return 0;
}

int vm_set_smm(struct vcpu *v, bool on)
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
	return on ? 0 : set_slots(v->guest, false);
}
