/* The sample is uniform over its window, bounded in rows and bytes, and forgets. */
#include "runtime/capture/capture.h"
#include "core/stat/stat_distribution.h"
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MS 1000

static struct capture_pool pool;

static struct capture *make(size_t bytes_max, size_t limit, uint64_t seed)
{
	struct capture *c = NULL;
	struct err e;

	pool.bytes_max = bytes_max;
	pool.window_ms = WINDOW_MS;
	assert_int_equal(capture_new(&pool, limit, 0, seed, &c, &e), 0);
	return c;
}

/* What was forgotten left no memory behind. */
static void end(struct capture *c)
{
	capture_release(c);
	assert_int_equal(atomic_load(&pool.bytes[0]), 0);
	assert_int_equal(atomic_load(&pool.bytes[1]), 0);
}

/* Rows first, first + 1 ... as one request of so many rows. */
static void offer(struct capture *c, int64_t first, size_t rows)
{
	int64_t values[64];
	struct tensor t = {DATATYPE_INT64, 2, {(int64_t)rows, 1}, rows, values};
	const struct capture_request request = {.version = 1, .input_count = 1, .inputs = &t, .at_ms = first};

	for (size_t i = 0; i < rows; i++)
		values[i] = first + (int64_t)i;
	capture_offer(c, &request);
}

static void offer_text(struct capture *c, size_t size)
{
	char *text = malloc(size);
	struct bytes one = {text, size};
	struct tensor t = {DATATYPE_BYTES, 2, {1, 1}, 1, &one};
	const struct capture_request request = {.version = 1, .input_count = 1, .inputs = &t, .at_ms = 1};

	memset(text, 'x', size);
	capture_offer(c, &request);
	free(text);
}

struct seen {
	uint64_t *counts; /* by value; may be NULL */
	size_t rows;
	int64_t least, most;
	int64_t refuse_below;
};

static bool look(void *context, const struct capture_row *row)
{
	struct seen *s = context;
	assert_int_equal(row->input_count, 1);
	if (row->inputs[0].datatype == DATATYPE_BYTES) {
		const struct bytes *b = row->inputs[0].data;
		for (size_t i = 0; i < b->size; i++)
			assert_int_equal(b->data[i], 'x');
		s->rows++;
		return true;
	}
	int64_t value = *(const int64_t *)row->inputs[0].data;
	assert_int_equal(row->inputs[0].count, 1);
	assert_int_equal(row->inputs[0].shape[0], 1);
	if (value < s->refuse_below)
		return false;
	if (s->counts != NULL)
		s->counts[value]++;
	s->least = s->rows == 0 || value < s->least ? value : s->least;
	s->most = s->rows == 0 || value > s->most ? value : s->most;
	s->rows++;
	return true;
}

static struct seen read_rows(struct capture *c, size_t limit, uint64_t *counts)
{
	struct seen s = {.counts = counts};
	struct err e;
	assert_int_equal(capture_read(c, limit, look, &s, &e), 0);
	return s;
}

static struct capture_facts facts_of(const struct capture *c)
{
	struct capture_facts facts;
	capture_facts(c, &facts);
	return facts;
}

/* --- what is in it --- */

static void keeps_all_while_there_is_room(void **state)
{
	struct capture *c = make(1 << 20, 100, 1);
	uint64_t counts[50] = {0};
	(void)state;

	offer(c, 0, 7);
	for (int64_t i = 7; i < 50; i++)
		offer(c, i, 1);
	assert_int_equal(read_rows(c, 1000, counts).rows, 50);
	for (size_t i = 0; i < 50; i++)
		assert_int_equal(counts[i], 1);
	assert_int_equal(read_rows(c, 20, NULL).rows, 20);
	assert_int_equal(facts_of(c).rows, 50);
	assert_int_equal(facts_of(c).seen, 50);
	assert_int_equal(facts_of(c).dropped, 0);
	end(c);
}

/* Pearson's chi-squared over groups of values against an equal chance each; seeds are fixed, so this holds or it does
 * not. */
static double uniform_p(const uint64_t *counts, size_t values, size_t groups, double expected)
{
	double chi2 = 0;
	for (size_t g = 0; g < groups; g++) {
		double got = 0;
		for (size_t i = g * values / groups; i < (g + 1) * values / groups; i++)
			got += (double)counts[i];
		chi2 += (got - expected) * (got - expected) / expected;
	}
	return stat_chi2_upper(chi2, (double)groups - 1);
}

static void every_row_has_the_same_chance(void **state)
{
	enum { ROWS = 2000, LIMIT = 50, RUNS = 400, GROUPS = 40 };
	uint64_t counts[ROWS] = {0};
	(void)state;

	for (uint64_t run = 0; run < RUNS; run++) {
		struct capture *c = make(1 << 20, LIMIT, run);
		/* In requests of 1, 2, 3 ... rows: a row of a batch counts as any other. */
		for (int64_t i = 0, size = 1; i < ROWS; i += size, size = size % 50 + 1)
			offer(c, i, (size_t)(size < ROWS - i ? size : ROWS - i));
		assert_int_equal(read_rows(c, LIMIT, counts).rows, LIMIT);
		end(c);
	}
	assert_true(uniform_p(counts, ROWS, GROUPS, (double)LIMIT * RUNS / GROUPS) > 0.001);
}

