#include "runtime/telemetry/metrics.h"

#include <stdio.h>
#include <stdlib.h>

const struct metrics_edge metrics_latency_edges[METRICS_LATENCY_EDGES] = {
    {10000, "1e-05"},    {25000, "2.5e-05"},  {50000, "5e-05"},    {100000, "0.0001"},  {250000, "0.00025"},
    {500000, "0.0005"},  {1000000, "0.001"},  {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},
    {25000000, "0.025"}, {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
    {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"},
};

/*
 * The histogram's own buckets are narrower than these, but an edge may cut one. Such a bucket counts as a whole,
 * on the side where its middle is: the edge then is right to half a bucket, 0.8%, and counts are never guessed.
 */
static void sum_latencies(const uint64_t counts[HISTOGRAM_BUCKETS], uint64_t within[METRICS_LATENCY_EDGES])
{
	uint64_t sum = 0;
	uint32_t bucket = 0;
	for (size_t i = 0; i < METRICS_LATENCY_EDGES; i++) {
		while (bucket < HISTOGRAM_BUCKETS && histogram_value_ns(bucket) <= metrics_latency_edges[i].ns)
			sum += counts[bucket++];
		within[i] = sum;
	}
}

static void take_version(struct metrics_version *to, const struct served_model *m, const struct served_version *v)
{
	uint64_t latency[HISTOGRAM_BUCKETS];
	to->model = m->name;
	snprintf(to->number, sizeof to->number, "%u", v->version);
	to->version = v;
	to->entry = route_find(&m->route, v->version);
	telemetry_read_totals(v->telemetry, &to->totals, latency);
	sum_latencies(latency, to->latency);
	to->shadowed = telemetry_read_shadow_totals(v->telemetry, &to->shadow);
	to->counted = to->entry != NULL || to->totals.ok + to->totals.refused + to->totals.errors > 0;
}

static size_t count_versions(const struct routing *routing)
{
	size_t count = 0;
	for (size_t i = 0; i < routing->model_count; i++)
		count += routing->models[i]->version_count;
	return count;
}

void metrics_write(const struct server *s, const struct routing *routing, struct buf *out)
{
	static void (*const parts[])(struct metrics * m) = {
#define X(name) metrics_##name,
	    METRICS(X)
#undef X
	};
	struct metrics m = {.server = s, .routing = routing, .out = out};

	m.versions = calloc(count_versions(routing) + 1, sizeof *m.versions);
	if (m.versions == NULL) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < routing->model_count; i++)
		for (size_t k = 0; k < routing->models[i]->version_count; k++)
			take_version(&m.versions[m.version_count++], routing->models[i],
				     routing->models[i]->versions[k]);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		parts[i](&m);
	free(m.versions);
}
