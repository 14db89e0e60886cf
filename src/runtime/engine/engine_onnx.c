/*
 * engine_onnx: models of any framework, as ONNX files, run by ONNX Runtime.
 */
#include "runtime/engine/engine_onnx.h"

#include "core/config.h"
#include "runtime/engine/onnx_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ALL_OPTIMIZATIONS 99

static const char *detect(const void *data, size_t size)
{
	return onnx_file_detect(data, size) ? "onnx" : NULL;
}

static int set_options(const struct ort *o, struct ort_session_options *s, const struct config *config, struct err *e)
{
	/* A file that looks like the library's own format too is read as what it was checked to be.
	 */
	static const char *const entries[][2] = {
	    {"session.load_model_format", "ONNX"},
	    {"session.intra_op.allow_spinning", "0"}, /* an idle model costs no processor */
	    {"session.inter_op.allow_spinning", "0"},
	};
	static const char what[] = "ONNX Runtime refuses a setting";
	/* Not left to the library, whose own choice also pins each thread to a core. */
	int threads = (int)config_threads(config->onnx.threads);
	int level = config->onnx.optimization < 3 ? (int)config->onnx.optimization : ALL_OPTIMIZATIONS;

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
		if (ort_check(o, o->AddSessionConfigEntry(s, entries[i][0], entries[i][1]), ERR_SYSTEM, what, e) != 0)
			return -1;
	if (ort_check(o, o->SetIntraOpNumThreads(s, threads), ERR_SYSTEM, what, e) != 0 ||
	    ort_check(o, o->SetInterOpNumThreads(s, 1), ERR_SYSTEM, what, e) != 0 ||
	    ort_check(o, o->SetSessionExecutionMode(s, ORT_MODE_SEQUENTIAL), ERR_SYSTEM, what, e) != 0 ||
	    ort_check(o, o->SetSessionGraphOptimizationLevel(s, level), ERR_SYSTEM, what, e) != 0)
		return -1;
	/* A pattern is kept for every shape that was ever asked for: without bound, where callers
	 * choose. */
	if (ort_check(o, o->DisableMemPattern(s), ERR_SYSTEM, what, e) != 0)
		return -1;
	return ort_check(o, config->onnx.arena ? o->EnableCpuMemArena(s) : o->DisableCpuMemArena(s), ERR_SYSTEM, what,
			 e);
}

static int open_session(struct onnx_model *m, const struct engine_source *source, struct err *e)
{
	const struct ort *o = m->ort;
	struct ort_session_options *options = NULL;
	int result;

	if (ort_check(o, o->CreateSessionOptions(&options), ERR_SYSTEM, "ONNX Runtime gives no settings", e) != 0)
		return -1;
	result = set_options(o, options, source->config, e);
	if (result == 0)
		result =
		    ort_check(o, o->CreateSessionFromArray(o->env, source->data, source->size, options, &m->session),
			      ERR_INPUT, "ONNX Runtime refuses the model", e);
	o->ReleaseSessionOptions(options);
	return result;
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; strings != NULL && i < count; i++)
		free(strings[i]);
	free(strings);
}

static void unload(void *model)
{
	struct onnx_model *m = model;

	if (m == NULL)
		return;
	onnx_slots_free(m);
	if (m->session != NULL)
		m->ort->ReleaseSession(m->session);
	free_strings(m->input_names, m->input_count);
	free_strings(m->output_names, m->output_count);
	for (size_t i = 0; m->kinds != NULL && i < m->output_count; i++)
		free(m->kinds[i].classes.data);
	free(m->kinds);
	free(m->input_types);
	free(m->inputs);
	free(m->outputs);
	free(m);
}

static int load(const struct engine_source *source, struct manifest *manifest, struct prediction_kind *kind,
		void **model, struct err *e)
{
	struct onnx_model *m;

	if (source->size > INT_MAX)
		return err_set(e, ERR_TOO_LARGE, "an ONNX model has at most 2 GiB, and this one has %zu bytes",
			       source->size);
	if (onnx_file_check(source->data, source->size, e) != 0)
		return -1;
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while an ONNX model was loaded");
	m->ort = ort_open(source->config->onnx.library, e);
	if (m->ort == NULL || open_session(m, source, e) != 0 ||
	    onnx_signature_read(m, source->data, source->size, e) != 0) {
		unload(m);
		return -1;
	}
	onnx_probe(m);
	onnx_slots_init(m);
	onnx_kind(m, source->data, source->size, kind);
	if (manifest != NULL && onnx_describe(m, manifest, e) != 0) {
		unload(m);
		return -1;
	}
	*model = m;
	return 0;
}

static int predict(void *model, struct inference *inference, struct err *e)
{
	return onnx_slot_run(model, inference) == 1 ? 0 : onnx_run(model, inference, e);
}

const struct engine engine_onnx = {
    .name = "onnx",
    .formats = "ONNX",
    .detect = detect,
    .load = load,
    .predict = predict,
    .unload = unload,
};
