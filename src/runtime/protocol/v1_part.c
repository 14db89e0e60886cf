#include "runtime/protocol/v1_part.h"

#include "core/digest.h"

#include <stdlib.h>
#include <string.h>

void v1_part_init(struct v1_part *p, const char *word, const char *name, enum datatype type)
{
	*p = (struct v1_part){.label = {.word = word, .name = {name, strlen(name)}, .type = type}};
	for (size_t i = 0; i < TENSOR_RANK_MAX; i++)
		p->shape[i] = -1;
}

bool v1_is_base64(struct scan s)
{
	struct scan_span key;
	bool first = true;
	return scan_peek(&s) == SCAN_OBJECT && scan_object(&s) && scan_member(&s, &first, &key) && scan_is(key, "b64");
}

static int refuse_shape(const struct v1_part *p, struct err *e)
{
	return err_set(e, ERR_INPUT, "the values of %s `%s` have no common shape: its lists differ in length or depth",
		       p->label.word, v2_tensor_label(&p->label).text);
}

/* Room for one element more. */
static int grow(struct v1_part *p, struct arena *arena, struct err *e)
{
	size_t size = datatype_size(p->label.type), capacity = p->capacity < 8 ? 16 : p->capacity * 2;

	if (p->count < p->capacity)
		return 0;
	void *more = arena_array(arena, capacity, size);
	if (more == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for %zu values", capacity);
	if (p->count > 0)
		memcpy(more, p->data, p->count * size);
	p->data = more;
	p->capacity = capacity;
	return 0;
}

/* Undoes the base64 of a JSON string, in which a slash may be escaped. */
static int decode(struct v1_part *p, struct scan_span coded, struct arena *arena, struct err *e)
{
	struct bytes *to = &((struct bytes *)p->data)[p->count];
	char *bytes, *text = arena_take(arena, coded.size + 1);
	size_t size;
	struct err why;

	if (text == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a value");
	if (digest_base64_read(text, scan_decode(coded, text, coded.size + 1), &bytes, &size, &why) != 0)
		return err_set(e, why.code, "element %zu of %s `%s`: %.200s", p->count, p->label.word,
			       v2_tensor_label(&p->label).text, why.text);
	*to = (struct bytes){arena_copy(arena, bytes, size), size};
	free(bytes);
	return to->data != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for a value");
}

/* {"b64": "..."} and nothing else. */
static int read_base64(struct v1_part *p, struct scan *s, struct arena *arena, struct err *e)
{
	struct scan_span key, coded = {0};
	bool first = true;

	scan_object(s);
	while (scan_member(s, &first, &key)) {
		if (!scan_is(key, "b64") || coded.at != NULL || scan_peek(s) != SCAN_STRING)
			return err_set(e, ERR_INPUT,
				       "element %zu of %s `%s` is neither a string nor {\"b64\": \"...\"}", p->count,
				       p->label.word, v2_tensor_label(&p->label).text);
		scan_string(s, &coded);
	}
	if (s->problem != NULL)
		return scan_err(s, e);
	if (coded.at == NULL)
		return err_set(e, ERR_INPUT, "element %zu of %s `%s` is an empty object", p->count, p->label.word,
			       v2_tensor_label(&p->label).text);
	return decode(p, coded, arena, e);
}

static int read_element(struct v1_part *p, struct scan *s, struct arena *arena, struct err *e)
{
	if (grow(p, arena, e) != 0)
		return -1;
	const struct v2_target target = {p->data, p->label.type, 1, arena};
	int result = p->label.type == DATATYPE_BYTES && scan_peek(s) == SCAN_OBJECT
			 ? read_base64(p, s, arena, e)
			 : v2_tensor_store_element(s, &p->label, &target, p->count, e);
	p->count++;
	return result;
}

static int read_list(struct v1_part *p, struct scan *s, size_t level, struct arena *arena, struct err *e)
{
	int64_t items = 0;
	bool first = true;

	if (level == TENSOR_RANK_MAX)
		return err_set(e, ERR_INPUT, "%s `%s` has more than %d dimensions", p->label.word,
			       v2_tensor_label(&p->label).text, TENSOR_RANK_MAX);
	if (p->ranked && level >= p->rank)
		return refuse_shape(p, e);
	for (scan_array(s); scan_element(s, &first); items++)
		if (v1_part_read(p, s, level + 1, arena, e) != 0)
			return -1;
	if (s->problem != NULL)
		return scan_err(s, e);
	if (!p->ranked) {
		p->ranked = true;
		p->rank = level + 1;
	}
	if (p->shape[level] >= 0 && p->shape[level] != items)
		return refuse_shape(p, e);
	p->shape[level] = items;
	return 0;
}

int v1_part_read(struct v1_part *p, struct scan *s, size_t level, struct arena *arena, struct err *e)
{
	if (scan_peek(s) == SCAN_ARRAY)
		return read_list(p, s, level, arena, e);
	if (s->problem != NULL)
		return scan_err(s, e);
	if (p->ranked && level != p->rank)
		return refuse_shape(p, e);
	p->ranked = true;
	p->rank = level;
	return read_element(p, s, arena, e);
}
