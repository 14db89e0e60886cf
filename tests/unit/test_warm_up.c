/* Warming up: which rows are asked how often, and what is no answer. */
#include "core/clock.h"
#include "runtime/router/warm_up.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* An engine that does as it is told, and counts. */
struct told {
	size_t calls, rows;     /* of all calls */
	double refused, broken; /* the value of x that is refused, or fails */
	double not_a_number;    /* the value of x that is answered with NaN */
	bool short_answer;      /* several rows are answered with one */
	int pause_ms;
};

static int predict(void *model, struct inference *inference, struct err *e)
{
	struct told *t = model;
	const struct tensor *x = &inference->inputs[0];
	struct inference_output *y = &inference->outputs[0];
	int64_t shape[] = {t->short_answer ? 1 : x->shape[0], 1};

	t->calls++;
	t->rows += (size_t)x->shape[0];
	if (t->pause_ms > 0)
		clock_pause_ms(t->pause_ms);
	if (inference_reserve(inference, y, DATATYPE_FP64, shape, 2, e) != 0)
		return -1;
	for (size_t i = 0; i < x->count; i++) {
		double value = tensor_double(x, i);
		if (value == t->refused)
			return err_set(e, ERR_INPUT, "x may not be %g", value);
		if (value == t->broken)
			return err_set(e, ERR_SYSTEM, "it broke");
		if (i < y->tensor.count)
			((double *)y->tensor.data)[i] = value == t->not_a_number ? NAN : value;
	}
	return 0;
}

static const struct engine engine = {.name = "told", .predict = predict};
static struct tensor_spec input = {"x", "FP64", 2, {-1, 1}};
static struct tensor_spec output = {"y", "FP64", 2, {-1, 1}};

struct world {
	struct told told;
	struct served_version version;
	struct warm_up_rows rows;
	char finite[SAMPLE_ROWS_MAX + 1];
	struct err e;
};

static struct world world_of(enum warm_up_origin origin, const char *csv, const char *finite)
{
	struct world w = {.told = {.refused = NAN, .broken = NAN, .not_a_number = NAN},
			  .rows = {.origin = origin, .lender = 7}};
	w.version = (struct served_version){.version = 8, .engine = &engine};
	w.version.manifest =
	    (struct manifest){.input_count = 1, .inputs = &input, .output_count = 1, .outputs = &output};
	w.rows.samples.csv = csv == NULL ? NULL : strdup(csv);
	snprintf(w.rows.samples.finite, sizeof w.rows.samples.finite, "%s", finite);
	return w;
}

static int run(struct world *w, enum warm_up_depth depth)
{
	w->version.model = &w->told;
	return warm_up(&w->version, "m", &w->rows, depth, w->finite, &w->e);
}

static void every_row_is_asked_alone_and_with_the_others(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_OWN, "x\n1\n2\n3\n", "");
	assert_int_equal(run(&w, WARM_UP_LOAD), 0);
	/* Five times each alone, four times all at once. */
	assert_int_equal(w.told.calls, 5 * 3 + 4);
	assert_int_equal(w.told.rows, 5 * 3 + 4 * 3);
	assert_string_equal(w.finite, "111");
	w.told.calls = 0;
	assert_int_equal(run(&w, WARM_UP_CHECK), 0);
	assert_in_range(w.told.calls, 1, 3);
	sample_rows_release(&w.rows.samples);
}

static void a_failure_names_the_row(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_OWN, "x\n1\n2\n3\n", "");
	w.told.refused = 2;
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_int_equal(w.e.code, ERR_INPUT);
	assert_string_equal(w.e.text, "it does not answer row 2 of its sample rows: x may not be 2");
	w.rows.origin = WARM_UP_BORROWED;
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_string_equal(w.e.text, "it does not answer row 2 of the sample rows of v7: x may not be 2");
	w.told.refused = NAN;
	w.told.short_answer = true;
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_non_null(strstr(w.e.text, "all at once"));
	sample_rows_release(&w.rows.samples);
}

