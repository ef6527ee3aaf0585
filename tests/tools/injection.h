/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's fault injection, thread by thread: fail-nth counts a thread's allocations down and
 * fails the last one. Whatever goes wrong with it ends the program with status 2.
 */
#ifndef INJECTION_H
#define INJECTION_H

#include <stdbool.h>

/* What follows is of the calling thread. */
void fail_own(void);

/* What follows is of all threads whose names begin so and which there are now: they come and go. */
void fail_named(const char *name);

/* The nth allocation of each is failed from here on, counted from 1; 0: none. */
void fail_nth(unsigned int n);

/*
 * How many allocations were left until one would have failed, of the thread that had made most of
 * them; 0: one was failed, or none was to be. Nothing fails from here on.
 */
unsigned int fail_left(void);

/* Whether that allocation was reached, and failed; nothing fails from here on. */
bool fail_happened(void);

#endif
