/*
 * shadow_table: the comparisons of a model's shadows with its live version, as a table for people.
 *
 * Used by the main thread of a command only.
 */
#ifndef UI_SHADOW_TABLE_H
#define UI_SHADOW_TABLE_H

#include "core/snapshot.h"

/* A row a shadow in the route. */
size_t shadow_table_rows(const struct snapshot_model *m);
int shadow_table_print(const struct snapshot_model *m, struct err *e);

#endif
