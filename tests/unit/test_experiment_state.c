/* What was seen of an A/B test: exact whatever the order, taken out again, added up, there and back. */
#include "core/experiment/experiment_state.h"
#include "core/histogram.h"
#include "lib/experiment_simulation.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#define UNITS 3000

enum { CONVERSION, CLICKS, REVENUE, LOSS, LATENCY, PREDICTION, METRICS };

static struct experiment plan(void)
{
	struct experiment x;
	experiment_init(&x);
	x.arm_count = 2;
	x.arms[0] = (struct experiment_arm){1, 5000};
	x.arms[1] = (struct experiment_arm){2, 5000};
	x.metric_count = METRICS;
	x.metrics[CONVERSION] =
	    (struct experiment_metric){"conversion", EXPERIMENT_BINARY, .high = 1, .missing_is_zero = true};
	x.metrics[CLICKS] = (struct experiment_metric){"clicks", EXPERIMENT_COUNT, .high = 1000};
	x.metrics[REVENUE] = (struct experiment_metric){"revenue", EXPERIMENT_CONTINUOUS, .low = -10, .high = 500};
	x.metrics[LOSS] = (struct experiment_metric){"loss", EXPERIMENT_LOG_LOSS, .high = 34.6};
	x.metrics[LATENCY] =
	    (struct experiment_metric){"p90", EXPERIMENT_LATENCY, .high = 1, .quantile = 0.9, .threshold_ns = 1000};
	x.metrics[PREDICTION] = (struct experiment_metric){"mean", EXPERIMENT_PREDICTION, .low = 0, .high = 1};
	x.covariate = EXPERIMENT_COVARIATE_GIVEN;
	x.covariate_low = 0;
	x.covariate_high = 100;
	x.planned_size = 1000;
	return x;
}

static double observed(size_t metric, uint64_t *seed)
{
	double u = simulation_random(seed);
	switch (metric) {
	case CONVERSION:
	case LOSS:
		return u < 0.3;
	case CLICKS:
		return floor(5 * u);
	case REVENUE:
		return 300 * u - 20;
	case LATENCY:
		return 1200 * u;
	default:
		return u;
	}
}

/* What is kept with every unit. */
static struct experiment_contribution kept[UNITS][METRICS];

static void tell(const struct experiment *x, struct experiment_state *s, size_t unit, size_t metric, uint64_t *seed)
{
	struct experiment_contribution now = kept[unit][metric];
	double value = observed(metric, seed), prediction = simulation_random(seed);
	struct experiment_observation o = {value, prediction, 100 * simulation_random(seed)};
	assert_int_equal(experiment_contribute(x, metric, &o, &now, NULL), 0);
	experiment_state_replace(s, unit % 2, metric, &kept[unit][metric], &now);
	kept[unit][metric] = now;
	if (metric == LATENCY)
		experiment_state_latency(s, unit % 2, metric, (uint64_t)value);
}

/* Units with outcomes that change many times. */
static struct experiment_state *filled(const struct experiment *x, uint64_t seed)
{
	struct experiment_state *s = experiment_state_new(x);
	assert_non_null(s);
	for (size_t i = 0; i < UNITS; i++)
		experiment_expose(s, x, i % 2, 100 * simulation_random(&seed), kept[i]);
	for (size_t i = 0; i < 20 * UNITS; i++) {
		size_t unit = (size_t)(simulation_random(&seed) * UNITS);
		size_t metric = (size_t)(simulation_random(&seed) * METRICS);
		tell(x, s, unit, metric, &seed);
	}
	return s;
}

static void copy_latencies(struct experiment_state *to, const struct experiment_state *from)
{
	for (size_t arm = 0; arm < 2; arm++)
		memcpy(to->latencies[arm][LATENCY], from->latencies[arm][LATENCY],
		       HISTOGRAM_BUCKETS * sizeof(uint64_t));
}

