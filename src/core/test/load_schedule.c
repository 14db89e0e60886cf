#include "core/test/load_schedule.h"

#include <math.h>
#include <string.h>

static const char *const arrival_names[] = {
#define X(name, text) text,
    LOAD_ARRIVALS(X)
#undef X
};

const char *load_arrivals_name(enum load_arrivals arrivals)
{
	return arrival_names[arrivals];
}

enum load_arrivals load_arrivals_by_name(const char *name)
{
	int i = 0;

	while (i < LOAD_ARRIVALS_COUNT && strcmp(arrival_names[i], name) != 0)
		i++;
	return (enum load_arrivals)i;
}

/* SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers for a seed on every machine. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Exponential with mean 1: -ln u of u in (0, 1]. */
static double gap(uint64_t *state)
{
	return -log(((double)(random_next(state) >> 11) + 1) * 0x1p-53);
}

struct load_schedule load_schedule_make(double from_rps, double to_rps, double duration_s, enum load_arrivals arrivals,
					uint64_t seed)
{
	struct load_schedule s = {
	    .from_rps = from_rps, .to_rps = to_rps, .duration_s = duration_s, .arrivals = arrivals, .state = seed};

	if (arrivals == LOAD_POISSON)
		s.expected = gap(&s.state);
	return s;
}

double load_schedule_expected(const struct load_schedule *s, double at_s)
{
	double t = at_s < 0 ? 0 : at_s > s->duration_s ? s->duration_s : at_s;

	return s->from_rps * t + (s->to_rps - s->from_rps) * t * t / (2 * s->duration_s);
}

/* The time at which so many are expected: the root of n = a t + (b - a) t^2 / 2 D, in the form that neither divides by
 * b - a nor loses digits where it is small. NaN when there are never so many. */
static double time_of(const struct load_schedule *s, double expected)
{
	double slope = (s->to_rps - s->from_rps) / s->duration_s;
	double below = s->from_rps + sqrt(s->from_rps * s->from_rps + 2 * slope * expected);

	return expected == 0 ? 0 : 2 * expected / below;
}

uint64_t load_schedule_next(struct load_schedule *s)
{
	double expected = s->arrivals == LOAD_POISSON ? s->expected : (double)s->index;

	/* At the very end the next one would start the following period. */
	if (expected >= load_schedule_expected(s, s->duration_s) * (1 - 1e-12))
		return LOAD_SCHEDULE_END;
	s->index++;
	if (s->arrivals == LOAD_POISSON)
		s->expected += gap(&s->state);
	return (uint64_t)(time_of(s, expected) * 1e9);
}
