#include "unit.h"

#include "core/snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct snapshot *read_text(const char *text, struct err *e)
{
	struct snapshot *s = NULL;
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	if (snapshot_from_json(json, &s, e) != 0)
		assert_null(s);
	cJSON_Delete(json);
	return s;
}

static void test_round_trip(void **context)
{
	static const char *const names[] = {"fleet", "demo", "empty", "many", "jobs", "control"};
	static char text[1 << 20];
	(void)context;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];
		struct err e = {0};
		snprintf(path, sizeof(path), "tests/screen/fixtures/%s.json", names[i]);
		FILE *file = fopen(path, "rb");
		assert_non_null(file);
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		struct snapshot *once = read_text(text, &e);
		assert_non_null(once);
		cJSON *first = snapshot_to_json(once);
		char *printed = cJSON_PrintUnformatted(first);
		struct snapshot *twice = read_text(printed, &e);
		cJSON *second = snapshot_to_json(twice);
		assert_true(cJSON_Compare(first, second, true));
		assert_int_equal(once->model_count, twice->model_count);
		cJSON_free(printed);
		cJSON_Delete(first);
		cJSON_Delete(second);
		snapshot_free(once);
		snapshot_free(twice);
	}
}

static void test_values(void **context)
{
	struct err e = {0};
	struct snapshot *s =
	    read_text("{\"server\":{\"name\":\"a\\u001bb\",\"now_ms\":5,\"unknown\":[1]},"
		      "\"models\":[{\"name\":\"z\"},"
		      "{\"name\":\"m\",\"live\":null,\"revision\":4,\"requests\":240,\"refused\":40,\"errors\":3,"
		      "\"route\":[{\"version\":2,\"role\":\"canary\",\"percent\":12.34}],"
		      "\"per_version\":[{\"version\":2,\"predictions\":{\"edges\":[0,1,2],"
		      "\"counts\":[5,6],\"mean\":null}}]}]}",
		      &e);
	(void)context;
	assert_non_null(s);
	assert_string_equal(s->server.name, "a\\x1bb");
	assert_string_equal(s->models[0].name, "m");
	const struct snapshot_model *m = snapshot_find(s, "m");
	assert_non_null(m);
	assert_null(snapshot_find(s, "nothere"));
	assert_int_equal(m->live, 0);
	assert_int_equal(m->route[0].weight_bp, 1234);
	assert_int_equal(m->route[0].role, ROUTE_CANARY);
	assert_int_equal(m->stats.refused, 40);
	assert_true(snapshot_error_percent(&m->stats) == 1.5); /* a refused one is not the version's */
	const struct snapshot_version_stats *v = snapshot_stats_of(m, 2);
	assert_non_null(v);
	assert_int_equal(v->predictions.bin_count, 2);
	assert_true(isnan(v->predictions.mean));
	cJSON *json = snapshot_to_json(s);
	const cJSON *model = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "models"), 0);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(model, "live")));
	assert_int_equal(cJSON_GetObjectItem(model, "revision")->valueint, 4);
	const cJSON *entry = cJSON_GetArrayItem(cJSON_GetObjectItem(model, "route"), 0);
	assert_true(cJSON_GetObjectItem(entry, "percent")->valuedouble == 12.34);
	cJSON_Delete(json);
	snapshot_free(s);
}

static struct snapshot *read_fixture(const char *path)
{
	static char text[1 << 20];
	struct err e = {0};
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return read_text(text, &e);
}

