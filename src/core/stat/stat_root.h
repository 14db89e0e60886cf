/*
 * stat_root: where a continuous function of one variable is zero.
 *
 * Pure; any thread; no allocation. Chandrupatla's method (Advances in Engineering Software 28, 1997): inverse
 * quadratic steps where they are safe, halving where they are not, so that it always ends.
 */
#ifndef CORE_STAT_STAT_ROOT_H
#define CORE_STAT_STAT_ROOT_H

/* A zero between low and high, to within four units of the last place; the function has opposite signs there (it may
 * be infinite), else NaN. */
double stat_root(double (*function)(double x, const void *context), const void *context, double low, double high);

/* The same for a function that rises: the ends are found by steps from start that double, no further than limit away.
 * INFINITY or -INFINITY when the zero is beyond that. */
double stat_root_rising(double (*function)(double x, const void *context), const void *context, double start,
			double step, double limit);

#endif
