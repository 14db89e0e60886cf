#include "experiment_work.h"

#include "core/clock.h"
#include "core/experiment/experiment_kept.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONVERSION, CLICKS, SLOW, METRICS };

static void make_plan(struct experiment *x, size_t number)
{
	experiment_init(x);
	snprintf(x->model, sizeof x->model, EXPERIMENT_WORK_MODEL);
	snprintf(x->name, sizeof x->name, "test-%zu", number);
	snprintf(x->salt, sizeof x->salt, "salt-%zu", number);
	x->arm_count = 2;
	x->arms[0] = (struct experiment_arm){1, 5000};
	x->arms[1] = (struct experiment_arm){2, 5000};
	x->metric_count = METRICS;
	x->metrics[CONVERSION] = (struct experiment_metric){
	    .name = "conversion", .kind = EXPERIMENT_BINARY, .high = 1, .missing_is_zero = true};
	x->metrics[CLICKS] = (struct experiment_metric){
	    .name = "clicks", .kind = EXPERIMENT_COUNT, .role = EXPERIMENT_OTHER, .high = 100};
	x->metrics[SLOW] = (struct experiment_metric){.name = "slow",
						      .kind = EXPERIMENT_LATENCY,
						      .role = EXPERIMENT_GUARDRAIL,
						      .direction = EXPERIMENT_LOWER,
						      .high = 1,
						      .quantile = 0.9,
						      .threshold_ns = 1000};
	x->planned_size = 10000;
}

static int change(struct registry *r, const struct actor *actor, const char *action, uint32_t version,
		  struct experiment_change *experiment, struct err *e)
{
	static struct revision_record revision;
	const struct route_change change = {.model = EXPERIMENT_WORK_MODEL,
					    .action = action,
					    .version = version,
					    .expect_revision = -1,
					    .reason = "to know",
					    .experiment = experiment};
	return registry_change_route(r, &change, actor, &revision, e);
}

static int start(struct registry *r, const struct actor *actor, size_t number, struct err *e)
{
	static struct route route, live;
	const struct route_entry halves[] = {{1, ROUTE_LIVE, 5000}, {2, ROUTE_CANARY, 5000}};
	struct experiment plan;
	make_plan(&plan, number);
	route_single(&live, 1);
	if (route_experiment(&route, &live, plan.salt, halves, 2, e) != 0)
		return -1;
	struct experiment_change start = {.plan = &plan, .route = &route};
	return change(r, actor, "experiment", 0, &start, e);
}

int experiment_work_start(struct registry *r, const struct actor *actor, struct experiment_record *record,
			  struct err *e)
{
	struct experiment_record *records;
	size_t count;
	if (registry_experiments(r, EXPERIMENT_WORK_MODEL, 100000, &records, &count, e) != 0)
		return -1;
	bool runs = count > 0 && records[0].run == EXPERIMENT_RUN_RUNNING;
	free(records);
	if (!runs && start(r, actor, count + 1, e) != 0)
		return -1;
	return registry_experiment(r, EXPERIMENT_WORK_MODEL, NULL, record, e);
}

int experiment_work_stop(struct registry *r, const struct actor *actor, const struct experiment_record *record,
			 struct err *e)
{
	struct experiment_change end = {.id = record->id, .run = EXPERIMENT_RUN_STOPPED};
	return change(r, actor, "promote", 1, &end, e);
}

/* --- records --- */

static struct experiment_hash hash_of(const struct experiment *x, uint64_t unit)
{
	return experiment_hash(x, EXPERIMENT_HASH_UNIT, &unit, sizeof unit);
}

static struct experiment_exposure exposure(const struct experiment *x, uint64_t unit, int64_t now_ms)
{
	return (struct experiment_exposure){.unit = hash_of(x, unit),
					    .request = experiment_hash(x, EXPERIMENT_HASH_REQUEST, &unit, sizeof unit),
					    .arm = (uint32_t)(unit % 2),
					    .at_ms = now_ms,
					    .latency_ns = unit % 7 * 300,
					    .prediction = (double)NAN,
					    .covariate = (double)NAN};
}

static double value_of(uint64_t unit, int metric)
{
	return metric == CONVERSION ? (double)(unit % 3 == 0) : (double)(unit % 5);
}

/* Both outcomes of every unit of a batch; conversions by unit, clicks by request. Returns how many. */
static size_t tell(const struct experiment *x, uint64_t batch, struct experiment_outcome *told)
{
	size_t count = 0;
	for (uint64_t i = 0; i < EXPERIMENT_WORK_UNITS; i++)
		for (int metric = CONVERSION; metric <= CLICKS; metric++) {
			uint64_t unit = batch * EXPERIMENT_WORK_UNITS + i;
			char key[32];
			snprintf(key, sizeof key, "%" PRIu64, unit);
			struct experiment_outcome o = {.metric = metric, .value = value_of(unit, metric), .at_ms = -1};
			if (metric == CONVERSION)
				o.unit = hash_of(x, unit);
			else
				o.request = experiment_hash(x, EXPERIMENT_HASH_REQUEST, &unit, sizeof unit);
			o.key = experiment_key(x, (size_t)metric, key, o.unit, -1);
			told[count++] = o;
		}
	return count;
}

