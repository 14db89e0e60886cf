#include "unit.h"

#include "ui/console_state.h"

#include <stdio.h>
#include <string.h>

static void shares_are_exact(void **state)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	size_t count;

	(void)state;
	assert_int_equal(change_weights("2=80 v3=19.95%  4=0.05", entries, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_int_equal(entries[1].version, 3);
	assert_int_equal(entries[1].weight_bp, 1995);
	assert_int_equal(entries[2].weight_bp, 5);
}

static void wrong_shares_are_refused(void **state)
{
	static const char *const texts[] = {"",          "2",       "2=",     "2=99",
					    "2=50 2=50", "0=100",   "2=100x", "2=33.333 3=66.667",
					    "2=101",     "2 = 100", "-2=100", "99999999999=100"};
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err e = {0};

		assert_int_equal(change_weights(texts[i], entries, &count, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

static void the_revision_on_the_screen_is_sent(void **state)
{
	static struct change change;
	struct err e = {0};
	cJSON *body;
	char command[128];

	(void)state;
	change.revision = 7;
	strcpy(change.model, "churn");
	strcpy(change.dialog.fields[CHANGE_TARGET].value, "3");
	strcpy(change.dialog.fields[CHANGE_REASON].value, "it's time");
	body = change_body(&change, true, &e);
	assert_non_null(body);
	assert_int_equal((int)cJSON_GetObjectItem(body, "expect_revision")->valuedouble, 7);
	assert_int_equal((int)cJSON_GetObjectItem(body, "version")->valuedouble, 3);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(body, "dry_run")));
	cJSON_Delete(body);
	change_command(&change, command, sizeof(command));
	assert_string_equal(command, "mldeck promote churn 3 --reason 'it'\\''s time'");
	change.kind = CHANGE_ROLLBACK;
	change_command(&change, command, sizeof(command));
	assert_string_equal(command, "mldeck rollback churn --to 3 --expect-revision 7 --reason 'it'\\''s time'");
	change.dialog.fields[CHANGE_TARGET].value[0] = '\0';
	body = change_body(&change, false, &e);
	assert_non_null(body);
	assert_null(cJSON_GetObjectItem(body, "to_revision"));
	change.after_revision = 5;
	change_command(&change, command, sizeof(command));
	assert_string_equal(command, "mldeck rollback churn --to 5 --expect-revision 7 --reason 'it'\\''s time'");
	cJSON_Delete(body);
	change.kind = CHANGE_PROMOTE;
	assert_null(change_body(&change, false, &e));
	assert_int_equal(e.code, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shares_are_exact),
	    cmocka_unit_test(wrong_shares_are_refused),
	    cmocka_unit_test(the_revision_on_the_screen_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
