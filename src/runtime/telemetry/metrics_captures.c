/* metrics: rows of live requests that are kept for tests, of models whose policy says so. */
#include "runtime/telemetry/metrics.h"

static uint64_t rows(const struct capture_facts *f)
{
	return f->rows;
}

static uint64_t bytes(const struct capture_facts *f)
{
	return f->bytes;
}

static void write_gauge(struct metrics *m, const char *name, const char *help,
			uint64_t (*value)(const struct capture_facts *f))
{
	struct capture_facts facts;

	metrics_family(m, name, "gauge", help);
	for (size_t i = 0; i < m->routing->model_count; i++) {
		const struct served_model *model = m->routing->models[i];
		if (model->capture == NULL)
			continue;
		capture_facts(model->capture, &facts);
		metrics_series(m, "", "model", model->name, NULL);
		metrics_count(m, value(&facts));
	}
}

static void write_lost(struct metrics *m, const char *model, const char *reason, uint64_t count)
{
	metrics_series(m, "", "model", model, "reason", reason, NULL);
	metrics_count(m, count);
}

void metrics_captures(struct metrics *m)
{
	struct capture_facts facts;

	write_gauge(m, "mldeck_capture_rows", "Rows of live requests that are kept for tests.", rows);
	write_gauge(m, "mldeck_capture_memory_bytes", "Memory for rows of live requests.", bytes);
	metrics_family(m, "mldeck_capture_lost_total", "counter",
		       "Rows that the sample chose and that were not kept: without room, or too large.");
	for (size_t i = 0; i < m->routing->model_count; i++) {
		const struct served_model *model = m->routing->models[i];
		if (model->capture == NULL)
			continue;
		capture_facts(model->capture, &facts);
		write_lost(m, model->name, "memory", facts.dropped);
		write_lost(m, model->name, "size", facts.too_large);
	}
}
