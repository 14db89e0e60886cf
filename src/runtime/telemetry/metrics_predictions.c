/*
 * metrics: the distribution of a version's predictions, in the bins of its baseline.
 *
 * A bin holds low <= value < high, where a bucket of the format holds low < value <= high: a prediction that is
 * exactly an edge is counted above it. What lies below all bins is in the first bucket, what lies above them
 * in +Inf.
 */
#include "runtime/telemetry/metrics.h"
#include "core/number.h"

static void write_bucket(struct metrics *m, const struct metrics_version *v, const char *le, uint64_t count)
{
	metrics_series(m, "_bucket", "model", v->model, "version", v->number, "le", le, NULL);
	metrics_count(m, count);
}

static void write_buckets(struct metrics *m, const struct metrics_version *v)
{
	const struct telemetry_totals *t = &v->totals;
	uint64_t count = t->below;
	for (uint32_t i = 0; i <= t->bin_count; i++) {
		char le[NUMBER_SIZE];
		le[number_write_double(le, t->edges[i])] = '\0';
		if (i > 0)
			count += t->predictions[i - 1];
		write_bucket(m, v, le, count);
	}
	count += t->above;
	write_bucket(m, v, "+Inf", count);
	metrics_series(m, "_sum", "model", v->model, "version", v->number, NULL);
	metrics_number(m, t->prediction_sum);
	metrics_series(m, "_count", "model", v->model, "version", v->number, NULL);
	metrics_count(m, count);
}

void metrics_predictions(struct metrics *m)
{
	metrics_family(m, "mldeck_prediction", "histogram",
		       "Predictions since the version has a baseline, in its bins; without NaN.");
	for (size_t i = 0; i < m->version_count; i++)
		if (m->versions[i].counted && m->versions[i].totals.bin_count > 0)
			write_buckets(m, &m->versions[i]);
	metrics_family(m, "mldeck_prediction_nan_total", "counter", "Predictions that were not a number.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (!v->counted)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, v->totals.nan);
	}
}
