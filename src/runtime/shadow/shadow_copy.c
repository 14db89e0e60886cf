#include "runtime/shadow/shadow_copy.h"

#include "core/tensor_copy.h"

#include <stdlib.h>
#include <string.h>

/* The live version's tensor for the shadow's input i: mostly the one at the same place. NULL: there is none. */
static const struct tensor *input_for(const struct shadow_offer *offer, const struct served_version *version, size_t i)
{
	const struct manifest *live = offer->inference->manifest, *shadow = &version->manifest;
	const char *name = shadow->inputs[i].name;
	size_t at = i;

	if (live->input_count == 1 && shadow->input_count == 1)
		return &offer->inference->inputs[0];
	if (at >= live->input_count || strcmp(live->inputs[at].name, name) != 0)
		at = tensor_specs_find(live->inputs, live->input_count, name);
	return at < live->input_count ? &offer->inference->inputs[at] : NULL;
}

size_t shadow_copy_size(const struct shadow_offer *offer, const struct served_version *version)
{
	size_t inputs = version->manifest.input_count;
	size_t size = tensor_copy_aligned(sizeof(struct shadow_copy)) +
		      tensor_copy_aligned(inputs * sizeof(struct tensor)) +
		      tensor_copy_aligned(offer->count * sizeof(double));

	for (size_t i = 0; i < inputs; i++) {
		const struct tensor *t = input_for(offer, version, i);
		if (t == NULL)
			return 0;
		size += tensor_copy_size(t, 0, t->count);
	}
	return size;
}

static enum shadow_sense sense_of(const struct prediction_kind *kind)
{
	if (kind->class_count > 1)
		return SHADOW_CLASSES;
	return kind->probability ? SHADOW_PROBABILITIES : SHADOW_NUMBERS;
}

void shadow_copy_fill(struct shadow_copy *copy, const struct shadow_offer *offer, const struct served_version *version)
{
	size_t inputs = version->manifest.input_count;
	char *next = (char *)copy;

	tensor_copy_take(&next, sizeof *copy);
	copy->made_ns = offer->now_ns;
	copy->infer_ns = offer->infer_ns;
	copy->inputs = tensor_copy_take(&next, inputs * sizeof *copy->inputs);
	double *values = tensor_copy_take(&next, offer->count * sizeof *values);
	if (offer->count > 0)
		memcpy(values, offer->values, offer->count * sizeof *values);
	copy->live = (struct shadow_answer){sense_of(offer->kind), values, offer->count};
	for (size_t i = 0; i < inputs; i++) {
		const struct tensor *t = input_for(offer, version, i);
		tensor_copy_put(&copy->inputs[i], t, 0, t->count, &next);
	}
}

/* A matrix of features may have come in the other precision than the one that this version takes. */
static int convert(struct tensor *t, enum datatype wanted, struct arena *arena, struct err *e)
{
	void *data = arena_array(arena, t->count, datatype_size(wanted));

	if (data == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu values", t->count);
	for (size_t i = 0; i < t->count; i++)
		if (wanted == DATATYPE_FP32)
			((float *)data)[i] = (float)tensor_double(t, i);
		else
			((double *)data)[i] = tensor_double(t, i);
	t->data = data;
	t->datatype = wanted;
	return 0;
}

static bool is_precision(enum datatype type)
{
	return type == DATATYPE_FP32 || type == DATATYPE_FP64;
}

static int set_input(const struct shadow_copy *copy, size_t i, struct inference *inference, struct err *e)
{
	const struct tensor_spec *spec = &copy->version->manifest.inputs[i];
	enum datatype wanted = tensor_spec_type(spec);
	struct tensor *t = &inference->inputs[i];

	*t = copy->inputs[i];
	if (!tensor_spec_fits(spec, t->shape, t->rank))
		return tensor_spec_refuse(spec, t->shape, t->rank, e);
	if (t->datatype == wanted || (copy->version->engine->tabular && is_precision(t->datatype)))
		return 0;
	if (is_precision(t->datatype) && is_precision(wanted))
		return convert(t, wanted, inference->arena, e);
	return err_set(e, ERR_INPUT, "input `%s` is %s; the model takes %s", spec->name, datatype_name(t->datatype),
		       spec->datatype);
}

int shadow_copy_ask(const struct shadow_copy *copy, int timeout_ms, struct arena *arena, struct shadow_answer *answer,
		    struct err *e)
{
	struct served_version *v = copy->version;
	struct inference inference;

	if (inference_begin(&inference, &v->manifest, arena, e) != 0)
		return -1;
	inference.deadline_ms = timeout_ms;
	for (size_t i = 0; i < v->manifest.input_count; i++)
		if (set_input(copy, i, &inference, e) != 0)
			return -1;
	if (v->kind.output != PREDICTION_NONE)
		inference_want(&inference, v->kind.output);
	else
		inference_want_default(&inference, v->engine);
	if (engine_predict(v->engine, v->model, &inference, e) != 0)
		return -1;
	answer->sense = sense_of(&v->kind);
	answer->values = prediction_values(&v->kind, &inference, &answer->count);
	return 0;
}
