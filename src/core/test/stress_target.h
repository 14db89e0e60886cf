/*
 * stress_target: what is asked, before a load, of the runtime or of another V2 server: where, which signature, which
 * rows; and snapshots while it runs.
 *
 * Blocks for the exchanges. Not here: the load itself (load).
 */
#ifndef CORE_TEST_STRESS_TARGET_H
#define CORE_TEST_STRESS_TARGET_H

#include "core/client.h"
#include "core/manifest.h"
#include "core/snapshot.h"
#include "core/test/load.h"

#include <stdint.h>

#define STRESS_FILE_MAX ((size_t)256 << 20)

/* The last window_s seconds of the runtime; snapshot_free() it. */
int stress_snapshot(struct client *c, uint32_t window_s, int timeout_ms, struct snapshot **snapshot, struct err *e);
/* Makes sure that a version is loaded. */
int stress_load_version(struct client *c, const char *model, uint32_t version, struct err *e);
/* The rows that a version is warmed up with, as CSV; free(). ERR_USAGE when it has none. */
int stress_sample_rows(struct client *c, const char *model, uint32_t version, char **text, size_t *size, struct err *e);
/* A file's bytes; free(). ERR_TOO_LARGE beyond STRESS_FILE_MAX. */
int stress_file_rows(const char *path, char **text, size_t *size, struct err *e);
/* The inputs of a model on any V2 server, by its metadata at URL + path ("/v2/models/M"). Fills manifest (initialised
 * by the callee), also when it fails. ERR_UNREACHABLE, ERR_NOT_FOUND, or ERR_UPSTREAM when it is no such answer. */
int stress_signature(const char *url, const char *path, struct manifest *manifest, struct err *e);
/* A gauge of the runtime's metrics; NaN when it cannot be read. */
double stress_gauge(const char *listen, const char *name);

/* Keeps a report for ever, and the number that it got. report is borrowed. */
int stress_keep(struct client *c, const char *model, const char *report, int64_t job, int64_t *id, struct err *e);

#endif
