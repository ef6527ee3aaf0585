// SPDX-License-Identifier: GPL-2.0
/*
 * Reading KVM's private objects: every access may fail, none may fault.
 */
#include <linux/mm.h>
#include <linux/xarray.h>

#include "layout.h"

struct spt_layout spt_layout;

int spt_refuse(struct spt_refusal *why, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(why->text, sizeof(why->text), fmt, args);
	va_end(args);
	why->error = error;
	return error;
}

static int spt_load_word(const void *at, size_t size, u64 *value)
{
	bool done;

	*value = 0;
	if ((long)at >= 0)	/* the user's half */
		return -EFAULT;
	switch (size) {
	case 1:
		done = spt_get_byte(at, value);
		break;
	case 2:
		done = spt_get_half(at, value);
		break;
	case 4:
		done = spt_get_long(at, value);
		break;
	default:
		done = spt_get_word(at, value);
		break;
	}
	return done ? 0 : -EFAULT;
}

int spt_load(const void *object, enum spt_field_id id, u64 *value)
{
	const struct spt_field *field = &spt_layout.field[id];
	int error;

	*value = 0;
	if (!field->present || !field->size)
		return -ENOENT;
	error = spt_load_word(object + field->offset, field->size, value);
	*value = (*value >> field->shift) & field->mask;
	return error;
}

void *spt_load_pointer(const void *object, enum spt_field_id id)
{
	u64 value;

	if (spt_load(object, id, &value))
		return NULL;
	return (void *)(unsigned long)value;
}

int spt_load_symbol(enum spt_symbol_id id, size_t size, u64 *value)
{
	*value = 0;
	if (!spt_layout.symbol[id])
		return -ENOENT;
	return spt_load_word((void *)(unsigned long)spt_layout.symbol[id], size, value);
}

void *spt_xa_load(const void *xarray, unsigned long index)
{
	const struct xarray *xa = xarray;
	unsigned int depth;
	void *entry;

	if (spt_read(&entry, &xa->xa_head, sizeof(entry)))
		return NULL;
	for (depth = 0; depth <= BITS_PER_LONG / XA_CHUNK_SHIFT && xa_is_node(entry); depth++) {
		const struct xa_node *node = xa_to_node(entry);
		u8 shift;

		if (copy_from_kernel_nofault(&shift, &node->shift, sizeof(shift)))
			return NULL;
		if (shift >= BITS_PER_LONG || (!depth && (index >> shift) >= XA_CHUNK_SIZE))
			return NULL;
		if (spt_read(&entry, &node->slots[(index >> shift) & XA_CHUNK_MASK],
			     sizeof(entry)))
			return NULL;
		if (!shift)
			return xa_is_internal(entry) ? NULL : entry;
	}
	/* An array that only ever had index 0 keeps it in its head. */
	return depth || index || xa_is_internal(entry) ? NULL : entry;
}

bool spt_in_direct_map(const void *address, size_t align)
{
	unsigned long at = (unsigned long)address;

	return IS_ALIGNED(at, align) && at >= PAGE_OFFSET && at < VMALLOC_START &&
	       virt_addr_valid(address);
}
