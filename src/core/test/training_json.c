/* training_json: a training run as the report that is kept, and back. */
#include "core/test/training.h"

#include "core/json.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>

void training_summary(const struct training_run *run, char *text, size_t size)
{
	const struct timed_run *t = &run->took;
	char memory[16], end[48], cost[48] = "";

	text_bytes(memory, sizeof memory, t->peak_bytes);
	snprintf(end, sizeof end, t->signal_number > 0 ? "ended by signal %d" : "exit code %d",
		 t->signal_number > 0 ? t->signal_number : t->exit_code);
	if (!isnan(run->rate_per_hour))
		snprintf(cost, sizeof cost, ", cost %.4g", training_cost(run));
	snprintf(text, size, "took %.1f s (CPU %.1f s), %s at most, %s%s", t->wall_s, t->user_s + t->system_s, memory,
		 end, cost);
}

cJSON *training_report(const struct training_run *run, const char *model)
{
	const struct timed_run *t = &run->took;
	cJSON *json = cJSON_CreateObject();
	char summary[200];

	training_summary(run, summary, sizeof summary);
	cJSON_AddStringToObject(json, "kind", "training");
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "version", run->version);
	cJSON_AddNumberToObject(json, "against", 0);
	cJSON_AddStringToObject(json, "verdict", t->exit_code == 0 ? "pass" : "fail");
	cJSON_AddBoolToObject(json, "passed", t->exit_code == 0);
	cJSON_AddStringToObject(json, "summary", summary);
	cJSON_AddArrayToObject(json, "findings");
	cJSON_AddStringToObject(json, "command", run->command);
	cJSON_AddStringToObject(json, "host", run->host);
	cJSON_AddNumberToObject(json, "wall_s", t->wall_s);
	cJSON_AddNumberToObject(json, "user_s", t->user_s);
	cJSON_AddNumberToObject(json, "system_s", t->system_s);
	cJSON_AddNumberToObject(json, "peak_bytes", t->peak_bytes);
	cJSON_AddNumberToObject(json, "group_peak_bytes", t->group_peak_bytes);
	cJSON_AddNumberToObject(json, "exit_code", t->exit_code);
	cJSON_AddNumberToObject(json, "signal", t->signal_number);
	if (!isnan(run->rate_per_hour)) {
		cJSON_AddNumberToObject(json, "rate_per_hour", run->rate_per_hour);
		cJSON_AddNumberToObject(json, "cost", training_cost(run));
	}
	cJSON_AddStringToObject(json, "produces", run->produces);
	cJSON_AddStringToObject(json, "sha256", run->sha256);
	return json;
}

static int read_took(const cJSON *report, struct timed_run *t, struct err *e)
{
	int64_t code, signal;

	if (json_number(report, "wall_s", &t->wall_s, e) != 0 || json_number(report, "user_s", &t->user_s, e) != 0 ||
	    json_number(report, "system_s", &t->system_s, e) != 0 ||
	    json_number(report, "peak_bytes", &t->peak_bytes, e) != 0 ||
	    json_number(report, "group_peak_bytes", &t->group_peak_bytes, e) != 0 ||
	    json_integer(report, "exit_code", 0, 255, &code, e) != 0 ||
	    json_integer(report, "signal", 0, 128, &signal, e) != 0)
		return -1;
	t->exit_code = (int)code;
	t->signal_number = (int)signal;
	return 0;
}

int training_from_test(const cJSON *test, struct training_run *run, struct err *e)
{
	const cJSON *report = json_object(test, "report", e);
	int64_t version = 0;

	*run = (struct training_run){.rate_per_hour = (double)NAN};
	if (report == NULL || json_integer(test, "id", 1, INT64_C(1) << 53, &run->id, e) != 0 ||
	    json_integer(test, "at_ms", 0, INT64_C(1) << 53, &run->at_ms, e) != 0 ||
	    json_optional_integer(test, "version", 0, UINT32_MAX, &version, e) != 0 ||
	    read_took(report, &run->took, e) != 0)
		return -1;
	run->version = (uint32_t)version;
	if (json_has(report, "rate_per_hour") && json_number(report, "rate_per_hour", &run->rate_per_hour, e) != 0)
		return -1;
	text_clean(run->command, sizeof run->command, json_find_text(report, "command"));
	text_clean(run->host, sizeof run->host, json_find_text(report, "host"));
	text_clean(run->produces, sizeof run->produces, json_find_text(report, "produces"));
	text_clean(run->sha256, sizeof run->sha256, json_find_text(report, "sha256"));
	return 0;
}
