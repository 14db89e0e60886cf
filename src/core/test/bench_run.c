#include "core/test/bench_run.h"

#include "core/json.h"
#include "core/test/bench_rows.h"
#include "core/test/launch.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define BATCHES_SIZE 128
#define ARGUMENTS_MAX_HERE 16
/* Exit codes of mldeck that say that the input is at fault. */
#define EXIT_INPUT 2

static void write_batches(const struct benchmark *b, char text[BATCHES_SIZE])
{
	size_t used = 0;
	for (size_t i = 0; i < b->batch_count; i++)
		used += (size_t)snprintf(text + used, BATCHES_SIZE - used, "%s%zu", i > 0 ? "," : "", b->batches[i]);
}

static int read_batch(const cJSON *item, size_t expected, double *ns_per_row, size_t *rows, struct err *e)
{
	int64_t batch, count;

	if (json_integer(item, "batch", 1, INT64_C(1) << 40, &batch, e) != 0 ||
	    json_number(item, "ns_per_row", ns_per_row, e) != 0 ||
	    json_integer(item, "rows", 1, INT64_C(1) << 40, &count, e) != 0)
		return -1;
	if ((size_t)batch != expected)
		return err_set(e, ERR_SYSTEM, "a launch measured another batch size");
	if ((size_t)count < *rows)
		*rows = (size_t)count;
	return 0;
}

/* What a launch printed. */
static int read_launch(const struct benchmark *b, const struct buf *output, struct bench_side *side,
		       struct benchmark_launch *launch, struct err *e)
{
	cJSON *json = cJSON_ParseWithLength(output->data != NULL ? output->data : "", output->size);
	const cJSON *list = json == NULL ? NULL : json_array(json, "batches", BENCHMARK_BATCHES_MAX, e);
	int result = -1;

	if (json == NULL)
		err_set(e, ERR_SYSTEM, "a launch printed no JSON");
	else if (list != NULL && (size_t)cJSON_GetArraySize(list) == b->batch_count)
		result = json_string(json, "engine", side->engine, sizeof side->engine, e) != 0 ||
				 json_string(json, "clock", side->clock, sizeof side->clock, e) != 0
			     ? -1
			     : 0;
	if (result == 0 && (json_number(json, "load_ns", &launch->load_ns, e) != 0 ||
			    json_number(json, "peak_bytes", &launch->peak_bytes, e) != 0))
		result = -1;
	int64_t looked_at = 0, not_finite = 0;
	if (result == 0 && (json_integer(json, "looked_at", 0, INT64_C(1) << 40, &looked_at, e) != 0 ||
			    json_integer(json, "not_finite", 0, looked_at, &not_finite, e) != 0))
		result = -1;
	side->looked_at = (size_t)looked_at;
	side->not_finite = (size_t)not_finite;
	for (size_t i = 0; result == 0 && i < b->batch_count; i++)
		result = read_batch(cJSON_GetArrayItem(list, (int)i), b->batches[i], &launch->ns_per_row[i],
				    &side->rows_asked, e);
	cJSON_Delete(json);
	return result;
}

/* The child's sentence, without "mldeck measure: ". */
static int refuse_launch(const struct bench_side *side, const struct launch *l, struct err *e)
{
	static const char prefix[] = "mldeck measure: ";
	const char *text = l->fault.data != NULL ? l->fault.data : "";
	bool input = WIFEXITED(l->status) && WEXITSTATUS(l->status) == EXIT_INPUT;

	if (strncmp(text, prefix, sizeof prefix - 1) == 0)
		text += sizeof prefix - 1;
	int size = (int)strcspn(text, "\n");
	if (size > 0)
		return err_set(e, input ? ERR_INPUT : ERR_SYSTEM, "%s could not be measured: %.*s", side->name,
			       size > 400 ? 400 : size, text);
	if (WIFSIGNALED(l->status))
		return err_set(e, ERR_SYSTEM, "%s could not be measured: signal %d ended the process", side->name,
			       WTERMSIG(l->status));
	return err_set(e, ERR_SYSTEM, "%s could not be measured: exit code %d", side->name, WEXITSTATUS(l->status));
}

static int launch(const struct bench_run *run, const struct benchmark *b, struct bench_side *side,
		  struct benchmark_launch *result, struct err *e)
{
	char batches[BATCHES_SIZE], time_ms[16];
	const char *argv[ARGUMENTS_MAX_HERE] = {
	    "mldeck",  "measure", side->model_path, "--manifest", side->manifest_path, "--rows",  run->rows_path,
	    "--batch", batches,   "--time-ms",      time_ms,      "--state",           run->state};
	struct launch l;

	write_batches(b, batches);
	snprintf(time_ms, sizeof time_ms, "%d", run->time_ms);
	if (run->config != NULL) {
		argv[13] = "--config";
		argv[14] = run->config;
	}
	int done = launch_run(run->program, argv, run->go_on, run->context, &l, e);
	if (done == 0 && l.status != 0)
		done = refuse_launch(side, &l, e);
	if (done == 0)
		done = read_launch(b, &l.output, side, result, e);
	launch_release(&l);
	return done;
}

/* How many launches the next verdict needs. */
static size_t needed(const struct benchmark *b)
{
	size_t look = b->looks_done < b->plan.look_count ? b->looks_done : b->plan.look_count - 1;
	return 2 * b->plan.pairs[look];
}

static int report(const struct bench_run *run, const struct benchmark *b, size_t done, struct err *e)
{
	return run->progress(run->context, done, needed(b)) ? 0 : err_set(e, ERR_CONFLICT, "it was stopped");
}

static int run_pair(struct bench_run *run, struct benchmark *b, bool new_first, struct err *e)
{
	struct benchmark_launch launches[2]; /* old, new */
	struct bench_side *const sides[] = {&run->old_side, &run->new_side};

	for (size_t i = 0; i < 2; i++) {
		size_t which = new_first ? 1 - i : i;
		if (launch(run, b, sides[which], &launches[which], e) != 0 ||
		    report(run, b, 2 * b->pair_count + i + 1, e) != 0)
			return -1;
	}
	return benchmark_add(b, &launches[0], &launches[1], e);
}

int bench_run(struct bench_run *run, struct benchmark *b, struct err *e)
{
	uint64_t state = run->seed != 0 ? run->seed : 1;
	bool done = false;

	run->old_side.rows_asked = run->new_side.rows_asked = SIZE_MAX;
	while (!done) {
		if (run_pair(run, b, bench_random(&state) >> 63, e) != 0)
			return -1;
		if (benchmark_due(b) && benchmark_judge(b, &done, e) != 0)
			return -1;
	}
	return 0;
}
