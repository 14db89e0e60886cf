#include "core/v2_client.h"

#include <string.h>

#define ERROR_MAX 400

static void write_outputs(struct buf *out, const char *const *outputs, size_t count, bool binary)
{
	for (size_t i = 0; i < count; i++) {
		buf_add_string(out, i == 0 ? ",\"outputs\":[{\"name\":" : ",{\"name\":");
		v2_write_string(out, outputs[i]);
		buf_add_string(out, binary ? ",\"parameters\":{\"binary_data\":true}}" : "}");
	}
	if (count > 0)
		buf_add_char(out, ']');
	else if (binary)
		buf_add_string(out, ",\"parameters\":{\"binary_data_output\":true}");
}

void v2_client_write(struct buf *out, const struct manifest *manifest, const struct tensor *tensors,
		     const char *const *outputs, size_t output_count, bool binary, size_t *json_size)
{
	size_t start = out->size;

	buf_add_string(out, "{\"inputs\":[");
	for (size_t i = 0; i < manifest->input_count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		v2_tensor_write(out, manifest->inputs[i].name, &tensors[i], binary);
	}
	buf_add_char(out, ']');
	write_outputs(out, outputs, output_count, binary);
	buf_add_char(out, '}');
	*json_size = out->size - start;
	for (size_t i = 0; binary && i < manifest->input_count; i++)
		v2_tensor_write_bytes(out, &tensors[i]);
}

int v2_client_outputs(struct scan *s, struct arena *arena, struct v2_tensor **tensors, size_t *count, struct err *e)
{
	struct scan_span key;
	bool first = true, found = false;

	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (!scan_is(key, "outputs")) {
			scan_skip(s, NULL);
			continue;
		}
		if (found)
			return err_set(e, ERR_INPUT, "`outputs` occurs twice");
		found = true;
		if (v2_tensors_read(s, "output", arena, tensors, count, e) != 0)
			return -1;
	}
	if (s->problem != NULL)
		return scan_err(s, e);
	return found ? 0 : err_set(e, ERR_INPUT, "it has no `outputs`");
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
	if (e->code == ERR_MEMORY)
		return -1;
	return err_set(e, ERR_UPSTREAM, "the answer is none of the Open Inference Protocol: %s", e->text);
}

int v2_client_read(const char *body, size_t size, struct arena *arena, struct v2_named **outputs, size_t *output_count,
		   struct err *e)
{
	struct scan s;
	size_t count = 0;
	struct v2_tensor *tensors = NULL;

	scan_init(&s, body, size, V2_DEPTH_MAX);
	/* The JSON ends where its object does; the bytes of the tensors are all that follows. */
	if (v2_client_outputs(&s, arena, &tensors, &count, e) != 0 ||
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
	static const enum err_code codes[] = {ERR_INPUT,     ERR_DENIED,      ERR_NOT_FOUND, ERR_CONFLICT,
					      ERR_TOO_LARGE, ERR_UNSUPPORTED, ERR_BUSY,      ERR_UNREACHABLE,
					      ERR_UPSTREAM,  ERR_TIMEOUT,     ERR_DISK_FULL};

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
				scan_decode((struct scan_span){value.at + 1, value.size - 2}, text, sizeof text);
	if (text[0] == '\0')
		return err_set(e, code_of_status(status), "HTTP status %d without a reason", status);
	return err_set(e, code_of_status(status), "%s", text);
}
