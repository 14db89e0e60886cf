/*
 * feedback: a body of outcomes, JSON or CSV, as a list.
 *
 * Owner: the caller, from feedback_read_json() or feedback_read_csv() to feedback_release(); any thread. A list is
 * whole or refused whole: what is no outcome is ERR_INPUT, with its place. Limit: EXPERIMENT_BATCH_MAX outcomes. Not
 * here: whether an outcome counts (registry_experiments).
 */
#ifndef RUNTIME_EXPERIMENT_FEEDBACK_H
#define RUNTIME_EXPERIMENT_FEEDBACK_H

#include "core/arena.h"
#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

#define FEEDBACK_TEXT_MAX 255 /* bytes of a unit, an id or a key */

struct feedback_item {
	const char *unit, *id; /* one of them, the other is NULL */
	const char *metric;
	const char *key; /* NULL: none */
	double value;    /* finite */
	int64_t at_ms;   /* Unix; -1: not told */
};

struct feedback {
	size_t count;
	struct feedback_item *items;
	struct arena texts; /* private, as is the rest */
	size_t capacity;
};

/* {"outcomes":[...]} or one outcome: {"unit" or "id","metric","value","key","at_ms"}. */
int feedback_read_json(const char *text, size_t size, struct feedback *list, struct err *e);
/* A header with these names in any order, then a row each; an empty field is an absent one. */
int feedback_read_csv(const char *text, size_t size, struct feedback *list, struct err *e);
void feedback_release(struct feedback *list);

#endif
