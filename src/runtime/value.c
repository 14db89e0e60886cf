/* value: the tree's storage; value_json.c and value_ubjson.c fill it. */
#include "runtime/value.h"

#include <stdlib.h>
#include <string.h>

/* Arrays double when their count is a power of two, so no capacity is kept. */
static int grow(void **array, size_t count, size_t size)
{
	void *grown;

	if (count & (count - 1))
		return 0;
	grown = realloc(*array, (count ? count * 2 : 1) * size);
	if (!grown)
		return -1;
	*array = grown;
	return 0;
}

int value_push_number(struct value *v, double number)
{
	if (grow((void **)&v->numbers, v->count, sizeof(double)))
		return -1;
	v->numbers[v->count++] = number;
	return 0;
}

int value_push_item(struct value *v, const char *name, size_t size, struct value *item)
{
	char *copy = NULL;

	if (grow((void **)&v->items, v->count, sizeof(*item)) ||
	    (name && grow((void **)&v->names, v->count, sizeof(char *))) ||
	    (name && !(copy = malloc(size + 1)))) {
		value_release(item);
		return -1;
	}
	if (name) {
		memcpy(copy, name, size);
		copy[size] = '\0';
		v->names[v->count] = copy;
	}
	v->items[v->count++] = *item;
	return 0;
}

/* Turns an array of bare numbers into one of items. */
static int widen(struct value *v)
{
	struct value wide = {.kind = VALUE_ARRAY};

	for (size_t i = 0; i < v->count; i++) {
		struct value number = {.kind = VALUE_NUMBER, .number = v->numbers[i]};

		if (value_push_item(&wide, NULL, 0, &number)) {
			value_release(&wide);
			return -1;
		}
	}
	value_release(v);
	*v = wide;
	return 0;
}

int value_push_any(struct value *v, struct value *item)
{
	if (v->kind == VALUE_NUMBERS && item->kind == VALUE_NUMBER)
		return value_push_number(v, item->number);
	if (v->kind == VALUE_NUMBERS && widen(v)) {
		value_release(item);
		return -1;
	}
	return value_push_item(v, NULL, 0, item);
}

void value_release(struct value *v)
{
	for (size_t i = 0; v->items && i < v->count; i++) {
		value_release(&v->items[i]);
		if (v->names)
			free(v->names[i]);
	}
	free(v->items);
	free(v->names);
	free(v->numbers);
	free(v->text);
	*v = (struct value){.kind = VALUE_NULL};
}

const struct value *value_get(const struct value *v, const char *name)
{
	for (size_t i = 0; v && v->kind == VALUE_OBJECT && i < v->count; i++)
		if (strcmp(v->names[i], name) == 0)
			return &v->items[i];
	return NULL;
}
