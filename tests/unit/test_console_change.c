/* Changes made in the real console, in a pseudo-terminal, against a fake runtime: gates, the route editor, rollouts,
 * policies, alerts, and undoing. */
#include "unit.h"

#include "core/clock.h"
#include "lib/console_world.h"

#include <stdio.h>

#define RIGHT "\033OC"
#define DOWN "\033OB"
#define PAGE_UP "\033[5~"
#define CONTROL_F "\006"

/* Enter, again and again while the runtime has not yet said what would happen. */
static bool entered(struct console_world *w, const char *text)
{
	long long deadline = clock_ms() + 10000;

	while (terminal_row(w->terminal, text) < 0 && clock_ms() < deadline) {
		terminal_type(w->terminal, "\r");
		terminal_read(w->terminal, 100);
	}
	return terminal_shows(w->terminal, text);
}

static void a_gate_that_fails_has_to_be_forced(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 34);
	fake_runtime_gate(w.runtime, true);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "✕ fail    error_rate"));
	assert_true(terminal_shows(w.terminal, "1 fails"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "ctrl-f forces it"));
	console_world_polls(&w, 1);
	assert_int_equal(fake_runtime_revision(w.runtime), 3);
	terminal_type(w.terminal, CONTROL_F);
	assert_true(terminal_shows(w.terminal, "▲ forced  error_rate"));
	assert_true(terminal_shows(w.terminal, "forced over gates that do not pass"));
	assert_true(terminal_shows(w.terminal, "mldeck promote flight-delay 3 --force --reason better"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "flight-delay: v3 is live (r4)"));
	assert_true(fake_runtime_forced(w.runtime));
	console_world_close(&w);
}

static void what_passes_cannot_be_forced(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "✓ pass    ready"));
	terminal_type(w.terminal, CONTROL_F);
	assert_true(terminal_shows(w.terminal, "there is nothing to force"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "v3 is live (r4)"));
	assert_false(fake_runtime_forced(w.runtime));
	console_world_close(&w);
}

static void the_editor_sends_only_on_enter(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 110, 34);
	terminal_type(w.terminal, "js");
	assert_true(terminal_shows(w.terminal, "▸ v3"));
	assert_true(terminal_shows(w.terminal, "the route is as it was"));
	terminal_type(w.terminal, RIGHT RIGHT PAGE_UP);
	assert_true(terminal_shows(w.terminal, "v1 88% v3 12%"));
	assert_true(terminal_shows(w.terminal, "12% of the units move"));
	assert_true(terminal_shows(w.terminal, "mldeck split flight-delay 3=12 1=88"));
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_revision(w.runtime), 3);
	terminal_type(w.terminal, "\rflight-delay\rfirst share\r");
	assert_true(terminal_shows(w.terminal, "flight-delay: v1 88% v3 12% (r4)"));
	assert_int_equal(fake_runtime_share(w.runtime, 3, false), 1200);
	assert_int_equal(fake_runtime_share(w.runtime, 1, false), 8800);
	console_world_close(&w);
}

static void the_editor_takes_digits_and_shadows(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 110, 34);
	terminal_type(w.terminal, "js");
	assert_true(terminal_shows(w.terminal, "▸ v3"));
	terminal_type(w.terminal, "25\t\t\t");
	assert_true(terminal_shows(w.terminal, "▸ ◌v3"));
	terminal_type(w.terminal, DOWN PAGE_UP);
	assert_true(terminal_shows(w.terminal, "v2 shadow 10%"));
	assert_true(terminal_shows(w.terminal, "&& mldeck shadow flight-delay 2=10%"));
	terminal_type(w.terminal, "\rflight-delay\rboth\r");
	assert_true(terminal_shows(w.terminal, "(r4)"));
	assert_int_equal(fake_runtime_share(w.runtime, 3, false), 2500);
	assert_int_equal(fake_runtime_share(w.runtime, 2, true), 1000);
	console_world_close(&w);
}

static void a_rollout_is_started_paused_and_aborted(void **state)
{
	struct console_world w;
	char rollout[16];

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jo");
	assert_true(terminal_shows(w.terminal, "Roll out a version of flight-delay"));
	assert_true(terminal_shows(w.terminal, "then 5%, 25%, 100%"));
	assert_true(terminal_shows(w.terminal, "✓ pass    ready"));
	terminal_type(w.terminal, "\t\t\tflight-delay\rslowly\r");
	assert_true(terminal_shows(w.terminal, "the rollout of v3 has begun (r4)"));
	assert_true(terminal_shows(w.terminal, "rollout 1/3, 04:12 left"));
	assert_true(terminal_shows(w.terminal, "✓ pass    error_rate"));
	console_world_polls(&w, 2);
	assert_true(fake_runtime_details(w.runtime) > 0);
	terminal_type(w.terminal, " ");
	assert_true(terminal_shows(w.terminal, "Pause the rollout of flight-delay"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "needs a reason"));
	terminal_type(w.terminal, "lunch\r");
	assert_true(terminal_shows(w.terminal, "rollout 1/3, paused"));
	assert_true(terminal_shows(w.terminal, "space resume"));
	terminal_type(w.terminal, "yx");
	assert_true(terminal_shows(w.terminal, "Abort the rollout"));
	terminal_type(w.terminal, "no more\r");
	assert_true(terminal_shows(w.terminal, "rollout aborted"));
	fake_runtime_rollout(w.runtime, rollout, sizeof(rollout));
	assert_string_equal(rollout, "aborted");
	console_world_close(&w);
}

