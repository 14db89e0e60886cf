/* Batches with a model of our own: order, rejects, halving, ends of every kind, and resuming wherever it was killed. */
#include "core/batch.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Every call that changes a file passes here: with die_at > 0, the process ends at the so many-th one, half of the
 * bytes written. These stand before the C library's for the whole program.
 */
static int die_at;

static void maybe_die(int fd, const void *data, size_t size)
{
	if (die_at > 0 && --die_at == 0) {
		if (size > 1)
			syscall(SYS_write, fd, data, size / 2);
		_exit(77);
	}
}

ssize_t write(int fd, const void *data, size_t size)
{
	maybe_die(fd, data, size);
	return syscall(SYS_write, fd, data, size);
}

int rename(const char *from, const char *to)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *name)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, name, 0);
}

int ftruncate(int fd, off_t size)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_ftruncate, fd, size);
}

int fdatasync(int fd)
{
	maybe_die(-1, NULL, 0);
	return (int)syscall(SYS_fdatasync, fd);
}

static char *names[] = {"a", "b"};
static struct tensor_spec input = {"rows", "FP64", 2, {-1, 2}};
static struct tensor_spec outputs[] = {{"p", "FP64", 2, {-1, 1}}, {"raw_score", "FP64", 2, {-1, 1}},
				       {"two", "FP64", 2, {-1, -1}}};
static struct manifest manifest = {.input_count = 1,
				   .inputs = &input,
				   .output_count = 2,
				   .outputs = outputs,
				   .feature_count = 2,
				   .feature_names = names,
				   .sha256 = "first"};

static atomic_int calls, failures_left;
static enum err_code failure;
static volatile sig_atomic_t stop;

/* p is a + b, `two` has a and b. A row with a = 666 is refused, and so are any rows with it. */
static int predict(void *context, size_t thread, struct batch_question *q, struct err *e)
{
	const double *cells = q->inputs[0].data;
	(void)context;
	(void)thread;
	atomic_fetch_add(&calls, 1);
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
			q->output_names[o],
			{DATATYPE_FP64, 2, {(int64_t)q->rows, (int64_t)width}, q->rows * width, data}};
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

#define ROWS                                                                                                  \
	"id,a,b\nr1,1,2\nr2,666,1\nr3,x,1\n\nr4,3\n\"r\n5\",1e-5,\n\"r6\"6,1,1\nr7,1,1\nr8,666,2\nr9,9,9"

static void rows_keep_their_order(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put("in.csv", ROWS);
	put("out.csv", "old");
	struct batch_progress p = done(&o);
	assert_int_equal(p.rows, 9);
	assert_int_equal(p.rejected, 5);
	assert_string_equal(get("out.csv"), "p\n3\n\"\"\n\"\"\n\"\"\nNaN\n\"\"\n2\n\"\"\n18\n");
	assert_string_equal(get("out.csv.rejects.csv"), "line,row,column,reason\n3,2,,a is 666\n"
							"4,3,a,`x` is not a number\n"
							"6,4,,\"it has 2 fields, the header 3\"\n"
							"9,6,,field 1 goes on behind its closing quote\n"
							"11,8,,a is 666\n");
	nothing_is_left();
	/* Without rejects those of before are gone. */
	put("in.csv", "b,a\n1,2\n");
	done(&o);
	assert_string_equal(get("out.csv"), "p\n3\n");
	assert_string_equal(get("out.csv.rejects.csv"), "-");
}

