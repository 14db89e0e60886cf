/*
 * engine_forest: tree ensembles behind the engine interface (see forest.h for the work itself).
 */
#include "runtime/engine.h"
#include "runtime/forest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int load(const void *data, size_t size, struct manifest *manifest,
		struct prediction_kind *kind, void **model, struct err *e)
{
	struct forest *forest;
	if (forest_load(data, size, &forest, e) != 0)
		return -1;

	const struct forest_info *info = forest_info(forest);
	if (manifest != NULL && describe(manifest, info) != 0) {
		forest_free(forest);
		return err_set(e, ERR_MEMORY, "memory is out while describing the model");
	}
	*kind = (struct prediction_kind){
		.output_count = info->output_count,
		.raw_count = info->raw_count,
		.probability = info->probability,
		.class_count = info->raw_count > 1 ? info->raw_count : 0,
	};
	*model = forest;
	return 0;
}

static int predict(const void *model, const struct matrix *rows, double *output, double *raw,
		   struct err *e)
{
	(void)e;
	if (rows->float32)
		forest_predict_f32(model, rows->data, rows->rows, output, raw);
	else
		forest_predict_f64(model, rows->data, rows->rows, output, raw);
	return 0;
}

static void unload(void *model)
{
	forest_free(model);
}

const struct engine engine_forest = {
	.name = "forest",
	.detect = forest_detect,
	.load = load,
	.predict = predict,
	.unload = unload,
};
