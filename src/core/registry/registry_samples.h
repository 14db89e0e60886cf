/*
 * registry_samples: the rows that a version is warmed up with: it answers them before it gets traffic.
 *
 * Written once a version, by registry_deploy(): a version that has none gets them when its file is deployed again with
 * some. Thread-safe, as all of the registry.
 * Not here: how they are asked (runtime/router/warm_up).
 */
#ifndef CORE_REGISTRY_SAMPLES_H
#define CORE_REGISTRY_SAMPLES_H

#include "core/registry/registry.h"

#define SAMPLE_ROWS_MAX 64
#define SAMPLE_CSV_MAX ((size_t)8 << 20) /* bytes */

struct sample_rows {
	char *csv; /* a header and at most SAMPLE_ROWS_MAX rows; NULL: there are none */
	/* A character a row: '1' when the version answered it with a finite number at its deploy. */
	char finite[SAMPLE_ROWS_MAX + 1];
};

void sample_rows_release(struct sample_rows *s);

/* Fills samples (sample_rows_release() them); csv is NULL when the version has none. */
int registry_samples(struct registry *r, const char *model, uint32_t version, struct sample_rows *samples,
		     struct err *e);

#endif
