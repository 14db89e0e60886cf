/* Alerts in the database: one open a rule, model and version; acknowledged, resolved, listed. */
#include "core/registry/registry_alerts.h"
#include "registry_fixture.h"

#include <math.h>
#include <string.h>

struct world {
	char directory[256];
	struct registry *registry;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	fixture_directory(w->directory);
	w->registry = fixture_open(w->directory);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	registry_close(w->registry);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static struct alert fire(struct world *w, const char *model, uint32_t version, const char *text, double value)
{
	struct alert alert = {.rule = "rollout", .version = version, .value = value, .threshold = NAN};
	struct err e = {0};
	text_clean(alert.model, sizeof alert.model, model);
	text_clean(alert.text, sizeof alert.text, text);
	if (registry_fire_alert(w->registry, &alert, &e) != 0)
		fail_msg("%s", e.text);
	return alert;
}

static void firing_again_renews(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct alert first = fire(w, "churn", 3, "it was rolled back", 2.5);
	assert_int_equal(first.id, 1);
	assert_int_equal(first.state, ALERT_FIRING);
	assert_true(first.since_ms > 0 && first.value == 2.5 && isnan(first.threshold));

	struct alert acknowledged;
	assert_int_equal(registry_acknowledge_alert(w->registry, 1, "mine", &operator, NULL, &acknowledged, &e), 0);
	assert_int_equal(acknowledged.state, ALERT_ACKNOWLEDGED);
	assert_string_equal(acknowledged.who, "ada");
	assert_string_equal(acknowledged.note, "mine");

	/* Who takes it over sees who had it, and so does the audit. */
	struct alert before;
	const struct actor grace = {.uid = 1, .name = "grace", .client = "test"};
	struct audit_record *records;
	size_t count;
	assert_int_equal(registry_acknowledge_alert(w->registry, 1, "now mine", &grace, &before, &acknowledged, &e), 0);
	assert_int_equal(before.state, ALERT_ACKNOWLEDGED);
	assert_string_equal(before.who, "ada");
	assert_string_equal(acknowledged.who, "grace");
	assert_int_equal(registry_audits(w->registry, "churn", 0, 10, &records, &count, &e), 0);
	assert_string_equal(records[0].detail, "alert 1, acknowledged by ada before (mine): it was rolled back");
	free(records);

	struct alert again = fire(w, "churn", 3, "it was rolled back again", 7);
	assert_int_equal(again.id, 1);
	assert_int_equal(again.since_ms, first.since_ms);
	assert_int_equal(again.state, ALERT_ACKNOWLEDGED);
	assert_string_equal(again.text, "it was rolled back again");
	assert_true(again.value == 7);

	assert_int_equal(fire(w, "churn", 4, "another version", 1).id, 2);
	assert_int_equal(fire(w, "price", 3, "another model", 1).id, 3);
}

static void resolved_is_over(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct alert alert;
	struct alert *alerts;
	size_t count;
	fire(w, "churn", 3, "one", 1);
	fire(w, "churn", 4, "two", 1);
	fire(w, "price", 3, "three", 1);
	assert_int_equal(registry_resolve_alerts(w->registry, "rollout", "churn", 3, &e), 0);
	assert_int_equal(registry_acknowledge_alert(w->registry, 1, "", &operator, NULL, &alert, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(registry_acknowledge_alert(w->registry, 9, "", &operator, NULL, &alert, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	/* It begins anew, as another one. */
	assert_int_equal(fire(w, "churn", 3, "again", 1).id, 4);
	assert_int_equal(registry_acknowledge_alert(w->registry, 3, "", &operator, NULL, &alert, &e), 0);

	/* Firing ones, the newest first; then acknowledged ones; then what is over. */
	assert_int_equal(registry_alerts(w->registry, 10, &alerts, &count, &e), 0);
	assert_int_equal(count, 4);
	static const int64_t order[] = {4, 2, 3, 1};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(alerts[i].id, order[i]);
	assert_int_equal(alerts[3].state, ALERT_RESOLVED);
	assert_true(alerts[3].resolved_ms >= alerts[3].since_ms);
	free(alerts);

	assert_int_equal(registry_resolve_alerts(w->registry, "rollout", "churn", 0, &e), 0);
	assert_int_equal(registry_alerts(w->registry, 1, &alerts, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(alerts[0].id, 3);
	free(alerts);
}

static void it_is_audited_and_survives(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct alert alert;
	struct alert *alerts;
	struct audit_record *records;
	size_t count;
	char long_note[400];
	fire(w, "churn", 3, "it was rolled back", 2.5);
	memset(long_note, 'x', sizeof long_note - 1);
	long_note[sizeof long_note - 1] = '\0';
	assert_int_equal(registry_acknowledge_alert(w->registry, 1, long_note, &operator, NULL, &alert, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(registry_acknowledge_alert(w->registry, 1, "seen", &operator, NULL, &alert, &e), 0);
	assert_int_equal(registry_audits(w->registry, "churn", 0, 10, &records, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_string_equal(records[0].action, "acknowledge");
	assert_string_equal(records[0].reason, "seen");
	assert_string_equal(records[0].detail, "alert 1: it was rolled back");
	assert_int_equal(records[0].version, 3);
	free(records);

	registry_close(w->registry);
	w->registry = fixture_open(w->directory);
	assert_int_equal(registry_alerts(w->registry, 10, &alerts, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(alerts[0].state, ALERT_ACKNOWLEDGED);
	assert_true(alerts[0].value == 2.5 && isnan(alerts[0].threshold));
	free(alerts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(firing_again_renews, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(resolved_is_over, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_is_audited_and_survives, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
