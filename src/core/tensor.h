/*
 * tensor: a typed run of values with a shape, and the datatypes there are.
 *
 * A plain value: whoever made a tensor owns its data (of a request: the request's arena). Elements lie row-major
 * in the machine's byte order; an element of BYTES is a struct bytes that points elsewhere. FP16 and BF16 are
 * kept as their 16 bits.
 * Source of the names: Open Inference Protocol, REST; BF16 is Triton's.
 * Not here: JSON and wire forms (v2), what a model takes (manifest).
 */
#ifndef CORE_TENSOR_H
#define CORE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TENSOR_RANK_MAX 8
#define TENSOR_ROWS_MAX 1000000 /* of a request */

enum datatype_kind { KIND_BOOL, KIND_UNSIGNED, KIND_SIGNED, KIND_FLOAT, KIND_BYTES };

/* name, kind, bytes of an element on the wire (0: each has its own) */
#define DATATYPES(X)           \
	X(BOOL, BOOL, 1)       \
	X(UINT8, UNSIGNED, 1)  \
	X(UINT16, UNSIGNED, 2) \
	X(UINT32, UNSIGNED, 4) \
	X(UINT64, UNSIGNED, 8) \
	X(INT8, SIGNED, 1)     \
	X(INT16, SIGNED, 2)    \
	X(INT32, SIGNED, 4)    \
	X(INT64, SIGNED, 8)    \
	X(FP16, FLOAT, 2)      \
	X(BF16, FLOAT, 2)      \
	X(FP32, FLOAT, 4)      \
	X(FP64, FLOAT, 8)      \
	X(BYTES, BYTES, 0)

enum datatype {
#define X(name, kind, width) DATATYPE_##name,
	DATATYPES(X)
#undef X
	    DATATYPE_COUNT /* also: none */
};

/* An element of BYTES: any bytes, NUL among them. */
struct bytes {
	const char *data;
	size_t size;
};

struct tensor {
	enum datatype datatype;
	size_t rank;
	int64_t shape[TENSOR_RANK_MAX]; /* each at least 0 */
	size_t count;                   /* elements: the product of the shape; 1 for rank 0 */
	void *data;                     /* [count] */
};

const char *datatype_name(enum datatype type);
/* DATATYPE_COUNT for a name that is none. size: of the text, which need not end with NUL. */
enum datatype datatype_find(const char *name, size_t size);
enum datatype_kind datatype_kind(enum datatype type);
/* Bytes of an element on the wire; 0 for BYTES. */
size_t datatype_wire_size(enum datatype type);
/* Bytes of an element in memory. */
size_t datatype_size(enum datatype type);

/* The product of a shape; false when it overflows or data of it could not be addressed. */
bool tensor_count(const int64_t *shape, size_t rank, size_t *count);

/* "[2, 14]" for a sentence. */
#define TENSOR_SHAPE_SIZE (TENSOR_RANK_MAX * 22 + 3)
void tensor_shape_text(const int64_t *shape, size_t rank, char text[TENSOR_SHAPE_SIZE]);

/* Element i as a double (BOOL: 0 or 1; BYTES: NaN). Integers past 2^53 are rounded. */
double tensor_double(const struct tensor *t, size_t i);

/* IEEE 754 binary16 and bfloat16. Narrowing rounds to nearest, ties to even; too large becomes infinity. */
double half_to_double(uint16_t bits);
uint16_t double_to_half(double value);
double bfloat_to_double(uint16_t bits);
uint16_t double_to_bfloat(double value);

#endif
