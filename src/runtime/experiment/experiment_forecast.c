#include "runtime/experiment/experiment_forecast.h"

#include "core/clock.h"
#include "core/experiment/experiment_size.h"
#include "core/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_S 60
#define QUANTILE_DEFAULT 0.99

/* What was measured of the live version. */
struct measured {
	double requests_rps; /* of the whole model */
	double error_rate;   /* NaN: no requests */
	uint64_t latency[HISTOGRAM_BUCKETS];
	uint64_t answered;
};

static void read_live(const struct served_model *m, struct measured *to)
{
	struct snapshot_version_stats *stats = calloc(1, sizeof *stats);
	struct telemetry_totals *totals = calloc(1, sizeof *totals);
	const struct served_version *live = served_model_find(m, route_live(&m->route));
	for (size_t i = 0; stats != NULL && i < m->version_count; i++) {
		memset(stats, 0, sizeof *stats);
		telemetry_read(m->versions[i]->telemetry, clock_ms() / 1000, WINDOW_S, stats, NULL);
		to->requests_rps += stats->stats.rate_rps;
	}
	if (totals != NULL && live != NULL) {
		telemetry_read_totals(live->telemetry, totals, to->latency);
		to->answered = totals->ok;
		if (totals->ok + totals->errors > 0)
			to->error_rate = (double)totals->errors / (double)(totals->ok + totals->errors);
	}
	free(totals);
	free(stats);
}

static struct measured *measure(struct router *router, const char *model)
{
	struct measured *measured = calloc(1, sizeof *measured);
	if (measured == NULL)
		return NULL;
	measured->error_rate = NAN;
	const struct served_model *m = routing_find(router_enter(router), model, NULL);
	if (m != NULL)
		read_live(m, measured);
	router_leave(router);
	return measured;
}

/* --- thresholds --- */

static bool lacks_threshold(const cJSON *metric)
{
	return strcmp(json_find_text(metric, "kind"), "latency") == 0 && !json_has(metric, "threshold_ns");
}

static int set_threshold(const struct measured *measured, cJSON *metric, struct err *e)
{
	double quantile = json_has(metric, "quantile") ? json_find_number(metric, "quantile") : QUANTILE_DEFAULT;
	if (!(quantile > 0 && quantile < 1))
		return err_set(e, ERR_INPUT, "field `quantile` must be between 0 and 1");
	if (measured->answered == 0)
		return err_set(e, ERR_CONFLICT,
			       "the live version has answered nothing yet, so its latency is not known: give "
			       "`threshold_ns`");
	cJSON_DeleteItemFromObjectCaseSensitive(metric, "threshold_ns");
	bool done = json_add_number(metric, "threshold_ns", (double)histogram_quantile_ns(measured->latency, quantile));
	if (done && !json_has(metric, "quantile"))
		done = json_add_number(metric, "quantile", quantile);
	return done ? 0 : err_set(e, ERR_MEMORY, "memory is out for the plan of an A/B test");
}

int forecast_thresholds(struct router *router, const char *model, cJSON *plan, struct err *e)
{
	cJSON *metric;
	struct measured *measured = NULL;
	int result = 0;
	cJSON_ArrayForEach(metric, cJSON_GetObjectItemCaseSensitive(plan, "metrics"))
	{
		if (result != 0 || !lacks_threshold(metric))
			continue;
		if (measured == NULL)
			measured = measure(router, model);
		result = measured == NULL ? err_set(e, ERR_MEMORY, "memory is out for the plan of an A/B test")
					  : set_threshold(measured, metric, e);
	}
	free(measured);
	return result;
}

/* --- sizes --- */

