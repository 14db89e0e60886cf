/* experiment_store_fixture: a state directory in which a model with versions runs an A/B test. */
#ifndef TESTS_UNIT_EXPERIMENT_STORE_FIXTURE_H
#define TESTS_UNIT_EXPERIMENT_STORE_FIXTURE_H

#include "core/clock.h"
#include "core/registry/registry_experiments.h"
#include "experiment_fixture.h"
#include "registry_fixture.h"

struct store {
	char directory[256];
	struct registry *r;
	struct experiment plan;
	struct experiment_change change; /* of the start */
	struct experiment_record record;
	int64_t t0; /* its start */
};

/* Two arms; revenue may be below 0, clicks add up, loss is of the prediction, slow is of requests. */
static inline struct experiment store_plan(void)
{
	struct experiment x = plan(2);
	snprintf(x.model, sizeof x.model, "m");
	snprintf(x.name, sizeof x.name, "first");
	metric(&x, "conversion", EXPERIMENT_BINARY, EXPERIMENT_PRIMARY, EXPERIMENT_HIGHER)->missing_is_zero = true;
	metric(&x, "clicks", EXPERIMENT_COUNT, EXPERIMENT_OTHER, EXPERIMENT_HIGHER);
	metric(&x, "revenue", EXPERIMENT_CONTINUOUS, EXPERIMENT_OTHER, EXPERIMENT_HIGHER);
	metric(&x, "loss", EXPERIMENT_BRIER, EXPERIMENT_GUARDRAIL, EXPERIMENT_LOWER);
	metric(&x, "slow", EXPERIMENT_LATENCY, EXPERIMENT_GUARDRAIL, EXPERIMENT_LOWER);
	x.covariate = EXPERIMENT_COVARIATE_GIVEN;
	x.covariate_high = 100;
	return x;
}

static inline int store_change(struct store *s, const char *action, struct experiment_change *experiment, bool forced,
			       struct revision_record *revision, struct err *e)
{
	const struct route_entry weights[] = {{1, ROUTE_LIVE, 3000}, {2, ROUTE_CANARY, 7000}};
	const struct route_change change = {
	    .model = "m",
	    .action = action,
	    .version = 2,
	    .weights = weights,
	    .weight_count = 2,
	    .expect_revision = -1,
	    .reason = "to know",
	    .forced = forced,
	    .experiment = experiment,
	};
	return registry_change_route(s->r, &change, &operator, revision, e);
}

/* Half of the units to each of v1, v2. */
static inline int store_start(struct store *s, struct err *e)
{
	static struct route route, now;
	const struct route_entry halves[] = {{1, ROUTE_LIVE, 5000}, {2, ROUTE_CANARY, 5000}};
	struct revision_record revision;
	route_single(&now, 1);
	assert_int_equal(route_split(&route, &now, halves, 2, NULL), 0);
	s->change = (struct experiment_change){.plan = &s->plan, .route = &route};
	if (store_change(s, "experiment", &s->change, false, &revision, e) != 0)
		return -1;
	assert_int_equal(registry_experiment(s->r, "m", s->plan.name, &s->record, e), 0);
	assert_int_equal(s->record.id, s->change.id);
	s->t0 = s->record.started_ms;
	return 0;
}

/* A registry with a model of three versions, the first live. */
static inline void store_open(struct store *s)
{
	struct deploy_result deployed;
	memset(s, 0, sizeof *s);
	fixture_directory(s->directory);
	s->r = fixture_open(s->directory);
	s->plan = store_plan();
	assert_int_equal(fixture_deploy(s->r, "m", "one", false, &deployed, NULL), 0);
	assert_int_equal(fixture_deploy(s->r, "m", "two", false, &deployed, NULL), 0);
	assert_int_equal(fixture_deploy(s->r, "m", "three", false, &deployed, NULL), 0);
}

static inline void store_begin(struct store *s)
{
	struct err e = {.text = ""};
	store_open(s);
	if (store_start(s, &e) != 0)
		fail_msg("%s", e.text);
}

static inline void store_reopen(struct store *s)
{
	registry_close(s->r);
	s->r = fixture_open(s->directory);
}

static inline void store_close(struct store *s)
{
	registry_close(s->r);
	fixture_remove(s->directory);
}

static inline struct experiment_hash store_unit(const struct store *s, int unit)
{
	return experiment_hash(&s->plan, EXPERIMENT_HASH_UNIT, &unit, sizeof unit);
}

static inline struct experiment_hash store_request(const struct store *s, int request)
{
	return experiment_hash(&s->plan, EXPERIMENT_HASH_REQUEST, &request, sizeof request);
}

/* Served after_ms after the start; arms in turn. request 0: it had no id. */
static inline struct experiment_exposure store_exposure(const struct store *s, int unit, int request, int64_t after_ms)
{
	return (struct experiment_exposure){
	    .unit = store_unit(s, unit),
	    .request = request != 0 ? store_request(s, request) : (struct experiment_hash){0},
	    .arm = (uint32_t)unit % 2,
	    .at_ms = s->t0 + after_ms,
	    .latency_ns = (uint64_t)unit % 3 * 700,
	    .prediction = unit % 10 / 10.0,
	    .covariate = unit % 100,
	};
}

/* What became of a unit, by its name and without a key. */
static inline struct experiment_outcome store_outcome(const struct store *s, int unit, int metric, double value,
						      int64_t after_ms)
{
	struct experiment_outcome o = {
	    .unit = store_unit(s, unit), .metric = metric, .value = value, .at_ms = s->t0 + after_ms};
	o.key = experiment_key(&s->plan, metric < 0 ? 0 : (size_t)metric, NULL, o.unit, o.at_ms);
	return o;
}

static inline struct experiment_counts store_apply_at(struct store *s, int64_t now_ms,
						      const struct experiment_exposure *exposures,
						      size_t exposure_count, const struct experiment_outcome *outcomes,
						      size_t outcome_count, enum experiment_result *results)
{
	struct experiment_counts counts;
	struct err e = {.text = ""};
	const struct experiment_batch batch = {.now_ms = now_ms,
					       .exposures = exposures,
					       .exposure_count = exposure_count,
					       .outcomes = outcomes,
					       .outcome_count = outcome_count,
					       .results = results};
	if (registry_experiment_apply(s->r, s->record.id, &batch, &counts, &e) != 0)
		fail_msg("%s", e.text);
	return counts;
}

/* The state; experiment_state_free(). */
static inline struct experiment_state *store_state(struct store *s)
{
	struct experiment_seen seen;
	struct err e = {.text = ""};
	if (registry_experiment_seen(s->r, &s->record, &seen, &e) != 0)
		fail_msg("%s", e.text);
	return seen.state;
}

#endif