static void test_control(void **context)
{
	struct snapshot *s = read_fixture("tests/screen/fixtures/control.json");
	(void)context;
	assert_non_null(s);
	/* Through JSON once more: what is written is what was read. */
	cJSON *json = snapshot_to_json(s);
	snapshot_free(s);
	struct err e = {0};
	assert_int_equal(snapshot_from_json(json, &s, &e), 0);
	cJSON_Delete(json);
	const struct snapshot_model *m = snapshot_find(s, "flight-delay");
	assert_int_equal(s->server.alerts_firing, 2);
	assert_int_equal(s->alert_count, 4);
	assert_int_equal(s->alerts[2].state, ALERT_ACKNOWLEDGED);
	assert_true(isnan(s->alerts[2].value));
	assert_int_equal(s->audit_count, 10);
	assert_int_equal(s->audits[7].uid, 1009);
	assert_string_equal(s->audits[7].outcome, "denied");
	assert_int_equal(s->audits[0].based_on, 11);
	assert_int_equal(m->revision_count, 12);
	assert_true(m->revisions[4].forced && !m->revisions[3].forced && m->history[4].forced);
	assert_int_equal(m->rollout->state, ROLLOUT_RUNNING);
	assert_int_equal(m->rollout->steps[2].weight_bp, 2500);
	assert_int_equal(m->rollout->finding_count, 3);
	assert_true(m->rollout->thresholds.p99_ratio_max == 2);
	assert_true(m->policy_set && m->policy.second_person && m->policy.shadow_requests == 5000);
	assert_true(m->capture.limit == 5000 && m->capture.rows == 9100 && m->capture.bytes == 2912000);
	assert_true(m->capture.seen == 1200000 && m->capture.dropped == 3 && m->capture.too_large == 1);
	assert_int_equal(m->capture.since_ms, 1763950000000);
	const struct snapshot_version_stats *v = snapshot_stats_of(snapshot_find(s, "churn"), 4);
	assert_int_equal(v->shadow.against, 3);
	assert_int_equal(v->shadow.flips, 44);
	assert_int_equal(v->shadow.bins[9], 700);
	assert_true(v->shadow.absolute_sum == 80.25);
	const struct snapshot_model *plain = snapshot_find(s, "fraud");
	struct policy usual;
	policy_init(&usual);
	assert_null(plain->rollout);
	assert_int_equal(plain->capture.limit, 0);
	assert_true(!plain->policy_set && plain->policy.p99_ratio_max == usual.p99_ratio_max);
	snapshot_free(s);
}

static void refuse(const char *text, const char *part)
{
	struct err e = {0};
	assert_null(read_text(text, &e));
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

static void test_refused(void **context)
{
	(void)context;
	refuse("[]", "not a JSON object");
	refuse("{}", "server");
	refuse("{\"server\":{}}", "models");
	refuse("{\"server\":{\"pid\":-1},\"models\":[]}", "pid");
	refuse("{\"server\":{\"name\":5},\"models\":[]}", "name");
	refuse("{\"server\":{},\"models\":[5]}", "models");
	refuse("{\"server\":{},\"models\":[{}]}", "name");
	refuse("{\"server\":{},\"models\":[{\"name\":\"UP\"}]}", "name");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"live\":1.5}]}", "live");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"route\":[{\"role\":\"king\"}]}]}", "role");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"per_version\":[{\"predictions\":"
	       "{\"edges\":[1,1]}}]}]}",
	       "edges");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"per_version\":[{\"predictions\":"
	       "{\"edges\":[0,1],\"counts\":[1,2]}}]}]}",
	       "counts");
	refuse("{\"server\":{},\"models\":[],\"alerts\":[{\"state\":\"odd\"}]}", "alerts");
	refuse("{\"server\":{},\"models\":[],\"alerts\":{}}", "alerts");
	refuse("{\"server\":{},\"models\":[],\"audits\":[3]}", "audits");
	refuse("{\"server\":{},\"models\":[],\"audits\":[{\"uid\":-1}]}", "uid");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"rollout\":{\"state\":\"running\"}}]}", "rollout");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"policy\":{\"no_such\":\"1\"}}]}", "policy");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"policy_set\":1}]}", "policy_set");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"revisions\":[{\"forced\":\"x\"}]}]}", "forced");
	refuse("{\"server\":{},\"models\":[{\"name\":\"a\",\"per_version\":[{\"shadow\":{\"bins\":[1,2,3,4,5,6,7,8,9,1,"
	       "1,2,3,4,5,6,7]}}]}]}",
	       "bins");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_values),
					   cmocka_unit_test(test_control), cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
