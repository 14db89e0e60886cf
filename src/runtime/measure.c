#include "runtime/measure.h"

#include "core/arena.h"
#include "core/clock.h"
#include "core/columns.h"
#include "core/json.h"
#include "core/rows.h"
#include "core/stat/stat_quantile.h"
#include "runtime/engine/engine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_MAX ((size_t)4 << 30)

/* One model that is asked. */
struct subject {
	const struct measure_options *options;
	struct manifest manifest;
	const struct engine *engine;
	struct prediction_kind kind;
	void *model;
	struct columns *columns;
	struct columns_rows rows;
	struct arena row_arena, arena; /* of the rows; of one answer */
	clockid_t clock;
	bool slow; /* a test wants it a tenth slower */
};

static int read_file(const char *path, struct buf *b, struct err *e)
{
	FILE *file = fopen(path, "rbe");
	char chunk[65536];
	size_t got;
	int result = 0;

	buf_init(b);
	if (file == NULL)
		return err_errno(e, errno, "%s cannot be opened", path);
	while ((got = fread(chunk, 1, sizeof chunk, file)) > 0 && b->size <= FILE_MAX)
		buf_add(b, chunk, got);
	if (ferror(file))
		result = err_errno(e, errno, "%s cannot be read", path);
	else if (b->size > FILE_MAX)
		result = err_set(e, ERR_TOO_LARGE, "%s is larger than %zu MiB", path, FILE_MAX >> 20);
	else if (b->failed)
		result = err_set(e, ERR_MEMORY, "memory is out for %s", path);
	else if (b->size == 0)
		result = err_set(e, ERR_INPUT, "%s is empty", path);
	fclose(file);
	return result;
}

/* --- the clock --- */

/* A model that runs on the thread that asks is timed by what this thread had of a processor, so that a busy machine
 * does not count as the model's slowness; one that waits for a server, or has threads of its own, by the clock on the
 * wall. */
static clockid_t choose_clock(const struct engine *engine, const struct config *config)
{
	bool own_threads = strcmp(engine->name, "onnx") == 0 && config->onnx.threads != 1;
	return engine->predict != NULL && !own_threads ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
}

static double now_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- the model --- */

static int read_manifest(struct subject *s, struct err *e)
{
	struct buf text;
	int result = read_file(s->options->manifest_path, &text, e);
	cJSON *json = result == 0 ? cJSON_ParseWithLength(text.data, text.size) : NULL;

	if (result == 0 && json == NULL)
		result = err_set(e, ERR_INPUT, "%s is no JSON", s->options->manifest_path);
	if (result == 0)
		result = manifest_from_json(&s->manifest, json, e);
	cJSON_Delete(json);
	buf_release(&text);
	return result;
}

static int choose_engine(struct subject *s, const struct buf *file, struct err *e)
{
	char formats[256];

	if (s->options->manifest_path != NULL) {
		s->engine = engine_find(s->manifest.engine);
		if (s->engine == NULL)
			return err_set(e, ERR_UNSUPPORTED, "this mldeck has no engine `%s`", s->manifest.engine);
		return 0;
	}
	s->engine = engine_detect(file->data, file->size);
	if (s->engine != NULL)
		return 0;
	engine_formats(formats, sizeof formats);
	return err_set(e, ERR_UNSUPPORTED, "%s is no model that mldeck knows: %s", s->options->model_path, formats);
}

/* The time is the engine's: what the disk takes is not the model's. */
static int load_model(struct subject *s, double *load_ns, struct err *e)
{
	struct buf file;
	const bool known = s->options->manifest_path != NULL;
	int result = known ? read_manifest(s, e) : 0;

	if (result != 0)
		return -1;
	result = read_file(s->options->model_path, &file, e);
	if (result == 0)
		result = choose_engine(s, &file, e);
	if (result == 0) {
		const struct engine_source source = {file.data, file.size, s->options->config,
						     known ? &s->manifest : NULL};
		s->clock = choose_clock(s->engine, s->options->config);
		double begun_ns = now_ns(s->clock);
		result = s->engine->load(&source, known ? NULL : &s->manifest, &s->kind, &s->model, e);
		*load_ns = now_ns(s->clock) - begun_ns;
		if (result != 0)
			s->model = NULL;
	}
	buf_release(&file);
	return result;
}

