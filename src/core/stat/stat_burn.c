#include "core/stat/stat_burn.h"

#include "core/stat/stat_distribution.h"
#include "core/stat/stat_proportion.h"

const struct stat_burn_rule stat_burn_rules[STAT_BURN_RULES] = {
    {3600, 300, 14.4, 2},
    {6 * 3600, 1800, 6, 5},
    {24 * 3600, 2 * 3600, 3, 10},
    {72 * 3600, 6 * 3600, 1, 10},
};

double stat_burn_threshold(double budget_percent, double period_s, double window_s)
{
	return budget_percent / 100 * period_s / window_s;
}

int stat_burn(struct stat_share errors, double objective, double alpha, struct stat_burn *burn, struct err *e)
{
	double budget = 1 - objective;
	if (errors.events > errors.trials)
		return err_set(e, ERR_INPUT, "there cannot be more errors than requests");
	if (!(objective > 0 && objective < 1) || !(alpha > 0 && alpha < 1))
		return err_set(e, ERR_INPUT, "the objective and alpha must lie between 0 and 1");
	*burn = (struct stat_burn){.p = 1};
	if (errors.trials == 0)
		return 0;
	burn->rate = (double)errors.events / (double)errors.trials / budget;
	burn->lower = stat_clopper_pearson_lower(errors, alpha) / budget;
	burn->p = stat_binomial_upper(errors.events, errors.trials, budget);
	return 0;
}

bool stat_burn_fires(const struct stat_burn *long_window, const struct stat_burn *short_window, double threshold)
{
	return long_window->rate >= threshold && short_window->rate >= threshold && long_window->p < STAT_BURN_P;
}
