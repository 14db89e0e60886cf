/* experiments_view: what is seen of tests: the latest look, what was taken in, and how each arm does just now. */
#include "runtime/experiment/experiments_internal.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

#define ARMS_WINDOW_S 60

/* --- looking --- */

int experiments_look(struct experiments *es, const char *model, const char *name, struct err *e)
{
	struct experiment_record record;
	if (registry_experiment(es->registry, model, name, &record, e) != 0)
		return -1;
	struct experiment_entry *entry = experiments_get(es, record.id);
	/* One that takes nothing any more says what it said. */
	if (entry == NULL)
		return 0;
	pthread_mutex_lock(&entry->busy);
	int result = experiment_entry_take(es, entry, e);
	if (result == 0)
		result = experiment_entry_look(es, entry, e);
	pthread_mutex_unlock(&entry->busy);
	experiments_put(es, entry);
	return result;
}

/* --- one test --- */

/* The report of a look; NULL, without an error, when there is none. */
static int read_report(struct experiments *es, int64_t id, int64_t number, cJSON **report, struct err *e)
{
	char *text = NULL;
	*report = NULL;
	if (registry_experiment_look_report(es->registry, id, number, &text, e) != 0)
		return -1;
	*report = cJSON_Parse(text);
	free(text);
	return *report != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for an A/B test");
}

static void fill_arm(struct snapshot_arm *arm, struct served_version *v)
{
	/* Both are large. */
	struct snapshot_version_stats *stats = calloc(1, sizeof *stats);
	struct telemetry_totals *totals = calloc(1, sizeof *totals);
	if (stats != NULL && totals != NULL) {
		telemetry_read(v->telemetry, clock_ms() / 1000, ARMS_WINDOW_S, stats, NULL);
		telemetry_read_totals(v->telemetry, totals, NULL);
		arm->rate_rps = stats->stats.rate_rps;
		arm->p50_ns = stats->stats.latency.p50_ns;
		arm->p99_ns = stats->stats.latency.p99_ns;
		arm->errors = stats->stats.errors;
		arm->queue_ns = totals->ok > 0 ? totals->queue_ns / totals->ok : 0;
	}
	free(totals);
	free(stats);
}

static void fill_arms(struct experiments *es, struct snapshot_experiment *s)
{
	const struct served_model *m = routing_find(router_enter(es->router), s->model, NULL);
	for (size_t i = 0; m != NULL && i < s->arm_count; i++) {
		struct served_version *v = served_model_find(m, s->arms[i].version);
		if (v != NULL)
			fill_arm(&s->arms[i], v);
	}
	router_leave(es->router);
}

static int fill_looks(struct experiments *es, struct snapshot_experiment *s, const struct experiment_look_row *rows,
		      size_t count, struct err *e)
{
	struct snapshot_experiment_detail *d = s->detail;
	for (size_t i = 0; i < count && d->look_count < SNAPSHOT_LOOKS_MAX; i++) {
		struct snapshot_look *look = &d->looks[d->look_count++];
		cJSON *report;
		if (read_report(es, s->id, rows[i].number, &report, e) != 0)
			return -1;
		*look = (struct snapshot_look){
		    rows[i].last_ms, rows[i].elapsed_s, rows[i].exposed, rows[i].verdict, 0, 0, 0};
		snapshot_look_of_report(report, look);
		cJSON_Delete(report);
	}
	return 0;
}

static int fill_counts(struct experiments *es, struct snapshot_experiment *s, const struct experiment_record *record,
		       struct err *e)
{
	struct experiment_seen seen;
	if (registry_experiment_seen(es->registry, record, &seen, e) != 0)
		return -1;
	s->detail->counts = seen.counts;
	/* What came since the look is known, if not judged. */
	s->exposed = 0;
	for (size_t i = 0; i < s->arm_count; i++)
		s->exposed += s->arms[i].exposed = seen.state->exposed[i];
	experiment_state_free(seen.state);
	return 0;
}

/* *report, to be deleted, is NULL when nobody has looked yet. */
static int fill(struct experiments *es, const struct experiment_record *record, size_t looks, bool whole,
		struct snapshot_experiment *s, cJSON **report, struct err *e)
{
	struct experiment_look_row *rows = NULL;
	size_t count = 0;
	*report = NULL;
	int result = registry_experiment_looks(es->registry, record->id, 0, looks > 0 ? looks : 1, &rows, &count, e);
	if (result == 0 && count > 0)
		result = read_report(es, record->id, rows[0].number, report, e);
	if (result == 0)
		result = snapshot_experiment_fill(s, record, *report, whole, e);
	if (result == 0 && whole)
		result = fill_looks(es, s, rows, looks < count ? looks : count, e);
	if (result == 0 && whole)
		result = fill_counts(es, s, record, e);
	if (result == 0)
		fill_arms(es, s);
	free(rows);
	return result;
}

int experiments_show(struct experiments *es, const char *model, const char *name, struct snapshot_experiment *s,
		     struct err *e)
{
	struct experiment_record record;
	cJSON *report = NULL;
	if (registry_experiment(es->registry, model, name, &record, e) != 0)
		return -1;
	int result = fill(es, &record, SNAPSHOT_LOOKS_MAX, true, s, &report, e);
	cJSON_Delete(report);
	return result;
}

cJSON *experiments_whole(struct experiments *es, const char *model, const char *name, size_t looks, struct err *e)
{
	struct snapshot_experiment s = {0};
	struct experiment_record record;
	cJSON *report = NULL, *json = NULL;
	if (registry_experiment(es->registry, model, name, &record, e) != 0)
		return NULL;
	if (fill(es, &record, looks, true, &s, &report, e) == 0) {
		json = snapshot_experiment_to_json(&s);
		if (json == NULL)
			err_set(e, ERR_MEMORY, "memory is out for an A/B test");
	}
	/* A snapshot has what is shown of a report; here is all of it. */
	if (json != NULL && report != NULL) {
		cJSON_ReplaceItemInObjectCaseSensitive(json, "report", report);
		report = NULL;
	}
	cJSON_Delete(report);
	snapshot_experiment_release(&s);
	return json;
}

/* --- the list --- */

static int compare_records(const void *a, const void *b)
{
	const struct experiment_record *x = a, *y = b;
	bool x_runs = x->run == EXPERIMENT_RUN_RUNNING, y_runs = y->run == EXPERIMENT_RUN_RUNNING;
	if (x_runs != y_runs)
		return x_runs ? -1 : 1;
	return (x->id < y->id) - (x->id > y->id);
}

int experiments_list(struct experiments *es, size_t limit, struct snapshot_experiment **list, size_t *count,
		     struct err *e)
{
	struct experiment_record *records;
	size_t record_count;
	*count = 0;
	*list = NULL;
	if (registry_experiments(es->registry, NULL, limit, &records, &record_count, e) != 0)
		return -1;
	if (record_count > 0) /* else there may be no array at all */
		qsort(records, record_count, sizeof *records, compare_records);
	*list = calloc(record_count + 1, sizeof **list);
	int result = *list != NULL ? 0 : err_set(e, ERR_MEMORY, "memory is out for the A/B tests");
	for (size_t i = 0; result == 0 && i < record_count; i++) {
		cJSON *report = NULL;
		result = fill(es, &records[i], 0, false, &(*list)[(*count)++], &report, e);
		cJSON_Delete(report);
	}
	free(records);
	for (size_t i = 0; result != 0 && i < *count; i++)
		snapshot_experiment_release(&(*list)[i]);
	if (result != 0) {
		free(*list);
		*list = NULL;
		*count = 0;
	}
	return result;
}
