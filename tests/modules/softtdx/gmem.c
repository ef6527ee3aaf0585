// SPDX-License-Identifier: GPL-2.0
/* The content of a guest_memfd: a real TDX module copies the first pages in as well. */
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>
#include "softtdx.h"
#include "softtdx_abi.h"

/* -ENOENT: the file has no such page. */
static int copy_page_part(struct file *file, u64 offset, void *buffer, size_t bytes, bool write)
{
	struct folio *folio;
	void *at;
	int error = 0;

	folio = filemap_get_folio(file->f_mapping, offset >> PAGE_SHIFT);
	if (IS_ERR_OR_NULL(folio))
		return -ENOENT;
	folio_lock(folio);
	if (folio->mapping != file->f_mapping) {
		error = -ENOENT;
	} else {
		at = kmap_local_folio(folio, 0);
		/* As KVM does before it maps one. */
		if (!folio_test_uptodate(folio)) {
			clear_page(at);
			folio_mark_uptodate(folio);
		}
		if (write)
			memcpy(at + offset_in_page(offset), buffer, bytes);
		else
			memcpy(buffer, at + offset_in_page(offset), bytes);
		kunmap_local(at);
	}
	folio_unlock(folio);
	folio_put(folio);
	return error;
}

static int copy_pages(struct file *file, const struct softtdx_copy *copy, void *buffer)
{
	void __user *user = u64_to_user_ptr(copy->buffer);
	u64 at, bytes;
	int error = 0;

	for (at = 0; at < copy->bytes && !error; at += bytes) {
		u64 offset = copy->offset + at;

		bytes = min_t(u64, copy->bytes - at, PAGE_SIZE - offset_in_page(offset));
		if (copy->write && copy_from_user(buffer, user + at, bytes))
			return -EFAULT;
		error = copy_page_part(file, offset, buffer, bytes, copy->write);
		if (!error && !copy->write && copy_to_user(user + at, buffer, bytes))
			return -EFAULT;
	}
	return error;
}

int softtdx_copy(const struct softtdx_copy *copy)
{
	unsigned long fops = softtdx_symbol("kvm:kvm_gmem_fops");
	struct file *file;
	void *buffer;
	int error = -EINVAL;

	if (!fops)
		return -EOPNOTSUPP;
	file = fget(copy->gmem_fd);
	if (!file)
		return -EBADF;
	buffer = (void *)__get_free_page(GFP_KERNEL);
	if (!buffer)
		error = -ENOMEM;
	else if ((unsigned long)file->f_op == fops)
		error = copy_pages(file, copy, buffer);
	free_page((unsigned long)buffer);
	fput(file);
	return error;
}