static void a_skip_asks_for_the_name(void **state)
{
	struct console_world w;
	char rollout[16];

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jo");
	assert_true(terminal_shows(w.terminal, "then 5%, 25%, 100%"));
	assert_true(terminal_shows(w.terminal, "✓ pass    ready"));
	terminal_type(w.terminal, "\t\t\tflight-delay\rslowly\r");
	assert_true(terminal_shows(w.terminal, "rollout 1/3"));
	terminal_type(w.terminal, "n");
	assert_true(terminal_shows(w.terminal, "v3 goes from 1% to 25% now"));
	terminal_type(w.terminal, "\r\r");
	assert_true(terminal_shows(w.terminal, "type the name flight-delay to confirm"));
	assert_int_equal(fake_runtime_rollout(w.runtime, rollout, sizeof(rollout)), 0);
	terminal_type(w.terminal, "flight-delay\rhurry\r");
	assert_true(terminal_shows(w.terminal, "rollout 2/3"));
	console_world_close(&w);
}

static void the_last_change_is_undone_by_a_key(void **state)
{
	struct console_world w;
	char reason[64];

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "u");
	assert_true(terminal_shows(w.terminal, "there is nothing to undo"));
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "v3 is live (r4) · u undo"));
	terminal_type(w.terminal, "u");
	assert_true(terminal_shows(w.terminal, "r4 is undone, v1 100% again (r5)"));
	assert_int_equal(fake_runtime_live(w.runtime), 1);
	fake_runtime_reason(w.runtime, reason, sizeof(reason));
	assert_string_equal(reason, "undo of r4");
	terminal_type(w.terminal, "y");
	assert_true(terminal_shows(w.terminal, "mldeck rollback flight-delay --to 3 --expect-revision 4"));
	terminal_type(w.terminal, "u");
	assert_true(terminal_shows(w.terminal, "there is nothing to undo"));
	assert_int_equal(fake_runtime_revision(w.runtime), 5);
	console_world_close(&w);
}

static void an_undo_of_what_was_changed_again_is_refused(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "u undo"));
	fake_runtime_promote(w.runtime, 2);
	terminal_type(w.terminal, "u");
	assert_true(terminal_shows(w.terminal, "r4 is not undone: the route is at another revision"));
	assert_int_equal(fake_runtime_live(w.runtime), 2);
	console_world_close(&w);
}

static void nothing_is_undone_on_old_facts(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "u undo"));
	fake_runtime_hang(w.runtime, true);
	assert_true(terminal_shows(w.terminal, "stale"));
	assert_true(terminal_lacks(w.terminal, "u undo"));
	terminal_type(w.terminal, "u");
	assert_true(terminal_shows(w.terminal, "nothing can be undone now"));
	fake_runtime_hang(w.runtime, false);
	console_world_polls(&w, 1);
	assert_int_equal(fake_runtime_live(w.runtime), 3);
	console_world_close(&w);
}

static void a_countdown_costs_few_bytes(void **state)
{
	struct console_world w;
	size_t before, seconds;
	int64_t begun_ms;

	(void)state;
	console_world_open(&w, 80, 24);
	terminal_type(w.terminal, "jp");
	assert_true(terminal_shows(w.terminal, "v3 100%"));
	terminal_type(w.terminal, "flight-delay\rbetter\r");
	assert_true(terminal_shows(w.terminal, "u undo"));
	console_world_polls(&w, 3);
	begun_ms = clock_ms();
	before = terminal_bytes(w.terminal);
	for (int i = 0; i < 2; i++) {
		size_t now = terminal_bytes(w.terminal);

		while (terminal_bytes(w.terminal) == now && clock_ms() < begun_ms + 10000)
			console_world_polls(&w, 1);
	}
	/* A digit or two, and where they stand, a second, however many polls that took; nothing else changes. */
	seconds = (size_t)((clock_ms() - begun_ms) / 1000) + 2;
	assert_in_range(terminal_bytes(w.terminal) - before, 1, seconds * 64);
	console_world_close(&w);
}

