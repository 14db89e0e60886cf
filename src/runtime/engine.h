/*
 * engine: what runs a kind of model. One interface for all; an engine is one file, engine_<name>.c, and one
 * line in ENGINES.
 *
 * A loaded model is immutable: any number of threads may predict with it at once. An engine whose `predict`
 * answers inline must not block.
 */
#ifndef RUNTIME_ENGINE_H
#define RUNTIME_ENGINE_H

#include "core/err.h"
#include "core/manifest.h"

#include <stdbool.h>
#include <stddef.h>

/* To add an engine: write engine_<name>.c, then one line here. */
#define ENGINES(X) X(forest)

/* Rows of numbers, row-major; NaN is an absent value. */
struct matrix {
	bool float32; /* data is float, else double */
	size_t rows, columns;
	void *data; /* [rows][columns] */
};

/* How predictions are to be counted for people. */
struct prediction_kind {
	size_t output_count; /* columns of a prediction */
	size_t raw_count;    /* columns of a raw score; 0: the engine has none */
	bool probability;    /* values lie in [0, 1] */
	size_t class_count;  /* > 1: the class of a row is its greatest column (or its only column's value) */
};

struct engine {
	const char *name;
	/* The format's name when the content looks like one of this engine's, else NULL. */
	const char *(*detect)(const void *data, size_t size);
	/* Loads a model held in memory (borrowed for the call). Fills manifest (initialised; not sha256, size and
	 * file_name) unless it is NULL, and kind. */
	int (*load)(const void *data, size_t size, struct manifest *manifest,
		    struct prediction_kind *kind, void **model, struct err *e);
	/* output[rows][output_count], raw[rows][raw_count] or NULL. */
	int (*predict)(const void *model, const struct matrix *rows, double *output, double *raw,
		       struct err *e);
	void (*unload)(void *model);
};

extern const struct engine *const engine_table[];
extern const size_t engine_count;
/* The engine that knows this content, or NULL. */
const struct engine *engine_detect(const void *data, size_t size);
const struct engine *engine_find(const char *name);

#endif
