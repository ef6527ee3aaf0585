// SPDX-License-Identifier: GPL-2.0
/*
 * The layout blob as the agent gets it. What the agent's check accepts must be safe to
 * read by: no number lies outside of the object that it is a member of.
 */
#include "tests/fuzz/agent_check.h"
#include "tests/fuzz/fuzz.h"

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
