/*
 * experiment_selftest: how often a plan calls a difference on real units that have none.
 *
 * Pure; one state is allocated for the while. The units of a log are shared out anew, by another salt in every run, so
 * that the arm has nothing to do with what became of a unit: whatever the values are like (heavy tails, users with many
 * requests, rare events), a difference that is then found is a false alarm.
 * Not here: reading the log.
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_SELFTEST_H
#define CORE_EXPERIMENT_EXPERIMENT_SELFTEST_H

#include "core/experiment/experiment_judge.h"

#define EXPERIMENT_SELFTEST_RUNS 1000
#define EXPERIMENT_SELFTEST_LOOKS 100

/* A unit of the log, in the order of exposure; borrowed. */
struct experiment_unit {
	const char *unit;
	size_t unit_size;
	const struct experiment_contribution *contributions; /* [metric_count] */
};

struct experiment_selftest {
	uint64_t runs, looks;
	uint64_t alarms;      /* runs in which an arm was BETTER or WORSE at some look */
	uint64_t ratio;       /* in which the sample ratio was called off */
	uint64_t invalid;     /* in which the verdict was INVALID at some look; in mode aa, false alarms too */
	double most_expected; /* alarms up to so many are no surprise: alpha runs and three standard errors */
};

/* The plan's planned size becomes the number of units in the test, the least duration and minimum of events 0, so that
 * every look counts. Runs and looks are at least 1, units at least two an arm, else ERR_INPUT; ERR_MEMORY. */
int experiment_selftest(const struct experiment *x, const struct experiment_unit *units, size_t unit_count,
			uint64_t runs, uint64_t looks, struct experiment_selftest *result, struct err *e);

#endif
