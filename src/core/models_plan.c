#include "core/models_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct planner {
	const struct models_file *file;
	const struct snapshot *snapshot;
	struct models_plan *plan;
	size_t capacity;
	struct err *e;
};

void models_entries_text(const struct route_entry *entries, size_t count, char *text, size_t size)
{
	struct route route; /* only its entries are looked at */

	route.entry_count = (uint32_t)count;
	memcpy(route.entries, entries, count * sizeof *entries);
	route_text(&route, text, size);
}

uint32_t models_change_revision(const struct models_change *c)
{
	return c->now != NULL ? c->now->revision : 0;
}

static int refuse(struct planner *p, int line)
{
	return models_file_refuse(p->file, line, p->e);
}

static struct models_change *change_add(struct planner *p)
{
	struct models_plan *plan = p->plan;

	if (plan->change_count == p->capacity) {
		size_t capacity = p->capacity > 0 ? 2 * p->capacity : 16;
		void *grown = realloc(plan->changes, capacity * sizeof *plan->changes);
		if (grown == NULL) {
			err_set(p->e, ERR_MEMORY, "memory is out while planning the changes");
			return NULL;
		}
		plan->changes = grown;
		p->capacity = capacity;
	}
	struct models_change *c = &plan->changes[plan->change_count++];
	memset(c, 0, sizeof *c);
	return c;
}

/* --- versions --- */

static uint32_t newest(const struct snapshot_model *now)
{
	return now != NULL && now->version_count > 0 ? now->versions[now->version_count - 1].version : 0;
}

/* "has versions 1 to 3" */
static void versions_text(uint32_t count, char text[64])
{
	if (count == 0)
		snprintf(text, 64, "has none");
	else if (count == 1)
		snprintf(text, 64, "has version 1 only");
	else
		snprintf(text, 64, "has versions 1 to %u", count);
}

static int check_same(struct planner *p, const struct models_model *m, const struct models_version *v,
		      const struct snapshot_version *there, uint32_t next)
{
	if (strcmp(there->sha256, v->sha256) == 0)
		return 0;
	err_set(p->e, ERR_INPUT,
		"version %u of %s is %.12s in the runtime, and %s is %.12s; a version is never changed: give the file "
		"the next number, %u",
		v->version, m->name, there->sha256, v->source, v->sha256, next);
	return refuse(p, v->line);
}

/* The runtime keeps a file once for a model, and so would not count it as a new version. */
static int check_new(struct planner *p, const struct models_model *m, const struct snapshot_model *now,
		     const struct models_version *v)
{
	uint32_t twin = 0;

	for (size_t i = 0; now != NULL && i < now->version_count; i++)
		if (strcmp(now->versions[i].sha256, v->sha256) == 0)
			twin = now->versions[i].version;
	for (const struct models_version *other = m->versions; other < v; other++)
		if (strcmp(other->sha256, v->sha256) == 0)
			twin = other->version;
	if (twin == 0)
		return 0;
	err_set(p->e, ERR_INPUT, "%s is version %u of %s, so it cannot be version %u too", v->source, twin, m->name,
		v->version);
	return refuse(p, v->line);
}

static int plan_version(struct planner *p, const struct models_model *m, const struct snapshot_model *now,
			const struct models_version *v, uint32_t *last)
{
	const struct snapshot_version *there = now != NULL ? snapshot_version_of(now, v->version) : NULL;
	char has[64];

	if (there != NULL)
		return check_same(p, m, v, there, newest(now) + 1);
	if (v->version != *last + 1) {
		versions_text(*last, has);
		err_set(p->e, ERR_INPUT,
			"version %u of %s would leave a gap: the runtime %s%s, so the next is %u, not %u", v->version,
			m->name, has, *last > newest(now) ? " with those of this file" : "", *last + 1, v->version);
		return refuse(p, v->line);
	}
	if (check_new(p, m, now, v) != 0)
		return -1;
	struct models_change *c = change_add(p);
	if (c == NULL)
		return -1;
	c->kind = MODELS_DEPLOY;
	c->model = m;
	c->now = now;
	c->version = v;
	c->goes_live = *last == 0 && m->route_line == 0;
	*last = v->version;
	return 0;
}

