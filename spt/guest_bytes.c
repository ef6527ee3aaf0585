// SPDX-License-Identifier: GPL-2.0
#include "spt/guest_bytes.h"

#include <stdio.h>
#include <string.h>

#include "decoders/instruction.h"

#define PAGE_BYTES   4096
#define LONGEST_INSN 15

/* One stretch that is being read. */
struct reading {
	struct spt_source *src;
	struct spt_model *model;
	const struct spt_guest_bytes *what;
	struct spt_guest_memory memory;
	unsigned int as_id;
	struct spt_guest_walk walk;
	uint8_t page[PAGE_BYTES];
};

/* An image has what was asked to be in it, and the text for tables would mislead. */
static const char *why_not(enum spt_guest_read read)
{
	if (read == SPT_GUEST_NOT_SAVED)
		return "the image was saved without this page: 'save --with code' keeps the pages "
		       "around each RIP, 'guest-tables' the page tables";
	return read == SPT_GUEST_READ ? NULL : spt_guest_read_text(read);
}

static int translate(struct reading *r, struct spt_guest_piece *piece, struct spt_error *err)
{
	struct spt_guest_ask ask = r->what->by;
	int ret;

	piece->gpa = piece->address;
	piece->mapped = true;
	if (!r->what->virtual)
		return 0;
	ask.gva = piece->address;
	ret = spt_guest_walk_from(r->src, r->model, &ask, r->what->image_flags, &r->walk, err);
	if (ret)
		return ret;
	r->as_id = r->walk.regs.as_id;
	piece->gpa = r->walk.gpa;
	piece->l2 = r->walk.regs.flags & SPT_REGS_NESTED;
	piece->mapped = r->walk.end == SPT_GUEST_END_MAPPED;
	piece->why = piece->mapped ? NULL : r->walk.reason;
	return 0;
}

static int read_piece(struct reading *r, struct spt_guest_piece *piece, struct spt_error *err)
{
	/* Of a file: the vCPUs, too, with whom saved pages come. */
	const struct spt_request request = { .parts = SPT_GUEST_MEMORY_PARTS | SPT_PART_VCPUS };
	int ret = translate(r, piece, err);

	if (ret || !piece->mapped)
		return ret;
	ret = spt_model_read(r->model, r->src, &request, r->what->image_flags, err);
	if (ret)
		return ret;
	piece->read = spt_guest_memory_read(&r->memory, r->model, r->as_id, piece->gpa, r->page,
					    piece->len);
	piece->why = why_not(piece->read);
	piece->bytes = piece->read == SPT_GUEST_READ ? r->page : NULL;
	return 0;
}

int spt_guest_bytes_each(struct spt_source *src, struct spt_model *model,
			 const struct spt_guest_bytes *what, spt_guest_piece_fn *fn, void *arg,
			 struct spt_error *err)
{
	struct reading r = { .src = src, .model = model, .what = what };
	uint64_t left = what->len, address = what->start;
	int ret = 0;

	spt_guest_memory_init(&r.memory, src);
	while (left && !ret) {
		uint64_t room = PAGE_BYTES - (address & (PAGE_BYTES - 1));
		struct spt_guest_piece piece = {
			.address = address,
			.len = left < room ? left : room,
		};

		ret = read_piece(&r, &piece, err);
		if (!ret)
			ret = fn(arg, &piece);
		address += piece.len;
		left -= piece.len;
	}
	spt_guest_memory_deinit(&r.memory);
	return ret;
}

int spt_code_each(const uint8_t *bytes, size_t len, uint64_t address, unsigned int bits,
		  unsigned int count, spt_code_fn *fn, void *arg)
{
	char text[SPT_INSTRUCTION_TEXT];
	size_t at = 0;

	for (unsigned int i = 0; i < count && at < len; i++) {
		size_t left = len - at < LONGEST_INSN ? len - at : LONGEST_INSN;
		int size = spt_instruction_text(bytes + at, left, address + at, bits, text);
		int ret;

		if (size < 0)
			return size;
		/* It may go on where nothing could be read. */
		if (!size && left < LONGEST_INSN)
			return 0;
		ret = fn(arg, &(struct spt_code_line){
				      .address = address + at,
				      .bytes = bytes + at,
				      .len = size ? (unsigned int)size : 1,
				      .text = size ? text : "(bad)",
			      });
		if (ret)
			return ret;
		at += size ? size : 1;
	}
	return 0;
}
