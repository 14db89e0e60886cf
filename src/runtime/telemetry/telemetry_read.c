/* telemetry: windows and totals for those who look. */
#include "runtime/telemetry/telemetry_internal.h"

#include <math.h>
#include <string.h>

#define SERVED_MIN_S 10 /* a rate is over at least so long: one request is not one a second */

static void add_window(const struct window *w, struct snapshot_version_stats *stats, uint64_t *latency, double *sum,
		       uint64_t *finite)
{
	stats->stats.requests += w->requests;
	stats->stats.refused += w->refused;
	stats->stats.errors += w->errors;
	*sum += w->sum;
	*finite += w->finite;
	for (size_t k = 0; k < BASELINE_BINS_MAX; k++)
		stats->predictions.counts[k] += w->predictions[k];
	stats->predictions.below += w->predictions[PLACE_BELOW];
	stats->predictions.above += w->predictions[PLACE_ABOVE];
	stats->predictions.nan += w->predictions[PLACE_NAN];
	for (size_t k = 0; k < w->latency_count; k++)
		latency[w->latency[k].bucket] += w->latency[k].count;
}

static void read_baseline(struct telemetry *t, struct snapshot_predictions *p)
{
	const struct baseline *baseline = atomic_load(&t->baseline);
	if (baseline == NULL) {
		uint32_t done = atomic_load(&t->gather_done);
		p->baseline_count = done;
		return;
	}
	p->bin_count = baseline->bin_count;
	p->baseline_count = baseline->count;
	memcpy(p->edges, baseline->edges, sizeof p->edges);
	memcpy(p->baseline, baseline->counts, sizeof p->baseline);
	memcpy(p->baseline_source, baseline->source, sizeof p->baseline_source);
}

void telemetry_latency(const uint64_t *counts, struct snapshot_latency *latency)
{
	latency->p50_ns = histogram_quantile_ns(counts, 0.5);
	latency->p90_ns = histogram_quantile_ns(counts, 0.9);
	latency->p99_ns = histogram_quantile_ns(counts, 0.99);
	latency->max_ns = histogram_quantile_ns(counts, 1);
	memset(latency->counts, 0, sizeof latency->counts);
	for (uint32_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
		if (counts[k] == 0)
			continue;
		double decade = log10((double)(histogram_value_ns(k) + 1) / 1e3);
		int bin = decade <= 0 ? 0 : (int)(decade * 10);
		if (bin >= SNAPSHOT_LATENCY_BINS)
			bin = SNAPSHOT_LATENCY_BINS - 1;
		latency->counts[bin] += counts[k];
	}
}

/* What is summed up of windows. */
struct reading {
	struct snapshot_version_stats *stats;
	uint64_t latency[HISTOGRAM_BUCKETS];
	double sum;
	uint64_t finite;
	int64_t age_s;    /* of the oldest telemetry */
	int64_t served_s; /* since the oldest request that is kept; 0: none is */
};

static void read_windows(struct telemetry *t, int64_t now_s, uint32_t window_s, struct reading *to)
{
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < SNAPSHOT_WINDOW_MAX_S; i++) {
		const struct window *w = &t->windows[i];
		if (w->second == 0 || w->second > now_s)
			continue;
		if (w->requests > 0 && now_s - w->second + 1 > to->served_s)
			to->served_s = now_s - w->second + 1;
		if (w->second > now_s - (int64_t)window_s)
			add_window(w, to->stats, to->latency, &to->sum, &to->finite);
		if (w->second > now_s - SNAPSHOT_SERIES)
			to->stats->series_rps[SNAPSHOT_SERIES - 1 - (now_s - w->second)] += (uint32_t)w->requests;
	}
	int64_t age_s = t->first_s == 0 ? 1 : now_s - t->first_s + 1;
	if (age_s > to->age_s)
		to->age_s = age_s;
	pthread_mutex_unlock(&t->lock);
}

/* How long the requests of the window took to come: a version that began to serve within it, a fresh canary, has not
 * had all of it. */
static double served_s(const struct reading *r, uint32_t window_s)
{
	int64_t served = r->served_s > SERVED_MIN_S ? r->served_s : SERVED_MIN_S;

	if (served > r->age_s)
		served = r->age_s;
	return served < window_s ? (double)served : window_s;
}

