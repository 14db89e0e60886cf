/*
 * v2_tensor: one input of a request, and how all of them become a matrix. Private to v2*.c.
 *
 * Owner: the request's scratch; spans are borrowed from its body.
 */
#ifndef RUNTIME_V2_TENSOR_H
#define RUNTIME_V2_TENSOR_H

#include "core/scan.h"
#include "runtime/v2.h"

#define V2_TENSORS_MAX 65536
#define V2_RANK_MAX 8

enum v2_kind {
	V2_BOOL,
	V2_SIGNED,
	V2_UNSIGNED,
	V2_FLOAT,
};

struct v2_type {
	const char *name;
	enum v2_kind kind;
	size_t width; /* bytes of an element */
};

struct v2_tensor {
	struct scan_span name;
	const struct v2_type *type;
	size_t rank;
	uint64_t shape[V2_RANK_MAX]; /* none is 0 */
	size_t count;                /* elements by the shape */
	const char *body;            /* where the JSON starts */
	struct scan_span data;       /* at == NULL: none; not checked yet */
	bool binary;
	uint64_t binary_size;
	const char *bytes; /* of the binary part */
};

/* What a sentence calls a tensor: its name, cut. */
struct v2_label {
	char text[64];
};
struct v2_label v2_tensor_label(const struct v2_tensor *t);

const struct v2_type *v2_type_find(const char *name);
/* Reads one element of `inputs`. */
int v2_tensor_read(struct scan *s, struct v2_tensor *t, struct err *e);

/* The data again, with places counted from the body's start. */
struct scan v2_tensor_scan(const struct v2_tensor *t);

/* Where the elements of a tensor go: to data[i * stride]. */
struct v2_target {
	void *data;
	bool float32;
	size_t stride;
};
/* Converts all elements of a tensor whose shape was checked. */
int v2_tensor_store(const struct v2_tensor *t, const struct v2_target *target, struct err *e);

/* Fills request->rows from the tensors in the scratch. */
int v2_matrix(const struct manifest *manifest, struct v2_scratch *scratch, size_t tensor_count,
	      struct v2_request *request, struct err *e);
/* Room for size bytes in scratch->data. */
int v2_scratch_reserve(struct v2_scratch *scratch, size_t size, struct err *e);
/* The name of a feature, or NULL where the manifest has none. */
const char *v2_feature_name(const struct manifest *manifest, size_t feature);

#endif
