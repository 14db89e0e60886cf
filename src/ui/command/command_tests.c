#include "core/policy.h"
#include "core/test/figures.h"
#include "core/text.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct command command_tests;

static const char *outcome(const cJSON *test)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(test, "passed")) ? "passed" : "failed";
}

/* --- all --- */

static int list_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">ID",     "TIME", "KIND",    ">VERSION", ">AGAINST",
					      "OUTCOME", ">JOB", "SUMMARY", NULL};
	const cJSON *test;
	struct table *t = table_new(headers);
	char time[32];
	int result;

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(test, cJSON_GetObjectItemCaseSensitive(answer, "tests"))
	{
		double against = json_find_number(test, "against"), job = json_find_number(test, "job");

		output_time(time, sizeof(time), json_find_number(test, "at_ms"));
		table_row(t);
		table_cell(t, "%.0f", json_find_number(test, "id"));
		table_cell(t, "%s", time);
		table_cell(t, "%s", json_find_text(test, "kind"));
		double version = json_find_number(test, "version");
		table_cell(t, version > 0 ? "v%.0f" : "-", version);
		table_cell(t, against > 0 ? "v%.0f" : "-", against);
		table_cell(t, "%s", outcome(test));
		table_cell(t, job > 0 ? "%.0f" : "-", job);
		table_cell(t, "%s", json_find_text(test, "summary"));
	}
	result = table_print(t, e);
	table_free(t);
	return result;
}

/* --- one, and two beside each other --- */

static void cell_value(struct table *t, const cJSON *item)
{
	if (cJSON_IsNumber(item))
		table_cell(t, "%.6g", item->valuedouble);
	else if (cJSON_IsString(item))
		table_cell(t, "%s", item->valuestring);
	else if (cJSON_IsBool(item))
		table_cell(t, "%s", cJSON_IsTrue(item) ? "yes" : "no");
	else
		table_cell(t, "-");
}

/* An object's item; NULL where it has none. */
static const cJSON *same(const cJSON *other, const char *name)
{
	return cJSON_IsObject(other) ? cJSON_GetObjectItemCaseSensitive(other, name) : NULL;
}

static const cJSON *report_of(const cJSON *test)
{
	return cJSON_GetObjectItemCaseSensitive(test, "report");
}

static void findings_add(struct table *t, const cJSON *first, const cJSON *second)
{
	const cJSON *finding, *other;

	cJSON_ArrayForEach(finding, same(report_of(first), "findings"))
	{
		table_row(t);
		table_cell(t, "finding %s", json_find_text(finding, "name"));
		table_cell(t, "%s: %s", json_find_text(finding, "verdict"), json_find_text(finding, "text"));
		cJSON_ArrayForEach(other, same(report_of(second), "findings"))
		{
			if (strcmp(json_find_text(other, "name"), json_find_text(finding, "name")) == 0)
				table_cell(t, "%s: %s", json_find_text(other, "verdict"),
					   json_find_text(other, "text"));
		}
	}
}

static void heading(struct table *t, const char *name, const cJSON *first, const cJSON *second)
{
	table_row(t);
	table_cell(t, "%s", name);
	cell_value(t, same(first, name));
	if (second)
		cell_value(t, same(second, name));
}

static void figure_add(struct table *t, const char *name, const struct figure *first, const struct figure *second,
		       bool two)
{
	table_row(t);
	table_cell(t, "%s", name);
	table_cell(t, "%s", first ? first->text : "-");
	if (two)
		table_cell(t, "%s", second ? second->text : "-");
}

/* The first one's in its order, then what only the second has. */
static void figures_add(struct table *t, const cJSON *first, const cJSON *second)
{
	struct figure *figures = calloc(2 * FIGURES_MAX, sizeof(*figures)), *others = figures + FIGURES_MAX;

	if (!figures)
		return;
	size_t count = figures_of(report_of(first), figures, FIGURES_MAX);
	size_t other_count = figures_of(report_of(second), others, FIGURES_MAX);

	for (size_t i = 0; i < count; i++)
		figure_add(t, figures[i].name, &figures[i], figures_find(others, other_count, figures[i].name),
			   second != NULL);
	for (size_t i = 0; i < other_count; i++)
		if (!figures_find(figures, count, others[i].name))
			figure_add(t, others[i].name, NULL, &others[i], true);
	free(figures);
}

