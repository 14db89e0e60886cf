/* Policies: every setting there and back, what is refused, what can never hold, who may promote. */
#include "core/policy.h"
#include "core/users.h"
#include "unit.h"

#include <grp.h>
#include <math.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct policy with(const char *name, const char *text)
{
	struct policy p;
	struct err e = {.text = ""};
	policy_init(&p);
	if (policy_set(&p, name, text, &e) != 0)
		fail_msg("%s", e.text);
	return p;
}

/* Sets `name text` pairs, the last NULL. */
static struct policy with_all(const char *const *pairs)
{
	struct policy p;
	struct err e = {.text = ""};
	policy_init(&p);
	for (; pairs[0] != NULL; pairs += 2)
		if (policy_set(&p, pairs[0], pairs[1], &e) != 0)
			fail_msg("%s", e.text);
	return p;
}

static void defaults_demand_nothing(void **state)
{
	(void)state;
	struct policy p;
	struct err e = {.text = ""};
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];
	size_t count = 0;
	policy_init(&p);
	assert_int_equal(policy_check(&p, &e), 0);
	assert_true(policy_may_promote(&p, 4242, "anybody"));
	for (; policy_row(&p, count, &name, value, &help); count++) {
		assert_true(policy_is_default(&p, count));
		assert_true(strlen(name) > 0 && strlen(name) < 24);
		assert_true(strlen(help) > 10 && strlen(help) < 70);
		assert_int_equal(policy_set(&p, name, value, &e), 0);
		assert_true(policy_is_default(&p, count));
	}
	assert_int_equal(count, 36);
	assert_true(isnan(p.diff_atol) && isnan(p.diff_rtol));
	assert_true(isnan(p.shadow_difference_max));
	assert_true(p.same_signature);
	assert_int_equal(p.approval_max_age_s, 86400);
}

static void names_are_unique(void **state)
{
	(void)state;
	struct policy p;
	const char *name, *other, *help;
	char value[POLICY_NAMES_SIZE];
	policy_init(&p);
	for (size_t i = 0; policy_row(&p, i, &name, value, &help); i++)
		for (size_t k = 0; k < i && policy_row(&p, k, &other, value, &help); k++)
			assert_string_not_equal(name, other);
}

static void every_setting_reads_back(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
	    {"promoters", " ada,  bob @ops ", "ada bob @ops"},
	    {"promoters", "", ""},
	    {"second_person", "on", "yes"},
	    {"approval_max_age", "90m", "90m"},
	    {"approval_max_age", "48h", "2d"},
	    {"min_age", "3600s", "1h"},
	    {"same_signature", "false", "no"},
	    {"shadow_requests", "1000", "1000"},
	    {"shadow_flips_max", "0.25", "0.25%"},
	    {"shadow_flips_max", "100%", "100%"},
	    {"shadow_difference_max", "1e-3", "0.001"},
	    {"shadow_difference_max", "none", "none"},
	    {"shadow_difference_max", "-0", "0"},
	    {"tests", "differential:7d,benchmark", "differential:7d benchmark"},
	    {"tests", "", ""},
	    {"canary_requests", "500", "500"},
	    {"no_alerts", "1", "yes"},
	    {"error_margin", "0.5%", "0.5%"},
	    {"p99_ratio_max", "2", "2"},
	    {"p99_margin", "1500us", "1500us"},
	    {"p99_margin", "2s", "2s"},
	    {"drift_max", "0.1", "0.1"},
	    {"analysis_requests", "30", "30"},
	    {"analysis_alpha", "0.05", "0.05"},
	    {"diff_data", "/data/some rows.csv", "/data/some rows.csv"},
	    {"diff_data", "none", ""},
	    {"diff_labels", "late", "late"},
	    {"diff_segment", "Tr\xc3\xa4ger;x", "Tr\xc3\xa4ger;x"},
	    {"bench_data", "/b.csv", "/b.csv"},
	    {"stress_data", "/s.csv", "/s.csv"},
	    {"stress_rate", "2.5", "2.5"},
	    {"stress_rate", "none", "none"},
	    {"stress_duration", "120s", "2m"},
	    {"stress_slo_p99", "5ms", "5ms"},
	    {"stress_slo_p99", "none", "none"},
	    {"stress_errors_max", "0", "0%"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy p = with(cases[i][0], cases[i][1]), again;
		struct err e = {.text = ""};
		const char *name, *help;
		char value[POLICY_NAMES_SIZE];
		for (size_t k = 0; policy_row(&p, k, &name, value, &help); k++)
			if (strcmp(name, cases[i][0]) == 0)
				assert_string_equal(value, cases[i][2]);
			else
				assert_true(policy_is_default(&p, k));
		cJSON *json = policy_to_json(&p);
		assert_int_equal(policy_from_json(json, &again, &e), 0);
		assert_memory_equal(&again, &p, sizeof p);
		cJSON_Delete(json);
		assert_int_equal(policy_unset(&p, cases[i][0], &e), 0);
		policy_init(&again);
		assert_memory_equal(&again, &p, sizeof p);
	}
}

