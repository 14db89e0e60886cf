/* Windows, percentiles, baselines and what is counted from several threads at once. */
#include "runtime/telemetry.h"
#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

static struct baseline ten_bins(void)
{
	double values[100];
	struct baseline b;
	struct err e;
	for (int i = 0; i < 100; i++)
		values[i] = (i + 0.5) / 100;
	assert_int_equal(baseline_make(&b, values, 100, 0, true, "rows", &e), 0);
	return b;
}

static void one_second_is_one_window(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(&b);
	const double values[] = {0.5, NAN, 1.5, -1};

	telemetry_tick(t, 100);
	telemetry_record_ok(t, 50000, values, 4);
	telemetry_record_error(t);
	telemetry_tick(t, 101);
	struct snapshot_version_stats s = {0};
	telemetry_read(t, 101, 60, &s, NULL);
	assert_int_equal(s.stats.requests, 2);
	assert_int_equal(s.stats.errors, 1);
	assert_int_equal(s.predictions.nan, 1);
	assert_int_equal(s.predictions.above, 1);
	assert_int_equal(s.predictions.below, 1);
	assert_int_equal(s.series_rps[SNAPSHOT_SERIES - 1], 2);
	assert_true(fabs((double)s.stats.latency.p50_ns - 50000) < 500);
	assert_true(s.predictions.mean > 0.33 && s.predictions.mean < 0.34);

	/* The window slides: after 60 seconds nothing is left of it. */
	telemetry_tick(t, 161);
	memset(&s, 0, sizeof s);
	telemetry_read(t, 161, 60, &s, NULL);
	assert_int_equal(s.stats.requests, 0);
	telemetry_free(t);
}

#define THREADS 4
#define PER_THREAD 50000

static void *record_many(void *context)
{
	const double value = 0.25;
	for (int i = 0; i < PER_THREAD; i++)
		telemetry_record_ok(context, 1000 + (uint64_t)i % 100, &value, 1);
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(&b);
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, record_many, t), 0);
	/* Ticking meanwhile must neither lose nor double anything. */
	for (int64_t second = 1; second <= 20; second++)
		telemetry_tick(t, second);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	telemetry_tick(t, 21);

	struct snapshot_version_stats s = {0};
	telemetry_read(t, 21, 60, &s, NULL);
	assert_int_equal(s.stats.requests, THREADS * PER_THREAD);
	uint64_t predictions = 0;
	for (int i = 0; i < BASELINE_BINS_MAX; i++)
		predictions += s.predictions.counts[i];
	assert_int_equal(predictions, THREADS * PER_THREAD);
	telemetry_free(t);
}

static void first_predictions_become_the_baseline(void **state)
{
	(void)state;
	static double values[BASELINE_LEARN_COUNT];
	struct telemetry *t = telemetry_new(NULL);
	for (int i = 0; i < BASELINE_LEARN_COUNT; i++) {
		assert_false(telemetry_gathered(t, values));
		const double value = i;
		telemetry_record_ok(t, 1000, &value, 1);
	}
	assert_true(telemetry_gathered(t, values));
	assert_true(values[999] == 999);
	assert_false(telemetry_gathered(t, values)); /* only once */
	telemetry_free(t);
}

static void latencies_fall_into_chart_bins(void **state)
{
	(void)state;
	struct telemetry *t = telemetry_new(NULL);
	const double value = 1;
	telemetry_record_ok(t, 10, &value, 1);		    /* below the axis */
	telemetry_record_ok(t, 15000, &value, 1);	    /* 15 µs: bin 11 */
	telemetry_record_ok(t, 100000000000u, &value, 1); /* beyond it */
	telemetry_tick(t, 1);
	struct snapshot_version_stats s = {0};
	telemetry_read(t, 1, 60, &s, NULL);
	assert_int_equal(s.stats.latency.counts[0], 1);
	assert_int_equal(s.stats.latency.counts[11], 1);
	assert_int_equal(s.stats.latency.counts[SNAPSHOT_LATENCY_BINS - 1], 1);
	telemetry_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_second_is_one_window),
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(first_predictions_become_the_baseline),
		cmocka_unit_test(latencies_fall_into_chart_bins),
	};
	return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
