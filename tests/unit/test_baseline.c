/* Baselines: bins that hold their reference, agree with their edges, and survive JSON exactly. */
#include "core/baseline.h"
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static void check_edges(const struct baseline *b)
{
	assert_true(b->bin_count >= 1 && b->bin_count <= BASELINE_BINS_MAX);
	for (uint32_t i = 0; i < b->bin_count; i++) {
		assert_true(b->edges[i] < b->edges[i + 1]);
		/* An edge belongs to the bin that it opens; what is just below it does not. */
		assert_int_equal(baseline_bin(b, b->edges[i]), (int)i);
		assert_int_equal(baseline_bin(b, nextafter(b->edges[i + 1], -INFINITY)), (int)i);
	}
	assert_int_equal(baseline_bin(b, b->edges[b->bin_count]), (int)b->bin_count - 1);
	assert_int_equal(baseline_bin(b, nextafter(b->edges[b->bin_count], INFINITY)), BASELINE_ABOVE);
	assert_int_equal(baseline_bin(b, nextafter(b->edges[0], -INFINITY)), BASELINE_BELOW);
	assert_int_equal(baseline_bin(b, NAN), BASELINE_NAN);
	assert_int_equal(baseline_bin(b, INFINITY), BASELINE_ABOVE);
	assert_int_equal(baseline_bin(b, -INFINITY), BASELINE_BELOW);
}

static void check_json(const struct baseline *b)
{
	cJSON *json = baseline_to_json(b);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	free(text);
	struct baseline back;
	assert_int_equal(baseline_from_json(&back, json, NULL), 0);
	cJSON_Delete(json);
	assert_string_equal(back.source, b->source);
	assert_true(back.count == b->count && back.nan == b->nan);
	assert_int_equal(back.bin_count, b->bin_count);
	for (uint32_t i = 0; i < b->bin_count; i++) {
		assert_true(back.edges[i] == b->edges[i]);
		assert_true(back.counts[i] == b->counts[i]);
	}
	assert_true(back.edges[b->bin_count] == b->edges[b->bin_count]);
	for (int i = 0; i < BASELINE_QUANTILES; i++)
		assert_true(back.quantiles[i] == b->quantiles[i]);
}

static void unbounded(void **state)
{
	(void)state;
	/* Pairs of least and greatest, among them the awkward ones. */
	static const double spans[][2] = {
	    {-3, 7},         {0, 0},           {5, 5},           {-1e300, -1e300},
	    {-1e308, 1e308}, {0, DBL_MIN / 4}, {1e16, 1e16 + 2}, {0.1, 0.1000000001},
	    {1e308, 1e308},  {1e-200, 2e-200},
	};
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		double values[] = {spans[i][1], NAN, spans[i][0], spans[i][0]};
		struct baseline b;
		assert_int_equal(baseline_make(&b, values, 4, 0, false, "rows", NULL), 0);
		check_edges(&b);
		check_json(&b);
		assert_true(b.count == 4 && b.nan == 1);
		assert_true(b.minimum <= b.maximum);
		uint64_t sum = 0;
		for (uint32_t bin = 0; bin < b.bin_count; bin++)
			sum += b.counts[bin];
		assert_true(sum == 3);
		assert_true(baseline_bin(&b, spans[i][0]) >= 0);
		assert_true(baseline_bin(&b, spans[i][1]) >= 0);
	}
}

static void quantiles(void **state)
{
	(void)state;
	double values[101];
	for (int i = 0; i <= 100; i++)
		values[i] = 100 - i;
	struct baseline b;
	assert_int_equal(baseline_make(&b, values, 101, 0, false, "live", NULL), 0);
	for (int i = 0; i < BASELINE_QUANTILES; i++)
		assert_true(fabs(b.quantiles[i] - 10 * (i + 1)) < 1e-9);
}

static void bounded(void **state)
{
	(void)state;
	double values[] = {0, 1, 0.5, 0.25, 1.5, INFINITY};
	struct baseline b;
	assert_int_equal(baseline_make(&b, values, 6, 0, true, "rows", NULL), 0);
	check_edges(&b);
	assert_true(b.edges[0] == 0 && b.edges[b.bin_count] == 1);
	assert_true(b.counts[0] == 1 && b.counts[b.bin_count - 1] == 1);
	double classes[] = {0, 1, 2, 2};
	assert_int_equal(baseline_make(&b, classes, 4, 3, false, "rows", NULL), 0);
	check_edges(&b);
	assert_int_equal(b.bin_count, 3);
	assert_true(b.counts[0] == 1 && b.counts[1] == 1 && b.counts[2] == 2);
	double many[] = {0, 999};
	assert_int_equal(baseline_make(&b, many, 2, 1000, false, "rows", NULL), 0);
	check_edges(&b);
	assert_true(b.counts[0] == 1 && b.counts[63] == 1);
}

static void refusals(void **state)
{
	(void)state;
	double nothing[] = {NAN, DBL_MAX};
	struct baseline b;
	struct err e = {0};
	assert_int_equal(baseline_make(&b, nothing, 2, 0, false, "rows", &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	double values[] = {1, 2};
	assert_int_equal(baseline_make(&b, values, 2, 0, false, "rows", NULL), 0);
	static const char *const fields[] = {"source",  "count", "nan",    "minimum",
					     "maximum", "edges", "counts", "quantiles"};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		cJSON *json = baseline_to_json(&b);
		cJSON_ReplaceItemInObject(json, fields[i], cJSON_CreateBool(true));
		struct baseline kept = b;
		assert_int_equal(baseline_from_json(&b, json, &e), -1);
		assert_non_null(strstr(e.text, fields[i]));
		assert_memory_equal(&kept, &b, sizeof b);
		cJSON_Delete(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unbounded),
	    cmocka_unit_test(quantiles),
	    cmocka_unit_test(bounded),
	    cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
