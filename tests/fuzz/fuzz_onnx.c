/* fuzz_onnx: libFuzzer target; what mldeck itself reads of an ONNX file: its form, shapes,
 * operators, and the names of features. ONNX Runtime's own reader is not in it. corpus:
 * tests/fixtures/onnx */
#include "runtime/engine/engine_onnx.h"
#include "runtime/engine/onnx_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_names(const uint8_t *data, size_t size)
{
	size_t count = size == 0 ? 0 : data[0] % 8;
	char *text = malloc(size + 1), **names;

	if (text == NULL)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	names = onnx_feature_names(text + (size > 0), count);
	for (size_t i = 0; names != NULL && i < count; i++)
		free(names[i]);
	free(names);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[32];
	struct err e;

	onnx_file_detect(data, size);
	onnx_file_check(data, size, &e);
	onnx_file_shaped(data, size, "x");
	onnx_file_operator(data, size, "y", name, sizeof name);
	read_names(data, size);
	return 0;
}
