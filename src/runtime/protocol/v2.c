/* v2: the envelope of a request. */
#include "runtime/protocol/v2.h"

#include <stdio.h>
#include <string.h>

#define V2_CLASSES_MAX 1000000

enum choice { CHOICE_NONE, CHOICE_NO, CHOICE_YES };

/* What the envelope said, until all of it is read: its members come in any order. */
struct envelope {
	struct scan scan;
	const struct engine *engine;
	struct inference *inference;
	struct v2_request *request;
	size_t tensor_count;
	struct v2_tensor *tensors; /* in the arena */
	bool inputs, outputs;      /* were read */
	enum choice binary_output;
	enum choice *binary; /* [request->output_count], in the arena */
};

/* Passes a null, which stands for an absent member. */
static bool take_null(struct scan *s)
{
	return scan_peek(s) == SCAN_NULL && scan_skip(s, NULL);
}

/* A string without NUL that fits into text[size]. */
static int read_text(struct scan *s, const char *what, char *text, size_t size, struct err *e)
{
	struct scan_span span;
	if (scan_peek(s) != SCAN_STRING && s->problem == NULL)
		return err_set(e, ERR_INPUT, "%s is not a string", what);
	if (!scan_string(s, &span))
		return scan_err(s, e);
	size_t needed = scan_decode(span, text, size);
	if (needed >= size)
		return err_set(e, ERR_INPUT, "%s is longer than %zu bytes", what, size - 1);
	if (strlen(text) != needed)
		return err_set(e, ERR_INPUT, "%s holds a NUL character", what);
	return 0;
}

/* The parameter `unit`: a string, or an integer as it was written. */
static int read_unit(struct scan *s, char unit[V2_UNIT_SIZE], size_t *unit_size, struct err *e)
{
	static const char what[] = "the parameter `unit`";
	struct number number;
	enum scan_kind kind = scan_peek(s);

	if (kind == SCAN_STRING) {
		if (read_text(s, what, unit, V2_UNIT_SIZE, e) != 0)
			return -1;
		*unit_size = strlen(unit);
		return 0;
	}
	if (kind != SCAN_NUMBER)
		return err_set(e, ERR_INPUT, "%s is neither a string nor an integer", what);
	if (!scan_number(s, &number))
		return scan_err(s, e);
	if (!number.integer)
		return err_set(e, ERR_INPUT, "%s is neither a string nor an integer", what);
	if (number.size >= V2_UNIT_SIZE)
		return err_set(e, ERR_INPUT, "%s is longer than %d bytes", what, V2_UNIT_SIZE - 1);
	memcpy(unit, number.text, number.size);
	unit[number.size] = '\0';
	*unit_size = number.size;
	return 0;
}

static int read_choice(struct scan *s, const char *what, enum choice *choice, struct err *e)
{
	enum scan_kind kind = scan_peek(s);
	if (kind != SCAN_TRUE && kind != SCAN_FALSE)
		return err_set(e, ERR_INPUT, "the parameter `%s` is neither true nor false", what);
	if (!scan_literal(s, &kind))
		return scan_err(s, e);
	*choice = kind == SCAN_TRUE ? CHOICE_YES : CHOICE_NO;
	return 0;
}

