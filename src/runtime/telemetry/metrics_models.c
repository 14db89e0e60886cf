/* metrics: which versions there are, and which of them gets what. */
#include "runtime/telemetry/metrics.h"

static void write_info(struct metrics *m)
{
	metrics_family(m, "mldeck_model_info", "gauge",
		       "Versions in the route of a model: their role and what they are.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (v->entry == NULL)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, "role", route_role_name(v->entry->role),
			       "engine", v->version->manifest.engine, "format", v->version->manifest.format, "sha256",
			       v->version->manifest.sha256, NULL);
		metrics_count(m, 1);
	}
}

/* Shadows apart: the other shares of a model sum up to 1. */
static void write_weights(struct metrics *m, bool shadow)
{
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		if (v->entry == NULL || (v->entry->role == ROUTE_SHADOW) != shadow)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_number(m, v->entry->weight_bp / 10000.0);
	}
}

static void write_revisions(struct metrics *m)
{
	metrics_family(m, "mldeck_route_revision", "gauge",
		       "Revision of the route that serves: it grows with every promotion, split and rollback.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		metrics_series(m, "", "model", m->routing->models[i]->name, NULL);
		metrics_count(m, m->routing->models[i]->revision);
	}
}

static void write_ready(struct metrics *m)
{
	metrics_family(m, "mldeck_version_ready", "gauge", "Whether a version is loaded and can answer requests.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, served_version_state(v->version, NULL) == SERVED_READY);
	}
}

static void write_memory(struct metrics *m)
{
	metrics_family(m, "mldeck_version_memory_bytes", "gauge",
		       "Memory that a loaded version holds, where its engine tells.");
	for (size_t i = 0; i < m->version_count; i++) {
		const struct metrics_version *v = &m->versions[i];
		const struct engine *engine = v->version->engine;
		if (engine == NULL || engine->memory == NULL)
			continue;
		metrics_series(m, "", "model", v->model, "version", v->number, NULL);
		metrics_count(m, engine->memory(v->version->model));
	}
}

void metrics_models(struct metrics *m)
{
	write_info(m);
	metrics_family(m, "mldeck_route_weight_ratio", "gauge",
		       "Share of a model's requests that the route gives to a version.");
	write_weights(m, false);
	metrics_family(m, "mldeck_shadow_weight_ratio", "gauge",
		       "Share of a model's requests that are copied to a shadow version.");
	write_weights(m, true);
	write_revisions(m);
	write_ready(m);
	write_memory(m);
}
