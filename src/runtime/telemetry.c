#include "runtime/telemetry.h"

#include "core/histogram.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Places for predictions behind the bins of the baseline. */
enum { PLACE_BELOW = BASELINE_BINS_MAX, PLACE_ABOVE, PLACE_NAN, PLACE_COUNT };

/* What one thread counted since the start. Only that thread writes; the tick reads. */
struct recorder {
	_Atomic uint64_t errors;
	_Atomic uint64_t finite; /* predictions behind sum */
	_Atomic uint64_t sum;	 /* bits of a double */
	_Atomic uint32_t latency[HISTOGRAM_BUCKETS];
	_Atomic uint32_t predictions[PLACE_COUNT];
};

/* All threads' counts at one moment; wrap-around of the 32-bit ones is meant. */
struct totals {
	uint64_t errors, finite;
	double sum;
	uint32_t latency[HISTOGRAM_BUCKETS];
	uint32_t predictions[PLACE_COUNT];
};

/* What happened in one second. Latencies are kept sparse: most buckets are empty. */
struct window {
	int64_t second; /* the one that it ended; 0: never used */
	uint64_t requests, errors, finite;
	double sum;
	uint32_t predictions[PLACE_COUNT];
	size_t latency_count;
	struct {
		uint16_t bucket;
		uint32_t count;
	} *latency;
};

struct telemetry {
	_Atomic(struct recorder *) recorders[TELEMETRY_THREADS];
	_Atomic(struct baseline *) baseline;
	/* Gathering towards a baseline. */
	_Atomic uint32_t gather_next, gather_done;
	bool gather_taken; /* the tick's thread only */
	double *gather;

	pthread_mutex_t lock; /* of all below */
	int64_t first_s; /* of the first tick; 0: none yet */
	struct totals before;
	struct window windows[SNAPSHOT_WINDOW_MAX_S];
};

static _Atomic uint64_t lost;
static _Atomic uint32_t thread_next;
static _Thread_local uint32_t thread_index = UINT32_MAX;

struct telemetry *telemetry_new(const struct baseline *baseline)
{
	struct telemetry *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->gather = calloc(BASELINE_LEARN_COUNT, sizeof *t->gather);
	if (t->gather == NULL) {
		free(t);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	if (baseline != NULL && baseline->bin_count > 0)
		telemetry_set_baseline(t, baseline);
	return t;
}

void telemetry_free(struct telemetry *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < TELEMETRY_THREADS; i++)
		free(atomic_load(&t->recorders[i]));
	for (size_t i = 0; i < SNAPSHOT_WINDOW_MAX_S; i++)
		free(t->windows[i].latency);
	free(atomic_load(&t->baseline));
	free(t->gather);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* The calling thread's recorder, made on its first use; NULL (and a lost sample) when there is no room. */
static struct recorder *my_recorder(struct telemetry *t)
{
	if (thread_index == UINT32_MAX)
		thread_index = atomic_fetch_add(&thread_next, 1);
	struct recorder *r = NULL;
	if (thread_index < TELEMETRY_THREADS) {
		r = atomic_load_explicit(&t->recorders[thread_index], memory_order_relaxed);
		if (r == NULL) {
			r = calloc(1, sizeof *r);
			atomic_store_explicit(&t->recorders[thread_index], r, memory_order_release);
		}
	}
	if (r == NULL)
		atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
	return r;
}

/* Adds where this thread is the only writer: a plain load and store, no locked instruction. */
static inline void add32(_Atomic uint32_t *counter)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

static inline void add64(_Atomic uint64_t *counter, uint64_t amount)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + amount,
			      memory_order_relaxed);
}

static void add_double(_Atomic uint64_t *bits, double amount)
{
	uint64_t old = atomic_load_explicit(bits, memory_order_relaxed);
	double sum;
	memcpy(&sum, &old, sizeof sum);
	sum += amount;
	memcpy(&old, &sum, sizeof old);
	atomic_store_explicit(bits, old, memory_order_relaxed);
}

static void gather(struct telemetry *t, double value)
{
	if (atomic_load_explicit(&t->gather_next, memory_order_relaxed) >= BASELINE_LEARN_COUNT)
		return;
	uint32_t i = atomic_fetch_add(&t->gather_next, 1);
	if (i >= BASELINE_LEARN_COUNT)
		return;
	t->gather[i] = value;
	atomic_fetch_add_explicit(&t->gather_done, 1, memory_order_release);
}

static size_t place_of(const struct baseline *baseline, double value)
{
	int bin = baseline_bin(baseline, value);
	switch (bin) {
	case BASELINE_BELOW:
		return PLACE_BELOW;
	case BASELINE_ABOVE:
		return PLACE_ABOVE;
	case BASELINE_NAN:
		return PLACE_NAN;
	default:
		return (size_t)bin;
	}
}

void telemetry_record_ok(struct telemetry *t, uint64_t latency_ns, const double *predictions,
			 size_t count)
{
	struct recorder *r = my_recorder(t);
	if (r == NULL)
		return;
	add32(&r->latency[histogram_bucket(latency_ns)]);

	const struct baseline *baseline = atomic_load_explicit(&t->baseline, memory_order_acquire);
	double sum = 0;
	uint64_t finite = 0;
	for (size_t i = 0; i < count; i++) {
		if (isfinite(predictions[i])) {
			sum += predictions[i];
			finite++;
		}
		if (baseline != NULL)
			add32(&r->predictions[place_of(baseline, predictions[i])]);
		else
			gather(t, predictions[i]);
	}
	add64(&r->finite, finite);
	add_double(&r->sum, sum);
}

