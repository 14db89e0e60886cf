#include "core/snapshot.h"

#include <stdlib.h>
#include <string.h>

struct snapshot *snapshot_new(void)
{
	return calloc(1, sizeof(struct snapshot));
}

void snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->model_count; i++) {
		free(s->models[i].versions);
		free(s->models[i].per_version);
		free(s->models[i].rollout);
		free(s->models[i].revisions);
	}
	free(s->models);
	free(s->alerts);
	free(s->audits);
	free(s->jobs);
	free(s->tests);
	for (size_t i = 0; i < s->report_count; i++)
		snapshot_report_release(&s->reports[i]);
	free(s->reports);
	for (size_t i = 0; i < s->experiment_count; i++)
		snapshot_experiment_release(&s->experiments[i]);
	free(s->experiments);
	free(s);
}

static int compare_name(const void *name, const void *model)
{
	return strcmp(name, ((const struct snapshot_model *)model)->name);
}

const struct snapshot_model *snapshot_find(const struct snapshot *s, const char *name)
{
	if (s->model_count == 0)
		return NULL;
	return bsearch(name, s->models, s->model_count, sizeof(s->models[0]), compare_name);
}

const struct job_record *snapshot_job(const struct snapshot *s, int64_t id)
{
	for (size_t i = 0; i < s->job_count; i++) {
		if (s->jobs[i].id == id)
			return &s->jobs[i];
	}
	return NULL;
}

const struct snapshot_report *snapshot_report(const struct snapshot *s, int64_t id)
{
	for (size_t i = 0; i < s->report_count; i++) {
		if (s->reports[i].test.id == id)
			return &s->reports[i];
	}
	return NULL;
}

const struct snapshot_experiment *snapshot_experiment(const struct snapshot *s, const char *model, const char *name)
{
	for (size_t i = 0; i < s->experiment_count; i++) {
		if (strcmp(s->experiments[i].model, model) == 0 && strcmp(s->experiments[i].name, name) == 0)
			return &s->experiments[i];
	}
	return NULL;
}

const struct snapshot_version_stats *snapshot_stats_of(const struct snapshot_model *m, uint32_t version)
{
	for (size_t i = 0; i < m->per_version_count; i++) {
		if (m->per_version[i].version == version)
			return &m->per_version[i];
	}
	return NULL;
}

const struct snapshot_version *snapshot_version_of(const struct snapshot_model *m, uint32_t version)
{
	for (size_t i = 0; i < m->version_count; i++) {
		if (m->versions[i].version == version)
			return &m->versions[i];
	}
	return NULL;
}

double snapshot_error_percent(const struct snapshot_stats *stats)
{
	if (stats->requests <= stats->refused)
		return 0;
	return 100.0 * (double)stats->errors / (double)(stats->requests - stats->refused);
}
