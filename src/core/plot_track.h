/*
 * plot_track: a value over time, however long, as the few steps of a plot.
 *
 * A plain value; one thread. Steps are even from 0; when they are full, neighbours are put together and further ones
 * are twice as long. Not here: what is shown (plot).
 */
#ifndef CORE_PLOT_TRACK_H
#define CORE_PLOT_TRACK_H

#include "core/plot.h"

/* {.step = 1} is an empty one. */
struct plot_track {
	double step;   /* of x; > 0 */
	bool greatest; /* a step has the greatest of its values, not their mean: what is rare must not vanish */
	size_t count;  /* steps so far */
	double values[PLOT_POINTS_MAX];
	double weights[PLOT_POINTS_MAX]; /* of the values in a step, by the time that they are of; 0: none */
};

/* A value of all that lies between, 0 <= from < to; what is not finite is left out. */
void plot_track_add(struct plot_track *t, double from, double to, double value);
/* How fast a total grows, over time. {.track = {.step = 1}} is an empty one. */
struct plot_rate {
	struct plot_track track;
	double x, total; /* of the last value */
};
/* The growth since the last value, by the x between; what comes sooner than half a step after it waits for more, and a
 * total that fell starts anew. */
void plot_rate_add(struct plot_rate *r, double x, double total);
/* The last total, however soon it comes. */
void plot_rate_end(struct plot_rate *r, double x, double total);

/* The plot's steps are those, and reach to x_high at least. */
void plot_track_show(const struct plot_track *t, double x_high, struct plot *plot);

#endif
