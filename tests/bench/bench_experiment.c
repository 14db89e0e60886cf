/* bench_experiment: how often A/B tests are wrong, and how often they find what there is: a line of JSON a case.
 * usage: bench_experiment [RUNS [CASE...]]   RUNS: of each case, 2,000 unless told */
#include "core/clock.h"
#include "core/stat/stat_size.h"
#include "lib/experiment_simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS 10000
#define STEP 100

struct bench_case {
	const char *name;
	enum experiment_kind kind;
	enum simulated_value value;
	uint32_t share_bp; /* of the new version */
	double mean;
	bool has_effect; /* the one that a fixed test at 10,000 finds with 0.8 */
	uint64_t units;
};

static const struct bench_case cases[] = {
    {"even_10", EXPERIMENT_BINARY, SIMULATED_EVENT, 5000, 0.1, false, UNITS},
    {"even_30", EXPERIMENT_BINARY, SIMULATED_EVENT, 5000, 0.3, false, UNITS},
    {"even_50", EXPERIMENT_BINARY, SIMULATED_EVENT, 5000, 0.5, false, UNITS},
    {"even_rare", EXPERIMENT_BINARY, SIMULATED_EVENT, 5000, 0.01, false, UNITS},
    {"canary_2", EXPERIMENT_ERROR_RATE, SIMULATED_EVENT, 500, 0.02, false, UNITS},
    {"canary_05", EXPERIMENT_ERROR_RATE, SIMULATED_EVENT, 500, 0.005, false, UNITS},
    {"canary_01", EXPERIMENT_ERROR_RATE, SIMULATED_EVENT, 500, 0.001, false, UNITS},
    {"canary_30", EXPERIMENT_BINARY, SIMULATED_EVENT, 500, 0.3, false, UNITS},
    {"normal", EXPERIMENT_CONTINUOUS, SIMULATED_NORMAL, 5000, 0, false, UNITS},
    {"skewed", EXPERIMENT_CONTINUOUS, SIMULATED_SKEWED, 5000, 1, false, UNITS},
    {"spent", EXPERIMENT_CONTINUOUS, SIMULATED_SPENT, 5000, 0.02, false, UNITS},
    {"spent_canary", EXPERIMENT_CONTINUOUS, SIMULATED_SPENT, 500, 0.02, false, 20 * UNITS},
    {"skewed_canary", EXPERIMENT_CONTINUOUS, SIMULATED_SKEWED, 500, 1, false, UNITS},
    {"clustered_14", EXPERIMENT_ERROR_RATE, SIMULATED_REQUESTS, 5000, 0.14, false, UNITS},
    {"clustered_2", EXPERIMENT_ERROR_RATE, SIMULATED_REQUESTS, 5000, 0.02, false, UNITS},
    {"power_30", EXPERIMENT_BINARY, SIMULATED_EVENT, 5000, 0.3, true, 2 * UNITS},
    {"power_normal", EXPERIMENT_CONTINUOUS, SIMULATED_NORMAL, 5000, 0, true, 2 * UNITS},
    {"power_canary_2", EXPERIMENT_ERROR_RATE, SIMULATED_EVENT, 500, 0.02, true, 2 * UNITS},
};

static struct experiment plan_of(const struct bench_case *c)
{
	struct experiment x;
	experiment_init(&x);
	snprintf(x.model, sizeof x.model, "model");
	snprintf(x.name, sizeof x.name, "%s", c->name);
	snprintf(x.salt, sizeof x.salt, "salt");
	x.arm_count = 2;
	x.arms[0] = (struct experiment_arm){1, ROUTE_BUCKETS - c->share_bp};
	x.arms[1] = (struct experiment_arm){2, c->share_bp};
	x.metric_count = 1;
	x.metrics[0] = (struct experiment_metric){"metric", c->kind, .low = 0, .high = 1};
	if (c->kind == EXPERIMENT_CONTINUOUS) {
		x.metrics[0].low = -16;
		x.metrics[0].high = 16;
	}
	x.minimum_events = 0;
	x.planned_size = UNITS;
	return x;
}

static double effect_of(const struct bench_case *c)
{
	double new_share = c->share_bp / (double)ROUTE_BUCKETS, control = UNITS * (1 - new_share);
	double ratio = new_share / (1 - new_share), rate = c->mean;
	if (c->kind == EXPERIMENT_CONTINUOUS)
		return stat_least_difference(1, 1 / sqrt(ratio), control, 0.05, 0.8);
	/* The arm's variance is that of its own rate. */
	for (int i = 0; i < 50; i++)
		rate = c->mean + stat_least_difference(sqrt(c->mean * (1 - c->mean)), sqrt(rate * (1 - rate) / ratio),
						       control, 0.05, 0.8);
	return rate - c->mean;
}

static void run(const struct bench_case *c, uint64_t runs)
{
	struct experiment x = plan_of(c);
	struct simulation s = {&x, c->value, {c->mean, c->mean}, {0}, c->units, STEP, runs, 20260101};
	struct simulation_result r;
	uint64_t start_ns = clock_ns();
	if (c->has_effect)
		s.mean[1] += effect_of(c);
	simulation_run(&s, &r);
	double n = (double)r.runs, seconds = (double)(clock_ns() - start_ns) / 1e9;
	printf("{\"case\":\"%s\",\"runs\":%llu,\"%s\":%.4f,\"by_size\":%.4f,\"coverage\":%.4f,\"ratio\":%.4f,"
	       "\"peeked_z\":%.4f,\"z_once\":%.4f",
	       c->name, (unsigned long long)r.runs, c->has_effect ? "power" : "alarms", (double)r.alarms / n,
	       (double)r.by_size / n, 1 - (double)r.missed / n, (double)r.ratio / n, (double)r.peeked / n,
	       (double)r.once / n);
	if (c->has_effect)
		printf(",\"exaggerated\":%.3f", r.exaggerated);
	printf(",\"us_a_look\":%.2f}\n", seconds * 1e6 / n / (double)r.looks);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool wanted = argc <= 2;
		for (int k = 2; k < argc; k++)
			wanted = wanted || strcmp(argv[k], cases[i].name) == 0;
		if (wanted && runs > 0)
			run(&cases[i], runs);
	}
	return 0;
}
