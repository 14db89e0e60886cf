/*
 * forest_lightgbm: what the reader of LightGBM's files shares with the reader of one tree's block.
 *
 * Owner: lightgbm_load() owns the parser; one thread. Limits: a tree's arrays are no longer than
 * their lines. Not here: the forest that is built (forest_internal).
 */
#ifndef RUNTIME_FOREST_LIGHTGBM_H
#define RUNTIME_FOREST_LIGHTGBM_H

#include "runtime/engine/forest_internal.h"

#include <locale.h>

#define LIGHTGBM_FIELD_COUNT 15

/* The names of a tree's fields that count for predicting. */
extern const char *const lightgbm_fields[LIGHTGBM_FIELD_COUNT];

struct lightgbm_parser {
	struct forest *f;
	const char *text; /* NUL-terminated lines */
	const char *end;
	locale_t locale;                          /* "C": numbers read alike everywhere */
	const char *fields[LIGHTGBM_FIELD_COUNT]; /* of the tree at hand: what follows "=", or NULL */
	const char *tree_sizes;                   /* one number a tree, or NULL */
	struct err *e;
};

const char *lightgbm_skip_spaces(const char *s);
/* The next number of a line; false at its end or at anything else. */
bool lightgbm_next_number(struct lightgbm_parser *p, const char **at, double *number);
/* Adds the tree whose fields[] are filled; trees take turns over the classes. */
int lightgbm_tree(struct lightgbm_parser *p, size_t classes);

#endif