static int load_rows(struct subject *s, struct err *e)
{
	struct buf text;
	int result = -1;

	s->columns = columns_new(&s->manifest, s->options->model_path, e);
	if (s->columns == NULL || columns_rows_init(&s->rows, s->columns, &s->row_arena, MEASURE_BLOCK_ROWS, e) != 0)
		return -1;
	if (read_file(s->options->rows_path, &text, e) == 0)
		result = rows_read(text.data, text.size, ROWS_CSV, &s->rows, e);
	buf_release(&text);
	return result;
}

/* --- asking --- */

static int ask_one(struct subject *s, size_t first, size_t count, struct inference *inference, struct err *e)
{
	arena_reset(&s->arena);
	if (inference_begin(inference, &s->manifest, &s->arena, e) != 0)
		return -1;
	columns_rows_tensors(&s->rows, first, count, inference->inputs);
	inference_want_default(inference, s->engine);
	return engine_predict(s->engine, s->model, inference, e);
}

static int ask(struct subject *s, size_t first, size_t count, struct err *e)
{
	struct inference inference;

	return ask_one(s, first, count, &inference, e);
}

/* One answer, as large as the batch sizes allow: a model that answers NaN may be fast, and that is to be told. */
static int look_at_answer(struct subject *s, struct measure *m, struct err *e)
{
	struct inference inference;
	size_t rows = s->rows.count < s->columns->row_max ? s->rows.count : s->columns->row_max, count = 0;

	rows = rows < MEASURE_BLOCK_ROWS ? rows : MEASURE_BLOCK_ROWS;
	if (ask_one(s, 0, rows, &inference, e) != 0)
		return -1;
	const double *values = prediction_values(&s->kind, &inference, &count);
	m->looked_at = count;
	for (size_t i = 0; i < count; i++)
		m->not_finite += !isfinite(values[i]);
	return 0;
}

static int ask_rows(struct subject *s, size_t first, size_t count, size_t batch, struct err *e)
{
	for (size_t done = 0; done < count; done += batch)
		if (ask(s, first + done, count - done < batch ? count - done : batch, e) != 0)
			return -1;
	return 0;
}

static int time_block(struct subject *s, size_t first, size_t count, size_t batch, double *ns, struct err *e)
{
	double begun_ns = now_ns(s->clock);
	int result = ask_rows(s, first, count, batch, e);

	/* The version that a bench of the benchmark must catch. */
	if (result == 0 && s->slow)
		result = ask_rows(s, first, count / 10, batch, e);
	*ns = now_ns(s->clock) - begun_ns;
	return result;
}

/* How a batch size cuts the rows. */
struct cut {
	size_t batch, block_rows, blocks;
};

static int cut_rows(const struct subject *s, size_t batch, struct cut *cut, struct err *e)
{
	if (batch > s->columns->row_max)
		return err_set(e, ERR_INPUT, "it takes %zu row%s at a time: name smaller batch sizes by --batch",
			       s->columns->row_max, s->columns->row_max == 1 ? "" : "s");
	if (batch > s->rows.count)
		return err_set(e, ERR_INPUT, "there are %zu rows, and a batch size is %zu", s->rows.count, batch);
	*cut = (struct cut){.batch = batch, .block_rows = batch};
	if (batch < MEASURE_BLOCK_ROWS)
		cut->block_rows = MEASURE_BLOCK_ROWS / batch * batch;
	if (cut->block_rows > s->rows.count)
		cut->block_rows = s->rows.count / batch * batch;
	cut->blocks = s->rows.count / cut->block_rows;
	return 0;
}

/* Goes through all rows once, or as far as the limit allows; at least one block. Another server has its own way of
 * being warm, and may be paid by the request: of it one block is enough. */
