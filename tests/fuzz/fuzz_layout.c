// SPDX-License-Identifier: GPL-2.0
/*
 * The layout blob as the agent gets it: agent/layout_check.c itself, compiled
 * here. What it accepts must be safe to read by: no number lies outside of the
 * object that it is a member of. The kernel around it agrees with whatever the
 * blob says of release, build ids and symbols, so that all is down to the check.
 */
#include "tests/fuzz/kernel/kernel.h"

#include "agent/layout_check.c"
#include "tests/fuzz/fuzz.h"

struct spt_layout spt_layout;

const struct spt_field_name spt_field_names[SPT_F_COUNT] = {
#define R			'R'
#define O			'O'
#define A			'A'
#define I			'I'
#define F(id, need, type, path) { #id, #type, path, need },
	SPT_FIELDS(F)
#undef F
};

const struct spt_symbol_name spt_symbol_names[SPT_S_COUNT] = {
#define S(id, need, module, name) { SPT_S_##id, #module, name, need },
	SPT_SYMBOLS(S)
#undef S
#undef R
#undef O
#undef A
#undef I
};

static struct spt_layout_blob blob;

int spt_refuse(struct spt_refusal *why, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	why->error = error;
	return error;
}

struct new_utsname *init_utsname(void)
{
	static struct new_utsname name;

	memcpy(name.release, blob.release, sizeof(blob.release));
	return &name;
}

int spt_running_build_id(const char *module, u8 id[SPT_BUILD_ID_SIZE])
{
	unsigned int m = 0;

	while (module &&
	       strcmp(module, (const char *[]){ "vmlinux", "kvm", "kvm_amd", "kvm_intel" }[m]))
		m++;
	memcpy(id, blob.build_id[m].id, SPT_BUILD_ID_SIZE);
	return 0;
}

int sprint_symbol(char *buffer, unsigned long address)
{
	for (unsigned int i = 0; i < SPT_S_COUNT; i++)
		if (blob.symbol[i].address == address)
			return snprintf(buffer, KSYM_SYMBOL_LEN, "%s+0x0/0x8 [%s]",
					spt_symbol_names[i].name, spt_symbol_names[i].module);
	return snprintf(buffer, KSYM_SYMBOL_LEN, "0x%lx", address);
}

int copy_from_kernel_nofault(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	return 0;
}

/* As the agent reads its copies: one word at the offset, and a word of room behind the object. */
static void read_all(void)
{
	for (unsigned int i = 0; i < SPT_F_COUNT; i++) {
		size_t bytes = spt_type_bytes(&blob, spt_field_names[i].type);
		const struct spt_field *field = &spt_layout.field[i];
		char *object;

		if (!field->present)
			continue;
		if (field->offset + field->size > (bytes + 7) / 8 * 8 || field->shift > 63)
			abort();
		object = calloc(1, bytes + sizeof(u64));
		if (object && spt_number(object, i))
			abort();
		free(object);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct spt_refusal why;
	const u64 *word = (const u64 *)&blob;

	memset(&blob, 0, sizeof(blob));
	memcpy(&blob, bytes, len < sizeof(blob) ? len : sizeof(blob));
	memset(&spt_layout, 0, sizeof(spt_layout));
	if (!spt_layout_check(&blob, &spt_layout, &why))
		read_all();
	blob.magic = SPT_LAYOUT_MAGIC;
	blob.abi = SPT_LAYOUT_ABI;
	blob.size = sizeof(blob);
	blob.fields = SPT_F_COUNT;
	blob.symbols = SPT_S_COUNT;
	blob.checksum = 0;
	for (size_t i = 0; i < offsetof(struct spt_layout_blob, checksum) / 8; i++)
		blob.checksum += spt_checksum_word(i, word[i]);
	memset(&spt_layout, 0, sizeof(spt_layout));
	if (!spt_layout_check(&blob, &spt_layout, &why))
		read_all();
	return 0;
}
