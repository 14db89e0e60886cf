/*
 * json: typed fields of a tree of JSON: read, with refusals that name the field, and added.
 *
 * Pure functions on the caller's tree; any thread. A getter returns 0 and the value, or -1 with ERR_INPUT:
 * "field `version` must be a whole number from 1 to 100000, got \"x\"". Names are matched exactly.
 * What adds to a tree takes NULL for an item or a tree that memory was out for and gives false, so that a chain of
 * && ends with the first failure; json_whole() at its end gives the tree, or frees it.
 * Not here: parsing and printing (cJSON's own), text without a tree (json_write).
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_INTEGER_MAX (INT64_C(1) << 53) /* every whole number up to here is a double of its own */

/* Whether the field is there and is not null: an optional field is asked for before it is read. */
bool json_has(const cJSON *object, const char *name);

/* A copy of a string shorter than size. */
int json_string(const cJSON *object, const char *name, char *text, size_t size, struct err *e);
/* The string itself, borrowed from the tree; NULL for an error. */
const char *json_text(const cJSON *object, const char *name, struct err *e);
/* A whole number in [low, high], which must lie within +-JSON_INTEGER_MAX. */
int json_integer(const cJSON *object, const char *name, int64_t low, int64_t high, int64_t *number, struct err *e);
/* The same for the fields that hold small unsigned numbers. */
int json_uint32(const cJSON *object, const char *name, uint32_t low, uint32_t high, uint32_t *number, struct err *e);
/* A finite number. */
int json_number(const cJSON *object, const char *name, double *number, struct err *e);
int json_boolean(const cJSON *object, const char *name, bool *value, struct err *e);
/* The same of fields that may be absent, or null: the value stays as it was. */
int json_optional_text(const cJSON *object, const char *name, const char **text, struct err *e);
int json_optional_integer(const cJSON *object, const char *name, int64_t low, int64_t high, int64_t *number,
			  struct err *e);
int json_optional_number(const cJSON *object, const char *name, double *number, struct err *e);
int json_optional_boolean(const cJSON *object, const char *name, bool *value, struct err *e);
/* A text for people, cleaned and cut to size; "" when it is absent or null. */
int json_clean_text(const cJSON *object, const char *name, char *text, size_t size, struct err *e);
/* An array of at most max items, or an object, borrowed; NULL for an error. */
const cJSON *json_array(const cJSON *object, const char *name, size_t max, struct err *e);
const cJSON *json_object(const cJSON *object, const char *name, struct err *e);

/* Of an answer that need not be checked: the string, "" when there is none; the number, 0 when there is none. */
const char *json_find_text(const cJSON *object, const char *name);
double json_find_number(const cJSON *object, const char *name);

/* Whether an item, of an array say, is a whole number in [low, high]. */
bool json_is_integer(const cJSON *item, int64_t low, int64_t high, int64_t *number);

/* The item is taken, also when it could not be added. */
bool json_add(cJSON *object, const char *name, cJSON *item);
bool json_append(cJSON *array, cJSON *item);
bool json_add_text(cJSON *object, const char *name, const char *text);
/* What is not finite becomes null. */
bool json_add_number(cJSON *object, const char *name, double number);
/* 0 stands for "none" and becomes null. */
bool json_add_some(cJSON *object, const char *name, double number);
bool json_add_boolean(cJSON *object, const char *name, bool value);
/* The tree when all was added to it, else NULL, and it is freed. */
cJSON *json_whole(cJSON *tree, bool complete);

#endif
