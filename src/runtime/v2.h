/*
 * v2: bodies of the Open Inference Protocol: a request's tensors in, an answer's tensors out.
 *
 * Tensor data is read by a dedicated scanner straight into the matrix that the engine takes; no
 * tree is built. Owner: a data plane thread, which reuses one v2_scratch for all its requests: no
 * allocation on the steady path. Not thread-safe. Source: Open Inference Protocol, REST; Triton's
 * binary tensor extension. Not here: HTTP, routing, engines.
 */
#ifndef RUNTIME_V2_H
#define RUNTIME_V2_H

#include "core/buf.h"
#include "core/err.h"
#include "core/manifest.h"
#include "runtime/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define V2_DEPTH_MAX 32
#define V2_ROWS_MAX 1000000
#define V2_ID_SIZE 256
#define V2_UNIT_SIZE 256

/* Buffers that outlive a request; zero-initialise, v2_scratch_release() at the end. */
struct v2_tensor;
struct v2_scratch {
	void *data;
	size_t data_size;
	struct v2_tensor *tensors; /* private, as is the rest */
	size_t tensor_capacity;
	size_t *columns;
	size_t column_capacity;
};
void v2_scratch_release(struct v2_scratch *s);

struct v2_request {
	char id[V2_ID_SIZE];     /* "" when none was given */
	char unit[V2_UNIT_SIZE]; /* parameter `unit`; "" when none was given */
	size_t unit_size;
	struct matrix rows; /* in the scratch; valid until its next use */
	bool tensor_per_feature;
	bool want_predict, want_raw;     /* the outputs asked for; predict when none is named */
	bool raw_first;                  /* raw_score was asked for before predict */
	bool binary_predict, binary_raw; /* answered as bytes behind the JSON */
};

/*
 * Reads a request before its version is known: only the routing facts, cheaply (the parameter
 * `unit`). unit[V2_UNIT_SIZE] is "" when there is none. Never fails: a malformed body is
 * v2_parse()'s to report.
 */
void v2_peek_unit(const char *body, size_t json_size, char *unit, size_t *unit_size);

/*
 * Reads a whole request for a version with this manifest. json_size is the length of the JSON part
 * (`Inference-Header-Content-Length`, or size). Takes one [rows, features] tensor (any input name
 * will do; [features] is one row) or one tensor a feature (matched by name, in any order, [rows] or
 * [rows,1]). A json_size of 0 before a body means that the body is the one tensor's bytes, in the
 * manifest's datatype. FP32, FP64, FP16, BOOL and all integers are taken; null is NaN. ERR_INPUT
 * with a sentence that names what is wrong: `expected 14 features a row, got 13`.
 */
int v2_parse(const struct manifest *manifest, const struct prediction_kind *kind, const char *body,
	     size_t size, size_t json_size, struct v2_scratch *scratch, struct v2_request *request,
	     struct err *e);

/* Writes the answer. json_size gets the length of the JSON part; equal to out->size without binary
 * parts. Outputs: `predict` [rows, output_count] and `raw_score` [rows, raw_count], in the
 * manifest's datatypes. */
void v2_write(struct buf *out, const char *model, uint32_t version, const struct manifest *manifest,
	      const struct prediction_kind *kind, const struct v2_request *request,
	      const double *output, const double *raw, size_t *json_size);

/* {"name","versions","platform","inputs","outputs"} of a model. */
void v2_write_metadata(struct buf *out, const char *model, const uint32_t *versions,
		       size_t version_count, const struct manifest *manifest);

/* A JSON string with quotes, escaped; bytes that are not UTF-8 become U+FFFD. */
void v2_write_string(struct buf *out, const char *text);

#endif
