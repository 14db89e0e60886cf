/*
 * shares: "2=80 3=12.5%", the shares of versions as people write them.
 *
 * Pure functions; any thread. Percentages have at most two decimals, so that they are whole basis points: exact.
 * Not here: whether shares make a route (core/route).
 */
#ifndef CORE_SHARES_H
#define CORE_SHARES_H

#include "core/err.h"
#include "core/route.h"

#include <stddef.h>
#include <stdint.h>

/* Of "80", "12.5", "0.25%"; -1 for anything else and above 100%. */
int share_read(const char *text, uint32_t *weight_bp);
/* Words VERSION=PERCENT with blanks or commas between them, appended to entries with this role. ERR_INPUT for what is
 * none, a version that is there already, and one too many. */
int shares_read(const char *text, enum route_role role, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		struct err *e);
/* "12.5" of 1250. */
#define SHARE_TEXT_SIZE 16
void share_text(char text[SHARE_TEXT_SIZE], uint32_t weight_bp);

#endif
