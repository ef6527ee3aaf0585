// SPDX-License-Identifier: GPL-2.0
/* Instructions as text: the same bytes mean different things in 16, 32 and 64-bit code. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "decoders/instruction.h"

static void by_width(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		unsigned int bits;
		int size;
		const char *text;
	} cases[] = {
		{ "\x48\xff\x03", 3, 64, 3, "inc qword ptr [rbx]" },
		{ "\x48\x89\x37\xff", 4, 64, 3, "mov qword ptr [rdi], rsi" },
		{ "\x48\xff\x03", 3, 32, 1, "dec eax" },
		{ "\x89\x07", 2, 32, 2, "mov dword ptr [edi], eax" },
		{ "\x89\x07", 2, 16, 2, "mov word ptr [bx], ax" },
		{ "\xe8\x00\x00\x00\x00", 5, 64, 5, "call 0x1005" },
		{ "\xf3\xa4", 2, 64, 2, "rep movsb byte ptr [rdi], byte ptr [rsi]" },
		{ "\x48\x89", 2, 64, 0, "" }, /* cut off */
		{ "", 0, 64, 0, "" },
		{ "\x90", 1, 48, -EINVAL, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[SPT_INSTRUCTION_TEXT];

		assert_int_equal(spt_instruction_text((const uint8_t *)cases[i].bytes, cases[i].len,
						      0x1000, cases[i].bits, text),
				 cases[i].size);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
