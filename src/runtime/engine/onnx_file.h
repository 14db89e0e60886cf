/*
 * onnx_file: what an ONNX file tells before ONNX Runtime sees it: whether it is one, whether it is
 * whole, and a few facts that the library does not give away.
 *
 * Pure functions on the caller's bytes, which may be hostile; any thread; nothing is copied or
 * allocated. Limit: messages nest ONNX_DEPTH_MAX deep, as deep as the library itself reads. Source
 * of the numbers: onnx.proto3, whose messages are protobuf. Not here: what the operators mean (ONNX
 * Runtime).
 */
#ifndef RUNTIME_ONNX_FILE_H
#define RUNTIME_ONNX_FILE_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ONNX_DEPTH_MAX 100

/* Whether the bytes look like an ONNX model, by content; one that is cut short inside its graph
 * still does. */
bool onnx_file_detect(const void *data, size_t size);

/* Walks the whole file. ERR_INPUT for one that is cut short or malformed, and for one that keeps
 * weights in other files: those would be read from wherever the file says. */
int onnx_file_check(const void *data, size_t size, struct err *e);

/* Whether the graph declares the shape of this input, with as many dimensions as it likes, also
 * none. The library tells "a scalar" and "any shape" not apart. */
bool onnx_file_shaped(const void *data, size_t size, const char *input);

/* Copies the name of the operator that makes this output of the graph, "Sigmoid"; false when none
 * does. */
bool onnx_file_operator(const void *data, size_t size, const char *output, char *name, size_t name_size);

#endif
