/*
 * v2: bodies of the Open Inference Protocol: a request's tensors in, an answer's tensors out.
 *
 * Tensor data is read by a dedicated scanner straight into the tensors that the engine takes; no
 * tree is built. All memory is the inference's arena: no allocation on the steady path. Source: Open
 * Inference Protocol, REST; Triton's binary tensor extension. Not here: HTTP, routing, engines.
 */
#ifndef RUNTIME_V2_H
#define RUNTIME_V2_H

#include "core/buf.h"
#include "core/err.h"
#include "core/manifest.h"
#include "runtime/engine/engine.h"
#include "core/v2_tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define V2_ID_SIZE 256
#define V2_UNIT_SIZE 256

/* One output of the answer, in the order that was asked for. */
struct v2_output {
	size_t spec;        /* index in the manifest's outputs */
	bool binary;        /* answered as bytes behind the JSON */
	size_t class_count; /* not 0: answered as the greatest so many of a row, see v2_classify() */
};

struct v2_request {
	char id[V2_ID_SIZE];     /* "" when none was given */
	char unit[V2_UNIT_SIZE]; /* parameter `unit`; "" when none was given */
	size_t unit_size;
	size_t output_count;
	struct v2_output *outputs; /* in the arena */
};

/*
 * Reads a request before its version is known: only the routing facts, cheaply (the parameter
 * `unit`). unit[V2_UNIT_SIZE] is "" when there is none. Never fails: a malformed body is
 * v2_parse()'s to report.
 */
void v2_peek_unit(const char *body, size_t json_size, char *unit, size_t *unit_size);
/* Passes the value of `parameters`, for a protocol that takes only the unit from it: ERR_INPUT where that is none. */
int v2_check_unit(struct scan *s, struct err *e);

/*
 * Reads a whole request for a version of this engine into an inference that was begun with its
 * manifest: fills request, and of the inference the inputs and which outputs are wanted. json_size is the length of the
 * JSON part (`Inference-Header-Content-Length`, or size). The inputs are matched by name to the
 * manifest's, with their datatype (or one that v2_convertible() lets in) and shape. A tabular
 * engine takes one [rows, features] tensor (any name will do; [features] is one row) or one tensor a
 * feature (matched by name, in any order, [rows] or [rows,1]). A json_size of 0 before a body means
 * that the body is the one input's bytes, in the manifest's datatype. null is NaN. ERR_INPUT with a
 * sentence that names what is wrong: `expected 14 features a row, got 13`.
 */
int v2_parse(const struct engine *engine, const char *body, size_t size, size_t json_size, struct v2_request *request,
	     struct inference *inference, struct err *e);

/* Writes the answer. json_size gets the length of the JSON part; equal to what was written without
 * binary parts. */
void v2_write(struct buf *out, const char *model, uint32_t version, const struct v2_request *request,
	      struct inference *inference, size_t *json_size);

/* {"name","versions","platform","inputs","outputs"} of a model, whose versions are 1 to version_count. */
void v2_write_metadata(struct buf *out, const char *model, size_t version_count, const struct manifest *manifest);

/* Triton's model configuration. Where every input and output has a first dimension of any size, that is the batch:
 * max_batch_size is the limit of rows and the dims go without it. */
void v2_write_config(struct buf *out, const char *model, const struct manifest *manifest);

/* Triton's classification: of each row the class_count greatest values, greatest first, as BYTES "VALUE:INDEX" of
 * shape [rows, classes]. A row is what lies behind the first dimension. The memory is the arena's; -1 when it is out
 * (private to v2*.c, as is the next). */
int v2_classify(const struct tensor *values, size_t class_count, struct arena *arena, struct tensor *classes);
/* Fills the inference's inputs from tensors. */
int v2_bind(const struct engine *engine, struct v2_tensor *tensors, size_t count, struct inference *inference,
	    struct err *e);

#endif
