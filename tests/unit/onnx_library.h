/* The ONNX Runtime library that tests use, or NULL: then they skip. */
#ifndef TESTS_ONNX_LIBRARY_H
#define TESTS_ONNX_LIBRARY_H

#include "runtime/engine/ort.h"

#include <stdlib.h>
#include <unistd.h>

/* $MLDECK_TEST_ONNXRUNTIME, else the system's, else what scripts/setup fetched. */
static inline const char *onnx_library(void)
{
	const char *given = getenv("MLDECK_TEST_ONNXRUNTIME");
	const char *fetched = "build/onnxruntime/libonnxruntime.so";
	struct err e;

	if (given != NULL)
		return given;
	if (ort_open(NULL, &e) != NULL)
		return "";
	return access(fetched, R_OK) == 0 ? fetched : NULL;
}

#endif
