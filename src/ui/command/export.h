/*
 * export: the state of a runtime as a models file, and what the file names beside it, by the control API.
 *
 * Used by the main thread of `mldeck export` only. The same state gives the same bytes. What a models file is:
 * core/models_file.
 */
#ifndef UI_EXPORT_H
#define UI_EXPORT_H

#include "core/buf.h"
#include "core/client.h"
#include "core/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

struct export_state {
	struct client *client;
	struct snapshot *snapshot;
	const char *folder; /* where artifacts go; NULL: they are named by their digest */
	char *prefix;       /* of their names in the models file: "artifacts/" */
	struct buf text;
	size_t model_count, version_count, artifact_count;
};

/* Asks the runtime for the state of all models. */
int export_begin(struct export_state *x, struct err *e);
/* Where artifacts go (made if it is not there), and how a models file at `output` (NULL: the working directory's)
 * names them. */
int export_folder(struct export_state *x, const char *folder, const char *output, struct err *e);
/* Appends a model's section, and writes its artifacts where there is a folder. */
int export_model(struct export_state *x, struct snapshot_model *m, struct err *e);
void export_release(struct export_state *x);

/* Appends the lines of a section: pure. A policy that is the default is left out. */
void export_route(struct buf *text, const struct snapshot_model *m);
void export_policy(struct buf *text, const struct policy *policy);
/* Whether a value can stand in a line of a models file and be read back as it is. */
bool export_plain(const char *value);

#endif