int experiment_work_batch(struct registry *r, const struct experiment_record *record, uint64_t *units, struct err *e)
{
	struct experiment_exposure served[EXPERIMENT_WORK_UNITS];
	struct experiment_outcome told[4 * EXPERIMENT_WORK_UNITS];
	struct experiment_seen seen;
	struct experiment_counts counts;
	int64_t now_ms = clock_unix_ms();
	size_t outcome_count = 0;
	if (registry_experiment_seen(r, record, &seen, e) != 0)
		return -1;
	uint64_t number = seen.counts.units / EXPERIMENT_WORK_UNITS;
	experiment_state_free(seen.state);
	for (uint64_t i = 0; i < EXPERIMENT_WORK_UNITS; i++)
		served[i] = exposure(&record->plan, number * EXPERIMENT_WORK_UNITS + i, now_ms);
	if (number >= 1)
		outcome_count += tell(&record->plan, number - 1, told);
	if (number >= 2)
		outcome_count += tell(&record->plan, number - 2, told + outcome_count);
	const struct experiment_batch batch = {.now_ms = now_ms,
					       .exposures = served,
					       .exposure_count = EXPERIMENT_WORK_UNITS,
					       .outcomes = told,
					       .outcome_count = outcome_count};
	if (registry_experiment_apply(r, record->id, &batch, &counts, e) != 0)
		return -1;
	*units = (number + 1) * EXPERIMENT_WORK_UNITS;
	return 0;
}

/* --- what must be there --- */

/* The state after so many batches. */
static struct experiment_state *expected(const struct experiment *x, uint64_t batches)
{
	struct experiment_state *s = experiment_state_new(x);
	for (uint64_t unit = 0; s != NULL && unit < batches * EXPERIMENT_WORK_UNITS; unit++) {
		struct experiment_kept kept;
		struct experiment_exposure first = exposure(x, unit, 0);
		experiment_kept_begin(&kept, x, s, &first);
		experiment_kept_request(&kept, x, s, &first);
		if (unit / EXPERIMENT_WORK_UNITS + 1 < batches)
			for (int metric = CONVERSION; metric <= CLICKS; metric++)
				experiment_kept_outcome(&kept, x, s, (size_t)metric, value_of(unit, metric),
							(double)NAN, 0);
	}
	return s;
}

static int check_state(const struct experiment_record *record, const struct experiment_seen *seen, uint64_t units,
		       struct err *e)
{
	uint64_t has = seen->counts.units, batches = has / EXPERIMENT_WORK_UNITS;
	if (has < units)
		return err_set(e, ERR_GATE, "%" PRIu64 " units of %s were answered and %" PRIu64 " are there", units,
			       record->plan.name, has);
	if (has % EXPERIMENT_WORK_UNITS != 0 || seen->counts.requests != has)
		return err_set(e, ERR_GATE, "%s has %" PRIu64 " units of %" PRIu64 " requests: part of a batch",
			       record->plan.name, has, seen->counts.requests);
	/* Two outcomes of all units but the last ten, each once; and each was told again, but for ten more. */
	uint64_t once = batches > 1 ? 2 * (batches - 1) * EXPERIMENT_WORK_UNITS : 0;
	uint64_t again = batches > 2 ? 2 * (batches - 2) * EXPERIMENT_WORK_UNITS : 0;
	if (seen->counts.outcomes[EXPERIMENT_RESULT_ACCEPTED] != once ||
	    seen->counts.outcomes[EXPERIMENT_RESULT_DUPLICATE] != again)
		return err_set(e, ERR_GATE, "%s took %" PRIu64 " outcomes and not %" PRIu64, record->plan.name,
			       seen->counts.outcomes[EXPERIMENT_RESULT_ACCEPTED], once);
	struct experiment_state *want = expected(&record->plan, batches);
	bool same = want != NULL && experiment_state_equal(want, seen->state);
	experiment_state_free(want);
	return same ? 0 : err_set(e, ERR_GATE, "the sums of %s are not those of its units", record->plan.name);
}

int experiment_work_check(struct registry *r, const struct experiment_record *record, uint64_t units, struct err *e)
{
	struct experiment_seen seen;
	size_t looks;
	int64_t different;
	if (registry_experiment_seen(r, record, &seen, e) != 0)
		return -1;
	int result = check_state(record, &seen, units, e);
	experiment_state_free(seen.state);
	if (result != 0 || registry_experiment_replay(r, record->id, &looks, &different, e) != 0)
		return -1;
	return different == 0 ? 0
			      : err_set(e, ERR_GATE, "look %" PRId64 " of %s says something else now", different,
					record->plan.name);
}
