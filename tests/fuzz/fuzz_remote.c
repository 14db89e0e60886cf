/*
 * fuzz_remote: libFuzzer target; what another V2 server sends, and the descriptor that names it.
 *
 * The first byte chooses: 0 a descriptor, 1 a model's metadata, 2 an error's body, else an answer
 * with as many bytes of binary part at its end as the second byte says, of a model whose outputs
 * have every kind of datatype.
 */
#include "runtime/engine/remote_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tensor_spec inputs[] = {{"x", "FP32", 2, {-1, 1}}};
static struct tensor_spec outputs[] = {{"a", "FP64", 2, {-1, 2}}, {"b", "BYTES", 1, {-1}}, {"c", "INT64", 2, {-1, -1}},
				       {"d", "FP16", 0, {0}},     {"e", "BOOL", 1, {2}},   {"f", "UINT8", 1, {-1}}};
static const struct manifest manifest = {
    .inputs = inputs, .input_count = 1, .outputs = outputs, .output_count = sizeof outputs / sizeof *outputs};

static void check(bool good)
{
	if (!good)
		abort();
}

/* What was taken is written, and read again as the same. */
static void descriptor(const char *text, size_t size)
{
	struct remote r, again;
	struct buf first, second;
	struct err e = {0};

	remote_detect(text, size);
	if (remote_read(text, size, &r, &e) != 0) {
		check(e.code == ERR_INPUT && e.text[0] != '\0');
		return;
	}
	check(strchr(r.url, '?') == NULL && remote_url_base(r.url) > 0);
	buf_init(&first);
	buf_init(&second);
	check(remote_write(&r, &first, &e) == 0 && remote_detect(first.data, first.size));
	check(remote_read(first.data, first.size, &again, &e) == 0 && remote_write(&again, &second, &e) == 0);
	check(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
	buf_release(&first);
	buf_release(&second);
	remote_release(&again);
	remote_release(&r);
}

/* A manifest that was made can be kept and read again. */
static void metadata(const char *text, size_t size)
{
	struct remote r;
	struct manifest m, again;
	struct prediction_kind kind;
	struct err e = {0};
	cJSON *json = size == 0 ? NULL : cJSON_ParseWithLength(text, size);

	remote_init(&r);
	manifest_init(&m);
	if (remote_describe(&r, json, json, &m, &e) == 0) {
		memset(m.sha256, '0', sizeof m.sha256 - 1);
		remote_kind(&m, &kind);
		check(kind.output == PREDICTION_NONE || kind.output < m.output_count);
		cJSON *kept = manifest_to_json(&m);
		check(manifest_from_json(&again, kept, &e) == 0);
		check(remote_takes_binary(&m) == remote_takes_binary(&again));
		cJSON_Delete(kept);
		manifest_release(&again);
	} else {
		check(e.code == ERR_UPSTREAM && e.text[0] != '\0');
	}
	manifest_release(&m);
	remote_release(&r);
	cJSON_Delete(json);
}

static void refusal(const char *text, size_t size)
{
	struct fetch_answer answer = {.status = 500};
	struct err e = {0};

	buf_init(&answer.body);
	buf_add(&answer.body, text, size);
	check(remote_refusal("http://h/v2/models/m", &answer, &e) == -1 && e.code == ERR_UPSTREAM);
	buf_release(&answer.body);
}

static void answer(const char *text, size_t size, size_t binary_size)
{
	struct arena arena = {0};
	struct inference inference;
	struct err e = {0};
	float x = 1;
	char *body = malloc(size + (size == 0));

	check(body != NULL && inference_begin(&inference, &manifest, &arena, &e) == 0);
	memcpy(body, text, size);
	inference.inputs[0] =
	    (struct tensor){.datatype = DATATYPE_FP32, .rank = 2, .shape = {1, 1}, .count = 1, .data = &x};
	/* Each on its own, so that one that is missing hides no other. */
	for (size_t i = 0; i < manifest.output_count; i++) {
		inference.output_count = 0;
		inference_want(&inference, i);
		if (remote_answer_read(&inference, i % 2 == 1, "u", body, size, size - binary_size, &e) != 0) {
			check((e.code == ERR_UPSTREAM || e.code == ERR_MEMORY) && e.text[0] != '\0');
			continue;
		}
		const struct tensor *t = &inference.outputs[0].tensor;
		check(strcmp(datatype_name(t->datatype), outputs[i].datatype) == 0);
		check(t->rank == outputs[i].dimension_count);
		for (size_t k = 0; t->datatype == DATATYPE_BYTES && k < t->count; k++) {
			const struct bytes *s = &((const struct bytes *)t->data)[k];
			volatile char last = s->size == 0 ? 0 : s->data[s->size - 1];
			(void)last;
		}
		for (size_t k = 0; t->datatype != DATATYPE_BYTES && k < t->count; k++)
			tensor_double(t, k);
	}
	arena_release(&arena);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const char *text = (const char *)data + 2;
	size_t left = size - 2;
	switch (data[0] % 8) {
	case 0:
		descriptor(text, left);
		break;
	case 1:
		metadata(text, left);
		break;
	case 2:
		refusal(text, left);
		break;
	default:
		answer(text, left, data[1] < left ? data[1] : left);
		break;
	}
	return 0;
}
