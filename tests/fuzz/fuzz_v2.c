/*
 * fuzz_v2: libFuzzer target; parses any body for a made-up manifest and answers it.
 *
 * The first byte chooses the manifest, the second how many bytes at the end are the binary part.
 */
#include "core/scan.h"
#include "runtime/v2.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *names[] = {"a", "b", "c"};
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}},
				       {"raw_score", "FP32", 2, {-1, 1}}};

static void check(bool good)
{
	if (!good)
		abort();
}

/* Answers with the request's own first columns; the JSON part must read as JSON. */
static void answer(const struct manifest *manifest, const struct prediction_kind *kind,
		   const struct v2_request *request)
{
	size_t count = request->rows.rows, json_size;
	double *values = calloc(count, sizeof *values);
	struct buf out;
	struct scan s;

	check(values != NULL && request->rows.columns == manifest->feature_count && count > 0);
	for (size_t i = 0; i < count; i++)
		values[i] =
		    request->rows.float32
			? (double)((const float *)request->rows.data)[i * request->rows.columns]
			: ((const double *)request->rows.data)[i * request->rows.columns];
	buf_init(&out);
	v2_write(&out, "m\"", 7, manifest, kind, request, values, values, &json_size);
	scan_init(&s, out.data, json_size, V2_DEPTH_MAX);
	check(scan_skip(&s, NULL) && scan_end(&s));
	buf_release(&out);
	free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct v2_scratch scratch;
	static struct v2_request request;
	const struct prediction_kind kind = {.output_count = 1,
					     .raw_count = size > 0 && (data[0] & 4) == 0};
	struct manifest manifest = {.input_count = 1,
				    .output_count = 2,
				    .inputs = inputs,
				    .outputs = outputs,
				    .feature_count = 3,
				    .feature_names = names};
	char unit[V2_UNIT_SIZE];
	size_t unit_size;
	struct err e;

	if (size < 2)
		return 0;
	if ((data[0] & 1) != 0)
		manifest.feature_count = 1;
	if ((data[0] & 2) != 0)
		manifest.feature_names = NULL;
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
	if (v2_parse(&manifest, &kind, body, body_size, body_size - binary_size, &scratch, &request,
		     &e) == 0)
		answer(&manifest, &kind, &request);
	else
		check(e.code == ERR_INPUT && e.text[0] != '\0');
	free(body);
	return 0;
}
