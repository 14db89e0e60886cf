/*
 * fuzz_table: libFuzzer target; any text as a query, a CSV or a JSON body of a made-up model, and
 * its answer.
 *
 * The first byte chooses the manifest, the second what the text is and the form of the answer.
 */
#include "core/csv.h"
#include "core/scan.h"
#include "runtime/protocol/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *names[] = {"a", "format", "c"};
static struct tensor_spec matrix_inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec named_inputs[] = {{"s", "BYTES", 1, {-1}}, {"n", "INT8", 2, {-1, 1}}, {"b", "BOOL", 1, {-1}}};
static const struct manifest manifests[] = {
    {.input_count = 1,
     .output_count = 1,
     .inputs = matrix_inputs,
     .outputs = matrix_inputs,
     .feature_count = 3,
     .feature_names = names},
    {.input_count = 3, .output_count = 3, .inputs = named_inputs, .outputs = named_inputs},
};
#define MANIFESTS (sizeof manifests / sizeof *manifests)
static const struct engine engine = {.name = "any"};
static const struct prediction_kind kinds[MANIFESTS] = {{.output = 0, .column = PREDICTION_ARGMAX, .class_count = 3},
							{.output = PREDICTION_NONE}};

enum source { SOURCE_QUERY, SOURCE_CSV, SOURCE_JSON, SOURCES };

static void check(bool good)
{
	if (!good)
		abort();
}

/* Names and values with = and & between them. */
static int read_query(struct table_request *t, const struct infer_version *version, char *text, struct err *e)
{
	char *rest = text, *one;
	while ((one = strsep(&rest, "&")) != NULL) {
		char *value = strchr(one, '=');
		if (value != NULL)
			*value++ = '\0';
		enum table_option option = table_option(version->columns, one);
		if (option == TABLE_OPTION_COUNT
			? table_put(t, one, value, e) != 0
			: value != NULL && table_set(t, option, version->manifest, value, e) != 0)
			return -1;
	}
	return table_put_end(t, e);
}

static int read_text(enum source source, struct table_request *t, const struct infer_version *version, char *text,
		     size_t size, struct err *e)
{
	bool json;
	check(table_body_is_json(NULL, text, size, &json, e) == 0);
	switch (source) {
	case SOURCE_QUERY:
		return read_query(t, version, text, e);
	case SOURCE_CSV:
		return table_read_csv(t, text, size, e);
	default:
		return table_read_json(t, text, size, e);
	}
}

/* As many lines as a header and the rows; JSON that reads as such. */
static void check_answer(const struct table_request *t, const struct buf *out)
{
	struct scan s;
	struct csv csv;
	size_t lines = 0;

	if (t->format == TABLE_JSON) {
		scan_init(&s, out->data, out->size, 8);
		check(scan_skip(&s, NULL) && scan_end(&s));
	} else if (t->format == TABLE_CSV) {
		csv_init(&csv);
		check(csv_feed(&csv, out->data, out->size, true, NULL) == 0);
		while (csv_next(&csv, NULL) == CSV_RECORD)
			lines++;
		check(lines == t->rows.count + 1);
		csv_release(&csv);
	}
}

/* Answers with the inputs themselves. */
static void answer(const struct table_request *t, const struct infer_version *version, struct inference *inference)
{
	struct buf out;
	struct err e;

	inference_want(inference, 0); /* as what is counted is */
	for (size_t i = 0; i < inference->output_count; i++)
		inference->outputs[i].tensor = inference->inputs[inference->outputs[i].spec];
	buf_init(&out);
	if (table_write(&out, t, version, inference, &e) == 0)
		check_answer(t, &out);
	else
		check(e.code == ERR_INPUT && t->format == TABLE_TEXT);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	static struct columns *columns[MANIFESTS];
	struct inference inference;
	struct table_request request;
	struct err e;

	if (size < 2)
		return 0;
	size_t chosen = data[0] % MANIFESTS;
	if (columns[chosen] == NULL)
		columns[chosen] = columns_new(&manifests[chosen], "m", NULL);
	const struct infer_version version = {"m", 1, &engine, &manifests[chosen], columns[chosen], &kinds[chosen]};
	enum source source = (enum source)(data[1] % SOURCES);
	/* Of exactly its size, so that the address checks see a byte read too far; a query ends
	 * with NUL. */
	size_t text_size = size - 2;
	char *text = calloc(1, text_size + (source == SOURCE_QUERY || text_size == 0));
	check(text != NULL);
	memcpy(text, data + 2, text_size);
	arena_reset(&arena);
	check(inference_begin(&inference, &manifests[chosen], &arena, &e) == 0 &&
	      table_begin(&request, &version, &inference, &e) == 0);
	e = (struct err){0};
	if (read_text(source, &request, &version, text, text_size, &e) == 0 &&
	    table_end(&request, &version, &inference, (enum table_format)(data[1] / SOURCES % TABLE_FORMAT_COUNT),
		      &e) == 0)
		answer(&request, &version, &inference);
	else
		check((e.code == ERR_INPUT || e.code == ERR_TOO_LARGE) && e.text[0] != '\0');
	free(text);
	return 0;
}
