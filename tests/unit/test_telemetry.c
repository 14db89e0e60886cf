/* Windows, totals, percentiles, baselines and what is counted from several threads at once. */
#include "runtime/telemetry/telemetry_internal.h"
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

/* One answered request of one row a prediction. */
static void record(struct telemetry *t, uint64_t latency_ns, const double *predictions, size_t count)
{
	const struct telemetry_sample sample = {.latency_ns = latency_ns, .rows = count};
	telemetry_record_ok(t, &sample, predictions, count);
}

static void one_second_is_one_window(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(&b);
	const double values[] = {0.5, NAN, 1.5, -1};

	telemetry_tick(t, 100);
	record(t, 50000, values, 4);
	telemetry_record_error(t, ERR_SYSTEM, 1000);
	telemetry_record_error(t, ERR_INPUT, 1000);
	telemetry_record_error(t, ERR_TOO_LARGE, 1000);
	telemetry_tick(t, 101);
	struct snapshot_version_stats s = {0};
	telemetry_read(t, 101, 60, &s, NULL);
	assert_int_equal(s.stats.requests, 4);
	assert_int_equal(s.stats.refused, 2);
	assert_int_equal(s.stats.errors, 1);
	assert_true(snapshot_error_percent(&s.stats) == 50);
	assert_int_equal(s.predictions.nan, 1);
	assert_int_equal(s.predictions.above, 1);
	assert_int_equal(s.predictions.below, 1);
	assert_int_equal(s.series_rps[SNAPSHOT_SERIES - 1], 4);
	assert_true(fabs((double)s.stats.latency.p50_ns - 50000) < 500);
	assert_true(s.predictions.mean > 0.33 && s.predictions.mean < 0.34);

	/* The window slides: after 60 seconds nothing is left of it. */
	telemetry_tick(t, 161);
	memset(&s, 0, sizeof s);
	telemetry_read(t, 161, 60, &s, NULL);
	assert_int_equal(s.stats.requests, 0);
	telemetry_free(t);
}

/* A fresh canary: its version is loaded for long, its requests began within the window. */
static void a_rate_is_over_the_time_of_service(void **state)
{
	(void)state;
	struct telemetry *t = telemetry_new(NULL);
	const double value = 1;

	telemetry_tick(t, 100);
	for (int64_t second = 200; second < 240; second++) {
		for (int i = 0; i < 4; i++)
			record(t, 50000, &value, 1);
		telemetry_tick(t, second);
		if (second == 204) { /* one that is not there yet for ten seconds */
			struct snapshot_version_stats first = {0};
			telemetry_read(t, second, 60, &first, NULL);
			assert_true(first.stats.rate_rps == 2);
		}
	}
	struct snapshot_version_stats s = {0};
	telemetry_read(t, 239, 60, &s, NULL);
	assert_true(s.stats.rate_rps == 4);
	/* It stops: the window is what counts from then on. */
	telemetry_tick(t, 279);
	memset(&s, 0, sizeof s);
	telemetry_read(t, 279, 60, &s, NULL);
	assert_int_equal(s.stats.requests, 80);
	assert_true(s.stats.rate_rps == 80.0 / 60);
	telemetry_free(t);
}

#define THREADS 4
#define PER_THREAD 50000

