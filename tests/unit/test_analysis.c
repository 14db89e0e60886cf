/* Analyses: what passes, waits and fails, and how often a good version fails though it is looked at all the time. */
#include "core/analysis.h"
#include "core/route.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	struct policy thresholds;
	struct analysis_arm version, live;
};

static struct pair *new_pair(void)
{
	struct pair *p = calloc(1, sizeof *p);
	policy_init(&p->thresholds);
	p->version.version = 3;
	p->live.version = 2;
	return p;
}

/* Bins of [0, 1], as a probability has them. */
static void set_bins(struct analysis_arm *arm, double low, double high)
{
	arm->bin_count = BASELINE_BINS_MAX;
	for (uint32_t i = 0; i <= BASELINE_BINS_MAX; i++)
		arm->edges[i] = low + (high - low) * i / BASELINE_BINS_MAX;
}

static struct finding judge(const struct pair *p, const char *name)
{
	const struct analysis_input input = {.thresholds = &p->thresholds, .version = &p->version, .live = &p->live};
	struct finding findings[FINDINGS_MAX];
	size_t count = analysis_judge(&input, findings, FINDINGS_MAX);
	assert_int_equal(count, analysis_count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].name, name) == 0)
			return findings[i];
	fail_msg("there is no %s", name);
	return findings[0];
}

static void check(const struct pair *p, const char *name, enum finding_verdict verdict, const char *text)
{
	struct finding f = judge(p, name);
	if (f.verdict != verdict || strstr(f.text, text) == NULL)
		fail_msg("%s: %s", finding_verdict_name(f.verdict), f.text);
}

static void the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < analysis_count; i++) {
		assert_true(strlen(analysis_table[i]->name) < FINDING_NAME_SIZE);
		assert_true(strlen(analysis_table[i]->summary) > 0);
		assert_non_null(analysis_table[i]->judge);
		assert_ptr_equal(analysis_find(analysis_table[i]->name), analysis_table[i]);
	}
	assert_null(analysis_find("none"));
	/* There is room for all of them in a rollout, and in a shorter list for some. */
	struct pair *p = new_pair();
	const struct analysis_input input = {.thresholds = &p->thresholds, .version = &p->version, .live = &p->live};
	struct finding findings[FINDINGS_MAX];
	assert_int_equal(analysis_judge(&input, findings, 1), 1);
	/* Without any traffic all wait, and none has a value. */
	for (size_t i = 0; i < analysis_judge(&input, findings, FINDINGS_MAX); i++) {
		assert_int_equal(findings[i].verdict, FINDING_WAIT);
		assert_true(isnan(findings[i].value) && findings[i].text[0] != '\0');
	}
	free(p);
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		uint64_t answered, errors, live_answered, live_errors;
		enum finding_verdict verdict;
		const char *text;
	} rows[] = {
	    {0, 0, 1000, 0, FINDING_WAIT, "v3 has answered nothing yet"},
	    {10, 0, 0, 0, FINDING_WAIT, "v2 has answered nothing yet"},
	    {50, 0, 5000, 3, FINDING_WAIT, "not enough traffic: 50 of 200 requests, 0 with an error"},
	    {200, 0, 5000, 3, FINDING_PASS, "v3 answers 0% with an error, v2 0.06%"},
	    /* All of a handful failed. */
	    {0, 4, 400, 0, FINDING_FAIL, "v3 answers 100% with an error, v2 0%"},
	    {0, 20, 20, 0, FINDING_FAIL, "v3 answers 100%"},
	    /* One error, or two, may be chance: then it waits for more. */
	    {0, 1, 400, 0, FINDING_WAIT, "1 of 200 requests, 1 with an error"},
	    {2, 2, 400, 0, FINDING_WAIT, "4 of 200 requests, 2 with an error"},
	    /* Above the margin without evidence; with evidence. */
	    {198, 2, 20000, 60, FINDING_PASS, "v3 answers 1% with an error"},
	    {960, 40, 20000, 60, FINDING_FAIL, "v3 answers 4% with an error, v2 0.299%"},
	    /* Evidence of less than the margin. */
	    {99600, 400, 99900, 100, FINDING_PASS, "v3 answers 0.4% with an error, v2 0.1%"},
	    /* The live version is the bad one. */
	    {1000, 0, 960, 400, FINDING_PASS, "v3 answers 0% with an error, v2 29.4%"},
	    /* Both fail alike: another's fault. */
	    {10, 190, 500, 9500, FINDING_PASS, "v3 answers 95% with an error, v2 95%"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pair *p = new_pair();
		p->version.answered = rows[i].answered;
		p->version.errors = rows[i].errors;
		p->live.answered = rows[i].live_answered;
		p->live.errors = rows[i].live_errors;
		struct finding f = judge(p, "error_rate");
		if (f.verdict != rows[i].verdict || strstr(f.text, rows[i].text) == NULL)
			fail_msg("row %zu: %s: %s", i, finding_verdict_name(f.verdict), f.text);
		free(p);
	}
}

