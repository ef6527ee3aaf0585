/* SPDX-License-Identifier: GPL-2.0 */
/* The host's side of L1 under Bochs: its memory (bochs-memory.c), its start (bochs-kernel.c). */
#ifndef BOCHS_L1_H
#define BOCHS_L1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE_SIZE 4096u

/*
 * Finds L1's memory in the emulator PID, which writes LOG, once the option ROM has stamped it.
 * False: not yet. All failures of what is declared here end the program.
 */
bool memory_find(pid_t pid, const char *log);

/* L1's physical memory. An address where it has none is a failure. */
void guest_read(uint64_t address, void *to, size_t size);
void guest_write(uint64_t address, const void *from, size_t size);

/*
 * Writes L1's physical memory to a new file that then replaces PATH: offset is address, what is
 * no memory and pages of zeroes are holes. The emulator stands still meanwhile.
 */
void memory_save(const char *path);

/* Starts the kernel that the option ROM waits for; the physical address of the link. */
uint64_t kernel_start(const char *vmlinux, const char *initramfs, const char *command_line);

#endif
