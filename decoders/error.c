// SPDX-License-Identifier: GPL-2.0
#include "decoders/error.h"

#include <stdarg.h>
#include <stdio.h>

int spt_fail(struct spt_error *e, int code, const char *fmt, ...)
{
	if (e) {
		va_list ap;

		e->code = code;
		va_start(ap, fmt);
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
		va_end(ap);
		for (char *p = e->text; *p; p++)
			if (*p == '\n')
				*p = ' ';
	}
	return -code;
}
