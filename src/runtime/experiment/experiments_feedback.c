/* experiments_feedback: outcomes, into every open test of their model. */
#include "runtime/experiment/experiments_internal.h"

#include "core/clock.h"

#include <stdlib.h>
#include <string.h>

/* The metric of that name, if it waits for outcomes; -1 for none. */
static int metric_of(const struct experiment *plan, const char *name)
{
	for (size_t i = 0; i < plan->metric_count; i++)
		if (strcmp(plan->metrics[i].name, name) == 0)
			return experiment_kind_is_outcome(plan->metrics[i].kind) ? (int)i : -1;
	return -1;
}

static void take_item(const struct experiment *plan, const struct feedback_item *item,
		      struct experiment_outcome *outcome)
{
	struct experiment_hash target;
	*outcome = (struct experiment_outcome){
	    .metric = metric_of(plan, item->metric), .value = item->value, .at_ms = item->at_ms};
	if (item->unit != NULL)
		target = outcome->unit = experiment_hash(plan, EXPERIMENT_HASH_UNIT, item->unit, strlen(item->unit));
	else
		target = outcome->request = experiment_hash(plan, EXPERIMENT_HASH_REQUEST, item->id, strlen(item->id));
	outcome->key =
	    experiment_key(plan, outcome->metric < 0 ? 0 : (size_t)outcome->metric, item->key, target, item->at_ms);
}

/* With `busy`: in one transaction. */
static int apply(struct experiments *es, struct experiment_entry *entry, const struct feedback *list,
		 struct experiment_outcome *outcomes, enum experiment_result *results, struct err *e)
{
	struct experiment_counts counts = {0};
	for (size_t i = 0; i < list->count; i++)
		take_item(&entry->record.plan, &list->items[i], &outcomes[i]);
	/* A unit whose answer is on its way through the tap must be known before its outcome. */
	if (experiment_entry_take(es, entry, e) != 0)
		return -1;
	const struct experiment_batch batch = {
	    .now_ms = clock_unix_ms(), .outcomes = outcomes, .outcome_count = list->count, .results = results};
	if (registry_experiment_apply(es->registry, entry->record.id, &batch, &counts, e) != 0)
		return -1;
	entry->grown += counts.outcomes[EXPERIMENT_RESULT_ACCEPTED];
	entry->total += counts.outcomes[EXPERIMENT_RESULT_ACCEPTED];
	return 0;
}

/* Whether it says more of an outcome that a test knew it. */
static bool is_known(enum experiment_result result)
{
	return result != EXPERIMENT_RESULT_UNKNOWN_UNIT && result != EXPERIMENT_RESULT_UNKNOWN_REQUEST &&
	       result != EXPERIMENT_RESULT_UNKNOWN_METRIC && result != EXPERIMENT_RESULT_BEFORE_START;
}

static void merge(const struct feedback *list, enum experiment_result *results, const enum experiment_result *more)
{
	for (size_t i = 0; i < list->count; i++) {
		bool is_better = more[i] == EXPERIMENT_RESULT_ACCEPTED && results[i] != EXPERIMENT_RESULT_ACCEPTED;
		if (is_better || (is_known(more[i]) && !is_known(results[i])))
			results[i] = more[i];
	}
}

/* Into one test after the other: each keeps its own units, and knows a repetition by its own keys, so that what fails
 * between two of them is sent again whole. */
static int apply_all(struct experiments *es, struct experiment_entry **entries, size_t count,
		     const struct feedback *list, enum experiment_result *results, struct err *e)
{
	struct experiment_outcome *outcomes = calloc(list->count, sizeof *outcomes);
	enum experiment_result *own = calloc(list->count, sizeof *own);
	int result = outcomes == NULL || own == NULL ? err_set(e, ERR_MEMORY, "memory is out for outcomes") : 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		pthread_mutex_lock(&entries[i]->busy);
		result = apply(es, entries[i], list, outcomes, i == 0 ? results : own, e);
		pthread_mutex_unlock(&entries[i]->busy);
		if (result == 0 && i > 0)
			merge(list, results, own);
	}
	free(outcomes);
	free(own);
	return result;
}

int experiments_feedback(struct experiments *es, const char *model, const struct feedback *list,
			 enum experiment_result *results, struct feedback_answer *answer, struct err *e)
{
	struct experiment_entry *entries[EXPERIMENTS_OPEN_MAX];
	size_t count = experiments_of(es, model, entries);
	*answer = (struct feedback_answer){.counts = {0}};
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "%s has no A/B test that takes outcomes", model);
	memcpy(answer->experiment, entries[0]->record.plan.name, sizeof answer->experiment);
	int result = apply_all(es, entries, count, list, results, e);
	for (size_t i = 0; i < count; i++)
		experiments_put(es, entries[i]);
	for (size_t i = 0; result == 0 && i < list->count; i++)
		answer->counts[results[i]]++;
	return result;
}