static double assumed(const cJSON *assume, const char *metric, const char *what)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(assume, metric), what);
	return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static struct experiment_baseline baseline_of(const struct experiment_metric *m, const struct measured *measured,
					      const cJSON *assume, double units_per_s)
{
	struct experiment_baseline b = {assumed(assume, m->name, "mean"), assumed(assume, m->name, "sd"), 1,
					units_per_s};
	if (isnan(b.mean) && m->kind == EXPERIMENT_ERROR_RATE)
		b.mean = measured->error_rate;
	if (isnan(b.mean) && m->kind == EXPERIMENT_LATENCY)
		b.mean = 1 - m->quantile;
	return b;
}

static bool has_rate(enum experiment_kind kind)
{
	return kind == EXPERIMENT_BINARY || kind == EXPERIMENT_ERROR_RATE || kind == EXPERIMENT_LATENCY;
}

/* What must be known first, or why there is no size; NULL: it was computed. */
static const char *compute(const struct experiment *plan, size_t arm, size_t metric,
			   const struct experiment_baseline *b, double effect, struct experiment_size *size,
			   struct err *e)
{
	if (isnan(effect))
		return "effect";
	if (isnan(b->mean))
		return "mean";
	if (!has_rate(plan->metrics[metric].kind) && isnan(b->sd))
		return "sd";
	return experiment_size(plan, arm, metric, b, effect, EXPERIMENT_POWER, size, e) == 0 ? NULL : e->text;
}

static cJSON *size_json(const struct experiment *plan, size_t arm, size_t metric, const struct experiment_baseline *b,
			const cJSON *assume)
{
	const struct experiment_metric *m = &plan->metrics[metric];
	struct experiment_size size;
	struct err e = {0};
	double effect = assumed(assume, m->name, "effect");
	if (isnan(effect) && m->margin > 0)
		effect = m->margin;
	const char *needs = compute(plan, arm, metric, b, effect, &size, &e);
	cJSON *o = cJSON_CreateObject();
	bool done = o != NULL && json_add_number(o, "arm", (double)arm + 1) && json_add_text(o, "metric", m->name) &&
		    json_add_number(o, "mean", b->mean) && json_add_number(o, "effect", effect) &&
		    json_add(o, "needs", needs != NULL ? cJSON_CreateString(needs) : cJSON_CreateNull());
	if (needs == NULL)
		done = done && json_add_number(o, "level", size.level) &&
		       json_add_number(o, "fixed_units", (double)size.fixed_units) &&
		       json_add_number(o, "anytime_units", (double)size.anytime_units) &&
		       json_add_number(o, "fixed_s", size.fixed_s) && json_add_number(o, "anytime_s", size.anytime_s) &&
		       json_add_number(o, "least", size.least);
	return json_whole(o, done);
}

static bool add_sizes(cJSON *o, const struct experiment *plan, const struct measured *measured, const cJSON *assume,
		      double units_per_s)
{
	cJSON *sizes = cJSON_AddArrayToObject(o, "sizes");
	bool done = sizes != NULL;
	for (size_t arm = 1; done && arm < plan->arm_count; arm++)
		for (size_t i = 0; done && i < plan->metric_count; i++) {
			const struct experiment_baseline b =
			    baseline_of(&plan->metrics[i], measured, assume, units_per_s);
			done = json_append(sizes, size_json(plan, arm, i, &b, assume));
		}
	return done;
}

cJSON *forecast_json(struct router *router, const struct experiment *plan, const cJSON *assume)
{
	struct measured *measured = measure(router, plan->model);
	cJSON *o = measured == NULL ? NULL : cJSON_CreateObject();
	uint32_t share_bp = 0;
	for (size_t i = 0; i < plan->arm_count; i++)
		share_bp += plan->arms[i].share_bp;
	double units_per_s = measured == NULL ? 0 : measured->requests_rps * share_bp / ROUTE_BUCKETS;
	bool done = o != NULL && json_add_number(o, "requests_rps", measured->requests_rps) &&
		    json_add_number(o, "units_per_s", units_per_s) &&
		    json_add_number(o, "planned_s", (double)plan->planned_size / units_per_s) &&
		    add_sizes(o, plan, measured, assume, units_per_s);
	free(measured);
	return json_whole(o, done);
}
