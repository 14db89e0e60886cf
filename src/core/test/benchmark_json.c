/* benchmark_json: a benchmark's report. */
#include "core/test/benchmark_json.h"

#include "core/test/benchmark_plots.h"

#include <stdio.h>

static cJSON *numbers_json(const double *values, size_t count)
{
	return cJSON_CreateDoubleArray(values, (int)count);
}

static cJSON *measure_json(const struct benchmark_measure *m, size_t count, const char *unit)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "unit", unit);
	cJSON_AddNumberToObject(json, "old", m->old_median);
	cJSON_AddNumberToObject(json, "new", m->new_median);
	cJSON_AddNumberToObject(json, "ratio", m->ratio);
	cJSON_AddNumberToObject(json, "low", m->interval.low);
	cJSON_AddNumberToObject(json, "high", m->interval.high);
	cJSON_AddNumberToObject(json, "p", m->p);
	cJSON_AddNumberToObject(json, "p_adjusted", m->p_adjusted);
	cJSON_AddBoolToObject(json, "noisy", m->noisy);
	cJSON_AddStringToObject(json, "verdict", benchmark_verdict_name(m->verdict));
	cJSON_AddItemToObject(json, "old_values", numbers_json(m->old_values, count));
	cJSON_AddItemToObject(json, "new_values", numbers_json(m->new_values, count));
	return json;
}

static void add_side(cJSON *json, const char *name, const struct bench_side *side)
{
	cJSON *object = cJSON_AddObjectToObject(json, name);

	cJSON_AddStringToObject(object, "engine", side->engine);
	cJSON_AddStringToObject(object, "clock", side->clock);
	cJSON_AddNumberToObject(object, "rows_asked", (double)side->rows_asked);
	cJSON_AddNumberToObject(object, "looked_at", (double)side->looked_at);
	cJSON_AddNumberToObject(object, "not_finite", (double)side->not_finite);
}

static void add_rows(cJSON *json, const struct bench_source *source)
{
	cJSON *object = cJSON_AddObjectToObject(json, "rows");

	cJSON_AddStringToObject(object, "origin", source->origin);
	cJSON_AddBoolToObject(object, "made", source->made);
	cJSON_AddNumberToObject(object, "source_count", (double)source->source_count);
	cJSON_AddStringToObject(object, "text", source->text);
}

cJSON *benchmark_report(const struct benchmark *b, const struct benchmark_facts *facts, const char *summary)
{
	const struct bench_run *run = facts->run;
	struct finding findings[FINDINGS_MAX];
	size_t count = benchmark_findings(b, findings);
	cJSON *json = cJSON_CreateObject();
	struct plot plots[PLOTS_MAX];
	char name[BENCHMARK_NAME_SIZE], seed[24];

	cJSON_AddStringToObject(json, "kind", "benchmark");
	cJSON_AddStringToObject(json, "model", facts->model);
	cJSON_AddNumberToObject(json, "version", facts->version);
	cJSON_AddNumberToObject(json, "against", facts->against);
	cJSON_AddStringToObject(json, "verdict", benchmark_verdict_name(b->verdict));
	cJSON_AddBoolToObject(json, "passed", b->verdict == BENCHMARK_PASS);
	cJSON_AddStringToObject(json, "summary", summary);
	cJSON_AddItemToObject(json, "findings", findings_to_json(findings, count));
	cJSON_AddNumberToObject(json, "ratio_max", b->ratio_max);
	cJSON_AddNumberToObject(json, "memory_max", b->memory_max);
	cJSON *settings = cJSON_AddObjectToObject(json, "settings"); /* in the policy's words: core/test/strictness */
	cJSON_AddNumberToObject(settings, "bench_ratio_max", b->ratio_max);
	cJSON_AddNumberToObject(settings, "bench_memory_max", b->memory_max);
	cJSON_AddNumberToObject(json, "pairs", (double)b->pair_count);
	cJSON_AddNumberToObject(json, "looks", (double)b->looks_done);
	cJSON_AddNumberToObject(json, "looks_planned", (double)b->plan.look_count);
	cJSON_AddNumberToObject(json, "alpha", BENCHMARK_ALPHA);
	/* As text: a JSON number holds 53 of its 64 bits. */
	snprintf(seed, sizeof seed, "%llu", (unsigned long long)run->seed);
	cJSON_AddStringToObject(json, "seed", seed);
	cJSON_AddNumberToObject(json, "seconds", facts->seconds);
	add_rows(json, facts->source);
	add_side(json, "old_version", &run->old_side);
	add_side(json, "new_version", &run->new_side);
	for (size_t i = 0; i < b->batch_count; i++) {
		snprintf(name, sizeof name, "batch_%zu", b->batches[i]);
		cJSON_AddItemToObject(json, name, measure_json(&b->times[i], b->pair_count, "ns/row"));
	}
	cJSON_AddItemToObject(json, "memory", measure_json(&b->memory, b->pair_count, "bytes"));
	cJSON_AddItemToObject(json, "load", measure_json(&b->load, b->pair_count, "ns"));
	size_t plot_count = benchmark_plots(b, run->new_side.name, run->old_side.name, plots);
	cJSON_AddItemToObject(json, "plots", plots_to_json(plots, plot_count));
	return json;
}