static void finish_reading(struct telemetry *t, struct reading *r, uint32_t window_s)
{
	struct snapshot_version_stats *stats = r->stats;

	stats->stats.rate_rps = (double)stats->stats.requests / served_s(r, window_s);
	stats->predictions.mean = r->finite > 0 ? r->sum / (double)r->finite : NAN;
	read_baseline(t, &stats->predictions);
	telemetry_latency(r->latency, &stats->stats.latency);
}

void telemetry_read(struct telemetry *t, int64_t now_s, uint32_t window_s, struct snapshot_version_stats *stats,
		    uint64_t *ok_counts)
{
	struct reading r = {.stats = stats};

	read_windows(t, now_s, window_s, &r);
	finish_reading(t, &r, window_s);
	for (size_t k = 0; ok_counts != NULL && k < HISTOGRAM_BUCKETS; k++)
		ok_counts[k] += r.latency[k];
}

void telemetry_read_with_copies(struct telemetry *t, int64_t now_s, uint32_t window_s,
				struct snapshot_version_stats *stats)
{
	struct telemetry *copies = telemetry_copies(t);
	struct reading r = {.stats = stats};

	read_windows(t, now_s, window_s, &r);
	if (copies != NULL)
		read_windows(copies, now_s, window_s, &r);
	finish_reading(t, &r, window_s);
}

static void total_predictions(struct telemetry *t, const uint64_t *counts, struct telemetry_totals *totals)
{
	totals->nan = counts[PLACE_NAN];
	const struct baseline *baseline = atomic_load(&t->baseline);
	if (baseline == NULL)
		return;
	totals->bin_count = baseline->bin_count;
	memcpy(totals->edges, baseline->edges, sizeof totals->edges);
	memcpy(totals->predictions, counts, sizeof totals->predictions);
	totals->below = counts[PLACE_BELOW];
	totals->above = counts[PLACE_ABOVE];
}

void telemetry_read_totals(struct telemetry *t, struct telemetry_totals *totals, uint64_t latency[HISTOGRAM_BUCKETS])
{
	struct counts now;
	uint64_t predictions[PLACE_COUNT];

	memset(totals, 0, sizeof *totals);
	pthread_mutex_lock(&t->lock);
	telemetry_sum(t, &now);
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
		uint64_t count = t->latency_total[k] + (uint32_t)(now.latency[k] - t->before.latency[k]);
		totals->ok += count;
		if (latency != NULL)
			latency[k] = count;
	}
	for (size_t k = 0; k < PLACE_COUNT; k++)
		predictions[k] = t->predictions_total[k] + (uint32_t)(now.predictions[k] - t->before.predictions[k]);
	pthread_mutex_unlock(&t->lock);

	totals->refused = now.sums[SUM_REFUSED];
	totals->errors = now.sums[SUM_ERRORS];
	totals->refused_ns = now.sums[SUM_REFUSED_NS];
	totals->error_ns = now.sums[SUM_ERROR_NS];
	totals->rows = now.sums[SUM_ROWS];
	totals->latency_ns = now.sums[SUM_LATENCY_NS];
	totals->queue_ns = now.sums[SUM_QUEUE_NS];
	totals->input_ns = now.sums[SUM_INPUT_NS];
	totals->infer_ns = now.sums[SUM_INFER_NS];
	totals->output_ns = now.sums[SUM_OUTPUT_NS];
	totals->last_ms = now.last_ms;
	totals->prediction_sum = now.values[VALUES_BINNED];
	total_predictions(t, predictions, totals);
}

void telemetry_read_compared(struct telemetry *t, struct telemetry_compared *compared)
{
	uint64_t counts[PLACE_COUNT] = {0};
	const struct compared *c = atomic_load_explicit(&t->compared, memory_order_acquire);

	memset(compared, 0, sizeof *compared);
	for (size_t i = 0; i < TELEMETRY_THREADS; i++) {
		const struct recorder *r = atomic_load_explicit(&t->recorders[i], memory_order_acquire);
		for (size_t k = 0; r != NULL && k < PLACE_COUNT; k++)
			counts[k] += atomic_load_explicit(&r->compared[k], memory_order_relaxed);
	}
	if (c != NULL) {
		compared->bin_count = c->bins.bin_count;
		memcpy(compared->edges, c->bins.edges, sizeof compared->edges);
	}
	memcpy(compared->counts, counts, sizeof compared->counts);
	compared->below = counts[PLACE_BELOW];
	compared->above = counts[PLACE_ABOVE];
	compared->nan = counts[PLACE_NAN];
}
