#include "core/batch_client.h"
#include "core/job_report.h"
#include "core/plot_track.h"
#include "core/version_client.h"
#include "ui/command/batch_meter.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"
#include "ui/command/predict_options.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_predict;

#define REJECTS_SHOWN 20

/* One run, as it is put together. */
struct predict {
	const struct arguments *arguments;
	struct predict_options options;
	char socket_path[128];
	struct client *client;
	struct batch *batch;
	struct manifest manifest;
	uint32_t version, live;
	struct batch_client *asker;
	struct job_report report;
	struct batch_meter meter;
	struct plot_rate rows_a_second;
	uint64_t rejects_shown;
	enum batch_outcome outcome;
	struct batch_progress progress;
	bool cancelled; /* by the runtime's job list */
};

static int predict_rows(void *context, size_t thread, struct batch_question *question, struct err *e)
{
	struct predict *p = context;

	return batch_client_predict(p->asker, thread, question, e);
}

static struct job_progress job_progress_of(const struct predict *p, const struct batch_progress *progress)
{
	struct job_progress job = {.done = progress->rows,
				   .done_bytes = progress->bytes,
				   .total_bytes = progress->bytes_total,
				   .rejected = progress->rejected,
				   .rate = p->meter.rate,
				   .left_s = p->meter.left_s,
				   .plot_count = 1};

	plot_begin(&job.plots[0], PLOT_SERIES, "rows a second", PLOT_IN_SECONDS, PLOT_IN_RATE);
	plot_track_show(&p->rows_a_second.track, 0, &job.plots[0]);
	return job;
}

static bool tick(void *context, const struct batch_progress *progress)
{
	struct predict *p = context;

	batch_meter_update(&p->meter, progress);
	plot_rate_add(&p->rows_a_second, batch_meter_seconds(&p->meter),
		      (double)(progress->rows - progress->resumed_rows));
	if (!job_report_due(&p->report))
		return true;
	const struct job_progress job = job_progress_of(p, progress);
	if (job_report_progress(&p->report, &job))
		return true;
	p->cancelled = true;
	return false;
}

/* With standard output there is no rejects file. */
static void show_reject(void *context, uint64_t line, const char *column, const char *reason)
{
	struct predict *p = context;
	struct err e;

	if (++p->rejects_shown > REJECTS_SHOWN)
		return;
	batch_meter_end(&p->meter);
	err_set(&e, ERR_INPUT, "line %llu%s%s%s: %.300s", (unsigned long long)line, *column ? ", column `" : "", column,
		*column ? "`" : "", reason);
	fprintf(stderr, "mldeck predict: %s\n", e.text);
	if (p->rejects_shown == REJECTS_SHOWN)
		fputs("mldeck predict: further rejected rows are only counted; --rejects FILE has them all\n", stderr);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(path, "-") == 0 ? "standard input" : slash != NULL ? slash + 1 : path;
}

/* What is about to be done, with the version that stays the same to the end. */
static void announce(const struct predict *p)
{
	const struct batch_options *o = &p->options.batch;
	uint32_t before = batch_version(p->batch);
	char input[512], output[512];

	text_clean(input, sizeof input, strcmp(o->input, "-") == 0 ? "standard input" : o->input);
	text_clean(output, sizeof output, strcmp(o->output, "-") == 0 ? "standard output" : o->output);
	fprintf(stderr, "%s v%u%s: %s to %s\n", o->model, (unsigned)p->version, p->version == p->live ? " (live)" : "",
		input, output);
	if (before != 0)
		fputs("A run that ended before its work did goes on.\n", stderr);
	if (before != 0 && p->version != p->live && p->options.version == 0)
		fprintf(stderr, "It began with v%u; v%u is live now (--restart takes that).\n", (unsigned)before,
			(unsigned)p->live);
}

