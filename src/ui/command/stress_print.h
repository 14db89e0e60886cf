/*
 * stress_print: what a stress test found, for people.
 *
 * Prints to stdout; the caller ends with output_end().
 */
#ifndef UI_STRESS_PRINT_H
#define UI_STRESS_PRINT_H

#include "core/test/stress_report.h"

int stress_print(const struct stress_report *r, struct err *e);

#endif