/* Traffic that was slow in the older half and is fast now: each row of both counts the same. */
static void both_halves_count_by_their_rows(void **state)
{
	enum { SLOW = 300, FAST = 1700, ROWS = SLOW + FAST, LIMIT = 40, RUNS = 400, GROUPS = 40 };
	uint64_t counts[ROWS] = {0};
	(void)state;

	for (uint64_t run = 0; run < RUNS; run++) {
		struct capture *c = make(1 << 20, LIMIT, 1000 + run);
		for (int64_t i = 0; i < SLOW; i++)
			offer(c, i, 1);
		capture_tick(c, WINDOW_MS / 2);
		for (int64_t i = SLOW; i < ROWS; i++)
			offer(c, i, 1);
		assert_int_equal(read_rows(c, LIMIT, counts).rows, LIMIT);
		end(c);
	}
	assert_true(uniform_p(counts, ROWS, GROUPS, (double)LIMIT * RUNS / GROUPS) > 0.001);
}

/* Who asks for fewer than there are gets any of them, not the first: places are in the order of time while it fills. */
static void a_part_of_the_sample_is_fair_too(void **state)
{
	enum { ROWS = 200, ASKED = 20, RUNS = 400, GROUPS = 20 };
	uint64_t counts[ROWS] = {0};
	struct capture *c = make(1 << 20, ROWS, 5);
	(void)state;

	for (int64_t i = 0; i < ROWS; i++)
		offer(c, i, 1);
	for (int run = 0; run < RUNS; run++)
		assert_int_equal(read_rows(c, ASKED, counts).rows, ASKED);
	assert_true(uniform_p(counts, ROWS, GROUPS, (double)ASKED * RUNS / GROUPS) > 0.001);
	end(c);
}

static void old_rows_leave_with_their_half(void **state)
{
	struct capture *c = make(1 << 20, 10, 3);
	(void)state;

	offer(c, 0, 5);
	capture_tick(c, WINDOW_MS / 2 - 1); /* not yet */
	offer(c, 100, 5);
	assert_int_equal(read_rows(c, 10, NULL).least, 0);
	capture_tick(c, WINDOW_MS / 2);
	offer(c, 200, 2);
	assert_int_equal(read_rows(c, 1000, NULL).rows, 12);
	capture_tick(c, WINDOW_MS);
	struct seen s = read_rows(c, 1000, NULL);
	assert_int_equal(s.rows, 2);
	assert_int_equal(s.least, 200);
	capture_tick(c, 3 * WINDOW_MS);
	assert_int_equal(read_rows(c, 1000, NULL).rows, 0);
	assert_int_equal(facts_of(c).seen, 12);
	assert_int_equal(facts_of(c).rows, 0);
	end(c);
}

/* What does not fit who reads is passed over, not counted. */
static void refused_rows_do_not_count(void **state)
{
	struct capture *c = make(1 << 20, 20, 3);
	struct seen s = {.refuse_below = 15};
	struct err e;
	(void)state;

	offer(c, 0, 20);
	assert_int_equal(capture_read(c, 5, look, &s, &e), 0);
	assert_int_equal(s.rows, 5);
	assert_true(s.least >= 15);
	end(c);
}

/* A request whose inputs share no first dimension is one row, and one without a row is none. */
static void requests_without_rows_stay_whole(void **state)
{
	struct capture *c = make(1 << 20, 20, 3);
	float values[6] = {1, 2, 3, 4, 5, 6};
	struct tensor t[2] = {{DATATYPE_FP32, 2, {3, 2}, 6, values}, {DATATYPE_FP32, 1, {2}, 2, values}};
	struct capture_request request = {.version = 1, .input_count = 2, .inputs = t};
	(void)state;

	assert_int_equal(capture_row_count(&request), 1);
	capture_offer(c, &request);
	t[1].shape[0] = 3;
	t[1].count = 3;
	assert_int_equal(capture_row_count(&request), 3);
	t[0].shape[0] = t[1].shape[0] = 0;
	t[0].count = t[1].count = 0;
	capture_offer(c, &request);
	assert_int_equal(facts_of(c).rows, 1);
	assert_int_equal(facts_of(c).seen, 1);
	end(c);
}

/* --- bounds --- */

static void large_rows_are_left_out(void **state)
{
	struct capture *c = make(1 << 22, 10, 3);
	(void)state;

	offer_text(c, CAPTURE_ROW_MAX);
	offer_text(c, 100);
	assert_int_equal(facts_of(c).too_large, 1);
	assert_int_equal(read_rows(c, 10, NULL).rows, 1);
	end(c);
}

