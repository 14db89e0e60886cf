#include "core/experiment/experiment_size.h"

#include "core/stat/stat_size.h"

#include <math.h>

static double level_of(const struct experiment *x, size_t metric)
{
	bool is_other = x->metrics[metric].role == EXPERIMENT_OTHER;
	size_t sharing = 0;
	for (size_t i = 0; i < x->metric_count; i++)
		sharing += (x->metrics[i].role == EXPERIMENT_OTHER) == is_other;
	return x->alpha / (double)(sharing * (x->arm_count - 1));
}

static bool is_yes_or_no(enum experiment_kind kind)
{
	return kind == EXPERIMENT_BINARY || kind == EXPERIMENT_LATENCY || kind == EXPERIMENT_ERROR_RATE;
}

/* The standard deviations of both arms under the effect. */
static int spreads(const struct experiment_metric *m, const struct experiment_baseline *b, double effect,
		   double *control, double *arm, struct err *e)
{
	double left = b->variance_ratio > 0 ? sqrt(b->variance_ratio) : 1, after = b->mean + effect;
	if (!(fabs(effect) > 0) || !isfinite(effect))
		return err_set(e, ERR_INPUT, "the effect to be found on `%s` must not be 0", m->name);
	if (is_yes_or_no(m->kind)) {
		if (!(b->mean >= 0 && b->mean <= 1 && after >= 0 && after <= 1))
			return err_set(e, ERR_INPUT, "an effect of %g on a rate of %g gives %g, which is no rate",
				       effect, b->mean, after);
		*control = left * sqrt(b->mean * (1 - b->mean));
		*arm = left * sqrt(after * (1 - after));
	} else {
		if (!(b->sd > 0) || !isfinite(b->sd))
			return err_set(e, ERR_INPUT, "the standard deviation of `%s` must be positive, got %g", m->name,
				       b->sd);
		*control = *arm = left * b->sd;
	}
	return 0;
}

/* Up to what a count can hold and a plan may ask for. */
static uint64_t whole(double units)
{
	return units < (double)EXPERIMENT_SIZE_MAX ? (uint64_t)ceil(units) : (uint64_t)EXPERIMENT_SIZE_MAX;
}

int experiment_size(const struct experiment *x, size_t arm, size_t metric, const struct experiment_baseline *b,
		    double effect, double power, struct experiment_size *s, struct err *e)
{
	double sd_control = 0, sd_arm = 0;
	double share = experiment_share(x, arm), control_share = experiment_share(x, 0), ratio = share / control_share;
	if (!(power > 0 && power < 1))
		return err_set(e, ERR_INPUT, "the power must lie between 0 and 1, got %g", power);
	if (spreads(&x->metrics[metric], b, effect, &sd_control, &sd_arm, e) != 0)
		return -1;
	*s = (struct experiment_size){.level = level_of(x, metric)};
	double control = stat_size_means(effect, sd_control, sd_arm, ratio, s->level, power);
	if (!(control >= 0))
		return err_set(e, ERR_INPUT, "a power of %g is no more than chance at a level of %g", power, s->level);
	double anytime = STAT_SIZE_ANYTIME * control;
	s->fixed_control = whole(control);
	s->fixed_arm = whole(control * ratio);
	s->fixed_units = whole(control / control_share);
	s->anytime_control = whole(anytime);
	s->anytime_arm = whole(anytime * ratio);
	s->anytime_units = whole(anytime / control_share);
	s->fixed_s = b->units_per_s > 0 ? control / control_share / b->units_per_s : INFINITY;
	s->anytime_s = s->fixed_s * STAT_SIZE_ANYTIME;
	/* The variance of the arm counts 1 / ratio times, of so many in the control as the plan gives it. */
	double planned = (double)x->planned_size * control_share;
	if (x->form == EXPERIMENT_ANYTIME)
		planned /= STAT_SIZE_ANYTIME;
	s->least = stat_least_difference(sd_control, sd_arm / sqrt(ratio), planned, s->level, power);
	return 0;
}