static void the_order_does_not_matter(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_state *s = filled(&x, 1), *again = experiment_state_new(&x), *half = experiment_state_new(&x);
	/* The last contributions alone, backwards, in two parts. */
	for (size_t i = UNITS; i-- > 0;)
		for (size_t metric = METRICS; metric-- > 0;)
			experiment_state_replace(i < UNITS / 3 ? again : half, i % 2, metric, NULL, &kept[i][metric]);
	again->exposed[0] = 1000;
	half->exposed[0] = UNITS / 2 - 1000;
	half->exposed[1] = UNITS / 2;
	experiment_state_merge(again, half);
	assert_false(experiment_state_equal(s, again)); /* latencies are of requests */
	copy_latencies(again, s);
	assert_true(experiment_state_equal(s, again));
	/* And all of it out again. */
	for (size_t i = 0; i < UNITS; i++)
		for (size_t metric = 0; metric < METRICS; metric++)
			experiment_state_replace(s, i % 2, metric, &kept[i][metric], NULL);
	for (size_t metric = 0; metric < METRICS; metric++)
		assert_true(experiment_sums_equal(&s->sums[0][metric], &(struct experiment_sums){0}));
	experiment_state_free(s);
	experiment_state_free(again);
	experiment_state_free(half);
}

static void there_and_back(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_state *s = filled(&x, 2);
	struct err e = {.text = ""};
	s->faults = 1u << EXPERIMENT_FAULT_LOAD | 1u << EXPERIMENT_FAULT_ARMS;
	s->sums[1][REVENUE].y = -s->sums[1][REVENUE].y;
	cJSON *json = experiment_state_to_json(s);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	struct experiment_state *again = experiment_state_from_json(json, &x, &e);
	if (again == NULL)
		fail_msg("%s", e.text);
	assert_true(experiment_state_equal(s, again));
	free(text);
	cJSON_Delete(json);
	experiment_state_free(again);
	experiment_state_free(s);
}

static void refuse_state(const struct experiment *x, const char *metric_field, const char *value, const char *sentence)
{
	struct experiment_state *s = filled(x, 3);
	struct err e = {.text = ""};
	cJSON *json = experiment_state_to_json(s);
	cJSON *arm = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "arms"), 1);
	cJSON *sums = cJSON_GetArrayItem(cJSON_GetObjectItem(arm, "metrics"), 2);
	cJSON_ReplaceItemInObject(sums, metric_field, cJSON_Parse(value));
	assert_null(experiment_state_from_json(json, x, &e));
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, sentence) == NULL)
		fail_msg("%s: %s", metric_field, e.text);
	cJSON_Delete(json);
	experiment_state_free(s);
}

static void impossible_states_are_refused(void **state)
{
	(void)state;
	struct experiment x = plan();
	refuse_state(&x, "yy", "\"-1\"", "have these sums");
	refuse_state(&x, "yy", "\"1\"", "have these sums");
	refuse_state(&x, "xy", "\"1000000000000000000000000000000000000\"", "have these sums");
	refuse_state(&x, "count", "0", "no 0 values have these sums");
	refuse_state(&x, "x", "\"01\"", "field `x` must be a whole number of at most 37 digits, got \"01\"");
	refuse_state(&x, "x", "\"99999999999999999999999999999999999999\"", "field `x` must be");
	refuse_state(&x, "x", "\"1e5\"", "field `x` must be");
	refuse_state(&x, "x", "5", "field `x` must be a string");
	struct experiment_state *s = experiment_state_new(&x);
	struct err e = {.text = ""};
	cJSON *json = experiment_state_to_json(s);
	x.arm_count = 3;
	assert_null(experiment_state_from_json(json, &x, &e));
	assert_string_equal(e.text, "the state has 2 arms, the plan 3");
	cJSON_Delete(json);
	experiment_state_free(s);
}

