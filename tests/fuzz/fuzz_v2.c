/*
 * fuzz_v2: libFuzzer target; parses any body for a made-up manifest and answers it.
 *
 * The first byte chooses the manifest, the second how many bytes at the end are the binary part.
 */
#include "core/scan.h"
#include "runtime/protocol/v2.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *names[] = {"a", "b", "c"};
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}}, {"raw_score", "FP32", 2, {-1, 1}}};

static void check(bool good)
{
	if (!good)
		abort();
}

static struct tensor_spec any_inputs[] = {{"a", "FP16", 1, {-1}},         {"b", "INT8", 2, {-1, 2}},
					  {"c", "BYTES", 1, {-1}},        {"d", "BOOL", 0, {0}},
					  {"e", "UINT64", 3, {1, -1, 1}}, {"f", "BF16", 1, {2}}};
static const struct manifest table = {.input_count = 1,
				      .output_count = 2,
				      .inputs = inputs,
				      .outputs = outputs,
				      .feature_count = 3,
				      .feature_names = names};
static const struct manifest lone = {
    .input_count = 1, .output_count = 1, .inputs = inputs, .outputs = outputs, .feature_count = 1};
static const struct manifest several = {.input_count = 6, .output_count = 2, .inputs = any_inputs, .outputs = outputs};
static const struct manifest text = {.input_count = 1, .output_count = 2, .inputs = &any_inputs[2], .outputs = outputs};
static const struct manifest *const manifests[] = {&table, &lone, &several, &text};
static const struct engine tabular = {.tabular = true, .default_outputs = 1}, any = {.name = "any"};

/* Answers with the inputs themselves; the JSON part must read as JSON. */
static void answer(const struct v2_request *request, struct inference *inference)
{
	size_t json_size;
	struct buf out;
	struct scan s;

	for (size_t i = 0; i < inference->output_count; i++)
		inference->outputs[i].tensor = inference->inputs[i % inference->manifest->input_count];
	buf_init(&out);
	v2_write(&out, "m\"", 7, request, inference, &json_size);
	scan_init(&s, out.data, json_size, V2_DEPTH_MAX);
	check(scan_skip(&s, NULL) && scan_end(&s));
	buf_release(&out);
}

/* Every input has its memory, and all of it can be read. */
static void check_inputs(const struct inference *inference)
{
	double sum = 0;
	for (size_t i = 0; i < inference->manifest->input_count; i++) {
		const struct tensor *t = &inference->inputs[i];
		check(t->data != NULL);
		for (size_t k = 0; k < t->count; k++)
			sum += t->datatype == DATATYPE_BYTES ? (double)((const struct bytes *)t->data)[k].size
							     : tensor_double(t, k);
	}
	check(sum == sum || sum != sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	static struct v2_request request;
	struct inference inference;
	char unit[V2_UNIT_SIZE];
	size_t unit_size;
	struct err e;

	if (size < 2)
		return 0;
	const struct manifest *manifest = manifests[data[0] & 3];
	const struct engine *engine = manifest == &table || manifest == &lone ? &tabular : &any;
	size_t binary_size = data[1], body_size = size - 2;
	if (binary_size > body_size)
		binary_size = body_size;
	/* Of exactly its size, so that the address checks see a byte read too far. */
	char *body = malloc(body_size + (body_size == 0));
	check(body != NULL);
	memcpy(body, data + 2, body_size);
	v2_peek_unit(body, body_size - binary_size, unit, &unit_size);
	check(unit_size < sizeof unit && unit[unit_size] == '\0');
	e.code = ERR_NONE;
	arena_reset(&arena);
	check(inference_begin(&inference, manifest, &arena, &e) == 0);
	if (v2_parse(engine, body, body_size, body_size - binary_size, &request, &inference, &e) == 0) {
		check_inputs(&inference);
		answer(&request, &inference);
	} else {
		check(e.code == ERR_INPUT && e.text[0] != '\0');
	}
	free(body);
	return 0;
}
