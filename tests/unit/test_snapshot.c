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
	static const char *const names[] = {"fleet",      "demo",        "empty",    "many",
					    "jobs",       "control",     "tests",    "test-diff",
					    "test-bench", "test-stress", "test-two", "test-missing"};
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
	refuse("{\"server\":{},\"models\":[],\"tests\":[3]}", "tests");
	refuse("{\"server\":{},\"models\":[],\"tests\":[{\"id\":-1}]}", "id");
	refuse("{\"server\":{},\"models\":[],\"reports\":[{},{},{}]}", "reports");
	refuse("{\"server\":{},\"models\":[],\"reports\":[{\"findings\":[{\"verdict\":\"odd\"}]}]}", "findings");
	refuse("{\"server\":{},\"models\":[],\"reports\":[{\"plots\":[{\"kind\":\"odd\"}]}]}", "plots");
	refuse("{\"server\":{},\"models\":[],\"reports\":[{\"figures\":[{\"name\":1}]}]}", "name");
	refuse("{\"server\":{},\"models\":[],\"reports\":[{\"worst\":[{\"line\":1.5}]}]}", "line");
}

static const char *const kept_report =
    "{\"verdict\":\"fail\",\"findings\":[{\"name\":\"rows\",\"verdict\":\"fail\",\"value\":3,\"threshold\":1}],"
    "\"rows\":2000,\"worst\":[{\"line\":964,\"old\":0.0995869,\"new\":\"NaN\",\"label\":1,\"segment\":\"BOS\","
    "\"curl\":\"curl -d '{}' http://h\\u001b\"},{\"line\":-1}]}";

/* Out of a report that was kept, through JSON, and into the console's picture. */
static void test_reports(void **context)
{
	struct snapshot *s = snapshot_new(), *read;
	struct err e = {0};
	(void)context;
	s->tests = calloc(1, sizeof(s->tests[0]));
	s->reports = calloc(2, sizeof(s->reports[0]));
	s->tests_known = true;
	s->test_count = 1;
	s->report_count = 2;
	s->tests[0] = (struct test_result){.id = 7, .kind = "stress", .model = "m", .verdict = "slo", .who = "ada"};
	s->reports[0].test = (struct test_result){.id = 8, .kind = "differential", .model = "m", .version = 2};
	s->reports[1].test.id = 9;
	s->reports[1].missing = true;
	assert_int_equal(snapshot_report_fill(&s->reports[0], kept_report, &e), 0);
	s->server.name[0] = 'h';
	cJSON *json = snapshot_to_json(s);
	if (snapshot_from_json(json, &read, &e) != 0)
		fail_msg("%s", e.text);
	assert_true(read->tests_known);
	assert_string_equal(read->tests[0].verdict, "slo");
	assert_string_equal(read->tests[0].who, "ada");
	const struct snapshot_report *r = snapshot_report(read, 8);
	assert_int_equal(r->finding_count, 1);
	assert_true(r->findings[0].value == 3);
	assert_int_equal(r->figure_count, 1);
	assert_string_equal(r->figures[0].name, "rows");
	assert_int_equal(r->worst_count, 2);
	assert_string_equal(r->worst[0].new_value, "NaN");
	assert_string_equal(r->worst[0].label, "1");
	assert_string_equal(r->worst[0].curl, "curl -d '{}' http://h\\x1b");
	assert_true(snapshot_report(read, 9)->missing);
	assert_null(snapshot_report(read, 7));
	assert_string_equal(r->note, "");
	cJSON_Delete(json);
	snapshot_free(read);
	snapshot_free(s);
}

/* What cannot be read of a report is left out, and it is said. */
static void test_reports_that_cannot_be_read(void **context)
{
	static const struct {
		const char *report, *note;
	} cases[] = {{"", ""},
		     {"no JSON", "no JSON object"},
		     {"[]", "no JSON object"},
		     {"{\"findings\":3}", "findings"},
		     {"{\"plots\":3}", "plots"},
		     {"{\"worst\":3}", ""}};
	(void)context;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot_report r = {.note = ""};
		struct err e = {0};
		assert_int_equal(snapshot_report_fill(&r, cases[i].report, &e), 0);
		assert_non_null(strstr(r.note, cases[i].note));
		assert_int_equal(r.finding_count + r.plot_count + r.worst_count, 0);
		snapshot_report_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip), cmocka_unit_test(test_values),
	    cmocka_unit_test(test_control),    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_reports),    cmocka_unit_test(test_reports_that_cannot_be_read)};
	return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