/* Against sums of long doubles, far from 0 with little variance: nothing is lost to the offset. */
static void moments_keep_their_digits(void **state)
{
	(void)state;
	struct experiment_sums s = {0};
	uint64_t seed = 4;
	long double distance_y = 0, squares = 0, products = 0, squares_x = 0, distance_x = 0;
	int64_t offset_x = INT64_C(900000000000), offset_y = -INT64_C(1000000000000);
	enum { COUNT = 20000 };
	for (int i = 0; i < COUNT; i++) {
		int64_t x = (int64_t)(1000 * simulation_random(&seed)),
			y = x / 2 + (int64_t)(1000 * simulation_random(&seed));
		experiment_sums_add(&s, offset_x + x, offset_y + y);
		distance_x += x;
		distance_y += y;
		squares_x += (long double)x * x;
		squares += (long double)y * y;
		products += (long double)x * y;
	}
	struct stat_pairs p = experiment_sums_pairs(&s, 0.5, 0.25);
	double mean = (double)(distance_y / COUNT), m2 = (double)(squares - distance_y * distance_y / COUNT);
	assert_true(fabs(stat_moments_mean(&p.y) / (0.25 * ((double)offset_y + mean)) - 1) < 1e-15);
	assert_true(fabs(p.y.m2 / (m2 / 16) - 1) < 1e-14);
	assert_true(fabs(p.x.m2 / (double)((squares_x - distance_x * distance_x / COUNT) / 4) - 1) < 1e-14);
	assert_true(fabs(p.c / (double)((products - distance_x * distance_y / COUNT) / 8) - 1) < 1e-14);
	/* All alike: exactly no variance. */
	struct experiment_sums same = {0};
	for (int i = 0; i < 7; i++)
		experiment_sums_add(&same, EXPERIMENT_STEPS_MAX, -EXPERIMENT_STEPS_MAX);
	p = experiment_sums_pairs(&same, 1, 1);
	assert_true(p.x.m2 == 0 && p.y.m2 == 0 && p.c == 0 && p.y.origin == -(double)EXPERIMENT_STEPS_MAX);
	p = experiment_sums_pairs(&(struct experiment_sums){0}, 1, 1);
	assert_true(p.x.count == 0 && p.c == 0);
}

/* The greatest sums that there can be: 2^40 values at the ends, half on each side. */
static void the_greatest_sums_do_not_overflow(void **state)
{
	(void)state;
	struct experiment_sums s = {0}, twice;
	experiment_sums_add(&s, EXPERIMENT_STEPS_MAX, EXPERIMENT_STEPS_MAX);
	experiment_sums_add(&s, -EXPERIMENT_STEPS_MAX, -EXPERIMENT_STEPS_MAX);
	for (int i = 0; i < 39; i++) {
		twice = s;
		experiment_sums_merge(&s, &twice);
	}
	assert_true(s.count == UINT64_C(1) << 40);
	struct stat_pairs p = experiment_sums_pairs(&s, 1, 1);
	assert_true(p.y.origin == 0 && p.y.above == 0 && p.y.m2 == ldexp(1, 120) && p.c == ldexp(1, 120));
	cJSON *json = experiment_sums_to_json(&s);
	assert_int_equal(experiment_sums_from_json(json, &twice, NULL), 0);
	assert_true(experiment_sums_equal(&s, &twice));
	cJSON_Delete(json);
}

static struct experiment_contribution one(const struct experiment *x, size_t metric, double value, double prediction)
{
	struct experiment_contribution c = {.is_present = false};
	struct experiment_observation o = {value, prediction, 25};
	struct err e = {.text = ""};
	if (experiment_contribute(x, metric, &o, &c, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static double in_units(const struct experiment *x, size_t metric, struct experiment_contribution c)
{
	return (double)c.y * experiment_scale(&x->metrics[metric]);
}

static void outcomes_make_contributions(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_observation again = {3, 0, 99};
	assert_true(in_units(&x, REVENUE, one(&x, REVENUE, 1e9, 0)) == 500);
	assert_true(in_units(&x, REVENUE, one(&x, REVENUE, -1e9, 0)) == -10);
	assert_true(in_units(&x, REVENUE, one(&x, REVENUE, 0.125, 0)) == 0.125);
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 1, 0.25)) + log(0.25)) < 1e-10);
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 0, 0.25)) + log(0.75)) < 1e-10);
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 1, 0)) - 34.54) < 0.01);
	x.metrics[LOSS].kind = EXPERIMENT_BRIER;
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 1, 0.25)) - 0.5625) < 1e-10);
	x.metrics[LOSS].kind = EXPERIMENT_ABSOLUTE;
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 10, 12.5)) - 2.5) < 1e-10);
	x.metrics[LOSS].kind = EXPERIMENT_SQUARED;
	assert_true(fabs(in_units(&x, LOSS, one(&x, LOSS, 10, 12.5)) - 6.25) < 1e-10);
	/* Counts add up, other outcomes are set; the covariate of a unit stays. */
	struct experiment_contribution c = one(&x, CLICKS, 2, 0), r = one(&x, REVENUE, 2, 0);
	assert_int_equal(experiment_contribute(&x, CLICKS, &again, &c, NULL), 0);
	assert_int_equal(experiment_contribute(&x, REVENUE, &again, &r, NULL), 0);
	assert_true(c.y == 5 && in_units(&x, REVENUE, r) == 3);
	assert_true((double)r.x * experiment_covariate_scale(&x) == 25);
	again.value = 5000;
	assert_int_equal(experiment_contribute(&x, CLICKS, &again, &c, NULL), 0);
	assert_int_equal(c.y, 1000);
}

