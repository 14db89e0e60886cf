/*
 * experiments_change: the start and the end of a test: each is one revision of the route, in one transaction with the
 * test's row and its audit record.
 */
#include "runtime/experiment/experiments_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- start --- */

/* What is looked at and what is made of it; on the heap, for routes are large. */
struct start {
	const struct experiment_request *request;
	uint32_t revision;
	struct route route;
	struct experiment_record record;
	struct tap *tap;
	struct experiment_entry *entry;
};

static int plan_route(struct start *s, const struct served_model *m, struct err *e)
{
	const struct experiment *plan = &s->request->plan;
	struct route_entry weights[EXPERIMENT_ARMS_MAX];
	struct err why = {0};
	for (size_t i = 0; i < plan->arm_count; i++) {
		weights[i] =
		    (struct route_entry){.version = plan->arms[i].version, .weight_bp = plan->arms[i].share_bp};
		if (served_model_find(m, weights[i].version) == NULL)
			return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %zu", m->name,
				       weights[i].version, m->version_count);
	}
	s->revision = m->revision;
	if (route_experiment(&s->route, &m->route, plan->salt, weights, plan->arm_count, &why) == 0)
		return 0;
	return err_set(e, why.code, "%s: %s", m->name, why.text);
}

static int read_route(struct experiments *es, struct start *s, struct err *e)
{
	const struct served_model *m = routing_find(router_enter(es->router), s->request->model, e);
	int result = m == NULL ? -1 : plan_route(s, m, e);
	router_leave(es->router);
	return result;
}

/* What no later step may want for memory: the test is in the registry before it is noted. */
static int make_places(struct start *s, struct err *e)
{
	s->record.plan = s->request->plan;
	s->record.run = EXPERIMENT_RUN_RUNNING;
	if (experiment_digest(&s->record.plan, s->record.sha256, e) != 0)
		return -1;
	if (s->request->dry_run)
		return 0;
	s->tap = tap_new(&s->record.plan, TAP_RECORDS);
	tap_hold(s->tap);
	s->entry = s->tap == NULL ? NULL : experiment_entry_new(&s->record, s->tap);
	if (s->entry != NULL)
		return 0;
	tap_release(s->tap);
	return err_set(e, ERR_MEMORY, "memory is out for the A/B test %s", s->record.plan.name);
}

static int change_start(struct experiments *es, struct start *s, const struct actor *actor,
			struct change_outcome *outcome, struct err *e)
{
	const struct experiment_request *request = s->request;
	struct experiment_change test = {.plan = &request->plan, .route = &s->route, .run = EXPERIMENT_RUN_RUNNING};
	const struct route_change change = {
	    .model = request->model,
	    .action = "experiment",
	    .expect_revision = request->expect_revision >= 0 ? request->expect_revision : s->revision,
	    .reason = request->reason,
	    .dry_run = request->dry_run,
	    .forced = request->force,
	    .experiment = &test,
	};
	return router_change_tapped(es->router, &change, s->tap, actor, outcome, e);
}

/* From here on the test runs, whatever happens. */
static int enter(struct experiments *es, struct start *s, struct err *e)
{
	if (registry_experiment(es->registry, s->request->model, s->request->plan.name, &s->record, e) != 0)
		return -1;
	s->entry->record = s->record;
	if (experiments_add(es, s->entry, e) != 0)
		return -1;
	s->entry = NULL;
	return 0;
}

static bool is_full(struct experiments *es)
{
	pthread_mutex_lock(&es->lock);
	bool full = es->entry_count == EXPERIMENTS_OPEN_MAX;
	pthread_mutex_unlock(&es->lock);
	return full;
}

static int check_request(struct experiments *es, const struct experiment_request *request, struct err *e)
{
	if (strcmp(request->plan.model, request->model) != 0)
		return err_set(e, ERR_INPUT, "the plan is of %s, not of %s", request->plan.model, request->model);
	if (request->plan.covariate == EXPERIMENT_COVARIATE_SHADOW)
		return err_set(
		    e, ERR_UNSUPPORTED,
		    "predictions of a shadow are not noted with requests; take the covariate `given` or `none`");
	if (is_full(es))
		return err_set(e, ERR_BUSY, "%d A/B tests run or wait for outcomes already", EXPERIMENTS_OPEN_MAX);
	return 0;
}

