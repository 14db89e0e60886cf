/* v2_matrix: from the tensors of a request to the matrix of an engine. */
#include "runtime/v2_tensor.h"

#include <stdlib.h>
#include <string.h>

const char *v2_feature_name(const struct manifest *manifest, size_t feature)
{
	if (manifest->feature_names != NULL)
		return manifest->feature_names[feature];
	return manifest->input_count == manifest->feature_count ? manifest->inputs[feature].name
								: NULL;
}

/* The feature of this name; the search starts at the likely one. feature_count: none. */
static size_t find_feature(const struct manifest *manifest, struct scan_span name, size_t likely)
{
	size_t count = manifest->feature_count;
	for (size_t i = 0; i < count; i++) {
		size_t feature = (likely + i) % count;
		const char *candidate = v2_feature_name(manifest, feature);
		if (candidate != NULL && scan_is(name, candidate))
			return feature;
	}
	return count;
}

/* More values by the shape than the data has. */
static int refuse_count(const struct v2_tensor *t, struct err *e)
{
	struct scan s = v2_tensor_scan(t);
	size_t count = 0;

	while (s.at < s.end) {
		if (memchr("[], \t\r\n", *s.at, 7) != NULL)
			s.at++;
		else if (scan_skip(&s, NULL))
			count++;
		else
			return scan_err(&s, e);
	}
	return err_set(e, ERR_INPUT, "input `%s` needs %zu values, got %zu",
		       v2_tensor_label(t).text, t->count, count);
}

/* Whether the data can hold as many elements as the shape says, before memory is asked for them. */
static int check_count(const struct v2_tensor *t, struct err *e)
{
	if (t->binary)
		return t->count <= t->binary_size
			   ? 0
			   : err_set(e, ERR_INPUT,
				     "input `%s` needs %zu values, its binary_data_size is %llu",
				     v2_tensor_label(t).text, t->count,
				     (unsigned long long)t->binary_size);
	/* `[1,2]`: two bytes an element and one more. */
	if (t->count <= t->data.size / 2)
		return 0;
	return refuse_count(t, e);
}

static int reserve(struct v2_scratch *scratch, struct matrix *m, struct err *e)
{
	size_t size;
	if (__builtin_mul_overflow(m->rows, m->columns, &size) ||
	    __builtin_mul_overflow(size, m->float32 ? sizeof(float) : sizeof(double), &size))
		return err_set(e, ERR_INPUT, "too many rows");
	if (v2_scratch_reserve(scratch, size, e) != 0)
		return -1;
	m->data = scratch->data;
	return 0;
}

static int check_rows(uint64_t rows, struct err *e)
{
	if (rows > V2_ROWS_MAX)
		return err_set(e, ERR_INPUT, "%llu rows; a request has at most %d",
			       (unsigned long long)rows, V2_ROWS_MAX);
	return 0;
}

static bool is_float32(const struct v2_tensor *t)
{
	return t->type->kind == V2_FLOAT && t->type->width == sizeof(float);
}

/* One [rows, features] tensor, or [features], which is one row. */
static int rows_matrix(const struct manifest *manifest, struct v2_scratch *scratch,
		       struct matrix *m, struct err *e)
{
	const struct v2_tensor *t = &scratch->tensors[0];
	size_t features = manifest->feature_count;
	bool one_column = t->rank == 1 && features == 1;
	uint64_t columns = one_column ? 1 : t->shape[t->rank - 1];
	uint64_t rows = t->rank == 2 || one_column ? t->shape[0] : 1;

	if (t->rank > 2)
		return err_set(e, ERR_INPUT, "input `%s` has %zu dimensions; expected [rows, %zu]",
			       v2_tensor_label(t).text, t->rank, features);
	if (columns != features)
		return err_set(e, ERR_INPUT, "expected %zu features a row, got %llu", features,
			       (unsigned long long)columns);
	if (check_rows(rows, e) != 0 || check_count(t, e) != 0)
		return -1;
	*m = (struct matrix){.float32 = is_float32(t), .rows = (size_t)rows, .columns = features};
	if (reserve(scratch, m, e) != 0)
		return -1;
	const struct v2_target target = {m->data, m->float32, 1};
	return v2_tensor_store(t, &target, e);
}

