/* fake_tests: three results of tests, and each of them in full, as the console asks for them. */
#include "lib/fake_runtime_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *model, *kind, *verdict;
	double p99_us;
} results[] = {{"flight-delay", "stress", "pass", 2000},
	       {"churn", "training", "pass", 0},
	       {"flight-delay", "stress", "slo", 9000}};
#define RESULTS (sizeof(results) / sizeof(results[0]))

static cJSON *result_json(size_t i)
{
	cJSON *test = cJSON_CreateObject();
	char summary[64];

	snprintf(summary, sizeof(summary), "the summary of test %zu", i + 1);
	cJSON_AddNumberToObject(test, "id", (double)i + 1);
	cJSON_AddNumberToObject(test, "at_ms", NOW_MS - 3600000.0 * (double)(RESULTS - i));
	cJSON_AddStringToObject(test, "model", results[i].model);
	cJSON_AddStringToObject(test, "kind", results[i].kind);
	cJSON_AddNumberToObject(test, "version", 2);
	cJSON_AddStringToObject(test, "verdict", results[i].verdict);
	cJSON_AddBoolToObject(test, "passed", strcmp(results[i].verdict, "pass") == 0);
	cJSON_AddStringToObject(test, "who", "grace");
	cJSON_AddStringToObject(test, "summary", summary);
	return test;
}

static void figure_add(cJSON *list, const char *name, double value)
{
	cJSON *figure = cJSON_CreateObject();
	char text[32];

	snprintf(text, sizeof(text), "%.6g", value);
	cJSON_AddStringToObject(figure, "name", name);
	cJSON_AddStringToObject(figure, "text", text);
	cJSON_AddNumberToObject(figure, "value", value);
	cJSON_AddItemToArray(list, figure);
}

static cJSON *report_json(long id, bool before)
{
	cJSON *report, *figures;

	if (id < 1 || id > (long)RESULTS) {
		report = cJSON_CreateObject();
		cJSON_AddNumberToObject(report, "id", (double)id);
		cJSON_AddBoolToObject(report, "missing", true);
		return report;
	}
	report = result_json((size_t)id - 1);
	cJSON_AddBoolToObject(report, "before", before);
	figures = cJSON_AddArrayToObject(report, "figures");
	if (results[id - 1].p99_us > 0)
		figure_add(figures, "latency.p99_us", results[id - 1].p99_us);
	for (int i = 0; i < 40; i++) {
		char name[32];

		snprintf(name, sizeof(name), "number_%d", i);
		figure_add(figures, name, i);
	}
	return report;
}

/* The number of a parameter of the query; 0 when it is not there. */
static long asked(const char *request, const char *parameter)
{
	const char *end = strchr(request + 4, ' '), *at = strstr(request, parameter);

	return at && at < end ? strtol(at + strlen(parameter), NULL, 10) : 0;
}

void fake_tests_add(struct fake_runtime *f, const char *request, cJSON *json)
{
	long test = asked(request, "&test="), with = asked(request, "&with=");
	bool one_model = strstr(request, "&detail=flight-delay ") != NULL;
	cJSON *list;

	if (asked(request, "&tests=") > 0) {
		f->tests++;
		list = cJSON_AddArrayToObject(json, "tests");
		for (size_t i = RESULTS; i-- > 0;)
			if (!one_model || strcmp(results[i].model, "flight-delay") == 0)
				cJSON_AddItemToArray(list, result_json(i));
	}
	if (test == 0)
		return;
	f->reports++;
	list = cJSON_AddArrayToObject(json, "reports");
	cJSON_AddItemToArray(list, report_json(test, false));
	if (with != 0)
		cJSON_AddItemToArray(list, report_json(with, false));
	else if (test == 3)
		cJSON_AddItemToArray(list, report_json(1, true));
}
