/* bench_shadow: nanoseconds that a shadow at 100% adds to a request of one row on the thread that answers it; the
 * shadow itself is asked by its own thread beside it. */
#include "runtime/router/router_internal.h"
#include "runtime/shadow/shadows.h"

#include "core/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 400000
#define FEATURES 14

static int predict(void *model, struct inference *inference, struct err *e)
{
	struct inference_output *output = &inference->outputs[0];

	(void)model;
	if (inference_reserve(inference, output, DATATYPE_FP64, inference->inputs[0].shape, 1, e) != 0)
		return -1;
	*(double *)output->tensor.data = tensor_double(&inference->inputs[0], 0);
	return 0;
}

static const struct engine engine = {.name = "bench", .tabular = true, .predict = predict};
static struct tensor_spec inputs[] = {{"rows", "FP64", 2, {-1, FEATURES}}};
static struct tensor_spec outputs[] = {{"y", "FP64", 1, {-1}}};
static const struct manifest manifest = {
    .input_count = 1, .inputs = inputs, .output_count = 1, .outputs = outputs, .feature_count = FEATURES};

static void version_init(struct served_version *v, uint32_t number)
{
	v->version = number;
	v->engine = &engine;
	v->manifest = manifest;
	v->telemetry = telemetry_new(NULL);
}

/* What infer.c does about shadows, a request a time; with pace_ns between them when it is not 0. */
static double measure(const struct served_model *m, struct shadows *shadows, uint64_t pace_ns)
{
	double features[FEATURES] = {0}, value = 0.25;
	struct tensor input = {DATATYPE_FP64, 2, {1, FEATURES}, FEATURES, features};
	struct inference inference = {.manifest = &manifest, .inputs = &input};
	const struct prediction_kind kind = {.probability = true};
	uint64_t spent_ns = 0;

	for (int i = 0; i < REQUESTS; i++) {
		struct shadow_targets targets;
		const struct shadow_offer offer = {&inference, &kind, &value, 1, 1000, clock_ns()};
		uint64_t begun_ns = offer.now_ns;
		uint32_t draw = served_model_draw(m, NULL, 0);
		if (draw < ROUTE_BUCKETS && shadows_aim(m, 1, draw, &targets))
			shadows_offer(shadows, &targets, &offer);
		uint64_t now_ns = clock_ns();
		spent_ns += now_ns - begun_ns;
		while (pace_ns > 0 && now_ns - begun_ns < pace_ns)
			now_ns = clock_ns();
	}
	return (double)spent_ns / REQUESTS;
}

int main(void)
{
	const struct config_shadows config = {1, 1024, 64 << 20, 5000};
	struct served_version *live = calloc(1, sizeof *live), *shadow = calloc(1, sizeof *shadow);
	struct served_version *versions[] = {live, shadow};
	struct served_model *m = calloc(1, sizeof *m);
	struct comparison *ended[ROUTE_ENTRIES_MAX];
	struct shadows *shadows;
	struct shadow_stats stats;
	struct err e;

	version_init(live, 1);
	version_init(shadow, 2);
	strcpy(m->name, "bench");
	m->versions = versions;
	m->version_count = 2;
	route_single(&m->route, 1);
	if (shadows_new(&config, &shadows, &e) != 0)
		return 7;
	double none_ns = measure(m, shadows, 0);
	m->route.entries[m->route.entry_count++] = (struct route_entry){2, ROUTE_SHADOW, ROUTE_BUCKETS};
	served_model_compare(NULL, m, ended);
	/* As many a second as one data plane thread answers. */
	double paced_ns = measure(m, shadows, 20000);
	telemetry_read_shadow(shadow->telemetry, &stats);
	printf("{\"none_ns\":%.1f,\"copied_ns\":%.1f,\"dropped_percent\":%.2f,", none_ns, paced_ns,
	       100 * (double)stats.dropped / (double)stats.copied);
	printf("\"full_ns\":%.1f}\n", measure(m, shadows, 0));
	while (!shadows_stop(shadows, 1000))
		;
	shadows_free(shadows);
	telemetry_free(live->telemetry);
	telemetry_free(shadow->telemetry);
	free(live);
	free(shadow);
	free(m);
	return 0;
}
