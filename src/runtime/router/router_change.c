/*
 * router_change: a route's change: into the registry first, then into the routing.
 *
 * What may take long comes before the lock that changes hold: the change is planned, and what its route names is
 * loaded, warmed up and held. Under the lock there is the plan again, where the route was changed meanwhile, the
 * transaction, and the swap.
 */
#include "runtime/router/router_internal.h"

#include "runtime/gate/beside.h"
#include "runtime/gate/gates.h"

#include <stdlib.h>
#include <string.h>

/* What is held for a plan stays held while the next one is prepared. */
#define HELD_MAX (2 * ROUTE_ENTRIES_MAX)
/* So often a route may change between planning and the lock. */
#define ATTEMPTS_MAX 16

/* A change on its way. */
struct passage {
	struct router *r;
	const struct actor *actor;
	struct tap *tap;            /* of a test that starts; NULL: none does */
	struct route_change change; /* as asked; with the revision that was planned on once it had to wait for a load */
	struct revision_record planned; /* revision 0: it was refused so far, as `refused` says */
	struct err refused;
	size_t held_count;
	uint32_t held[HELD_MAX]; /* versions */
	struct served_life *lives[HELD_MAX];
};

static void plan(struct passage *p)
{
	struct route_change dry = p->change;

	dry.dry_run = true;
	p->refused = (struct err){0};
	if (registry_change_route(p->r->registry, &dry, p->actor, &p->planned, &p->refused) != 0)
		p->planned.revision = 0;
}

/* --- before the lock --- */

static bool is_held(const struct passage *p, uint32_t version)
{
	for (size_t i = 0; i < p->held_count; i++)
		if (p->held[i] == version)
			return true;
	return false;
}

static void release_all(struct passage *p)
{
	for (size_t i = 0; i < p->held_count; i++)
		router_release(p->r, p->lives[i]);
	p->held_count = 0;
}

/* What a dry run can tell: a version that could not be loaded the last time. */
static int check_failed(struct passage *p, uint32_t version, struct err *e)
{
	struct router *r = p->r;
	int result = 0;

	pthread_mutex_lock(&r->change);
	const struct served_model *m = routing_find(router_current(r), p->change.model, NULL);
	const struct served_version *v = m == NULL ? NULL : served_model_find(m, version);
	if (v != NULL && v->engine == NULL && !v->unloaded)
		result =
		    err_set(e, ERR_CONFLICT, "v%u of %s is not ready: %s", (unsigned)version, p->change.model, v->note);
	pthread_mutex_unlock(&r->change);
	return result;
}

/* Loads and holds a version that the planned route names; one that comes into it must answer its sample rows, too. */
static int prepare_version(struct passage *p, uint32_t version, bool comes_in, struct err *e)
{
	struct served_life *life = NULL;
	bool loaded = false;

	if (p->change.dry_run && !p->change.prompt) {
		if (check_failed(p, version, e) != 0)
			return -1;
	} else if (!is_held(p, version)) {
		int result = p->change.prompt ? router_hold_loaded(p->r, p->change.model, version, &life, e)
					      : router_hold(p->r, p->change.model, version, &life, &loaded, e);
		p->held[p->held_count] = version;
		p->lives[p->held_count++] = life;
		if (result != 0)
			return -1;
	}
	/* The route that a plan was made for may be gone by now; what it was says whether it still is. */
	if (loaded && p->change.expect_revision < 0)
		p->change.expect_revision = p->planned.based_on;
	return comes_in && !loaded && !p->change.prompt ? router_check(p->r, p->change.model, version, e) : 0;
}

/* The versions that have a role now. */
static size_t current_versions(struct passage *p, uint32_t versions[ROUTE_ENTRIES_MAX])
{
	size_t count = 0;

	pthread_mutex_lock(&p->r->change);
	const struct served_model *m = routing_find(router_current(p->r), p->change.model, NULL);
	for (; m != NULL && count < m->route.entry_count; count++)
		versions[count] = m->route.entries[count].version;
	pthread_mutex_unlock(&p->r->change);
	return count;
}

static int prepare(struct passage *p, struct err *e)
{
	uint32_t current[ROUTE_ENTRIES_MAX];
	size_t count = current_versions(p, current);

	if (p->held_count > HELD_MAX - ROUTE_ENTRIES_MAX)
		release_all(p);
	plan(p);
	/* A refusal is the registry's to say, under the lock. */
	if (p->planned.revision == 0)
		return 0;
	for (uint32_t i = 0; i < p->planned.route.entry_count; i++) {
		uint32_t version = p->planned.route.entries[i].version;
		bool comes_in = true;
		for (size_t k = 0; k < count; k++)
			comes_in &= current[k] != version;
		if (prepare_version(p, version, comes_in, e) == 0)
			continue;
		/* A shadow gets no requests, so it cannot stand in the way back. */
		if (p->planned.route.entries[i].role == ROUTE_SHADOW && route_change_goes_back(&p->change)) {
			e->code = ERR_NONE;
			continue;
		}
		if (!p->change.dry_run)
			registry_audit(p->r->registry, p->actor, p->change.action, p->change.model, p->change.version,
				       err_name(e->code), p->change.reason, e->text, NULL);
		return -1;
	}
	return 0;
}

/* --- under the lock --- */

/* Going back must always be possible; what cannot be copied then counts as failed. */
static int check_shadows(const struct passage *p, const struct served_model *m, struct err *e)
{
	return route_change_goes_back(&p->change) ? 0 : served_model_check_shadows(m, &p->planned.route, e);
}

/* What a refusal of the registry does not say, and record. The plan goes into the outcome, with what the gates found.
 */
