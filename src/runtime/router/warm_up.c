#include "runtime/router/warm_up.h"

#include "core/clock.h"
#include "core/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond it a made-up input is more than a check is worth. */
#define MADE_UP_BYTES_MAX ((size_t)64 << 20)

/* One version that is being asked. */
struct drill {
	const struct served_version *v;
	const char *model;
	const struct warm_up_rows *rows;
	struct arena *arena; /* of one answer */
	int64_t until_ms;
};

static const struct {
	int limit_ms, passes;
} depths[] = {
#define X(name, limit_ms, passes) {limit_ms, passes},
    WARM_UP_DEPTHS(X)
#undef X
};

/* --- whose rows --- */

uint32_t warm_up_lender(const struct served_model *m, const struct served_version *v)
{
	const struct served_version *live = m == NULL ? NULL : served_model_find(m, route_live(&m->route));
	char difference[MANIFEST_DIFFERENCE_SIZE];
	if (live == NULL || live->version == v->version || !served_version_same_inputs(live, v, difference))
		return 0;
	return live->version;
}

int warm_up_find(struct registry *registry, const char *model, uint32_t version, uint32_t lender,
		 struct warm_up_rows *rows, struct err *e)
{
	*rows = (struct warm_up_rows){.origin = WARM_UP_OWN};
	if (version != 0 && registry_samples(registry, model, version, &rows->samples, e) != 0)
		return -1;
	if (rows->samples.csv != NULL)
		return 0;
	rows->origin = WARM_UP_BORROWED;
	rows->lender = lender;
	if (lender != 0 && registry_samples(registry, model, lender, &rows->samples, e) != 0)
		return -1;
	if (rows->samples.csv == NULL)
		rows->origin = WARM_UP_MADE_UP;
	return 0;
}

char *warm_up_cut(const char *csv)
{
	struct csv records;
	size_t size = strlen(csv);

	csv_init(&records);
	if (csv_feed(&records, csv, size, true, NULL) == 0) {
		/* The header is a record too. What is no CSV is told when the rows are read. */
		size_t count = 0;
		while (count <= SAMPLE_ROWS_MAX && csv_next(&records, NULL) == CSV_RECORD)
			count++;
		if (count > SAMPLE_ROWS_MAX)
			size = (size_t)records.offset;
	}
	csv_release(&records);
	return strndup(csv, size);
}

/* --- one answer --- */

static int check_shapes(const struct inference *inference, struct err *e)
{
	for (size_t i = 0; i < inference->output_count; i++) {
		const struct tensor_spec *spec = &inference->manifest->outputs[inference->outputs[i].spec];
		const struct tensor *t = &inference->outputs[i].tensor;
		char got[TENSOR_SHAPE_SIZE], declared[TENSOR_SHAPE_SIZE];

		if (tensor_spec_fits(spec, t->shape, t->rank))
			continue;
		tensor_shape_text(t->shape, t->rank, got);
		tensor_shape_text(spec->dimensions, spec->dimension_count, declared);
		return err_set(e, ERR_SYSTEM, "output `%s` has the shape %s, and %s in the signature", spec->name, got,
			       declared);
	}
	return 0;
}

/* values gets what is counted of each row of the answer; NULL where nothing is. */
static int answer(const struct drill *d, const struct tensor *inputs, const double **values, size_t *count,
		  struct err *e)
{
	const struct served_version *v = d->v;
	struct inference inference;

	*values = NULL;
	*count = 0;
	if (inference_begin(&inference, &v->manifest, d->arena, e) != 0)
		return -1;
	memcpy(inference.inputs, inputs, v->manifest.input_count * sizeof *inputs);
	inference_want_default(&inference, v->engine);
	if (v->kind.output != PREDICTION_NONE)
		inference_want(&inference, v->kind.output);
	if (engine_predict(v->engine, v->model, &inference, e) != 0 || check_shapes(&inference, e) != 0)
		return -1;
	*values = prediction_values(&v->kind, &inference, count);
	return 0;
}

static int refuse(const struct drill *d, const char *which, struct err *e)
{
	char whose[64] = "its sample rows";
	if (d->rows->origin == WARM_UP_BORROWED)
		snprintf(whose, sizeof whose, "the sample rows of v%u", d->rows->lender);
	if (d->rows->origin == WARM_UP_MADE_UP)
		return err_set(e, e->code, "it does not answer a made-up row: %s", e->text);
	return err_set(e, e->code, "it does not answer %s of %s: %s", which, whose, e->text);
}

/* --- rows of CSV --- */

