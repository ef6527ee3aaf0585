// SPDX-License-Identifier: GPL-2.0
/* An image taken apart for judging: its tables by address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "index.h"

#define FIRST_ROOM (1UL << 20)

static int broken(struct index *x, const char *why)
{
	snprintf(x->error, sizeof(x->error), "%s", why);
	return -EINVAL;
}

static int read_all(struct index *x, int fd)
{
	x->size = 0;
	if (lseek(fd, 0, SEEK_SET))
		return broken(x, "cannot seek to the start");
	for (;;) {
		if (x->room - x->size < FIRST_ROOM / 2) {
			size_t room = x->room ? 2 * x->room : FIRST_ROOM;
			uint8_t *bytes = realloc(x->bytes, room);

			if (!bytes)
				return -ENOMEM;
			x->bytes = bytes;
			x->room = room;
		}
		ssize_t n = read(fd, x->bytes + x->size, x->room - x->size);

		if (n < 0) {
			int err = -errno;

			snprintf(x->error, sizeof(x->error), "read: %s", strerror(errno));
			return err;
		}
		if (!n)
			return 0;
		x->size += n;
	}
}

/* Room for one more; the new element is all zero. */
static void *grow(void **list, size_t *count, size_t *room, size_t size)
{
	if (*count == *room) {
		size_t more = *room ? 2 * *room : 64;
		void *bigger = realloc(*list, more * size);

		if (!bigger)
			return NULL;
		*list = bigger;
		*room = more;
	}
	void *element = (uint8_t *)*list + (*count)++ * size;

	memset(element, 0, size);
	return element;
}

#define GROW(x, list, count, room)                                                                 \
	grow((void **)&(x)->list, &(x)->count, &(x)->room, sizeof(*(x)->list))

static int add_table(struct index *x, const struct spt_table *rec)
{
	struct table *t = GROW(x, table, tables, table_room);

	if (!t)
		return -ENOMEM;
	if (rec->rec.len != sizeof(*rec) + 64ULL * (unsigned int)__builtin_popcountll(rec->chunks))
		return broken(x, "a table's length and its chunks differ");
	t->page = &rec->page;
	t->entry = (const uint64_t *)rec->entry;
	t->chunks = rec->chunks;
	t->empty = rec->empty;
	t->hpa = rec->page.hpa;
	t->root = rec->root;
	t->level = index_role(x, rec->page.role, SPT_ROLE_LEVEL);
	t->direct = index_role(x, rec->page.role, SPT_ROLE_DIRECT);
	t->invalid = index_role(x, rec->page.role, SPT_ROLE_INVALID);
	return 0;
}

static int add_raw(struct index *x, const struct spt_raw_table *rec)
{
	struct table *t = GROW(x, table, tables, table_room);

	if (!t)
		return -ENOMEM;
	t->entry = (const uint64_t *)rec->entry;
	t->chunks = rec->chunks;
	t->empty = rec->empty;
	t->hpa = rec->hpa;
	return 0;
}

static int add_record(struct index *x, const struct spt_rec *rec)
{
	const void **place;

	switch (rec->type) {
	case SPT_REC_VM:
		x->vm = (const void *)rec;
		return 0;
	case SPT_REC_VCPU:
		place = GROW(x, vcpu, vcpus, vcpu_room);
		break;
	case SPT_REC_SLOT:
		place = GROW(x, slot, slots, slot_room);
		break;
	case SPT_REC_TABLE:
		return add_table(x, (const void *)rec);
	case SPT_REC_RAW_TABLE:
		return add_raw(x, (const void *)rec);
	case SPT_REC_TRANSLATIONS:
		if (x->tables)
			x->table[x->tables - 1].translations = (const void *)rec;
		return 0;
	case SPT_REC_NOTE:
		x->notes++;
		return 0;
	case SPT_REC_END:
		x->end = (const void *)rec;
		return 0;
	default:
		return 0;
	}
	if (!place)
		return -ENOMEM;
	*place = rec;
	return 0;
}

static int check_sum(struct index *x)
{
	const uint64_t *word = (const uint64_t *)x->bytes;
	size_t count = (size_t)((const uint8_t *)&x->end->checksum - x->bytes) / 8;
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += spt_checksum_word(i, word[i]);
	return sum == x->end->checksum ? 0 : broken(x, "the checksum is wrong");
}

int index_read(struct index *x, int fd)
{
	x->head = NULL;
	x->vm = NULL;
	x->end = NULL;
	x->tables = x->slots = x->vcpus = x->notes = 0;
	x->error[0] = 0;
	int err = read_all(x, fd);

	for (size_t at = 0; !err && at < x->size;) {
		const struct spt_rec *rec = (const void *)(x->bytes + at);

		if (x->size - at < sizeof(*rec) || rec->len < sizeof(*rec) || rec->len % 8 ||
		    rec->len > x->size - at)
			return broken(x, "a record's length is wrong");
		if (x->end)
			return broken(x, "there is something behind the end record");
		if (!at) {
			x->head = (const void *)rec;
			if (rec->type != SPT_REC_HEAD || x->head->magic != SPT_IMAGE_MAGIC)
				return broken(x, "it does not begin with a head record");
		} else {
			err = add_record(x, rec);
		}
		at += rec->len;
	}
	if (!err && !x->end)
		return broken(x, "it has no end record");
	return err ? err : check_sum(x);
}

void index_free(struct index *x)
{
	free(x->bytes);
	free(x->table);
	free(x->slot);
	free(x->vcpu);
}

static uint64_t stored(const uint64_t *entry, uint64_t chunks, unsigned int i, uint64_t empty)
{
	unsigned int chunk = i / SPT_CHUNK_ENTRIES;

	if (!(chunks >> chunk & 1))
		return empty;
	unsigned int row = __builtin_popcountll(chunks & ((1ULL << chunk) - 1));

	return entry[row * SPT_CHUNK_ENTRIES + i % SPT_CHUNK_ENTRIES];
}

uint64_t table_entry(const struct table *t, unsigned int i)
{
	return stored(t->entry, t->chunks, i, t->empty);
}

const struct table *index_find(const struct index *x, uint64_t hpa, int level)
{
	for (size_t i = 0; i < x->tables; i++)
		if (x->table[i].hpa == hpa && x->table[i].level == level)
			return &x->table[i];
	return NULL;
}

const struct spt_slot *index_slot(const struct index *x, uint64_t gfn)
{
	for (size_t i = 0; i < x->slots; i++)
		if (!x->slot[i]->as_id && gfn - x->slot[i]->base_gfn < x->slot[i]->npages)
			return x->slot[i];
	return NULL;
}

unsigned int index_role(const struct index *x, uint32_t role, enum spt_role_bit bit)
{
	struct spt_bits place = x->head->role[bit];

	return role >> place.shift & ((1U << place.width) - 1);
}

static uint64_t vm_value(const struct index *x, enum spt_vm_value i)
{
	return x->vm && x->vm->known[i / 64] >> (i % 64) & 1 ? x->vm->value[i] : 0;
}

bool index_torn(const struct index *x)
{
	return x->end->flags & SPT_END_TORN || x->notes || x->end->in_progress_end ||
	       vm_value(x, SPT_VM_MMU_INVALIDATE_IN_PROGRESS) ||
	       x->end->seq_end != vm_value(x, SPT_VM_MMU_INVALIDATE_SEQ) ||
	       x->end->generation_end[0] != vm_value(x, SPT_VM_GENERATION_0);
}
