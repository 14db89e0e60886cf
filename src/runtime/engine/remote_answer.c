/* remote_answer: what a V2 server's answer means, and whether it is what was asked for. */
#include "runtime/engine/remote_internal.h"

#include "core/json.h"
#include "core/text.h"
#include "core/v2_client.h"

#include <stdio.h>
#include <string.h>

/* Of what a server says at most so much is repeated. */
#define QUOTE_SIZE 201
/* A longer body is no error that anybody wrote. */
#define ERROR_BODY_MAX ((size_t)64 << 10)

/* What a body is, for sentences. */
static const char NOTHING[] = "nothing", MARKUP[] = "HTML or XML", JSON[] = "JSON", PLAIN[] = "something else";

/* --- refusals --- */

/* The first word that shows what a body is. */
static const char *looks_like(const char *body, size_t size)
{
	size_t at = 0;
	while (at < size && strchr(" \t\r\n", body[at]) != NULL && body[at] != '\0')
		at++;
	if (at == size)
		return NOTHING;
	if (body[at] == '<')
		return MARKUP;
	return body[at] == '{' || body[at] == '[' ? JSON : PLAIN;
}

/* The sentence in {"error": "..."}; of other servers {"error": {"message"}}, {"detail"} and
 * {"message"}. */
static const char *sentence_of(const cJSON *json)
{
	const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
	const char *candidates[] = {json_find_text(json, "error"), json_find_text(error, "message"),
				    json_find_text(json, "detail"), json_find_text(json, "message")};
	for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++)
		if (candidates[i][0] != '\0')
			return candidates[i];
	return NULL;
}

/* What the server says of the error, in JSON or in plain text, cut and cleaned, behind ": "; ""
 * when it says nothing readable. */
static void quote(const struct fetch_answer *answer, char text[QUOTE_SIZE + 2])
{
	size_t size = answer->body.size;
	const char *kind = size == 0 ? NOTHING : looks_like(answer->body.data, size);
	cJSON *json = size == 0 || size > ERROR_BODY_MAX ? NULL : cJSON_ParseWithLength(answer->body.data, size);
	const char *sentence = kind == PLAIN ? answer->body.data : sentence_of(json);

	text[0] = '\0';
	if (sentence != NULL) {
		memcpy(text, ": ", 3);
		text_clean(text + 2, QUOTE_SIZE, sentence);
	} else if (kind == MARKUP) {
		snprintf(text, QUOTE_SIZE, ", with %s instead of JSON", kind);
	}
	cJSON_Delete(json);
}

static enum err_code code_of_status(int status)
{
	switch (status) {
	case 400:
	case 422: /* MLServer's, of what it validates */
		return ERR_INPUT;
	case 413:
		return ERR_TOO_LARGE;
	case 429:
		return ERR_BUSY;
	case 408:
	case 504:
		return ERR_TIMEOUT;
	default:
		return ERR_UPSTREAM;
	}
}

int remote_refusal(const char *url, const struct fetch_answer *answer, struct err *e)
{
	char text[QUOTE_SIZE + 2];
	int status = answer->status;

	quote(answer, text);
	if (status == 401 || status == 403)
		return err_set(e, ERR_UPSTREAM, "%s refuses this runtime (HTTP %d): check the token's file%s", url,
			       status, text);
	if (status == 404)
		return err_set(e, ERR_UPSTREAM, "%s does not exist (HTTP 404)%s", url, text);
	if (status >= 300 && status < 400)
		return err_set(e, ERR_UPSTREAM,
			       "%s answered with a redirect (HTTP %d), which is not followed: "
			       "deploy the URL that "
			       "it leads to",
			       url, status);
	return err_set(e, code_of_status(status), "%s answered HTTP %d%s", url, status, text);
}

int remote_broken(const struct fetch_answer *answer, const struct err *fault, struct err *e)
{
	enum err_code code = answer->fault == FETCH_TIMEOUT ? ERR_TIMEOUT : ERR_UPSTREAM;

	if (answer->fault == FETCH_LOCAL)
		code = ERR_MEMORY;
	else if (answer->fault == FETCH_CANCELLED)
		code = ERR_UNREACHABLE;
	return err_set(e, code, "%s", fault->text);
}

int remote_json_size(const char *url, const struct fetch_answer *answer, size_t *json_size, struct err *e)
{
	char text[32];
	long long size;

	*json_size = answer->body.size;
	if (!fetch_header(answer, "Inference-Header-Content-Length", text, sizeof text))
		return 0;
	if (!text_integer(text, 0, (long long)answer->body.size, &size))
		return err_set(e, ERR_UPSTREAM,
			       "the answer of %s has the Inference-Header-Content-Length `%s`, its "
			       "body %zu bytes",
			       url, text, answer->body.size);
	*json_size = (size_t)size;
	return 0;
}