static void requests_of_a_unit_are_bounded(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_contribution slow = {.is_present = false}, all = slow;
	struct experiment_observation o = {1001, 0, NAN}, prediction = {1, 0, NAN};
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(experiment_contribute(&x, LATENCY, &o, &slow, NULL), 0);
		assert_int_equal(experiment_contribute(&x, PREDICTION, &prediction, &all, NULL), 0);
		o.value = 1000; /* not beyond the threshold */
	}
	assert_true(slow.x == EXPERIMENT_UNIT_REQUESTS_MAX && slow.y == 1);
	assert_true(all.y <= EXPERIMENT_STEPS_MAX && in_units(&x, PREDICTION, all) == EXPERIMENT_UNIT_REQUESTS_MAX);
}

static void bad_outcomes_are_refused(void **state)
{
	(void)state;
	struct experiment x = plan();
	static const struct {
		size_t metric;
		struct experiment_observation o;
		const char *sentence;
	} refused[] = {
	    {REVENUE, {NAN, 0, 0}, "metric `revenue` takes finite numbers only"},
	    {REVENUE, {INFINITY, 0, 0}, "metric `revenue` takes finite numbers only"},
	    {CONVERSION, {0.5, 0, 0}, "metric `conversion` takes 0 or 1, got 0.5"},
	    {CLICKS, {1.5, 0, 0}, "metric `clicks` takes whole numbers from 0, got 1.5"},
	    {CLICKS, {-1, 0, 0}, "metric `clicks` takes whole numbers from 0, got -1"},
	    {LOSS, {1, NAN, 0}, "metric `loss` takes finite numbers only"},
	    {LOSS, {1, 1.5, 0}, "metric `loss` takes an outcome and a prediction from 0 to 1, got 1 and 1.5"},
	    {LATENCY, {-1, 0, 0}, "metric `p90` takes nanoseconds from 0, got -1"},
	};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct experiment_contribution c = {true, 5, 6};
		struct err e = {.text = ""};
		assert_int_equal(experiment_contribute(&x, refused[i].metric, &refused[i].o, &c, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, refused[i].sentence);
		assert_true(c.is_present && c.x == 5 && c.y == 6);
	}
}

static void a_missing_outcome_may_be_zero(void **state)
{
	(void)state;
	struct experiment x = plan();
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_contribution c[METRICS], now;
	experiment_expose(s, &x, 1, 40, c);
	experiment_expose(s, &x, 1, NAN, c);
	assert_true(s->exposed[1] == 2 && s->sums[1][CONVERSION].count == 2 && s->sums[1][CONVERSION].not_zero == 0);
	assert_true(s->sums[1][REVENUE].count == 0 && !c[REVENUE].is_present);
	assert_true((double)c[CONVERSION].x * experiment_covariate_scale(&x) == 50);
	now = c[CONVERSION];
	assert_int_equal(experiment_contribute(&x, CONVERSION, &(struct experiment_observation){1, 0, NAN}, &now, NULL),
			 0);
	experiment_state_replace(s, 1, CONVERSION, &c[CONVERSION], &now);
	assert_true(s->sums[1][CONVERSION].count == 2 && s->sums[1][CONVERSION].not_zero == 1);
	experiment_state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_order_does_not_matter),         cmocka_unit_test(there_and_back),
	    cmocka_unit_test(impossible_states_are_refused),     cmocka_unit_test(moments_keep_their_digits),
	    cmocka_unit_test(the_greatest_sums_do_not_overflow), cmocka_unit_test(outcomes_make_contributions),
	    cmocka_unit_test(requests_of_a_unit_are_bounded),    cmocka_unit_test(bad_outcomes_are_refused),
	    cmocka_unit_test(a_missing_outcome_may_be_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