static void columns_are_kept(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put("in.csv", ROWS);
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	o.asked_outputs = "two,p";
	manifest.output_count = 3;
	done(&o);
	assert_string_equal(get("out.csv"), "id,two_0,two_1,p\nr1,1,2,3\nr2,,,\nr3,,,\nr4,,,\n"
					    "\"r\n5\",0.00001,NaN,NaN\n,,,\nr7,1,1,2\nr8,,,\nr9,9,9,18\n");
	o.output_format = ROWS_JSON;
	o.keep = (struct rows_keep){.all = true};
	done(&o);
	manifest.output_count = 2;
	assert_string_equal(get("out.csv"),
			    "{\"id\":\"r1\",\"a\":1,\"b\":2,\"two\":[1,2],\"p\":3}\n"
			    "{\"id\":\"r2\",\"a\":666,\"b\":1,\"two\":null,\"p\":null}\n"
			    "{\"id\":\"r3\",\"a\":\"x\",\"b\":1,\"two\":null,\"p\":null}\n"
			    "{\"id\":\"r4\",\"a\":3,\"b\":null,\"two\":null,\"p\":null}\n"
			    "{\"id\":\"r\\n5\",\"a\":1e-5,\"b\":null,\"two\":[0.00001,null],\"p\":null}\n"
			    "{\"id\":null,\"a\":null,\"b\":null,\"two\":null,\"p\":null}\n"
			    "{\"id\":\"r7\",\"a\":1,\"b\":1,\"two\":[1,1],\"p\":2}\n"
			    "{\"id\":\"r8\",\"a\":666,\"b\":2,\"two\":null,\"p\":null}\n"
			    "{\"id\":\"r9\",\"a\":9,\"b\":9,\"two\":[9,9],\"p\":18}\n");
	put("in.csv", "a,b,p\n1,2,3\n");
	o.output_format = ROWS_CSV;
	o.asked_outputs = "";
	refused(&o, ERR_INPUT,
		"the input's column `p` is to be kept and has the name of an output; keep others by their names: "
		"--keep A,B");
	nothing_is_left();
	/* In JSON lines the output's value takes the kept one's place. */
	o.output_format = ROWS_JSON;
	done(&o);
	assert_string_equal(get("out.csv"), "{\"a\":1,\"b\":2,\"p\":3}\n");
}

static void json_lines_are_predicted(void **state)
{
	struct batch_options o = options_of("in.jsonl", "out.csv");
	(void)state;
	put("in.jsonl", "{\"a\":1,\"b\":2,\"id\":\"x\"}\n[3,4]\n{\"a\":1\n{\"a\":666,\"b\":0,\"id\":7}\n");
	o.input_format = o.output_format = ROWS_JSON;
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	done(&o);
	assert_string_equal(get("out.csv"), "{\"id\":\"x\",\"p\":3}\n{\"id\":null,\"p\":7}\n{\"id\":null,\"p\":null}\n"
					    "{\"id\":7,\"p\":null}\n");
	assert_string_equal(get("out.csv.rejects.csv"),
			    "line,row,column,reason\n3,3,,\"it is not valid JSON: expected `,` or `}` at byte 7\"\n"
			    "4,4,,a is 666\n");
	o.output_format = ROWS_CSV;
	o.keep = (struct rows_keep){.all = true};
	refused(&o, ERR_USAGE,
		"--keep all of JSON lines needs an output of JSON lines; name the fields for CSV: --keep A,B");
	put("in.jsonl", "");
	o.keep = (struct rows_keep){0};
	assert_int_equal(done(&o).rows, 0);
	assert_string_equal(get("out.csv"), "p\n");
}

static void a_bad_row_is_found_by_halving(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	FILE *f = fopen("in.csv", "w");
	(void)state;
	fputs("a,b\n", f);
	for (int i = 0; i < 1024; i++)
		fprintf(f, "%d,0\n", i == 700 ? 666 : i == 666 ? 0 : i);
	fclose(f);
	o.chunk_rows = 1024;
	calls = 0;
	assert_int_equal(done(&o).rejected, 1);
	assert_true(calls <= 21);
	assert_string_equal(get("out.csv.rejects.csv"), "line,row,column,reason\n702,701,,a is 666\n");
}

static void ends_are_clear(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	unlink("out.csv");
	put("in.csv", "");
	refused(&o, ERR_INPUT, "in.csv is empty; its first line is to name the columns");
	put("in.csv", "\n\n");
	refused(&o, ERR_INPUT, "in.csv is empty; its first line is to name the columns");
	put("in.csv", "a\n1\n");
	refused(&o, ERR_INPUT,
		"the rows have no column `b`, which the model needs (the first line names the columns)");
	put("in.csv", "a,b\n1,1\n\"1,1\n1,1\n");
	refused(&o, ERR_INPUT, "line 3 has a quote that is not closed");
	put("in.csv", "a,b\n666,1\n666,1\n666,1\n666,1\n1,1\n");
	refused(&o, ERR_INPUT, "none of the first 4 rows can be predicted; line 2: a is 666");
	o.rejects_max = 3;
	refused(&o, ERR_INPUT, "more than 3 rows cannot be predicted; line 2: a is 666");
	assert_string_equal(get("out.csv.rejects.csv"), "line,row,column,reason\n2,1,,a is 666\n3,2,,a is 666\n"
							"4,3,,a is 666\n5,4,,a is 666\n");
	nothing_is_left();
	assert_string_equal(get("out.csv"), "-");
	o.rejects_max = 4;
	assert_int_equal(done(&o).rejected, 4);
	put("in.csv", "a,b\r\n");
	assert_int_equal(done(&o).rows, 0);
	assert_string_equal(get("out.csv"), "p\n");
	put("in.csv", "a,b\n1,2");
	assert_int_equal(done(&o).rows, 1);
	o.asked_outputs = "nothing";
	refused(&o, ERR_INPUT, "v1 of m has no output `nothing`");
	o = options_of("in.csv", "in.csv");
	refused(&o, ERR_INPUT, "in.csv would overwrite the input itself; name another --output");
	o = options_of("none.csv", "out.csv");
	refused(&o, ERR_NOT_FOUND, "none.csv cannot be opened: No such file or directory");
	o = options_of(".", "out.csv");
	refused(&o, ERR_INPUT, ". is a directory; --input takes a file of rows");
	o = options_of("in.csv", "none/out.csv");
	refused(&o, ERR_NOT_FOUND, "none/out.csv.part cannot be written: No such file or directory");
	o = options_of("in.csv", ".");
	refused(&o, ERR_INPUT, ". is no regular file; --output takes a file's name, or - for standard output");
	nothing_is_left();
}

