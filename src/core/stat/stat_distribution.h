/*
 * stat_distribution: normal, t, chi-square, beta and binomial distributions, and the functions behind them.
 *
 * Pure; any thread; no allocation. NaN in, or parameters that make no distribution, give NaN. "Upper" is the
 * probability above, computed as such: 1e-200 has all its digits. Relative error below 1e-11 for parameters up to 1e7,
 * and below 1e-10 up to 1e9. A call takes 0.2 microseconds, near the mean of large parameters their square root times
 * 3 ns (35 microseconds at 1e9); a quantile takes ten calls. The normal distribution is GSL's. The others are not: of
 * GSL 2.7.1 the tails of the beta distribution are 1e-6 off or NaN at parameters of 1e9, its quantiles do not return
 * at 1e6, a quantile of chi-square there is wrong by half, and tails of t are up to 2e-7 off.
 */
#ifndef CORE_STAT_STAT_DISTRIBUTION_H
#define CORE_STAT_STAT_DISTRIBUTION_H

#include <stdint.h>

/* P(Z > z); z with P(Z <= z) = p; z with P(Z > z) = p. */
double stat_normal_upper(double z);
double stat_normal_quantile(double p);
double stat_normal_upper_quantile(double p);

/* P(T > t) of Student's t; df > 0, INFINITY is the normal one. t with P(T > t) = p. */
double stat_t_upper(double t, double df);
double stat_t_upper_quantile(double p, double df);
/* P(|T| > |t|). */
double stat_t_two_sided(double t, double df);
/* P(T > t) for t >= 0 of the noncentral t with shift delta, |delta| <= 37. Absolute error below 1e-13. */
double stat_t_noncentral_upper(double t, double df, double delta);

/* P(X > x) of chi-square; x with P(X > x) = p. */
double stat_chi2_upper(double x, double df);
double stat_chi2_upper_quantile(double p, double df);

/* P(X <= x) and P(X > x) of Beta(a, b), the regularised incomplete beta function; the quantiles of both. */
double stat_beta_lower(double x, double a, double b);
double stat_beta_upper(double x, double a, double b);
double stat_beta_quantile(double p, double a, double b);
double stat_beta_upper_quantile(double p, double a, double b);

/* P(X <= k) and P(X >= k) of n trials with rate p. */
double stat_binomial_lower(uint64_t k, uint64_t n, double p);
double stat_binomial_upper(uint64_t k, uint64_t n, double p);
/* ln P(X = k), for real 0 <= k <= n. Loader, "Fast and accurate computation of binomial probabilities", 2000. */
double stat_binomial_log_mass(double k, double n, double p);

/* P(sup |B| > x) of the Brownian bridge: the limit of Kolmogorov's statistic. */
double stat_kolmogorov_upper(double x);

/* ln Gamma(x), x > 0. */
double stat_log_gamma(double x);
/* ln Gamma(x + 1) less Stirling's (x + 1/2) ln x - x + ln(2 pi) / 2: what is left, about 1 / 12 x; x > 0. */
double stat_stirling_error(double x);
/* x ln(x / m) + m - x, without cancellation where x is near m; x >= 0, m > 0. */
double stat_deviance(double x, double m);
/* The lower branch of Lambert's W, w <= -1 with w exp(w) = -exp(log_minus_x); log_minus_x <= -1. */
double stat_lambert_lower(double log_minus_x);

#endif
