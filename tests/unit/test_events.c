// SPDX-License-Identifier: GPL-2.0
/* Events: what they are counted as, and that a recording gives back what was put into it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "mkimage.h"
#include "spt/events.h"
#include "spt/source.h"

#define PAGE 0x5000ULL
#define RIP  0xffffffff81000010ULL

struct vm {
	struct mkimage *mk;
	uint8_t *bytes;
	size_t len;
	struct spt_image image;
	struct spt_model model;
	struct spt_events_summary summary;
	uint64_t now;
};

static int setup(void **state)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	struct spt_error err = { 0 };

	vm->mk = mkimage_new("npt-6.12");
	mkimage_tdp_root(vm->mk, 4);
	vm->bytes = mkimage_finish(vm->mk, &vm->len);
	spt_model_init(&vm->model);
	assert_int_equal(spt_image_open(&vm->image, vm->bytes, vm->len, "vm", 0, &err), 0);
	assert_int_equal(spt_model_load(&vm->model, &vm->image, &err), 0);
	assert_int_equal(spt_summary_init(&vm->summary), 0);
	vm->now = 1000;
	*state = vm;
	return 0;
}

static int teardown(void **state)
{
	struct vm *vm = *state;

	spt_summary_deinit(&vm->summary);
	spt_model_deinit(&vm->model);
	mkimage_free(vm->mk);
	free(vm);
	return 0;
}

static struct spt_event fault(struct vm *vm, uint64_t address, uint64_t error_code)
{
	return (struct spt_event){
		.time_ns = vm->now += 1000,
		.kind = SPT_EVENT_FAULT,
		.known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_ERROR |
			 SPT_EVENT_HAS_RIP,
		.address = address,
		.error_code = error_code,
		.rip = RIP,
	};
}

static struct spt_event change(struct vm *vm, uint64_t address, uint64_t old, uint64_t new,
			       bool of_fault)
{
	return (struct spt_event){
		.time_ns = vm->now += 1000,
		.kind = SPT_EVENT_SPTE,
		.known = SPT_EVENT_HAS_VCPU | SPT_EVENT_HAS_ADDRESS | SPT_EVENT_HAS_OLD |
			 SPT_EVENT_HAS_NEW | SPT_EVENT_HAS_LEVEL,
		.flags = of_fault ? SPT_EVENT_OF_FAULT : 0,
		.address = address,
		.level = 1,
		.old_spte = old,
		.new_spte = new,
	};
}

static void add(struct vm *vm, struct spt_event e)
{
	assert_int_equal(spt_summary_add(&vm->summary, &vm->model, &e), 0);
}

static uint64_t leaf(struct vm *vm, const char *perm)
{
	return mkimage_leaf(vm->mk, 0x40000000, 1, perm);
}

/* A fault that nothing answers, again and again; one answer begins the count anew. */
static void faults_in_vain_are_spinning(void **state)
{
	struct vm *vm = *state;

	for (int i = 0; i < SPT_STORM_FAULTS - 1; i++)
		add(vm, fault(vm, PAGE + 8, 6));
	add(vm, change(vm, PAGE, 0, leaf(vm, "rwx"), true));
	for (int i = 0; i < SPT_STORM_FAULTS - 1; i++)
		add(vm, fault(vm, PAGE + 16, 6));
	assert_int_equal(vm->summary.nr_pages, 1);
	assert_int_equal(spt_events_storm(&vm->summary.pages[0]), SPT_NO_STORM);
	add(vm, fault(vm, PAGE + 24, 6));
	assert_int_equal(spt_events_storm(&vm->summary.pages[0]), SPT_STORM_SPINNING);
	assert_int_equal(vm->summary.pages[0].in_vain, SPT_STORM_FAULTS);
	assert_int_equal(vm->summary.nr_places, 1);
	assert_int_equal(vm->summary.places[0].faults, 2 * SPT_STORM_FAULTS - 1);
}

/* What a vCPU's fault led to is not another's, however many vCPUs there are. */
static void an_answer_is_to_the_own_fault(void **state)
{
	struct vm *vm = *state;

	for (int i = 0; i < SPT_STORM_FAULTS; i++) {
		for (int vcpu = 0; vcpu < 500; vcpu++) {
			struct spt_event e = fault(vm, PAGE + vcpu * 0x1000ULL, 6);

			e.vcpu = vcpu;
			add(vm, e);
		}
		for (int vcpu = 0; vcpu < 500; vcpu++) {
			uint64_t page = PAGE + vcpu * 0x1000ULL;
			struct spt_event e = change(vm, page, leaf(vm, "r"), leaf(vm, "rw"), true);

			e.vcpu = vcpu;
			add(vm, e);
		}
	}
	assert_int_equal(vm->summary.nr_pages, 500);
	for (int i = 0; i < 500; i++)
		assert_int_equal(spt_events_storm(&vm->summary.pages[i]), SPT_NO_STORM);
}

