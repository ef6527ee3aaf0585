// SPDX-License-Identifier: GPL-2.0
/* Which writes KVM is trusted to emulate: the agent's own table, by instructions as they are coded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/kernel/kernel.h"

#include "agent/stores.c"

static const struct {
	const char *text;
	u8 insn[SPT_INSN_MAX];
	unsigned int len;
	u8 bits;
	bool known;
} cases[] = {
	{ "mov [rdi], rax", { 0x48, 0x89, 0x07 }, 3, 64, true },
	{ "mov [bx], ax", { 0x89, 0x07 }, 2, 16, true },
	{ "rep stosq", { 0xf3, 0x48, 0xab }, 3, 64, true },
	{ "push rbp", { 0x55 }, 1, 64, true },
	{ "call", { 0xe8, 0, 0, 0, 0 }, 5, 64, true },
	{ "lock xadd [rdi], eax", { 0xf0, 0x0f, 0xc1, 0x07 }, 4, 64, true },
	{ "lock cmpxchg [rdi], rcx", { 0xf0, 0x48, 0x0f, 0xb1, 0x0f }, 5, 64, true },
	{ "cmpxchg8b [rdi]", { 0x0f, 0xc7, 0x0f }, 3, 64, true },
	{ "movdqa [rdi], xmm0", { 0x66, 0x0f, 0x7f, 0x07 }, 4, 64, true },
	{ "movdqu [rdi], xmm0", { 0xf3, 0x0f, 0x7f, 0x07 }, 4, 64, true },
	{ "movups [rdi], xmm0", { 0x0f, 0x11, 0x07 }, 3, 64, true },
	{ "movnti [rdi], eax", { 0x0f, 0xc3, 0x07 }, 3, 64, true },
	{ "mov gs:[rdi], eax", { 0x65, 0x89, 0x07 }, 3, 64, true },
	{ "cmpxchg16b [rdi]", { 0x48, 0x0f, 0xc7, 0x0f }, 4, 64, false },
	{ "xsavec [rdi]", { 0x0f, 0xc7, 0x27 }, 3, 64, false },
	{ "fxsave64 [rdi]", { 0x48, 0x0f, 0xae, 0x07 }, 4, 64, false },
	{ "endbr64", { 0xf3, 0x0f, 0x1e, 0xfa }, 4, 64, false },
	{ "movss [rdi], xmm0", { 0xf3, 0x0f, 0x11, 0x07 }, 4, 64, false },
	{ "movsd [rdi], xmm0", { 0xf2, 0x0f, 0x11, 0x07 }, 4, 64, false },
	{ "movq [rdi], mm0", { 0x0f, 0x7f, 0x07 }, 3, 64, false },
	{ "vmovdqu [rdi], ymm0", { 0xc5, 0xfe, 0x7f, 0x07 }, 4, 64, false },
	{ "vmovdqu32 [rdi], zmm0", { 0x62, 0xf1, 0x7e, 0x48, 0x7f, 0x07 }, 6, 64, false },
	{ "fstp [rdi]", { 0xdd, 0x1f }, 2, 64, false },
	{ "movbe [rdi], eax", { 0x0f, 0x38, 0xf1, 0x07 }, 4, 64, false },
	{ "nothing", { 0 }, 0, 64, false },
	{ "a prefix alone", { 0xf0 }, 1, 64, false },
	{ "REX alone", { 0x48 }, 1, 64, false },
	{ "an escape alone", { 0x0f }, 1, 64, false },
	{ "an opcode cut off", { 0x0f, 0x11 }, 2, 64, false },
};

static void stores(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (spt_guest_store_known(cases[i].insn, cases[i].len, cases[i].bits, false) !=
		    cases[i].known)
			fail_msg("%s", cases[i].text);
}

/* Calls are what KVM does not emulate of a guest that has CET; the rest of their group it does. */
static void cet(void **state)
{
	static const struct {
		const char *text;
		u8 insn[SPT_INSN_MAX];
		unsigned int len;
		bool known;
	} with[] = {
		{ "call", { 0xe8, 0, 0, 0, 0 }, 5, false },
		{ "call [rdi]", { 0xff, 0x17 }, 2, false },
		{ "call r8", { 0x41, 0xff, 0xd0 }, 3, false },
		{ "call far [rdi]", { 0x48, 0xff, 0x1f }, 3, false },
		{ "the opcode alone", { 0xff }, 1, false },
		{ "push [rdi]", { 0xff, 0x37 }, 2, true },
		{ "inc [rdi]", { 0x48, 0xff, 0x07 }, 3, true },
		{ "mov [rdi], rax", { 0x48, 0x89, 0x07 }, 3, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(with); i++)
		if (spt_guest_store_known(with[i].insn, with[i].len, 64, true) != with[i].known)
			fail_msg("%s", with[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stores),
		cmocka_unit_test(cet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
