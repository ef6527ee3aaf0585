// SPDX-License-Identifier: GPL-2.0
#include "decoders/instruction.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include <capstone/capstone.h>

#define TEXT_OF(number)	 #number
#define NAME_OF(version) "libcapstone.so." TEXT_OF(version)

/* Linked, its tables would cost every command some milliseconds to relocate. */
static struct capstone {
	bool tried;
	void *library;
	__typeof__(&cs_open) open;
	__typeof__(&cs_close) close;
	__typeof__(&cs_disasm) disasm;
	__typeof__(&cs_free) free;
} capstone;

static bool load(void)
{
	struct capstone *c = &capstone;

	if (c->tried)
		return c->library;
	c->tried = true;
	c->library = dlopen(NAME_OF(CS_API_MAJOR), RTLD_NOW | RTLD_LOCAL);
	if (!c->library)
		return false;
	c->open = (__typeof__(c->open))dlsym(c->library, "cs_open");
	c->close = (__typeof__(c->close))dlsym(c->library, "cs_close");
	c->disasm = (__typeof__(c->disasm))dlsym(c->library, "cs_disasm");
	c->free = (__typeof__(c->free))dlsym(c->library, "cs_free");
	if (c->open && c->close && c->disasm && c->free)
		return true;
	dlclose(c->library);
	c->library = NULL;
	return false;
}

static int mode_of(unsigned int bits)
{
	switch (bits) {
	case 16:
		return CS_MODE_16;
	case 32:
		return CS_MODE_32;
	case 64:
		return CS_MODE_64;
	default:
		return -EINVAL;
	}
}

int spt_instruction_text(const uint8_t *bytes, size_t len, uint64_t address, unsigned int bits,
			 char text[SPT_INSTRUCTION_TEXT])
{
	int mode = mode_of(bits), size = 0;
	cs_insn *insn;
	csh handle;

	text[0] = '\0';
	if (mode < 0)
		return mode;
	if (!load() || capstone.open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
		return -ELIBACC;
	if (capstone.disasm(handle, bytes, len, address, 1, &insn)) {
		size = insn->size;
		snprintf(text, SPT_INSTRUCTION_TEXT, "%s%s%s", insn->mnemonic,
			 insn->op_str[0] ? " " : "", insn->op_str);
		capstone.free(insn, 1);
	}
	capstone.close(&handle);
	return size;
}
