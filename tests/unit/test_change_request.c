#include "unit.h"

#include "ui/console/console_state.h"

#include <stdio.h>
#include <string.h>

static struct change *change_of(enum change_kind kind)
{
	static struct change change;

	memset(&change, 0, sizeof(change));
	change.kind = kind;
	change.revision = 7;
	change.number = -1;
	strcpy(change.model, "churn");
	for (int i = 0; i < CHANGE_FIELDS; i++)
		if (change_spec(kind)->fields & (1u << i))
			change.fields[i] = dialog_field(&change.dialog, "", "");
	change_type(&change, CHANGE_REASON, "it's time");
	return &change;
}

static void body_is(const struct change *change, bool dry_run, const char *path, const char *json)
{
	struct err e = {0};
	char where[160];
	cJSON *body = change_body(change, dry_run, &e), *wanted = cJSON_Parse(json);

	change_path(change, where, sizeof(where));
	assert_string_equal(where, path);
	assert_non_null(body);
	assert_non_null(wanted);
	if (!cJSON_Compare(body, wanted, true))
		fail_msg("%s is not %s", cJSON_Print(body), json);
	cJSON_Delete(body);
	cJSON_Delete(wanted);
}

static void command_is(const struct change *change, const char *wanted)
{
	char command[512];

	change_command(change, command, sizeof(command));
	assert_string_equal(command, wanted);
}

static void the_revision_on_the_screen_is_sent(void **state)
{
	struct change *change = change_of(CHANGE_PROMOTE);
	struct err e = {0};

	(void)state;
	change_type(change, CHANGE_TARGET, "3");
	body_is(
	    change, true, "/control/v1/models/churn/route",
	    "{\"action\":\"promote\",\"version\":3,\"reason\":\"it's time\",\"expect_revision\":7,\"dry_run\":true}");
	command_is(change, "mldeck promote churn 3 --reason 'it'\\''s time'");
	change->force = true;
	body_is(
	    change, false, "/control/v1/models/churn/route",
	    "{\"action\":\"promote\",\"version\":3,\"reason\":\"it's time\",\"expect_revision\":7,\"dry_run\":false,"
	    "\"force\":true}");
	command_is(change, "mldeck promote churn 3 --force --reason 'it'\\''s time'");
	change_type(change, CHANGE_TARGET, "");
	assert_null(change_body(change, false, &e));
	assert_int_equal(e.code, ERR_INPUT);
}

static void a_rollback_names_where_it_goes(void **state)
{
	struct change *change = change_of(CHANGE_ROLLBACK);
	struct err e = {0};

	(void)state;
	change_type(change, CHANGE_TARGET, "r3");
	body_is(change, false, "/control/v1/models/churn/route",
		"{\"action\":\"rollback\",\"to_revision\":3,\"reason\":\"it's time\",\"expect_revision\":7,"
		"\"dry_run\":false}");
	command_is(change, "mldeck rollback churn --to 3 --expect-revision 7 --reason 'it'\\''s time'");
	change_type(change, CHANGE_TARGET, "");
	body_is(change, true, "/control/v1/models/churn/route",
		"{\"action\":\"rollback\",\"reason\":\"it's time\",\"expect_revision\":7,\"dry_run\":true}");
	change->after_revision = 5;
	command_is(change, "mldeck rollback churn --to 5 --expect-revision 7 --reason 'it'\\''s time'");
	change_type(change, CHANGE_TARGET, "x");
	assert_null(change_body(change, false, &e));
	assert_int_equal(e.code, ERR_INPUT);
}

/* v2 live 80%, v3 20%, v1 and a shadow of v1 at nothing. */
static struct change *editing(void)
{
	struct change *change = change_of(CHANGE_SPLIT);

	change->editor = (struct route_editor){.row_count = 4, .live = 2, .rate_rps = 1000};
	change->editor.rows[0] = (struct route_editor_row){3, false, true, 2000, 2000};
	change->editor.rows[1] = (struct route_editor_row){2, false, true, 8000, 8000};
	change->editor.rows[2] = (struct route_editor_row){1, false, true, 0, 0};
	change->editor.rows[3] = (struct route_editor_row){1, true, true, 0, 0};
	return change;
}

