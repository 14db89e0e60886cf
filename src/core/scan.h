/*
 * scan: JSON read by pulling, value after value, over a range of bytes; no tree, no copies.
 *
 * Owner: the caller; the text is borrowed. Not thread-safe. Strict RFC 8259: UTF-8, escapes,
 * surrogates in pairs, at most depth_max values inside each other; with `lenient`, NaN, Infinity and
 * -Infinity are values too (V1). The first problem sticks, and everything after it answers false.
 * Not here: what the values mean.
 */
#ifndef CORE_SCAN_H
#define CORE_SCAN_H

#include "core/buf.h"
#include "core/err.h"
#include "core/number.h"

#include <stdbool.h>
#include <stddef.h>

struct scan {
	const char *start, *at, *end;
	unsigned depth, depth_max;
	const char *problem; /* NULL: none */
	bool lenient;        /* set after scan_init() */
};

/* A part of the text: of a string what is between the quotes, escapes and all. */
struct scan_span {
	const char *at;
	size_t size;
};

enum scan_kind {
	SCAN_NONE, /* a problem, or the end */
	SCAN_OBJECT,
	SCAN_ARRAY,
	SCAN_STRING,
	SCAN_NUMBER,
	SCAN_NOT_FINITE, /* only where lenient */
	SCAN_TRUE,
	SCAN_FALSE,
	SCAN_NULL,
};

void scan_init(struct scan *s, const char *text, size_t size, unsigned depth_max);
/* What comes next; it stays where it is. */
enum scan_kind scan_peek(struct scan *s);

/* Enters an object or an array: scan_object(&s); for (bool first = true; scan_member(&s, &first,
 * &key);) … */
bool scan_object(struct scan *s);
bool scan_array(struct scan *s);
/* The next member's key; its value is next. False after the last, behind the bracket. */
bool scan_member(struct scan *s, bool *first, struct scan_span *key);
bool scan_element(struct scan *s, bool *first);

bool scan_string(struct scan *s, struct scan_span *string);
bool scan_number(struct scan *s, struct number *number);
/* Infinity may be cut to Inf; NaN has no sign that matters. */
bool scan_not_finite(struct scan *s, double *value);
/* true, false and null have no value but their kind. */
bool scan_literal(struct scan *s, enum scan_kind *kind);
/* Passes over any value, checking it; span (may be NULL) gets its text. */
bool scan_skip(struct scan *s, struct scan_span *span);
/* Passes over an array quickly, following only brackets and strings: whoever takes its span must
 * read it. */
bool scan_pass(struct scan *s, struct scan_span *span);
/* True where only white space is left and there was no problem. */
bool scan_end(struct scan *s);

/* Sets the problem as an ERR_INPUT sentence with its place; returns -1. */
int scan_err(const struct scan *s, struct err *e);

/* Whether a string (as scan_string() gave it) says this. */
bool scan_is(struct scan_span string, const char *text);
/* Unescapes into text (size bytes with a final NUL), cut between characters; returns the bytes it
 * needs whole. */
size_t scan_decode(struct scan_span string, char *text, size_t size);
/* The text without its escapes: where it is when it has none, else in `text`. NULL when memory is out. */
const char *scan_plain(struct scan_span string, struct buf *text, size_t *size);

#endif