static int prepare(struct predict *p, struct err *e)
{
	const struct batch_options *o = &p->options.batch;

	if (arguments_socket(p->arguments, p->socket_path, sizeof p->socket_path, e) != 0)
		return -1;
	p->client = client_new(p->socket_path, "predict");
	if (p->client == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	if (batch_open(o, &p->batch, e) != 0)
		return -1;
	p->version = p->options.version != 0 ? p->options.version : batch_version(p->batch);
	if (version_client_find(p->client, o->model, &p->version, &p->live, &p->manifest, e) != 0)
		return -1;
	p->asker = batch_client_new(p->socket_path, o->model, p->version, &p->manifest, o->in_flight, e);
	return p->asker == NULL ? -1 : 0;
}

/* "Predicted 5000 rows of rows.csv with v3 of churn into out.csv in 2.1 s (2.4k rows/s); 3 were rejected: ..." */
static void summarise(const struct predict *p, char *text, size_t size)
{
	const struct batch_options *o = &p->options.batch;
	double seconds = batch_meter_seconds(&p->meter);
	char rate[16], rejected[600] = "";

	text_count(rate, sizeof rate, (double)(p->progress.rows - p->progress.resumed_rows) / fmax(seconds, 0.001));
	if (p->progress.rejected > 0)
		snprintf(rejected, sizeof rejected, "; %llu of them could not be%s%.400s%s",
			 (unsigned long long)p->progress.rejected, *batch_rejects_path(p->batch) ? ": " : "",
			 batch_rejects_path(p->batch),
			 *batch_rejects_path(p->batch) ? " has their lines and reasons" : "");
	snprintf(text, size, "%llu row%s of %.400s predicted with v%u of %s in %.1f s (%s rows/s)%s",
		 (unsigned long long)p->progress.rows, p->progress.rows == 1 ? "" : "s", base_name(o->input),
		 (unsigned)p->version, o->model, seconds, rate, rejected);
}

static void describe_stop(const struct predict *p, char *text, size_t size)
{
	const struct batch_options *o = &p->options.batch;

	snprintf(text, size, "%s after %llu rows; %s", p->cancelled ? "cancelled by an operator" : "stopped",
		 (unsigned long long)p->progress.rows,
		 batch_resumable(p->batch)     ? "the same command goes on there"
		 : strcmp(o->output, "-") == 0 ? "what was written is not all"
					       : "nothing was kept, for the input cannot be gone back in");
}

static int print_json(const struct predict *p, FILE *out, struct err *e)
{
	const struct batch_options *o = &p->options.batch;
	double seconds = batch_meter_seconds(&p->meter);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "model", o->model);
	cJSON_AddNumberToObject(json, "version", p->version);
	cJSON_AddStringToObject(json, "input", o->input);
	cJSON_AddStringToObject(json, "output", o->output);
	cJSON_AddStringToObject(json, "outcome",
				p->outcome == BATCH_DONE ? "done"
				: p->cancelled           ? "cancelled"
							 : "stopped");
	cJSON_AddNumberToObject(json, "rows", (double)p->progress.rows);
	cJSON_AddNumberToObject(json, "rejected", (double)p->progress.rejected);
	if (p->progress.rejected > 0 && *batch_rejects_path(p->batch))
		cJSON_AddStringToObject(json, "rejects", batch_rejects_path(p->batch));
	cJSON_AddNumberToObject(json, "resumed_rows", (double)p->progress.resumed_rows);
	cJSON_AddNumberToObject(json, "seconds", seconds);
	char *text = cJSON_Print(json);
	cJSON_Delete(json);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	fprintf(out, "%s\n", text);
	cJSON_free(text);
	return output_end(e);
}

/* The facts of a run that ended in good order; with standard output they go to stderr. */
static int print_end(const struct predict *p, const char *text, struct err *e)
{
	FILE *out = strcmp(p->options.batch.output, "-") == 0 ? stderr : stdout;
	char clean[2048];

	if (arguments_flag(p->arguments, "json"))
		return print_json(p, out, e);
	text_clean(clean, sizeof clean, text);
	if (p->outcome == BATCH_STOPPED)
		fprintf(stderr, "mldeck predict: %s\n", clean);
	else
		fprintf(out, "%s.\n", clean);
	return output_end(e);
}

