/* v2_bind: from the tensors of a request to the inputs of an engine. */
#include "runtime/protocol/v2.h"

#include <string.h>

/* What binding works on. */
struct binding {
	const struct manifest *manifest;
	struct inference *inference;
	const struct v2_tensor *tensors;
	size_t count;
	struct err *error;
};

static const char *feature_name(const struct manifest *manifest, size_t feature)
{
	return manifest->feature_names != NULL ? manifest->feature_names[feature] : NULL;
}

/* The feature of this name; the search starts at the likely one. feature_count: none. */
static size_t find_feature(const struct manifest *manifest, struct scan_span name, size_t likely)
{
	size_t count = manifest->feature_count;
	for (size_t i = 0; i < count; i++) {
		size_t feature = (likely + i) % count;
		const char *candidate = feature_name(manifest, feature);
		if (candidate != NULL && scan_is(name, candidate))
			return feature;
	}
	return count;
}

static int take_memory(struct binding *b, struct tensor *t)
{
	t->data = arena_array(b->inference->arena, t->count, datatype_size(t->datatype));
	if (t->data == NULL)
		return err_set(b->error, ERR_MEMORY, "memory is out for %zu values", t->count);
	return 0;
}

static int refuse_type(struct binding *b, const struct v2_tensor *t, enum datatype wanted)
{
	return err_set(b->error, ERR_INPUT, "input `%s` has datatype %s; the model takes %s", v2_tensor_label(t).text,
		       datatype_name(t->type), datatype_name(wanted));
}

/* --- a tabular engine: a matrix of features --- */

static int check_numbers(struct binding *b)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->tensors[i].type == DATATYPE_BYTES)
			return err_set(b->error, ERR_INPUT,
				       "datatype BYTES is not taken: this model's features are numbers");
	return 0;
}

static int reserve_matrix(struct binding *b, int64_t rows, bool float32, struct tensor *matrix)
{
	*matrix = (struct tensor){
	    .datatype = float32 ? DATATYPE_FP32 : DATATYPE_FP64,
	    .rank = 2,
	    .shape = {rows, (int64_t)b->manifest->feature_count},
	};
	if (!tensor_count(matrix->shape, 2, &matrix->count))
		return err_set(b->error, ERR_INPUT, "too many rows");
	return take_memory(b, matrix);
}

/* One [rows, features] tensor, or [features], which is one row. */
static int bind_rows(struct binding *b)
{
	const struct v2_tensor *t = &b->tensors[0];
	struct tensor *matrix = &b->inference->inputs[0];
	int64_t features = (int64_t)b->manifest->feature_count;

	if (t->rank == 0)
		return err_set(b->error, ERR_INPUT, "input `%s` has no `shape`", v2_tensor_label(t).text);
	if (t->rank > 2)
		return err_set(b->error, ERR_INPUT, "input `%s` has %zu dimensions; expected [rows, %lld]",
			       v2_tensor_label(t).text, t->rank, (long long)features);
	bool one_column = t->rank == 1 && features == 1;
	int64_t columns = one_column ? 1 : t->shape[t->rank - 1];
	int64_t rows = t->rank == 2 || one_column ? t->shape[0] : 1;
	if (columns != features)
		return err_set(b->error, ERR_INPUT, "expected %lld features a row, got %lld", (long long)features,
			       (long long)columns);
	if (tensor_rows_check(rows, b->error) != 0 || v2_tensor_check_count(t, b->error) != 0 ||
	    reserve_matrix(b, rows, t->type == DATATYPE_FP32, matrix) != 0)
		return -1;
	const struct v2_target target = {matrix->data, matrix->datatype, 1, b->inference->arena};
	return v2_tensor_store(t, &target, b->error);
}

/* Which tensor is which feature: an array in the arena, NULL for an error. */
static size_t *match_features(struct binding *b)
{
	size_t features = b->manifest->feature_count;
	size_t *columns = arena_array(b->inference->arena, features, sizeof *columns);

	if (columns == NULL) {
		err_set(b->error, ERR_MEMORY, "memory is out for %zu features", features);
		return NULL;
	}
	for (size_t i = 0; i < features; i++)
		columns[i] = SIZE_MAX;
	for (size_t i = 0; i < b->count; i++) {
		const struct v2_tensor *t = &b->tensors[i];
		size_t feature = find_feature(b->manifest, t->name, i);
		if (feature == features || columns[feature] != SIZE_MAX) {
			err_set(b->error, ERR_INPUT,
				feature == features ? "this model has no feature `%s`" : "feature `%s` is given twice",
				v2_tensor_label(t).text);
			return NULL;
		}
		columns[feature] = i;
	}
	for (size_t i = 0; i < features; i++)
		if (columns[i] == SIZE_MAX) {
			const char *name = feature_name(b->manifest, i);
			err_set(b->error, ERR_INPUT, "feature `%.128s` is missing: expected %zu features, got %zu",
				name != NULL ? name : "?", features, b->count);
			return NULL;
		}
	return columns;
}