static void a_number_stays_one(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_OWN, "x\n1\n2\n3\n", "");
	w.told.not_a_number = 2;
	assert_int_equal(run(&w, WARM_UP_DEPLOY), 0);
	assert_string_equal(w.finite, "101");
	strcpy(w.rows.samples.finite, "101");
	assert_int_equal(run(&w, WARM_UP_LOAD), 0);
	strcpy(w.rows.samples.finite, "111");
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_non_null(strstr(w.e.text, "row 2 of its sample rows: its prediction is no finite number"));
	sample_rows_release(&w.rows.samples);
}

static void shapes_are_the_signatures(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_OWN, "x\n1\n", "");
	struct tensor_spec wide = {"y", "FP64", 2, {-1, 3}};
	w.version.manifest.outputs = &wide;
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_non_null(strstr(w.e.text, "output `y` has the shape [1, 1], and [-1, 3] in the signature"));
	sample_rows_release(&w.rows.samples);
}

static void a_made_up_row_may_be_refused(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_MADE_UP, NULL, "");
	assert_int_equal(run(&w, WARM_UP_LOAD), 0);
	assert_int_equal(w.told.calls, 5);
	w.told.refused = 0;
	assert_int_equal(run(&w, WARM_UP_LOAD), 0);
	w.told.refused = NAN;
	w.told.broken = 0;
	assert_int_equal(run(&w, WARM_UP_LOAD), -1);
	assert_string_equal(w.e.text, "it does not answer a made-up row: it broke");
}

static void rows_that_are_none_are_told(void **state)
{
	(void)state;
	static const char *const wrong[] = {"y\n1\n", "x\n", "x\nten\n", "", "x\n\"1\n"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct world w = world_of(WARM_UP_OWN, wrong[i], "");
		assert_int_equal(run(&w, WARM_UP_DEPLOY), -1);
		assert_int_equal(w.e.code, ERR_INPUT);
		assert_int_equal(strncmp(w.e.text, "sample rows: ", 13), 0);
		assert_int_equal(w.told.calls, 0);
		sample_rows_release(&w.rows.samples);
	}
}

static void a_slow_model_is_asked_less(void **state)
{
	(void)state;
	struct world w = world_of(WARM_UP_OWN, "x\n1\n2\n3\n", "");
	w.told.pause_ms = 5;
	assert_int_equal(run(&w, WARM_UP_CHECK), 0);
	assert_int_equal(w.told.calls, 1);
	assert_string_equal(w.finite, "100");
	sample_rows_release(&w.rows.samples);
}

static void the_first_rows_are_kept(void **state)
{
	(void)state;
	char csv[8192] = "x,note\n", *kept;
	for (int i = 0; i < SAMPLE_ROWS_MAX + 5; i++)
		snprintf(csv + strlen(csv), sizeof csv - strlen(csv), "%d,\"two\nlines\"\n", i);
	kept = warm_up_cut(csv);
	assert_int_equal(strncmp(csv, kept, strlen(kept)), 0);
	char end[32];
	snprintf(end, sizeof end, "%d,\"two\nlines\"\n", SAMPLE_ROWS_MAX - 1);
	assert_string_equal(kept + strlen(kept) - strlen(end), end);
	free(kept);
	kept = warm_up_cut("x\n1\n");
	assert_string_equal(kept, "x\n1\n");
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_asked_alone_and_with_the_others),
	    cmocka_unit_test(a_failure_names_the_row),
	    cmocka_unit_test(a_number_stays_one),
	    cmocka_unit_test(shapes_are_the_signatures),
	    cmocka_unit_test(a_made_up_row_may_be_refused),
	    cmocka_unit_test(rows_that_are_none_are_told),
	    cmocka_unit_test(a_slow_model_is_asked_less),
	    cmocka_unit_test(the_first_rows_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
