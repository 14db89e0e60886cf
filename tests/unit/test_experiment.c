/* Plans of A/B tests: there and back, every mistake in one sentence, the digest, who is in which arm. */
#include "core/experiment/experiment.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char plan_text[] =
    "{\"model\":\"flight-delay\",\"name\":\"fresh\",\"salt\":\"fresh-1\","
    "\"arms\":[{\"version\":1,\"share_bp\":5000},{\"version\":3,\"share_bp\":4000}],"
    "\"metrics\":[{\"name\":\"log_loss\",\"kind\":\"log_loss\",\"role\":\"primary\",\"margin\":0.001},"
    "{\"name\":\"p99\",\"kind\":\"latency\",\"role\":\"guardrail\",\"quantile\":0.99,\"threshold_ns\":92000,\"margin\":"
    "0.005},"
    "{\"name\":\"delay\",\"kind\":\"continuous\",\"role\":\"other\",\"direction\":\"lower\",\"low\":-60,\"high\":600}],"
    "\"planned_size\":20000,\"minimum_duration_s\":3600,\"maximum_duration_s\":86400}";

static int read_plan(const char *text, struct experiment *x, struct err *e)
{
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	int result = experiment_from_json(json, x, e);
	cJSON_Delete(json);
	return result;
}

static struct experiment plan(void)
{
	struct experiment x;
	struct err e = {.text = ""};
	if (read_plan(plan_text, &x, &e) != 0)
		fail_msg("%s", e.text);
	return x;
}

static void there_and_back(void **state)
{
	(void)state;
	struct experiment x = plan(), again;
	struct err e;
	assert_int_equal(x.arm_count, 2);
	assert_int_equal(x.metric_count, 3);
	assert_int_equal(x.metrics[0].direction, EXPERIMENT_LOWER);
	assert_true(x.metrics[0].low == 0 && x.metrics[0].high == -log(1e-15));
	assert_int_equal(x.metrics[1].threshold_ns, 92000);
	assert_true(x.alpha == 0.05 && x.form == EXPERIMENT_ANYTIME && x.minimum_events == 100 && x.window_s == 3600);
	cJSON *json = experiment_to_json(&x);
	memset(&again, 1, sizeof again);
	assert_int_equal(experiment_from_json(json, &again, &e), 0);
	assert_memory_equal(&x, &again, sizeof x);
	cJSON_Delete(json);
}

static void the_digest_is_of_every_field(void **state)
{
	(void)state;
	struct experiment x = plan();
	char first[DIGEST_SIZE], second[DIGEST_SIZE];
	struct err e;
	assert_int_equal(experiment_digest(&x, first, &e), 0);
	/* Registered plans are checked against it for years: their text must not change. */
	assert_string_equal(first, "03b40f9498934f9ebddeb005783aaf4c2b3f6b63fad520e3c637dd857d0b4470");
	x.metrics[2].margin = 1;
	assert_int_equal(experiment_digest(&x, second, &e), 0);
	assert_string_not_equal(first, second);
	char *text = experiment_canonical(&x);
	assert_null(strchr(text, ' '));
	assert_int_equal(digest_of(text, strlen(text), first, &e), 0);
	assert_string_equal(first, second);
	free(text);
}

struct change {
	const char *from, *to, *sentence;
};

static const struct change mistakes[] = {
    {"\"salt\":\"fresh-1\"", "\"salt\":\"\"", "field `salt` must be 1 to 64 of"},
    {"\"name\":\"fresh\"", "\"name\":\"Fresh\"", "field `name` must be 1 to 64 of"},
    {"\"salt\"", "\"slat\"", "the plan of a test has no field `slat`"},
    {"\"salt\":\"fresh-1\"", "\"salt\":\"a\",\"salt\":\"b\"", "has the field `salt` twice"},
    {"\"version\":3", "\"version\":1", "versions 1 and 1 are the same: that is a test of mode `aa`"},
    {"\"version\":3", "\"version\":0", "field `version` must be a whole number from 1"},
    {"\"share_bp\":4000", "\"share_bp\":6000", "sum to 110%, more than 100%"},
    {"\"share_bp\":4000", "\"share_bp\":0", "field `share_bp`"},
    {",{\"version\":3,\"share_bp\":4000}", "", "a test has 2 to 8 arms, got 1"},
    {"\"kind\":\"log_loss\"", "\"kind\":\"logloss\"", "field `kind` must be one of binary, count, continuous"},
    {"\"role\":\"primary\"", "\"role\":\"guardrail\"", "one metric at least must be primary"},
    {"\"role\":\"primary\",", "", "metric `log_loss` needs a kind and a role"},
    {"\"direction\":\"lower\",", "", "metric `delay` needs a direction"},
    {"\"low\":-60,", "", "metric `delay` needs `low` and `high`"},
    {"\"low\":-60", "\"low\":700", "metric `delay` needs `low` and `high`"},
    {"\"margin\":0.001", "\"margin\":-1", "the margin of metric `log_loss` must be 0 or more"},
    {"\"margin\":0.001", "\"missing_is_zero\":true",
     "of kind log_loss, of which a missing outcome cannot count as zero"},
    {"\"margin\":0.001", "\"quantile\":0.5", "which takes no quantile and threshold"},
    {"\"quantile\":0.99,", "", "needs a quantile between 0 and 1"},
    {"\"threshold_ns\":92000,", "", "needs `threshold_ns`"},
    {"\"threshold_ns\":92000,", "\"threshold_ns\":92000,\"high\":2,", "which takes no `low` and `high`"},
    {"\"name\":\"delay\"", "\"name\":\"p99\"", "two metrics are named `p99`"},
    {"\"planned_size\":20000", "\"planned_size\":3", "the planned size must be from 4 units"},
    {"\"planned_size\":20000", "\"alpha\":0.6,\"planned_size\":20000", "alpha must be from 0.000001 to 0.5, got 0.6"},
    {"\"maximum_duration_s\":86400", "\"maximum_duration_s\":60",
     "the maximum duration, 60 s, is less than the minimum"},
    {"\"maximum_duration_s\":86400", "\"covariate\":\"given\"", "a covariate needs `covariate_low`"},
    {"\"maximum_duration_s\":86400", "\"mode\":\"aa\"", "all arms of an A/A test must be the same version"},
    {"\"maximum_duration_s\":86400", "\"form\":\"sometimes\"", "field `form` must be one of anytime, fixed"},
    {"\"maximum_duration_s\":86400", "\"window_s\":-1", "field `window_s` must be a whole number from 0"},
};

