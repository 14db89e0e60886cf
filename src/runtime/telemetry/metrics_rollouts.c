/* metrics: rollouts that are under way, how others ended, and alerts. */
#include "runtime/telemetry/metrics.h"

#include <stdio.h>

/* The model's open rollout; false when there is none. */
static bool open_rollout(struct metrics *m, const struct served_model *model, struct rollout *r, char version[11])
{
	if (!rollouts_find(m->server->rollouts, model->name, r) || rollout_ended(r))
		return false;
	snprintf(version, 11, "%u", r->version);
	return true;
}

static void write_open(struct metrics *m)
{
	struct rollout r;
	char version[11];

	metrics_family(m, "mldeck_rollout_step", "gauge",
		       "The step that a rollout under way is at, from 1; state is running or paused.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		if (!open_rollout(m, m->routing->models[i], &r, version))
			continue;
		metrics_series(m, "", "model", r.model, "version", version, "state", rollout_state_name(r.state), NULL);
		metrics_count(m, r.step + 1);
	}
	metrics_family(m, "mldeck_rollout_steps", "gauge", "How many steps a rollout under way has.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		if (!open_rollout(m, m->routing->models[i], &r, version))
			continue;
		metrics_series(m, "", "model", r.model, "version", version, NULL);
		metrics_count(m, r.step_count);
	}
	metrics_family(
	    m, "mldeck_rollout_left_seconds", "gauge",
	    "What is left of the hold of the step that a rollout under way is at; 0 while it waits for more.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		if (!open_rollout(m, m->routing->models[i], &r, version))
			continue;
		metrics_series(m, "", "model", r.model, "version", version, NULL);
		metrics_number(m, (double)rollout_left_ms(&r) / 1e3);
	}
}

static void write_ended(struct metrics *m)
{
	uint64_t counts[ROLLOUT_STATE_COUNT];

	metrics_family(m, "mldeck_rollouts_ended_total", "counter",
		       "Rollouts that ended, by how: done, aborted, or rolled back.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		rollouts_ended(m->server->rollouts, m->routing->models[i]->name, counts);
		for (int state = ROLLOUT_DONE; state < ROLLOUT_STATE_COUNT; state++) {
			metrics_series(m, "", "model", m->routing->models[i]->name, "outcome",
				       rollout_state_name((enum rollout_state)state), NULL);
			metrics_count(m, counts[state]);
		}
	}
}

static void write_alerts(struct metrics *m)
{
	metrics_family(m, "mldeck_alerts_firing", "gauge", "Alerts of a model that nobody acknowledged yet.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		const char *model = m->routing->models[i]->name;
		metrics_series(m, "", "model", model, NULL);
		metrics_count(m, alerts_count(m->server->alerts, ALERT_FIRING, model));
	}
	metrics_family(m, "mldeck_alerts_acknowledged", "gauge",
		       "Alerts of a model that somebody acknowledged and that are not over.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		const char *model = m->routing->models[i]->name;
		metrics_series(m, "", "model", model, NULL);
		metrics_count(m, alerts_count(m->server->alerts, ALERT_ACKNOWLEDGED, model));
	}
}

void metrics_rollouts(struct metrics *m)
{
	/* A server of a test may have neither. */
	if (m->server->rollouts != NULL) {
		write_open(m);
		write_ended(m);
	}
	if (m->server->alerts != NULL)
		write_alerts(m);
}
