/* A/B tests in snapshots: what a look says there and back, and what is refused. */
#include "unit.h"

#include "core/json.h"
#include "core/snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char plan_text[] =
    "{\"model\":\"m\",\"name\":\"stale\",\"salt\":\"s1\",\"arms\":[{\"version\":1,\"share_bp\":5000},"
    "{\"version\":3,\"share_bp\":5000}],\"planned_size\":1000,"
    "\"metrics\":[{\"name\":\"late\",\"kind\":\"binary\",\"role\":\"primary\",\"direction\":\"lower\"},"
    "{\"name\":\"errors\",\"kind\":\"error_rate\",\"role\":\"guardrail\",\"direction\":\"lower\"}]}";

static void plan(struct experiment *x)
{
	struct err e = {0};
	cJSON *json = cJSON_Parse(plan_text);
	experiment_init(x);
	if (experiment_from_json(json, x, &e) != 0)
		fail_msg("%s", e.text);
	cJSON_Delete(json);
}

/* A test with 600 units, of which fewer are late in the new arm. */
static void judged(const struct experiment *x, struct experiment_report *r)
{
	struct experiment_state *s = experiment_state_new(x);
	struct experiment_history *history = calloc(1, sizeof *history);
	const struct experiment_look look = {.elapsed_s = 60};
	for (size_t i = 0; i < 600; i++) {
		struct experiment_contribution c[2] = {{0}};
		const struct experiment_observation o = {.value = i % (i % 2 == 0 ? 3 : 9) == 0, .covariate = NAN};
		struct experiment_contribution now = {0};
		experiment_expose(s, x, i % 2, NAN, c);
		assert_int_equal(experiment_contribute(x, 0, &o, &now, NULL), 0);
		experiment_state_replace(s, i % 2, 0, NULL, &now);
	}
	experiment_judge(x, s, &look, history, r);
	free(history);
	experiment_state_free(s);
}

static struct snapshot_experiment *filled(bool whole)
{
	struct snapshot_experiment *s = calloc(1, sizeof *s);
	struct experiment_report *r = calloc(1, sizeof *r);
	struct experiment_record record = {.id = 7, .revision = 4, .started_ms = 1000};
	struct err e = {0};
	plan(&record.plan);
	judged(&record.plan, r);
	cJSON *report = experiment_report_to_json(&record.plan, r);
	if (snapshot_experiment_fill(s, &record, report, whole, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(s->exposed, 600);
	assert_int_equal(s->arms[0].outcomes, 300);
	assert_int_equal(s->arms[1].outcomes, 300);
	assert_int_equal(s->arm, 1);
	assert_string_equal(s->sentence, r->sentence);
	cJSON_Delete(report);
	free(r);
	if (whole) {
		s->detail->counts.outcomes[EXPERIMENT_RESULT_LATE] = 3;
		s->detail->look_count = 1;
		s->detail->looks[0] = (struct snapshot_look){.at_ms = 5, .effect = -0.2, .low = -0.3, .high = NAN};
	}
	return s;
}

static void done(struct snapshot_experiment *s)
{
	snapshot_experiment_release(s);
	free(s);
}

static void there_and_back(void **state)
{
	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		struct err e = {0};
		struct snapshot_experiment *s = filled(whole), *back = calloc(1, sizeof *back);
		cJSON *first = snapshot_experiment_to_json(s);
		char *text = cJSON_PrintUnformatted(first);
		cJSON *parsed = cJSON_Parse(text);
		if (snapshot_experiment_from_json(parsed, back, &e) != 0)
			fail_msg("%s", e.text);
		cJSON *second = snapshot_experiment_to_json(back);
		assert_true(cJSON_Compare(first, second, true));
		assert_string_equal(back->sentence, s->sentence);
		assert_string_equal(back->metric, "late");
		assert_true(back->is_share && back->effect < 0);
		assert_true(isnan(s->low) ? isnan(back->low) : back->low == s->low);
		assert_int_equal(back->detail != NULL, whole);
		if (whole) {
			assert_int_equal(back->detail->comparison_count, 2);
			assert_true(back->detail->comparisons[0].effect < 0);
			assert_int_equal(back->detail->counts.outcomes[EXPERIMENT_RESULT_LATE], 3);
			assert_true(isnan(back->detail->looks[0].high));
		}
		cJSON_Delete(second);
		cJSON_Delete(parsed);
		cJSON_free(text);
		cJSON_Delete(first);
		done(back);
		done(s);
	}
}

static void in_a_snapshot(void **state)
{
	(void)state;
	struct snapshot *s = snapshot_new(), *back = NULL;
	s->experiments_known = true;
	s->experiment_count = 1;
	s->experiments = filled(true);
	cJSON *json = snapshot_to_json(s);
	assert_int_equal(snapshot_from_json(json, &back, NULL), 0);
	assert_true(back->experiments_known);
	assert_non_null(snapshot_experiment(back, "m", "stale"));
	assert_null(snapshot_experiment(back, "m", "other"));
	assert_null(snapshot_experiment(back, "other", "stale"));
	cJSON_Delete(json);
	snapshot_free(back);
	snapshot_free(s);
}

/* Each is the whole test but for one field. */
static void wrong_ones_are_refused(void **state)
{
	(void)state;
	static const char *const changes[][2] = {
	    {"arm", "9"},
	    {"verdict", "\"FINE\""},
	    {"arms", "[{\"version\":1}]"},
	    {"report", "{\"comparisons\":[{\"arm\":1,\"metric\":\"late\"}]}"},
	    {"report", "{\"comparisons\":[{\"arm\":2,\"metric\":\"none\"}]}"},
	    {"plan", "{}"},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct err e = {0};
		struct snapshot_experiment *s = filled(true), *back = calloc(1, sizeof *back);
		cJSON *json = snapshot_experiment_to_json(s);
		cJSON_ReplaceItemInObjectCaseSensitive(json, changes[i][0], cJSON_Parse(changes[i][1]));
		assert_int_equal(snapshot_experiment_from_json(json, back, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		cJSON_Delete(json);
		done(back);
		done(s);
	}
}

static void a_look_is_of_the_first_primary(void **state)
{
	(void)state;
	struct snapshot_experiment *s = filled(true);
	cJSON *json = snapshot_experiment_to_json(s);
	struct snapshot_look look;
	snapshot_look_of_report(cJSON_GetObjectItemCaseSensitive(json, "report"), &look);
	assert_true(look.effect == s->detail->comparisons[0].effect);
	snapshot_look_of_report(NULL, &look);
	assert_true(isnan(look.effect));
	cJSON_Delete(json);
	done(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(in_a_snapshot),
	    cmocka_unit_test(wrong_ones_are_refused),
	    cmocka_unit_test(a_look_is_of_the_first_primary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
