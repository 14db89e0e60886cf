/*
 * baseline: the reference distribution of a version's predictions, whose bins are frozen.
 *
 * A plain value of fixed size; constant once made. Every later prediction is counted into these bins, so
 * that two times, or two hosts, can be compared.
 */
#ifndef CORE_BASELINE_H
#define CORE_BASELINE_H

#include "core/err.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BASELINE_BINS_MAX 64
#define BASELINE_QUANTILES 9 /* inner edges of ten bins of equal mass */
#define BASELINE_LEARN_COUNT 1000

struct baseline {
	char source[16]; /* "rows": predicted from given rows at deploy; "live": the first live ones */
	uint64_t count;  /* predictions behind it, NaN included */
	uint64_t nan;
	uint32_t bin_count;                   /* at most BASELINE_BINS_MAX; 0: there is no baseline */
	double edges[BASELINE_BINS_MAX + 1];  /* ascending, equal width */
	uint64_t counts[BASELINE_BINS_MAX];   /* the reference itself */
	double quantiles[BASELINE_QUANTILES]; /* 10%, 20% ... 90% of the finite predictions */
	double minimum, maximum;
};

/* Freezes bins over values[count] (not kept; sorted in place). class_count > 1: values are class indices
 * and every class has a bin (beyond BASELINE_BINS_MAX classes share bins); probability: bins span [0, 1];
 * else the least and the greatest finite value lie in the middle of the outer bins. The top edge is inside.
 * Edges have 15 significant digits, so that JSON keeps them exactly; beyond 1e308 counts as infinite.
 * ERR_INPUT when no value is finite. */
int baseline_make(struct baseline *b, double *values, size_t count, size_t class_count, bool probability,
		  const char *source, struct err *e);

/* The bin of a value: 0 .. bin_count - 1, or one of these. O(1). */
enum { BASELINE_BELOW = -1, BASELINE_ABOVE = -2, BASELINE_NAN = -3 };
int baseline_bin(const struct baseline *b, double value);

cJSON *baseline_to_json(const struct baseline *b);
int baseline_from_json(struct baseline *b, const cJSON *json, struct err *e);

#endif