static void *record_many(void *context)
{
	const double value = 0.25;
	for (int i = 0; i < PER_THREAD; i++)
		record(context, 1000 + (uint64_t)i % 100, &value, 1);
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
	/* Ticking and reading meanwhile must neither lose nor double anything, and totals never fall. */
	struct telemetry_totals totals, earlier = {0};
	uint64_t latency[HISTOGRAM_BUCKETS];
	for (int64_t second = 1; second <= 20; second++) {
		telemetry_read_totals(t, &totals, NULL);
		assert_true(totals.ok >= earlier.ok && totals.rows >= earlier.rows);
		assert_true(totals.latency_ns >= earlier.latency_ns);
		earlier = totals;
		telemetry_tick(t, second);
	}
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
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(totals.ok, THREADS * PER_THREAD);
	uint64_t requests = 0;
	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		requests += latency[i];
	assert_int_equal(requests, totals.ok);
	assert_int_equal(totals.rows, THREADS * PER_THREAD);
	assert_int_equal(totals.latency_ns, THREADS * (PER_THREAD * UINT64_C(1000) + PER_THREAD / 100 * 4950));
	assert_true(totals.prediction_sum == THREADS * PER_THREAD * 0.25);
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
		record(t, 1000, &value, 1);
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
	record(t, 10, &value, 1);            /* below the axis */
	record(t, 15000, &value, 1);         /* 15 µs: bin 11 */
	record(t, 100000000000u, &value, 1); /* beyond it */
	telemetry_tick(t, 1);
	struct snapshot_version_stats s = {0};
	telemetry_read(t, 1, 60, &s, NULL);
	assert_int_equal(s.stats.latency.counts[0], 1);
	assert_int_equal(s.stats.latency.counts[11], 1);
	assert_int_equal(s.stats.latency.counts[SNAPSHOT_LATENCY_BINS - 1], 1);
	telemetry_free(t);
}

static void totals_hold_every_part(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(&b);
	const struct telemetry_sample sample = {50000, 1, 20, 300, 4000, 7};
	const double values[] = {0.5, NAN, 1.5, -1, INFINITY};
	struct telemetry_totals totals;
	uint64_t latency[HISTOGRAM_BUCKETS];

	telemetry_record_ok(t, &sample, values, 5);
	telemetry_tick(t, 1);
	telemetry_record_ok(t, &sample, NULL, 0); /* nothing of it was a number; no tick since */
	telemetry_record_error(t, ERR_INPUT, 10);
	telemetry_record_error(t, ERR_UPSTREAM, 200);
	telemetry_record_error(t, ERR_BUSY, 3000); /* 429, but no caller can mend a full queue */
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(totals.ok, 2);
	assert_int_equal(latency[histogram_bucket(50000)], 2);
	assert_int_equal(totals.latency_ns, 100000);
	assert_int_equal(totals.queue_ns, 2);
	assert_int_equal(totals.input_ns, 40);
	assert_int_equal(totals.infer_ns, 600);
	assert_int_equal(totals.output_ns, 8000);
	assert_int_equal(totals.rows, 14);
	assert_int_equal(totals.refused, 1);
	assert_int_equal(totals.refused_ns, 10);
	assert_int_equal(totals.errors, 2);
	assert_int_equal(totals.error_ns, 3200);
	assert_true(totals.last_ms > 1600000000000);
	assert_int_equal(totals.bin_count, b.bin_count);
	assert_memory_equal(totals.edges, b.edges, sizeof b.edges);
	assert_int_equal(totals.predictions[baseline_bin(&b, 0.5)], 1);
	assert_int_equal(totals.below, 1);
	assert_int_equal(totals.above, 2); /* infinity too, but not in the sum */
	assert_int_equal(totals.nan, 1);
	assert_true(totals.prediction_sum == 1);
	telemetry_free(t);
}

/* The counters of a thread are driven to their end instead of 4 billion requests. */
static void totals_do_not_wrap(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(&b);
	const double value = 0.5;
	const uint32_t bucket = histogram_bucket(1000), bin = (uint32_t)baseline_bin(&b, value);
	struct telemetry_totals totals;
	uint64_t latency[HISTOGRAM_BUCKETS];
	struct recorder *r = NULL;

	record(t, 1000, &value, 1);
	for (size_t i = 0; r == NULL && i < TELEMETRY_THREADS; i++)
		r = t->recorders[i];
	assert_non_null(r);
	r->latency[bucket] = r->predictions[bin] = UINT32_MAX;
	telemetry_tick(t, 1);
	record(t, 1000, &value, 1);
	record(t, 1000, &value, 1);
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(totals.ok, UINT32_MAX + UINT64_C(2));
	assert_int_equal(totals.predictions[bin], UINT32_MAX + UINT64_C(2));
	telemetry_tick(t, 2);
	record(t, 1000, &value, 1);
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(latency[bucket], UINT32_MAX + UINT64_C(3));

	struct snapshot_version_stats s = {0};
	telemetry_read(t, 2, 1, &s, NULL);
	assert_int_equal(s.stats.requests, 2);
	telemetry_free(t);
}

