/* Batches with a model of our own: order, rejects, halving, what is kept, and ends of every kind. */
#include "batch_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ROWS "id,a,b\nr1,1,2\nr2,666,1\nr3,x,1\n\nr4,3\n\"r\n5\",1e-5,\n\"r6\"6,1,1\nr7,1,1\nr8,666,2\nr9,9,9"

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
	refused(&o, ERR_INPUT, "the rows have no column `b`, which the model needs (the first line names the columns)");
	put("in.csv", "a,b\n1,1\n\"1,1\n1,1\n");
	refused(&o, ERR_INPUT, "line 3 has a quote that is not closed");
	put("in.csv", "a,b\n666,1\n666,1\n666,1\n666,1\n1,1\n");
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
	o.asked_outputs = "p,raw_score,p";
	refused(&o, ERR_INPUT, "--outputs names `p` twice");
	o.asked_outputs = "nothing";
	refused(&o, ERR_INPUT, "v1 of m has no output `nothing`; it has `p`, `raw_score`");
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

static void put_rows(const char *name, const char *row, int count, const char *last)
{
	FILE *f = fopen(name, "w");
	assert_non_null(f);
	fputs("a,b\n", f);
	while (count-- > 0)
		fputs(row, f);
	fputs(last, f);
	fclose(f);
}

/* However few rows are asked for at a time. */
static void a_bad_start_is_no_end(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	(void)state;
	for (o.chunk_rows = 1; o.chunk_rows <= 4; o.chunk_rows *= 2) {
		put_rows("in.csv", "666,1\n", 99, "1,1\n");
		assert_int_equal(done(&o).rejected, 99);
		put_rows("in.csv", "666,1\n", 100, "1,1\n");
		refused(&o, ERR_INPUT,
			o.chunk_rows == 1   ? "none of the first 100 rows can be predicted; line 101: a is 666"
			: o.chunk_rows == 2 ? "none of the first 100 rows can be predicted; line 100: a is 666"
					    : "none of the first 100 rows can be predicted; line 98: a is 666");
		nothing_is_left();
	}
	/* Columns that only an answer tells have to be known for the header. */
	o.chunk_rows = 1;
	o.asked_outputs = "two";
	manifest.output_count = 3;
	refused(&o, ERR_INPUT, "the first row cannot be predicted; line 2: a is 666");
	o.output_format = ROWS_JSON;
	put_rows("in.csv", "666,1\n", 2, "1,1\n");
	assert_int_equal(done(&o).rejected, 2);
	assert_string_equal(get("out.csv"), "{\"two\":null}\n{\"two\":null}\n{\"two\":[1,1]}\n");
	manifest.output_count = 2;
}

static void rejects_have_a_file_of_their_own(void **state)
{
	static const char *const taken[][2] = {
	    {"./out.csv", "out.csv"},
	    {"out.csv.part", "out.csv.part"},
	    {"out.csv.progress", "out.csv.progress"},
	    {"out.csv.progress.new", "out.csv.progress.new"},
	};
	struct batch_options o = options_of("in.csv", "out.csv");
	char sentence[128];
	(void)state;
	unlink("out.csv");
	put("in.csv", "a,b\n666,2\n1,2\n");
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		o.rejects = taken[i][0];
		snprintf(sentence, sizeof sentence, "the rejects would overwrite %s; name another --rejects",
			 taken[i][1]);
		refused(&o, ERR_INPUT, sentence);
		nothing_is_left();
	}
	o.rejects = "none/r.csv";
	refused(&o, ERR_NOT_FOUND, "none/r.csv cannot be written: No such file or directory");
	mkfifo("pipe", 0600);
	o.rejects = "pipe";
	refused(&o, ERR_INPUT, "pipe is no regular file; --rejects takes a file's name");
	o.output = "-";
	refused(&o, ERR_INPUT, "pipe is no regular file; --rejects takes a file's name");
	o = options_of("in.csv", "a.part");
	o.rejects = "a";
	refused(&o, ERR_INPUT, "the rejects would overwrite a.part; name another --rejects");
	nothing_is_left();
	unlink("pipe");
}

