/*
 * machine: what a process takes of the machine, as /proc says.
 *
 * Blocks for a read of /proc. Linux only: elsewhere there is no figure.
 */
#ifndef CORE_TEST_MACHINE_H
#define CORE_TEST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

struct machine_use {
	double cpu_s; /* user and system time so far */
	double resident_bytes;
};

/* False when there is no such process, or no /proc. */
bool machine_use_read(int64_t pid, struct machine_use *use);

#endif
