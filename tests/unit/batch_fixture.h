/* batch_fixture: what the tests of batches share: a model of our own, files in a folder of their own, and runs. */
#ifndef TESTS_BATCH_FIXTURE_H
#define TESTS_BATCH_FIXTURE_H

#include "core/batch.h"
#include "unit.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *names[] = {"a", "b"};
static struct tensor_spec input = {"rows", "FP64", 2, {-1, 2}};
static struct tensor_spec outputs[] = {
    {"p", "FP64", 2, {-1, 1}}, {"raw_score", "FP64", 2, {-1, 1}}, {"two", "FP64", 2, {-1, -1}}};
static struct manifest manifest = {.input_count = 1,
				   .inputs = &input,
				   .output_count = 2,
				   .outputs = outputs,
				   .feature_count = 2,
				   .feature_names = names,
				   .sha256 = "first"};

static atomic_int calls, failures_left, good_calls = 1000000;
static enum err_code failure;
static volatile sig_atomic_t stop;

/* p is a + b, `two` has a and b. A row with a = 666 is refused, and so are any rows with it. */
static int predict(void *context, size_t thread, struct batch_question *q, struct err *e)
{
	const double *cells = q->inputs[0].data;
	(void)context;
	(void)thread;
	if (atomic_fetch_add(&calls, 1) >= atomic_load(&good_calls))
		return err_set(e, failure, "gone");
	if (atomic_load(&failures_left) > 0 && atomic_fetch_sub(&failures_left, 1) > 0)
		return err_set(e, failure, "not now");
	for (size_t i = 0; i < q->rows; i++)
		if (cells[2 * i] == 666)
			return err_set(e, ERR_INPUT, "a is 666");
	q->outputs = arena_array(q->arena, q->output_count, sizeof *q->outputs);
	for (size_t o = 0; o < q->output_count; o++) {
		size_t width = strcmp(q->output_names[o], "two") == 0 ? 2 : 1;
		double *data = arena_array(q->arena, q->rows * width, sizeof *data);
		for (size_t i = 0; i < q->rows; i++)
			if (width == 2)
				memcpy(data + 2 * i, cells + 2 * i, 2 * sizeof *data);
			else
				data[i] = cells[2 * i] + cells[2 * i + 1];
		q->outputs[o] = (struct v2_named){
		    q->output_names[o], {DATATYPE_FP64, 2, {(int64_t)q->rows, (int64_t)width}, q->rows * width, data}};
	}
	return 0;
}

static const struct batch_calls batch_calls = {.predict = predict};
static char folder[] = "/tmp/mldeck-batch-XXXXXX";

static struct batch_options options_of(const char *in, const char *out)
{
	return (struct batch_options){.input = in,
				      .output = out,
				      .model = "m",
				      .asked_outputs = "",
				      .chunk_rows = 4,
				      .in_flight = 2,
				      .rejects_max = BATCH_NO_LIMIT,
				      .retry_ms = 60000,
				      .stop = &stop};
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The file's text in a buffer of its own, or "-" where there is none. */
static const char *get(const char *name)
{
	static char texts[4][65536];
	static size_t next;
	char *text = texts[next++ % 4];
	FILE *f = fopen(name, "r");
	if (f == NULL)
		return "-";
	text[fread(text, 1, 65535, f)] = '\0';
	fclose(f);
	return text;
}

static int run_version(const struct batch_options *o, uint32_t version, enum batch_outcome *outcome,
		       struct batch_progress *progress, struct err *e)
{
	struct batch *b;
	if (batch_open(o, &b, e) != 0)
		return -1;
	int result = batch_run(b, &manifest, version, &batch_calls, outcome, progress, e);
	batch_close(b);
	return result;
}

static struct batch_progress done(const struct batch_options *o)
{
	enum batch_outcome outcome;
	struct batch_progress progress;
	struct err e = {0};
	if (run_version(o, 1, &outcome, &progress, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(outcome, BATCH_DONE);
	return progress;
}

static void refused(const struct batch_options *o, enum err_code code, const char *sentence)
{
	enum batch_outcome outcome;
	struct batch_progress progress;
	struct err e = {0};
	assert_int_equal(run_version(o, 1, &outcome, &progress, &e), -1);
	assert_string_equal(e.text, sentence);
	assert_int_equal(e.code, code);
}

static void nothing_is_left(void)
{
	assert_string_equal(get("out.csv.part"), "-");
	assert_string_equal(get("out.csv.progress"), "-");
	assert_string_equal(get("out.csv.progress.new"), "-");
	assert_string_equal(get("out.csv.rejects.csv.part"), "-");
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int tear_down(void **state)
{
	static const char *const files[] = {"in.csv", "in.jsonl", "out.csv", "out.csv.rejects.csv"};
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(files[i]);
	return chdir("/") != 0 || rmdir(folder) != 0;
}

#endif
