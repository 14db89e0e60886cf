#include "ui/command/bench_training.h"

#include "core/test/bench_subject.h"
#include "core/test/training.h"
#include "core/test/training_client.h"
#include "core/text.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_INCONCLUSIVE 8
#define RUNS_SHOWN 10

struct comparison {
	const struct bench_options *options;
	struct training_run runs[TRAINING_RUNS_MAX]; /* newest first */
	size_t count;
	double ratio_max, memory_max;
	struct training_comparison result;
};

static void sentence(const struct comparison *c, char *text, size_t size)
{
	const struct training_comparison *r = &c->result;
	size_t worst = 0;

	for (size_t i = 1; i < TRAINING_FIGURE_COUNT; i++)
		if (r->figures[i].verdict == r->verdict &&
		    (r->figures[worst].verdict != r->verdict || r->figures[i].ratio > r->figures[worst].ratio))
			worst = i;
	const struct training_ratio *f = &r->figures[worst];
	const char *name = training_figure_name((enum training_figure)worst);
	if (r->too_few)
		snprintf(text, size, "%zu runs against %zu before are too few for an interval at 95%%: nothing is said",
			 r->last, r->earlier);
	else if (r->verdict == BENCHMARK_PASS)
		snprintf(text, size, "no slower than before: %s is %.3f times that of %zu runs before (%.3f to %.3f)",
			 name, f->ratio, r->earlier, f->interval.low, f->interval.high);
	else if (r->verdict == BENCHMARK_REGRESSION)
		snprintf(text, size, "%s is %.3f times that of %zu runs before (%.3f to %.3f)", name, f->ratio,
			 r->earlier, f->interval.low, f->interval.high);
	else
		snprintf(text, size, "not shown either way: %s is %.3f times that of %zu runs before (%.3f to %.3f)",
			 name, f->ratio, r->earlier, f->interval.low, f->interval.high);
}

/* --- text --- */

static void figure_text(char *text, size_t size, size_t figure, double value)
{
	if (figure == TRAINING_MEMORY)
		text_bytes(text, size, value);
	else
		snprintf(text, size, "%.1f s", value);
}

static int print_runs(const struct comparison *c, struct err *e)
{
	const char *const headers[] = {">TEST", "TIME",  ">WALL",   ">CPU", ">MEMORY",
				       ">COST", ">EXIT", "VERSION", "HOST", NULL};
	struct table *t = table_new(headers);
	char text[32];

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < c->count && i < RUNS_SHOWN; i++) {
		const struct training_run *r = &c->runs[i];
		double cost = training_cost(r);
		table_row(t);
		table_cell(t, "%lld", (long long)r->id);
		output_time(text, sizeof text, (double)r->at_ms);
		table_cell(t, "%s", text);
		table_cell(t, "%.1f s", r->took.wall_s);
		table_cell(t, "%.1f s", r->took.user_s + r->took.system_s);
		text_bytes(text, sizeof text, r->took.peak_bytes);
		table_cell(t, "%s", text);
		table_cell(t, isnan(cost) ? "-" : "%.4g", cost);
		table_cell(t, "%d", r->took.exit_code);
		table_cell(t, r->version > 0 ? "v%u" : "-", (unsigned)r->version);
		table_cell(t, "%s", r->host);
	}
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static int print_figures(const struct training_comparison *r, struct err *e)
{
	const char *const headers[] = {"", ">BEFORE", ">NOW", ">RATIO", ">INTERVAL", ">P", "VERDICT", NULL};
	struct table *t = table_new(headers);
	char old_text[32], new_text[32];

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < TRAINING_FIGURE_COUNT; i++) {
		const struct training_ratio *f = &r->figures[i];
		figure_text(old_text, sizeof old_text, i, f->old_median);
		figure_text(new_text, sizeof new_text, i, f->new_median);
		table_row(t);
		table_cell(t, "%s", training_figure_name((enum training_figure)i));
		table_cell(t, "%s", old_text);
		table_cell(t, "%s", new_text);
		table_cell(t, "%.3f", f->ratio);
		table_cell(t, r->too_few ? "-" : "%.3f - %.3f", f->interval.low, f->interval.high);
		table_cell(t, r->too_few ? "-" : "%.2g", f->p_adjusted);
		table_cell(t, "%s", benchmark_verdict_name(f->verdict));
	}
	int result = table_print(t, e);
	table_free(t);
	return result;
}

