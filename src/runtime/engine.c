#include "runtime/engine.h"

#include <string.h>

#define X(name) extern const struct engine engine_##name;
ENGINES(X)
#undef X

const struct engine *const engine_table[] = {
#define X(name) &engine_##name,
	ENGINES(X)
#undef X
};
const size_t engine_count = sizeof engine_table / sizeof *engine_table;

const struct engine *engine_detect(const void *data, size_t size)
{
	for (size_t i = 0; i < engine_count; i++)
		if (engine_table[i]->detect(data, size) != NULL)
			return engine_table[i];
	return NULL;
}

const struct engine *engine_find(const char *name)
{
	for (size_t i = 0; i < engine_count; i++)
		if (strcmp(engine_table[i]->name, name) == 0)
			return engine_table[i];
	return NULL;
}
