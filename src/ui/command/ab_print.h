/*
 * ab_print: A/B tests as text: what a start or stop did or would do, one test in full, a list.
 *
 * Used by the main thread of a command only; prints to stdout.
 */
#ifndef UI_AB_PRINT_H
#define UI_AB_PRINT_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* The answer to a start or a stop. */
int ab_print_change(const cJSON *answer, bool is_start, struct err *e);
/* The gates of a refusal; nothing without. */
int ab_print_gates(const cJSON *answer, struct err *e);
/* EXPERIMENT in full; *passes: it is neither WORSE nor INVALID. */
int ab_print_status(const cJSON *experiment, bool *passes, struct err *e);
int ab_print_list(const cJSON *answer, struct err *e);

#endif
