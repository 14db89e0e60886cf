/* bench_exposure: nanoseconds that a request takes to be noted for an A/B test: where none runs, of a unit that is in
 * no arm, of one that is in one, and of one that finds no room. */
#include "core/clock.h"
#include "runtime/experiment/tap.h"

#include <stdio.h>

#define REQUESTS 2000000
#define UNITS 1024
#define BATCH 8192

static char units[UNITS][16];
static int sizes[UNITS];
static struct experiment_exposure taken[BATCH];
static uint64_t taking_ns;

/* What infer.c does; and now and then, not counted, what the thread of the tests does. */
static double measure(struct tap *t, bool takes)
{
	struct tap *volatile slot = t; /* of the routing, which may change */
	uint64_t begun_ns = clock_ns();

	taking_ns = 0;
	for (size_t i = 0; i < REQUESTS; i++) {
		struct experiment_exposure x;
		t = slot;
		if (t == NULL || !tap_begin(t, units[i % UNITS], (size_t)sizes[i % UNITS], &x))
			continue;
		x.at_ms = clock_unix_coarse_ms();
		x.latency_ns = i;
		tap_offer(t, &x);
		if (takes && i % BATCH == 0) {
			uint64_t since_ns = clock_ns();
			while (tap_take(t, taken, BATCH) > 0)
				;
			taking_ns += clock_ns() - since_ns;
		}
	}
	return (double)(clock_ns() - begun_ns - taking_ns) / REQUESTS;
}

int main(void)
{
	struct experiment all = {.salt = "s", .arm_count = 2, .arms = {{1, 5000}, {2, 5000}}};
	struct experiment none = {.salt = "s", .arm_count = 2, .arms = {{1, 0}, {2, 0}}};
	struct tap *in = tap_new(&all, TAP_RECORDS), *out = tap_new(&none, TAP_RECORDS);

	if (in == NULL || out == NULL)
		return 1;
	for (int i = 0; i < UNITS; i++)
		sizes[i] = snprintf(units[i], sizeof units[i], "user-%d", i);
	double none_ns = measure(NULL, false), outside_ns = measure(out, false), noted_ns = measure(in, true);
	double full_ns = measure(in, false);
	printf("{\"none_ns\":%.1f,\"outside_ns\":%.1f,\"noted_ns\":%.1f,\"full_ns\":%.1f}\n", none_ns, outside_ns,
	       noted_ns, full_ns);
	tap_release(in);
	tap_release(out);
	return 0;
}
