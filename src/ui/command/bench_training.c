#include "ui/command/bench_training.h"

#include "core/policy.h"
#include "core/test/bench_subject.h"
#include "core/test/report_send.h"
#include "core/test/training.h"
#include "core/test/training_client.h"
#include "core/text.h"
#include "core/version_client.h"
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
	struct training_comparison result;
};

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

static int print_text(const struct comparison *c, const char *summary, int64_t id, struct err *e)
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
	printf("Kept as test %lld of %s.\n", (long long)id, c->options->model);
	return output_end(e);
}

/* --- what is kept --- */

/* With its number, and the runs that were looked at. */
static int print_json(const struct comparison *c, cJSON *report, int64_t id, struct err *e)
{
	cJSON *runs = cJSON_AddArrayToObject(report, "runs");

	cJSON_AddNumberToObject(report, "id", (double)id);
	for (size_t i = 0; i < c->count; i++) {
		cJSON *run = training_report(&c->runs[i], c->options->model);
		cJSON_AddNumberToObject(run, "id", (double)c->runs[i].id);
		cJSON_AddNumberToObject(run, "at_ms", (double)c->runs[i].at_ms);
		cJSON_AddItemToArray(runs, run);
	}
	return output_json(report, e);
}

/* The version that it is held against, so that a gate finds it: the live one, unless the newest run made that. */
static int find_live(struct client *client, const char *model, uint32_t version, uint32_t *live, struct err *e)
{
	*live = 0;
	if (version == 0)
		return 0;
	int result = version_client_live(client, model, live, e);
	if (*live == version)
		*live = 0;
	return result;
}

static int conclude(const struct arguments *a, struct client *client, struct comparison *c, struct err *e)
{
	const char *model = c->options->model;
	const struct training_run *newest = &c->runs[c->result.newest];
	char summary[240];
	uint32_t live;
	int64_t id = 0;

	if (find_live(client, model, newest->version, &live, e) != 0)
		return -1;
	training_comparison_summary(&c->result, summary, sizeof summary);
	cJSON *report = training_comparison_report(&c->result, model, c->runs, live);
	int result = report_send(client, report, 0, &id, e);
	if (result == 0)
		result = arguments_flag(a, "json") ? print_json(c, report, id, e) : print_text(c, summary, id, e);
	cJSON_Delete(report);
	return result;
}

/* The runs before the one that made the version are those that it is compared with. */
static int leave_newer(struct comparison *c, struct err *e)
{
	size_t newer = 0;

	if (c->options->version == 0)
		return 0;
	while (newer < c->count &&
	       (c->runs[newer].version != c->options->version || c->runs[newer].took.exit_code != 0))
		newer++;
	if (newer == c->count)
		return err_set(
		    e, ERR_NOT_FOUND,
		    "no training run is known to have made v%u of %s: `mldeck train %s --produces FILE` ties it",
		    (unsigned)c->options->version, c->options->model, c->options->model);
	c->count -= newer;
	memmove(c->runs, c->runs + newer, c->count * sizeof *c->runs);
	return 0;
}

/* Of the model's policy; a model of which nothing is deployed has none, and so the default. */
static int find_limits(struct client *client, const char *model, double *ratio_max, double *memory_max, struct err *e)
{
	struct policy usual;

	if (bench_subject_limits(client, model, ratio_max, memory_max, e) == 0)
		return 0;
	policy_init(&usual);
	*ratio_max = usual.bench_ratio_max;
	*memory_max = usual.bench_memory_max;
	return e->code == ERR_NOT_FOUND ? 0 : -1;
}

int bench_training(const struct arguments *a, struct client *client, const struct bench_options *o, int *code,
		   struct err *e)
{
	struct comparison *c = calloc(1, sizeof *c);
	double ratio_max, memory_max;
	int result = -1;

	if (c == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	c->options = o;
	if (training_client_runs(client, o->model, c->runs, &c->count, e) != 0 || leave_newer(c, e) != 0 ||
	    find_limits(client, o->model, &ratio_max, &memory_max, e) != 0)
		goto out;
	if (o->ratio_max > 0)
		ratio_max = o->ratio_max;
	if (training_compare(c->runs, c->count, o->last, ratio_max, memory_max, &c->result, e) == 0)
		result = conclude(a, client, c, e);
	*code = c->result.verdict == BENCHMARK_PASS         ? 0
		: c->result.verdict == BENCHMARK_REGRESSION ? 1
							    : EXIT_INCONCLUSIVE;
out:
	free(c);
	return result;
}
