/*
 * apply: a models file carried out: what it would change, and then each change, by the control API.
 *
 * Used by the main thread of `mldeck apply` only. What is planned, and by which rules: core/models_plan.
 */
#ifndef UI_APPLY_H
#define UI_APPLY_H

#include "core/client.h"
#include "core/models_plan.h"

#include <stdbool.h>
#include <stddef.h>

/* What came of a change. */
struct apply_outcome {
	bool done;
	uint32_t based_on; /* of a policy: the number that it replaces; 0: none */
	uint32_t number;   /* the version, the policy's number, the route's revision */
};

struct apply {
	const char *reason; /* NULL for a dry run */
	bool force, json;
	struct client *client;
	struct models_file file;
	struct snapshot *snapshot;
	struct models_plan *plan;
	struct apply_outcome *outcomes; /* of the plan's changes */
	size_t done_count;
	struct err fault; /* what stopped it; code ERR_NONE: nothing did */
};

/* Reads and checks the file, asks the runtime, makes the plan, and looks at all that it needs. Changes nothing. */
int apply_prepare(struct apply *a, const char *path, struct err *e);
/* Asks the runtime whether it would make those changes of routes and policies of which it can say so now: a gate that
 * says no ends it before anything is changed. */
int apply_rehearse(struct apply *a, struct err *e);
/* Makes the changes in order up to the first that is refused; a->fault then says why. Prints each unless json. */
int apply_run(struct apply *a, struct err *e);
void apply_release(struct apply *a);

/* The difference for people: "+ version 2 = …" and so on, model by model. */
void apply_print_plan(const struct apply *a, bool verbose);
/* One line on a change that was made. */
void apply_print_change(const struct apply *a, size_t i);
/* The changes that were not made. */
void apply_print_rest(const struct apply *a);
/* All of it as JSON; NULL when memory is out. */
cJSON *apply_json(const struct apply *a, bool dry_run);
/* "version 2", "policy", "route" */
void apply_change_name(const struct models_change *c, char *text, size_t size);

#endif
