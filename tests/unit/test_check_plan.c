/* Plans of checks: which tests run, with which commands, what is missing, and what the verdicts add up to. */
#include "ui/command/check_plan.h"
#include "unit.h"

#include "core/json.h"

#include <stdio.h>

static cJSON *answer; /* of the runtime */

/* settings: NAME VALUE pairs of the policy; states: KIND STATE pairs of its tests. */
static void answer_make(const char *const *settings, const char *const *states)
{
	struct policy p;
	struct err e = {.text = ""};
	policy_init(&p);
	for (; settings[0] != NULL; settings += 2)
		if (policy_set(&p, settings[0], settings[1], &e) != 0)
			fail_msg("%s", e.text);
	cJSON_Delete(answer);
	answer = cJSON_CreateObject();
	json_add_number(answer, "against", 1);
	json_add(answer, "policy", policy_to_json(&p));
	cJSON *list = cJSON_AddArrayToObject(answer, "tests");
	for (; states[0] != NULL; states += 2) {
		cJSON *test = cJSON_CreateObject();
		json_add_text(test, "kind", states[0]);
		json_add_text(test, "state", states[1]);
		json_add_text(test, "verdict", "");
		json_add_boolean(test, "passed", strcmp(states[1], "passed") == 0);
		json_append(list, test);
	}
}
#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_PAIRS ((const char *const[]){NULL})

static struct check_plan plan(struct check_options options)
{
	struct check_plan p;
	struct err e = {.text = ""};
	options.model = "churn";
	options.version = 3;
	if (check_plan_make(&p, &options, answer, &e) != 0)
		fail_msg("%s", e.text);
	return p;
}

static void expect_refusal(struct check_options options, enum err_code code, const char *text)
{
	struct check_plan p;
	struct err e = {.text = ""};
	options.model = "churn";
	options.version = 3;
	assert_int_equal(check_plan_make(&p, &options, answer, &e), -1);
	if (e.code != code || strstr(e.text, text) == NULL)
		fail_msg("%d %s", e.code, e.text);
}

/* "differential+ stress-": in this order, + to be run. */
static void expect_tests(struct check_options options, const char *expected)
{
	struct check_plan p = plan(options);
	char text[128] = "";
	for (size_t i = 0; i < p.count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i > 0 ? " " : "",
			 p.tests[i].test.kind, p.tests[i].run ? "+" : "-");
	assert_string_equal(text, expected);
}

static void what_does_not_count_runs_the_cheapest_first(void **state)
{
	(void)state;
	const char *const *all =
	    PAIRS("tests", "training stress benchmark differential:1d", "stress_rate", "9", "diff_data", "/dev/null");
	const struct check_options plain = {.data = NULL}, rerun = {.rerun = true},
				   only = {.only = "stress,differential"};
	answer_make(all,
		    PAIRS("training", "missing", "stress", "missing", "benchmark", "missing", "differential", "old"));
	expect_tests(plain, "differential+ benchmark+ stress+ training-");
	expect_tests(only, "differential+ stress+");
	answer_make(all,
		    PAIRS("training", "passed", "stress", "looser", "benchmark", "failed", "differential", "passed"));
	expect_tests(plain, "differential- benchmark+ stress+ training-");
	expect_tests(rerun, "differential+ benchmark+ stress+ training-");
}

static void what_is_missing_is_said_before_anything_runs(void **state)
{
	(void)state;
	const struct check_options plain = {.data = NULL}, only = {.only = "benchmark"}, part = {.only = "stres"};
	const struct check_options none = {.only = ","}, data = {.data = "/dev/null"}, nowhere = {.data = "/no/rows"};
	answer_make(NO_PAIRS, NO_PAIRS);
	expect_refusal(plain, ERR_INPUT, "the policy of churn names no tests, so there is nothing to check");
	answer_make(PAIRS("tests", "differential stress"), PAIRS("differential", "missing", "stress", "missing"));
	expect_refusal(
	    plain, ERR_INPUT,
	    "the differential test has no rows: give --data FILE or --captured N, or set mldeck policy churn "
	    "diff_data=/absolute/path --reason TEXT");
	expect_refusal(data, ERR_INPUT, "set mldeck policy churn stress_rate=N");
	expect_refusal(nowhere, ERR_NOT_FOUND, "/no/rows, the rows of the differential test (--data), cannot be read");
	expect_refusal(only, ERR_INPUT, "names no test `benchmark`");
	expect_refusal(part, ERR_INPUT, "names no test `stres`");
	expect_refusal(none, ERR_INPUT, "names no test ``");
	answer_make(PAIRS("tests", "benchmark", "bench_data", "/no/rows"), PAIRS("benchmark", "missing"));
	expect_refusal(plain, ERR_NOT_FOUND, "(bench_data)");
	/* What is not run needs nothing. */
	answer_make(PAIRS("tests", "differential stress", "diff_data", "/no/rows"),
		    PAIRS("differential", "passed", "stress", "passed"));
	expect_tests(plain, "differential- stress-");
}

