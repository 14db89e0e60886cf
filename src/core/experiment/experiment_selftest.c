#include "core/experiment/experiment_selftest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Too large for a stack. */
struct bench {
	struct experiment plan;
	struct experiment_history history;
	struct experiment_report report;
	struct experiment_state *state;
};

static void bench_free(struct bench *b)
{
	if (b != NULL)
		experiment_state_free(b->state);
	free(b);
}

static struct bench *bench_new(const struct experiment *x, size_t unit_count)
{
	struct bench *b = calloc(1, sizeof *b);
	if (b == NULL || (b->state = experiment_state_new(x)) == NULL) {
		bench_free(b);
		return NULL;
	}
	double share_bp = 0;
	for (size_t arm = 0; arm < x->arm_count; arm++)
		share_bp += x->arms[arm].share_bp;
	b->plan = *x;
	b->plan.planned_size = (uint64_t)fmax((double)unit_count * share_bp / ROUTE_BUCKETS, 2 * (double)x->arm_count);
	b->plan.minimum_events = 0;
	b->plan.minimum_duration_s = b->plan.maximum_duration_s = 0;
	return b;
}

static void add_unit(struct bench *b, const struct experiment_unit *unit)
{
	int arm = experiment_arm_of(&b->plan, unit->unit, unit->unit_size);
	if (arm < 0)
		return;
	b->state->exposed[arm]++;
	for (size_t i = 0; i < b->plan.metric_count; i++)
		experiment_state_replace(b->state, (size_t)arm, i, NULL, &unit->contributions[i]);
}

struct seen {
	bool alarm, ratio, invalid;
};

static void look(struct bench *b, uint64_t units, struct seen *seen)
{
	const struct experiment_look at = {(int64_t)units, false};
	const struct experiment_report *r = &b->report;
	experiment_judge(&b->plan, b->state, &at, &b->history, &b->report);
	seen->ratio = seen->ratio || r->is_ratio_broken;
	seen->invalid = seen->invalid || r->verdict == EXPERIMENT_INVALID;
	for (size_t arm = 1; arm < b->plan.arm_count; arm++)
		seen->alarm = seen->alarm || r->arms[arm].verdict == EXPERIMENT_BETTER ||
			      r->arms[arm].verdict == EXPERIMENT_WORSE;
}

static struct seen run(struct bench *b, const struct experiment_unit *units, size_t unit_count, uint64_t looks,
		       uint64_t number)
{
	struct seen seen = {.alarm = false};
	uint64_t done = 0;
	snprintf(b->plan.salt, sizeof b->plan.salt, "selftest-%llu", (unsigned long long)number);
	memset(&b->history, 0, sizeof b->history);
	memset(b->state->exposed, 0, sizeof b->state->exposed);
	memset(b->state->sums, 0, sizeof b->state->sums);
	for (size_t i = 0; i < unit_count; i++) {
		add_unit(b, &units[i]);
		/* Evenly, the last one behind the last unit. */
		if ((double)(i + 1) * (double)looks >= (double)(done + 1) * (double)unit_count) {
			look(b, i + 1, &seen);
			done++;
		}
	}
	return seen;
}

int experiment_selftest(const struct experiment *x, const struct experiment_unit *units, size_t unit_count,
			uint64_t runs, uint64_t looks, struct experiment_selftest *result, struct err *e)
{
	if (runs == 0 || looks == 0)
		return err_set(e, ERR_INPUT, "a self-test needs one run and one look at least");
	if (unit_count < 2 * x->arm_count)
		return err_set(e, ERR_INPUT, "a self-test needs two units an arm at least, got %zu units", unit_count);
	struct bench *b = bench_new(x, unit_count);
	if (b == NULL)
		return err_set(e, ERR_MEMORY, "out of memory for a self-test");
	*result = (struct experiment_selftest){.runs = runs, .looks = looks < unit_count ? looks : unit_count};
	for (uint64_t i = 0; i < runs; i++) {
		struct seen seen = run(b, units, unit_count, result->looks, i);
		result->alarms += seen.alarm;
		result->ratio += seen.ratio;
		result->invalid += seen.invalid;
	}
	double expected = x->alpha * (double)runs;
	result->most_expected = expected + 3 * sqrt(expected * (1 - x->alpha));
	bench_free(b);
	return 0;
}
