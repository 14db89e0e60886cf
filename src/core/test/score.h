/*
 * score: what is compared of two versions' answers: of each row a number, the numbers of its classes, or a class.
 *
 * Pure; any thread. The same reading as the runtime's own statistics and shadows have. Values are the caller's.
 * Not here: comparing (differential), asking (ui).
 */
#ifndef CORE_TEST_SCORE_H
#define CORE_TEST_SCORE_H

#include "core/err.h"
#include "core/tensor.h"
#include "core/tensor_spec.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCORE_ARGMAX SIZE_MAX
#define SCORE_NO_CLASS (-1)
#define SCORE_CLASSES_MAX 1000000

/* What counts of a version's answer. */
struct score_kind {
	char output[TENSOR_NAME_SIZE];
	size_t column;      /* of a row; SCORE_ARGMAX: all of them, the class is the greatest */
	size_t class_count; /* > 1: values are classes, or their probabilities */
	bool probability;   /* the class is 1 from 1/2 on, else 0 */
};

/* Of one element of `versions` (docs/CONTROL-API.md): its "prediction". ERR_CONFLICT when nothing of it is a number. */
int score_kind_from_json(const cJSON *version, struct score_kind *kind, struct err *e);
/* Whether rows of both can be compared; ERR_CONFLICT says why not, with the versions' names "v3" and "v1". */
int score_kinds_comparable(const struct score_kind *a, const char *a_name, const struct score_kind *b,
			   const char *b_name, struct err *e);
bool score_has_class(const struct score_kind *kind);
/* Numbers of a row: the classes' where the class is the greatest, else 1. */
size_t score_width(const struct score_kind *kind);
/* values[rows * score_width()] and classes[rows] (SCORE_NO_CLASS where there is none, or it is NaN) of an output of
 * `rows` rows. ERR_UPSTREAM when the output has not that shape. */
int score_read(const struct score_kind *kind, const struct tensor *output, size_t rows, double *values,
	       int64_t *classes, struct err *e);

#endif
