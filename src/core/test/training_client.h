/*
 * training_client: training runs that a runtime keeps, and the versions that came of them.
 *
 * Blocks for the exchanges.
 */
#ifndef CORE_TEST_TRAINING_CLIENT_H
#define CORE_TEST_TRAINING_CLIENT_H

#include "core/client.h"
#include "core/test/training.h"

/* Newest first, at most TRAINING_RUNS_MAX; the version of each by the digest of the file that it made, deployed before
 * or since. ERR_NOT_FOUND: there is no such model, and no run that was kept under its name. */
int training_client_runs(struct client *client, const char *model, struct training_run runs[TRAINING_RUNS_MAX],
			 size_t *count, struct err *e);
/* The version whose artifact has this digest ("" none); 0: there is none. */
int training_client_version(struct client *client, const char *model, const char *sha256, uint32_t *version,
			    struct err *e);

#endif
