// SPDX-License-Identifier: GPL-2.0
/* Where redaction moves pages of the host: apart, as they were in a huge page, and nowhere known.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spt/redact_frames.h"

#define PAGE  0x1000ULL
#define MEGA  (1ULL << 20)
#define PAGES 512
#define STEP  (2 * MEGA) /* from each page to the next: what is moved may come there, too */

static uint64_t page_at(unsigned int i)
{
	return MEGA + i * STEP;
}

/* Pages all over the memory, named from the highest on; @bits as in spt_frames_settle(). */
static int scatter(struct spt_frames *frames, unsigned int bits)
{
	*frames = (struct spt_frames){ 0 };
	for (unsigned int i = PAGES; i--;)
		assert_int_equal(spt_frames_add(frames, page_at(i), PAGE, PAGE), 0);
	return spt_frames_settle(frames, bits);
}

static void no_place_is_one_that_was(void **state)
{
	struct spt_frames frames;

	assert_int_equal(scatter(&frames, 40), 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t to = spt_frames_moved(&frames, page_at(i));

		assert_int_equal(to % (2 * MEGA), page_at(i) % (2 * MEGA));
		for (unsigned int j = 0; j < PAGES; j++) {
			assert_int_not_equal(to, page_at(j));
			assert_true(i == j || to != spt_frames_moved(&frames, page_at(j)));
		}
	}
	spt_frames_deinit(&frames);
}

/* 512 pages in 1 GiB can be kept in their 2M pages, but not in others than all that there were. */
static void room_is_rather_for_huge_pages(void **state)
{
	struct spt_frames frames = { 0 };

	for (unsigned int i = 1; i < 500; i++)
		assert_int_equal(spt_frames_add(&frames, i * 2 * MEGA, 2 * MEGA - PAGE, PAGE), 0);
	assert_int_equal(spt_frames_settle(&frames, 30), 0);
	for (unsigned int i = 1; i < 500; i++)
		assert_int_equal(spt_frames_moved(&frames, i * 2 * MEGA) % (2 * MEGA), 0);
	spt_frames_deinit(&frames);
}

static void there_is_no_room(void **state)
{
	struct spt_frames frames;

	assert_int_equal(scatter(&frames, 21), -ERANGE);
	spt_frames_deinit(&frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_place_is_one_that_was),
		cmocka_unit_test(room_is_rather_for_huge_pages),
		cmocka_unit_test(there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
