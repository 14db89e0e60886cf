#include "core/stat/stat_root.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* Halving alone needs about 1,100 steps from one end of the doubles to the other. */
#define STEPS_MAX 1200

/* How far from a towards b the next step goes, as a share: by the parabola through three points where it is safe. */
static double step_share(double a, double b, double c, double fa, double fb, double fc)
{
	double xi = (a - b) / (c - b);
	double phi = (fa - fb) / (fc - fb);
	/* False for NaN, so infinite values are halved. */
	bool safe = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
	if (!safe)
		return 0.5;
	return fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb);
}

double stat_root(double (*function)(double x, const void *context), const void *context, double low, double high)
{
	double a = high, b = low, c;
	double fa = function(a, context), fb = function(b, context), fc;
	double share = 0.5;

	if (fa == 0)
		return a;
	if (fb == 0)
		return b;
	if (!((fa < 0 && fb > 0) || (fa > 0 && fb < 0)))
		return NAN;
	for (int steps = 0; steps < STEPS_MAX; steps++) {
		double x = a + share * (b - a);
		double fx = function(x, context);
		/* The zero stays between a, the newest point, and b. */
		if ((fx < 0) == (fa < 0)) {
			c = a, fc = fa;
		} else {
			c = b, fc = fb;
			b = a, fb = fa;
		}
		a = x, fa = fx;
		double best = fabs(fa) < fabs(fb) ? a : b;
		double tolerance = 2 * DBL_EPSILON * fabs(best) + DBL_MIN;
		double least = tolerance / fabs(b - a);
		if (fa == 0 || least > 0.5)
			return best;
		share = step_share(a, b, c, fa, fb, fc);
		if (!(share >= least))
			share = least;
		if (share > 1 - least)
			share = 1 - least;
	}
	return a;
}

double stat_root_rising(double (*function)(double x, const void *context), const void *context, double start,
			double step, double limit)
{
	double value = function(start, context);
	double near = start, direction = value < 0 ? 1 : -1;

	if (isnan(value))
		return NAN;
	if (value == 0)
		return start;
	for (;; step *= 2) {
		double far = start + direction * (step < limit ? step : limit);
		double there = function(far, context);
		if (isnan(there))
			return NAN;
		if ((there < 0) != (value < 0))
			return stat_root(function, context, near, far);
		if (step >= limit)
			return direction * INFINITY;
		near = far;
	}
}
