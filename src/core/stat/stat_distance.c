#include "core/stat/stat_distance.h"

#include "core/stat/stat_distribution.h"

#include <math.h>

static double total(const uint64_t *counts, size_t bins)
{
	double sum = 0;
	for (size_t i = 0; i < bins; i++)
		sum += (double)counts[i];
	return sum;
}

static int two_sides(const uint64_t *p, const uint64_t *q, size_t bins, double *p_total, double *q_total, struct err *e)
{
	*p_total = total(p, bins);
	*q_total = total(q, bins);
	if (*p_total == 0 || *q_total == 0)
		return err_set(e, ERR_INPUT, "one of two distributions has no counts");
	return 0;
}

/* (p - q) ln(p / q) */
static double psi_term(double p, double q)
{
	if (p == q)
		return 0;
	double distance = p - q;
	return distance * (fabs(distance) < 0.5 * q ? log1p(distance / q) : log(p / q));
}

int stat_psi(const uint64_t *reference, const uint64_t *current, size_t bins, double smoothing, double alpha,
	     struct stat_psi *result, struct err *e)
{
	double n, m, added = smoothing * (double)bins;
	if (bins < 2 || !(smoothing >= 0) || isinf(smoothing) || !(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "PSI needs two bins, no negative smoothing, and alpha between 0 and 1");
	if (two_sides(reference, current, bins, &n, &m, e) != 0)
		return -1;
	*result = (struct stat_psi){0};
	for (size_t i = 0; i < bins; i++)
		result->psi += psi_term(((double)current[i] + smoothing) / (m + added),
					((double)reference[i] + smoothing) / (n + added));
	double scale = 1 / n + 1 / m, df = (double)(bins - 1);
	result->critical = scale * stat_chi2_upper_quantile(alpha, df);
	result->p = stat_chi2_upper(result->psi / scale, df);
	return 0;
}

/* p ln(2p / (p + q)) + q ln(2q / (p + q)), by d = (p - q) / (p + q): ln(1 - d^2) + 2 d atanh(d), which keeps its
 * digits where p and q are nearly equal. */
static double jensen_shannon_term(double p, double q)
{
	if (p == q)
		return 0;
	double d = (p - q) / (p + q);
	double both = fabs(d) == 1 ? 2 * M_LN2 : log1p(-d * d) + 2 * d * atanh(d);
	return (p + q) / 2 * both;
}

int stat_distances(const uint64_t *p, const uint64_t *q, size_t bins, struct stat_distances *d, struct err *e)
{
	double p_total, q_total;
	if (two_sides(p, q, bins, &p_total, &q_total, e) != 0)
		return -1;
	*d = (struct stat_distances){0};
	for (size_t i = 0; i < bins; i++) {
		double of_p = (double)p[i] / p_total, of_q = (double)q[i] / q_total;
		double roots = sqrt(of_p) - sqrt(of_q);
		d->jensen_shannon += jensen_shannon_term(of_p, of_q) / 2;
		d->hellinger += roots * roots / 2;
		d->total_variation += fabs(of_p - of_q) / 2;
		d->greatest = fmax(d->greatest, fabs(of_p - of_q));
	}
	d->hellinger = sqrt(d->hellinger);
	return 0;
}

int stat_chi2_fit(const uint64_t *counts, const double *weights, size_t cells, struct stat_chi2 *result, struct err *e)
{
	double n = total(counts, cells), weight_sum = 0;
	*result = (struct stat_chi2){.df = -1};
	for (size_t i = 0; i < cells; i++) {
		double expected = weights[i] * n, distance = (double)counts[i] - expected;
		if (!(weights[i] >= 0))
			return err_set(e, ERR_INPUT, "weights must not be negative");
		weight_sum += weights[i];
		if (weights[i] == 0 && counts[i] == 0)
			continue;
		result->df++;
		result->chi2 += distance * distance / expected; /* INFINITY where nothing was possible */
	}
	if (!(fabs(weight_sum - 1) <= 1e-9) || n == 0)
		return err_set(e, ERR_INPUT, "a test of shares needs counts, and weights that sum to 1");
	result->p = result->df > 0 ? stat_chi2_upper(result->chi2, result->df) : 1;
	result->cramers_v = sqrt(result->chi2 / n / fmax(result->df, 1));
	return 0;
}

int stat_chi2_homogeneity(const uint64_t *reference, const uint64_t *current, size_t bins, struct stat_chi2 *result,
			  struct err *e)
{
	double n, m;
	if (two_sides(reference, current, bins, &n, &m, e) != 0)
		return -1;
	*result = (struct stat_chi2){.df = -1};
	for (size_t i = 0; i < bins; i++) {
		double x = (double)reference[i], y = (double)current[i];
		if (x + y == 0)
			continue;
		/* (x - expected)^2 / expected of both rows together. */
		double distance = x * (m / (n + m)) - y * (n / (n + m));
		result->df++;
		result->chi2 += distance * distance / (x + y) * ((n + m) / n) * ((n + m) / m);
	}
	result->p = result->df > 0 ? stat_chi2_upper(result->chi2, result->df) : 1;
	result->cramers_v = sqrt(result->chi2 / (n + m));
	return 0;
}
