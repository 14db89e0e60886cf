/*
 * statistics_case: reading the inputs of a case of reference values, and putting down what our routines answer.
 *
 * A case is JSON: {"name", "method", "inputs": {…}, "expected": {…}}. Arrays that are read live until case_release().
 */
#ifndef TESTS_UNIT_STATISTICS_CASE_H
#define TESTS_UNIT_STATISTICS_CASE_H

#include "core/stat/stat.h"
#include "core/stat/stat_moments.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CASE_ARRAYS 16

struct statistics_case {
	const char *name, *method;
	const cJSON *inputs, *expected;
	cJSON *answer; /* by the keys of expected, and more */
	void *arrays[CASE_ARRAYS];
	size_t array_count;
	struct err e;
	bool refused; /* a routine answered with an error */
};

struct numbers {
	double *at;
	size_t count;
};

struct counts {
	uint64_t *at;
	size_t count;
};

static inline void case_release(struct statistics_case *c)
{
	for (size_t i = 0; i < c->array_count; i++)
		free(c->arrays[i]);
	c->array_count = 0;
	cJSON_Delete(c->answer);
	c->answer = NULL;
}

static inline const cJSON *case_item(const struct statistics_case *c, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(c->inputs, key);
}

static inline double case_number_or(const struct statistics_case *c, const char *key, double otherwise)
{
	const cJSON *item = case_item(c, key);
	return item != NULL ? item->valuedouble : otherwise;
}

static inline double case_number(const struct statistics_case *c, const char *key)
{
	return case_number_or(c, key, NAN);
}

static inline uint64_t case_count(const struct statistics_case *c, const char *key)
{
	return (uint64_t)case_number(c, key);
}

static inline void *case_allocate(struct statistics_case *c, size_t size)
{
	void *memory = calloc(1, size + 1);
	if (memory == NULL || c->array_count == CASE_ARRAYS)
		abort();
	c->arrays[c->array_count++] = memory;
	return memory;
}

static inline struct numbers numbers_of(struct statistics_case *c, const cJSON *array)
{
	struct numbers n = {.count = (size_t)cJSON_GetArraySize(array)};
	const cJSON *item;
	size_t i = 0;
	n.at = case_allocate(c, n.count * sizeof *n.at);
	cJSON_ArrayForEach(item, array) n.at[i++] = item->valuedouble;
	return n;
}

static inline struct numbers case_numbers(struct statistics_case *c, const char *key)
{
	return numbers_of(c, case_item(c, key));
}

static inline struct counts case_counts(struct statistics_case *c, const char *key)
{
	struct numbers n = case_numbers(c, key);
	struct counts result = {case_allocate(c, n.count * sizeof *result.at), n.count};
	for (size_t i = 0; i < n.count; i++)
		result.at[i] = (uint64_t)n.at[i];
	return result;
}

static inline void put(struct statistics_case *c, const char *key, double value)
{
	cJSON_AddItemToObject(c->answer, key, cJSON_CreateNumber(value));
}

static inline void put_bool(struct statistics_case *c, const char *key, bool value)
{
	cJSON_AddItemToObject(c->answer, key, cJSON_CreateBool(value));
}

static inline void put_text(struct statistics_case *c, const char *key, const char *value)
{
	cJSON_AddItemToObject(c->answer, key, cJSON_CreateString(value));
}

static inline void put_numbers(struct statistics_case *c, const char *key, const double *values, size_t count)
{
	cJSON *array = cJSON_CreateArray();
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(array, cJSON_CreateNumber(values[i]));
	cJSON_AddItemToObject(c->answer, key, array);
}

/* Adds a number to the array of this key. */
static inline void put_next(struct statistics_case *c, const char *key, double value)
{
	cJSON *array = cJSON_GetObjectItemCaseSensitive(c->answer, key);
	if (array == NULL)
		cJSON_AddItemToObject(c->answer, key, array = cJSON_CreateArray());
	cJSON_AddItemToArray(array, cJSON_CreateNumber(value));
}

/* Whether two arrays that belong together are as long as each other; refuses the case otherwise. */
static inline bool case_is_even(struct statistics_case *c, size_t one, size_t other)
{
	if (one == other)
		return true;
	c->refused = true;
	err_set(&c->e, ERR_INPUT, "inputs of %zu and %zu values do not belong together", one, other);
	return false;
}

/* Of a routine's return value. */
static inline bool answered(struct statistics_case *c, int result)
{
	c->refused = c->refused || result != 0;
	return result == 0;
}

static inline double alpha_of(const struct statistics_case *c)
{
	return case_number_or(c, "alpha", 0.05);
}

static inline void put_interval(struct statistics_case *c, const char *low, const char *high,
				struct stat_interval interval)
{
	put(c, low, interval.low);
	put(c, high, interval.high);
}

static inline struct stat_moments summary(const struct statistics_case *c, const char *n, const char *mean,
					  const char *sd)
{
	return stat_moments_from(case_count(c, n), case_number(c, mean), case_number(c, sd));
}

static inline struct stat_share share_of(const struct statistics_case *c, const char *events, const char *trials)
{
	return (struct stat_share){case_count(c, events), case_count(c, trials)};
}

#endif
