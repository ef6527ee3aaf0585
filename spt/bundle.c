// SPDX-License-Identifier: GPL-2.0
#include "spt/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spt/bundle_library.h"

#define STEP 65536

static int failed(const struct spt_bundle *a, struct spt_error *err)
{
	int code = a->library->archive_errno(a->tar);
	const char *why = a->library->archive_error_string(a->tar);

	return spt_fail(err, code > 0 ? code : EIO, "%s: cannot write: %s", a->file.target,
			why ? why : "unknown reason");
}

int spt_bundle_open(struct spt_bundle *a, const char *path, const char *folder, uint64_t time_ns,
		    struct spt_error *err)
{
	struct stat st;
	int code;

	*a = (struct spt_bundle){ .file.fd = -1, .folder = folder, .time_ns = time_ns };
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) /* rename() would replace even /dev/null */
		return spt_fail(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
				"%s: is not a regular file", path);
	code = spt_beside_open(&a->file, path, err);
	if (code)
		return code;
	code = spt_bundle_library(&a->library, err);
	if (code)
		return code;
	a->tar = a->library->archive_write_new();
	if (!a->tar)
		return spt_fail(err, ENOMEM, "%s: out of memory", path);
	if (a->library->archive_write_add_filter_zstd(a->tar) != ARCHIVE_OK ||
	    a->library->archive_write_set_format_pax_restricted(a->tar) != ARCHIVE_OK ||
	    a->library->archive_write_open_fd(a->tar, a->file.fd) != ARCHIVE_OK)
		return failed(a, err);
	return 0;
}

static int begin_member(struct spt_bundle *a, const char *name, size_t len, struct spt_error *err)
{
	struct archive_entry *entry = a->library->archive_entry_new();
	char path[4096];
	int rc;

	if (!entry)
		return spt_fail(err, ENOMEM, "%s: out of memory", a->file.target);
	snprintf(path, sizeof(path), "%s/%s", a->folder, name);
	a->library->archive_entry_set_pathname(entry, path);
	a->library->archive_entry_set_filetype(entry, AE_IFREG);
	a->library->archive_entry_set_perm(entry, 0644);
	a->library->archive_entry_set_size(entry, (int64_t)len);
	a->library->archive_entry_set_mtime(entry, (time_t)(a->time_ns / 1000000000), 0);
	rc = a->library->archive_write_header(a->tar, entry);
	a->library->archive_entry_free(entry);
	return rc == ARCHIVE_OK ? 0 : failed(a, err);
}

static int write_bytes(struct spt_bundle *a, const void *bytes, size_t len, struct spt_error *err)
{
	if (a->library->archive_write_data(a->tar, bytes, len) != (la_ssize_t)len)
		return failed(a, err);
	a->bytes += len;
	return 0;
}

int spt_bundle_add(struct spt_bundle *a, const char *name, const void *bytes, size_t len,
		   struct spt_error *err)
{
	int rc = begin_member(a, name, len, err);

	return rc || !len ? rc : write_bytes(a, bytes, len, err);
}

static int copy_file(struct spt_bundle *a, int fd, const char *path, size_t len,
		     struct spt_error *err)
{
	char bytes[STEP];
	int rc = 0;

	while (!rc && len) {
		ssize_t n = read(fd, bytes, len < STEP ? len : STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return spt_fail(err, n ? errno : EIO, "%s: cannot read: %s", path,
					n ? strerror(errno) : "it became shorter");
		rc = write_bytes(a, bytes, (size_t)n, err);
		len -= (size_t)n;
	}
	return rc;
}

int spt_bundle_add_file(struct spt_bundle *a, const char *name, const char *path,
			struct spt_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st)) {
		rc = spt_fail(err, errno, "%s: %s", path, strerror(errno));
	} else {
		rc = begin_member(a, name, (size_t)st.st_size, err);
		if (!rc)
			rc = copy_file(a, fd, path, (size_t)st.st_size, err);
	}
	if (fd >= 0)
		close(fd);
	return rc;
}

int spt_bundle_commit(struct spt_bundle *a, struct spt_error *err)
{
	int rc = a->library->archive_write_close(a->tar) == ARCHIVE_OK ? 0 : failed(a, err);

	a->library->archive_write_free(a->tar);
	a->tar = NULL;
	return rc ? rc : spt_beside_commit(&a->file, err);
}

void spt_bundle_drop(struct spt_bundle *a)
{
	if (a->tar) {
		a->library->archive_write_fail(a->tar);
		a->library->archive_write_free(a->tar);
		a->tar = NULL;
	}
	spt_beside_drop(&a->file);
}