static int read_parameters(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	struct v2_request *r = v->request;
	struct scan_span key;
	bool first = true;

	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`parameters` is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		int result = 0;
		if (take_null(s))
			continue;
		if (scan_is(key, "unit"))
			result = read_unit(s, r->unit, &r->unit_size, e);
		else if (scan_is(key, "binary_data_output"))
			result = read_choice(s, "binary_data_output", &v->binary_output, e);
		else
			scan_skip(s, NULL);
		if (result != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_inputs(struct envelope *v, struct err *e)
{
	if (v->inputs)
		return err_set(e, ERR_INPUT, "`inputs` occurs twice");
	v->inputs = true;
	if (v2_tensors_read(&v->scan, "input", v->inference->arena, &v->tensors, &v->tensor_count, e) != 0)
		return -1;
	for (size_t i = 0; i < v->tensor_count; i++)
		if (v->tensors[i].count == 0)
			return err_set(e, ERR_INPUT, "a `shape` with a dimension of 0: there are no rows");
	return 0;
}

/* "classification": how many classes of a row are wanted. */
static int read_class_count(struct scan *s, size_t *class_count, struct err *e)
{
	struct number n = {0};
	if (scan_peek(s) != SCAN_NUMBER || !scan_number(s, &n) || !n.integer || n.negative || n.exponent != 0 ||
	    n.digits > V2_CLASSES_MAX)
		return s->problem != NULL
			   ? scan_err(s, e)
			   : err_set(e, ERR_INPUT, "the parameter `classification` is not a whole number from 0 to %d",
				     V2_CLASSES_MAX);
	*class_count = (size_t)n.digits;
	return 0;
}

static int read_output_parameters(struct scan *s, enum choice *binary, size_t *class_count, struct err *e)
{
	struct scan_span key;
	bool first = true;

	if (take_null(s))
		return 0;
	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`parameters` of an output is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		int result = 0;
		if (scan_is(key, "binary_data"))
			result = read_choice(s, "binary_data", binary, e);
		else if (scan_is(key, "classification"))
			result = read_class_count(s, class_count, e);
		else
			scan_skip(s, NULL);
		if (result != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

/* Notes that an output of this name is wanted. */
static int want_output(struct envelope *v, const char *name, enum choice binary, struct err *e)
{
	struct v2_request *r = v->request;
	const struct manifest *m = v->inference->manifest;
	size_t spec = tensor_specs_find(m->outputs, m->output_count, name);

	if (spec == m->output_count)
		return tensor_specs_refuse_output(m->outputs, m->output_count, name, e);
	for (size_t i = 0; i < r->output_count; i++)
		if (r->outputs[i].spec == spec)
			return err_set(e, ERR_INPUT, "the output `%s` is named twice", name);
	v->binary[r->output_count] = binary;
	r->outputs[r->output_count++] = (struct v2_output){.spec = spec};
	return 0;
}

static int read_output(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	struct scan_span key;
	char name[TENSOR_NAME_SIZE];
	bool first = true, named = false;
	size_t class_count = 0;
	enum choice binary = CHOICE_NONE;

	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "an element of `outputs` is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		int result = 0;
		if (scan_is(key, "name")) {
			result = read_text(s, "the name of an output", name, sizeof name, e);
			named = true;
		} else if (scan_is(key, "parameters")) {
			result = read_output_parameters(s, &binary, &class_count, e);
		} else {
			scan_skip(s, NULL);
		}
		if (result != 0)
			return -1;
	}
	if (s->problem != NULL)
		return scan_err(s, e);
	if (!named)
		return err_set(e, ERR_INPUT, "an element of `outputs` has no name");
	if (want_output(v, name, binary, e) != 0)
		return -1;
	v->request->outputs[v->request->output_count - 1].class_count = class_count;
	return 0;
}

static int read_outputs(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	bool first = true;

	if (v->outputs)
		return err_set(e, ERR_INPUT, "`outputs` occurs twice");
	v->outputs = true;
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`outputs` is not an array");
	scan_array(s);
	while (scan_element(s, &first))
		if (read_output(v, e) != 0)
			return -1;
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_envelope(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	struct scan_span key;
	bool first = true;

	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return s->at == s->end ? err_set(e, ERR_INPUT, "the body is empty")
				       : err_set(e, ERR_INPUT, "the body is not a JSON object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		int result = 0;
		if (take_null(s))
			continue;
		if (scan_is(key, "inputs"))
			result = read_inputs(v, e);
		else if (scan_is(key, "outputs"))
			result = read_outputs(v, e);
		else if (scan_is(key, "parameters"))
			result = read_parameters(v, e);
		else if (scan_is(key, "id"))
			result = read_text(s, "`id`", v->request->id, V2_ID_SIZE, e);
		else
			scan_skip(s, NULL);
		if (result != 0)
			return -1;
	}
	return scan_end(s) ? 0 : scan_err(s, e);
}

/* The outputs that the answer has, and what the engine is asked for. */
static void settle_outputs(struct envelope *v)
{
	struct v2_request *r = v->request;
	struct inference *inference = v->inference;

	if (r->output_count == 0) {
		inference_want_default(inference, v->engine);
		for (; r->output_count < inference->output_count; r->output_count++) {
			v->binary[r->output_count] = CHOICE_NONE;
			r->outputs[r->output_count] =
			    (struct v2_output){.spec = inference->outputs[r->output_count].spec};
		}
	}
	for (size_t i = 0; i < r->output_count; i++) {
		enum choice binary = v->binary[i] == CHOICE_NONE ? v->binary_output : v->binary[i];
		r->outputs[i].binary = binary == CHOICE_YES;
		inference_want(inference, r->outputs[i].spec);
	}
}

/* The shape of a body that is one input's bytes: its one free dimension is what the size makes it. */
static bool raw_shape(const struct tensor_spec *spec, size_t width, size_t size, struct v2_tensor *t)
{
	size_t fixed = width, free_place = SIZE_MAX;

	t->rank = spec->dimension_count;
	for (size_t i = 0; i < t->rank; i++) {
		t->shape[i] = spec->dimensions[i];
		if (t->shape[i] < 0 && free_place != SIZE_MAX)
			return false;
		if (t->shape[i] < 0)
			free_place = i;
		else if (__builtin_mul_overflow(fixed, (size_t)t->shape[i], &fixed))
			return false;
	}
	if (fixed == 0 || size % fixed != 0 || (free_place == SIZE_MAX && size != fixed))
		return false;
	if (free_place != SIZE_MAX)
		t->shape[free_place] = (int64_t)(size / fixed);
	t->count = size / width;
	return true;
}

/* A body without JSON is the bytes of the only input, in the manifest's datatype. */
static int raw_body(struct envelope *v, const char *body, size_t size, struct err *e)
{
	const struct manifest *m = v->inference->manifest;
	struct v2_tensor *t = arena_take(v->inference->arena, sizeof *t);
	char shape[TENSOR_SHAPE_SIZE];

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a request");
	if (m->input_count != 1)
		return err_set(e, ERR_INPUT, "this model does not take a body without JSON");
	const struct tensor_spec *spec = &m->inputs[0];
	v->tensors = t;
	v->tensor_count = 1;
	*t = (struct v2_tensor){
	    .word = "input",
	    .name = {spec->name, strlen(spec->name)},
	    .type = tensor_spec_type(spec),
	    .shaped = true,
	    .binary = true,
	    .binary_size = size,
	    .bytes = body,
	};
	if (t->type == DATATYPE_BYTES || !raw_shape(spec, datatype_size(t->type), size, t)) {
		tensor_shape_text(spec->dimensions, spec->dimension_count, shape);
		return err_set(e, ERR_INPUT, "%zu bytes are not a %s of the shape %s", size, spec->datatype, shape);
	}
	/* Asked for in bytes, answered in bytes. */
	v->binary_output = CHOICE_YES;
	return 0;
}

int v2_parse(const struct engine *engine, const char *body, size_t size, size_t json_size, struct v2_request *request,
	     struct inference *inference, struct err *e)
{
	struct envelope v = {.engine = engine, .request = request, .inference = inference};
	size_t outputs = inference->manifest->output_count;

	*request = (struct v2_request){0};
	request->outputs = arena_array(inference->arena, outputs, sizeof *request->outputs);
	v.binary = arena_array(inference->arena, outputs, sizeof *v.binary);
	if (request->outputs == NULL || v.binary == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a request");
	if (json_size > size)
		return err_set(e, ERR_INPUT, "a JSON part of %zu bytes in a body of %zu", json_size, size);
	scan_init(&v.scan, body, json_size, V2_DEPTH_MAX);
	if (json_size == 0 && size > 0) {
		if (raw_body(&v, body, size, e) != 0)
			return -1;
	} else if (read_envelope(&v, e) != 0 ||
		   v2_tensor_share(v.tensors, v.tensor_count, body + json_size, size - json_size, e) != 0) {
		return -1;
	}
	if (v.tensor_count == 0)
		return err_set(e, ERR_INPUT, "the request has no `inputs`");
	settle_outputs(&v);
	return v2_bind(engine, v.tensors, v.tensor_count, inference, e);
}

/* Whether the text can hold a member `unit` at all; escapes could hide it. */
static bool may_name_unit(const char *body, size_t size)
{
	return size > 0 && (memmem(body, size, "\"unit\"", 6) != NULL || memchr(body, '\\', size) != NULL);
}

void v2_peek_unit(const char *body, size_t json_size, char *unit, size_t *unit_size)
{
	struct v2_request request = {0};
	struct envelope v = {.request = &request};
	struct scan_span key;
	bool first = true;

	unit[0] = '\0';
	*unit_size = 0;
	if (!may_name_unit(body, json_size))
		return;
	scan_init(&v.scan, body, json_size, V2_DEPTH_MAX);
	scan_object(&v.scan);
	while (scan_member(&v.scan, &first, &key)) {
		if (!scan_is(key, "parameters")) {
			if (scan_peek(&v.scan) == SCAN_ARRAY)
				scan_pass(&v.scan, &key);
			else
				scan_skip(&v.scan, NULL);
		} else if (!take_null(&v.scan)) {
			if (read_parameters(&v, NULL) == 0) {
				memcpy(unit, request.unit, sizeof request.unit);
				*unit_size = request.unit_size;
			}
			return;
		}
	}
}

int v2_check_unit(struct scan *s, struct err *e)
{
	struct v2_request request = {0};
	struct scan_span key;
	bool first = true;

	if (scan_peek(s) != SCAN_OBJECT)
		return scan_skip(s, NULL) ? 0 : scan_err(s, e);
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (take_null(s))
			continue;
		if (!scan_is(key, "unit"))
			scan_skip(s, NULL);
		else if (read_unit(s, request.unit, &request.unit_size, e) != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}
