/*
 * bench_rows: the rows that a benchmark asks for: thousands of different ones, as CSV with a header.
 *
 * A model that is asked the same few rows again and again is measured with a branch predictor that knows them by heart;
 * so exactly BENCH_ROWS different rows are made, the same for all launches, from the best source that there is. Pure
 * but for its memory; one thread. The random draws come from the seed alone. Not here: what a field may say (columns),
 * who reads them (runtime/measure).
 */
#ifndef CORE_TEST_BENCH_ROWS_H
#define CORE_TEST_BENCH_ROWS_H

#include "core/buf.h"
#include "core/err.h"
#include "core/manifest.h"

#include <stdint.h>

#define BENCH_ROWS 4096
#define BENCH_ROWS_SOURCE_MAX 1000000           /* rows of a source that are looked at */
#define BENCH_ROWS_SIZE_MAX ((size_t)256 << 20) /* bytes of all that are made: each launch reads them */

enum bench_rows_origin {
	BENCH_ROWS_GIVEN,    /* drawn from those of the source */
	BENCH_ROWS_JITTERED, /* the source has too few: more are made between its values */
	BENCH_ROWS_MADE_UP,  /* from the signature alone */
};

struct bench_rows {
	struct buf csv;
	enum bench_rows_origin origin;
	size_t source_count; /* different rows of the source */
};

/* xorshift64*, Vigna 2016; *state must not be 0. */
uint64_t bench_random(uint64_t *state);

/* From a text of CSV. Rows that it lacks are made: half of the columns of a row of the source, and in the others
 * numbers between two of the source's (whole ones between whole ones), or another row's text. ERR_INPUT without rows,
 * when so many different ones cannot be made, and when their fields are so long that all of them would be more than
 * BENCH_ROWS_SIZE_MAX. */
int bench_rows_from_csv(const char *text, size_t size, uint64_t seed, struct bench_rows *rows, struct err *e);
/* Whether a version takes the rows of a text of CSV, as far as they are looked at. ERR_INPUT with the line of the text
 * and the column of the first that it does not take. */
int bench_rows_check(const struct manifest *manifest, const char *model, const char *text, size_t size, struct err *e);
/* From the signature: floats from -100 to 100, whole numbers from 0 to 99, BOOL, one letter for BYTES. */
int bench_rows_from_signature(const struct manifest *manifest, const char *model, uint64_t seed,
			      struct bench_rows *rows, struct err *e);
void bench_rows_release(struct bench_rows *rows);

#endif
