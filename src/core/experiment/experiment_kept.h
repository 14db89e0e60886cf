/*
 * experiment_kept: what is kept of one unit of an A/B test, and what a record does to it and to the test's sums.
 *
 * Pure; no allocation. The caller owns both and keeps them together: one goes nowhere without the other. A unit's part
 * in the sums is the same whatever the order in which its outcomes come: counts add up, of other values that of the
 * latest moment counts, and of one moment the greater.
 * Not here: which unit it is, what came before by key, storage (registry_experiments).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_KEPT_H
#define CORE_EXPERIMENT_EXPERIMENT_KEPT_H

#include "core/experiment/experiment_record.h"
#include "core/experiment/experiment_state.h"

#define EXPERIMENT_KEPT_BYTES_MAX 512
#define EXPERIMENT_UNTOLD INT64_MIN

struct experiment_kept {
	uint32_t arm;
	int64_t first_ms;  /* when it was first served */
	double prediction; /* the first that it was given: what outcomes that name no request are held against; NaN */
	double covariate;  /* of the first request; NaN */
	struct experiment_contribution contributions[EXPERIMENT_METRICS_MAX];
	int64_t told_ms[EXPERIMENT_METRICS_MAX]; /* the moment of the outcome that counts; EXPERIMENT_UNTOLD */
};

/* A unit is served for the first time: fills kept and puts it into the sums. The request itself is still to be added.
 */
void experiment_kept_begin(struct experiment_kept *kept, const struct experiment *x, struct experiment_state *s,
			   const struct experiment_exposure *exposure);
/* Adds a request to the metrics of requests. */
void experiment_kept_request(struct experiment_kept *kept, const struct experiment *x, struct experiment_state *s,
			     const struct experiment_exposure *exposure);

/* Whether an outcome of that moment counts for a unit first served at first_ms, told at now_ms: ACCEPTED,
 * BEFORE_EXPOSURE or LATE. */
enum experiment_result experiment_kept_in_time(const struct experiment *x, int64_t first_ms, int64_t at_ms,
					       int64_t now_ms);
/* When nothing can count any more for a unit first served at first_ms: later it is late. */
int64_t experiment_kept_expires(const struct experiment *x, int64_t first_ms);
/* Adds an outcome of a metric that takes them; prediction: of its request, NaN where there is none: ACCEPTED,
 * NO_PREDICTION or BAD_VALUE, and only in the first case anything is different. */
enum experiment_result experiment_kept_outcome(struct experiment_kept *kept, const struct experiment *x,
					       struct experiment_state *s, size_t metric, double value,
					       double prediction, int64_t at_ms);

/* All but arm and first_ms as a few bytes; returns how many, at most EXPERIMENT_KEPT_BYTES_MAX. */
size_t experiment_kept_write(const struct experiment_kept *kept, const struct experiment *x, unsigned char *bytes);
/* The same back, arm and first_ms being there: exactly. ERR_INPUT for bytes that no unit of the plan has. */
int experiment_kept_read(struct experiment_kept *kept, const struct experiment *x, const unsigned char *bytes,
			 size_t size, struct err *e);

#endif
