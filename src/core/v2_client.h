/*
 * v2_client: the two bodies of a prediction as a client of the Open Inference Protocol sees them.
 *
 * Pure; any thread. Tensors travel as bytes behind the JSON (Triton's binary tensor extension) where the server takes
 * them, so that they arrive exactly as they left. Not here: the exchange itself (fetch), the server's side
 * (runtime/v2).
 */
#ifndef CORE_V2_CLIENT_H
#define CORE_V2_CLIENT_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/manifest.h"
#include "core/v2_tensor.h"

struct v2_named {
	const char *name;
	struct tensor tensor;
};

/* The request for tensors[manifest->input_count]; outputs[output_count] are asked for by name, or the server's
 * choice with none. binary: as bytes, there and back. json_size: what Inference-Header-Content-Length says. Memory:
 * check out->failed. */
void v2_client_write(struct buf *out, const struct manifest *manifest, const struct tensor *tensors,
		     const char *const *outputs, size_t output_count, bool binary, size_t *json_size);
/* The `outputs` of an answer whose JSON is next; s is behind it then. Their data is not looked at yet. ERR_INPUT says
 * what is wrong with it. */
int v2_client_outputs(struct scan *s, struct arena *arena, struct v2_tensor **tensors, size_t *count, struct err *e);
/* An answer of status 200, its JSON and the bytes behind it, into the arena; the body is borrowed as long as the
 * tensors are used. ERR_UPSTREAM when it is no such answer. */
int v2_client_read(const char *body, size_t size, struct arena *arena, struct v2_named **outputs, size_t *output_count,
		   struct err *e);
/* The sentence of any other answer: its {"error": ...}, or that there is none. */
int v2_client_refused(const char *body, size_t size, int status, struct err *e);

#endif
