/* bench_telemetry: nanoseconds that recording one request costs, one prediction each, baseline in
 * place. */
#include "core/clock.h"
#include "runtime/telemetry/telemetry.h"

#include <stdio.h>
#include <stdlib.h>

#define SAMPLES 4096
#define ROUNDS 500

static double measure(struct telemetry *t, const uint64_t *latencies_ns, const double *predictions)
{
	uint64_t start_ns = clock_ns();

	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < SAMPLES; i++) {
			const struct telemetry_sample sample = {latencies_ns[i], 0, 2000, 1000, 2000, 1};
			telemetry_record_ok(t, &sample, &predictions[i], 1);
		}
	return (double)(clock_ns() - start_ns) / ((double)ROUNDS * SAMPLES);
}

int main(void)
{
	static uint64_t latencies_ns[SAMPLES];
	static double predictions[SAMPLES], reference[SAMPLES];
	struct baseline baseline;
	struct telemetry *t;
	struct err e;

	srand(1);
	for (size_t i = 0; i < SAMPLES; i++) {
		latencies_ns[i] = 5000 + (uint64_t)rand() % 500000;
		predictions[i] = reference[i] = (double)rand() / RAND_MAX;
	}
	if (baseline_make(&baseline, reference, SAMPLES, 0, true, "rows", &e) != 0)
		return 2;
	t = telemetry_new(&baseline);
	if (!t)
		return 7;
	measure(t, latencies_ns, predictions);
	printf("{\"record_ns\":%.1f}\n", measure(t, latencies_ns, predictions));
	telemetry_free(t);
	return 0;
}