/* --- the policy --- */

void models_change_policy(const struct models_change *c, struct policy *before)
{
	policy_init(before);
	if (c->now != NULL && c->now->policy_set)
		*before = c->now->policy;
}

bool models_policy_same(const struct policy *a, const struct policy *b)
{
	char one[POLICY_NAMES_SIZE], other[POLICY_NAMES_SIZE];
	const char *name, *help;

	for (size_t i = 0; policy_row(a, i, &name, one, &help) && policy_row(b, i, &name, other, &help); i++)
		if (strcmp(one, other) != 0)
			return false;
	return true;
}

static int plan_policy(struct planner *p, const struct models_model *m, const struct snapshot_model *now)
{
	struct models_change change = {.kind = MODELS_POLICY, .model = m, .now = now};
	struct policy before;

	models_change_policy(&change, &before);
	if (m->policy_line == 0 || models_policy_same(&before, &m->policy))
		return 0;
	struct models_change *c = change_add(p);
	if (c == NULL)
		return -1;
	*c = change;
	return 0;
}

/* --- the route --- */

/* The version that is live by the file's rule. */
static uint32_t choose_live(const struct models_model *m, const struct snapshot_model *now)
{
	uint32_t before = now != NULL ? now->live : 0, greatest_bp = 0, live = 0;

	if (m->live != 0)
		return m->live;
	for (size_t i = 0; i < m->entry_count; i++) {
		const struct route_entry *entry = &m->entries[i];
		if (entry->role == ROUTE_SHADOW)
			continue;
		if (entry->version == before)
			return before;
		if (entry->weight_bp > greatest_bp) {
			greatest_bp = entry->weight_bp;
			live = entry->version;
		}
	}
	return live;
}

static void assign_roles(struct models_change *c, uint32_t live)
{
	const struct models_model *m = c->model;

	for (size_t i = 0; i < m->entry_count; i++)
		if (m->entries[i].role != ROUTE_SHADOW && m->entries[i].version == live)
			c->entries[c->entry_count++] = (struct route_entry){live, ROUTE_LIVE, m->entries[i].weight_bp};
	for (size_t i = 0; i < m->entry_count; i++)
		if (m->entries[i].role == ROUTE_SHADOW || m->entries[i].version != live)
			c->entries[c->entry_count++] = m->entries[i];
}

static bool entry_there(const struct snapshot_model *now, const struct route_entry *entry)
{
	for (uint32_t i = 0; i < now->route_count; i++)
		if (now->route[i].version == entry->version)
			return now->route[i].role == entry->role && now->route[i].weight_bp == entry->weight_bp;
	return false;
}

static bool route_is(const struct snapshot_model *now, const struct models_change *c)
{
	if (now == NULL || now->route_count != c->entry_count)
		return now == NULL && c->entry_count == 0;
	for (size_t i = 0; i < c->entry_count; i++)
		if (!entry_there(now, &c->entries[i]))
			return false;
	return true;
}

static int check_entries(struct planner *p, const struct models_model *m, uint32_t last)
{
	char has[64];

	for (size_t i = 0; i < m->entry_count; i++) {
		const struct route_entry *entry = &m->entries[i];
		if (entry->version <= last)
			continue;
		versions_text(last, has);
		err_set(p->e, ERR_INPUT, "the route names version %u of %s, which %s", entry->version, m->name, has);
		return refuse(p, entry->role == ROUTE_SHADOW ? m->shadow_line : m->route_line);
	}
	return 0;
}