static int exit_code(const struct predict *p)
{
	if (p->outcome == BATCH_STOPPED)
		return stop_signal_exit();
	return p->progress.rejected > 0;
}

static int go(struct predict *p, int *code, struct err *e)
{
	const struct batch_options *o = &p->options.batch;
	const struct batch_calls calls = {.context = p, .predict = predict_rows, .tick = tick, .reject = show_reject};
	char title[JOB_TITLE_SIZE], text[2048];

	snprintf(title, sizeof title, "%.50s to %.50s", base_name(o->input),
		 strcmp(o->output, "-") == 0 ? "standard output" : base_name(o->output));
	if (job_report_begin(&p->report, p->client, "predict", o->model, p->version, title, p->options.words,
			     p->options.word_count, e) != 0)
		return -1;
	announce(p);
	batch_meter_begin(&p->meter, base_name(o->input));
	int result = batch_run(p->batch, &p->manifest, p->version, &calls, &p->outcome, &p->progress, e);
	batch_meter_end(&p->meter);
	plot_rate_end(&p->rows_a_second, batch_meter_seconds(&p->meter),
		      (double)(p->progress.rows - p->progress.resumed_rows));
	const struct job_progress last = job_progress_of(p, &p->progress);
	if (result != 0) {
		job_report_end(&p->report, JOB_FAILED, &last, e->text);
		return -1;
	}
	if (p->outcome == BATCH_DONE)
		summarise(p, text, sizeof text);
	else
		describe_stop(p, text, sizeof text);
	job_report_end(&p->report, p->outcome == BATCH_DONE ? JOB_DONE : JOB_CANCELLED, &last, text);
	*code = exit_code(p);
	return print_end(p, text, e);
}

static const struct option_spec options[] = {
    {"input", "FILE", "rows: CSV with a header, or JSON lines (.jsonl); - is standard input"},
    {"output", "FILE", "predictions, replaced at the end only; - is standard output"},
    {"version", "N", "this version, not the live one"},
    {"keep", "A,B", "columns of the input before the predictions, or all"},
    {"outputs", "A,B", "outputs of the model, as predict,raw_score"},
    {"input-format", "csv|jsonl", "of the input, where its name does not say"},
    {"format", "csv|jsonl", "of the output, where its name does not say"},
    {"rejects", "FILE", "rows that cannot be predicted; else OUTPUT.rejects.csv"},
    {"max-rejects", "N", "end at once with more of them"},
    {"restart", NULL, "start over, whatever an earlier run did"},
    {"chunk", "ROWS", "rows of a request at most (1024)"},
    {"parallel", "N", "requests at the same time (2)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

static int run(const struct arguments *a)
{
	struct predict p = {.arguments = a, .rows_a_second = {.track = {.step = 1}}};
	struct err e = {0};
	int code = 0, result = -1;

	if (predict_options_read(a, options, &p.options, &e) == 0) {
		p.options.batch.stop = stop_signal_flag();
		stop_signal_catch();
		result = prepare(&p, &e) == 0 ? go(&p, &code, &e) : -1;
	}
	if (result != 0)
		code = command_fail(&command_predict, &e);
	batch_close(p.batch);
	batch_client_free(p.asker);
	manifest_release(&p.manifest);
	client_free(p.client);
	predict_options_release(&p.options);
	return code;
}

const struct command command_predict = {
    .name = "predict",
    .arguments = "MODEL",
    .summary = "predict a file's rows into another file",
    .details = "Row N of the output belongs to row N of the input. A row that cannot be predicted has empty fields "
	       "(null in JSON lines); its line and the reason are in OUTPUT.rejects.csv, and the exit code is 1. "
	       "Columns are matched by name; an output of several columns is NAME_0, NAME_1 ... in CSV and an array "
	       "in JSON lines.\n\n"
	       "The version is chosen once, when the run begins. A run that was stopped or killed goes on where it "
	       "was when the same command is run again, to the same bytes: OUTPUT.part and OUTPUT.progress are its "
	       "own. With standard input or output it cannot.",
    .options = options,
    .run = run,
};
