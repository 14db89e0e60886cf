/*
 * v2_tensor: one tensor of a V2 body, on its way in or out: an element of `inputs` or `outputs`.
 *
 * Owner: the caller; spans and bytes are borrowed from the body. Shared by the server (v2) and by
 * those who are clients of one (v2_client, engine_remote).
 */
#ifndef CORE_V2_TENSOR_H
#define CORE_V2_TENSOR_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/scan.h"
#include "core/tensor.h"

#define V2_DEPTH_MAX 32
#define V2_TENSORS_MAX 65536

struct v2_tensor {
	const char *word; /* "input" or "output", for sentences */
	struct scan_span name;
	enum datatype type;
	bool shaped; /* a shape was given; [] is one too */
	size_t rank;
	int64_t shape[TENSOR_RANK_MAX];
	size_t count;          /* elements by the shape */
	const char *body;      /* where the JSON starts */
	struct scan_span data; /* at == NULL: none; not checked yet */
	bool binary;
	uint64_t binary_size;
	const char *bytes; /* of the binary part */
};

/* What a sentence calls a tensor: its name, cut. */
struct v2_label {
	char text[64];
};
struct v2_label v2_tensor_label(const struct v2_tensor *t);

/* Reads one element of the list. */
int v2_tensor_read(struct scan *s, const char *word, struct v2_tensor *t, struct err *e);
/* Reads the list, of word and "s" in sentences, into the arena. */
int v2_tensors_read(struct scan *s, const char *word, struct arena *arena, struct v2_tensor **tensors, size_t *count,
		    struct err *e);
/* Gives each binary tensor its bytes behind the JSON, in the order of the list; all must be used. */
int v2_tensor_share(struct v2_tensor *tensors, size_t count, const char *bytes, size_t size, struct err *e);

/* The data again, with places counted from the body's start. */
struct scan v2_tensor_scan(const struct v2_tensor *t);
/* ERR_INPUT when the data cannot hold as many elements as the shape says: asked before memory is
 * taken for them. */
int v2_tensor_check_count(const struct v2_tensor *t, struct err *e);

/* Where the elements of a tensor go: element i to place i * stride. */
struct v2_target {
	void *data;
	enum datatype type;
	size_t stride;
	struct arena *arena; /* for BYTES, whose escapes are undone there */
};
/* Whether elements of one type may go into another without a loss that the sender did not mean:
 * any number into a float, any integer into an integer that holds it. */
bool v2_convertible(enum datatype from, enum datatype to);
/* Converts all elements of a tensor whose shape was checked. */
int v2_tensor_store(const struct v2_tensor *t, const struct v2_target *target, struct err *e);

/* The same of a binary one (private to v2_tensor*.c). */
int v2_tensor_store_bytes(const struct v2_tensor *t, const struct v2_target *target, struct err *e);

/* Reads the one element that is next into place i; of t only word, name and type count. */
int v2_tensor_store_element(struct scan *s, const struct v2_tensor *t, const struct v2_target *target, size_t i,
			    struct err *e);

/* Writes `{"name":…,"shape":…,"datatype":…,"data":…}`; binary: the size of its bytes instead of data. */
void v2_tensor_write(struct buf *out, const char *name, const struct tensor *t, bool binary);
/* The bytes of a binary tensor, little-endian. */
void v2_tensor_write_bytes(struct buf *out, const struct tensor *t);

/* Element i alone, as it stands in `data`: what is not finite is null. */
void v2_tensor_write_element(struct buf *out, const struct tensor *t, size_t i);

/* A JSON string with quotes, escaped; bytes that are not UTF-8 become U+FFFD. */
void v2_write_text(struct buf *out, const char *text, size_t size);
void v2_write_string(struct buf *out, const char *text);
void v2_write_unsigned(struct buf *out, uint64_t value);

#endif
