/* Benchmarks: verdicts of pairs whose noise is known, and how often they err. */
#include "core/test/bench_rows.h"
#include "core/test/benchmark_json.h"
#include "core/test/benchmark_plots.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>

#define SIMULATED 400

static double normal(uint64_t *state)
{
	double u = ((double)(bench_random(state) >> 11) + 1) * 0x1p-53;
	double v = (double)(bench_random(state) >> 11) * 0x1p-53;
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* A machine: what it does in the seconds of a pair, of a launch, and now and then to a launch as a whole. */
struct machine {
	double pair_sd, launch_sd, batch_sd; /* of logarithms */
	double hiccups;                      /* the part of the launches that take half as long again */
};

static struct benchmark_launch simulate(const struct machine *m, double pair, double slower, uint64_t *state)
{
	double launch = pair + m->launch_sd * normal(state);
	struct benchmark_launch l = {.peak_bytes = 2e7, .load_ns = 1e6 * exp(launch)};

	if ((double)(bench_random(state) >> 11) * 0x1p-53 < m->hiccups)
		launch += log(1.5);
	for (size_t i = 0; i < 3; i++)
		l.ns_per_row[i] = 2000 * slower * exp(launch + m->batch_sd * normal(state));
	return l;
}

static struct benchmark begin(double ratio_max, struct benchmark_plan plan)
{
	return (struct benchmark){
	    .batch_count = 3, .batches = {1, 16, 256}, .ratio_max = ratio_max, .memory_max = 1.5, .plan = plan};
}

static void run(struct benchmark *b, const struct machine *m, double slower, uint64_t *state)
{
	struct err e;
	bool done = false;

	while (!done) {
		double pair = m->pair_sd * normal(state);
		struct benchmark_launch old_launch = simulate(m, pair, 1, state);
		struct benchmark_launch new_launch = simulate(m, pair, slower, state);
		assert_int_equal(benchmark_add(b, &old_launch, &new_launch, &e), 0);
		if (benchmark_due(b))
			assert_int_equal(benchmark_judge(b, &done, &e), 0);
	}
}

/* How many of SIMULATED benchmarks end with the verdict. */
static int count(const struct machine *m, double slower, double ratio_max, enum benchmark_verdict verdict)
{
	uint64_t state = 20260301;
	int found = 0;

	for (int i = 0; i < SIMULATED; i++) {
		struct benchmark b = begin(ratio_max, benchmark_plan_make(false, 0));
		run(&b, m, slower, &state);
		found += b.verdict == verdict;
	}
	return found;
}

static const struct machine quiet = {.pair_sd = 0.02, .launch_sd = 0.02, .batch_sd = 0.01};
static const struct machine busy = {.pair_sd = 0.2, .launch_sd = 0.04, .batch_sd = 0.02, .hiccups = 0.05};
static const struct machine wild = {.pair_sd = 0.3, .launch_sd = 0.4, .batch_sd = 0.1, .hiccups = 0.2};

static void twins_are_no_regression(void **unused)
{
	(void)unused;
	/* At most 7% of runs. */
	assert_true(count(&quiet, 1, 1.05, BENCHMARK_REGRESSION) * 100 <= 7 * SIMULATED);
	assert_true(count(&busy, 1, 1.05, BENCHMARK_REGRESSION) * 100 <= 7 * SIMULATED);
	assert_true(count(&wild, 1, 1.05, BENCHMARK_REGRESSION) * 100 <= 7 * SIMULATED);
	/* Nor with a threshold that almost nothing keeps, and not just below it. */
	assert_true(count(&busy, 1, 1.005, BENCHMARK_REGRESSION) * 100 <= 7 * SIMULATED);
	assert_true(count(&busy, 1.05, 1.05, BENCHMARK_REGRESSION) * 100 <= 7 * SIMULATED);
}

static void a_tenth_more_is_caught(void **unused)
{
	(void)unused;
	assert_true(count(&quiet, 1.1, 1.05, BENCHMARK_REGRESSION) * 100 >= 90 * SIMULATED);
	assert_true(count(&busy, 1.1, 1.05, BENCHMARK_REGRESSION) * 100 >= 90 * SIMULATED);
}

static void twins_pass_on_a_quiet_machine(void **unused)
{
	(void)unused;
	assert_true(count(&quiet, 1, 1.05, BENCHMARK_PASS) * 100 >= 99 * SIMULATED);
}

static void noise_is_said(void **unused)
{
	(void)unused;
	uint64_t state = 7;
	struct benchmark b = begin(1.05, benchmark_plan_make(true, 0));
	struct finding findings[FINDINGS_MAX];
	char text[300];

	assert_true(count(&wild, 1, 1.05, BENCHMARK_INCONCLUSIVE) * 100 >= 90 * SIMULATED);
	run(&b, &wild, 1, &state);
	assert_int_equal(b.verdict, BENCHMARK_INCONCLUSIVE);
	assert_true(b.times[0].noisy);
	benchmark_summary(&b, "v3", "v2", text, sizeof text);
	assert_non_null(strstr(text, "too noisy"));
	assert_int_equal(benchmark_findings(&b, findings), 5);
	assert_int_equal(findings_verdict(findings, 5), FINDING_WAIT);
	assert_non_null(strstr(findings[0].text, "too noisy"));
}

static void looks_end_with_the_verdict(void **unused)
{
	(void)unused;
	static const struct machine still = {0};
	uint64_t state = 7;
	struct benchmark b = begin(1.05, benchmark_plan_make(false, 0));

	run(&b, &quiet, 2, &state);
	assert_int_equal(b.verdict, BENCHMARK_REGRESSION);
	assert_int_equal(b.pair_count, 12);
	b = begin(1.05, benchmark_plan_make(false, 0));
	run(&b, &wild, 1, &state);
	assert_int_equal(b.pair_count, 48);
	assert_int_equal(b.looks_done, 3);
	b = begin(1.05, benchmark_plan_make(false, 20));
	run(&b, &still, 1, &state);
	assert_int_equal(b.pair_count, 20);
	assert_int_equal(b.verdict, BENCHMARK_PASS);
	assert_true(b.times[0].ratio == 1 && b.times[0].p == 1);
}

static void a_memory_hog_is_a_regression(void **unused)
{
	(void)unused;
	struct benchmark b = begin(1.05, benchmark_plan_make(true, 0));
	const struct benchmark_launch small = {{2000, 2000, 2000}, 2e7, 1e6}, large = {{2000, 2000, 2000}, 4e7, 1e6};
	char text[300];
	struct err e;
	bool done;

	for (int i = 0; i < 8; i++)
		assert_int_equal(benchmark_add(&b, &small, &large, &e), 0);
	assert_true(benchmark_due(&b));
	assert_int_equal(benchmark_judge(&b, &done, &e), 0);
	assert_true(done && b.verdict == BENCHMARK_REGRESSION && b.times[0].verdict == BENCHMARK_PASS);
	benchmark_summary(&b, "v3", "v2", text, sizeof text);
	assert_string_equal(text,
			    "in memory v3 needs 2.000 times as much as v2 (2.000 to 2.000), more than 1.5, 8 pairs");
}

/* While it runs the same figures are shown as a look has, and they are none. */
static void plots_grow_with_the_pairs(void **unused)
{
	(void)unused;
	uint64_t state = 7;
	struct plot plots[PLOTS_MAX];
	struct benchmark b = begin(1.05, benchmark_plan_make(false, 0));
	const struct benchmark_launch fast = {{2000, 2000, 2000}, 2e7, 1e6}, slow = {{3000, 2000, 2000}, 4e7, 1e6};
	struct err e;

	assert_int_equal(benchmark_plots(&b, "v3", "v2", plots), 0);
	assert_int_equal(benchmark_add(&b, &fast, &slow, &e), 0);
	assert_int_equal(benchmark_estimate(&b, &e), 0);
	assert_int_equal(benchmark_plots(&b, "v3", "v2", plots), 2);
	assert_true(plots[0].count == 3 && fabs(plots[0].y[0] - 1.5) < 1e-12);
	for (int i = 1; i < 12; i++)
		assert_int_equal(benchmark_add(&b, &fast, &slow, &e), 0);
	assert_int_equal(benchmark_estimate(&b, &e), 0);
	assert_true(b.looks_done == 0 && benchmark_due(&b));
	benchmark_plots(&b, "v3", "v2", plots);
	assert_true(plots[0].bad[0] && !plots[0].bad[1] && plots[1].bad[0] && !plots[1].bad[1]);
	assert_true(plots[0].low[0] == b.times[0].interval.low && plots[0].marks[0].value == 1.05);
	assert_string_equal(plots[0].title, "time of a row, v3 to v2");
	/* The same as the look has. */
	b = begin(1.05, benchmark_plan_make(false, 0));
	run(&b, &quiet, 1.2, &state);
	const struct benchmark judged = b;
	assert_int_equal(benchmark_estimate(&b, &e), 0);
	assert_memory_equal(&b, &judged, sizeof b);
}

static void what_is_no_time_is_refused(void **unused)
{
	(void)unused;
	struct benchmark b = begin(1.05, benchmark_plan_make(true, 0));
	const struct benchmark_launch good = {{1, 1, 1}, 1, 1};
	struct benchmark_launch bad = good;
	struct err e;

	bad.ns_per_row[2] = (double)NAN;
	assert_int_equal(benchmark_add(&b, &good, &bad, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	bad.ns_per_row[2] = 0;
	assert_int_equal(benchmark_add(&b, &bad, &good, &e), -1);
	assert_int_equal(b.pair_count, 0);
	for (int i = 0; i < BENCHMARK_PAIRS_MAX; i++)
		assert_int_equal(benchmark_add(&b, &good, &good, &e), 0);
	assert_int_equal(benchmark_add(&b, &good, &good, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
}

static void a_ratio_is_judged_by_its_interval(void **unused)
{
	(void)unused;
	bool noisy;
#define JUDGE(ratio, low, high, p) \
	benchmark_judge_ratio(ratio, (struct stat_interval){low, high}, p, 1.05, 0.05, &noisy)
	assert_int_equal(JUDGE(1.1, 1.06, 1.14, 0.001), BENCHMARK_REGRESSION);
	assert_int_equal(JUDGE(1.1, 1.06, 1.14, 0.06), BENCHMARK_INCONCLUSIVE);
	assert_int_equal(JUDGE(1.07, 1.04, 1.1, 0.001), BENCHMARK_INCONCLUSIVE);
	assert_false(noisy);
	assert_int_equal(JUDGE(1.03, 1.0, 1.06, 0.04), BENCHMARK_PASS);
	assert_int_equal(JUDGE(1.0, 0.9, 1.1, 1), BENCHMARK_INCONCLUSIVE);
	assert_true(noisy);
	assert_int_equal(JUDGE(0.5, 0.3, 0.9, 0.001), BENCHMARK_PASS);
#undef JUDGE
}

static void a_report_has_its_figures(void **unused)
{
	(void)unused;
	uint64_t state = 7;
	struct benchmark b = begin(1.05, benchmark_plan_make(true, 0));
	const struct bench_run of = {.seed = UINT64_MAX, .new_side = {.engine = "forest"}};
	const struct bench_source source = {.origin = "data", .text = "rows"};
	const struct benchmark_facts facts = {.model = "m", .version = 3, .against = 2, .run = &of, .source = &source};

	run(&b, &quiet, 1.2, &state);
	cJSON *json = benchmark_report(&b, &facts, "said");
	const cJSON *batch = cJSON_GetObjectItemCaseSensitive(json, "batch_16");
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "verdict")->valuestring, "regression");
	assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "passed")));
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "seed")->valuestring, "18446744073709551615");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(batch, "old_values")), 8);
	assert_true(cJSON_GetObjectItemCaseSensitive(batch, "ratio")->valuedouble == b.times[1].ratio);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "findings")), 5);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "plots")), 2);
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(twins_are_no_regression),       cmocka_unit_test(a_tenth_more_is_caught),
	    cmocka_unit_test(twins_pass_on_a_quiet_machine), cmocka_unit_test(noise_is_said),
	    cmocka_unit_test(looks_end_with_the_verdict),    cmocka_unit_test(a_memory_hog_is_a_regression),
	    cmocka_unit_test(what_is_no_time_is_refused),    cmocka_unit_test(a_ratio_is_judged_by_its_interval),
	    cmocka_unit_test(a_report_has_its_figures),      cmocka_unit_test(plots_grow_with_the_pairs),
	};
	return cmocka_run_group_tests_name("benchmark", tests, NULL, NULL);
}
