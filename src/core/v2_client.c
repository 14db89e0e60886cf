#include "core/v2_client.h"

#include "core/v2_tensor.h"

#include <stdio.h>
#include <string.h>

#define ERROR_MAX 400

static void write_inputs(struct buf *out, const struct manifest *m, const struct tensor *tensors)
{
	buf_add_string(out, "{\"inputs\":[");
	for (size_t i = 0; i < m->input_count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		v2_tensor_write(out, m->inputs[i].name, &tensors[i], true);
	}
	buf_add_char(out, ']');
}

void v2_client_write(struct buf *out, const struct manifest *manifest, const struct tensor *tensors,
		     const char *const *outputs, size_t output_count, size_t *json_size)
{
	size_t start = out->size;

	write_inputs(out, manifest, tensors);
	for (size_t i = 0; i < output_count; i++) {
		buf_add_string(out, i == 0 ? ",\"outputs\":[{\"name\":" : ",{\"name\":");
		v2_write_string(out, outputs[i]);
		buf_add_string(out, i + 1 == output_count ? "}]" : "}");
	}
	buf_add_string(out, ",\"parameters\":{\"binary_data_output\":true}}");
	*json_size = out->size - start;
	for (size_t i = 0; i < manifest->input_count; i++)
		v2_tensor_write_bytes(out, &tensors[i]);
}

/* Reads the array of outputs; their data stays where it is. */
static int read_list(struct scan *s, struct v2_tensor *tensors, size_t *count, struct err *e)
{
	bool first = true;

	*count = 0;
	if (!scan_array(s))
		return scan_err(s, e);
	while (scan_element(s, &first)) {
		if (*count == V2_CLIENT_OUTPUTS_MAX)
			return err_set(e, ERR_UPSTREAM, "there are more than %d outputs",
				       V2_CLIENT_OUTPUTS_MAX);
		tensors[*count] = (struct v2_tensor){.body = s->start};
		if (v2_tensor_read(s, "output", &tensors[(*count)++], e) != 0)
			return -1;
	}
	return s->problem == NULL ? 0 : scan_err(s, e);
}

static int read_body(struct scan *s, struct v2_tensor *tensors, size_t *count, struct err *e)
{
	struct scan_span key;
	bool first = true, found = false;

	if (!scan_object(s))
		return scan_err(s, e);
	while (scan_member(s, &first, &key)) {
		if (scan_is(key, "outputs")) {
			found = true;
			if (read_list(s, tensors, count, e) != 0)
				return -1;
		} else if (!scan_skip(s, NULL)) {
			break;
		}
	}
	if (s->problem != NULL)
		return scan_err(s, e);
	return found ? 0 : err_set(e, ERR_UPSTREAM, "there is no `outputs` in it");
}

static int store(const struct v2_tensor *from, struct arena *arena, struct v2_named *to, struct err *e)
{
	char *name = arena_take(arena, from->name.size + 1);
	struct tensor *t = &to->tensor;

	if (v2_tensor_check_count(from, e) != 0)
		return -1;
	*t = (struct tensor){.datatype = from->type, .rank = from->rank, .count = from->count};
	memcpy(t->shape, from->shape, sizeof t->shape);
	t->data = arena_array(arena, from->count + 1, datatype_size(from->type));
	if (name == NULL || t->data == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for an answer");
	scan_decode(from->name, name, from->name.size + 1);
	to->name = name;
	const struct v2_target target = {.data = t->data, .type = from->type, .stride = 1, .arena = arena};
	return v2_tensor_store(from, &target, e);
}

static int not_v2(struct err *e)
{
	char reason[ERR_TEXT_SIZE];

	if (e->code == ERR_MEMORY)
		return -1;
	snprintf(reason, sizeof reason, "%s", e->text);
	return err_set(e, ERR_UPSTREAM, "the answer is none of the Open Inference Protocol: %.*s", ERROR_MAX,
		       reason);
}

int v2_client_read(const char *body, size_t size, struct arena *arena, struct v2_named **outputs,
		   size_t *output_count, struct err *e)
{
	struct scan s;
	size_t count = 0;
	struct v2_tensor *tensors = arena_array(arena, V2_CLIENT_OUTPUTS_MAX, sizeof *tensors);

	if (tensors == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for an answer");
	scan_init(&s, body, size, V2_DEPTH_MAX);
	/* The JSON ends where its object does; the bytes of the tensors are all that follows. */
	if (read_body(&s, tensors, &count, e) != 0 ||
	    v2_tensor_share(tensors, count, s.at, (size_t)(s.end - s.at), e) != 0)
		return not_v2(e);
	struct v2_named *list = arena_array(arena, count + 1, sizeof *list);
	if (list == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for an answer");
	for (size_t i = 0; i < count; i++)
		if (store(&tensors[i], arena, &list[i], e) != 0)
			return not_v2(e);
	*outputs = list;
	*output_count = count;
	return 0;
}

static enum err_code code_of_status(int status)
{
	/* One code a status, where several share it the first that a prediction has. */
	static const enum err_code codes[] = {ERR_INPUT,   ERR_DENIED,	 ERR_NOT_FOUND,	  ERR_CONFLICT,
					      ERR_TOO_LARGE, ERR_UNSUPPORTED, ERR_BUSY,	  ERR_UNREACHABLE,
					      ERR_UPSTREAM, ERR_TIMEOUT, ERR_DISK_FULL};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (err_http(codes[i]) == status)
			return codes[i];
	return ERR_SYSTEM;
}

int v2_client_refused(const char *body, size_t size, int status, struct err *e)
{
	struct scan s;
	struct scan_span key, value;
	bool first = true;
	char text[ERROR_MAX] = "";

	scan_init(&s, body, size, V2_DEPTH_MAX);
	if (scan_peek(&s) == SCAN_OBJECT && scan_object(&s))
		while (scan_member(&s, &first, &key) && scan_skip(&s, &value))
			if (scan_is(key, "error") && value.size >= 2 && value.at[0] == '"')
				scan_decode((struct scan_span){value.at + 1, value.size - 2}, text,
					    sizeof text);
	if (text[0] == '\0')
		return err_set(e, code_of_status(status), "HTTP status %d without a reason", status);
	return err_set(e, code_of_status(status), "%s", text);
}