static void one_run_writes_an_output(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	struct batch *first;
	struct err e;
	(void)state;
	put("in.csv", "a,b\n1,2\n");
	assert_int_equal(batch_open(&o, &first, &e), 0);
	refused(&o, ERR_CONFLICT, "another run is writing out.csv; wait for it, or name another --output");
	batch_close(first);
	nothing_is_left();
	done(&o);
}

static void a_model_that_is_away_is_asked_again(void **state)
{
	static const enum err_code passing[] = {ERR_BUSY, ERR_UNREACHABLE, ERR_UPSTREAM, ERR_TIMEOUT};
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	(void)state;
	put("in.csv", "a,b\n1,2\n3,4\n");
	for (size_t i = 0; i < 4; i++) {
		failure = passing[i];
		failures_left = 2;
		assert_int_equal(done(&o).rejected, 0);
		assert_string_equal(get("out.csv"), "p\n3\n7\n");
	}
	/* It does not come back: the run ends, and can go on later. */
	o.retry_ms = 1;
	failure = ERR_UNREACHABLE;
	failures_left = 1000000;
	assert_int_equal(run_version(&o, 1, &outcome, &p, &e), -1);
	assert_int_equal(e.code, ERR_UNREACHABLE);
	assert_string_not_equal(get("out.csv.progress"), "-");
	failures_left = 0;
	assert_int_equal(done(&o).rows, 2);
	nothing_is_left();
}

#define MANY 40

static void put_many(void)
{
	FILE *f = fopen("in.csv", "w");
	fputs("id,a,b\n", f);
	for (int i = 0; i < MANY; i++)
		fprintf(f, i % 9 == 4 ? "row %d,x,1\n" : i % 11 == 5 ? "row %d,666,1\n" : "row %d,1,2\n", i);
	fclose(f);
}

static void a_stopped_run_goes_on(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	struct batch_progress p;
	enum batch_outcome outcome;
	struct err e;
	(void)state;
	put_many();
	done(&o);
	char *expected = strdup(get("out.csv")), *rejects = strdup(get("out.csv.rejects.csv"));
	put("out.csv", "old");
	stop = 1;
	assert_int_equal(run_version(&o, 1, &outcome, &p, &e), 0);
	assert_int_equal(outcome, BATCH_STOPPED);
	assert_string_equal(get("out.csv"), "old");
	stop = 0;
	assert_int_equal(done(&o).rows, MANY);
	assert_string_equal(get("out.csv"), expected);
	assert_string_equal(get("out.csv.rejects.csv"), rejects);
	nothing_is_left();
	free(expected);
	free(rejects);
}

