/*
 * fuzz_v1: libFuzzer target; parses any V1 body for a made-up manifest and answers it.
 *
 * The first byte chooses the manifest.
 */
#include "core/scan.h"
#include "core/v2_tensor.h"
#include "runtime/protocol/v1.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *names[] = {"a", "b", "c"};
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec any_inputs[] = {
    {"a", "BYTES", 1, {-1}}, {"b", "INT8", 2, {-1, 2}}, {"c", "FP32", 2, {-1, 1}}, {"d", "BOOL", 1, {-1}}};
static struct tensor_spec deep_inputs[] = {{"a", "FP16", 4, {-1, 2, -1, 1}}};
static struct tensor_spec text_inputs[] = {{"t_bytes", "BYTES", 1, {-1}}};
static struct tensor_spec scalar_inputs[] = {{"x", "UINT64", 0, {0}}};
static const struct manifest manifests[] = {
    {.input_count = 1,
     .output_count = 1,
     .inputs = inputs,
     .outputs = inputs,
     .feature_count = 3,
     .feature_names = names},
    {.input_count = 4, .output_count = 4, .inputs = any_inputs, .outputs = any_inputs},
    {.input_count = 1, .output_count = 1, .inputs = deep_inputs, .outputs = deep_inputs},
    {.input_count = 1, .output_count = 1, .inputs = text_inputs, .outputs = text_inputs},
    {.input_count = 1, .output_count = 1, .inputs = scalar_inputs, .outputs = scalar_inputs},
};
#define MANIFESTS (sizeof manifests / sizeof *manifests)
static const struct engine tabular = {.tabular = true, .default_outputs = 1}, any = {.name = "any"};

static void check(bool good)
{
	if (!good)
		abort();
}

/* Answers with the inputs themselves, which must read as JSON. */
static void answer(const struct v1_model *model, const struct v1_request *request, struct inference *inference)
{
	struct buf out;
	struct scan s;
	struct err e;

	for (size_t i = 0; i < inference->output_count; i++)
		inference->outputs[i].tensor = inference->inputs[i];
	buf_init(&out);
	if (v1_write(&out, model, request, inference, &e) == 0) {
		scan_init(&s, out.data, out.size, V2_DEPTH_MAX);
		s.lenient = true;
		check(scan_skip(&s, NULL) && scan_end(&s));
	} else {
		check(e.code == ERR_INPUT && out.size == 0);
	}
	buf_release(&out);
}

/* Shapes and elements agree, and all of it can be read. */
static void check_inputs(const struct inference *inference)
{
	double sum = 0;
	for (size_t i = 0; i < inference->manifest->input_count; i++) {
		const struct tensor *t = &inference->inputs[i];
		size_t count;
		check(t->data != NULL && tensor_count(t->shape, t->rank, &count) && count == t->count);
		check(t->rank == inference->manifest->inputs[i].dimension_count);
		for (size_t k = 0; k < t->count; k++)
			sum += t->datatype == DATATYPE_BYTES ? (double)((const struct bytes *)t->data)[k].size
							     : tensor_double(t, k);
	}
	check(sum == sum || sum != sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	static struct columns *columns[MANIFESTS];
	struct inference inference;
	struct v1_request request;
	struct err e;

	if (size < 1)
		return 0;
	size_t chosen = data[0] % MANIFESTS;
	if (columns[chosen] == NULL)
		columns[chosen] = columns_new(&manifests[chosen], "m", NULL);
	const struct v1_model model = {chosen == 0 ? &tabular : &any, columns[chosen]};
	/* Of exactly its size, so that the address checks see a byte read too far. */
	char *body = malloc(size - 1 + (size == 1));
	check(body != NULL);
	memcpy(body, data + 1, size - 1);
	arena_reset(&arena);
	e.code = ERR_NONE;
	check(inference_begin(&inference, &manifests[chosen], &arena, &e) == 0);
	if (v1_parse(&model, body, size - 1, &request, &inference, &e) == 0) {
		check_inputs(&inference);
		answer(&model, &request, &inference);
	} else {
		check(e.code == ERR_INPUT && e.text[0] != '\0');
	}
	free(body);
	return 0;
}
