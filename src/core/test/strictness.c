#include "core/test/strictness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of what a report ran with, against the policy. */
enum bound {
	AT_MOST,
	AT_LEAST,
	EQUAL,     /* one test fails by a smaller number, another passes by a greater one */
	TOLERANCE, /* at most; none in the policy: it must have come from noise */
};

/* To add a test's setting: its name in the report and the policy, and which side of it is the strict one. */
static const struct rule {
	const char *kind, *name;
	enum bound bound;
} rules[] = {
    {"differential", "diff_atol", TOLERANCE},   {"differential", "diff_rtol", TOLERANCE},
    {"differential", "diff_rows_max", AT_MOST}, {"differential", "diff_flips_max", AT_MOST},
    {"differential", "diff_mean_max", AT_MOST}, {"differential", "diff_quantile_max", AT_MOST},
    {"differential", "diff_alpha", EQUAL},      {"benchmark", "bench_ratio_max", AT_MOST},
    {"benchmark", "bench_memory_max", AT_MOST}, {"stress", "stress_rate", AT_LEAST},
    {"stress", "stress_duration", AT_LEAST},    {"stress", "stress_slo_p99", AT_MOST},
    {"stress", "stress_errors_max", AT_MOST},   {"training", "bench_ratio_max", AT_MOST},
    {"training", "bench_memory_max", AT_MOST},
};

/* What both have went through text: the last digits may differ. */
#define ROUNDING 1e-9

static bool by_noise(const cJSON *settings, const char *name)
{
	char flag[64];

	snprintf(flag, sizeof flag, "%s_by_noise", name);
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(settings, flag));
}

static bool holds(const struct rule *rule, const cJSON *settings, double ran, double wanted)
{
	double room = ROUNDING * fabs(wanted);

	if (rule->bound == TOLERANCE && isnan(wanted))
		return by_noise(settings, rule->name);
	if (isnan(wanted))
		return true;
	if (isnan(ran))
		return false;
	return (rule->bound == AT_LEAST || ran <= wanted + room) &&
	       ((rule->bound != AT_LEAST && rule->bound != EQUAL) || ran >= wanted - room);
}

static void explain(const struct rule *rule, double ran, double wanted, char *text, size_t size)
{
	char had[POLICY_NAMES_SIZE], has[POLICY_NAMES_SIZE];

	policy_value_text(rule->name, ran, had);
	policy_value_text(rule->name, wanted, has);
	if (isnan(ran))
		snprintf(text, size, "ran without %s, the policy has %s", rule->name, has);
	else
		snprintf(text, size, "ran with %s %s, the policy has %s%s", rule->name, had, has,
			 isnan(wanted) ? ": by noise" : "");
}

bool strictness_holds(const struct policy *p, const char *kind, const cJSON *report, char *text, size_t size)
{
	const cJSON *settings = cJSON_GetObjectItemCaseSensitive(report, "settings");

	for (size_t i = 0; cJSON_IsObject(settings) && i < sizeof rules / sizeof *rules; i++) {
		const cJSON *number = cJSON_GetObjectItemCaseSensitive(settings, rules[i].name);
		double ran = cJSON_IsNumber(number) ? number->valuedouble : (double)NAN;
		double wanted = policy_value(p, rules[i].name);
		if (strcmp(rules[i].kind, kind) != 0 || holds(&rules[i], settings, ran, wanted))
			continue;
		explain(&rules[i], ran, wanted, text, size);
		return false;
	}
	return true;
}