static int ask_row(const struct drill *d, const struct columns_rows *rows, size_t row, bool number_expected,
		   bool *finite, struct err *e)
{
	struct tensor *inputs = arena_array(d->arena, d->v->manifest.input_count + 1, sizeof *inputs);
	const double *values;
	size_t count;
	char which[32];
	int result = 0;

	snprintf(which, sizeof which, "row %zu", row + 1);
	if (inputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while warming up %s", d->model);
	columns_rows_tensors(rows, row, 1, inputs);
	result = answer(d, inputs, &values, &count, e);
	*finite = result == 0 && count > 0 && isfinite(values[0]);
	if (result == 0 && number_expected && !*finite)
		result = err_set(e, ERR_SYSTEM, "its prediction is no finite number, and was one at the deploy");
	arena_reset(d->arena);
	return result == 0 ? 0 : refuse(d, which, e);
}

static int ask_each(const struct drill *d, const struct columns_rows *rows, char *finite, struct err *e)
{
	const char *expected = d->rows->samples.finite;
	size_t expected_count = strlen(expected);

	for (size_t row = 0; row < rows->count && (row == 0 || clock_ms() < d->until_ms); row++) {
		bool number, number_expected = row < expected_count && expected[row] == '1';
		if (ask_row(d, rows, row, number_expected, &number, e) != 0)
			return -1;
		if (finite != NULL)
			finite[row] = number ? '1' : '0';
	}
	return 0;
}

static int ask_all(const struct drill *d, const struct columns_rows *rows, struct err *e)
{
	struct tensor *inputs = arena_array(d->arena, d->v->manifest.input_count + 1, sizeof *inputs);
	const double *values;
	size_t count;

	if (inputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while warming up %s", d->model);
	columns_rows_tensors(rows, 0, rows->count, inputs);
	int result = answer(d, inputs, &values, &count, e);
	if (result == 0 && values != NULL && d->v->engine->start == NULL && count != rows->count)
		result = err_set(e, ERR_SYSTEM, "%zu rows are answered with %zu", rows->count, count);
	arena_reset(d->arena);
	return result == 0 ? 0 : refuse(d, "all at once", e);
}

static int ask_rows(const struct drill *d, const struct columns_rows *rows, int passes, char *finite, struct err *e)
{
	if (finite != NULL)
		memset(finite, '0', rows->count);
	if (ask_each(d, rows, finite, e) != 0)
		return -1;
	/* Another server has its own way of being warm, and may be paid by the request. */
	if (d->v->engine->start != NULL)
		return 0;
	for (int pass = 1; pass < passes && clock_ms() < d->until_ms; pass++)
		if ((rows->count <= rows->columns->row_max && ask_all(d, rows, e) != 0) ||
		    ask_each(d, rows, NULL, e) != 0)
			return -1;
	return 0;
}

static int ask_csv(const struct drill *d, int passes, char *finite, struct err *e)
{
	const char *csv = d->rows->samples.csv;
	struct columns *columns = columns_new(&d->v->manifest, d->model, e);
	struct columns_rows rows;
	struct arena arena = {0};
	int result = -1;

	if (columns == NULL)
		return err_set(e, e->code, "sample rows: %s", e->text);
	if (columns_rows_init(&rows, columns, &arena, SAMPLE_ROWS_MAX, e) != 0)
		goto out;
	if (rows_read(csv, strlen(csv), ROWS_CSV, &rows, e) != 0)
		err_set(e, e->code, "sample rows: %s", e->text);
	else
		result = ask_rows(d, &rows, passes, finite, e);
out:
	arena_release(&arena);
	columns_free(columns);
	return result;
}

/* --- a made-up row --- */

/* Zeros and empty strings; a dimension of any size is 1. False when it would be too large. */
static bool make_input(struct tensor *t, const struct tensor_spec *spec, struct arena *arena)
{
	t->datatype = tensor_spec_type(spec);
	t->rank = spec->dimension_count;
	for (size_t i = 0; i < t->rank; i++)
		t->shape[i] = spec->dimensions[i] < 0 ? 1 : spec->dimensions[i];
	if (t->datatype == DATATYPE_COUNT || !tensor_count(t->shape, t->rank, &t->count) ||
	    t->count > MADE_UP_BYTES_MAX / datatype_size(t->datatype))
		return false;
	t->data = arena_array(arena, t->count + 1, datatype_size(t->datatype));
	if (t->data == NULL)
		return false;
	memset(t->data, 0, t->count * datatype_size(t->datatype));
	if (datatype_kind(t->datatype) == KIND_BYTES)
		for (size_t i = 0; i < t->count; i++)
			((struct bytes *)t->data)[i].data = "";
	return true;
}

static int ask_made_up(const struct drill *d, int passes, struct err *e)
{
	const struct manifest *m = &d->v->manifest;

	for (int pass = 0; pass < passes && (pass == 0 || clock_ms() < d->until_ms); pass++) {
		struct tensor *inputs = arena_array(d->arena, m->input_count + 1, sizeof *inputs);
		const double *values;
		size_t count;
		bool whole = inputs != NULL;

		for (size_t i = 0; whole && i < m->input_count; i++)
			whole = make_input(&inputs[i], &m->inputs[i], d->arena);
		int result = whole ? answer(d, inputs, &values, &count, e) : 0;
		arena_reset(d->arena);
		if (result != 0 && e->code == ERR_INPUT)
			return 0;
		if (result != 0)
			return refuse(d, "", e);
		if (d->v->engine->start != NULL)
			break;
	}
	return 0;
}

int warm_up(const struct served_version *v, const char *model, const struct warm_up_rows *rows,
	    enum warm_up_depth depth, char finite[SAMPLE_ROWS_MAX + 1], struct err *e)
{
	struct arena arena = {0};
	struct err fault = {0};
	const struct drill d = {v, model, rows, &arena, clock_ms() + depths[depth].limit_ms};
	int passes = depths[depth].passes;

	if (finite != NULL)
		memset(finite, 0, SAMPLE_ROWS_MAX + 1);
	int result = rows->samples.csv != NULL ? ask_csv(&d, passes, finite, &fault) : ask_made_up(&d, passes, &fault);
	arena_release(&arena);
	if (result != 0 && e != NULL)
		*e = fault;
	return result;
}