/* count answers of these nanoseconds, and a hundredth that takes slow times as long. */
static void answers(struct analysis_arm *arm, uint64_t count, uint64_t ns, unsigned slow)
{
	arm->answered += count;
	arm->latency[histogram_bucket(ns)] += count - count / 50;
	arm->latency[histogram_bucket(ns * slow)] += count / 50;
}

static void latencies(void **state)
{
	(void)state;
	struct pair *p = new_pair();
	answers(&p->version, 100, 50000, 10);
	answers(&p->live, 5000, 50000, 2);
	check(p, "latency_p99", FINDING_WAIT, "not enough traffic: v3 answered 100 requests, v2 5000, of 200");
	answers(&p->version, 1900, 50000, 10);
	check(p, "latency_p99", FINDING_PASS, "the p99 of v3 is 502µs, of v2 100µs");
	p->thresholds.p99_margin_us = 400;
	check(p, "latency_p99", FINDING_FAIL, "the p99 of v3 is 502µs, of v2 100µs");
	assert_true(fabs(judge(p, "latency_p99").value - 5) < 0.1);
	assert_true(judge(p, "latency_p99").threshold == 1.5);
	p->thresholds.p99_ratio_max = 6;
	check(p, "latency_p99", FINDING_PASS, "the p99 of v3");
	free(p);

	/* The other way round; the same; and both too fast for the clock. */
	p = new_pair();
	answers(&p->version, 2000, 50000, 2);
	answers(&p->live, 2000, 50000, 10);
	check(p, "latency_p99", FINDING_PASS, "");
	free(p);
	p = new_pair();
	answers(&p->version, 2000, 0, 1);
	answers(&p->live, 2000, 0, 1);
	check(p, "latency_p99", FINDING_PASS, "");
	free(p);
}

static void predictions(void **state)
{
	(void)state;
	struct pair *p = new_pair();
	p->version.answered = p->live.answered = 1000;
	check(p, "prediction_drift", FINDING_WAIT, "v2 has no bins yet: they are made of its first 1000");
	p->live.answered = 2000;
	check(p, "prediction_drift", FINDING_PASS, "the predictions of v2 are no numbers");
	p->live.answered = 1000;
	set_bins(&p->live, 0, 1);
	check(p, "prediction_drift", FINDING_WAIT, "v3 has no bins yet");
	set_bins(&p->version, 0, 2);
	check(p, "prediction_drift", FINDING_WAIT, "in different bins");
	set_bins(&p->version, 0, 1);
	check(p, "prediction_drift", FINDING_WAIT, "there are no predictions yet");
	for (uint32_t i = 0; i < BASELINE_BINS_MAX; i++)
		p->live.predictions[i] = p->version.predictions[i] = 1000 / BASELINE_BINS_MAX;
	check(p, "prediction_drift", FINDING_PASS, "the PSI of the predictions of v3 and v2 is 0.000");
	memset(p->version.predictions, 0, sizeof p->version.predictions);
	p->version.predictions[60] = 1000;
	check(p, "prediction_drift", FINDING_FAIL, "the PSI");

	/* The live version always says the same: what the other says beside it is not lost in a bin that is too wide.
	 */
	memset(p->live.predictions, 0, sizeof p->live.predictions);
	p->live.predictions[30] = 1000;
	for (uint32_t i = 0; i < BASELINE_BINS_MAX; i++) {
		memset(p->version.predictions, 0, sizeof p->version.predictions);
		p->version.predictions[i] = 1000;
		check(p, "prediction_drift", i == 30 ? FINDING_PASS : FINDING_FAIL, "the PSI");
	}
	/* No number at all. */
	memset(p->version.predictions, 0, sizeof p->version.predictions);
	p->version.nan = 1000;
	check(p, "prediction_drift", FINDING_FAIL, "the PSI");
	p->version.answered = 100;
	check(p, "prediction_drift", FINDING_WAIT, "not enough traffic: v3 answered 100");
	free(p);
}

