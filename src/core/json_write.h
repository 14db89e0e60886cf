/*
 * json_write: text as JSON, written without a tree.
 *
 * Pure; any thread. Not here: numbers (number), trees (cJSON's own printing).
 */
#ifndef CORE_JSON_WRITE_H
#define CORE_JSON_WRITE_H

#include "core/buf.h"

#include <stddef.h>

/* A JSON string with its quotes, escaped; bytes that are not UTF-8 become U+FFFD. */
void json_write_string(struct buf *out, const char *text, size_t size);

#endif