static void tests_have_an_age(void **state)
{
	(void)state;
	struct policy p = with("tests", "differential:7d benchmark:90s");
	assert_int_equal(p.test_count, 2);
	assert_string_equal(p.tests[0].kind, "differential");
	assert_int_equal(p.tests[0].max_age_s, 7 * 86400);
	assert_int_equal(p.tests[1].max_age_s, 90);
}

static void refusals_change_nothing(void **state)
{
	(void)state;
	static const char *const cases[][3] = {
	    {"speed", "1", "a policy has no setting `speed`; it has promoters, second_person, "},
	    {"promoters", "ada ada", "promoters names ada twice"},
	    {"promoters", "@", "promoters takes names of users and @groups, separated by blanks, not `@`"},
	    {"promoters", "a:b", "promoters takes names"},
	    {"promoters", "a\x01", "promoters takes names"},
	    {"second_person", "maybe", "second_person takes yes or no, not `maybe`"},
	    {"approval_max_age", "0", "approval_max_age is from 1s to 3650d, not `0`"},
	    {"approval_max_age", "1 week", "approval_max_age takes a time such as 30m, 24h or 7d, not `1 week`"},
	    {"min_age", "1", "min_age takes a time such as 30m, 24h or 7d, not `1`"},
	    {"min_age", "4000d", "min_age is from 0 to 3650d, not `4000d`"},
	    {"min_age", "99999999999999999999d", "min_age is from 0 to 3650d"},
	    {"shadow_requests", "-1", "shadow_requests takes a whole number, not `-1`"},
	    {"shadow_requests", "1000000001", "shadow_requests is from 0 to 1000000000, not `1000000001`"},
	    {"shadow_flips_max", "101%", "shadow_flips_max is from 0% to 100%, not `101%`"},
	    {"shadow_flips_max", "1 %", "shadow_flips_max takes a percentage such as 0.5%, not `1 %`"},
	    {"shadow_difference_max", "-1", "shadow_difference_max is from 0 to "},
	    {"shadow_difference_max", "nan", "shadow_difference_max takes a number such as 1.5, not `nan`"},
	    {"tests", "Fast", "tests takes kinds of tests, each with how long ago at most"},
	    {"tests", "benchmark:soon", "tests takes a time such as 30m, 24h or 7d, not `soon`"},
	    {"tests", "benchmark:0", "tests takes ages of tests from 1s, not `0`"},
	    {"tests", "benchmark benchmark:1d", "tests names benchmark twice"},
	    {"tests", "a b c d e f g h i", "tests are 8 at most"},
	    {"tests", "abcdefghijklmnop", "tests takes kinds of tests"},
	    {"canary_requests", "1.5", "canary_requests takes a whole number"},
	    {"error_margin", "", "error_margin takes a percentage"},
	    {"p99_ratio_max", "0", "p99_ratio_max is from 0.1 to 1000, not `0`"},
	    {"p99_ratio_max", "1e999", "p99_ratio_max is from 0.1 to 1000"},
	    {"p99_margin", "61s", "p99_margin is from 0us to 60s, not `61s`"},
	    {"p99_margin", "1", "p99_margin takes a time such as 500us, 1ms or 2s, not `1`"},
	    {"drift_max", "none", "drift_max takes a number"},
	    {"analysis_requests", "0", "analysis_requests is from 1 to 1000000000, not `0`"},
	    {"analysis_alpha", "1", "analysis_alpha is from 1e-6 to 0.5, not `1`"},
	    {"diff_data", "rows.csv",
	     "diff_data takes an absolute path, of the machine where mldeck check runs, not `rows.csv`"},
	    {"diff_data", "/a\nb", "diff_data takes a plain path, not `/a"},
	    {"bench_data", "/a ;b", "bench_data takes a plain path, not `/a ;b`"},
	    {"stress_data", "/a ", "stress_data takes a plain path, not `/a `"},
	    {"diff_labels", "\xff", "diff_labels takes the plain name of a column"},
	    {"diff_segment", "a\xc2\x85", "diff_segment takes the plain name of a column"},
	    {"stress_rate", "0", "stress_rate is from 0.1 to 10000000, not `0`"},
	    {"stress_duration", "8d", "stress_duration is from 1s to 7d, not `8d`"},
	    {"stress_slo_p99", "0ms", "stress_slo_p99 is from 1us to 600s, not `0ms`"},
	    {"stress_errors_max", "101", "stress_errors_max is from 0% to 100%, not `101`"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy p, before;
		struct err e = {.text = ""};
		policy_init(&p);
		policy_init(&before);
		assert_int_equal(policy_set(&p, cases[i][0], cases[i][1], &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i][2]) != e.text)
			fail_msg("%s", e.text);
		assert_memory_equal(&p, &before, sizeof p);
	}
}

