/*
 * run: one run of this same executable, its output captured.
 *
 * Blocks; called off the drawing thread.
 */
#ifndef UI_RUN_H
#define UI_RUN_H

#include "core/err.h"

#include <stddef.h>

/* Runs /proc/self/exe with arguments (without argv[0], NULL at the end), input empty, in a process group of
 * its own. *output (free it; NULL when nothing was printed) holds what it wrote to stdout and stderr, up to
 * output_max bytes. It is killed after timeout_s. Returns its exit code (128 + the signal), or -1. */
int run_self(char *const *arguments, size_t output_max, int timeout_s, char **output, struct err *e);

#endif