static void memory_is_bounded_and_the_sample_stays_fair(void **state)
{
	enum { ROWS = 1000, LIMIT = 500, RUNS = 300, GROUPS = 20 };
	uint64_t counts[ROWS] = {0};
	size_t rows = 0;
	(void)state;

	for (uint64_t run = 0; run < RUNS; run++) {
		struct capture *c = make(40 << 10, LIMIT, run);
		for (int64_t i = 0; i < ROWS; i++) {
			offer(c, i, 1);
			assert_true(atomic_load(&pool.bytes[0]) + atomic_load(&pool.bytes[1]) <= pool.bytes_max);
		}
		struct seen s = read_rows(c, LIMIT, counts);
		assert_true(s.rows > 20 && s.rows < LIMIT);
		assert_true(facts_of(c).dropped > 0);
		rows += s.rows;
		end(c);
	}
	assert_true(uniform_p(counts, ROWS, GROUPS, (double)rows / GROUPS) > 0.001);
}

/* The younger half finds room however full the older one is. */
static void memory_is_there_for_the_next_half(void **state)
{
	struct capture *c = make(40 << 10, 500, 1);
	(void)state;

	for (int64_t i = 0; i < 1000; i++)
		offer(c, i, 1);
	size_t rows = read_rows(c, 500, NULL).rows;
	for (int turn = 1; turn < 5; turn++) {
		capture_tick(c, turn * WINDOW_MS / 2);
		for (int64_t i = 0; i < 1000; i++)
			offer(c, 1000 + i, 1);
		assert_in_range(read_rows(c, 500, NULL).rows, rows / 2, 2 * rows);
	}
	end(c);
}

static void places_need_room_too(void **state)
{
	struct capture *c = NULL;
	struct err e;
	(void)state;

	pool.bytes_max = 1 << 10;
	assert_int_equal(capture_new(&pool, CAPTURE_ROWS_MAX, 0, 1, &c, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
	assert_int_equal(atomic_load(&pool.bytes[0]), 0);
	assert_int_equal(atomic_load(&pool.bytes[1]), 0);
}

static void strings_of_any_size_stay_in_bounds(void **state)
{
	struct capture *c = make(256 << 10, 1000, 1);
	uint64_t size = 1;
	(void)state;

	for (int i = 0; i < 100000; i++) {
		size = size * 6364136223846793005u + 1442695040888963407u;
		offer_text(c, (size >> 33) % 2000);
		if (i % 10000 == 0)
			capture_tick(c, i);
		assert_true(atomic_load(&pool.bytes[0]) + atomic_load(&pool.bytes[1]) <= pool.bytes_max);
	}
	struct capture_facts facts = facts_of(c);
	assert_int_equal(facts.seen, 100000);
	assert_true(facts.bytes <= pool.bytes_max && facts.rows > 10);
	end(c);
}

/* --- threads --- */

struct shared {
	struct capture *c;
	atomic_bool done;
};

static void *offering(void *context)
{
	struct shared *s = context;
	for (int64_t i = 0; i < 20000; i++)
		offer(s->c, i, 1 + (size_t)i % 3);
	capture_release(s->c);
	return NULL;
}

static void *reading(void *context)
{
	struct shared *s = context;
	for (int64_t i = 1; !atomic_load(&s->done); i++) {
		assert_true(read_rows(s->c, 64, NULL).rows <= 64);
		capture_facts(s->c, &(struct capture_facts){0});
		if (i % 8 == 0)
			capture_tick(s->c, i * WINDOW_MS);
	}
	return NULL;
}

static void threads_offer_while_others_read(void **state)
{
	struct shared s = {.c = make(1 << 20, 64, 1)};
	pthread_t threads[4];
	(void)state;

	for (int i = 0; i < 3; i++) {
		capture_hold(s.c);
		pthread_create(&threads[i], NULL, offering, &s);
	}
	pthread_create(&threads[3], NULL, reading, &s);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&s.done, true);
	pthread_join(threads[3], NULL);
	assert_int_equal(facts_of(s.c).seen, 3 * (20000 + 6667 + 2 * 6666));
	end(s.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keeps_all_while_there_is_room),
	    cmocka_unit_test(every_row_has_the_same_chance),
	    cmocka_unit_test(both_halves_count_by_their_rows),
	    cmocka_unit_test(a_part_of_the_sample_is_fair_too),
	    cmocka_unit_test(old_rows_leave_with_their_half),
	    cmocka_unit_test(refused_rows_do_not_count),
	    cmocka_unit_test(requests_without_rows_stay_whole),
	    cmocka_unit_test(large_rows_are_left_out),
	    cmocka_unit_test(memory_is_bounded_and_the_sample_stays_fair),
	    cmocka_unit_test(memory_is_there_for_the_next_half),
	    cmocka_unit_test(places_need_room_too),
	    cmocka_unit_test(strings_of_any_size_stay_in_bounds),
	    cmocka_unit_test(threads_offer_while_others_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