int experiments_start(struct experiments *es, const struct experiment_request *request, const struct actor *actor,
		      struct experiment_record *record, struct change_outcome *outcome, struct err *e)
{
	struct start *s = calloc(1, sizeof *s);
	outcome->finding_count = 0;
	if (s == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for the A/B test %s", request->plan.name);
	s->request = request;
	int result = check_request(es, request, e) == 0 && read_route(es, s, e) == 0 && make_places(s, e) == 0 ? 0 : -1;
	if (result == 0)
		result = change_start(es, s, actor, outcome, e);
	if (result == 0 && !request->dry_run)
		result = enter(es, s, e);
	*record = s->record;
	experiment_entry_free(s->entry);
	tap_release(s->tap);
	free(s);
	return result;
}

/* --- end --- */

/* What the route becomes; keep is the route that there is, copied to room. */
static int plan_end(struct experiments *es, const struct experiment_end *end, const struct experiment_record *record,
		    struct experiment_change *test, struct route *room, struct route_change *change, struct err *e)
{
	*test = (struct experiment_change){.id = record->id, .run = EXPERIMENT_RUN_STOPPED};
	*change = (struct route_change){
	    .model = end->model,
	    .action = "rollback",
	    .to_revision = record->before,
	    .expect_revision = -1,
	    .reason = end->reason,
	    .dry_run = end->dry_run,
	    .forced = end->force,
	    .experiment = test,
	};
	if (end->promote != 0) {
		change->action = "promote";
		change->to_revision = 0;
		change->version = end->promote;
	}
	if (!end->keep)
		return 0;
	const struct served_model *m = routing_find(router_enter(es->router), end->model, e);
	if (m != NULL) {
		*room = m->route;
		change->expect_revision = m->revision;
	}
	router_leave(es->router);
	change->action = "experiment";
	change->to_revision = 0;
	test->route = room;
	return m != NULL ? 0 : -1;
}

/* With `busy`. What was noted until the route changed still counts. */
static int end_entry(struct experiments *es, struct experiment_entry *entry, const struct route_change *change,
		     const struct actor *actor, struct change_outcome *outcome, struct err *e)
{
	if (router_change(es->router, change, actor, outcome, e) != 0)
		return -1;
	if (change->dry_run)
		return 0;
	if (experiment_entry_take(es, entry, e) != 0 || experiment_entry_follow(es, entry, e) != 0)
		return -1;
	return experiment_entry_look(es, entry, e);
}

static int check_end(const struct experiment_end *end, const struct experiment_record *record, struct err *e)
{
	if (end->keep && end->promote != 0)
		return err_set(e, ERR_INPUT, "either the route is kept, or a version is promoted");
	if (record->run == EXPERIMENT_RUN_RUNNING)
		return 0;
	return err_set(e, ERR_CONFLICT, "the A/B test %s of %s has ended already: %s", record->plan.name,
		       record->plan.model, record->note[0] != '\0' ? record->note : experiment_run_name(record->run));
}

int experiments_end(struct experiments *es, const struct experiment_end *end, const struct actor *actor,
		    struct experiment_record *record, struct change_outcome *outcome, struct err *e)
{
	struct experiment_change test;
	struct route_change change;
	outcome->finding_count = 0;
	if (registry_experiment(es->registry, end->model, end->name, record, e) != 0 || check_end(end, record, e) != 0)
		return -1;
	struct experiment_entry *entry = experiments_get(es, record->id);
	struct route *room = calloc(1, sizeof *room);
	int result = room == NULL || entry == NULL
			 ? err_set(e, ERR_MEMORY, "memory is out for the end of the A/B test %s", record->plan.name)
			 : plan_end(es, end, record, &test, room, &change, e);
	if (result == 0) {
		pthread_mutex_lock(&entry->busy);
		result = end_entry(es, entry, &change, actor, outcome, e);
		*record = entry->record;
		pthread_mutex_unlock(&entry->busy);
	}
	if (entry != NULL)
		experiments_put(es, entry);
	free(room);
	return result;
}
