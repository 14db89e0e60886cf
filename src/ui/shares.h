/*
 * shares: VERSION=PERCENT, as the commands that change a route take it.
 *
 * Used by the main thread of a command only. Exact: percentages have two decimals and are kept in basis points.
 */
#ifndef UI_SHARES_H
#define UI_SHARES_H

#include "core/command.h"
#include "core/err.h"
#include "core/route.h"

/* The arguments behind the model; each version once. Their sum is the caller's to judge. */
int shares_parse(const struct arguments *a, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		 struct err *e);

#endif
