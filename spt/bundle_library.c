// SPDX-License-Identifier: GPL-2.0
#include "spt/bundle_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#define LIBRARY "libarchive.so.13" /* the ABI of libarchive 3 */

static const struct {
	const char *name;
	size_t at;
} calls[] = {
#define C(name) { #name, offsetof(struct spt_bundle_library, name) },
	SPT_BUNDLE_CALLS(C)
#undef C
};

int spt_bundle_library(const struct spt_bundle_library **ret, struct spt_error *err)
{
	static struct spt_bundle_library library;
	static void *handle;

	*ret = &library;
	if (handle)
		return 0;
	handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return spt_fail(err, ENOENT, LIBRARY " is needed: install libarchive (%s)",
				dlerror());
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *call = dlsym(handle, calls[i].name);

		if (!call) {
			dlclose(handle);
			handle = NULL;
			return spt_fail(err, ENOENT, LIBRARY " has no %s: it is too old",
					calls[i].name);
		}
		*(void **)((char *)&library + calls[i].at) = call;
	}
	return 0;
}