/* Rows of one request are alike: a hundred of them are not a hundred requests. */
static void rows_are_not_requests(void **state)
{
	(void)state;
	struct pair *p = new_pair();
	p->thresholds.drift_max = 0.001;
	set_bins(&p->version, 0, 1);
	set_bins(&p->live, 0, 1);
	p->version.answered = p->live.answered = 300;
	for (uint32_t i = 0; i < BASELINE_BINS_MAX; i++) {
		p->live.predictions[i] = 100;
		p->version.predictions[i] = i < 32 ? 80 : 120;
	}
	check(p, "prediction_drift", FINDING_PASS, "the PSI");
	p->version.answered = p->live.answered = 6400;
	check(p, "prediction_drift", FINDING_FAIL, "the PSI");
	free(p);
}

/* --- simulated traffic: seeded, so that every run is the same --- */

static uint64_t seed;

/* splitmix64, in [0, 1) */
static double random_unit(void)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double random_normal(void)
{
	return sqrt(-2 * log(1 - random_unit())) * cos(2 * 3.141592653589793 * random_unit());
}

struct traffic {
	uint32_t weight_bp; /* of the version */
	double error_rate, version_error_rate;
	double version_slower; /* its latencies, times */
	double version_drift;  /* added to the mean of what its probabilities are made of */
};

static void one_request(struct pair *p, const struct traffic *t)
{
	bool is_version = random_unit() * ROUTE_BUCKETS < t->weight_bp;
	struct analysis_arm *arm = is_version ? &p->version : &p->live;
	if (random_unit() < (is_version ? t->version_error_rate : t->error_rate)) {
		arm->errors++;
		return;
	}
	/* Log-normal times around 200 microseconds. */
	double ns = exp(14.2 + 0.5 * random_normal()) * (is_version ? t->version_slower : 1);
	double prediction = 1 / (1 + exp(-(random_normal() + (is_version ? t->version_drift : 0))));
	arm->answered++;
	arm->latency[histogram_bucket((uint64_t)ns)]++;
	arm->predictions[(int)(prediction * BASELINE_BINS_MAX)]++;
}

enum { PEEK_REQUESTS = 100, REQUESTS_MAX = 20000 };

/* At which request each analysis failed first; 0: never. */
static void run(const struct traffic *t, const struct policy *thresholds, uint32_t failed_at[])
{
	struct pair *p = new_pair();
	const struct analysis_input input = {.thresholds = &p->thresholds, .version = &p->version, .live = &p->live};
	struct finding findings[FINDINGS_MAX];
	p->thresholds = *thresholds;
	set_bins(&p->version, 0, 1);
	set_bins(&p->live, 0, 1);
	memset(failed_at, 0, analysis_count * sizeof *failed_at);
	for (uint32_t i = 1; i <= REQUESTS_MAX; i++) {
		one_request(p, t);
		if (i % PEEK_REQUESTS != 0)
			continue;
		size_t count = analysis_judge(&input, findings, FINDINGS_MAX);
		for (size_t k = 0; k < count; k++)
			if (findings[k].verdict == FINDING_FAIL && failed_at[k] == 0)
				failed_at[k] = i;
	}
	free(p);
}

