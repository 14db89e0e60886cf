/* v2: the envelope of a request. */
#include "runtime/v2.h"

#include "runtime/v2_tensor.h"

#include <stdlib.h>
#include <string.h>

enum choice { CHOICE_NONE, CHOICE_NO, CHOICE_YES };

/* What the envelope said, until all of it is read: its members come in any order. */
struct envelope {
	struct scan scan;
	struct v2_scratch *scratch;
	struct v2_request *request;
	const struct prediction_kind *kind;
	size_t tensor_count;
	bool inputs, outputs;
	enum choice binary_output, binary_predict, binary_raw;
};

void v2_scratch_release(struct v2_scratch *s)
{
	free(s->data);
	free(s->tensors);
	free(s->columns);
	*s = (struct v2_scratch){0};
}

int v2_scratch_reserve(struct v2_scratch *scratch, size_t size, struct err *e)
{
	if (size <= scratch->data_size)
		return 0;
	free(scratch->data);
	scratch->data = malloc(size);
	scratch->data_size = scratch->data == NULL ? 0 : size;
	if (scratch->data == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu bytes of rows", size);
	return 0;
}

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

/* One more tensor record in the scratch; NULL when memory is out. */
static struct v2_tensor *next_tensor(struct envelope *v)
{
	struct v2_scratch *scratch = v->scratch;
	if (v->tensor_count == scratch->tensor_capacity) {
		size_t capacity = scratch->tensor_capacity == 0 ? 16 : scratch->tensor_capacity * 2;
		void *more = realloc(scratch->tensors, capacity * sizeof *scratch->tensors);
		if (more == NULL)
			return NULL;
		scratch->tensors = more;
		scratch->tensor_capacity = capacity;
	}
	return &scratch->tensors[v->tensor_count++];
}

static int read_inputs(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	bool first = true;

	if (v->inputs)
		return err_set(e, ERR_INPUT, "`inputs` occurs twice");
	v->inputs = true;
	if (scan_peek(s) != SCAN_ARRAY && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`inputs` is not an array");
	scan_array(s);
	while (scan_element(s, &first)) {
		if (v->tensor_count == V2_TENSORS_MAX)
			return err_set(e, ERR_INPUT, "more than %d inputs", V2_TENSORS_MAX);
		struct v2_tensor *t = next_tensor(v);
		if (t == NULL)
			return err_set(e, ERR_MEMORY, "memory is out for %zu inputs",
				       v->tensor_count);
		if (v2_tensor_read(s, t, e) != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_output_parameters(struct scan *s, enum choice *binary, struct err *e)
{
	struct scan_span key;
	bool first = true;

	if (take_null(s))
		return 0;
	if (scan_peek(s) != SCAN_OBJECT && s->problem == NULL)
		return err_set(e, ERR_INPUT, "`parameters` of an output is not an object");
	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (!scan_is(key, "binary_data"))
			scan_skip(s, NULL);
		else if (read_choice(s, "binary_data", binary, e) != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

/* Notes that an output of this name is wanted. */
static int want_output(struct envelope *v, const char *name, enum choice binary, struct err *e)
{
	struct v2_request *r = v->request;
	bool raw = strcmp(name, "raw_score") == 0;

	if (!raw && strcmp(name, "predict") != 0)
		return err_set(e, ERR_INPUT, "there is no output `%.64s`; there are %s", name,
			       v->kind->raw_count > 0 ? "`predict` and `raw_score`"
						      : "only `predict`");
	if (raw && v->kind->raw_count == 0)
		return err_set(e, ERR_INPUT,
			       "this model has no output `raw_score`, only `predict`");
	if (raw ? r->want_raw : r->want_predict)
		return err_set(e, ERR_INPUT, "the output `%s` is named twice", name);
	if (raw) {
		r->want_raw = true;
		r->raw_first = !r->want_predict;
		v->binary_raw = binary;
	} else {
		r->want_predict = true;
		v->binary_predict = binary;
	}
	return 0;
}

static int read_output(struct envelope *v, struct err *e)
{
	struct scan *s = &v->scan;
	struct scan_span key;
	char name[TENSOR_NAME_SIZE];
	bool first = true, named = false;
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
			result = read_output_parameters(s, &binary, e);
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
	return want_output(v, name, binary, e);
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

static void settle_outputs(struct envelope *v)
{
	struct v2_request *r = v->request;
	bool all = v->binary_output == CHOICE_YES;

	if (!r->want_raw)
		r->want_predict = true;
	r->binary_predict =
	    v->binary_predict == CHOICE_NONE ? all : v->binary_predict == CHOICE_YES;
	r->binary_raw = v->binary_raw == CHOICE_NONE ? all : v->binary_raw == CHOICE_YES;
}

/* Gives each binary tensor its bytes behind the JSON, in the order of the list. */
static int share_bytes(struct envelope *v, const char *bytes, size_t size, struct err *e)
{
	size_t left = size;
	for (size_t i = 0; i < v->tensor_count; i++) {
		struct v2_tensor *t = &v->scratch->tensors[i];
		if (!t->binary)
			continue;
		if (t->binary_size > left)
			return err_set(
			    e, ERR_INPUT,
			    "input `%s` has a binary_data_size of %llu, but %zu bytes are left",
			    v2_tensor_label(t).text, (unsigned long long)t->binary_size, left);
		t->bytes = bytes + (size - left);
		left -= (size_t)t->binary_size;
	}
	if (left > 0)
		return err_set(e, ERR_INPUT, "%zu bytes behind the JSON belong to no input", left);
	return 0;
}

/* A body without JSON is the bytes of the only input, in the manifest's datatype. */
static int raw_body(const struct manifest *manifest, struct envelope *v, const char *body,
		    size_t size, struct err *e)
{
	static const char whole[] = "the body";
	const struct v2_type *type =
	    v2_type_find(manifest->input_count > 0 ? manifest->inputs[0].datatype : "");
	struct v2_tensor *t = next_tensor(v);

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a request");
	if (type == NULL || manifest->input_count != 1 || manifest->feature_count == 0)
		return err_set(e, ERR_INPUT, "this model does not take a body without JSON");
	size_t row_size = manifest->feature_count * type->width;
	if (size % row_size != 0)
		return err_set(e, ERR_INPUT, "%zu bytes are not rows of %zu features of %s", size,
			       manifest->feature_count, type->name);
	*t = (struct v2_tensor){
	    .name = {whole, sizeof whole - 1},
	    .type = type,
	    .rank = 2,
	    .shape = {size / row_size, manifest->feature_count},
	    .count = size / type->width,
	    .binary = true,
	    .binary_size = size,
	    .bytes = body,
	};
	/* Asked for in bytes, answered in bytes. */
	v->binary_output = CHOICE_YES;
	return 0;
}

int v2_parse(const struct manifest *manifest, const struct prediction_kind *kind, const char *body,
	     size_t size, size_t json_size, struct v2_scratch *scratch, struct v2_request *request,
	     struct err *e)
{
	struct envelope v = {.scratch = scratch, .request = request, .kind = kind};

	*request = (struct v2_request){0};
	if (json_size > size)
		return err_set(e, ERR_INPUT, "a JSON part of %zu bytes in a body of %zu", json_size,
			       size);
	scan_init(&v.scan, body, json_size, V2_DEPTH_MAX);
	if (json_size == 0 && size > 0) {
		if (raw_body(manifest, &v, body, size, e) != 0)
			return -1;
	} else if (read_envelope(&v, e) != 0 ||
		   share_bytes(&v, body + json_size, size - json_size, e) != 0) {
		return -1;
	}
	if (v.tensor_count == 0)
		return err_set(e, ERR_INPUT, "the request has no `inputs`");
	settle_outputs(&v);
	return v2_matrix(manifest, scratch, v.tensor_count, request, e);
}

/* Whether the text can hold a member `unit` at all; escapes could hide it. */
static bool may_name_unit(const char *body, size_t size)
{
	return size > 0 &&
	       (memmem(body, size, "\"unit\"", 6) != NULL || memchr(body, '\\', size) != NULL);
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