/* Each tensor is [rows] or [rows, 1], of the same number of rows. */
static int check_columns(struct binding *b, bool *float32)
{
	const struct v2_tensor *first = &b->tensors[0];

	*float32 = true;
	for (size_t i = 0; i < b->count; i++) {
		const struct v2_tensor *t = &b->tensors[i];
		if (t->rank == 0 || t->rank > 2 || (t->rank == 2 && t->shape[1] != 1))
			return err_set(b->error, ERR_INPUT,
				       "input `%s` is one feature: its shape is [rows] or [rows, 1]",
				       v2_tensor_label(t).text);
		if (t->shape[0] != first->shape[0])
			return err_set(b->error, ERR_INPUT, "input `%s` has %lld rows, `%s` has %lld",
				       v2_tensor_label(first).text, (long long)first->shape[0], v2_tensor_label(t).text,
				       (long long)t->shape[0]);
		if (v2_tensor_check_count(t, b->error) != 0)
			return -1;
		*float32 &= t->type == DATATYPE_FP32;
	}
	return tensor_rows_check(first->shape[0], b->error);
}

static int bind_features(struct binding *b)
{
	struct tensor *matrix = &b->inference->inputs[0];
	size_t features = b->manifest->feature_count;
	const size_t *columns = match_features(b);
	bool float32;

	if (columns == NULL || check_columns(b, &float32) != 0 ||
	    reserve_matrix(b, b->tensors[0].shape[0], float32, matrix) != 0)
		return -1;
	for (size_t i = 0; i < features; i++) {
		const struct v2_target target = {(char *)matrix->data + i * datatype_size(matrix->datatype),
						 matrix->datatype, features, b->inference->arena};
		if (v2_tensor_store(&b->tensors[columns[i]], &target, b->error) != 0)
			return -1;
	}
	return 0;
}

/* Whether a lone tensor is one feature of several, rather than rows of all. */
static bool is_lone_feature(const struct manifest *manifest, const struct v2_tensor *t)
{
	int64_t features = (int64_t)manifest->feature_count;
	bool column = t->rank == 1 ? t->shape[0] != features : t->rank == 2 && t->shape[1] == 1;
	return features > 1 && column && find_feature(manifest, t->name, 0) < manifest->feature_count;
}

static int bind_table(struct binding *b)
{
	if (check_numbers(b) != 0)
		return -1;
	if (b->count > 1 || is_lone_feature(b->manifest, &b->tensors[0]))
		return bind_features(b);
	return bind_rows(b);
}

/* --- any other engine: the inputs of its signature, by name --- */

static size_t find_input(const struct manifest *manifest, struct scan_span name, size_t likely)
{
	size_t count = manifest->input_count;
	for (size_t i = 0; i < count; i++)
		if (scan_is(name, manifest->inputs[(likely + i) % count].name))
			return (likely + i) % count;
	return count;
}

static int bind_input(struct binding *b, const struct tensor_spec *spec, const struct v2_tensor *t,
		      struct tensor *input)
{
	enum datatype wanted = tensor_spec_type(spec);

	if (!tensor_spec_fits(spec, t->shape, t->rank))
		return tensor_spec_refuse(spec, t->shape, t->rank, b->error);
	if (!v2_convertible(t->type, wanted))
		return refuse_type(b, t, wanted);
	if (v2_tensor_check_count(t, b->error) != 0)
		return -1;
	*input = (struct tensor){.datatype = wanted, .rank = t->rank, .count = t->count};
	memcpy(input->shape, t->shape, sizeof input->shape);
	if (take_memory(b, input) != 0)
		return -1;
	const struct v2_target target = {input->data, wanted, 1, b->inference->arena};
	return v2_tensor_store(t, &target, b->error);
}

static int bind_signature(struct binding *b)
{
	const struct manifest *m = b->manifest;
	struct tensor *inputs = b->inference->inputs;

	for (size_t i = 0; i < b->count; i++) {
		const struct v2_tensor *t = &b->tensors[i];
		size_t place = find_input(m, t->name, i);
		if (place == m->input_count)
			return err_set(b->error, ERR_INPUT, "this model has no input `%s`", v2_tensor_label(t).text);
		if (inputs[place].data != NULL)
			return err_set(b->error, ERR_INPUT, "input `%s` is given twice", v2_tensor_label(t).text);
		if (bind_input(b, &m->inputs[place], t, &inputs[place]) != 0)
			return -1;
	}
	for (size_t i = 0; i < m->input_count; i++)
		if (inputs[i].data == NULL)
			return err_set(b->error, ERR_INPUT, "input `%s` is missing: the model takes %zu, got %zu",
				       m->inputs[i].name, m->input_count, b->count);
	return 0;
}

int v2_bind(const struct engine *engine, struct v2_tensor *tensors, size_t count, struct inference *inference,
	    struct err *e)
{
	struct binding b = {inference->manifest, inference, tensors, count, e};
	return engine->tabular ? bind_table(&b) : bind_signature(&b);
}
