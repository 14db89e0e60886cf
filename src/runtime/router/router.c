#include "runtime/router/router_internal.h"

#include "core/clock.h"
#include "core/fault.h"
#include "runtime/router/epoch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct served_model *served_model_copy(const struct served_model *old, const char *name, size_t extra_versions)
{
	struct served_model *m = calloc(1, sizeof *m);
	if (m == NULL)
		return NULL;
	if (old != NULL)
		*m = *old;
	else
		snprintf(m->name, sizeof m->name, "%s", name);
	m->versions = calloc(m->version_count + extra_versions + 1, sizeof(struct served_version *));
	if (m->versions == NULL) {
		free(m);
		return NULL;
	}
	capture_hold(m->capture);
	tap_hold(m->tap);
	if (m->version_count > 0)
		memcpy(m->versions, old->versions, m->version_count * sizeof(struct served_version *));
	return m;
}

void served_model_free(struct served_model *m)
{
	if (m == NULL)
		return;
	capture_release(m->capture);
	tap_release(m->tap);
	free(m->versions);
	free(m);
}

static void history_entry(struct snapshot_revision *to, const struct revision_record *from)
{
	to->revision = from->revision;
	to->based_on = from->based_on;
	to->at_ms = from->at_ms;
	memcpy(to->action, from->action, sizeof to->action);
	memcpy(to->who, from->who, sizeof to->who);
	memcpy(to->reason, from->reason, sizeof to->reason);
	to->forced = from->forced;
	route_text(&from->route, to->route, sizeof to->route);
}

int served_model_refresh(struct served_model *m, struct registry *registry, struct err *e)
{
	struct revision_record *records;
	struct policy_record policy;
	size_t count;
	if (registry_policy(registry, m->name, &policy, e) != 0)
		return -1;
	m->policy = policy.policy;
	m->policy_set = policy.number > 0;
	if (registry_revisions(registry, m->name, SNAPSHOT_HISTORY, &records, &count, e) != 0)
		return -1;
	m->history_count = count;
	for (size_t i = 0; i < count; i++)
		history_entry(&m->history[i], &records[i]);
	if (count > 0) {
		m->revision = records[0].revision;
		m->route = records[0].route;
	}
	free(records);
	return 0;
}

void served_model_revise(struct served_model *m, const struct revision_record *revision)
{
	size_t kept = m->history_count < SNAPSHOT_HISTORY ? m->history_count : SNAPSHOT_HISTORY - 1;
	memmove(&m->history[1], &m->history[0], kept * sizeof m->history[0]);
	memset(&m->history[0], 0, sizeof m->history[0]);
	history_entry(&m->history[0], revision);
	m->history_count = kept + 1;
	m->revision = revision->revision;
	m->route = revision->route;
}

const struct routing *router_enter(struct router *r)
{
	epoch_enter();
	return atomic_load(&r->routing);
}

void router_leave(struct router *r)
{
	(void)r;
	epoch_leave();
}

const struct routing *router_current(struct router *r)
{
	return atomic_load(&r->routing);
}

