/*
 * forest: tree ensembles (and gblinear) of LightGBM and XGBoost, loaded from their own files and
 * predicted natively.
 *
 * Owner: the caller, from forest_load() to forest_free(). Immutable after load: any number of
 * threads may predict at once. Predicting allocates nothing and takes no lock. Promise: raw scores
 * equal the library's own bit for bit, transformed ones within 1e-6; a model for which that cannot
 * be kept is refused by forest_load() with the field's name. Not here: tensors, names of outputs
 * (engine_forest), HTTP.
 */
#ifndef RUNTIME_FOREST_H
#define RUNTIME_FOREST_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct forest;

#define FOREST_OUTPUTS_MAX 4096
#define FOREST_FEATURES_MAX 65535

/* One fact that the file tells about its training: "learning_rate" "0.1". Strings are cleaned
 * (text_clean). */
struct forest_fact {
	char *name;
	char *value;
};

/* What a loaded forest is. Borrowed from it; valid until forest_free(). */
struct forest_info {
	const char *format;    /* "lightgbm-text", "xgboost-json" or "xgboost-ubj" */
	const char *objective; /* as in the file: "binary sigmoid:1", "reg:squarederror" */
	bool float32;          /* outputs are float32 in the library (XGBoost), else float64 */
	bool probability;      /* outputs are probabilities in [0, 1] */
	size_t feature_count;  /* columns of a row, at least 1 */
	char **feature_names;  /* [feature_count], cleaned; f0, f1, ... where the file has none */
	size_t output_count;   /* columns of a prediction: 1, or the number of classes */
	size_t raw_count;      /* columns of a raw score; differs from output_count only where the
				  transform reduces (multi:softmax gives 1 class index) */
	size_t tree_count;
	size_t leaf_count;
	size_t memory_bytes;
	struct forest_fact *facts; /* [fact_count]: training metadata where the file has it */
	size_t fact_count;
};

/* The format's name when the bytes look like one that forest_load() reads (by content), else NULL.
 */
const char *forest_detect(const void *data, size_t size);

/* Loads a model file held in memory (borrowed for the call). Fails with ERR_INPUT and a sentence
 * that names the field for a malformed, hostile or unsupported file, ERR_MEMORY when memory is out.
 */
int forest_load(const void *data, size_t size, struct forest **result, struct err *e);
void forest_free(struct forest *f);

const struct forest_info *forest_info(const struct forest *f);

/*
 * Predicts rows[row_count][feature_count] (row-major; NaN = absent) into
 * output[row_count][output_count] (transformed) and, where raw is not NULL,
 * raw[row_count][raw_count] (the margin). The _f32 form gives the same numbers as the _f64 form
 * does on the same values widened, and is faster.
 */
void forest_predict_f32(const struct forest *f, const float *rows, size_t row_count, double *output, double *raw);
void forest_predict_f64(const struct forest *f, const double *rows, size_t row_count, double *output, double *raw);

#endif
