/*
 * diff_run: two versions asked for the same rows, and their answers given to a differential.
 *
 * Owner: the caller, from diff_run_open() to diff_run_close(); one thread. Both are asked over the control socket: it
 * is an operator's own and no traffic. Not here: what is found (core/test/differential), the command (command_diff).
 */
#ifndef UI_DIFF_RUN_H
#define UI_DIFF_RUN_H

#include "core/batch_client.h"
#include "core/client.h"
#include "core/test/differential.h"
#include "ui/command/diff_data.h"

#include <signal.h>

#define DIFF_NOISE_ROWS 4096 /* that the old version is asked for twice */

enum { DIFF_OLD, DIFF_NEW };

struct diff_options {
	const char *model, *data;
	struct diff_columns columns;
	uint32_t version, against; /* against 0: the live one */
	bool bare;                 /* the report gets no inputs of rows */
	const char *socket_path;
	const volatile sig_atomic_t *stop;
};

struct diff_noise {
	uint64_t rows, differing;
	double greatest; /* |difference| of the same version's answers */
	double old_sd;   /* of its first numbers */
};

struct diff_run {
	struct diff_options options;
	struct client *client; /* borrowed */
	uint32_t versions[DIFF_SIDES];
	char names[DIFF_SIDES][16]; /* "v3" */
	char listen[128];           /* of the data plane, for lines to try */
	struct manifest manifests[DIFF_SIDES];
	struct score_kind kinds[DIFF_SIDES];
	struct batch_client *askers[DIFF_SIDES];
	struct diff_data *data;
	struct diff_chunk *chunk;
	uint64_t rows;
	size_t at; /* private, as is the rest: the row that is being added */
	struct tensor *inputs[DIFF_SIDES];
	double *values[DIFF_SIDES];
	int64_t *classes[DIFF_SIDES];
};

/* Finds, loads and describes both versions, and opens the data. options are copied, their strings borrowed.
 * ERR_CONFLICT: they cannot be compared. The client is borrowed until diff_run_close(). */
int diff_run_open(struct diff_run *r, const struct diff_options *options, struct client *client, struct err *e);
void diff_run_close(struct diff_run *r);
/* The old version against itself: the first rows once as they stand, once backwards and in other portions. */
int diff_run_noise(struct diff_run *r, struct diff_noise *noise, struct err *e);
/* The next chunk into the differential; *more false at the end. */
int diff_run_next(struct diff_run *r, struct differential *d, bool *more, struct err *e);

#endif
