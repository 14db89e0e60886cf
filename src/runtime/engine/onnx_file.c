#include "runtime/engine/onnx_file.h"

#include "core/text.h"

#include <stdint.h>
#include <string.h>

/* No version of the format is near it; a varint of something else most often is past it. */
#define IR_VERSION_MAX 1000

/* Bytes that are read from the front. */
struct cursor {
	const uint8_t *at, *end;
};

enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct field {
	uint64_t number;
	unsigned wire;
	uint64_t value;       /* of WIRE_VARINT */
	struct cursor inside; /* of WIRE_BYTES */
};

enum next { NEXT_FIELD, NEXT_END, NEXT_CUT, NEXT_BROKEN };

/* The messages that are walked, by where they are found. */
enum message { MODEL, TRAINING, FUNCTION, GRAPH, NODE, ATTRIBUTE, SPARSE, TENSOR };

static const struct {
	enum message in;
	unsigned number;
	enum message child;
} children[] = {
    {MODEL, 7, GRAPH},       {MODEL, 20, TRAINING},   {MODEL, 25, FUNCTION},     {TRAINING, 1, GRAPH},
    {TRAINING, 2, GRAPH},    {FUNCTION, 7, NODE},     {FUNCTION, 11, ATTRIBUTE}, {GRAPH, 1, NODE},
    {GRAPH, 5, TENSOR},      {GRAPH, 15, SPARSE},     {NODE, 5, ATTRIBUTE},      {ATTRIBUTE, 5, TENSOR},
    {ATTRIBUTE, 6, GRAPH},   {ATTRIBUTE, 10, TENSOR}, {ATTRIBUTE, 11, GRAPH},    {ATTRIBUTE, 22, SPARSE},
    {ATTRIBUTE, 23, SPARSE}, {SPARSE, 1, TENSOR},     {SPARSE, 2, TENSOR},
};

/* Fields that are asked for by number. */
enum {
	MODEL_IR_VERSION = 1,
	MODEL_GRAPH = 7,
	GRAPH_NODE = 1,
	GRAPH_INPUT = 11,
	NODE_OUTPUT = 2,
	NODE_OPERATOR = 4,
	INPUT_NAME = 1,
	INPUT_TYPE = 2,
	TYPE_TENSOR = 1,
	TENSOR_TYPE_SHAPE = 2,
	TENSOR_EXTERNAL_DATA = 13,
	TENSOR_DATA_LOCATION = 14,
	ENTRY_VALUE = 2,
};

static struct cursor cursor_of(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	return (struct cursor){bytes, size == 0 ? bytes : bytes + size};
}

static enum next read_varint(struct cursor *c, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (c->at == c->end)
			return NEXT_CUT;
		uint8_t byte = *c->at++;
		if (shift < 64)
			*value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return NEXT_FIELD;
	}
	return NEXT_BROKEN;
}

static enum next skip_bytes(struct cursor *c, uint64_t size)
{
	if (size > (uint64_t)(c->end - c->at))
		return NEXT_CUT;
	c->at += size;
	return NEXT_FIELD;
}

static enum next next_field(struct cursor *c, struct field *f)
{
	uint64_t tag, size;
	enum next got;

	if (c->at == c->end)
		return NEXT_END;
	got = read_varint(c, &tag);
	if (got != NEXT_FIELD)
		return got;
	f->number = tag >> 3;
	f->wire = tag & 7;
	f->value = 0;
	if (f->number == 0)
		return NEXT_BROKEN;
	switch (f->wire) {
	case WIRE_VARINT:
		return read_varint(c, &f->value);
	case WIRE_FIXED64:
		return skip_bytes(c, 8);
	case WIRE_FIXED32:
		return skip_bytes(c, 4);
	case WIRE_BYTES:
		got = read_varint(c, &size);
		if (got != NEXT_FIELD)
			return got;
		f->inside.at = c->at;
		got = skip_bytes(c, size);
		f->inside.end = c->at;
		return got;
	default: /* groups, which ONNX has not */
		return NEXT_BROKEN;
	}
}

/* The next field of this number that holds bytes; false at the end, or where the message breaks. */
static bool find_bytes(struct cursor *c, uint64_t number, struct cursor *inside)
{
	struct field f;
	while (next_field(c, &f) == NEXT_FIELD)
		if (f.number == number && f.wire == WIRE_BYTES) {
			*inside = f.inside;
			return true;
		}
	return false;
}

static bool holds_text(struct cursor c, const char *text)
{
	size_t size = (size_t)(c.end - c.at);
	return strlen(text) == size && memcmp(c.at, text, size) == 0;
}

