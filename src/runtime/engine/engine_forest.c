/*
 * engine_forest: tree ensembles behind the engine interface (see forest.h for the work itself).
 */
#include "runtime/engine/engine.h"
#include "runtime/engine/forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the manifest's outputs. */
enum { OUTPUT_PREDICT, OUTPUT_RAW };

static void spec_set(struct tensor_spec *spec, const char *name, const char *datatype, size_t columns)
{
	*spec = (struct tensor_spec){.dimension_count = 2, .dimensions = {-1, (int64_t)columns}};
	snprintf(spec->name, sizeof spec->name, "%s", name);
	snprintf(spec->datatype, sizeof spec->datatype, "%s", datatype);
}

static int copy_names(struct manifest *m, const struct forest_info *info)
{
	m->feature_names = calloc(info->feature_count, sizeof *m->feature_names);
	if (m->feature_names == NULL)
		return -1;
	m->feature_count = info->feature_count;
	for (size_t i = 0; i < info->feature_count; i++) {
		m->feature_names[i] = strdup(info->feature_names[i]);
		if (m->feature_names[i] == NULL)
			return -1;
	}
	return 0;
}

static int copy_facts(struct manifest *m, const struct forest_info *info)
{
	if (info->fact_count == 0)
		return 0;
	m->facts = calloc(info->fact_count, sizeof *m->facts);
	if (m->facts == NULL)
		return -1;
	for (; m->fact_count < info->fact_count; m->fact_count++) {
		struct manifest_fact *fact = &m->facts[m->fact_count];
		fact->name = strdup(info->facts[m->fact_count].name);
		fact->value = strdup(info->facts[m->fact_count].value);
		if (fact->name == NULL || fact->value == NULL) {
			m->fact_count++;
			return -1;
		}
	}
	return 0;
}

static int describe(struct manifest *m, const struct forest_info *info)
{
	const char *datatype = info->float32 ? "FP32" : "FP64";

	snprintf(m->engine, sizeof m->engine, "forest");
	snprintf(m->format, sizeof m->format, "%s", info->format);
	m->inputs = calloc(1, sizeof *m->inputs);
	m->outputs = calloc(2, sizeof *m->outputs);
	if (m->inputs == NULL || m->outputs == NULL)
		return -1;
	m->input_count = 1;
	spec_set(&m->inputs[0], "rows", datatype, info->feature_count);
	m->output_count = 2;
	spec_set(&m->outputs[0], "predict", datatype, info->output_count);
	spec_set(&m->outputs[1], "raw_score", datatype, info->raw_count);
	return copy_names(m, info) != 0 || copy_facts(m, info) != 0 ? -1 : 0;
}

static int load(const struct engine_source *source, struct manifest *manifest, struct prediction_kind *kind,
		void **model, struct err *e)
{
	struct forest *forest;
	if (forest_load(source->data, source->size, &forest, e) != 0)
		return -1;

	const struct forest_info *info = forest_info(forest);
	if (manifest != NULL && describe(manifest, info) != 0) {
		forest_free(forest);
		return err_set(e, ERR_MEMORY, "memory is out while describing the model");
	}
	*kind = (struct prediction_kind){
	    .output = OUTPUT_PREDICT,
	    .column = info->output_count > 1 ? PREDICTION_ARGMAX : 0,
	    .probability = info->probability,
	    .class_count = info->raw_count > 1 ? info->raw_count : 0,
	};
	*model = forest;
	return 0;
}

/* The library's doubles as the datatype that the manifest promises, in place. */
static void narrow(struct tensor *t)
{
	double *from = t->data;
	float *to = t->data;
	for (size_t i = 0; i < t->count; i++) {
		float value = (float)from[i];
		memcpy(&to[i], &value, sizeof value);
	}
	t->datatype = DATATYPE_FP32;
}

static int reserve(struct inference *inference, struct inference_output *output, size_t columns, struct err *e)
{
	const int64_t shape[] = {inference->inputs[0].shape[0], (int64_t)columns};
	if (output == NULL)
		return 0;
	return inference_reserve(inference, output, DATATYPE_FP64, shape, 2, e);
}

static int predict(void *model, struct inference *inference, struct err *e)
{
	const struct forest *forest = model;
	const struct forest_info *info = forest_info(forest);
	const struct tensor *rows = &inference->inputs[0];
	size_t row_count = (size_t)rows->shape[0];
	struct inference_output *output = inference_output_of(inference, OUTPUT_PREDICT);
	struct inference_output *raw = inference_output_of(inference, OUTPUT_RAW);
	/* The walk always gives predictions; where only raw scores are asked for, they go nowhere. */
	struct inference_output unseen;

	if (output == NULL)
		output = &unseen;
	if (reserve(inference, output, info->output_count, e) != 0 || reserve(inference, raw, info->raw_count, e) != 0)
		return -1;
	double *raw_data = raw == NULL ? NULL : raw->tensor.data;
	if (rows->datatype == DATATYPE_FP32)
		forest_predict_f32(forest, rows->data, row_count, output->tensor.data, raw_data);
	else
		forest_predict_f64(forest, rows->data, row_count, output->tensor.data, raw_data);
	if (info->float32) {
		narrow(&output->tensor);
		if (raw != NULL)
			narrow(&raw->tensor);
	}
	return 0;
}

static void unload(void *model)
{
	forest_free(model);
}

static size_t memory(const void *model)
{
	return forest_info(model)->memory_bytes;
}

const struct engine engine_forest = {
    .name = "forest",
    .formats = "LightGBM text, XGBoost JSON and UBJSON",
    .tabular = true,
    .default_outputs = 1,
    .detect = forest_detect,
    .load = load,
    .predict = predict,
    .unload = unload,
    .memory = memory,
};
