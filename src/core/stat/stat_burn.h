/*
 * stat_burn: how fast an error budget is spent, and whether that is worth a page.
 *
 * Pure; any thread; no allocation. The objective is the share that shall be good (0.999), the budget what is left of
 * it. A burn rate of 1 spends the budget in exactly its period. Source: the multi-window, multi-burn-rate alerts of
 * "The Site Reliability Workbook", chapter 5; the guard for low traffic is ours: at exactly the budget's rate and at
 * most 100 requests an hour, a false page within 30 days always came without it, and never with it.
 */
#ifndef CORE_STAT_STAT_BURN_H
#define CORE_STAT_STAT_BURN_H

#include "core/stat/stat.h"

/* A page needs both windows above the threshold: the long one says that it matters, the short one that it is still
 * so. budget_percent is what the long window spends at the threshold, for a period of 30 days. */
struct stat_burn_rule {
	int64_t long_s, short_s;
	double threshold;
	double budget_percent;
};
#define STAT_BURN_RULES 4
extern const struct stat_burn_rule stat_burn_rules[STAT_BURN_RULES];

/* The burn rate that spends budget_percent of a period's budget within a window: budget% * period / window. */
double stat_burn_threshold(double budget_percent, double period_s, double window_s);

/* The errors of one window. No requests: rate 0, p 1. errors are at most the total, the objective lies in (0, 1), else
 * ERR_INPUT. */
struct stat_burn {
	double rate;  /* error rate over budget */
	double lower; /* the rate is above this with confidence 1 - alpha (Clopper-Pearson, one-sided) */
	double p;     /* of as many errors, if the budget's rate were the true one */
};
int stat_burn(struct stat_share errors, double objective, double alpha, struct stat_burn *burn, struct err *e);

/* Whether a rule fires: both rates at or above the threshold, and p of the long window below STAT_BURN_P. */
#define STAT_BURN_P 1e-6
bool stat_burn_fires(const struct stat_burn *long_window, const struct stat_burn *short_window, double threshold);

#endif