/* Two runs that name one file for them, one of which has written to it. */
static void rejects_of_another_run_stay(void **state)
{
	struct batch_options o = options_of("in.csv", "out.csv");
	const char *rejects = "line,row,column,reason\n2,1,,a is 666\n";
	(void)state;
	put("in.csv", "a,b\n666,2\n1,2\n");
	put("out.csv.rejects.csv.part", rejects);
	int fd = open("out.csv.rejects.csv.part", O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	refused(&o, ERR_CONFLICT, "another run is writing out.csv.rejects.csv; wait for it, or name another --rejects");
	assert_string_equal(get("out.csv.rejects.csv.part"), rejects);
	close(fd);
	assert_int_equal(done(&o).rejected, 1);
	assert_string_equal(get("out.csv.rejects.csv"), rejects);
	nothing_is_left();
}

/* Somebody else's links and pipes where the run's own files go. */
static void what_is_not_ours_is_not_touched(void **state)
{
	static const char *const ours[] = {"out.csv.part", "out.csv.progress.new", "out.csv.rejects.csv.part"};
	struct batch_options o = options_of("in.csv", "out.csv");
	char sentence[128];
	(void)state;
	put("in.csv", "a,b\n666,2\n1,2\n");
	put("precious", "kept\n");
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		assert_int_equal(symlink("precious", ours[i]), 0);
		snprintf(sentence, sizeof sentence, "%s cannot be written: Too many levels of symbolic links", ours[i]);
		refused(&o, ERR_SYSTEM, sentence);
		assert_string_equal(get("precious"), "kept\n");
		assert_int_equal(unlink(ours[i]), 0);
		nothing_is_left();
	}
	assert_int_equal(mkfifo("out.csv.progress", 0600), 0);
	refused(&o, ERR_CONFLICT,
		"out.csv.progress is no progress of a run (it is no JSON); add --restart to start over");
	unlink("out.csv.progress");
	unlink("precious");
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
	/* Whose file stays. */
	assert_string_equal(get("out.csv.part"), "");
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
	o.retry_ms = o.chunk_rows = o.in_flight = 1;
	failure = ERR_UNREACHABLE;
	for (good_calls = 0; good_calls < 2; good_calls++) {
		calls = 0;
		assert_int_equal(run_version(&o, 1, &outcome, &p, &e), -1);
		assert_int_equal(e.code, ERR_UNREACHABLE);
		/* Without a row there is nothing to go on with. */
		assert_int_equal(strcmp(get("out.csv.progress"), "-") != 0, good_calls);
	}
	good_calls = 1000000;
	assert_int_equal(done(&o).resumed_rows, 1);
	assert_string_equal(get("out.csv"), "p\n3\n7\n");
	nothing_is_left();
}

static atomic_int calls_behind;

/* Away; counts who asks for the second row. */
static int be_away(void *context, size_t thread, struct batch_question *q, struct err *e)
{
	(void)context;
	(void)thread;
	if (((const double *)q->inputs[0].data)[0] == 3)
		atomic_fetch_add(&calls_behind, 1);
	return err_set(e, ERR_UNREACHABLE, "gone");
}

static void a_failed_run_asks_no_more(void **state)
{
	static const struct batch_calls away = {.predict = be_away};
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct batch *b;
	struct err e;
	(void)state;
	put("in.csv", "a,b\n1,2\n3,4\n");
	o.chunk_rows = o.in_flight = 1;
	o.retry_ms = 2000;
	assert_int_equal(batch_open(&o, &b, &e), 0);
	assert_int_equal(batch_run(b, &manifest, 1, &away, &outcome, &p, &e), -1);
	batch_close(b);
	assert_true(atomic_load(&calls_behind) <= 2);
	nothing_is_left();
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

static atomic_int ticks;

static bool count_tick(void *context, const struct batch_progress *progress)
{
	(void)context;
	(void)progress;
	atomic_fetch_add(&ticks, 1);
	return true;
}

/* Answers once the caller has looked at its progress some times. */
static int predict_late(void *context, size_t thread, struct batch_question *q, struct err *e)
{
	int64_t deadline_ms = clock_ms() + 10000;
	while (atomic_load(&ticks) < 4 && clock_ms() < deadline_ms)
		clock_pause_ms(1);
	return predict(context, thread, q, e);
}

static uint64_t processor_ns(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void waiting_for_an_answer_takes_no_processor(void **state)
{
	const struct batch_calls slow = {.predict = predict_late, .tick = count_tick};
	struct batch_options o = options_of("in.csv", "out.csv");
	enum batch_outcome outcome;
	struct batch_progress p;
	struct batch *b;
	struct err e;
	(void)state;
	put("in.csv", "a,b\n1,2\n");
	assert_int_equal(batch_open(&o, &b, &e), 0);
	uint64_t start_ns = clock_ns(), start_used_ns = processor_ns();
	assert_int_equal(batch_run(b, &manifest, 1, &slow, &outcome, &p, &e), 0);
	assert_true(processor_ns() - start_used_ns < (clock_ns() - start_ns) / 2);
	batch_close(b);
	assert_true(atomic_load(&ticks) >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_keep_their_order),
	    cmocka_unit_test(columns_are_kept),
	    cmocka_unit_test(json_lines_are_predicted),
	    cmocka_unit_test(a_bad_row_is_found_by_halving),
	    cmocka_unit_test(ends_are_clear),
	    cmocka_unit_test(a_bad_start_is_no_end),
	    cmocka_unit_test(rejects_have_a_file_of_their_own),
	    cmocka_unit_test(rejects_of_another_run_stay),
	    cmocka_unit_test(what_is_not_ours_is_not_touched),
	    cmocka_unit_test(one_run_writes_an_output),
	    cmocka_unit_test(a_model_that_is_away_is_asked_again),
	    cmocka_unit_test(a_failed_run_asks_no_more),
	    cmocka_unit_test(input_that_grows_is_read_to_its_first_end),
	    cmocka_unit_test(waiting_for_an_answer_takes_no_processor),
	};
	return cmocka_run_group_tests_name("batch", tests, set_up, tear_down);
}
