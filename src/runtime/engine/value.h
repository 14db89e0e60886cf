/*
 * value: JSON and UBJSON decoded into one tree of values.
 *
 * Owner: the caller, from value_parse_*() to value_release(). Limits: VALUE_DEPTH_MAX; the tree
 * takes VALUE_BUDGET() of memory for a file of that size, else the file is refused (arrays are kept
 * within twice that while they grow). Not here: what the values mean (forest_xgboost).
 */
#ifndef RUNTIME_VALUE_H
#define RUNTIME_VALUE_H

#include "core/err.h"

#include <stddef.h>

#define VALUE_DEPTH_MAX 32
/* XGBoost's own files need up to 6 times their size. */
#define VALUE_BUDGET(size) ((size)*12 + 65536)

enum value_kind { VALUE_NULL, VALUE_NUMBER, VALUE_STRING, VALUE_NUMBERS, VALUE_ARRAY, VALUE_OBJECT };

/* Booleans are the numbers 0 and 1. Numbers with a fraction or exponent are rounded to float32. */
struct value {
	enum value_kind kind;
	size_t count;                /* elements, or bytes of text */
	union {                      /* as kind says */
		double number;       /* VALUE_NUMBER */
		char *text;          /* VALUE_STRING, NUL-terminated */
		double *numbers;     /* VALUE_NUMBERS, also the kind of an empty array */
		struct value *items; /* VALUE_ARRAY and VALUE_OBJECT */
	};
	char **names; /* VALUE_OBJECT */
};

int value_parse_json(const void *data, size_t size, struct value *v, struct err *e);
int value_parse_ubjson(const void *data, size_t size, struct value *v, struct err *e);
/* Releases what v holds, not v. */
void value_release(struct value *v);

/* The member of an object, or NULL. */
const struct value *value_get(const struct value *v, const char *name);

/* Shared by the two readers. All take the item, charge *budget for it and return 0, or -1 with e
 * set. */
/* Appends to an object; the name has size bytes. */
int value_push_member(struct value *v, const char *name, size_t size, struct value *item, size_t *budget,
		      struct err *e);
/* Appends to an array: kept as bare numbers while all are numbers. */
int value_push_element(struct value *v, struct value *item, size_t *budget, struct err *e);
/* Makes v the string of size bytes. */
int value_set_text(struct value *v, const char *text, size_t size, size_t *budget, struct err *e);

#endif
