#include "core/tensor_copy.h"

#include <string.h>

#define ALIGNMENT 16

size_t tensor_copy_aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t tensor_copy_size(const struct tensor *t, size_t first, size_t count)
{
	size_t size = tensor_copy_aligned(count * datatype_size(t->datatype));
	const struct bytes *strings = t->data;

	for (size_t i = first; t->datatype == DATATYPE_BYTES && i < first + count; i++)
		size += strings[i].size;
	return tensor_copy_aligned(size);
}

void *tensor_copy_take(char **next, size_t size)
{
	void *taken = *next;
	*next += tensor_copy_aligned(size);
	return taken;
}

void tensor_copy_put(struct tensor *to, const struct tensor *from, size_t first, size_t count, char **next)
{
	size_t width = datatype_size(from->datatype), size = count * width;

	*to = *from;
	to->count = count;
	to->data = tensor_copy_take(next, size);
	if (size > 0)
		memcpy(to->data, (const char *)from->data + first * width, size);
	if (from->datatype != DATATYPE_BYTES)
		return;
	struct bytes *strings = to->data;
	char *text = *next;
	for (size_t i = 0; i < count; i++) {
		if (strings[i].size > 0)
			memcpy(text, strings[i].data, strings[i].size);
		strings[i].data = text;
		text += strings[i].size;
	}
	tensor_copy_take(next, (size_t)(text - *next));
}