static void values_are_numbers_and_texts(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
		double number;
	} cases[] = {{"diff_atol", "0.01", 0.01},
		     {"diff_rows_max", "0.5%", 0.5},
		     {"stress_duration", "90s", 90},
		     {"stress_slo_p99", "5ms", 5000},
		     {"p99_margin", "1ms", 1000},
		     {"canary_requests", "7", 7},
		     {"stress_slo_p99", "none", (double)NAN},
		     {"diff_atol", "none", (double)NAN}};
	char text[POLICY_NAMES_SIZE];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy p = with(cases[i].name, cases[i].text);
		double number = policy_value(&p, cases[i].name);
		assert_true(number == cases[i].number || (isnan(number) && isnan(cases[i].number)));
		policy_value_text(cases[i].name, number, text);
		assert_string_equal(text, cases[i].text);
	}
	struct policy p = with("promoters", "ada");
	assert_true(isnan(policy_value(&p, "promoters")) && isnan(policy_value(&p, "no_such")));
}

/* As it was kept before these settings were there. */
static void a_policy_of_before_reads_as_it_was(void **state)
{
	(void)state;
	struct policy p, standard;
	struct err e = {.text = ""};
	cJSON *json = cJSON_Parse("{\"min_age\":\"1h\",\"tests\":\"stress\",\"diff_alpha\":\"0.01\"}");
	policy_init(&standard);
	assert_int_equal(policy_from_json(json, &p, &e), 0);
	assert_int_equal(p.min_age_s, 3600);
	assert_int_equal(p.stress_duration_s, standard.stress_duration_s);
	assert_true(isnan(p.stress_rate_rps));
	assert_string_equal(p.diff_data, "");
	cJSON_Delete(json);
}

