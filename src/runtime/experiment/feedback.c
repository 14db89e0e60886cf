#include "runtime/experiment/feedback.h"

#include "core/csv.h"
#include "core/experiment/experiment_record.h"
#include "core/json.h"
#include "core/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define AT_MAX_MS (INT64_C(1) << 48) /* the year 10889 */

/* The fields of an outcome, in JSON and as columns. */
#define FIELDS(X) X(UNIT, "unit") X(ID, "id") X(METRIC, "metric") X(VALUE, "value") X(KEY, "key") X(AT, "at_ms")
enum field {
#define X(name, text) FIELD_##name,
	FIELDS(X)
#undef X
	    FIELD_COUNT
};
static const char *const names[] = {
#define X(name, text) text,
    FIELDS(X)
#undef X
};

static int field_by_name(const char *name, size_t size)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
			return i;
	return -1;
}

void feedback_release(struct feedback *list)
{
	arena_release(&list->texts);
	free(list->items);
	*list = (struct feedback){0};
}

/* --- one outcome --- */

static struct feedback_item *add(struct feedback *list, struct err *e)
{
	if (list->count == EXPERIMENT_BATCH_MAX) {
		err_set(e, ERR_TOO_LARGE, "more than %d outcomes; send them in several requests", EXPERIMENT_BATCH_MAX);
		return NULL;
	}
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
		struct feedback_item *more = realloc(list->items, capacity * sizeof *more);
		if (more == NULL) {
			err_set(e, ERR_MEMORY, "memory is out for outcomes");
			return NULL;
		}
		list->items = more;
		list->capacity = capacity;
	}
	struct feedback_item *item = &list->items[list->count++];
	*item = (struct feedback_item){.value = NAN, .at_ms = -1};
	return item;
}

static int set_text(struct feedback *list, const char **text, enum field field, const char *data, size_t size,
		    struct err *e)
{
	if (size == 0)
		return err_set(e, ERR_INPUT, "its `%s` is empty", names[field]);
	if (size > FEEDBACK_TEXT_MAX)
		return err_set(e, ERR_INPUT, "its `%s` is longer than %d bytes", names[field], FEEDBACK_TEXT_MAX);
	*text = arena_copy(&list->texts, data, size);
	return *text != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for outcomes");
}

/* What must hold between the fields. */
static int check(const struct feedback_item *item, struct err *e)
{
	if ((item->unit == NULL) == (item->id == NULL))
		return err_set(e, ERR_INPUT, "an outcome has either a `unit` or the `id` of a request%s",
			       item->unit != NULL ? ", not both" : "");
	if (item->metric == NULL)
		return err_set(e, ERR_INPUT, "it has no `metric`");
	if (!isfinite(item->value))
		return err_set(e, ERR_INPUT, "it has no `value` that is a finite number");
	return 0;
}

/* Says which outcome it was, from 1. */
static int refuse(size_t number, const char *what, struct err *e)
{
	return err_set(e, e->code, "%s %zu: %s", what, number, e->text);
}

/* --- JSON --- */

static int set_json(struct feedback *list, struct feedback_item *item, const cJSON *field, struct err *e)
{
	const char **texts[FIELD_COUNT] = {[FIELD_UNIT] = &item->unit,
					   [FIELD_ID] = &item->id,
					   [FIELD_METRIC] = &item->metric,
					   [FIELD_KEY] = &item->key};
	int which = field_by_name(field->string, strlen(field->string));
	if (which < 0)
		return err_set(e, ERR_INPUT, "an outcome has no field `%.60s`", field->string);
	if (cJSON_IsNull(field))
		return 0;
	if (which == FIELD_VALUE) {
		/* Yes and no are 1 and 0. */
		item->value = cJSON_IsBool(field)     ? cJSON_IsTrue(field)
			      : cJSON_IsNumber(field) ? field->valuedouble
						      : NAN;
		return 0;
	}
	if (which == FIELD_AT)
		return json_is_integer(field, 0, AT_MAX_MS, &item->at_ms)
			   ? 0
			   : err_set(e, ERR_INPUT, "its `at_ms` is no time in milliseconds since 1970");
	if (!cJSON_IsString(field))
		return err_set(e, ERR_INPUT, "its `%s` is no text", names[which]);
	return set_text(list, texts[which], (enum field)which, field->valuestring, strlen(field->valuestring), e);
}

static int read_object(struct feedback *list, const cJSON *object, struct err *e)
{
	const cJSON *field;
	struct feedback_item *item = add(list, e);
	if (item == NULL)
		return -1;
	if (!cJSON_IsObject(object))
		return err_set(e, ERR_INPUT, "it is no object");
	cJSON_ArrayForEach(field, object)
	{
		if (set_json(list, item, field, e) != 0)
			return -1;
	}
	return check(item, e);
}

