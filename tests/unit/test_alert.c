/* Alerts as JSON. */
#include "core/alert.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static void there_and_back(void **state)
{
	(void)state;
	const struct alert alert = {
	    .id = 7,
	    .rule = "rollout",
	    .model = "churn",
	    .version = 3,
	    .state = ALERT_ACKNOWLEDGED,
	    .since_ms = 1700000000123,
	    .acknowledged_ms = 1700000060456,
	    .value = 2.1,
	    .threshold = NAN,
	    .text = "v3 of churn was rolled back",
	    .who = "alice",
	    .note = "looking at it",
	};
	struct alert back;
	struct err e = {0};
	cJSON *json = alert_to_json(&alert);
	assert_int_equal(alert_from_json(json, &back, &e), 0);
	cJSON_Delete(json);
	assert_int_equal(back.id, 7);
	assert_string_equal(back.rule, "rollout");
	assert_string_equal(back.model, "churn");
	assert_int_equal(back.version, 3);
	assert_int_equal(back.state, ALERT_ACKNOWLEDGED);
	assert_int_equal(back.since_ms, alert.since_ms);
	assert_int_equal(back.acknowledged_ms, alert.acknowledged_ms);
	assert_int_equal(back.resolved_ms, 0);
	assert_true(back.value == 2.1 && isnan(back.threshold));
	assert_string_equal(back.text, alert.text);
	assert_string_equal(back.who, "alice");
	assert_string_equal(back.note, "looking at it");
}

static void hostile_json(void **state)
{
	(void)state;
	static const char *const wrong[] = {
	    "[]",
	    "{}",
	    "{\"id\":1,\"state\":\"burning\",\"since_ms\":1}",
	    "{\"id\":-1,\"state\":\"firing\",\"since_ms\":1}",
	    "{\"id\":1,\"state\":\"firing\"}",
	    "{\"id\":1,\"state\":\"firing\",\"since_ms\":1,\"version\":100001}",
	    "{\"id\":1,\"state\":\"firing\",\"since_ms\":1,\"value\":\"2\"}",
	    "{\"id\":1,\"state\":\"firing\",\"since_ms\":1,\"text\":2}",
	};
	struct alert alert;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct err e = {0};
		cJSON *json = cJSON_Parse(wrong[i]);
		assert_int_equal(alert_from_json(json, &alert, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		cJSON_Delete(json);
	}
	struct err e = {0};
	cJSON *json = cJSON_Parse("{\"id\":1,\"state\":\"firing\",\"since_ms\":1,\"text\":\"\\u001b[2J\"}");
	assert_int_equal(alert_from_json(json, &alert, &e), 0);
	assert_string_equal(alert.text, "\\x1b[2J");
	cJSON_Delete(json);
}

static void states_have_names(void **state)
{
	(void)state;
	for (int i = 0; i < ALERT_STATE_COUNT; i++)
		assert_int_equal(alert_state_by_name(alert_state_name((enum alert_state)i)), i);
	assert_int_equal(alert_state_by_name("silenced"), ALERT_STATE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(hostile_json),
	    cmocka_unit_test(states_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