static void copy_text(struct cursor c, char *text, size_t size)
{
	char raw[256];
	size_t length = (size_t)(c.end - c.at);

	if (length > sizeof raw - 1)
		length = sizeof raw - 1;
	memcpy(raw, c.at, length);
	raw[length] = '\0';
	text_clean(text, size, raw);
}

bool onnx_file_detect(const void *data, size_t size)
{
	struct cursor c = cursor_of(data, size);
	bool version = false, graph = false;
	struct field f = {0};

	for (;;) {
		enum next got = next_field(&c, &f);
		if (got == NEXT_END)
			return version && graph;
		if (got == NEXT_CUT)
			return version && (graph || (f.number == MODEL_GRAPH && f.wire == WIRE_BYTES));
		if (got == NEXT_BROKEN)
			return false;
		if (f.number == MODEL_IR_VERSION) {
			if (f.wire != WIRE_VARINT || f.value == 0 || f.value > IR_VERSION_MAX)
				return false;
			version = true;
		} else if (f.number == MODEL_GRAPH) {
			if (f.wire != WIRE_BYTES)
				return false;
			graph = true;
		}
	}
}

static int refuse_external(struct cursor tensor, struct err *e)
{
	struct cursor entry, value;
	char place[128] = "";

	/* The first entry is "location" wherever files are written so. */
	if (find_bytes(&tensor, TENSOR_EXTERNAL_DATA, &entry) && find_bytes(&entry, ENTRY_VALUE, &value))
		copy_text(value, place, sizeof place);
	return err_set(e, ERR_INPUT,
		       "the ONNX model keeps weights in another file (`%s`), and a version is one file: save "
		       "the model with its weights inside",
		       place);
}

static const enum message *child_of(enum message in, uint64_t number)
{
	for (size_t i = 0; i < sizeof children / sizeof *children; i++)
		if (children[i].in == in && children[i].number == number)
			return &children[i].child;
	return NULL;
}

static int walk(enum message message, struct cursor c, unsigned depth, struct err *e)
{
	struct cursor whole = c;
	struct field f;
	enum next got;

	if (depth > ONNX_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "the ONNX model nests deeper than %d levels", ONNX_DEPTH_MAX);
	while ((got = next_field(&c, &f)) == NEXT_FIELD) {
		if (message == TENSOR &&
		    (f.number == TENSOR_EXTERNAL_DATA || (f.number == TENSOR_DATA_LOCATION && f.value != 0)))
			return refuse_external(whole, e);
		const enum message *child = f.wire == WIRE_BYTES ? child_of(message, f.number) : NULL;
		if (child != NULL && walk(*child, f.inside, depth + 1, e) != 0)
			return -1;
	}
	if (got == NEXT_END)
		return 0;
	return err_set(e, ERR_INPUT, "the ONNX model is %s",
		       got == NEXT_CUT && depth == 0 ? "cut short: the end of the file is missing" : "damaged");
}

int onnx_file_check(const void *data, size_t size, struct err *e)
{
	return walk(MODEL, cursor_of(data, size), 0, e);
}

/* The last graph counts, as in every protobuf reader; files have one. */
static bool find_graph(const void *data, size_t size, struct cursor *graph)
{
	struct cursor c = cursor_of(data, size);
	bool found = false;

	while (find_bytes(&c, MODEL_GRAPH, graph))
		found = true;
	return found;
}

bool onnx_file_shaped(const void *data, size_t size, const char *input)
{
	struct cursor graph, info, name, type, tensor, shape;

	if (!find_graph(data, size, &graph))
		return false;
	while (find_bytes(&graph, GRAPH_INPUT, &info)) {
		struct cursor at = info;
		if (!find_bytes(&at, INPUT_NAME, &name) || !holds_text(name, input))
			continue;
		at = info;
		return find_bytes(&at, INPUT_TYPE, &type) && find_bytes(&type, TYPE_TENSOR, &tensor) &&
		       find_bytes(&tensor, TENSOR_TYPE_SHAPE, &shape);
	}
	return false;
}

bool onnx_file_operator(const void *data, size_t size, const char *output, char *name, size_t name_size)
{
	struct cursor graph, node, made, operator;

	if (!find_graph(data, size, &graph))
		return false;
	while (find_bytes(&graph, GRAPH_NODE, &node)) {
		struct cursor at = node;
		while (find_bytes(&at, NODE_OUTPUT, &made)) {
			if (!holds_text(made, output))
				continue;
			at = node;
			if (!find_bytes(&at, NODE_OPERATOR, &operator))
				return false;
			copy_text(operator, name, name_size);
			return true;
		}
	}
	return false;
}
