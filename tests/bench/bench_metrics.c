/* bench_metrics: milliseconds that one scrape of 1,000 versions, all in use, holds its thread. */
#include "core/clock.h"
#include "lib/fake_routing.h"
#include "runtime/telemetry/metrics.h"

#include <stdio.h>
#include <stdlib.h>

#define MODELS 200 /* the same five versions each */
#define ROUNDS 20

int main(void)
{
	const struct telemetry_sample sample = {.latency_ns = 50000, .rows = 1};
	const double value = 0.5;
	struct routing *one = fake_routing_new();
	struct served_model *models[MODELS];
	const struct routing many = {MODELS, models};
	struct server server = {.name = "bench"};
	struct buf out;

	for (size_t i = 0; i < one->models[1]->version_count; i++)
		telemetry_record_ok(one->models[1]->versions[i]->telemetry, &sample, &value, 1);
	for (size_t i = 0; i < MODELS; i++)
		models[i] = one->models[1];
	buf_init(&out);
	metrics_write(&server, &many, &out); /* the memory is there from now on */
	uint64_t start_ns = clock_ns();
	for (int round = 0; round < ROUNDS; round++) {
		buf_clear(&out);
		metrics_write(&server, &many, &out);
	}
	printf("{\"scrape_ms\":%.1f,\"bytes\":%zu}\n", (double)(clock_ns() - start_ns) / 1e6 / ROUNDS, out.size);
	buf_release(&out);
	fake_routing_free(one);
	return 0;
}