static int check_free(struct planner *p, const struct models_model *m, const struct snapshot_model *now,
		      const struct models_change *c)
{
	const struct rollout *rollout = now != NULL ? now->rollout : NULL;

	if (c->entry_count == 0) {
		err_set(p->e, ERR_INPUT, "%s has a route, and a route cannot be taken away: say its shares, or nothing",
			m->name);
		return refuse(p, m->route_line);
	}
	if (rollout == NULL || (rollout->state != ROLLOUT_RUNNING && rollout->state != ROLLOUT_PAUSED))
		return 0;
	err_set(p->e, ERR_CONFLICT,
		"a rollout of v%u of %s is under way, and the route is its own until it ends: wait, or end it with "
		"`mldeck rollout %s --abort`",
		rollout->version, m->name, m->name);
	return refuse(p, m->route_line);
}

static int plan_route(struct planner *p, const struct models_model *m, const struct snapshot_model *now, uint32_t last)
{
	if (m->route_line == 0)
		return 0;
	struct models_change change = {.kind = MODELS_ROUTE, .model = m, .now = now};
	if (check_entries(p, m, last) != 0)
		return -1;
	assign_roles(&change, choose_live(m, now));
	if (route_is(now, &change))
		return 0;
	if (check_free(p, m, now, &change) != 0)
		return -1;
	struct models_change *c = change_add(p);
	if (c == NULL)
		return -1;
	*c = change;
	return 0;
}

/* --- models --- */

static int plan_model(struct planner *p, const struct models_model *m)
{
	const struct snapshot_model *now = snapshot_find(p->snapshot, m->name);
	size_t before = p->plan->change_count;
	uint32_t last = newest(now);

	if (now == NULL && m->version_count == 0) {
		err_set(p->e, ERR_NOT_FOUND, "the runtime has no model %s, and the file names no version of it",
			m->name);
		return refuse(p, m->line);
	}
	for (size_t i = 0; i < m->version_count; i++)
		if (plan_version(p, m, now, &m->versions[i], &last) != 0)
			return -1;
	if (plan_policy(p, m, now) != 0 || plan_route(p, m, now, last) != 0)
		return -1;
	if (p->plan->change_count > before)
		p->plan->model_count++;
	else
		p->plan->same_count++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Models of the runtime whose names the file has not got. */
static int find_left(struct planner *p)
{
	const struct models_file *f = p->file;
	const char **names = calloc(f->model_count + 1, sizeof *names);

	p->plan->left = calloc(p->snapshot->model_count + 1, sizeof *p->plan->left);
	if (names == NULL || p->plan->left == NULL) {
		free(names);
		return err_set(p->e, ERR_MEMORY, "memory is out while planning the changes");
	}
	for (size_t i = 0; i < f->model_count; i++)
		names[i] = f->models[i].name;
	qsort(names, f->model_count, sizeof *names, compare_names);
	for (size_t i = 0; i < p->snapshot->model_count; i++) {
		const char *name = p->snapshot->models[i].name;
		if (bsearch(&name, names, f->model_count, sizeof *names, compare_names) == NULL)
			p->plan->left[p->plan->left_count++] = &p->snapshot->models[i];
	}
	free(names);
	return 0;
}

int models_plan_make(const struct models_file *f, const struct snapshot *s, struct models_plan **result, struct err *e)
{
	struct err own;
	struct planner p = {.file = f, .snapshot = s, .plan = calloc(1, sizeof *p.plan), .e = e != NULL ? e : &own};

	*result = NULL;
	if (p.plan == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while planning the changes");
	int status = find_left(&p);
	for (size_t i = 0; status == 0 && i < f->model_count; i++)
		status = plan_model(&p, &f->models[i]);
	if (status == 0)
		*result = p.plan;
	else
		models_plan_free(p.plan);
	return status;
}

void models_plan_free(struct models_plan *p)
{
	if (p == NULL)
		return;
	free(p->changes);
	free(p->left);
	free(p);
}
