#include "lib/fake_routing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS = 5 };

static int away(void *model, struct err *e)
{
	(void)model;
	return err_set(e, ERR_UPSTREAM, "its server is away");
}

static size_t memory(const void *model)
{
	(void)model;
	return 4096;
}

static const struct engine fake_engine = {.name = "fake", .memory = memory};
static const struct engine away_engine = {.name = "away", .ready = away};

static struct served_version *new_version(uint32_t number)
{
	double values[] = {0, 0.25, 0.5, 1};
	struct baseline baseline;
	struct served_version *v = calloc(1, sizeof *v);
	if (baseline_make(&baseline, values, 4, 0, true, "rows", NULL) != 0)
		abort();
	v->version = number;
	v->life = calloc(1, sizeof *v->life);
	v->telemetry = telemetry_new(number == 1 ? &baseline : NULL);
	v->engine = number == 4 ? NULL : number == 3 ? &away_engine : &fake_engine;
	snprintf(v->manifest.engine, sizeof v->manifest.engine, "%s", number == 1 ? "\"{},=\\" : "fake");
	snprintf(v->manifest.format, sizeof v->manifest.format, "%s", number == 1 ? FAKE_ROUTING_HOSTILE : "plain");
	memset(v->manifest.sha256, 'a' + (int)number, 64);
	return v;
}

static struct served_model *new_model(const char *name, size_t version_count)
{
	struct served_model *m = calloc(1, sizeof *m);
	snprintf(m->name, sizeof m->name, "%s", name);
	m->versions = calloc(VERSIONS, sizeof(struct served_version *));
	for (uint32_t i = 1; i <= version_count; i++)
		m->versions[m->version_count++] = new_version(i);
	return m;
}

struct routing *fake_routing_new(void)
{
	static const struct route_entry entries[] = {
	    {1, ROUTE_LIVE, 7500}, {2, ROUTE_CANARY, 2500}, {3, ROUTE_SHADOW, 1000}};
	struct routing *routing = calloc(1, sizeof *routing);
	routing->models = calloc(2, sizeof(struct served_model *));
	routing->models[routing->model_count++] = new_model("empty", 0);
	routing->models[routing->model_count++] = new_model("m", VERSIONS);
	routing->models[1]->revision = 7;
	routing->models[1]->route.entry_count = 3;
	memcpy(routing->models[1]->route.entries, entries, sizeof entries);
	return routing;
}

void fake_routing_free(struct routing *routing)
{
	for (size_t i = 0; i < routing->model_count; i++) {
		struct served_model *m = routing->models[i];
		for (size_t k = 0; k < m->version_count; k++) {
			telemetry_free(m->versions[k]->telemetry);
			free(m->versions[k]->life);
			free(m->versions[k]);
		}
		free(m->versions);
		free(m);
	}
	free(routing->models);
	free(routing);
}
