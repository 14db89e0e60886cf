#include "runtime/telemetry/telemetry_internal.h"

#include "core/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
	telemetry_free(atomic_load(&t->copies));
	comparison_release(atomic_load(&t->comparison));
	for (size_t i = 0; i < TELEMETRY_THREADS; i++)
		free(atomic_load(&t->recorders[i]));
	for (size_t i = 0; i < SNAPSHOT_WINDOW_MAX_S; i++)
		free(t->windows[i].latency);
	free(atomic_load(&t->baseline));
	while (t->compared_all != NULL) {
		struct compared *c = t->compared_all;
		t->compared_all = c->before;
		free(c);
	}
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
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
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

static void record_compared(struct telemetry *t, struct recorder *r, const double *predictions, size_t count)
{
	const struct compared *c = atomic_load_explicit(&t->compared, memory_order_acquire);
	for (size_t i = 0; c != NULL && i < count; i++)
		add64(&r->compared[place_of(&c->bins, predictions[i])], 1);
}

static void record_predictions(struct telemetry *t, struct recorder *r, const double *predictions, size_t count)
{
	const struct baseline *baseline = atomic_load_explicit(&t->baseline, memory_order_acquire);
	double sum = 0;
	uint64_t finite = 0;
	for (size_t i = 0; i < count; i++) {
		if (isfinite(predictions[i])) {
			sum += predictions[i];
			finite++;
		}
		if (baseline != NULL) {
			add32(&r->predictions[place_of(baseline, predictions[i])]);
			continue;
		}
		if (isnan(predictions[i]))
			add32(&r->predictions[PLACE_NAN]);
		gather(t->parent != NULL ? t->parent : t, predictions[i]);
	}
	add64(&r->sums[baseline != NULL ? SUM_FINITE_BINNED : SUM_FINITE_GATHERED], finite);
	add_double(&r->values[baseline != NULL ? VALUES_BINNED : VALUES_GATHERED], sum);
}

void telemetry_record_ok(struct telemetry *t, const struct telemetry_sample *sample, const double *predictions,
			 size_t count)
{
	struct recorder *r = my_recorder(t);
	if (r == NULL)
		return;
	add32(&r->latency[histogram_bucket(sample->latency_ns)]);
	add64(&r->sums[SUM_LATENCY_NS], sample->latency_ns);
	add64(&r->sums[SUM_QUEUE_NS], sample->queue_ns);
	add64(&r->sums[SUM_INPUT_NS], sample->input_ns);
	add64(&r->sums[SUM_INFER_NS], sample->infer_ns);
	add64(&r->sums[SUM_OUTPUT_NS], sample->output_ns);
	add64(&r->sums[SUM_ROWS], sample->rows);
	atomic_store_explicit(&r->last_ms, clock_unix_coarse_ms(), memory_order_relaxed);
	record_predictions(t, r, predictions, count);
	record_compared(t, r, predictions, count);
}

/* 4xx is the caller's; but 429 is a queue that is full: no caller can mend that. */
bool telemetry_blames_caller(enum err_code code)
{
	return err_http(code) < 500 && code != ERR_BUSY;
}

void telemetry_record_error(struct telemetry *t, enum err_code code, uint64_t latency_ns)
{
	struct recorder *r = my_recorder(t);
	if (r == NULL)
		return;
	bool refused = telemetry_blames_caller(code);
	add64(&r->sums[refused ? SUM_REFUSED : SUM_ERRORS], 1);
	add64(&r->sums[refused ? SUM_REFUSED_NS : SUM_ERROR_NS], latency_ns);
}

