/*
 * engine: what runs a kind of model. One interface for all; an engine is one file, engine_<name>.c, and one
 * line in ENGINES.
 *
 * A loaded model is immutable to its callers: any number of threads may predict with it at once.
 * An engine has `predict`, which answers before it returns, or `start`, which answers later; never both.
 * Not here: which version is asked (router), wire forms (v2, v1, table), telemetry (infer).
 */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include "core/arena.h"
#include "core/config.h"
#include "core/err.h"
#include "core/manifest.h"
#include "core/tensor.h"

#include <stdbool.h>
#include <stddef.h>

/* To add an engine: write engine_<name>.c, then one line here. */
#define ENGINES(X) X(forest) X(onnx) X(remote)

/* What a prediction is to people: which numbers of it are counted and charted. */
struct prediction_kind {
	size_t output;      /* index in the manifest's outputs */
	size_t column;      /* of a row; PREDICTION_ARGMAX: the class is the greatest column */
	size_t class_count; /* > 1: values are classes 0 .. class_count - 1 */
	bool probability;   /* values lie in [0, 1] */
};
#define PREDICTION_ARGMAX SIZE_MAX
#define PREDICTION_NONE SIZE_MAX /* as output: nothing of it is a number */

/* One output that is asked for. */
struct inference_output {
	size_t spec;          /* index in the manifest's outputs */
	struct tensor tensor; /* filled by the engine; its data is the arena's, or lives as long as it */
};

/* One prediction. The caller fills inputs and which outputs are wanted; all is the arena's. */
struct inference {
	const struct manifest *manifest;
	/* [manifest->input_count], in its order; datatype, rank and every fixed dimension are the manifest's, but
	 * that a tabular engine gets FP32 or FP64. */
	struct tensor *inputs;
	size_t output_count;
	struct inference_output *outputs;
	struct arena *arena;
	int deadline_ms; /* remote: how long it may take, 0: the engine's own */
};

/* What a model is loaded from. */
struct engine_source {
	const void *data; /* the artifact, borrowed for the call */
	size_t size;
	const struct config *config;  /* lives as long as the model */
	const struct manifest *known; /* as it was deployed; NULL at deploy, when the engine fills one */
};

/* How `start` gives its answer: called once, from any thread; then the inference is the receiver's again. */
struct engine_call {
	void (*done)(void *context, int result, const struct err *e); /* result 0 or -1; e only with -1 */
	void *context;
};

struct engine {
	const char *name;
	const char *formats; /* for a sentence: "LightGBM text, XGBoost JSON and UBJSON" */
	/* Its only input is a matrix of features, [-1, features]: rows of FP32 or FP64 alike under any name, or a
	 * tensor a feature. */
	bool tabular;
	size_t default_outputs; /* the first so many are answered when a request names none; 0: all */
	/* The format's name when the content looks like one of this engine's, else NULL. */
	const char *(*detect)(const void *data, size_t size);
	/* manifest (initialised; not sha256, size and file_name) is filled unless it is NULL; kind always. */
	int (*load)(const struct engine_source *source, struct manifest *manifest, struct prediction_kind *kind,
		    void **model, struct err *e);
	/* Fills outputs[].tensor. ERR_INPUT: the inputs are at fault; anything else: the model. */
	int (*predict)(void *model, struct inference *inference, struct err *e);
	void (*start)(void *model, struct inference *inference, const struct engine_call *call);
	/* Waits for nothing: the caller makes sure that no prediction is under way. */
	void (*unload)(void *model);
	/* NULL: always ready. -1 with the reason while the model cannot answer (a remote server is away). */
	int (*ready)(void *model, struct err *e);
	/* NULL, or: bytes of memory that the model holds, for people. */
	size_t (*memory)(const void *model);
};

extern const struct engine *const engine_table[];
extern const size_t engine_count;
/* The engine that knows this content, or NULL. */
const struct engine *engine_detect(const void *data, size_t size);
const struct engine *engine_find(const char *name);
/* "LightGBM text, XGBoost JSON and UBJSON, ONNX, ..." of all engines. */
void engine_formats(char *text, size_t size);

/* `predict`, or `start` and a wait: for callers that may block. */
int engine_predict(const struct engine *engine, void *model, struct inference *inference, struct err *e);

/* Takes memory for the inputs (cleared) and for every output that could be wanted; -1 with ERR_MEMORY. The arena
 * and what is taken of it stay the caller's. */
int inference_begin(struct inference *inference, const struct manifest *manifest, struct arena *arena, struct err *e);
/* Asks for an output, once. */
void inference_want(struct inference *inference, size_t spec);
/* Asks for what an engine answers when nothing is named. */
void inference_want_default(struct inference *inference, const struct engine *engine);
/* The output for this spec when it is asked for, else NULL. */
struct inference_output *inference_output_of(struct inference *inference, size_t spec);
/* Sets an output's shape and takes memory for its data; -1 with ERR_MEMORY. For engines. */
int inference_reserve(struct inference *inference, struct inference_output *output, enum datatype type,
		      const int64_t *shape, size_t rank, struct err *e);

/* The numbers that are counted of an answer, one a row, in the arena; count 0 where nothing of it is a number (or
 * memory is out). */
const double *prediction_values(const struct prediction_kind *kind, struct inference *inference, size_t *count);

#endif
