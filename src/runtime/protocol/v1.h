/*
 * v1: bodies of TensorFlow Serving's and KServe's first protocol: instances or inputs in,
 * predictions or outputs out.
 *
 * `instances` is a list with a row each: a value, a list, or an object by the names of inputs or of
 * columns. `inputs` has whole tensors: one value or list, or an object by those names; as a list of
 * objects it is rows too, as KServe means it. NaN, Infinity and -Infinity are numbers, {"b64":
 * "..."} is bytes. Shapes are those of the lists; a dimension of 1 at the end may be left out or be
 * too many. All memory is the inference's arena. Source: TensorFlow Serving, RESTful API; KServe,
 * data plane V1. Not here: HTTP, labels, which version answers (protocol_v1), datatypes and
 * elements (v2_tensor).
 */
#ifndef RUNTIME_V1_H
#define RUNTIME_V1_H

#include "core/buf.h"
#include "core/columns.h"
#include "core/err.h"
#include "runtime/engine/engine.h"

#include <stdbool.h>
#include <stddef.h>

#define V1_SIGNATURE "serving_default"

/* Who is asked. */
struct v1_model {
	const struct engine *engine;
	const struct columns *columns; /* NULL: inputs are named only as a whole */
};

struct v1_request {
	bool by_row;         /* `instances`: answered with `predictions` */
	size_t row_count;    /* where by_row */
	size_t output_count; /* the inference's first so many are answered: the same as V2's default */
};

/* Reads a body into an inference that was begun: its inputs and what is wanted. ERR_INPUT with a
 * sentence. */
int v1_parse(const struct v1_model *model, const char *body, size_t size, struct v1_request *request,
	     struct inference *inference, struct err *e);
/* Writes the answer. ERR_INPUT where rows were asked for and an output has no value a row; then out
 * is as before. */
int v1_write(struct buf *out, const struct v1_model *model, const struct v1_request *request,
	     struct inference *inference, struct err *e);
/* {"model_spec", "metadata"}: the signature in TensorFlow's words; model as it is named. */
void v1_write_metadata(struct buf *out, const char *model, uint32_t version, const struct manifest *manifest);

#endif