static void mapped_and_taken_away_is_a_circle(void **state)
{
	struct vm *vm = *state;

	for (int i = 0; i < SPT_STORM_CYCLES; i++) {
		assert_true(!vm->summary.nr_pages ||
			    spt_events_storm(&vm->summary.pages[0]) == SPT_NO_STORM);
		add(vm, fault(vm, PAGE, 6));
		add(vm, change(vm, PAGE, 0, leaf(vm, "rwx"), true));
		add(vm, change(vm, PAGE, leaf(vm, "rwx"), 0, false));
	}
	assert_int_equal(spt_events_storm(&vm->summary.pages[0]), SPT_STORM_CIRCLE);
}

static void a_device_is_no_error(void **state)
{
	struct vm *vm = *state;

	for (int i = 0; i < SPT_STORM_FAULTS; i++) {
		struct spt_event e = fault(vm, PAGE, 0xf);

		add(vm, e);
		e.kind = SPT_EVENT_MMIO;
		e.flags = SPT_EVENT_ASKED; /* not emulated yet */
		add(vm, e);
		e.flags = 0;
		add(vm, e);
	}
	assert_int_equal(vm->summary.pages[0].emulated, SPT_STORM_FAULTS);
	assert_int_equal(spt_events_storm(&vm->summary.pages[0]), SPT_STORM_MMIO);
}

/* L2 may be at the guest's own RIP: that is another place and cause. What its hypervisor is given
 * is not in vain, and its page is another than the guest's at the same address.
 */
static void l2_is_counted_by_itself(void **state)
{
	struct vm *vm = *state;
	const struct spt_events_summary *s = &vm->summary;
	char text[SPT_EVENT_TEXT];
	struct spt_event e;

	add(vm, fault(vm, PAGE, 6));
	for (int i = 0; i < SPT_STORM_FAULTS; i++) {
		e = fault(vm, PAGE, 6);
		e.flags = SPT_EVENT_L2;
		e.space = SPT_EVENT_L2_GPA;
		add(vm, e);
		e.kind = SPT_EVENT_REFLECT;
		add(vm, e);
	}
	assert_int_equal(s->nr_pages, 2);
	assert_int_equal(s->nr_places, 2);
	assert_int_equal(s->nr_causes, 3);
	spt_summary_finish(&vm->summary);
	assert_int_equal(s->pages[0].space, SPT_EVENT_L2_GPA);
	assert_int_equal(s->pages[0].faults, SPT_STORM_FAULTS);
	assert_int_equal(s->pages[0].reflected, SPT_STORM_FAULTS);
	assert_int_equal(spt_events_storm(&s->pages[0]), SPT_NO_STORM);
	assert_true(s->places[0].l2);
	assert_int_equal(s->places[0].faults, SPT_STORM_FAULTS);
	assert_false(s->places[1].l2);
	spt_event_text(&vm->model, &e, text);
	assert_string_equal(text, "L2: given to the guest's hypervisor");
	e = change(vm, PAGE, 0, leaf(vm, "rwx"), true);
	e.flags |= SPT_EVENT_L2; /* by its fault, but of the guest's own tables */
	spt_event_text(&vm->model, &e, text);
	assert_memory_equal(text, "4K: none", 8);
}

/* An instruction that was not there once is taken from another event of the same place. */
static void code_that_was_not_to_be_had(void **state)
{
	struct vm *vm = *state;
	struct spt_event with = fault(vm, PAGE, 6), without = fault(vm, PAGE, 6);
	char text[64];

	with.flags = SPT_EVENT_L2;
	with.code_bits = 64;
	with.code_len = 1;
	with.code[0] = 0x90;
	without.flags = SPT_EVENT_L2 | SPT_EVENT_LEFT;
	assert_string_equal(spt_event_no_instruction(&without), "vCPU has left L2");
	assert_null(spt_event_no_instruction(&with));
	add(vm, without);
	add(vm, with);
	add(vm, without);
	assert_int_equal(vm->summary.nr_places, 1);
	spt_event_instruction(&vm->summary.places[0].event, text, sizeof(text));
	assert_string_equal(text, "nop");
	without.flags = SPT_EVENT_LEFT;
	assert_string_equal(spt_event_no_instruction(&without), "vCPU runs L2 now");
}

