#include "lib/experiment_simulation.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_proportion.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double simulation_random(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.;
}

static double draw(const struct simulation *s, double mean, uint64_t *seed)
{
	double u = simulation_random(seed);
	if (s->value == SIMULATED_EVENT)
		return u < mean;
	if (s->value == SIMULATED_NORMAL)
		return mean + stat_normal_quantile(u);
	if (s->value == SIMULATED_SPENT)
		return u < 0.02 ? -50 * mean * log(u / 0.02) : 0;
	return -mean * log(u);
}

/* A unit is served: what there is of it goes into the state. */
static void add_unit(const struct simulation *s, const struct experiment *x, struct experiment_state *state,
		     uint64_t id, uint64_t *seed)
{
	struct experiment_contribution c[EXPERIMENT_METRICS_MAX];
	int arm = experiment_arm_of(x, &id, sizeof id);
	if (arm < 0 || (s->lost[arm] > 0 && simulation_random(seed) < s->lost[arm]))
		return;
	experiment_expose(state, x, (size_t)arm, NAN, c);
	int requests = 1;
	double mean = s->mean[arm];
	if (s->value == SIMULATED_REQUESTS) {
		requests = 1 + (int)(8 * simulation_random(seed));
		/* A quarter of the units has four times the rate of the others, which makes requests of a unit alike.
		 */
		mean *= simulation_random(seed) < 0.25 ? 16 / 7. : 4 / 7.;
	}
	for (int i = 0; i < requests; i++) {
		double value = s->value == SIMULATED_REQUESTS ? simulation_random(seed) < mean : draw(s, mean, seed);
		struct experiment_observation o = {value, 0, NAN};
		int result = experiment_contribute(x, 0, &o, &c[0], NULL);
		assert(result == 0);
		(void)result;
	}
	experiment_state_replace(state, (size_t)arm, 0, NULL, &c[0]);
}

/* |z| of the difference of arm 1 and the control, by the sums alone. */
static double z_of(const struct experiment *x, const struct experiment_state *state)
{
	double scale = experiment_scale(&x->metrics[0]), mean[2], square[2];
	for (size_t i = 0; i < 2; i++) {
		struct stat_pairs p = experiment_sums_pairs(&state->sums[i][0], 1, scale);
		mean[i] = stat_moments_mean(&p.y);
		square[i] = stat_moments_variance(&p.y) / (double)p.y.count;
	}
	double z = fabs(mean[1] - mean[0]) / sqrt(square[0] + square[1]);
	return isfinite(z) ? z : 0;
}

/* What one run has seen so far. */
struct seen {
	bool alarm, by_size, equal, missed, ratio, invalid, peeked, once;
	double exaggerated;
};

static void look(const struct simulation *s, const struct experiment *x, const struct experiment_state *state,
		 struct experiment_history *h, uint64_t units, struct seen *seen)
{
	static struct experiment_report r;
	struct experiment_look at = {(int64_t)units, false};
	double truth = s->mean[1] - s->mean[0];
	experiment_judge(x, state, &at, h, &r);
	bool decided = r.verdict == EXPERIMENT_BETTER || r.verdict == EXPERIMENT_WORSE;
	const struct experiment_comparison *c = &r.comparisons[0];
	if (decided && !seen->alarm)
		seen->exaggerated = c->evidence.effect / truth;
	seen->alarm = seen->alarm || decided;
	seen->by_size = seen->by_size || (decided && units <= x->planned_size);
	seen->equal = seen->equal || r.verdict == EXPERIMENT_EQUIVALENT;
	seen->missed = seen->missed || c->interval.low > truth || c->interval.high < truth;
	seen->ratio = seen->ratio || r.is_ratio_broken;
	seen->invalid = seen->invalid || r.verdict == EXPERIMENT_INVALID;
	seen->once = z_of(x, state) > 1.959963984540054;
	seen->peeked = seen->peeked || seen->once;
}

static struct seen run(const struct simulation *s, uint64_t number)
{
	struct experiment x = *s->plan;
	struct seen seen = {.alarm = false};
	static struct experiment_history history;
	uint64_t seed = s->seed + number * UINT64_C(0x632be59bd9b4e019);
	snprintf(x.salt, sizeof x.salt, "run-%llu-%llu", (unsigned long long)s->seed, (unsigned long long)number);
	struct experiment_state *state = experiment_state_new(&x);
	assert(state != NULL);
	memset(&history, 0, sizeof history);
	for (uint64_t units = 1; units <= s->units; units++) {
		add_unit(s, &x, state, units, &seed);
		if (units % s->step == 0)
			look(s, &x, state, &history, units, &seen);
	}
	experiment_state_free(state);
	return seen;
}

void simulation_run(const struct simulation *s, struct simulation_result *r)
{
	*r = (struct simulation_result){.runs = s->runs, .looks = s->units / s->step};
	for (uint64_t i = 0; i < s->runs; i++) {
		struct seen seen = run(s, i);
		r->alarms += seen.alarm;
		r->by_size += seen.by_size;
		r->equal += seen.equal;
		r->missed += seen.missed;
		r->ratio += seen.ratio;
		r->invalid += seen.invalid;
		r->peeked += seen.peeked;
		r->once += seen.once;
		if (seen.alarm)
			r->exaggerated += seen.exaggerated;
	}
	r->exaggerated = r->alarms > 0 ? r->exaggerated / (double)r->alarms : NAN;
}
