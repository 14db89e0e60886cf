/*
 * tensor_spec: one named input or output of a model: what a tensor must be to stand for it.
 *
 * A plain value, constant once its manifest is. Not here: tensors themselves (tensor), how a body names them (v1, v2).
 */
#ifndef CORE_TENSOR_SPEC_H
#define CORE_TENSOR_SPEC_H

#include "core/err.h"
#include "core/tensor.h"

#define TENSOR_NAME_SIZE 128
#define MANIFEST_DIMENSIONS_MAX 8

/* A dimension of -1 is of any size. */
struct tensor_spec {
	char name[TENSOR_NAME_SIZE];
	char datatype[8]; /* a V2 name: "FP64", "FP32", "INT64", "BYTES" ... */
	size_t dimension_count;
	int64_t dimensions[MANIFEST_DIMENSIONS_MAX];
};

/* DATATYPE_COUNT for a name that is none. */
enum datatype tensor_spec_type(const struct tensor_spec *spec);
bool tensor_spec_fits(const struct tensor_spec *spec, const int64_t *shape, size_t rank);
/* Says, as an input's fault, what shape there is and what the model takes. */
int tensor_spec_refuse(const struct tensor_spec *spec, const int64_t *shape, size_t rank, struct err *e);

/* At most TENSOR_ROWS_MAX. */
int tensor_rows_check(int64_t rows, struct err *e);

/* The place of that name among several; count: there is none. */
size_t tensor_specs_find(const struct tensor_spec *specs, size_t count, const char *name);
/* "there is no output `x`; the model has `predict` and `raw_score`" */
int tensor_specs_refuse_output(const struct tensor_spec *specs, size_t count, const char *name, struct err *e);

#endif
