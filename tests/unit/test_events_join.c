// SPDX-License-Identifier: GPL-2.0
/*
 * Whose an event is, the guest's or its own guest's (L2): only the exit before a fault says so. A
 * vCPU may go from the one to the other between any two events, and both may be at the same RIP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_agent.h"
#include "mkimage.h"
#include "spt/events_join.h"

#define EFER_SVME     (1ULL << 12)
#define SVM_EXIT_NPF  0x400
#define EPT_VIOLATION 48
#define EPT_MISCONFIG 49
#define RIP	      0xffffffff81000010ULL
#define L2_PAGE	      0x5000ULL
#define SLOT_SIZE     (16 * MK_MB)

struct vm {
	struct mkimage *mk;
	uint8_t *bytes;
	uint64_t nested_hpa;
	struct fake_answer answer;
	struct fake_agent agent;
	struct spt_events_join join;
	uint64_t now;
};

/* A guest with one vCPU, this thread, that has tables for L2 if @nested. */
static void start(struct vm *vm, bool vmx, bool nested)
{
	const uint8_t *image;
	unsigned int vcpu, root;

	memset(vm, 0, sizeof(*vm));
	vm->mk = mkimage_new(vmx ? "ept-6.12" : "npt-6.12");
	vcpu = mkimage_vcpu(vm->mk);
	mkimage_vcpu_value(vm->mk, vcpu, SPT_VCPU_ID, 0);
	mkimage_vcpu_value(vm->mk, vcpu, SPT_VCPU_PID, getpid());
	mkimage_vcpu_value(vm->mk, vcpu, SPT_VCPU_EFER, nested ? EFER_SVME : 0);
	mkimage_slot(vm->mk, 0, 0, 0, SLOT_SIZE, 0x7f0000000000);
	mkimage_tdp_root(vm->mk, 4);
	if (nested) {
		root = mkimage_shadow_root(vm->mk, 4, 7);
		mkimage_page(vm->mk, root)->role = mkimage_role(
			vm->mk, mkimage_page(vm->mk, root)->role, SPT_ROLE_GUEST_MODE, 1);
		vm->nested_hpa = mkimage_table_hpa(vm->mk, root);
	}
	mkimage_head(vm->mk)->pid = getpid();
	image = mkimage_finish(vm->mk, &vm->answer.len);
	vm->bytes = malloc(vm->answer.len); /* the agent may still be sending at the end */
	assert_non_null(vm->bytes);
	memcpy(vm->bytes, image, vm->answer.len);
	vm->answer.bytes = vm->bytes;
	fake_agent_start(&vm->agent, &vm->answer, 1);
	assert_int_equal(spt_join_init(&vm->join, "1234-11", true, NULL), 0);
}

static void stop(struct vm *vm)
{
	spt_join_deinit(&vm->join);
	fake_agent_stop(&vm->agent);
	free(vm->bytes);
	mkimage_free(vm->mk);
}

/* Like events out of the buffer, which know only what their tracepoint has. */
static struct spt_event at(struct vm *vm, enum spt_event_kind kind, uint32_t known)
{
	return (struct spt_event){
		.kind = kind,
		.time_ns = vm->now += 1000,
		.known = known,
		.pid = getpid(),
		.vcpu = known & SPT_EVENT_HAS_VCPU ? 0 : -1,
		.slot = -1,
		.rip = known & SPT_EVENT_HAS_RIP ? RIP : 0,
		.address = L2_PAGE,
	};
}

#define EXIT_HAS                                                                                   \
	(SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_RIP | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_RESULT)

static struct spt_event l2_exit(struct vm *vm, uint64_t reason, uint64_t rip)
{
	struct spt_event e = at(vm, SPT_EVENT_NESTED, EXIT_HAS);

	e.result = reason;
	e.rip = rip;
	spt_join_event(&vm->join, &e);
	return e;
}

static struct spt_event fault(struct vm *vm)
{
	struct spt_event e = at(vm, SPT_EVENT_FAULT,
				SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_RIP | SPT_EVENT_HAS_ADDRESS |
					SPT_EVENT_HAS_ERROR);

	spt_join_event(&vm->join, &e);
	return e;
}

static struct spt_event entry_set(struct vm *vm)
{
	struct spt_event e = at(vm, SPT_EVENT_SET, SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_NEW);

	e.address = 0x100000;
	spt_join_event(&vm->join, &e);
	return e;
}

