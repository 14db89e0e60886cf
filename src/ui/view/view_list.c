#include "ui/view/view.h"

#include <string.h>

#define X(name) extern const struct view view_##name;
VIEWS(X)
#undef X

const struct view *const view_table[] = {
#define X(name) &view_##name,
    VIEWS(X)
#undef X
};

const size_t view_count = sizeof(view_table) / sizeof(view_table[0]);

const struct view *view_find(const char *name)
{
	for (size_t i = 0; i < view_count; i++) {
		if (strcmp(view_table[i]->name, name) == 0)
			return view_table[i];
	}
	return NULL;
}

size_t view_filtered(const struct ui_state *state, size_t *indexes, size_t max)
{
	size_t count = 0;
	for (size_t i = 0; state->snapshot != NULL && i < state->snapshot->model_count; i++) {
		if (strstr(state->snapshot->models[i].name, state->filter) == NULL)
			continue;
		if (count < max)
			indexes[count] = i;
		count++;
	}
	return count;
}
