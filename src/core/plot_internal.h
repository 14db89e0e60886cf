/*
 * plot_internal: what the files of plots share: which numbers a plot can hold.
 */
#ifndef CORE_PLOT_INTERNAL_H
#define CORE_PLOT_INTERNAL_H

#include "core/plot.h"

#include <math.h>

/* NaN does not fit. */
static inline bool plot_fits(double number)
{
	return fabs(number) <= PLOT_VALUE_MAX;
}

#endif
