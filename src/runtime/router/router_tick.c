/* router_tick: what is done every second: telemetry windows, and baselines that are complete. */
#include "runtime/router/router_internal.h"

/* Freezes the baseline of a version once enough live predictions are there. */
static void freeze_baseline(struct router *r, const char *model, struct served_version *v)
{
	double values[BASELINE_LEARN_COUNT];
	struct baseline baseline;
	struct err e;
	if (!telemetry_gathered(v->telemetry, values))
		return;
	if (baseline_make(&baseline, values, BASELINE_LEARN_COUNT, v->kind.class_count, v->kind.probability, "live",
			  &e) != 0)
		return;
	if (registry_set_baseline(r->registry, model, v->version, &baseline, &e) == 0)
		telemetry_set_baseline(v->telemetry, &baseline);
}

void router_tick(struct router *r, int64_t now_s)
{
	/* Holding `change` keeps the routing; data plane threads never take it. */
	pthread_mutex_lock(&r->change);
	const struct routing *routing = router_current(r);
	for (size_t i = 0; i < routing->model_count; i++) {
		const struct served_model *m = routing->models[i];
		if (m->capture != NULL)
			capture_tick(m->capture, now_s * 1000);
		for (size_t k = 0; k < m->version_count; k++) {
			telemetry_tick(m->versions[k]->telemetry, now_s);
			freeze_baseline(r, m->name, m->versions[k]);
		}
	}
	pthread_mutex_unlock(&r->change);
}