static int check_planned(const struct passage *p, const struct served_model *m, struct change_outcome *outcome,
			 struct err *e)
{
	if (p->planned.revision == 0)
		return 0;
	outcome->revision = p->planned;
	if (check_shadows(p, m, e) == 0 && gates_judge(p->r->registry, m, &p->planned.route, &p->change, p->actor,
						       outcome->findings, &outcome->finding_count, e) == 0)
		return 0;
	if (!p->change.dry_run)
		registry_audit(p->r->registry, p->actor, p->change.action, m->name, p->change.version,
			       err_name(e->code), p->change.reason, e->text, NULL);
	return -1;
}

/* Writes the change with what the gates found. */
static int write_change(struct passage *p, struct change_outcome *outcome, struct err *e)
{
	char *evidence = gates_evidence(outcome->findings, outcome->finding_count);

	if (evidence == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while changing %s", p->change.model);
	p->change.forced = gates_overridden(outcome->findings, outcome->finding_count);
	p->change.evidence = outcome->finding_count > 0 ? evidence : NULL;
	int result = registry_change_route(p->r->registry, &p->change, p->actor, &outcome->revision, e);
	p->change.evidence = NULL;
	free(evidence);
	return result;
}

static bool all_held(const struct passage *p)
{
	for (uint32_t i = 0; i < p->planned.route.entry_count; i++)
		if (!is_held(p, p->planned.route.entries[i].version))
			return false;
	return true;
}

static void give_tap(struct served_model *m, struct tap *tap)
{
	tap_hold(tap);
	tap_release(m->tap);
	m->tap = tap;
}

/* Copies to shadows are all that may change under a test. */
static void change_tap(const struct passage *p, struct served_model *m)
{
	if (p->tap != NULL || strcmp(p->change.action, "shadow") != 0)
		give_tap(m, p->tap);
}

int router_set_tap(struct router *r, const char *model, struct tap *tap, struct err *e)
{
	pthread_mutex_lock(&r->change);
	const struct served_model *old = routing_find(router_current(r), model, e);
	struct served_model *m = old == NULL ? NULL : served_model_copy(old, model, 0);
	if (old != NULL && m == NULL)
		err_set(e, ERR_MEMORY, "memory is out for the A/B test of %s", model);
	if (m != NULL)
		give_tap(m, tap);
	int result = m == NULL ? -1 : router_publish(r, m, e);
	if (result != 0)
		served_model_free(m);
	pthread_mutex_unlock(&r->change);
	return result;
}

/* Writes the change and publishes its route. */
static int carry_out(struct passage *p, const struct served_model *old, struct change_outcome *outcome, struct err *e)
{
	/* Made first: once the registry has the change, nothing may fail for want of memory. */
	struct served_model *m = old == NULL ? NULL : served_model_copy(old, old->name, 0);
	struct routing *room = old == NULL ? NULL : router_room(p->r, p->change.model, e);

	if (old != NULL && (m == NULL || room == NULL)) {
		err_set(e, ERR_MEMORY, "memory is out while changing %s", p->change.model);
		goto unused;
	}
	if (write_change(p, outcome, e) != 0 || p->change.dry_run || m == NULL)
		goto unused;
	router_left(old, &outcome->revision.route);
	served_model_revise(m, &outcome->revision);
	change_tap(p, m);
	router_publish_in(p->r, m, room);
	beside_follow(m);
	router_wake(p->r);
	return 0;
unused:
	served_model_free(m);
	router_room_free(room);
	return e->code == ERR_NONE ? 0 : -1;
}

/* *again: the route that it would be now names a version that is not held. */
static int change_locked(struct passage *p, struct change_outcome *outcome, bool *again, struct err *e)
{
	const struct served_model *old = routing_find(router_current(p->r), p->change.model, NULL);

	if (old != NULL) {
		route_text(&old->route, outcome->before, sizeof outcome->before);
		/* Plans are made of the current revision; of a rollback, of the ones before and their rollouts too. */
		if (p->planned.revision == 0 || p->planned.based_on != old->revision ||
		    strcmp(p->change.action, "rollback") == 0)
			plan(p);
		if (p->planned.revision != 0 && !p->change.dry_run && !all_held(p)) {
			*again = true;
			return 0;
		}
		if (check_planned(p, old, outcome, e) != 0)
			return -1;
	}
	return carry_out(p, old, outcome, e);
}

static int pass(struct passage *p, struct change_outcome *outcome, struct err *e)
{
	for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
		bool again = false;
		if (prepare(p, e) != 0)
			return -1;
		pthread_mutex_lock(&p->r->change);
		int result = change_locked(p, outcome, &again, e);
		pthread_mutex_unlock(&p->r->change);
		if (!again)
			return result;
	}
	return err_set(e, ERR_CONFLICT, "the route of %s is being changed by others again and again; try again",
		       p->change.model);
}

int router_change(struct router *r, const struct route_change *change, const struct actor *actor,
		  struct change_outcome *outcome, struct err *e)
{
	return router_change_tapped(r, change, NULL, actor, outcome, e);
}

int router_change_tapped(struct router *r, const struct route_change *change, struct tap *tap,
			 const struct actor *actor, struct change_outcome *outcome, struct err *e)
{
	/* On the heap: routes are much for a thread's stack. */
	struct passage *p = calloc(1, sizeof *p);

	e->code = ERR_NONE;
	outcome->before[0] = '\0';
	outcome->finding_count = 0;
	if (p == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while changing %s", change->model);
	p->r = r;
	p->actor = actor;
	p->tap = tap;
	p->change = *change;
	int result = pass(p, outcome, e);
	release_all(p);
	free(p);
	return result;
}
