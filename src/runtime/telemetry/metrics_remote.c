/* metrics: versions that are models on another server: what came of asking it. */
#include "runtime/telemetry/metrics.h"

#include "runtime/engine/remote.h"

#include <string.h>

extern const struct engine engine_remote;

/* The counts of a remote version; false for any other. */
static bool counts_of(const struct metrics_version *v, struct remote_counts *counts)
{
	if (v->version->engine != &engine_remote)
		return false;
	remote_counts(v->version->model, counts);
	return true;
}

static void write_answers(struct metrics *m)
{
	struct remote_counts counts;

	metrics_family(m, "mldeck_remote_answers_total", "counter",
		       "Predictions of a remote version by what came of them: ok; input (the server "
		       "refused it), busy (429), upstream (502), timeout (504), other.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!counts_of(v, &counts))
			continue;
		for (enum remote_count_kind kind = 0; kind < REMOTE_COUNT_RETRY; kind++) {
			metrics_series(m, "", "model", v->model, "version", v->number, "kind", remote_count_name(kind),
				       NULL);
			metrics_count(m, counts.counts[kind]);
		}
	}
}

static void write_one(struct metrics *m, enum remote_count_kind kind, const char *name, const char *help)
{
	struct remote_counts counts;

	metrics_family(m, name, "counter", help);
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!counts_of(v, &counts))
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, counts.counts[kind]);
	}
}

static void write_in_flight(struct metrics *m)
{
	struct remote_counts counts;

	metrics_family(m, "mldeck_remote_in_flight", "gauge",
		       "Predictions that a remote version's server is being asked for.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!counts_of(v, &counts))
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, counts.in_flight);
	}
}

void metrics_remote(struct metrics *m)
{
	write_answers(m);
	write_one(m, REMOTE_COUNT_RETRY, "mldeck_remote_retries_total",
		  "How often a remote version's server was asked again, because nothing can have "
		  "been done.");
	write_one(m, REMOTE_COUNT_CONNECTION, "mldeck_remote_connections_total",
		  "Answers of a remote version's server that came over a connection made for them.");
	write_in_flight(m);
}