static void json_is_checked(void **state)
{
	(void)state;
	static const char *const cases[] = {"[]", "{\"min_age\":3}", "{\"unheard_of\":\"1\"}", "{\"min_age\":\"x\"}"};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct policy p = with("min_age", "5s"), before = p;
		struct err e = {.text = ""};
		cJSON *json = cJSON_Parse(cases[i]);
		assert_int_equal(policy_from_json(json, &p, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_memory_equal(&p, &before, sizeof p);
		cJSON_Delete(json);
	}
}

static void expect_never(const char *const *pairs, const char *sentence)
{
	struct policy p = with_all(pairs);
	struct err e = {.text = ""};
	assert_int_equal(policy_check(&p, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_string_equal(e.text, sentence);
}

static void what_can_never_hold_is_refused(void **state)
{
	(void)state;
	struct err e = {.text = ""};
	expect_never((const char *const[]){"second_person", "yes", "promoters", "root", NULL},
		     "second_person can never hold: root is the only promoter, and nobody else could approve");
	expect_never((const char *const[]){"promoters", "root no-such-user", NULL},
		     "promoters names the user no-such-user, whom this system does not have");
	expect_never((const char *const[]){"promoters", "@no-such-group", NULL},
		     "promoters names the group no-such-group, which this system does not have");
	expect_never((const char *const[]){"tests", "differential vibes", NULL},
		     "there is no test `vibes` that could pass; there are differential, benchmark, training, stress");
	expect_never((const char *const[]){"shadow_difference_max", "0.1", NULL},
		     "shadow_difference_max demands nothing without shadow_requests: set both");
	expect_never((const char *const[]){"shadow_flips_max", "2%", NULL},
		     "shadow_flips_max demands nothing without shadow_requests: set both");
	expect_never((const char *const[]){"approval_max_age", "1h", NULL},
		     "approval_max_age demands nothing without second_person: set both");
	struct policy p =
	    with_all((const char *const[]){"second_person", "yes", "approval_max_age", "1h", "promoters", "root @root",
					   "shadow_requests", "10", "shadow_flips_max", "0%", "tests", "stress", NULL});
	assert_int_equal(policy_check(&p, &e), 0);
}

/* A user that the system has, whose own group has a name. */
static void promoters_are_users_and_groups(void **state)
{
	(void)state;
	struct passwd *user = getpwuid(getuid());
	if (user == NULL)
		skip();
	char name[64], list[130];
	snprintf(name, sizeof name, "%s", user->pw_name);
	struct group *group = getgrgid(user->pw_gid);
	struct policy p = with("promoters", name);
	assert_true(policy_may_promote(&p, getuid(), name));
	assert_false(policy_may_promote(&p, 4242, "somebody"));
	p = with("promoters", "somebody-else");
	assert_false(policy_may_promote(&p, getuid(), name));
	if (group == NULL)
		skip();
	snprintf(list, sizeof list, "somebody-else @%s", group->gr_name);
	p = with("promoters", list);
	assert_true(policy_may_promote(&p, getuid(), name));
	assert_false(policy_may_promote(&p, 4242, "uid 4242"));
}

static void users_are_the_systems(void **state)
{
	(void)state;
	char name[64];
	uint32_t number = 7;
	users_name(0, name, sizeof name);
	assert_string_equal(name, "root");
	users_name(3999999999u, name, sizeof name);
	assert_string_equal(name, "uid 3999999999");
	assert_true(users_find("root", &number));
	assert_int_equal(number, 0);
	assert_false(users_find("no-such-user", NULL));
	assert_true(users_find_group("root", &number));
	assert_true(users_in_group(0, 0));
	assert_false(users_in_group(0, 3999999999u));
	assert_false(users_in_group(3999999999u, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults_demand_nothing),
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(every_setting_reads_back),
	    cmocka_unit_test(tests_have_an_age),
	    cmocka_unit_test(refusals_change_nothing),
	    cmocka_unit_test(json_is_checked),
	    cmocka_unit_test(what_can_never_hold_is_refused),
	    cmocka_unit_test(promoters_are_users_and_groups),
	    cmocka_unit_test(users_are_the_systems),
	    cmocka_unit_test(values_are_numbers_and_texts),
	    cmocka_unit_test(a_policy_of_before_reads_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