static int print_text(const struct comparison *c, const char *summary, struct err *e)
{
	if (print_runs(c, e) != 0)
		return -1;
	putchar('\n');
	if (print_figures(&c->result, e) != 0)
		return -1;
	printf("%c%s.\n%s", summary[0] >= 'a' && summary[0] <= 'z' ? summary[0] - 'a' + 'A' : summary[0], summary + 1,
	       c->result.by_rank
		   ? "By Mann and Whitney's ranks and Moses's interval.\n"
		   : "By the prediction interval of one further run, which takes logarithms for normal.\n");
	if (c->result.left_out > 0)
		printf("%zu runs are left out: they failed, or ran on another host.\n", c->result.left_out);
	return output_end(e);
}

/* --- JSON --- */

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

static int print_json(const struct comparison *c, const char *summary, struct err *e)
{
	const struct training_comparison *r = &c->result;
	cJSON *json = cJSON_CreateObject(), *runs;

	cJSON_AddStringToObject(json, "kind", "training");
	cJSON_AddStringToObject(json, "model", c->options->model);
	cJSON_AddStringToObject(json, "verdict", benchmark_verdict_name(r->verdict));
	cJSON_AddBoolToObject(json, "passed", r->verdict == BENCHMARK_PASS);
	cJSON_AddStringToObject(json, "summary", summary);
	cJSON_AddStringToObject(json, "method", r->by_rank ? "ranks" : "prediction interval");
	cJSON_AddNumberToObject(json, "last", (double)r->last);
	cJSON_AddNumberToObject(json, "earlier", (double)r->earlier);
	cJSON_AddNumberToObject(json, "left_out", (double)r->left_out);
	cJSON_AddNumberToObject(json, "ratio_max", c->ratio_max);
	cJSON_AddNumberToObject(json, "memory_max", c->memory_max);
	for (size_t i = 0; i < TRAINING_FIGURE_COUNT; i++)
		cJSON_AddItemToObject(json, training_figure_name((enum training_figure)i),
				      figure_json(&r->figures[i], r->too_few));
	runs = cJSON_AddArrayToObject(json, "runs");
	for (size_t i = 0; i < c->count; i++) {
		cJSON *run = training_report(&c->runs[i], c->options->model);
		cJSON_AddNumberToObject(run, "id", (double)c->runs[i].id);
		cJSON_AddNumberToObject(run, "at_ms", (double)c->runs[i].at_ms);
		cJSON_AddItemToArray(runs, run);
	}
	int result = output_json(json, e);
	cJSON_Delete(json);
	return result;
}

int bench_training(const struct arguments *a, struct client *client, const struct bench_options *o, int *code,
		   struct err *e)
{
	struct comparison *c = calloc(1, sizeof *c);
	char summary[240];
	int result = -1;

	if (c == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	c->options = o;
	if (training_client_runs(client, o->model, c->runs, &c->count, e) != 0 ||
	    bench_subject_limits(client, o->model, &c->ratio_max, &c->memory_max, e) != 0)
		goto out;
	if (o->ratio_max > 0)
		c->ratio_max = o->ratio_max;
	if (training_compare(c->runs, c->count, o->last, c->ratio_max, c->memory_max, &c->result, e) != 0)
		goto out;
	sentence(c, summary, sizeof summary);
	result = arguments_flag(a, "json") ? print_json(c, summary, e) : print_text(c, summary, e);
	*code = c->result.verdict == BENCHMARK_PASS         ? 0
		: c->result.verdict == BENCHMARK_REGRESSION ? 1
							    : EXIT_INCONCLUSIVE;
out:
	free(c);
	return result;
}
