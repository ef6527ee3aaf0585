// SPDX-License-Identifier: GPL-2.0
#include "spt/trace_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

static struct spt_trace_calls calls;
static bool loaded;

static bool load_tracefs(void *library)
{
#define C(name) (calls.name = (__typeof__(calls.name))dlsym(library, #name)) &&
	return SPT_TRACEFS_CALLS(C) true;
#undef C
}

static bool load_traceevent(void *library)
{
#define C(name) (calls.name = (__typeof__(calls.name))dlsym(library, #name)) &&
	return SPT_TRACEEVENT_CALLS(C) true;
#undef C
}

const struct spt_trace_calls *spt_trace_calls(struct spt_error *err)
{
	static const struct {
		const char *name;
		bool (*load)(void *library);
	} libraries[] = {
		{ "libtraceevent.so.1", load_traceevent },
		{ "libtracefs.so.1", load_tracefs },
	};

	for (size_t i = 0; !loaded && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
		/* Never closed: the pointers are the program's from now on. */
		void *library = dlopen(libraries[i].name, RTLD_NOW | RTLD_LOCAL);

		if (!library || !libraries[i].load(library)) {
			spt_fail(err, ENOSYS,
				 "%s is missing or too old: apt install libtracefs1 libtraceevent1",
				 libraries[i].name);
			return NULL;
		}
	}
	loaded = true;
	return &calls;
}