/* A run that ends in the middle, with its progress. */
static void leave_half(const struct batch_options *o)
{
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	put_many();
	failure = ERR_DENIED;
	struct batch_options half = *o;
	half.in_flight = 1;
	failures_left = 0;
	calls = 0;
	/* The disk is full before all is written. */
	struct rlimit limit = {60, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	pid_t child = fork();
	if (child == 0) {
		/* The progress is longer than the limit, so it is lifted for the first one. */
		stop = 1;
		if (run_version(&half, 1, &outcome, &p, &e) != 0)
			_exit(1);
		stop = 0;
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(run_version(&half, 1, &outcome, &p, &e) == -1 && e.code == ERR_DISK_FULL ? 0 : 2);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_not_equal(get("out.csv.progress"), "-");
}

static void another_run_is_not_continued(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct err e;
	struct batch *b;
	(void)state;
	leave_half(&o);
	assert_int_equal(batch_open(&o, &b, &e), 0);
	assert_int_equal(batch_version(b), 1);
	batch_close(b);
	assert_int_equal(run_version(&o, 2, &outcome, &p, &e), -1);
	assert_string_equal(e.text, "out.csv was begun with v1; go on with --version 1, or add --restart to start over "
				    "with v2");
	manifest.sha256[0] = 'F';
	refused(&o, ERR_CONFLICT,
		"v1 of m is another file than when out.csv was begun; add --restart to start over");
	manifest.sha256[0] = 'f';
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	assert_int_equal(run_version(&o, 1, &outcome, &p, &e), -1);
	assert_non_null(strstr(e.text, "out.csv was begun by a run of something else (m; csv to csv; outputs ; keep"));
	o.keep = (struct rows_keep){0};
	FILE *f = fopen("in.csv", "a");
	fputs("row,1,1\n", f);
	fclose(f);
	refused(&o, ERR_CONFLICT,
		"in.csv has changed since out.csv was begun; add --restart to start over, or name another --output");
	o.restart = true;
	assert_int_equal(done(&o).rows, MANY + 1);
	nothing_is_left();
	put("out.csv.progress", "{");
	o.restart = false;
	refused(&o, ERR_CONFLICT,
		"out.csv.progress is no progress of a run (it is no JSON); add --restart to start over");
	unlink("out.csv.progress");
	unlink("out.csv.part");
}

static void a_full_disk_is_waited_out(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put_many();
	done(&o);
	char *expected = strdup(get("out.csv"));
	leave_half(&o);
	done(&o);
	assert_string_equal(get("out.csv"), expected);
	nothing_is_left();
	free(expected);
}

/* Runs in a child that dies at the so many-th change of a file; false when it came to its end before. */
static bool dies(const struct batch_options *o, int at)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		enum batch_outcome outcome;
		struct batch_progress p;
		struct err e = {0};
		die_at = at;
		int result = run_version(o, 1, &outcome, &p, &e);
		die_at = 0;
		if (result != 0)
			fprintf(stderr, "%s\n", e.text);
		_exit(result != 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 77;
}

static void a_killed_run_goes_on_anywhere(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	put_many();
	o.keep = (struct rows_keep){.count = 1, .names = {"id"}};
	done(&o);
	char *expected = strdup(get("out.csv")), *rejects = strdup(get("out.csv.rejects.csv"));
	int at = 1;
	/* checkpoint_ms is 0: the progress is written after every chunk. */
	for (bool died = true; died; at++) {
		unlink("out.csv");
		unlink("out.csv.rejects.csv");
		died = dies(&o, at);
		const char *half = get("out.csv");
		assert_true(strcmp(half, "-") == 0 || strcmp(half, expected) == 0);
		/* The second one is killed soon as well. */
		if (died && dies(&o, 1 + at % 7))
			done(&o);
		assert_string_equal(get("out.csv"), expected);
		assert_string_equal(get("out.csv.rejects.csv"), rejects);
		nothing_is_left();
	}
	assert_true(at > 60);
	free(expected);
	free(rejects);
}

static void input_that_grows_is_read_to_its_first_end(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct batch *b;
	struct err e;
	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		put("in.csv", whole ? "a,b\n1,2\n" : "a,b\n1,2");
		assert_int_equal(batch_open(&o, &b, &e), 0);
		FILE *f = fopen("in.csv", "a");
		fputs("5,5\n", f);
		fclose(f);
		int result = batch_run(b, &manifest, 1, &batch_calls, &outcome, &p, &e);
		batch_close(b);
		assert_int_equal(result, whole ? 0 : -1);
		if (whole)
			assert_string_equal(get("out.csv"), "p\n3\n");
		else
			assert_string_equal(e.text, "in.csv is still being written to: its last row was not whole; run "
						    "it again when it is complete");
		nothing_is_left();
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_keep_their_order),
		cmocka_unit_test(columns_are_kept),
		cmocka_unit_test(json_lines_are_predicted),
		cmocka_unit_test(a_bad_row_is_found_by_halving),
		cmocka_unit_test(ends_are_clear),
		cmocka_unit_test(one_run_writes_an_output),
		cmocka_unit_test(a_model_that_is_away_is_asked_again),
		cmocka_unit_test(a_stopped_run_goes_on),
		cmocka_unit_test(another_run_is_not_continued),
		cmocka_unit_test(a_full_disk_is_waited_out),
		cmocka_unit_test(a_killed_run_goes_on_anywhere),
		cmocka_unit_test(input_that_grows_is_read_to_its_first_end),
	};
	return cmocka_run_group_tests_name("batch", tests, set_up, tear_down);
}
