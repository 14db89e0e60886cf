/* training_json: a training run as the report that is kept, and back; a comparison of runs as one. */
#include "core/test/training.h"

#include "core/finding.h"
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

/* --- a comparison --- */

void training_comparison_summary(const struct training_comparison *c, char *text, size_t size)
{
	size_t worst = 0;

	for (size_t i = 1; i < TRAINING_FIGURE_COUNT; i++)
		if (c->figures[i].verdict == c->verdict &&
		    (c->figures[worst].verdict != c->verdict || c->figures[i].ratio > c->figures[worst].ratio))
			worst = i;
	const struct training_ratio *f = &c->figures[worst];
	const char *begin = c->verdict == BENCHMARK_PASS         ? "no slower than before: "
			    : c->verdict == BENCHMARK_REGRESSION ? ""
								 : "not shown either way: ";
	if (c->too_few)
		snprintf(text, size, "%zu runs against %zu before are too few for an interval at 95%%: nothing is said",
			 c->last, c->earlier);
	else
		snprintf(text, size, "%s%s is %.3f times that of %zu runs before (%.3f to %.3f)", begin,
			 training_figure_name((enum training_figure)worst), f->ratio, c->earlier, f->interval.low,
			 f->interval.high);
}

static cJSON *figure_json(const struct training_ratio *f, bool too_few)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "old", f->old_median);
	cJSON_AddNumberToObject(json, "new", f->new_median);
	cJSON_AddNumberToObject(json, "ratio", f->ratio);
	cJSON_AddItemToObject(json, "low", too_few ? cJSON_CreateNull() : cJSON_CreateNumber(f->interval.low));
	cJSON_AddItemToObject(json, "high", too_few ? cJSON_CreateNull() : cJSON_CreateNumber(f->interval.high));
	cJSON_AddItemToObject(json, "p_adjusted", too_few ? cJSON_CreateNull() : cJSON_CreateNumber(f->p_adjusted));
	cJSON_AddStringToObject(json, "verdict", benchmark_verdict_name(f->verdict));
	return json;
}

static struct finding finding_of(const struct training_comparison *c, enum training_figure figure)
{
	const struct training_ratio *r = &c->figures[figure];
	struct finding f = {.verdict = r->verdict == BENCHMARK_PASS         ? FINDING_PASS
				       : r->verdict == BENCHMARK_REGRESSION ? FINDING_FAIL
									    : FINDING_WAIT,
			    .value = r->ratio,
			    .threshold = figure == TRAINING_MEMORY ? c->memory_max : c->ratio_max,
			    .unit = "x",
			    .n = c->earlier,
			    .n_needed = c->by_rank ? 0 : TRAINING_EARLIER_MIN};

	snprintf(f.name, sizeof f.name, "%s", training_figure_name(figure));
	if (c->too_few)
		snprintf(f.text, sizeof f.text, "%.3f times that of %zu runs before, which are too few", r->ratio,
			 c->earlier);
	else
		snprintf(f.text, sizeof f.text, "%.3f times that of %zu runs before (%.3f to %.3f)", r->ratio,
			 c->earlier, r->interval.low, r->interval.high);
	return f;
}

static void add_figures(const struct training_comparison *c, cJSON *json)
{
	struct finding findings[TRAINING_FIGURE_COUNT];

	for (size_t i = 0; i < TRAINING_FIGURE_COUNT; i++) {
		findings[i] = finding_of(c, (enum training_figure)i);
		cJSON_AddItemToObject(json, training_figure_name((enum training_figure)i),
				      figure_json(&c->figures[i], c->too_few));
	}
	cJSON_AddItemToObject(json, "findings", findings_to_json(findings, TRAINING_FIGURE_COUNT));
}

cJSON *training_comparison_report(const struct training_comparison *c, const char *model,
				  const struct training_run *runs, uint32_t against)
{
	cJSON *json = cJSON_CreateObject();
	char summary[240];

	training_comparison_summary(c, summary, sizeof summary);
	cJSON_AddStringToObject(json, "kind", "training");
	cJSON_AddStringToObject(json, "model", model);
	cJSON_AddNumberToObject(json, "version", runs[c->newest].version);
	cJSON_AddNumberToObject(json, "against", against);
	cJSON_AddStringToObject(json, "verdict", benchmark_verdict_name(c->verdict));
	cJSON_AddBoolToObject(json, "passed", c->verdict == BENCHMARK_PASS);
	cJSON_AddStringToObject(json, "summary", summary);
	cJSON_AddStringToObject(json, "method", c->by_rank ? "ranks" : "prediction interval");
	cJSON_AddNumberToObject(json, "newest_run", (double)runs[c->newest].id);
	cJSON_AddNumberToObject(json, "last", (double)c->last);
	cJSON_AddNumberToObject(json, "earlier", (double)c->earlier);
	cJSON_AddNumberToObject(json, "left_out", (double)c->left_out);
	cJSON_AddNumberToObject(json, "ratio_max", c->ratio_max);
	cJSON_AddNumberToObject(json, "memory_max", c->memory_max);
	cJSON *settings = cJSON_AddObjectToObject(json, "settings"); /* in the policy's words: core/test/strictness */
	cJSON_AddNumberToObject(settings, "bench_ratio_max", c->ratio_max);
	cJSON_AddNumberToObject(settings, "bench_memory_max", c->memory_max);
	add_figures(c, json);
	return json;
}

/* --- back --- */

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