/* --- tensors --- */

/* An answer that is read. */
struct reading {
	struct inference *inference;
	const char *url;
	bool free_rows;
	struct v2_tensor *tensors;
	size_t count;
	struct err *e;
};

/* What was found wrong, as the server's fault. */
static int blame(const struct reading *r, const struct err *why)
{
	if (why->code == ERR_MEMORY)
		return err_set(r->e, ERR_MEMORY, "%s", why->text);
	return err_set(r->e, ERR_UPSTREAM, "the answer of %s: %.300s", r->url, why->text);
}

static int read_outputs(struct reading *r, const char *body, size_t size, struct err *why)
{
	struct scan s;

	scan_init(&s, body, size, V2_DEPTH_MAX);
	if (v2_client_outputs(&s, r->inference->arena, &r->tensors, &r->count, why) != 0)
		return -1;
	return scan_end(&s) ? 0 : scan_err(&s, why);
}

static const struct v2_tensor *find_tensor(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (scan_is(r->tensors[i].name, name))
			return &r->tensors[i];
	return NULL;
}

/* The rows of the inputs, -1 when they have no such number in common. */
static int64_t input_rows(const struct inference *inference)
{
	const struct manifest *m = inference->manifest;
	int64_t rows = -1;

	for (size_t i = 0; i < m->input_count; i++) {
		const struct tensor *t = &inference->inputs[i];
		if (m->inputs[i].dimension_count == 0 || m->inputs[i].dimensions[0] != -1 || t->rank == 0)
			return -1;
		if (rows >= 0 && t->shape[0] != rows)
			return -1;
		rows = t->shape[0];
	}
	return rows;
}

static int check_shape(const struct reading *r, const struct tensor_spec *spec, const struct v2_tensor *t,
		       struct err *why)
{
	int64_t rows = r->free_rows ? -1 : input_rows(r->inference);
	char is[TENSOR_SHAPE_SIZE], should[TENSOR_SHAPE_SIZE];

	if (!tensor_spec_fits(spec, t->shape, t->rank)) {
		tensor_shape_text(t->shape, t->rank, is);
		tensor_shape_text(spec->dimensions, spec->dimension_count, should);
		return err_set(why, ERR_INPUT, "output `%.60s` has the shape %s, its signature says %s", spec->name, is,
			       should);
	}
	if (rows >= 0 && t->rank > 0 && spec->dimensions[0] == -1 && t->shape[0] != rows)
		return err_set(why, ERR_INPUT,
			       "output `%.60s` has %lld rows, %lld were asked for (a model whose "
			       "rows are free is "
			       "deployed with --free-rows)",
			       spec->name, (long long)t->shape[0], (long long)rows);
	return 0;
}

static int read_output(const struct reading *r, struct inference_output *output, struct err *why)
{
	const struct tensor_spec *spec = &r->inference->manifest->outputs[output->spec];
	enum datatype type = tensor_spec_type(spec);
	const struct v2_tensor *found = find_tensor(r, spec->name);
	struct arena *arena = r->inference->arena;

	if (found == NULL)
		return err_set(why, ERR_INPUT, "output `%.60s` is missing", spec->name);
	struct v2_tensor t = *found;
	if (t.type != type)
		return err_set(why, ERR_INPUT, "output `%.60s` has datatype %s, its signature says %s", spec->name,
			       datatype_name(t.type), spec->datatype);
	if (check_shape(r, spec, &t, why) != 0 || v2_tensor_check_count(&t, why) != 0)
		return -1;
	if (type == DATATYPE_BYTES && t.binary) {
		/* The strings will point there. */
		t.bytes = arena_copy(arena, t.bytes, (size_t)t.binary_size);
		if (t.bytes == NULL)
			return err_set(why, ERR_MEMORY, "memory is out for an answer");
	}
	if (inference_reserve(r->inference, output, type, t.shape, t.rank, why) != 0)
		return -1;
	const struct v2_target target = {output->tensor.data, type, 1, arena};
	return v2_tensor_store(&t, &target, why);
}

int remote_answer_read(struct inference *inference, bool free_rows, const char *url, const char *body, size_t size,
		       size_t json_size, struct err *e)
{
	struct reading r = {.inference = inference, .url = url, .free_rows = free_rows, .e = e};
	const char *kind = looks_like(body, json_size);
	struct err why;

	if (kind != JSON)
		return err_set(e, ERR_UPSTREAM, "%s answered with %s instead of JSON", url, kind);
	if (read_outputs(&r, body, json_size, &why) != 0 ||
	    v2_tensor_share(r.tensors, r.count, body + json_size, size - json_size, &why) != 0)
		return blame(&r, &why);
	for (size_t i = 0; i < inference->output_count; i++)
		if (read_output(&r, &inference->outputs[i], &why) != 0)
			return blame(&r, &why);
	return 0;
}
