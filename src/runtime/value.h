/*
 * value: JSON and UBJSON decoded into one tree of values.
 *
 * Owner: the caller, from value_parse_*() to value_free(). Limits: VALUE_DEPTH_MAX; memory within a
 * constant factor of the file, because every element takes at least one byte of it.
 * Not here: what the values mean (forest_xgboost).
 */
#ifndef RUNTIME_VALUE_H
#define RUNTIME_VALUE_H

#include "core/err.h"

#include <stddef.h>

#define VALUE_DEPTH_MAX 32

enum value_kind { VALUE_NULL, VALUE_NUMBER, VALUE_STRING, VALUE_NUMBERS, VALUE_ARRAY, VALUE_OBJECT };

/* Booleans are the numbers 0 and 1. Numbers with a fraction or exponent are rounded to float32. */
struct value {
	enum value_kind kind;
	size_t count;	  /* elements, or bytes of text */
	double number;	  /* VALUE_NUMBER */
	char *text;	  /* VALUE_STRING, NUL-terminated */
	double *numbers;  /* VALUE_NUMBERS, also the kind of an empty array */
	struct value *items; /* VALUE_ARRAY and VALUE_OBJECT */
	char **names;	  /* VALUE_OBJECT */
};

int value_parse_json(const void *data, size_t size, struct value *v, struct err *e);
int value_parse_ubjson(const void *data, size_t size, struct value *v, struct err *e);
/* Releases what v holds, not v. */
void value_release(struct value *v);

/* The member of an object, or NULL. */
const struct value *value_get(const struct value *v, const char *name);

/* Shared by the two readers: append one element; 0, or -1 when memory is out. */
int value_push_number(struct value *v, double number);
/* Takes the item; name (of size bytes) is NULL for arrays. */
int value_push_item(struct value *v, const char *name, size_t size, struct value *item);
/* Takes the item: kept as a bare number where all are numbers so far. */
int value_push_any(struct value *v, struct value *item);

#endif