static void another_operator_moves_the_editor(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 110, 34);
	terminal_type(w.terminal, "js");
	assert_true(terminal_shows(w.terminal, "▸ v3"));
	terminal_type(w.terminal, "25");
	assert_true(terminal_shows(w.terminal, "v1 75% v3 25%"));
	fake_runtime_promote(w.runtime, 2);
	assert_true(terminal_shows(w.terminal, "the route changed meanwhile"));
	terminal_type(w.terminal, "30\r");
	assert_true(terminal_shows(w.terminal, "the route is as it was"));
	assert_int_equal(fake_runtime_revision(w.runtime), 4);
	terminal_type(w.terminal, "10");
	assert_true(terminal_shows(w.terminal, "after         v2 90% v3 10%"));
	terminal_type(w.terminal, "\rflight-delay\ragain\r");
	assert_true(terminal_shows(w.terminal, "v2 90% v3 10% (r5)"));
	console_world_close(&w);
}

static void an_alert_is_acknowledged_with_a_note(void **state)
{
	struct console_world w;
	char note[64];

	(void)state;
	console_world_open(&w, 100, 30);
	assert_true(terminal_shows(w.terminal, "▲ 1 firing"));
	terminal_type(w.terminal, "4a");
	assert_true(terminal_shows(w.terminal, "Acknowledge the alert of churn"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "needs a note"));
	terminal_type(w.terminal, "on it\r");
	assert_true(terminal_shows(w.terminal, "the alert is acknowledged"));
	assert_true(terminal_lacks(w.terminal, "1 firing"));
	fake_runtime_note(w.runtime, note, sizeof(note));
	assert_string_equal(note, "on it");
	terminal_type(w.terminal, "a");
	assert_true(terminal_shows(w.terminal, "this alert does not fire"));
	console_world_close(&w);
}

static void a_policy_is_edited(void **state)
{
	struct console_world w;
	char value[64];

	(void)state;
	console_world_open(&w, 100, 30);
	terminal_type(w.terminal, "jP");
	assert_true(terminal_shows(w.terminal, "nobody set a policy"));
	terminal_type(w.terminal, "\r");
	assert_true(terminal_shows(w.terminal, "Policy of flight-delay: promoters"));
	terminal_type(w.terminal, "alice\rfour eyes");
	assert_true(terminal_shows(w.terminal, "promoters=alice --reason 'four eyes'"));
	assert_true(entered(&w, "the policy holds from now on"));
	fake_runtime_policy(w.runtime, value, sizeof(value));
	assert_string_equal(value, "alice");
	assert_true(terminal_shows(w.terminal, "alice"));
	console_world_close(&w);
}

static void the_audit_is_asked_for_only_where_it_shows(void **state)
{
	struct console_world w;
	int asked;

	(void)state;
	console_world_open(&w, 100, 30);
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_audits(w.runtime), 0);
	terminal_type(w.terminal, "5");
	assert_true(terminal_shows(w.terminal, "✕ denied"));
	terminal_type(w.terminal, "/eve");
	assert_true(terminal_lacks(w.terminal, "grace"));
	terminal_type(w.terminal, "\r1");
	assert_true(terminal_shows(w.terminal, "flight-delay"));
	console_world_polls(&w, 2);
	asked = fake_runtime_audits(w.runtime);
	assert_true(asked > 0);
	console_world_polls(&w, 2);
	assert_int_equal(fake_runtime_audits(w.runtime), asked);
	console_world_close(&w);
}

static void the_history_goes_back_to_what_is_selected(void **state)
{
	struct console_world w;

	(void)state;
	console_world_open(&w, 100, 34);
	terminal_type(w.terminal, "jh");
	assert_true(terminal_shows(w.terminal, "r3, in force now"));
	terminal_type(w.terminal, "jr");
	assert_true(terminal_shows(w.terminal, "Roll back flight-delay"));
	assert_true(terminal_shows(w.terminal, "--to 2 --expect-revision 3"));
	console_world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_gate_that_fails_has_to_be_forced),
	    cmocka_unit_test(what_passes_cannot_be_forced),
	    cmocka_unit_test(the_editor_sends_only_on_enter),
	    cmocka_unit_test(the_editor_takes_digits_and_shadows),
	    cmocka_unit_test(a_rollout_is_started_paused_and_aborted),
	    cmocka_unit_test(a_skip_asks_for_the_name),
	    cmocka_unit_test(the_last_change_is_undone_by_a_key),
	    cmocka_unit_test(an_undo_of_what_was_changed_again_is_refused),
	    cmocka_unit_test(nothing_is_undone_on_old_facts),
	    cmocka_unit_test(a_countdown_costs_few_bytes),
	    cmocka_unit_test(another_operator_moves_the_editor),
	    cmocka_unit_test(an_alert_is_acknowledged_with_a_note),
	    cmocka_unit_test(a_policy_is_edited),
	    cmocka_unit_test(the_audit_is_asked_for_only_where_it_shows),
	    cmocka_unit_test(the_history_goes_back_to_what_is_selected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
