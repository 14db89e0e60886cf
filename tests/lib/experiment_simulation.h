/*
 * experiment_simulation: A/B tests of made-up units, looked at again and again through experiment_judge().
 *
 * Seeded: the same figures in every run. Beside the product's verdict a z-test at 0.05 is looked at as often, which
 * shows that the harness can fail. Used by the unit tests (short) and tests/bench/bench_experiment (long).
 */
#ifndef TESTS_EXPERIMENT_SIMULATION_H
#define TESTS_EXPERIMENT_SIMULATION_H

#include "core/experiment/experiment_judge.h"

/* Builds with checks are slower by ten and more: simulations there run the code and show little. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIMULATION_IS_SLOW 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SIMULATION_IS_SLOW 1
#endif
#endif
#ifndef SIMULATION_IS_SLOW
#define SIMULATION_IS_SLOW 0
#endif

enum simulated_value {
	SIMULATED_EVENT,   /* 1 with the arm's mean as rate, else 0 */
	SIMULATED_NORMAL,  /* of sd 1 around the arm's mean */
	SIMULATED_SKEWED,  /* exponential with the arm's mean */
	SIMULATED_SPENT,   /* 0 but for a unit in fifty, which is exponential */
	SIMULATED_REQUESTS /* of error_rate: 1 to 8 requests a unit, whose rate varies from unit to unit around the mean
			    */
};

struct simulation {
	const struct experiment *plan; /* of metric 0; every run has a salt of its own */
	enum simulated_value value;
	double mean[EXPERIMENT_ARMS_MAX];
	double lost[EXPERIMENT_ARMS_MAX]; /* share of the arm's units whose exposure is lost */
	uint64_t units, step;             /* of all arms, a run; a look each step */
	uint64_t runs, seed;
};

/* Counts of runs. */
struct simulation_result {
	uint64_t runs, looks;
	uint64_t alarms;    /* BETTER or WORSE at some look */
	uint64_t by_size;   /* the same up to the plan's size */
	uint64_t equal;     /* EQUIVALENT at some look */
	uint64_t missed;    /* the true difference was outside of the interval at some look */
	uint64_t ratio;     /* sample ratio called off */
	uint64_t invalid;   /* INVALID at some look */
	uint64_t peeked;    /* z beyond 1.96 at some look */
	uint64_t once;      /* z beyond 1.96 at the last look */
	double exaggerated; /* the mean of effect / true effect where BETTER or WORSE was said first */
};

void simulation_run(const struct simulation *simulation, struct simulation_result *result);

/* Uniform in (0, 1); splitmix64. */
double simulation_random(uint64_t *seed);

#endif
