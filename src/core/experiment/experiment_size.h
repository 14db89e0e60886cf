/*
 * experiment_size: how many units a test needs, and how long that takes at the traffic that there is.
 *
 * Pure; any thread; no allocation. Sizes are for the arm against the control with their shares, at the level that the
 * plan leaves for one comparison. docs/EXPERIMENTS.md has the formulas with their sources.
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_SIZE_H
#define CORE_EXPERIMENT_EXPERIMENT_SIZE_H

#include "core/experiment/experiment.h"

#define EXPERIMENT_POWER 0.8

/* What is known beforehand, measured on the control. */
struct experiment_baseline {
	double mean, sd;       /* of a unit's value; of kinds that are yes or no sd is made of the mean */
	double variance_ratio; /* what a covariate will leave of the variance; 1 without one, 0 counts as 1 */
	double units_per_s;    /* new units a second, in the whole test; 0: not known */
};

struct experiment_size {
	double level;                                         /* alpha by the comparisons that share it */
	uint64_t fixed_arm, fixed_control, fixed_units;       /* judged once; units: of all arms */
	uint64_t anytime_arm, anytime_control, anytime_units; /* looked at any time */
	double fixed_s, anytime_s;                            /* INFINITY: the rate is not known */
	double least; /* the least effect that the plan's size shows with this power, in the plan's form */
};

/* For an effect of this size (in the metric's unit, any sign) in arm 1 or more. ERR_INPUT, one sentence: no effect, a
 * rate that would leave 0 to 1, an sd that is not positive, a power not within 0 to 1. */
int experiment_size(const struct experiment *x, size_t arm, size_t metric, const struct experiment_baseline *baseline,
		    double effect, double power, struct experiment_size *size, struct err *e);

#endif