static void causes_follow_from_codes_and_entries(void **state)
{
	struct vm *vm = *state;
	const uint64_t rwx = leaf(vm, "rwx"), rx = leaf(vm, "r-x");
	const uint64_t other = mkimage_leaf(vm->mk, 0x50000000, 1, "rwx");
	const struct {
		struct spt_event e;
		const char *cause;
	} rows[] = {
		{ fault(vm, PAGE, 0x4), "read, not mapped" },
		{ fault(vm, PAGE, 0x6), "write, not mapped" },
		{ fault(vm, PAGE, 0x14), "fetch, not mapped" },
		{ fault(vm, PAGE, 0x7), "write, not writable" },
		{ fault(vm, PAGE, 0x15), "fetch, not executable" },
		{ fault(vm, PAGE, 0xd), "access to MMIO" },
		{ change(vm, PAGE, 0, rwx, true), "mapped" },
		{ change(vm, PAGE, rwx, 0, false), "unmapped" },
		{ change(vm, PAGE, rwx, rx, false), "write-protected" },
		{ change(vm, PAGE, rx, rwx, true), "access given" },
		{ change(vm, PAGE, rwx, other, false), "remapped" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(spt_event_cause(&vm->model, &rows[i].e), rows[i].cause);
}

struct seen {
	const struct spt_event *want;
	size_t count;
};

static int compare(void *arg, const struct spt_event *e)
{
	struct seen *seen = arg;

	assert_memory_equal(e, &seen->want[seen->count], sizeof(*e));
	seen->count++;
	return 0;
}

/* More than a record holds, so that there are several. */
static void a_recording_gives_back_what_it_was_given(void **state)
{
	struct vm *vm = *state;
	enum { COUNT = 2500 };
	struct spt_event *events = calloc(COUNT, sizeof(*events));
	const struct spt_trace trace = {
		.begin_ns = 5, .events = COUNT, .overrun = 3, .commit = 4, .dropped = 5
	};
	struct spt_trace found;
	struct seen seen = { .want = events };
	struct spt_source *src, *back;
	struct spt_error err = { 0 };
	struct spt_image img;
	char path[] = "/tmp/spt-events.XXXXXX";

	close(mkstemp(path));
	for (int i = 0; i < COUNT; i++)
		events[i] = fault(vm, PAGE + 4096 * i, 6);
	assert_int_equal(spt_source_open_memory(vm->bytes, vm->len, "vm", &src, &err), 0);
	assert_int_equal(spt_events_save(src, path, events, COUNT, &trace, &err), 0);
	spt_source_close(src);
	assert_int_equal(spt_source_open_file(path, &back, &err), 0);
	assert_int_equal(spt_source_read(back, NULL, 0, &img, &err), 0);
	assert_true(img.complete);
	assert_int_equal(spt_events_each(&img, compare, &seen, &err), 0);
	assert_int_equal(seen.count, COUNT);
	assert_true(spt_events_trace(&img, &found));
	assert_int_equal(found.events, COUNT);
	assert_int_equal(spt_trace_lost(&found), 12);
	spt_source_close(back);
	unlink(path);
	free(events);
}

static void an_image_without_events_says_so(void **state)
{
	struct vm *vm = *state;
	struct spt_error err = { 0 };
	struct spt_trace trace;

	assert_int_equal(spt_events_each(&vm->image, compare, NULL, &err), -ENODATA);
	assert_false(spt_events_trace(&vm->image, &trace));
}

static int count(void *arg, const struct spt_event *e)
{
	*(size_t *)arg += 1;
	return 0;
}

/* A gap that salvaging left may have been the totals. */
static void events_without_their_totals_are_told_apart(void **state)
{
	struct {
		struct spt_events events;
		struct spt_event event;
	} rec = { .events = { .rec = { SPT_REC_EVENTS, sizeof(rec) },
			      .count = 1,
			      .size = sizeof(struct spt_event) } };
	struct mkimage *mk = mkimage_new("npt-6.12");
	struct spt_error err = { 0 };
	struct spt_image img;
	const uint8_t *bytes;
	size_t len, seen = 0;

	mkimage_record(mk, &rec);
	bytes = mkimage_finish(mk, &len);
	assert_int_equal(spt_image_open(&img, bytes, len, "vm", 0, &err), 0);
	assert_int_equal(spt_events_check(&img, &err), -ENODATA);
	assert_non_null(strstr(err.text, "is lost"));
	/* Who only wants to know what is in the image sees them. */
	assert_int_equal(spt_events_each(&img, count, &seen, &err), -ENODATA);
	assert_int_equal(seen, 1);
	mkimage_free(mk);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(faults_in_vain_are_spinning),
		T(an_answer_is_to_the_own_fault),
		T(mapped_and_taken_away_is_a_circle),
		T(a_device_is_no_error),
		T(l2_is_counted_by_itself),
		T(code_that_was_not_to_be_had),
		T(causes_follow_from_codes_and_entries),
		T(a_recording_gives_back_what_it_was_given),
		T(an_image_without_events_says_so),
		T(events_without_their_totals_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
