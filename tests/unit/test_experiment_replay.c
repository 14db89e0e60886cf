/* A/B tests with covariates, clusters and latencies; and a log that is replayed, over restarts too. */
#include "core/stat/stat_anytime.h"
#include "experiment_fixture.h"

/* The covariate explains nearly all: what is not sure without it is sure with it. */
static void a_covariate_makes_it_surer(void **state)
{
	(void)state;
	struct experiment x = plan(2);
	metric(&x, "revenue", EXPERIMENT_CONTINUOUS, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER);
	for (int with = 0; with < 2; with++) {
		x.covariate = with ? EXPERIMENT_COVARIATE_GIVEN : EXPERIMENT_COVARIATE_NONE;
		x.covariate_high = 100;
		struct experiment_state *s = experiment_state_new(&x);
		struct experiment_history h = {0};
		struct experiment_contribution c[1];
		uint64_t seed = 5;
		for (size_t i = 0; i < 4000; i++) {
			double before = 90 * simulation_random(&seed);
			double value = before - 45 + simulation_random(&seed) + 0.2 * (double)(i % 2);
			experiment_expose(s, &x, i % 2, before, c);
			struct experiment_observation o = {value, 0, before};
			assert_int_equal(experiment_contribute(&x, 0, &o, &c[0], NULL), 0);
			experiment_state_replace(s, i % 2, 0, NULL, &c[0]);
		}
		assert_int_equal(look(&x, s, &h, 1000), with ? EXPERIMENT_BETTER : EXPERIMENT_CONTINUE);
		assert_int_equal(first()->evidence.method, with ? EXPERIMENT_BY_ADJUSTED : EXPERIMENT_BY_MIXTURE);
		assert_true(with ? first()->evidence.variance_ratio < 0.001 : first()->evidence.variance_ratio == 1);
		experiment_state_free(s);
	}
}

/* Units with many requests that are all alike: as requests they would decide, as units they do not. */
static void requests_are_clustered_by_unit(void **state)
{
	(void)state;
	struct experiment x = plan(2);
	metric(&x, "slow", EXPERIMENT_LATENCY, EXPERIMENT_PRIMARY, EXPERIMENT_LOWER);
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	for (size_t arm = 0; arm < 2; arm++)
		for (int i = 0; i < 300; i++) {
			struct experiment_contribution c = {true, 100, i < (arm == 0 ? 60 : 75) ? 100 : 0};
			s->exposed[arm]++;
			experiment_state_replace(s, arm, 0, NULL, &c);
		}
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_CONTINUE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_CLUSTERED);
	assert_true(fabs(first()->evidence.effect - 0.05) < 1e-12);
	/* The same as of 300 units without clusters: sqrt(p q / n) of both. */
	double error = sqrt(0.2 * 0.8 / 299 + 0.25 * 0.75 / 299);
	double radius = (first()->evidence.interval.high - first()->evidence.interval.low) / 2;
	double k = 600 * pow(stat_mixture_rho(0.05, 10000), 2);
	assert_true(fabs(radius / (error * stat_mixture_multiplier(k, 0.05)) - 1) < 1e-12);
	/* Where few units have any, the share of units with any is compared. */
	memset(&h, 0, sizeof h);
	for (size_t arm = 0; arm < 2; arm++)
		for (int i = 0; i < 600; i++) {
			struct experiment_contribution c = {true, 100, 0};
			s->exposed[arm] += 1;
			experiment_state_replace(s, arm, 0, NULL, &c);
		}
	for (int i = 0; i < 50; i++) {
		struct experiment_contribution old = {true, 100, 100}, now = {true, 100, 0};
		experiment_state_replace(s, 0, 0, &old, &now);
	}
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_WORSE);
	assert_int_equal(first()->evidence.method, EXPERIMENT_BY_COUNTS_ANY);
	assert_true(first()->evidence.events[0] == 10 && first()->evidence.units[0] == 900);
	experiment_state_free(s);
}

static void latencies_are_ranked_at_the_end(void **state)
{
	(void)state;
	struct experiment x = plan(2);
	metric(&x, "slow", EXPERIMENT_LATENCY, EXPERIMENT_PRIMARY, EXPERIMENT_LOWER);
	x.form = EXPERIMENT_FIXED;
	x.planned_size = 2000;
	struct experiment_state *s = experiment_state_new(&x);
	struct experiment_history h = {0};
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t latency_ns = 100 + i / 2 + (i % 2) * 150;
		struct experiment_contribution c = {.is_present = false};
		struct experiment_observation o = {(double)latency_ns, 0, NAN};
		assert_int_equal(experiment_contribute(&x, 0, &o, &c, NULL), 0);
		s->exposed[i % 2]++;
		experiment_state_replace(s, i % 2, 0, NULL, &c);
		experiment_state_latency(s, i % 2, 0, latency_ns);
	}
	assert_int_equal(look(&x, s, &h, 1000), EXPERIMENT_WORSE);
	/* 150 of 1,000 later: P(a slower) = (1 - 0.15)^2 / 2. */
	assert_true(fabs(first()->evidence.faster - 0.36125) < 0.002 && first()->evidence.faster_p < 1e-20);
	experiment_state_free(s);
}

/* --- a log --- */

enum { EXPOSURE, OUTCOME, LOOK };
struct entry {
	int what;
	size_t unit;
	double value;
};

#define LOG_UNITS 4000
#define LOG_ENTRIES (3 * LOG_UNITS)