static void expect_command(struct check_options options, const char *expected)
{
	struct check_plan p = plan(options);
	struct check_words w;
	char text[512] = "";
	check_plan_words(&p, &p.tests[0], &w);
	assert_null(w.words[w.count]);
	for (size_t i = 0; i < w.count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? "|" : "", w.words[i]);
	assert_string_equal(text, expected);
}

static void commands_have_what_the_policy_says(void **state)
{
	(void)state;
	const struct check_options plain = {.data = NULL}, state_of = {.socket = "/s", .state = "/t", .yes = true};
	const struct check_options data = {.data = "/dev/zero"}, captured = {.captured = "500"};
	answer_make(
	    PAIRS("tests", "differential", "diff_data", "/dev/null", "diff_labels", "it is", "diff_segment", "s"),
	    PAIRS("differential", "missing"));
	expect_command(plain, "mldeck|diff|churn|3|--against|1|--data|/dev/null|--labels|it is|--segment|s|--json");
	expect_command(data, "mldeck|diff|churn|3|--against|1|--data|/dev/zero|--labels|it is|--segment|s|--json");
	expect_command(captured, "mldeck|diff|churn|3|--against|1|--captured|500|--json");
	answer_make(PAIRS("tests", "differential"), PAIRS("differential", "missing"));
	expect_command(captured, "mldeck|diff|churn|3|--against|1|--captured|500|--json");
	answer_make(PAIRS("tests", "benchmark"), PAIRS("benchmark", "missing"));
	expect_command(state_of, "mldeck|bench|churn|3|--against|1|--socket|/s|--state|/t|--json");
	answer_make(PAIRS("tests", "stress", "stress_rate", "2.5"), PAIRS("stress", "missing"));
	expect_command(plain, "mldeck|stress|churn|--version|3|--rate|2.5|--duration|1m|--max-errors|1%|--json");
	answer_make(PAIRS("tests", "stress", "stress_rate", "1000", "stress_slo_p99", "5ms", "stress_duration", "90s",
			  "stress_errors_max", "0", "stress_data", "/dev/null"),
		    PAIRS("stress", "missing"));
	expect_command(state_of,
		       "mldeck|stress|churn|--version|3|--rate|1000|--duration|90s|--slo-p99|5ms|--max-errors|0%|"
		       "--yes|--data|/dev/null|--socket|/s|--state|/t|--json");
}

static void verdicts_add_up(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second; /* states; "error": its run gave no result and ended with 3 */
		const char *verdict;
		int code;
	} cases[] = {
	    {"passed", "passed", "pass", 0}, {"passed", "failed", "fail", 1},  {"failed", "error", "fail", 1},
	    {"error", "failed", "fail", 1},  {"passed", "missing", "wait", 1}, {"old", "passed", "wait", 1},
	    {"looser", "passed", "wait", 1}, {"passed", "error", "error", 3},  {"missing", "error", "error", 3},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *states[] = {cases[i].first, cases[i].second};
		answer_make(PAIRS("tests", "benchmark training"), PAIRS("benchmark", states[0], "training", states[1]));
		struct check_plan p = plan((struct check_options){.data = NULL});
		for (size_t k = 0; k < 2; k++)
			if (strcmp(states[k], "error") == 0) {
				p.tests[k].code = 3;
				strcpy(p.tests[k].fault, "it runs already");
			}
		assert_string_equal(check_verdict_name(check_plan_verdict(&p)), cases[i].verdict);
		assert_int_equal(check_plan_exit(&p), cases[i].code);
	}
}

static void a_policy_that_changes_meanwhile(void **state)
{
	(void)state;
	struct err e = {.text = ""};
	answer_make(PAIRS("tests", "benchmark"), PAIRS("benchmark", "missing"));
	struct check_plan p = plan((struct check_options){.data = NULL});
	answer_make(PAIRS("tests", "stress"), PAIRS("stress", "passed"));
	assert_int_equal(check_plan_update(&p, answer, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	/* Nor may a test be passed over that was added meanwhile. */
	answer_make(PAIRS("tests", "benchmark stress"), PAIRS("benchmark", "passed"));
	assert_int_equal(check_plan_update(&p, answer, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	answer_make(PAIRS("tests", "benchmark"), PAIRS("benchmark", "passed"));
	cJSON_ReplaceItemInObjectCaseSensitive(answer, "against", cJSON_CreateNumber(2));
	p.against = 1;
	assert_int_equal(check_plan_update(&p, answer, &e), -1);
	assert_string_equal(e.text, "v2 of churn went live meanwhile, in place of v1: check again");
	p.against = 2;
	assert_int_equal(check_plan_update(&p, answer, &e), 0);
	assert_string_equal(check_test_verdict(&p.tests[0]), "pass");
}

static int release(void **state)
{
	(void)state;
	cJSON_Delete(answer);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_does_not_count_runs_the_cheapest_first),
	    cmocka_unit_test(what_is_missing_is_said_before_anything_runs),
	    cmocka_unit_test(commands_have_what_the_policy_says),
	    cmocka_unit_test(verdicts_add_up),
	    cmocka_unit_test(a_policy_that_changes_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
