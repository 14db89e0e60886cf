/*
 * finding_table: what gates or analyses say, as a table of a command.
 *
 * Prints to stdout; the caller ends with output_end(). Not here: the same on the screen (findings).
 */
#ifndef UI_FINDING_TABLE_H
#define UI_FINDING_TABLE_H

#include "core/finding.h"

/* header: "GATE" or "ANALYSIS". Nothing when there are none. */
int finding_table_print(const char *header, const struct finding *findings, size_t count, struct err *e);

#endif