static int read_tree(struct feedback *list, const cJSON *json, struct err *e)
{
	const cJSON *outcomes = cJSON_GetObjectItemCaseSensitive(json, "outcomes"), *item;
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "the body must be one outcome or {\"outcomes\": [...]}, in JSON");
	if (outcomes == NULL)
		return read_object(list, json, e) == 0 ? 0 : refuse(1, "outcome", e);
	if (!cJSON_IsArray(outcomes) || json->child->next != NULL)
		return err_set(e, ERR_INPUT, "a body with `outcomes` is a list of them and nothing else");
	cJSON_ArrayForEach(item, outcomes)
	{
		if (read_object(list, item, e) != 0)
			return e->code == ERR_INPUT ? refuse(list->count, "outcome", e) : -1;
	}
	return list->count > 0 ? 0 : err_set(e, ERR_INPUT, "the body has no outcome");
}

int feedback_read_json(const char *text, size_t size, struct feedback *list, struct err *e)
{
	cJSON *json = cJSON_ParseWithLength(text, size);
	int result;
	*list = (struct feedback){0};
	result = read_tree(list, json, e);
	cJSON_Delete(json);
	return result;
}

/* --- CSV --- */

/* Which column is which field. */
struct header {
	bool is_read;
	size_t count;
	int fields[FIELD_COUNT];
};

static int read_header(struct header *h, const struct csv *c, struct err *e)
{
	bool seen[FIELD_COUNT] = {false};
	for (size_t i = 0; i < c->field_count; i++) {
		int which = field_by_name(c->fields[i].data, c->fields[i].size);
		if (which < 0)
			return err_set(e, ERR_INPUT,
				       "`%.*s` is no column of outcomes: unit, id, metric, value, key, at_ms",
				       (int)(c->fields[i].size < 60 ? c->fields[i].size : 60), c->fields[i].data);
		if (seen[which])
			return err_set(e, ERR_INPUT, "the column `%s` is there twice", names[which]);
		seen[which] = true;
		h->fields[i] = which;
	}
	h->count = c->field_count;
	h->is_read = true;
	return 0;
}

static int read_number(const struct csv_field *field, struct number *n, enum field which, struct err *e)
{
	if (number_read(field->data, field->data + field->size, n) == field->size)
		return 0;
	return err_set(e, ERR_INPUT, "its `%s` is no number", names[which]);
}

static int set_field(struct feedback *list, struct feedback_item *item, enum field which, const struct csv_field *field,
		     struct err *e)
{
	const char **texts[FIELD_COUNT] = {[FIELD_UNIT] = &item->unit,
					   [FIELD_ID] = &item->id,
					   [FIELD_METRIC] = &item->metric,
					   [FIELD_KEY] = &item->key};
	struct number n;
	if (field->size == 0)
		return 0;
	if (texts[which] != NULL)
		return set_text(list, texts[which], which, field->data, field->size, e);
	if (read_number(field, &n, which, e) != 0)
		return -1;
	if (which == FIELD_VALUE) {
		item->value = number_double(&n);
		return 0;
	}
	double at_ms = number_double(&n);
	if (!n.integer || !(at_ms >= 0) || at_ms > (double)AT_MAX_MS)
		return err_set(e, ERR_INPUT, "its `at_ms` is no time in milliseconds since 1970");
	item->at_ms = (int64_t)at_ms;
	return 0;
}

static int read_record(struct feedback *list, const struct header *h, const struct csv *c, struct err *e)
{
	struct feedback_item *item = add(list, e);
	if (item == NULL)
		return -1;
	if (c->field_count != h->count)
		return err_set(e, ERR_INPUT, "it has %zu fields, the header %zu", c->field_count, h->count);
	for (size_t i = 0; i < h->count; i++)
		if (set_field(list, item, (enum field)h->fields[i], &c->fields[i], e) != 0)
			return -1;
	return check(item, e);
}

static int read_records(struct feedback *list, struct csv *c, struct err *e)
{
	struct header header = {.is_read = false};
	for (;;) {
		enum csv_step step = csv_next(c, e);
		if (step == CSV_END)
			return list->count > 0 ? 0 : err_set(e, ERR_INPUT, "the body has no outcome");
		if (step == CSV_FAILED)
			return -1;
		if (step != CSV_BAD &&
		    (header.is_read ? read_record(list, &header, c, e) : read_header(&header, c, e)) == 0)
			continue;
		return e->code == ERR_INPUT ? refuse((size_t)c->line, "line", e) : -1;
	}
}

int feedback_read_csv(const char *text, size_t size, struct feedback *list, struct err *e)
{
	struct csv csv;
	*list = (struct feedback){0};
	csv_init(&csv);
	int result = csv_feed(&csv, text, size, true, e);
	if (result == 0)
		result = read_records(list, &csv, e);
	csv_release(&csv);
	return result;
}
