/* Strictness: what a test ran with against what the policy has, for every setting, on both sides of it. */
#include "core/test/strictness.h"
#include "unit.h"

#include <stdio.h>

/* One setting of a passed run; the policy's others are such that they hold. */
struct example {
	const char *kind, *policy, *settings;
	const char *why; /* NULL: it holds */
};

#define DIFF_REST \
	"\"diff_rows_max\":0,\"diff_flips_max\":0,\"diff_mean_max\":0,\"diff_quantile_max\":0,\"diff_alpha\":0.01"
#define NOISE "\"diff_atol_by_noise\":true,\"diff_rtol_by_noise\":true,"
#define STRESS_REST "\"stress_duration\":60,\"stress_errors_max\":1"

static const struct example examples[] = {
    {"differential", "", "{" NOISE DIFF_REST "}", NULL},
    {"differential", "", "{\"diff_atol\":5,\"diff_rtol_by_noise\":true," DIFF_REST "}",
     "ran with diff_atol 5, the policy has none: by noise"},
    {"differential", "diff_atol=0.01", "{\"diff_atol\":0.01,\"diff_rtol_by_noise\":true," DIFF_REST "}", NULL},
    {"differential", "diff_atol=0.01", "{\"diff_atol\":1e-7," NOISE DIFF_REST "}", NULL},
    {"differential", "diff_atol=0.01", "{\"diff_atol\":5," NOISE DIFF_REST "}",
     "ran with diff_atol 5, the policy has 0.01"},
    {"differential", "diff_atol=0.01", "{" NOISE DIFF_REST "}", "ran without diff_atol, the policy has 0.01"},
    {"differential", "diff_rtol=0", "{\"diff_rtol\":1e-9," NOISE DIFF_REST "}",
     "ran with diff_rtol 1e-9, the policy has 0"},
    {"differential", "diff_rows_max=1%", "{" NOISE "\"diff_rows_max\":2,\"diff_flips_max\":0}",
     "ran with diff_rows_max 2%, the policy has 1%"},
    {"differential", "", "{" NOISE "\"diff_rows_max\":0.1,\"diff_flips_max\":0.5}",
     "ran with diff_flips_max 0.5%, the policy has 0.1%"},
    {"differential", "", "{" NOISE "\"diff_rows_max\":0,\"diff_flips_max\":0,\"diff_mean_max\":1}",
     "ran with diff_mean_max 1, the policy has 0.02"},
    {"differential", "",
     "{" NOISE "\"diff_rows_max\":0,\"diff_flips_max\":0,\"diff_mean_max\":0,\"diff_quantile_max\":3}",
     "ran with diff_quantile_max 3, the policy has 0.1"},
    {"differential", "diff_alpha=0.05", "{" NOISE DIFF_REST "}", "ran with diff_alpha 0.01, the policy has 0.05"},
    {"differential", "diff_alpha=0.001", "{" NOISE DIFF_REST "}", "ran with diff_alpha 0.01, the policy has 0.001"},
    {"benchmark", "", "{\"bench_ratio_max\":1.05,\"bench_memory_max\":1.2}", NULL},
    {"benchmark", "", "{\"bench_ratio_max\":1.3,\"bench_memory_max\":1.5}",
     "ran with bench_ratio_max 1.3, the policy has 1.05"},
    {"benchmark", "bench_memory_max=1.1", "{\"bench_ratio_max\":1.05,\"bench_memory_max\":1.5}",
     "ran with bench_memory_max 1.5, the policy has 1.1"},
    {"stress", "", "{" STRESS_REST "}", NULL},
    {"stress", "", "{\"stress_duration\":60}", "ran without stress_errors_max, the policy has 1%"},
    {"stress", "stress_rate=200", "{\"stress_rate\":200," STRESS_REST "}", NULL},
    {"stress", "stress_rate=200", "{\"stress_rate\":5000," STRESS_REST "}", NULL},
    {"stress", "stress_rate=200", "{\"stress_rate\":199.9," STRESS_REST "}",
     "ran with stress_rate 199.9, the policy has 200"},
    {"stress", "stress_duration=2m", "{" STRESS_REST "}", "ran with stress_duration 1m, the policy has 2m"},
    {"stress", "stress_slo_p99=5ms", "{\"stress_slo_p99\":5000," STRESS_REST "}", NULL},
    {"stress", "stress_slo_p99=5ms", "{\"stress_slo_p99\":50000," STRESS_REST "}",
     "ran with stress_slo_p99 50ms, the policy has 5ms"},
    {"stress", "stress_slo_p99=5ms", "{" STRESS_REST "}", "ran without stress_slo_p99, the policy has 5ms"},
    {"stress", "stress_errors_max=0.1%", "{" STRESS_REST "}", "ran with stress_errors_max 1%, the policy has 0.1%"},
    /* Another kind's settings say nothing. */
    {"benchmark", "stress_rate=200", "{\"bench_ratio_max\":1,\"bench_memory_max\":1,\"stress_rate\":1}", NULL},
    {"training", "", "{\"bench_ratio_max\":1.05,\"bench_memory_max\":1.5}", NULL},
    {"training", "", "{\"bench_ratio_max\":2,\"bench_memory_max\":1.5}",
     "ran with bench_ratio_max 2, the policy has 1.05"},
    {"training", "", "{\"bench_ratio_max\":1.05,\"bench_memory_max\":9}",
     "ran with bench_memory_max 9, the policy has 1.5"},
};

static struct policy policy_of(const char *setting)
{
	struct policy p;
	struct err e = {.text = ""};
	char name[64];
	const char *equals = strchr(setting, '=');
	policy_init(&p);
	if (equals == NULL)
		return p;
	snprintf(name, sizeof name, "%.*s", (int)(equals - setting), setting);
	if (policy_set(&p, name, equals + 1, &e) != 0)
		fail_msg("%s", e.text);
	return p;
}

static void each_setting_has_a_strict_side(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		const struct example *x = &examples[i];
		struct policy p = policy_of(x->policy);
		cJSON *report = cJSON_CreateObject(), *settings = cJSON_Parse(x->settings);
		char why[200] = "";
		assert_non_null(settings);
		cJSON_AddItemToObject(report, "settings", settings);
		bool holds = strictness_holds(&p, x->kind, report, why, sizeof why);
		if (holds != (x->why == NULL) || (!holds && strcmp(why, x->why) != 0))
			fail_msg("example %zu: %s", i, why);
		cJSON_Delete(report);
	}
}

static void what_has_no_settings_holds(void **state)
{
	(void)state;
	static const char *const reports[] = {"{}", "{\"settings\":null}", "{\"settings\":7}", "[1]", "null"};
	struct policy p = policy_of("stress_rate=200");
	char why[200];
	assert_true(strictness_holds(&p, "stress", NULL, why, sizeof why));
	for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
		cJSON *report = cJSON_Parse(reports[i]);
		assert_true(strictness_holds(&p, "stress", report, why, sizeof why));
		cJSON_Delete(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_setting_has_a_strict_side),
	    cmocka_unit_test(what_has_no_settings_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