static int reserve_columns(struct v2_scratch *scratch, size_t count, struct err *e)
{
	if (count > scratch->column_capacity) {
		free(scratch->columns);
		scratch->columns = malloc(count * sizeof *scratch->columns);
		scratch->column_capacity = scratch->columns == NULL ? 0 : count;
		if (scratch->columns == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for %zu features", count);
	}
	for (size_t i = 0; i < count; i++)
		scratch->columns[i] = SIZE_MAX;
	return 0;
}

/* Fills scratch->columns: which tensor is which feature. */
static int match_features(const struct manifest *manifest, struct v2_scratch *scratch,
			  size_t tensor_count, struct err *e)
{
	size_t features = manifest->feature_count;

	if (reserve_columns(scratch, features, e) != 0)
		return -1;
	for (size_t i = 0; i < tensor_count; i++) {
		const struct v2_tensor *t = &scratch->tensors[i];
		size_t feature = find_feature(manifest, t->name, i);
		if (feature == features)
			return err_set(e, ERR_INPUT, "this model has no feature `%s`",
				       v2_tensor_label(t).text);
		if (scratch->columns[feature] != SIZE_MAX)
			return err_set(e, ERR_INPUT, "feature `%s` is given twice",
				       v2_tensor_label(t).text);
		scratch->columns[feature] = i;
	}
	for (size_t i = 0; i < features; i++)
		if (scratch->columns[i] == SIZE_MAX) {
			const char *name = v2_feature_name(manifest, i);
			return err_set(
			    e, ERR_INPUT,
			    "feature `%.128s` is missing: expected %zu features, got %zu",
			    name != NULL ? name : "?", features, tensor_count);
		}
	return 0;
}

/* Each tensor is [rows] or [rows, 1], of the same number of rows. */
static int check_columns(const struct v2_scratch *scratch, size_t tensor_count, struct matrix *m,
			 struct err *e)
{
	const struct v2_tensor *first = &scratch->tensors[0];

	m->float32 = true;
	if (check_rows(first->shape[0], e) != 0)
		return -1;
	m->rows = (size_t)first->shape[0];
	for (size_t i = 0; i < tensor_count; i++) {
		const struct v2_tensor *t = &scratch->tensors[i];
		if (t->rank > 2 || (t->rank == 2 && t->shape[1] != 1))
			return err_set(
			    e, ERR_INPUT,
			    "input `%s` is one feature: its shape is [rows] or [rows, 1]",
			    v2_tensor_label(t).text);
		if (t->shape[0] != m->rows)
			return err_set(e, ERR_INPUT, "input `%s` has %zu rows, `%s` has %llu",
				       v2_tensor_label(first).text, m->rows,
				       v2_tensor_label(t).text, (unsigned long long)t->shape[0]);
		if (check_count(t, e) != 0)
			return -1;
		m->float32 &= is_float32(t);
	}
	return 0;
}

static int feature_matrix(const struct manifest *manifest, struct v2_scratch *scratch,
			  size_t tensor_count, struct matrix *m, struct err *e)
{
	*m = (struct matrix){.columns = manifest->feature_count};
	if (match_features(manifest, scratch, tensor_count, e) != 0 ||
	    check_columns(scratch, tensor_count, m, e) != 0 || reserve(scratch, m, e) != 0)
		return -1;
	size_t width = m->float32 ? sizeof(float) : sizeof(double);
	for (size_t i = 0; i < m->columns; i++) {
		const struct v2_target target = {(char *)m->data + i * width, m->float32,
						 m->columns};
		if (v2_tensor_store(&scratch->tensors[scratch->columns[i]], &target, e) != 0)
			return -1;
	}
	return 0;
}

/* Whether a lone tensor is one feature of several, rather than rows of all. */
static bool is_lone_feature(const struct manifest *manifest, const struct v2_tensor *t)
{
	size_t features = manifest->feature_count;
	bool column = t->rank == 1 ? t->shape[0] != features : t->rank == 2 && t->shape[1] == 1;
	return features > 1 && column && find_feature(manifest, t->name, 0) < features;
}

int v2_matrix(const struct manifest *manifest, struct v2_scratch *scratch, size_t tensor_count,
	      struct v2_request *request, struct err *e)
{
	request->tensor_per_feature =
	    tensor_count > 1 || is_lone_feature(manifest, &scratch->tensors[0]);
	if (request->tensor_per_feature)
		return feature_matrix(manifest, scratch, tensor_count, &request->rows, e);
	return rows_matrix(manifest, scratch, &request->rows, e);
}
