#include "runtime/engine/engine.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct engine engine_##name;
ENGINES(X)
#undef X

const struct engine *const engine_table[] = {
#define X(name) &engine_##name,
    ENGINES(X)
#undef X
};
const size_t engine_count = sizeof engine_table / sizeof *engine_table;

const struct engine *engine_detect(const void *data, size_t size)
{
	for (size_t i = 0; i < engine_count; i++)
		if (engine_table[i]->detect(data, size) != NULL)
			return engine_table[i];
	return NULL;
}

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < engine_count; i++)
		if (strcmp(engine_table[i]->name, name) == 0)
			return engine_table[i];
	return NULL;
}

void engine_formats(char *text, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < engine_count && used < size; i++)
		used +=
		    (size_t)snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", engine_table[i]->formats);
}

/* A thread that waits for an engine's `done`. */
struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool done;
	int result;
	struct err error;
};

static void wake(void *context, int result, const struct err *e)
{
	struct waiter *w = context;
	pthread_mutex_lock(&w->lock);
	w->result = result;
	if (result != 0)
		w->error = *e;
	w->done = true;
	pthread_cond_signal(&w->answered);
	pthread_mutex_unlock(&w->lock);
}

int engine_predict(const struct engine *engine, void *model, struct inference *inference, struct err *e)
{
	struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
	const struct engine_call call = {.done = wake, .context = &w};

	if (engine->predict != NULL)
		return engine->predict(model, inference, e);
	engine->start(model, inference, &call);
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.answered, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.answered);
	pthread_mutex_destroy(&w.lock);
	if (w.result != 0 && e != NULL)
		*e = w.error;
	return w.result;
}

int inference_begin(struct inference *inference, const struct manifest *manifest, struct arena *arena, struct err *e)
{
	size_t inputs = manifest->input_count, outputs = manifest->output_count;

	*inference = (struct inference){.manifest = manifest, .arena = arena};
	inference->inputs = arena_array(arena, inputs, sizeof *inference->inputs);
	inference->outputs = arena_array(arena, outputs, sizeof *inference->outputs);
	if (inference->inputs == NULL || inference->outputs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu inputs and %zu outputs", inputs, outputs);
	memset(inference->inputs, 0, inputs * sizeof *inference->inputs);
	return 0;
}

void inference_want(struct inference *inference, size_t spec)
{
	if (inference_output_of(inference, spec) == NULL)
		inference->outputs[inference->output_count++] = (struct inference_output){.spec = spec};
}

void inference_want_default(struct inference *inference, const struct engine *engine)
{
	size_t count = inference->manifest->output_count;
	if (engine->default_outputs > 0 && engine->default_outputs < count)
		count = engine->default_outputs;
	for (size_t i = 0; i < count; i++)
		inference_want(inference, i);
}

struct inference_output *inference_output_of(struct inference *inference, size_t spec)
{
	for (size_t i = 0; i < inference->output_count; i++)
		if (inference->outputs[i].spec == spec)
			return &inference->outputs[i];
	return NULL;
}

int inference_reserve(struct inference *inference, struct inference_output *output, enum datatype type,
		      const int64_t *shape, size_t rank, struct err *e)
{
	struct tensor *t = &output->tensor;
	if (rank > TENSOR_RANK_MAX || !tensor_count(shape, rank, &t->count))
		return err_set(e, ERR_SYSTEM, "the model's output has a shape that cannot be");
	t->datatype = type;
	t->rank = rank;
	memcpy(t->shape, shape, rank * sizeof *shape);
	t->data = arena_array(inference->arena, t->count, datatype_size(type));
	return t->data != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for %zu values", t->count);
}

static double row_value(const struct prediction_kind *kind, const struct tensor *t, size_t row, size_t columns)
{
	size_t best = 0, first = row * columns;
	double best_value, value;

	if (kind->column != PREDICTION_ARGMAX)
		return tensor_double(t, first + (kind->column < columns ? kind->column : 0));
	best_value = tensor_double(t, first);
	for (size_t k = 1; k < columns; k++) {
		value = tensor_double(t, first + k);
		if (value > best_value) {
			best_value = value;
			best = k;
		}
	}
	return (double)best;
}

const double *prediction_values(const struct prediction_kind *kind, struct inference *inference, size_t *count)
{
	const struct inference_output *output =
	    kind->output == PREDICTION_NONE ? NULL : inference_output_of(inference, kind->output);

	*count = 0;
	if (output == NULL || output->tensor.count == 0 || datatype_kind(output->tensor.datatype) == KIND_BYTES)
		return NULL;
	const struct tensor *t = &output->tensor;
	size_t rows = t->rank == 0 ? 1 : (size_t)t->shape[0];
	double *values = arena_array(inference->arena, rows, sizeof *values);
	if (values == NULL)
		return NULL;
	for (size_t i = 0; i < rows; i++)
		values[i] = row_value(kind, t, i, t->count / rows);
	*count = rows;
	return values;
}
