#include "runtime/telemetry/comparison.h"

#include "core/clock.h"
#include "core/histogram.h"

#include <stdlib.h>
#include <string.h>

struct comparison {
	uint32_t against;
	int64_t since_ms;
	atomic_uint references;
	atomic_bool ended;
	_Atomic uint64_t copied;
	struct tally tally;
	struct tally *total;
	_Atomic uint64_t live[HISTOGRAM_BUCKETS], shadow[HISTOGRAM_BUCKETS]; /* nanoseconds */
};

static void add(_Atomic uint64_t *count, uint64_t amount)
{
	if (amount > 0)
		atomic_fetch_add_explicit(count, amount, memory_order_relaxed);
}

static uint64_t get(_Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static void add_double(_Atomic double *sum, double amount)
{
	double old = atomic_load_explicit(sum, memory_order_relaxed);
	while (
	    !atomic_compare_exchange_weak_explicit(sum, &old, old + amount, memory_order_relaxed, memory_order_relaxed))
		;
}

static void raise_to(_Atomic double *greatest, double value)
{
	double old = atomic_load_explicit(greatest, memory_order_relaxed);
	while (value > old && !atomic_compare_exchange_weak_explicit(greatest, &old, value, memory_order_relaxed,
								     memory_order_relaxed))
		;
}

static void tally_add(struct tally *t, const struct shadow_stats *one)
{
	const uint64_t amounts[TALLY_COUNTS] = {
	    [TALLY_DROPPED] = one->dropped,           [TALLY_FAILED] = one->failed,
	    [TALLY_COMPARED] = one->compared,         [TALLY_ROWS] = one->rows,
	    [TALLY_DIFFERING] = one->differing,       [TALLY_FLIPS] = one->flips,
	    [TALLY_INCOMPARABLE] = one->incomparable, [TALLY_LIVE_NS] = one->live_ns_sum,
	    [TALLY_SHADOW_NS] = one->shadow_ns_sum,
	};
	for (size_t i = 0; i < TALLY_COUNTS; i++)
		add(&t->counts[i], amounts[i]);
	for (size_t i = 0; i < SHADOW_BINS; i++)
		add(&t->bins[i], one->bins[i]);
	add_double(&t->difference_sum, one->difference_sum);
	add_double(&t->absolute_sum, one->absolute_sum);
	raise_to(&t->absolute_max, one->absolute_max);
}

void tally_read(struct tally *t, struct shadow_stats *stats)
{
	stats->dropped += get(&t->counts[TALLY_DROPPED]);
	stats->failed += get(&t->counts[TALLY_FAILED]);
	stats->compared += get(&t->counts[TALLY_COMPARED]);
	stats->rows += get(&t->counts[TALLY_ROWS]);
	stats->differing += get(&t->counts[TALLY_DIFFERING]);
	stats->flips += get(&t->counts[TALLY_FLIPS]);
	stats->incomparable += get(&t->counts[TALLY_INCOMPARABLE]);
	stats->live_ns_sum += get(&t->counts[TALLY_LIVE_NS]);
	stats->shadow_ns_sum += get(&t->counts[TALLY_SHADOW_NS]);
	for (size_t i = 0; i < SHADOW_BINS; i++)
		stats->bins[i] += get(&t->bins[i]);
	stats->difference_sum += atomic_load_explicit(&t->difference_sum, memory_order_relaxed);
	stats->absolute_sum += atomic_load_explicit(&t->absolute_sum, memory_order_relaxed);
	double greatest = atomic_load_explicit(&t->absolute_max, memory_order_relaxed);
	if (greatest > stats->absolute_max)
		stats->absolute_max = greatest;
}

struct comparison *comparison_new(uint32_t against, struct tally *total)
{
	struct comparison *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->against = against;
	c->since_ms = clock_unix_ms();
	c->total = total;
	atomic_store(&c->references, 1);
	return c;
}

void comparison_hold(struct comparison *c)
{
	atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
}

void comparison_release(struct comparison *c)
{
	if (c != NULL && atomic_fetch_sub_explicit(&c->references, 1, memory_order_acq_rel) == 1)
		free(c);
}

void comparison_end(struct comparison *c)
{
	atomic_store(&c->ended, true);
}

bool comparison_ended(struct comparison *c)
{
	return atomic_load_explicit(&c->ended, memory_order_relaxed);
}

uint32_t comparison_against(const struct comparison *c)
{
	return c->against;
}

void comparison_copied(struct comparison *c)
{
	add(&c->copied, 1);
}

static void add_one(struct comparison *c, enum tally_count which)
{
	add(&c->tally.counts[which], 1);
	add(&c->total->counts[which], 1);
}

void comparison_dropped(struct comparison *c)
{
	add_one(c, TALLY_DROPPED);
}

void comparison_failed(struct comparison *c)
{
	add_one(c, TALLY_FAILED);
}

void comparison_add(struct comparison *c, const struct shadow_answer *live, uint64_t live_ns,
		    const struct shadow_answer *shadow, uint64_t shadow_ns)
{
	struct shadow_stats one = {.compared = 1, .live_ns_sum = live_ns, .shadow_ns_sum = shadow_ns};

	shadow_compare(&one, live, shadow);
	tally_add(&c->tally, &one);
	tally_add(c->total, &one);
	add(&c->live[histogram_bucket(live_ns)], 1);
	add(&c->shadow[histogram_bucket(shadow_ns)], 1);
}

static void read_quantiles(_Atomic uint64_t *counts, uint64_t *p50_ns, uint64_t *p99_ns)
{
	uint64_t now[HISTOGRAM_BUCKETS];

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		now[i] = get(&counts[i]);
	*p50_ns = histogram_quantile_ns(now, 0.5);
	*p99_ns = histogram_quantile_ns(now, 0.99);
}

void comparison_read(struct comparison *c, struct shadow_stats *stats)
{
	memset(stats, 0, sizeof *stats);
	stats->against = c->against;
	stats->since_ms = c->since_ms;
	tally_read(&c->tally, stats);
	/* After what came of them: never less. */
	stats->copied = get(&c->copied);
	read_quantiles(c->live, &stats->live_p50_ns, &stats->live_p99_ns);
	read_quantiles(c->shadow, &stats->shadow_p50_ns, &stats->shadow_p99_ns);
}
