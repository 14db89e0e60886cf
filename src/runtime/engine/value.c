/* value: the tree's storage and its budget; value_json.c and value_ubjson.c fill it. */
#include "runtime/engine/value.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALLOCATION_BYTES 16 /* what an allocation takes beside its content */

static int no_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "Memory ran out while the model was loaded.");
}

static int charge(size_t *budget, size_t bytes, struct err *e)
{
	if (bytes > *budget)
		return err_set(e, ERR_INPUT,
			       "The model's values would take far more memory than its "
			       "file's size explains.");
	*budget -= bytes;
	return 0;
}

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

/* A pointer to any type may be held by another only as void *, so each array grows through a copy.
 */
static int grow_items(struct value *v)
{
	void *items = v->items;
	int status = grow(&items, v->count, sizeof(*v->items));

	v->items = items;
	return status;
}

static int push_number(struct value *v, double number)
{
	void *numbers = v->numbers;
	int status = grow(&numbers, v->count, sizeof(*v->numbers));

	v->numbers = numbers;
	if (!status)
		v->numbers[v->count++] = number;
	return status;
}

/* Turns an array of bare numbers into one of items. */
static int widen(struct value *v)
{
	struct value wide = {.kind = VALUE_ARRAY};

	for (size_t i = 0; i < v->count; i++) {
		if (grow_items(&wide)) {
			value_release(&wide);
			return -1;
		}
		wide.items[wide.count++] = (struct value){.kind = VALUE_NUMBER, .number = v->numbers[i]};
	}
	value_release(v);
	*v = wide;
	return 0;
}

static int push_element(struct value *v, struct value *item, size_t *budget, struct err *e)
{
	bool bare = v->kind == VALUE_NUMBERS;

	if (v->count == 0 && charge(budget, ALLOCATION_BYTES, e))
		return -1;
	if (bare && item->kind == VALUE_NUMBER)
		return charge(budget, sizeof(double), e) || (push_number(v, item->number) && no_memory(e)) ? -1 : 0;
	if (charge(budget, (bare ? v->count + 1 : 1) * sizeof(*item), e))
		return -1;
	if ((bare && widen(v)) || grow_items(v))
		return no_memory(e);
	v->items[v->count++] = *item;
	return 0;
}

int value_push_element(struct value *v, struct value *item, size_t *budget, struct err *e)
{
	if (!push_element(v, item, budget, e))
		return 0;
	value_release(item);
	return -1;
}

static int push_member(struct value *v, const char *name, size_t size, struct value *item, size_t *budget,
		       struct err *e)
{
	void *names = v->names;
	char *copy;

	if (charge(budget, sizeof(*item) + sizeof(copy) + size + ALLOCATION_BYTES, e) ||
	    (v->count == 0 && charge(budget, 2 * ALLOCATION_BYTES, e)))
		return -1;
	if (grow_items(v) || grow(&names, v->count, sizeof(copy)))
		return no_memory(e);
	v->names = names;
	copy = malloc(size + 1);
	if (!copy)
		return no_memory(e);
	memcpy(copy, name, size);
	copy[size] = '\0';
	v->names[v->count] = copy;
	v->items[v->count++] = *item;
	return 0;
}

int value_push_member(struct value *v, const char *name, size_t size, struct value *item, size_t *budget, struct err *e)
{
	if (!push_member(v, name, size, item, budget, e))
		return 0;
	value_release(item);
	return -1;
}

int value_set_text(struct value *v, const char *text, size_t size, size_t *budget, struct err *e)
{
	char *copy;

	*v = (struct value){.kind = VALUE_NULL};
	if (charge(budget, size + ALLOCATION_BYTES, e))
		return -1;
	copy = malloc(size + 1);
	if (!copy)
		return no_memory(e);
	memcpy(copy, text, size);
	copy[size] = '\0';
	*v = (struct value){.kind = VALUE_STRING, .count = size, .text = copy};
	return 0;
}

void value_release(struct value *v)
{
	bool holds_items = v->kind == VALUE_ARRAY || v->kind == VALUE_OBJECT;

	for (size_t i = 0; holds_items && i < v->count; i++) {
		value_release(&v->items[i]);
		if (v->names)
			free(v->names[i]);
	}
	if (holds_items)
		free(v->items);
	if (v->kind == VALUE_NUMBERS)
		free(v->numbers);
	if (v->kind == VALUE_STRING)
		free(v->text);
	free(v->names);
	*v = (struct value){.kind = VALUE_NULL};
}

const struct value *value_get(const struct value *v, const char *name)
{
	for (size_t i = 0; v && v->kind == VALUE_OBJECT && i < v->count; i++)
		if (strcmp(v->names[i], name) == 0)
			return &v->items[i];
	return NULL;
}