/* The place of a name: where it is, or where it would be. */
static size_t routing_place(const struct routing *routing, const char *name, bool *found)
{
	size_t low = 0, high = routing->model_count;
	*found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(routing->models[middle]->name, name);
		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct served_model *routing_find(const struct routing *routing, const char *name, struct err *e)
{
	bool found;
	size_t place = routing_place(routing, name, &found);
	if (!found)
		err_set(e, ERR_NOT_FOUND, "there is no model `%s`", name);
	return found ? routing->models[place] : NULL;
}

struct routing *router_room(struct router *r, const char *model, struct err *e)
{
	struct routing *room = calloc(1, sizeof *room);
	if (room != NULL)
		room->models = calloc(router_current(r)->model_count + 1, sizeof(struct served_model *));
	if (room != NULL && room->models != NULL)
		return room;
	free(room);
	err_set(e, ERR_MEMORY, "memory is out while changing %s", model);
	return NULL;
}

void router_room_free(struct routing *room)
{
	if (room != NULL)
		free(room->models);
	free(room);
}

int router_publish(struct router *r, struct served_model *m, struct err *e)
{
	struct routing *room = router_room(r, m->name, e);
	if (room == NULL)
		return -1;
	router_publish_in(r, m, room);
	return 0;
}

void router_publish_in(struct router *r, struct served_model *m, struct routing *new)
{
	struct routing *old = atomic_load(&r->routing);
	bool replaces;
	size_t place = routing_place(old, m->name, &replaces);
	struct served_model *replaced = replaces ? old->models[place] : NULL;
	struct comparison *ended[ROUTE_ENTRIES_MAX];
	size_t after = place + (replaces ? 1 : 0);
	for (size_t i = 0; i < place; i++)
		new->models[i] = old->models[i];
	new->models[place] = m;
	for (size_t i = after; i < old->model_count; i++)
		new->models[place + 1 + i - after] = old->models[i];
	new->model_count = old->model_count + (replaces ? 0 : 1);

	served_model_compare(replaced, m, ended);
	FAULT_POINT(publish);
	atomic_store(&r->routing, new);
	FAULT_POINT(published);
	epoch_wait();
	for (size_t i = 0; i < ROUTE_ENTRIES_MAX; i++)
		comparison_release(ended[i]);
	router_room_free(old);
	served_model_free(replaced);
}

struct served_version *served_model_find(const struct served_model *m, uint32_t version)
{
	/* Versions are numbered 1, 2, 3 ... without gaps. */
	if (version == 0 || version > m->version_count)
		return NULL;
	return m->versions[version - 1];
}

struct served_version *served_model_version(const struct served_model *m, const char *number, struct err *e)
{
	long long version;
	struct served_version *v =
	    text_integer(number, 1, VERSIONS_MAX, &version) ? served_model_find(m, (uint32_t)version) : NULL;
	if (v == NULL)
		err_set(e, ERR_NOT_FOUND, "%s has no version `%s`; it has 1 to %zu", m->name, number, m->version_count);
	return v;
}

/* xorshift64*, seeded a thread from the clock: which request goes where needs no better. */
static uint32_t random_bucket(void)
{
	static _Thread_local uint64_t seed;
	if (seed == 0) {
		seed = clock_ns() * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)&seed;
		seed |= 1;
	}
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	uint64_t number = seed * UINT64_C(0x2545f4914f6cdd1d);
	return (uint32_t)(((number >> 32) * ROUTE_BUCKETS) >> 32);
}

/* By which units fall into buckets. */
static const char *salt_of(const struct served_model *m)
{
	return m->route.salt[0] != '\0' ? m->route.salt : m->name;
}

struct served_version *served_model_pick(const struct served_model *m, const char *unit, size_t unit_size)
{
	if (m->route.entry_count == 0)
		return NULL;
	uint32_t bucket = 0;
	if (m->route.entry_count > 1)
		bucket = unit_size > 0 ? route_bucket(salt_of(m), unit, unit_size) : random_bucket();
	return served_model_find(m, m->route.entries[m->route.owner[bucket]].version);
}

uint32_t served_model_draw(const struct served_model *m, const char *unit, size_t unit_size)
{
	char salt[sizeof m->name + 8];
	uint32_t weight_bp = 0;

	for (uint32_t i = 0; i < m->route.entry_count; i++)
		if (m->route.entries[i].role == ROUTE_SHADOW && m->route.entries[i].weight_bp > weight_bp)
			weight_bp = m->route.entries[i].weight_bp;
	if (weight_bp == 0)
		return ROUTE_BUCKETS;
	/* No model has a blank in its name: no route is drawn with this salt. */
	snprintf(salt, sizeof salt, "%s shadow", m->name);
	uint32_t draw = unit_size > 0 ? route_bucket(salt, unit, unit_size) : random_bucket();
	return draw < weight_bp ? draw : ROUTE_BUCKETS;
}
