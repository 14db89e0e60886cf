/* metrics: what versions on other servers cost: exchanges by what came of them, retries, connections. */
#include "runtime/metrics.h"
#include "runtime/remote.h"

/* The counts of a version on another server; false: it is none, or was never asked. */
static bool take_counts(const struct metrics_version *v, struct remote_counts *counts)
{
	if (!v->counted || v->version->engine == NULL || v->version->engine != engine_find("remote"))
		return false;
	remote_counts(v->version->model, counts);
	return true;
}

static void write_exchanges(struct metrics *m)
{
	struct remote_counts counts;
	metrics_family(m, "mldeck_remote_exchanges_total", "counter",
		       "Predictions asked of another server, by what came of them.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!take_counts(v, &counts))
			continue;
		for (unsigned kind = 0; kind < REMOTE_COUNT_KINDS; kind++) {
			if (kind == REMOTE_COUNT_RETRY || kind == REMOTE_COUNT_CONNECTION)
				continue;
			metrics_series(m, "", "model", v->model, "version", v->number, "outcome",
				       remote_count_name(kind), NULL);
			metrics_count(m, counts.counts[kind]);
		}
	}
}

static void write_one(struct metrics *m, const char *name, const char *help, enum remote_count_kind kind)
{
	struct remote_counts counts;
	metrics_family(m, name, "counter", help);
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!take_counts(v, &counts))
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, counts.counts[kind]);
	}
}

static void write_in_flight(struct metrics *m)
{
	struct remote_counts counts;
	metrics_family(m, "mldeck_remote_in_flight", "gauge",
		       "Predictions that another server has not answered yet.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!take_counts(v, &counts))
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, counts.in_flight);
	}
}

void metrics_remote(struct metrics *m)
{
	write_exchanges(m);
	write_one(m, "mldeck_remote_retries_total", "Exchanges with another server that were tried again.",
		  REMOTE_COUNT_RETRY);
	write_one(m, "mldeck_remote_connections_total", "Connections made to another server.",
		  REMOTE_COUNT_CONNECTION);
	write_in_flight(m);
}