/* What was gathered towards a baseline is in no bucket, so it is not in the histogram's sum either. */
static void gathered_predictions_are_not_in_the_sum(void **state)
{
	(void)state;
	struct baseline b = ten_bins();
	struct telemetry *t = telemetry_new(NULL);
	const double values[] = {0.25, NAN};
	struct telemetry_totals totals;
	uint64_t latency[HISTOGRAM_BUCKETS];
	struct snapshot_version_stats s = {0};

	record(t, 1000, values, 2);
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(totals.bin_count, 0);
	assert_int_equal(totals.nan, 1);
	telemetry_set_baseline(t, &b);
	const double later = 0.75;
	record(t, 1000, &later, 1);
	telemetry_read_totals(t, &totals, latency);
	assert_int_equal(totals.bin_count, b.bin_count);
	assert_true(totals.prediction_sum == 0.75);

	telemetry_tick(t, 1); /* the window's mean knows both */
	telemetry_read(t, 1, 60, &s, NULL);
	assert_true(s.predictions.mean == 0.5);
	telemetry_free(t);
}

/* A version is counted in the bins of another, too, for as long as that is wanted. */
static void predictions_are_compared(void **state)
{
	(void)state;
	struct baseline live = ten_bins(), other = live;
	struct telemetry *t = telemetry_new(NULL);
	struct telemetry_compared c;
	const double values[] = {0.5, NAN, 1.5, -1, 0.5};

	record(t, 50000, values, 5);
	telemetry_read_compared(t, &c);
	assert_int_equal(c.bin_count, 0);
	assert_int_equal(telemetry_compare(t, &live), 0);
	record(t, 50000, values, 5);
	assert_int_equal(telemetry_compare(t, &live), 0);
	record(t, 50000, values, 5);
	telemetry_read_compared(t, &c);
	assert_int_equal(c.bin_count, live.bin_count);
	assert_memory_equal(c.edges, live.edges, sizeof c.edges);
	assert_int_equal(c.counts[baseline_bin(&live, 0.5)], 4);
	assert_int_equal(c.below, 2);
	assert_int_equal(c.above, 2);
	assert_int_equal(c.nan, 2);

	/* In other bins it goes on with the same counts: differences are what is asked for. */
	other.edges[other.bin_count] = 2;
	assert_int_equal(telemetry_compare(t, &other), 0);
	record(t, 50000, values, 5);
	telemetry_read_compared(t, &c);
	assert_true(c.edges[c.bin_count] == 2);
	assert_int_equal(c.above, 2);
	/* Ended, nothing is counted any more, and nothing is forgotten. */
	assert_int_equal(telemetry_compare(t, NULL), 0);
	record(t, 50000, values, 5);
	telemetry_read_compared(t, &c);
	assert_int_equal(c.bin_count, 0);
	assert_int_equal(c.nan, 3);
	telemetry_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_rate_is_over_the_time_of_service),
	    cmocka_unit_test(one_second_is_one_window),
	    cmocka_unit_test(nothing_is_lost_between_threads),
	    cmocka_unit_test(first_predictions_become_the_baseline),
	    cmocka_unit_test(latencies_fall_into_chart_bins),
	    cmocka_unit_test(totals_hold_every_part),
	    cmocka_unit_test(predictions_are_compared),
	    cmocka_unit_test(totals_do_not_wrap),
	    cmocka_unit_test(gathered_predictions_are_not_in_the_sum),
	};
	return cmocka_run_group_tests_name("telemetry", tests, NULL, NULL);
}
