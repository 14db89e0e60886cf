#include "core/stat/stat_moments.h"

#include <math.h>

void stat_moments_add(struct stat_moments *m, double value)
{
	if (m->count++ == 0)
		m->origin = value;
	double distance = value - m->origin - m->above;
	m->above += distance / (double)m->count;
	m->m2 += distance * (value - m->origin - m->above);
}

double stat_moments_difference(const struct stat_moments *a, const struct stat_moments *b)
{
	if (a->count == 0 || b->count == 0)
		return NAN;
	return (b->origin - a->origin) + (b->above - a->above);
}

void stat_moments_merge(struct stat_moments *into, const struct stat_moments *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0) {
		*into = *from;
		return;
	}
	double distance = stat_moments_difference(into, from);
	double count = (double)into->count + (double)from->count;
	double share = (double)from->count / count;
	into->m2 += from->m2 + distance * distance * share * (double)into->count;
	into->above += distance * share;
	into->count += from->count;
}

struct stat_moments stat_moments_of(const double *values, size_t count)
{
	struct stat_moments m = {0};
	for (size_t i = 0; i < count; i++)
		stat_moments_add(&m, values[i]);
	return m;
}

struct stat_moments stat_moments_from(uint64_t count, double mean, double sd)
{
	double freedom = count > 1 ? (double)(count - 1) : 0;
	return (struct stat_moments){.count = count, .origin = mean, .m2 = sd * sd * freedom};
}

double stat_moments_mean(const struct stat_moments *m)
{
	return m->count > 0 ? m->origin + m->above : NAN;
}

double stat_moments_variance(const struct stat_moments *m)
{
	return m->count > 1 ? m->m2 / (double)(m->count - 1) : NAN;
}

double stat_moments_population_variance(const struct stat_moments *m)
{
	return m->count > 0 ? m->m2 / (double)m->count : NAN;
}

void stat_pairs_add(struct stat_pairs *p, double x, double y)
{
	stat_moments_add(&p->x, x);
	/* The distance of x from its new mean and that of y from its old one. */
	double distance_x = x - p->x.origin - p->x.above;
	double distance_y = p->y.count > 0 ? y - p->y.origin - p->y.above : 0;
	stat_moments_add(&p->y, y);
	p->c += distance_x * distance_y;
}

void stat_pairs_merge(struct stat_pairs *into, const struct stat_pairs *from)
{
	if (from->x.count == 0)
		return;
	if (into->x.count > 0) {
		double count = (double)into->x.count + (double)from->x.count;
		double weight = (double)from->x.count / count * (double)into->x.count;
		into->c +=
		    stat_moments_difference(&into->x, &from->x) * stat_moments_difference(&into->y, &from->y) * weight;
	}
	into->c += from->c;
	stat_moments_merge(&into->x, &from->x);
	stat_moments_merge(&into->y, &from->y);
}

double stat_pairs_covariance(const struct stat_pairs *p)
{
	return p->x.count > 1 ? p->c / (double)(p->x.count - 1) : NAN;
}

double stat_pairs_correlation(const struct stat_pairs *p)
{
	double scale = sqrt(p->x.m2) * sqrt(p->y.m2);
	return scale > 0 ? p->c / scale : NAN;
}
