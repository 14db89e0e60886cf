/*
 * experiment_forecast: before a test starts: how many units each comparison needs, and how long that takes at the
 * traffic that there is.
 *
 * What is not known of a metric beforehand is said, not guessed: its mean (and sd) on the control, and the effect that
 * is to be found. Any thread that is not the data plane's.
 */
#ifndef RUNTIME_EXPERIMENT_EXPERIMENT_FORECAST_H
#define RUNTIME_EXPERIMENT_EXPERIMENT_FORECAST_H

#include "core/experiment/experiment.h"
#include "runtime/router/router.h"

/* Latency metrics without threshold_ns, in the JSON of a plan, get the quantile that the live version has had since
 * the runtime started. ERR_CONFLICT while it has answered nothing. */
int forecast_thresholds(struct router *router, const char *model, cJSON *plan, struct err *e);

/* {"requests_rps","units_per_s","planned_s","sizes":[{"arm","metric","effect","level","fixed_units","anytime_units",
 * "fixed_s","anytime_s","least","needs"}]}. units_per_s: as if each request were of another unit, and all named one,
 * so times are the least possible. assume: {METRIC:{"mean","sd","effect"}} or NULL; effect: else the metric's margin.
 * needs: what is not known, else null. NULL when memory is out. */
cJSON *forecast_json(struct router *router, const struct experiment *plan, const cJSON *assume);

#endif