static void the_exit_tells_whose_the_fault_is(void **state)
{
	struct spt_event e;
	struct vm vm;

	start(&vm, false, true);
	e = fault(&vm);
	assert_int_equal(e.space, SPT_EVENT_GPA);
	assert_int_equal(e.slot, 0);
	assert_false(e.flags & SPT_EVENT_L2);

	e = l2_exit(&vm, SVM_EXIT_NPF, RIP);
	assert_true(e.flags & SPT_EVENT_L2);
	e = fault(&vm);
	assert_int_equal(e.space, SPT_EVENT_L2_GPA);
	assert_true(e.flags & SPT_EVENT_L2);
	assert_int_equal(e.slot, -1);
	assert_false(e.known & SPT_EVENT_HAS_SLOT);

	/* The same address and RIP, and no exit of L2 before it. */
	e = fault(&vm);
	assert_int_equal(e.space, SPT_EVENT_GPA);
	assert_false(e.flags & SPT_EVENT_L2);
	/* An exit whose fault was not recorded is not the next one's. */
	l2_exit(&vm, SVM_EXIT_NPF, RIP + 2);
	assert_false(fault(&vm).flags & SPT_EVENT_L2);
	assert_false(fault(&vm).flags & SPT_EVENT_L2);
	stop(&vm);
}

static void what_a_fault_of_l2_does_is_below_a_nested_root(void **state)
{
	struct spt_event e;
	struct vm vm;

	start(&vm, false, true);
	fault(&vm);
	e = entry_set(&vm);
	assert_false(e.flags & SPT_EVENT_L2);
	assert_int_equal(e.root_hpa, vm.join.root_hpa[0]);
	assert_int_not_equal(e.root_hpa, vm.nested_hpa);

	l2_exit(&vm, SVM_EXIT_NPF, RIP);
	fault(&vm);
	e = entry_set(&vm);
	assert_true(e.flags & SPT_EVENT_L2);
	assert_true(e.flags & SPT_EVENT_OF_FAULT);
	assert_int_equal(e.rip, RIP);
	assert_int_equal(e.space, SPT_EVENT_GPA);
	assert_int_equal(e.slot, 0);
	assert_true(e.known & SPT_EVENT_HAS_ROOT);
	assert_int_equal(e.root_hpa, vm.nested_hpa);
	stop(&vm);
}

/* The guest's hypervisor runs from there on: what follows is not L2's. */
static void a_fault_given_to_the_guest_ends_it(void **state)
{
	struct spt_event e;
	struct vm vm;

	for (int vmx = 0; vmx < 2; vmx++) {
		start(&vm, vmx, true);
		l2_exit(&vm, vmx ? EPT_VIOLATION : SVM_EXIT_NPF, RIP);
		fault(&vm);
		e = at(&vm, SPT_EVENT_REFLECT, SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_RESULT);
		e.address = vmx ? 0x80000b0e : L2_PAGE; /* Intel: an interrupted event */
		spt_join_event(&vm.join, &e);
		assert_true(e.flags & SPT_EVENT_L2);
		assert_int_equal(e.rip, RIP);
		assert_int_equal(e.vcpu, 0);
		assert_int_equal(e.space, SPT_EVENT_L2_GPA);
		assert_true(e.known & SPT_EVENT_HAS_ADDRESS);
		assert_int_equal(e.address, L2_PAGE);
		e = entry_set(&vm);
		assert_false(e.flags & (SPT_EVENT_L2 | SPT_EVENT_OF_FAULT));
		stop(&vm);
	}
}

static void intels_exits_have_no_address(void **state)
{
	struct spt_event e;
	struct vm vm;

	start(&vm, true, true);
	e = l2_exit(&vm, EPT_MISCONFIG, RIP);
	assert_false(e.known & SPT_EVENT_HAS_ADDRESS);
	/* It is emulated; no fault speaks of it. */
	assert_false(fault(&vm).flags & SPT_EVENT_L2);
	l2_exit(&vm, EPT_VIOLATION, RIP);
	assert_true(fault(&vm).flags & SPT_EVENT_L2);
	e = at(&vm, SPT_EVENT_EXIT, EXIT_HAS);
	spt_join_event(&vm.join, &e);
	assert_false(e.known & SPT_EVENT_HAS_ADDRESS);
	stop(&vm);
	start(&vm, false, true);
	assert_true(l2_exit(&vm, SVM_EXIT_NPF, RIP).known & SPT_EVENT_HAS_ADDRESS);
	stop(&vm);
}

/* L2 on shadow tables of its hypervisor's: KVM's faults are of the VM's addresses. */
static void without_nested_tables_addresses_are_the_vms(void **state)
{
	struct spt_event e;
	struct vm vm;

	start(&vm, false, false);
	assert_false(vm.join.may_nest);
	l2_exit(&vm, SVM_EXIT_NPF, RIP);
	assert_true(vm.join.may_nest);
	e = fault(&vm);
	assert_true(e.flags & SPT_EVENT_L2);
	assert_int_equal(e.space, SPT_EVENT_GPA);
	assert_int_equal(e.slot, 0);
	stop(&vm);
	start(&vm, false, true);
	assert_true(vm.join.may_nest);
	stop(&vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_exit_tells_whose_the_fault_is),
		cmocka_unit_test(what_a_fault_of_l2_does_is_below_a_nested_root),
		cmocka_unit_test(a_fault_given_to_the_guest_ends_it),
		cmocka_unit_test(intels_exits_have_no_address),
		cmocka_unit_test(without_nested_tables_addresses_are_the_vms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
