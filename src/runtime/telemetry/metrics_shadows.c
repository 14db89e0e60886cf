/*
 * metrics: what was copied to shadows, and how their answers differ. Of all comparisons together: no counter falls when
 * one begins anew. What a shadow was asked is in none of the families of requests.
 */
#include "runtime/telemetry/metrics.h"
#include "core/number.h"

static void write_outcome(struct metrics *m, const struct metrics_version *v, const char *outcome, uint64_t count)
{
	metrics_series(m, "", "model", v->model, "version", v->number, "outcome", outcome, NULL);
	metrics_count(m, count);
}

static void write_outcomes(struct metrics *m)
{
	metrics_family(m, "mldeck_shadow_requests_total", "counter",
		       "Requests that were copied to a shadow, by what came of the copy.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->shadowed)
			continue;
		write_outcome(m, v, "compared", v->shadow.compared);
		write_outcome(m, v, "failed", v->shadow.failed);
		write_outcome(m, v, "dropped", v->shadow.dropped);
	}
}

static uint64_t rows(const struct shadow_stats *s)
{
	return s->rows;
}

static uint64_t flips(const struct shadow_stats *s)
{
	return s->flips;
}

static uint64_t incomparable(const struct shadow_stats *s)
{
	return s->incomparable;
}

static void write_counter(struct metrics *m, const char *name, const char *help,
			  uint64_t (*value)(const struct shadow_stats *s))
{
	metrics_family(m, name, "counter", help);
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->shadowed)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, value(&v->shadow));
	}
}

static void write_bucket(struct metrics *m, const struct metrics_version *v, const char *le, uint64_t count)
{
	metrics_series(m, "_bucket", "model", v->model, "version", v->number, "le", le, NULL);
	metrics_count(m, count);
}

static void write_differences(struct metrics *m, const struct metrics_version *v)
{
	uint64_t count = 0;

	for (size_t i = 0; i < SHADOW_BINS; i++) {
		char le[NUMBER_SIZE];
		le[number_write_double(le, shadow_bin_edge(i))] = '\0';
		count += v->shadow.bins[i];
		write_bucket(m, v, i + 1 < SHADOW_BINS ? le : "+Inf", count);
	}
	metrics_series(m, "_sum", "model", v->model, "version", v->number, NULL);
	metrics_number(m, v->shadow.absolute_sum);
	metrics_series(m, "_count", "model", v->model, "version", v->number, NULL);
	metrics_count(m, count);
}

static void write_seconds(struct metrics *m, const struct metrics_version *v, const char *of, uint64_t ns)
{
	metrics_series(m, "", "model", v->model, "version", v->number, "of", of, NULL);
	metrics_number(m, (double)ns / 1e9);
}

void metrics_shadows(struct metrics *m)
{
	write_outcomes(m);
	write_counter(m, "mldeck_shadow_rows_total", "Rows whose two predictions were compared.", rows);
	write_counter(m, "mldeck_shadow_flips_total", "Rows that the shadow puts into another class.", flips);
	write_counter(m, "mldeck_shadow_incomparable_total", "Rows that have no difference: one side is no number.",
		      incomparable);
	metrics_family(m, "mldeck_shadow_difference", "histogram",
		       "Absolute difference of the shadow's prediction from the one that was given.");
	for (size_t i = 0; i < m->version_count; i++)
		if (m->versions[i].shadowed)
			write_differences(m, &m->versions[i]);
	metrics_family(m, "mldeck_shadow_infer_seconds_total", "counter",
		       "Time in the engine of the compared requests: of the live version and of the shadow.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->shadowed)
			continue;
		write_seconds(m, v, "live", v->shadow.live_ns_sum);
		write_seconds(m, v, "shadow", v->shadow.shadow_ns_sum);
	}
}