static void sum_recorder(const struct recorder *r, struct counts *counts)
{
	for (size_t k = 0; k < SUM_COUNT; k++)
		counts->sums[k] += atomic_load_explicit(&r->sums[k], memory_order_relaxed);
	for (size_t k = 0; k < VALUES_COUNT; k++) {
		uint64_t bits = atomic_load_explicit(&r->values[k], memory_order_relaxed);
		double sum;
		memcpy(&sum, &bits, sizeof sum);
		counts->values[k] += sum;
	}
	int64_t last_ms = atomic_load_explicit(&r->last_ms, memory_order_relaxed);
	if (last_ms > counts->last_ms)
		counts->last_ms = last_ms;
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
		counts->latency[k] += atomic_load_explicit(&r->latency[k], memory_order_relaxed);
	for (size_t k = 0; k < PLACE_COUNT; k++)
		counts->predictions[k] += atomic_load_explicit(&r->predictions[k], memory_order_relaxed);
}

void telemetry_sum(struct telemetry *t, struct counts *counts)
{
	memset(counts, 0, sizeof *counts);
	for (size_t i = 0; i < TELEMETRY_THREADS; i++) {
		struct recorder *r = atomic_load_explicit(&t->recorders[i], memory_order_acquire);
		if (r != NULL)
			sum_recorder(r, counts);
	}
}

/* Fills a window with what came between two moments. */
static void close_window(struct window *w, const struct counts *before, const struct counts *now)
{
	w->refused = now->sums[SUM_REFUSED] - before->sums[SUM_REFUSED];
	w->errors = now->sums[SUM_ERRORS] - before->sums[SUM_ERRORS];
	w->requests = w->refused + w->errors;
	w->finite = w->sum = 0;
	for (size_t k = 0; k < VALUES_COUNT; k++) {
		w->finite += now->sums[SUM_FINITE_GATHERED + k] - before->sums[SUM_FINITE_GATHERED + k];
		w->sum += now->values[k] - before->values[k];
	}
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

/* Keeps in 64 bits what the counters may wrap over later. */
static void add_totals(struct telemetry *t, const struct counts *now)
{
	for (size_t k = 0; k < HISTOGRAM_BUCKETS; k++)
		t->latency_total[k] += (uint32_t)(now->latency[k] - t->before.latency[k]);
	for (size_t k = 0; k < PLACE_COUNT; k++)
		t->predictions_total[k] += (uint32_t)(now->predictions[k] - t->before.predictions[k]);
}

void telemetry_tick(struct telemetry *t, int64_t now_s)
{
	static _Thread_local struct counts now;

	pthread_mutex_lock(&t->lock);
	telemetry_sum(t, &now);
	struct window *w = &t->windows[now_s % SNAPSHOT_WINDOW_MAX_S];
	close_window(w, &t->before, &now);
	w->second = now_s;
	if (t->first_s == 0)
		t->first_s = now_s;
	add_totals(t, &now);
	t->before = now;
	pthread_mutex_unlock(&t->lock);
	if (atomic_load(&t->copies) != NULL)
		telemetry_tick(atomic_load(&t->copies), now_s);
}

bool telemetry_gathered(struct telemetry *t, double values[BASELINE_LEARN_COUNT])
{
	if (t->gather_taken || atomic_load_explicit(&t->gather_done, memory_order_acquire) < BASELINE_LEARN_COUNT)
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
	if (atomic_load(&t->copies) != NULL)
		telemetry_set_baseline(atomic_load(&t->copies), baseline);
}

int telemetry_compare(struct telemetry *t, const struct baseline *bins)
{
	struct compared *newest = t->compared_all;
	if (bins == NULL || bins->bin_count == 0) {
		atomic_store(&t->compared, NULL);
		return 0;
	}
	if (newest == NULL || newest->bins.bin_count != bins->bin_count ||
	    memcmp(newest->bins.edges, bins->edges, (bins->bin_count + 1) * sizeof *bins->edges) != 0) {
		newest = calloc(1, sizeof *newest);
		if (newest == NULL)
			return -1;
		newest->bins = *bins;
		newest->before = t->compared_all;
		t->compared_all = newest;
	}
	atomic_store_explicit(&t->compared, newest, memory_order_release);
	return 0;
}

uint64_t telemetry_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}