void telemetry_record_error(struct telemetry *t)
{
	struct recorder *r = my_recorder(t);
	if (r != NULL)
		add64(&r->errors, 1);
}

static void sum_recorders(struct telemetry *t, struct totals *totals)
{
	memset(totals, 0, sizeof *totals);
	for (size_t i = 0; i < TELEMETRY_THREADS; i++) {
		struct recorder *r = atomic_load_explicit(&t->recorders[i], memory_order_acquire);
		if (r == NULL)
			continue;
		totals->errors += atomic_load_explicit(&r->errors, memory_order_relaxed);
		totals->finite += atomic_load_explicit(&r->finite, memory_order_relaxed);
		uint64_t bits = atomic_load_explicit(&r->sum, memory_order_relaxed);
		double sum;
		memcpy(&sum, &bits, sizeof sum);
		totals->sum += sum;
		for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
			totals->latency[k] += atomic_load_explicit(&r->latency[k], memory_order_relaxed);
		for (size_t k = 0; k < PLACE_COUNT; k++)
			totals->predictions[k] +=
				atomic_load_explicit(&r->predictions[k], memory_order_relaxed);
	}
}

/* Fills a window with what came between two totals. */
static void close_window(struct window *w, const struct totals *before, const struct totals *now)
{
	w->errors = now->errors - before->errors;
	w->finite = now->finite - before->finite;
	w->sum = now->sum - before->sum;
	w->requests = w->errors;
	for (size_t k = 0; k < PLACE_COUNT; k++)
		w->predictions[k] = now->predictions[k] - before->predictions[k];

	size_t used = 0;
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
		used += now->latency[k] != before->latency[k];
	free(w->latency);
	w->latency = used > 0 ? malloc(used * sizeof *w->latency) : NULL;
	w->latency_count = 0;
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++) {
		uint32_t count = now->latency[k] - before->latency[k];
		w->requests += count;
		if (count == 0)
			continue;
		if (w->latency == NULL) {
			atomic_fetch_add_explicit(&lost, count, memory_order_relaxed);
			continue;
		}
		w->latency[w->latency_count].bucket = (uint16_t)k;
		w->latency[w->latency_count++].count = count;
	}
}

void telemetry_tick(struct telemetry *t, int64_t now_s)
{
	static _Thread_local struct totals now;

	sum_recorders(t, &now);
	pthread_mutex_lock(&t->lock);
	struct window *w = &t->windows[now_s % SNAPSHOT_WINDOW_MAX_S];
	close_window(w, &t->before, &now);
	w->second = now_s;
	if (t->first_s == 0)
		t->first_s = now_s;
	t->before = now;
	pthread_mutex_unlock(&t->lock);
}

bool telemetry_gathered(struct telemetry *t, double values[BASELINE_LEARN_COUNT])
{
	if (t->gather_taken ||
	    atomic_load_explicit(&t->gather_done, memory_order_acquire) < BASELINE_LEARN_COUNT)
		return false;
	t->gather_taken = true;
	memcpy(values, t->gather, BASELINE_LEARN_COUNT * sizeof *values);
	return true;
}

void telemetry_set_baseline(struct telemetry *t, const struct baseline *baseline)
{
	struct baseline *copy = malloc(sizeof *copy), *none = NULL;
	if (copy == NULL)
		return;
	*copy = *baseline;
	if (!atomic_compare_exchange_strong(&t->baseline, &none, copy))
		free(copy);
}

static void add_window(const struct window *w, struct snapshot_version_stats *stats, uint64_t *latency,
		       double *sum, uint64_t *finite)
{
	stats->stats.requests += w->requests;
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

void telemetry_read(struct telemetry *t, int64_t now_s, uint32_t window_s,
		    struct snapshot_version_stats *stats, uint64_t *ok_counts)
{
	uint64_t latency[HISTOGRAM_BUCKETS] = {0};
	double sum = 0;
	uint64_t finite = 0;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < SNAPSHOT_WINDOW_MAX_S; i++) {
		const struct window *w = &t->windows[i];
		if (w->second == 0 || w->second > now_s)
			continue;
		if (w->second > now_s - (int64_t)window_s)
			add_window(w, stats, latency, &sum, &finite);
		if (w->second > now_s - SNAPSHOT_SERIES)
			stats->series_rps[SNAPSHOT_SERIES - 1 - (now_s - w->second)] =
				(uint32_t)w->requests;
	}
	/* A version younger than the window is divided by its age. */
	int64_t age_s = t->first_s == 0 ? 1 : now_s - t->first_s + 1;
	pthread_mutex_unlock(&t->lock);

	stats->stats.rate_rps = (double)stats->stats.requests / (age_s < window_s ? (double)age_s : window_s);
	stats->predictions.mean = finite > 0 ? sum / (double)finite : NAN;
	read_baseline(t, &stats->predictions);
	telemetry_latency(latency, &stats->stats.latency);
	for (size_t k = 0; ok_counts != NULL && k < HISTOGRAM_BUCKETS; k++)
		ok_counts[k] += latency[k];
}

uint64_t telemetry_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}
