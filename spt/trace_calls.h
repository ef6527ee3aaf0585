/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libtracefs and libtraceevent, opened when the first recording begins: linked, they
 * would cost every other command their relocation.
 */
#ifndef SPT_TRACE_CALLS_H
#define SPT_TRACE_CALLS_H

#include <event-parse.h>
#include <kbuffer.h>
#include <tracefs.h>

#include "decoders/error.h"

#define SPT_TRACEFS_CALLS(C)                                                                       \
	C(tracefs_tracing_dir)                                                                     \
	C(tracefs_instance_create)                                                                 \
	C(tracefs_instance_destroy)                                                                \
	C(tracefs_instance_free)                                                                   \
	C(tracefs_instance_get_dir)                                                                \
	C(tracefs_instance_file_write)                                                             \
	C(tracefs_instance_file_read)                                                              \
	C(tracefs_instances)                                                                       \
	C(tracefs_list_free)

#define SPT_TRACEEVENT_CALLS(C)                                                                    \
	C(tep_alloc)                                                                               \
	C(tep_free)                                                                                \
	C(tep_parse_format)                                                                        \
	C(tep_find_any_field)                                                                      \
	C(tep_read_number_field)                                                                   \
	C(kbuffer_alloc)                                                                           \
	C(kbuffer_free)                                                                            \
	C(kbuffer_load_subbuffer)                                                                  \
	C(kbuffer_read_event)                                                                      \
	C(kbuffer_next_event)                                                                      \
	C(kbuffer_event_size)

struct spt_trace_calls {
#define C(name) __typeof__(&name) name;
	SPT_TRACEFS_CALLS(C) SPT_TRACEEVENT_CALLS(C)
#undef C
};

/* The functions; NULL with @err filled in (ENOSYS) where a library is missing. */
const struct spt_trace_calls *spt_trace_calls(struct spt_error *err);

#endif