/* Exposures, outcomes long after them, some of them twice, and looks in between. */
static size_t write_log(struct entry *entries)
{
	uint64_t seed = 6;
	size_t count = 0;
	for (size_t i = 0; i < LOG_UNITS; i++) {
		entries[count++] = (struct entry){EXPOSURE, i, 90 * simulation_random(&seed)};
		size_t earlier = (size_t)(simulation_random(&seed) * (double)(i + 1));
		entries[count++] = (struct entry){OUTCOME, earlier, simulation_random(&seed)};
		if (i % 200 == 199)
			entries[count++] = (struct entry){LOOK, i, 0};
	}
	return count;
}

/* Everything that a look leaves behind goes through JSON and back, as over a restart. */
static void restart(const struct experiment *x, struct experiment_state **s, struct experiment_history *h)
{
	struct err e = {.text = ""};
	cJSON *json = experiment_state_to_json(*s);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	experiment_state_free(*s);
	if ((*s = experiment_state_from_json(json, x, &e)) == NULL)
		fail_msg("%s", e.text);
	cJSON_Delete(json);
	free(text);
	json = experiment_history_to_json(x, h);
	text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	memset(h, 0, sizeof *h);
	if (experiment_history_from_json(json, x, h, &e) != 0)
		fail_msg("%s", e.text);
	cJSON_Delete(json);
	free(text);
}

/* All reports of a log, as one text. */
static char *replay(const struct experiment *x, const struct entry *entries, size_t count, bool restarts)
{
	static struct experiment_contribution kept[LOG_UNITS][3];
	struct experiment_state *s = experiment_state_new(x);
	static struct experiment_history h;
	cJSON *reports = cJSON_CreateArray();
	memset(kept, 0, sizeof kept);
	memset(&h, 0, sizeof h);
	for (size_t i = 0; i < count; i++) {
		const struct entry *entry = &entries[i];
		int arm = experiment_arm_of(x, &entry->unit, sizeof entry->unit);
		if (entry->what == EXPOSURE)
			experiment_expose(s, x, (size_t)arm, entry->value, kept[entry->unit]);
		if (entry->what == OUTCOME)
			for (size_t metric = 0; metric < 3; metric++) {
				struct experiment_contribution now = kept[entry->unit][metric];
				double value = metric == 0 ? entry->value < 0.3 + 0.2 * arm : 50 * entry->value;
				struct experiment_observation o = {metric == 1 ? floor(value / 10) : value, 0, NAN};
				assert_int_equal(experiment_contribute(x, metric, &o, &now, NULL), 0);
				experiment_state_replace(s, (size_t)arm, metric, &kept[entry->unit][metric], &now);
				kept[entry->unit][metric] = now;
			}
		if (entry->what == LOOK) {
			look(x, s, &h, (int64_t)i);
			cJSON_AddItemToArray(reports, experiment_report_to_json(x, &report));
			if (restarts)
				restart(x, &s, &h);
		}
	}
	char *text = cJSON_PrintUnformatted(reports);
	cJSON_Delete(reports);
	experiment_state_free(s);
	return text;
}

static void a_log_replayed_gives_the_same_bits(void **state)
{
	(void)state;
	static struct entry entries[LOG_ENTRIES];
	size_t count = write_log(entries);
	for (int form = 0; form < EXPERIMENT_FORM_COUNT; form++) {
		struct experiment x = plan(2);
		x.form = (enum experiment_form)form;
		x.planned_size = 2000;
		metric(&x, "conversion", EXPERIMENT_BINARY, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER)->missing_is_zero =
		    true;
		metric(&x, "clicks", EXPERIMENT_COUNT, EXPERIMENT_GUARDRAIL, EXPERIMENT_SAME);
		metric(&x, "revenue", EXPERIMENT_CONTINUOUS, EXPERIMENT_OTHER, EXPERIMENT_HIGHER);
		x.covariate = EXPERIMENT_COVARIATE_GIVEN;
		x.covariate_high = 90;
		char *reports = replay(&x, entries, count, false), *again = replay(&x, entries, count, false);
		char *restarted = replay(&x, entries, count, true);
		assert_true(strlen(reports) > 10000);
		assert_non_null(strstr(reports, "\"verdict\":\"BETTER\""));
		assert_string_equal(reports, again);
		assert_string_equal(reports, restarted);
		free(reports);
		free(again);
		free(restarted);
	}
}

static void refuse_history(const struct experiment *x, const char *text, const char *sentence)
{
	struct experiment_history h;
	struct err e = {.text = ""};
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	assert_int_equal(experiment_history_from_json(json, x, &h, &e), -1);
	assert_says(e.text, sentence);
	cJSON_Delete(json);
}

static void bad_histories_are_refused(void **state)
{
	(void)state;
	struct experiment x = conversion();
	refuse_history(&x, "{\"looks\":1,\"ratio_log_e\":0,\"tracks\":[]}",
		       "the history has 0 comparisons, the plan 1");
	refuse_history(&x, "{\"looks\":-1}", "field `looks`");
	refuse_history(&x, "{\"looks\":1,\"ratio_log_e\":\"much\"}", "field `ratio_log_e` must be a finite number");
	refuse_history(&x,
		       "{\"looks\":1,\"ratio_log_e\":0,\"tracks\":[{\"log_e\":-1,\"sign\":0,\"has_interval\":false,"
		       "\"is_share\":true,\"low\":0,\"high\":0,\"reports_log_e\":0,\"is_taken\":false}]}",
		       "cannot be below 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_covariate_makes_it_surer),      cmocka_unit_test(requests_are_clustered_by_unit),
	    cmocka_unit_test(latencies_are_ranked_at_the_end), cmocka_unit_test(a_log_replayed_gives_the_same_bits),
	    cmocka_unit_test(bad_histories_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
