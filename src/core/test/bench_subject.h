/*
 * bench_subject: what a benchmark needs of a runtime, put into a folder: two versions' files and rows.
 *
 * Blocks for the exchanges. Versions need not be loaded: their launches load them. Not here: launching (bench_run).
 */
#ifndef CORE_TEST_BENCH_SUBJECT_H
#define CORE_TEST_BENCH_SUBJECT_H

#include "core/client.h"
#include "core/test/bench_rows.h"
#include "core/test/bench_run.h"

/* Where the rows are from, for people and reports. */
struct bench_source {
	char text[280];      /* "4096 rows drawn from the 26000 different ones of rows.csv" */
	char origin[16];     /* "data", "captured", "samples" or "signature" */
	bool made;           /* some are made: jittered, or from the signature */
	size_t source_count; /* different rows of the source; 0: none */
};

/* Fills side: name, and the model and manifest as files FOLDER/ROLE and FOLDER/ROLE.json. ERR_NOT_FOUND: there is no
 * such model or version. */
int bench_subject_fetch(struct client *client, const char *model, uint32_t version, const char *folder,
			const char *role, struct bench_side *side, struct err *e);
/* Writes the file at path: from data[size] (named name, of that origin) unless it is NULL, else from the new version's
 * sample rows, else the old one's, else from the new one's signature. */
int bench_subject_rows(struct client *client, const char *model, uint32_t new_version, uint32_t old_version,
		       const char *path, const char *origin, const char *name, const char *data, size_t size,
		       uint64_t seed, struct bench_source *source, struct err *e);
/* The thresholds of the model's policy. */
int bench_subject_limits(struct client *client, const char *model, double *ratio_max, double *memory_max,
			 struct err *e);

#endif
