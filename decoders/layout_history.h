/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What KVM's fields were called before, and which commit changed it. The names themselves are
 * the alternatives of SPT_FIELDS; this says the rest of each, and lists what has no field here.
 */
#ifndef SPT_LAYOUT_HISTORY_H
#define SPT_LAYOUT_HISTORY_H

#include <stddef.h>

struct spt_old_name {
	const char *type;   /* struct or union: "kvm_mmu_page" */
	const char *old;    /* member path then */
	const char *today;  /* and now; NULL: there is no such thing any more */
	const char *commit; /* of Linux, 12 digits; NULL: never was in Linux, or not known */
	const char *note;   /* what else is to be known, or NULL */
};

/* Every old name, by type, in the order of the table; NULL: no such index. */
const struct spt_old_name *spt_old_name(size_t index);

/* The entry of one alternative of a field, or NULL. */
const struct spt_old_name *spt_old_name_find(const char *type, const char *old);

#endif