/* Of so many runs, how often each failed. */
static void count_failures(const struct traffic *t, const struct policy *thresholds, unsigned runs, unsigned failures[])
{
	uint32_t failed_at[FINDINGS_MAX];
	memset(failures, 0, analysis_count * sizeof *failures);
	for (unsigned i = 0; i < runs; i++) {
		run(t, thresholds, failed_at);
		for (size_t k = 0; k < analysis_count; k++)
			failures[k] += failed_at[k] > 0;
	}
}

static unsigned runs_wanted(unsigned usual)
{
	const char *text = getenv("ANALYSIS_RUNS");
	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : usual;
}

/* Thresholds of effect that everything exceeds: evidence alone keeps a good version from failing. */
static void peeking_does_not_fail_a_good_version(void **state)
{
	(void)state;
	static const uint32_t weights[] = {100, 500, 5000};
	static const double error_rates[] = {0.002, 0.02};
	unsigned runs = runs_wanted(60), failures[FINDINGS_MAX];
	struct policy thresholds;
	policy_init(&thresholds);
	thresholds.error_margin_percent = 0;
	thresholds.p99_ratio_max = 0.1;
	thresholds.p99_margin_us = 0;
	thresholds.drift_max = 1e-9;
	thresholds.analysis_alpha = 0.05;
	/* Four standard deviations of a binomial above alpha. */
	double most = 0.05 * runs + 4 * sqrt(0.05 * 0.95 * runs);
	seed = 20260301;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 2; k++) {
			const struct traffic same = {.weight_bp = weights[i],
						     .error_rate = error_rates[k],
						     .version_error_rate = error_rates[k],
						     .version_slower = 1};
			count_failures(&same, &thresholds, runs, failures);
			for (size_t a = 0; a < analysis_count; a++) {
				print_message("share %g%%, errors %g%%: %s fails %u of %u\n", weights[i] / 100.0,
					      error_rates[k] * 100, analysis_table[a]->name, failures[a], runs);
				assert_true(failures[a] <= most);
			}
		}
}

static void a_bad_version_is_caught(void **state)
{
	(void)state;
	static const struct traffic rows[] = {
	    {.weight_bp = 5000, .error_rate = 0.02, .version_error_rate = 0.04, .version_slower = 1},
	    {.weight_bp = 500, .error_rate = 0.02, .version_error_rate = 0.1, .version_slower = 1},
	    {.weight_bp = 100, .error_rate = 0.001, .version_error_rate = 1, .version_slower = 1},
	    {.weight_bp = 5000, .version_slower = 2},
	    {.weight_bp = 500, .version_slower = 2},
	    {.weight_bp = 5000, .version_slower = 1, .version_drift = 0.7},
	    {.weight_bp = 500, .version_slower = 1, .version_drift = 0.7},
	};
	static const char *const by[] = {"error_rate",  "error_rate",       "error_rate",      "latency_p99",
					 "latency_p99", "prediction_drift", "prediction_drift"};
	unsigned runs = runs_wanted(20), failures[FINDINGS_MAX];
	struct policy thresholds;
	policy_init(&thresholds);
	seed = 20260302;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		count_failures(&rows[i], &thresholds, runs, failures);
		for (size_t a = 0; a < analysis_count; a++) {
			if (strcmp(analysis_table[a]->name, by[i]) != 0)
				continue;
			print_message("share %g%%: %s fails %u of %u\n", rows[i].weight_bp / 100.0, by[i], failures[a],
				      runs);
			assert_true(failures[a] >= runs * 9 / 10);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_list),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(latencies),
	    cmocka_unit_test(predictions),
	    cmocka_unit_test(rows_are_not_requests),
	    cmocka_unit_test(peeking_does_not_fail_a_good_version),
	    cmocka_unit_test(a_bad_version_is_caught),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