static void every_mistake_is_one_sentence(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
		char text[2048];
		const char *at = strstr(plan_text, mistakes[i].from);
		struct experiment x, before;
		struct err e = {.code = ERR_NONE, .text = ""};
		memset(&x, 7, sizeof x);
		memcpy(&before, &x, sizeof x);
		assert_non_null(at);
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - plan_text), plan_text, mistakes[i].to,
			 at + strlen(mistakes[i].from));
		if (read_plan(text, &x, &e) == 0)
			fail_msg("%s -> %s was taken", mistakes[i].from, mistakes[i].to);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, mistakes[i].sentence) == NULL)
			fail_msg("%s -> %s: got \"%s\"", mistakes[i].from, mistakes[i].to, e.text);
		assert_memory_equal(&x, &before, sizeof x);
	}
}

static void units_stick_and_are_shared_out(void **state)
{
	(void)state;
	struct experiment x = plan();
	size_t counts[3] = {0};
	for (int i = 0; i < 100000; i++) {
		char unit[16];
		size_t size = (size_t)snprintf(unit, sizeof unit, "user-%d", i);
		int arm = experiment_arm_of(&x, unit, size);
		assert_int_equal(arm, experiment_arm_of(&x, unit, size));
		counts[arm < 0 ? 2 : arm]++;
	}
	assert_in_range(counts[0], 49500, 50500);
	assert_in_range(counts[1], 39500, 40500);
	assert_in_range(counts[2], 9600, 10400);
	assert_true(experiment_share(&x, 0) == 5 / 9.);
}

static void kinds_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < EXPERIMENT_KIND_COUNT; i++) {
		enum experiment_kind kind = (enum experiment_kind)i;
		double low, high;
		experiment_bounds(kind, &low, &high);
		assert_false(low >= high);
		assert_true(text_name_valid(experiment_kind_name(kind)));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(experiment_kind_name(kind),
						experiment_kind_name((enum experiment_kind)k));
		/* Outcomes come later and are of units, requests are sums. */
		assert_true(experiment_kind_is_outcome(kind) != experiment_kind_is_ratio(kind));
	}
}

/* Which of 200,000 ids are in the second arm of each of 40 tests, as bits: of all pairs of tests, how dependent. */
#define SALTS 40
#define IDS 200000
#define WORDS (IDS / 64)

static uint64_t members[SALTS][WORDS];

static void tests_are_independent(void **state)
{
	(void)state;
	struct experiment x = plan();
	size_t counts[SALTS] = {0}, dependent = 0;
	double greatest = 0;
	memset(members, 0, sizeof members);
	x.arms[0].share_bp = x.arms[1].share_bp = 5000;
	for (size_t k = 0; k < SALTS; k++) {
		snprintf(x.salt, sizeof x.salt, "salt-%zu", k);
		for (size_t i = 0; i < IDS; i++) {
			char unit[16];
			size_t size = (size_t)snprintf(unit, sizeof unit, "%zu", i);
			bool second = experiment_arm_of(&x, unit, size) == 1;
			members[k][i / 64] |= (uint64_t)second << i % 64;
			counts[k] += second;
		}
	}
	for (size_t a = 0; a < SALTS; a++)
		for (size_t b = a + 1; b < SALTS; b++) {
			size_t both = 0;
			for (size_t i = 0; i < WORDS; i++)
				both += (size_t)__builtin_popcountll(members[a][i] & members[b][i]);
			double p = (double)counts[a] / IDS, q = (double)counts[b] / IDS;
			double z = ((double)both - IDS * p * q) / sqrt(IDS * p * q * (1 - p) * (1 - q));
			dependent += fabs(z) > 3.2905; /* p < 0.001; 0.8 of 780 are expected */
			greatest = fmax(greatest, fabs(z));
		}
	print_message("40 salts, 780 pairs: %zu dependent at p < 0.001, greatest |z| %.2f\n", dependent, greatest);
	assert_true(dependent <= 4);
	assert_true(greatest < 4.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(the_digest_is_of_every_field),
	    cmocka_unit_test(every_mistake_is_one_sentence),
	    cmocka_unit_test(units_stick_and_are_shared_out),
	    cmocka_unit_test(kinds_have_names),
	    cmocka_unit_test(tests_are_independent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