static int warm_up(struct subject *s, const struct cut *cut, struct err *e)
{
	int64_t until_ms = clock_ms() + MEASURE_LIMIT_MS;
	size_t blocks = s->engine->start != NULL ? 1 : cut->blocks;
	double ns;

	for (size_t i = 0; i < blocks && (i == 0 || clock_ms() < until_ms); i++)
		if (time_block(s, i * cut->block_rows, cut->block_rows, cut->batch, &ns, e) != 0)
			return -1;
	return 0;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* times[pass][block], of which the last pass may have ended early. */
static void sum_up(double *times, size_t taken, const struct cut *cut, struct measure_batch *result)
{
	double passes[MEASURE_PASSES_MAX], sum_ns = 0;
	size_t blocks = taken < cut->blocks ? taken : cut->blocks;

	for (size_t block = 0; block < blocks; block++) {
		size_t count = 0;
		for (size_t at = block; at < taken; at += cut->blocks)
			passes[count++] = times[at];
		qsort(passes, count, sizeof *passes, compare_doubles);
		sum_ns += stat_quantile_sorted(passes, count, 0.5);
		if (block == 0)
			result->passes = count;
	}
	result->rows = blocks * cut->block_rows;
	result->ns_per_row = sum_ns / (double)result->rows;
}

static int measure_batch(struct subject *s, size_t batch, struct measure_batch *result, struct err *e)
{
	struct cut cut = {0};
	size_t taken = 0;

	if (cut_rows(s, batch, &cut, e) != 0)
		return -1;
	double *times = calloc(cut.blocks * MEASURE_PASSES_MAX, sizeof *times);
	if (times == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for the times");
	int done = warm_up(s, &cut, e);
	int64_t until_ms = clock_ms() + MEASURE_LIMIT_MS;
	double enough_ns = s->options->time_ms * 1e6, spent_ns = 0;
	while (done == 0 && taken < cut.blocks * MEASURE_PASSES_MAX) {
		/* At the end of a pass, once the time is over; in the middle of one only at the limit. */
		if (taken > 0 && (clock_ms() >= until_ms || (taken % cut.blocks == 0 && spent_ns >= enough_ns)))
			break;
		done = time_block(s, taken % cut.blocks * cut.block_rows, cut.block_rows, cut.batch, &times[taken], e);
		spent_ns += times[taken];
		taken++;
	}
	if (done == 0)
		sum_up(times, taken, &cut, result);
	free(times);
	return done;
}

/* Of the kernel's own high-water mark: that of getrusage() begins with what the parent had when it started us. */
static int read_peak(double *bytes, struct err *e)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long kilobytes = 0;

	while (file != NULL && kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "VmHWM: %llu kB", &kilobytes) != 1)
			kilobytes = 0;
	if (file != NULL)
		fclose(file);
	*bytes = (double)kilobytes * 1024;
	return kilobytes > 0 ? 0 : err_set(e, ERR_SYSTEM, "/proc/self/status does not say how much memory was used");
}

/* Whether a bench of the benchmark wants this launch a tenth slower: MLDECK_FAULT_SLOW ends the name of its manifest.
 */
static bool is_slowed(const struct measure_options *options)
{
#ifdef MLDECK_FAULTS
	const char *end = getenv("MLDECK_FAULT_SLOW"), *path = options->manifest_path;
	return end != NULL && *end != '\0' && path != NULL && strlen(path) >= strlen(end) &&
	       strcmp(path + strlen(path) - strlen(end), end) == 0;
#else
	(void)options;
	return false;
#endif
}

int measure_run(const struct measure_options *options, struct measure *m, struct err *e)
{
	struct subject s = {.options = options};

	*m = (struct measure){0};
	s.slow = is_slowed(options);
	manifest_init(&s.manifest);
	int result = load_model(&s, &m->load_ns, e);
	if (result == 0)
		result = load_rows(&s, e);
	if (result == 0)
		result = look_at_answer(&s, m, e);
	for (size_t i = 0; result == 0 && i < options->batch_count; i++)
		result = measure_batch(&s, options->batches[i], &m->batches[i], e);
	if (result == 0)
		result = read_peak(&m->peak_bytes, e);
	if (result == 0) {
		m->rows = s.rows.count;
		snprintf(m->engine, sizeof m->engine, "%s", s.engine->name);
		m->by_wall = s.clock == CLOCK_MONOTONIC;
	}
	if (s.model != NULL)
		s.engine->unload(s.model);
	columns_free(s.columns);
	arena_release(&s.row_arena);
	arena_release(&s.arena);
	manifest_release(&s.manifest);
	return result;
}