static void an_editor_sends_what_it_changed(void **state)
{
	struct change *change = editing();
	struct err e = {0};

	(void)state;
	assert_null(change_body(change, true, &e));
	assert_non_null(strstr(e.text, "as it was"));
	route_editor_key(&change->editor, DRAW_KEY_RIGHT);
	body_is(
	    change, true, "/control/v1/models/churn/route",
	    "{\"action\":\"split\",\"weights\":[{\"version\":3,\"weight_bp\":2100},{\"version\":2,\"weight_bp\":7900}],"
	    "\"reason\":\"it's time\",\"expect_revision\":7,\"dry_run\":true}");
	command_is(change, "mldeck split churn 3=21 2=79 --reason 'it'\\''s time'");
	change->editor.at = 3;
	route_editor_key(&change->editor, DRAW_KEY_PAGE_UP);
	body_is(change, false, "/control/v1/models/churn/route",
		"{\"action\":\"apply\",\"entries\":[{\"version\":3,\"weight_bp\":2100,\"role\":\"canary\"},"
		"{\"version\":2,\"weight_bp\":7900,\"role\":\"live\"},{\"version\":1,\"weight_bp\":1000,\"role\":"
		"\"shadow\"}],"
		"\"reason\":\"it's time\",\"expect_revision\":7,\"dry_run\":false}");
	command_is(change,
		   "mldeck split churn 3=21 2=79 --reason 'it'\\''s time' && mldeck shadow churn 1=10% --reason "
		   "'it'\\''s time'");
	change->editor.at = 0;
	route_editor_key(&change->editor, DRAW_KEY_LEFT);
	body_is(change, false, "/control/v1/models/churn/route",
		"{\"action\":\"shadow\",\"weights\":[{\"version\":1,\"weight_bp\":1000}],\"reason\":\"it's time\","
		"\"expect_revision\":7,\"dry_run\":false}");
	command_is(change, "mldeck shadow churn 1=10% --reason 'it'\\''s time'");
}

static void rollouts_and_their_steps(void **state)
{
	struct change *change = change_of(CHANGE_ROLLOUT);

	(void)state;
	change_type(change, CHANGE_TARGET, "v3");
	change_type(change, CHANGE_STEPS, "1,25");
	change_type(change, CHANGE_HOLD, "5m");
	body_is(change, true, "/control/v1/models/churn/rollout",
		"{\"version\":3,\"steps\":\"1,25\",\"hold\":\"5m\",\"reason\":\"it's time\",\"expect_revision\":7,"
		"\"dry_run\":true}");
	command_is(change, "mldeck rollout churn 3 --steps 1,25 --hold 5m --reason 'it'\\''s time'");
	change = change_of(CHANGE_PAUSE);
	body_is(change, false, "/control/v1/models/churn/rollout/pause", "{\"reason\":\"it's time\"}");
	command_is(change, "mldeck rollout churn --pause --reason 'it'\\''s time'");
}

static void policies_and_alerts(void **state)
{
	struct change *change = change_of(CHANGE_POLICY);

	(void)state;
	strcpy(change->setting, "p99_ratio_max");
	change->number = 4;
	change_type(change, CHANGE_VALUE, "2");
	body_is(change, false, "/control/v1/models/churn/policy",
		"{\"set\":{\"p99_ratio_max\":\"2\"},\"expect_number\":4,\"reason\":\"it's time\",\"dry_run\":false}");
	command_is(change, "mldeck policy churn p99_ratio_max=2 --reason 'it'\\''s time'");
	change_type(change, CHANGE_VALUE, "");
	body_is(change, false, "/control/v1/models/churn/policy",
		"{\"unset\":[\"p99_ratio_max\"],\"expect_number\":4,\"reason\":\"it's time\",\"dry_run\":false}");
	change = change_of(CHANGE_ACKNOWLEDGE);
	change->alert = 12;
	body_is(change, false, "/control/v1/alerts/12/acknowledge", "{\"note\":\"it's time\"}");
	command_is(change, "mldeck ack 12 --note 'it'\\''s time'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_revision_on_the_screen_is_sent),
	    cmocka_unit_test(a_rollback_names_where_it_goes),
	    cmocka_unit_test(an_editor_sends_what_it_changed),
	    cmocka_unit_test(rollouts_and_their_steps),
	    cmocka_unit_test(policies_and_alerts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
