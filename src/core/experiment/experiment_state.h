/*
 * experiment_state: what was seen of an A/B test: one set of sums an arm and metric, whatever the traffic.
 *
 * Owner: the caller, from experiment_state_new() to experiment_state_free(); one writer. Memory is fixed: 2 KB an arm,
 * and 18 KB more for each metric of latency. A unit's part in a metric is its contribution, a plain value that whoever
 * keeps the units keeps with them: a further request or a late outcome makes a new one of it, and
 * experiment_state_replace() takes the old one out exactly and puts the new one in. So the state depends on the
 * contributions alone, not on the order or the number of updates, and two states add up to that of all units.
 * Not here: who was exposed when, what came twice or too late (whoever keeps the units); verdicts (experiment_judge).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_STATE_H
#define CORE_EXPERIMENT_EXPERIMENT_STATE_H

#include "core/experiment/experiment.h"
#include "core/experiment/experiment_sums.h"

/* One unit and metric. y: the value in steps of experiment_scale(); x: of a ratio the number of requests, else the
 * covariate in steps, 0 without one. */
struct experiment_contribution {
	bool is_present;
	int64_t x, y;
};

/* What makes a test worthless, once it has happened. */
#define EXPERIMENT_FAULTS(X)                                                  \
	X(ARMS, "arms", "the arms or their shares were changed while it ran") \
	X(LOAD, "load", "a load or stress test ran on its arms")              \
	X(CLOCK, "clock", "the clock was set back while it ran")              \
	X(LOST, "lost", "exposures or outcomes were lost")

enum experiment_fault {
#define X(name, text, sentence) EXPERIMENT_FAULT_##name,
	EXPERIMENT_FAULTS(X)
#undef X
	    EXPERIMENT_FAULT_COUNT
};

struct experiment_state {
	size_t arm_count, metric_count;
	uint32_t faults;                       /* bits, 1 << enum experiment_fault */
	uint64_t exposed[EXPERIMENT_ARMS_MAX]; /* units */
	struct experiment_sums sums[EXPERIMENT_ARMS_MAX][EXPERIMENT_METRICS_MAX];
	uint64_t *latencies[EXPERIMENT_ARMS_MAX][EXPERIMENT_METRICS_MAX]; /* histograms; NULL but for latency */
};

struct experiment_state *experiment_state_new(const struct experiment *x); /* NULL when memory is out */
void experiment_state_free(struct experiment_state *s);

/* What one step of y is worth, a power of two: 1 of events, else 2^-40 of the greatest value (2^-30 of a sum over
 * requests). Of the covariate likewise. */
double experiment_scale(const struct experiment_metric *m);
double experiment_covariate_scale(const struct experiment *x);

/* A unit was served by this arm for the first time. Where a missing outcome counts as 0 it has one now: the
 * contributions[metric_count] that it begins with are written, to be kept with the unit. covariate: NaN without one,
 * counted as the middle of its bounds. */
void experiment_expose(struct experiment_state *s, const struct experiment *x, size_t arm, double covariate,
		       struct experiment_contribution *contributions);

/* What an outcome or a request says. Outcomes set a unit's value, those of a count add up; requests add up to
 * EXPERIMENT_UNIT_REQUESTS_MAX. ERR_INPUT, and c as it was: a value that is not finite, an outcome of binary metrics,
 * log loss or Brier that is not 0 to 1, a prediction there that is none, a count that is no whole number. */
struct experiment_observation {
	double value;      /* the outcome; of latency in ns, of error_rate 0 or 1, of prediction_mean the prediction */
	double prediction; /* of losses: what was predicted for it */
	double covariate;  /* of the unit; NaN without one. Requests have none. */
};
int experiment_contribute(const struct experiment *x, size_t metric, const struct experiment_observation *o,
			  struct experiment_contribution *c, struct err *e);
/* Takes out `old` (NULL or not present: there was none) and puts in `now` likewise. */
void experiment_state_replace(struct experiment_state *s, size_t arm, size_t metric,
			      const struct experiment_contribution *old, const struct experiment_contribution *now);
/* A request's latency, for the picture of an arm and the test at the planned size. */
void experiment_state_latency(struct experiment_state *s, size_t arm, size_t metric, uint64_t latency_ns);

/* Both of the same plan. */
void experiment_state_merge(struct experiment_state *into, const struct experiment_state *from);
bool experiment_state_equal(const struct experiment_state *a, const struct experiment_state *b);

/* {"faults":[...],"arms":[{"exposed","metrics":[{sums..., "latencies":[[bucket,count],...]}]}]} and back, exactly. */
cJSON *experiment_state_to_json(const struct experiment_state *s);
struct experiment_state *experiment_state_from_json(const cJSON *json, const struct experiment *x, struct err *e);
const char *experiment_fault_sentence(enum experiment_fault fault);

#endif