static int tests_print(const cJSON *first, const cJSON *second, struct err *e)
{
	static const char *const fields[] = {"kind", "version", "against", "verdict", "passed", "summary"};
	char names[2][32], times[2][32];
	const cJSON *const tests[] = {first, second};
	int result;

	for (size_t i = 0; i < 2; i++) {
		snprintf(names[i], sizeof(names[i]), "TEST %.0f", json_find_number(tests[i], "id"));
		output_time(times[i], sizeof(times[i]), json_find_number(tests[i], "at_ms"));
	}
	const char *const headers[] = {"", names[0], second ? names[1] : NULL, NULL};
	struct table *t = table_new(headers);

	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	table_row(t);
	table_cell(t, "time");
	table_cell(t, "%s", times[0]);
	if (second)
		table_cell(t, "%s", times[1]);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		heading(t, fields[i], first, second);
	findings_add(t, first, second);
	figures_add(t, first, second);
	result = table_print(t, e);
	table_free(t);
	return result;
}

/* --- asking --- */

static int one_get(struct client *client, const struct arguments *a, size_t at, cJSON **test, struct err *e)
{
	char path[160];
	long long id;

	if (!text_integer(arguments_at(a, at), 1, INT64_MAX, &id))
		return err_set(e, ERR_USAGE, "the number of a test must be a whole number from 1, got `%.32s`",
			       arguments_at(a, at));
	snprintf(path, sizeof(path), "/control/v1/models/%s/tests/%lld", arguments_at(a, 0), id);
	return client_get(client, path, CLIENT_TIMEOUT_MS, test, e);
}

static int some_show(struct client *client, const struct arguments *a, struct err *e)
{
	bool two = arguments_count(a) > 2;
	cJSON *first = NULL, *second = NULL;
	int result = -1;

	if (one_get(client, a, 1, &first, e) != 0 || (two && one_get(client, a, 2, &second, e) != 0))
		goto out;
	if (!arguments_flag(a, "json")) {
		result = tests_print(first, second, e);
	} else if (!two) {
		result = output_json(first, e);
	} else {
		cJSON *both = cJSON_CreateArray();
		cJSON_AddItemToArray(both, first);
		cJSON_AddItemToArray(both, second);
		first = second = NULL;
		result = output_json(both, e);
		cJSON_Delete(both);
	}
out:
	cJSON_Delete(first);
	cJSON_Delete(second);
	return result;
}

static int all_show(struct client *client, const struct arguments *a, struct err *e)
{
	const char *kind = arguments_value(a, "kind"), *version = arguments_value(a, "version");
	uint32_t number = 0;
	long long limit;
	char path[256];
	cJSON *answer = NULL;
	int result = -1;

	if (output_number(a, "limit", 1, 1000, 50, &limit, e) != 0 ||
	    (version && output_version(version, &number, e) != 0))
		return -1;
	if (kind && !policy_test_known(kind, e))
		return -1;
	snprintf(path, sizeof(path), "/control/v1/models/%s/tests?limit=%lld&version=%u%s%s", arguments_at(a, 0), limit,
		 number, kind ? "&kind=" : "", kind ? kind : "");
	if (client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e) == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e) : list_print(answer, e);
	cJSON_Delete(answer);
	return result;
}

static int run(const struct arguments *a)
{
	struct client *client = NULL;
	struct err e = {0};
	int result = -1;

	if (output_model(arguments_at(a, 0), &e) == 0 && output_client(a, "tests", &client, &e) == 0)
		result = arguments_count(a) > 1 ? some_show(client, a, &e) : all_show(client, a, &e);
	client_free(client);
	return result == 0 ? 0 : command_fail(&command_tests, &e);
}

static const struct option_spec options[] = {
    {"kind", "KIND", "of this kind only"},
    {"version", "N", "of this version only"},
    {"limit", "N", "at most so many tests (default 50, at most 1000)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_tests = {
    .name = "tests",
    .arguments = "MODEL [ID] [ID]",
    .summary = "list what tests of a model gave; show one, or two side by side",
    .details = "Results of `mldeck diff`, `bench`, `train`, `stress` and `tested`, newest first, kept for ever. "
	       "With an ID all that this test found; with two, both beside each other. --json prints the whole report.",
    .options = options,
    .run = run,
};
