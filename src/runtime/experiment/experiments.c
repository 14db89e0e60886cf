#include "runtime/experiment/experiments_internal.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A look of its own: when a test grew by this part since the latest one, at most so often; and from time to time, for
 * time alone can end a test. A test of a million units has some 700. */
#define LOOK_GROWTH 0.02
#define LOOK_LEAST_MS 1000
#define LOOK_MOST_MS (10 * 60 * 1000)

#define PRUNE_MS 10000
#define PRUNE_ROWS 20000

/* --- entries --- */

struct experiment_entry *experiment_entry_new(const struct experiment_record *record, struct tap *tap)
{
	struct experiment_entry *entry = calloc(1, sizeof *entry);
	if (entry != NULL)
		entry->pending = calloc(EXPERIMENTS_BATCH, sizeof *entry->pending);
	if (entry == NULL || entry->pending == NULL) {
		free(entry);
		return NULL;
	}
	entry->record = *record;
	entry->tap = tap;
	entry->looked_ms = clock_ms();
	pthread_mutex_init(&entry->busy, NULL);
	return entry;
}

void experiment_entry_free(struct experiment_entry *entry)
{
	if (entry == NULL)
		return;
	tap_release(entry->tap);
	free(entry->pending);
	pthread_mutex_destroy(&entry->busy);
	free(entry);
}

int experiments_add(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	pthread_mutex_lock(&es->lock);
	bool fits = es->entry_count < EXPERIMENTS_OPEN_MAX;
	if (fits)
		es->entries[es->entry_count++] = entry;
	pthread_mutex_unlock(&es->lock);
	return fits ? 0 : err_set(e, ERR_BUSY, "%d A/B tests run or wait for outcomes already", EXPERIMENTS_OPEN_MAX);
}

struct experiment_entry *experiments_get(struct experiments *es, int64_t id)
{
	struct experiment_entry *found = NULL;
	pthread_mutex_lock(&es->lock);
	for (size_t i = 0; found == NULL && i < es->entry_count; i++)
		if (es->entries[i]->record.id == id)
			found = es->entries[i];
	if (found != NULL)
		found->users++;
	pthread_mutex_unlock(&es->lock);
	return found;
}

size_t experiments_of(struct experiments *es, const char *model, struct experiment_entry *found[EXPERIMENTS_OPEN_MAX])
{
	size_t count = 0;
	pthread_mutex_lock(&es->lock);
	for (size_t i = es->entry_count; i-- > 0;) {
		if (strcmp(es->entries[i]->record.plan.model, model) != 0)
			continue;
		es->entries[i]->users++;
		found[count++] = es->entries[i];
	}
	pthread_mutex_unlock(&es->lock);
	return count;
}

void experiments_put(struct experiments *es, struct experiment_entry *entry)
{
	pthread_mutex_lock(&es->lock);
	entry->users--;
	pthread_mutex_unlock(&es->lock);
}

/* --- one test --- */

static int commit(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	struct experiment_counts counts = {0};
	const struct experiment_batch batch = {
	    .now_ms = clock_unix_ms(),
	    .exposures = entry->pending,
	    .exposure_count = entry->pending_count,
	    .lost = entry->lost,
	};
	if (registry_experiment_apply(es->registry, entry->record.id, &batch, &counts, e) != 0)
		return -1;
	entry->pending_count = 0;
	entry->lost = 0;
	entry->grown += counts.requests;
	entry->total += counts.requests;
	return 0;
}

int experiment_entry_take(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	for (;;) {
		if (entry->pending_count == 0 && entry->tap != NULL)
			entry->pending_count = tap_take(entry->tap, entry->pending, EXPERIMENTS_BATCH);
		if (entry->tap != NULL)
			entry->lost += tap_lost(entry->tap);
		if (entry->pending_count == 0 && entry->lost == 0)
			return 0;
		bool is_last = entry->pending_count < EXPERIMENTS_BATCH;
		if (commit(es, entry, e) != 0)
			return -1;
		if (is_last)
			return 0;
	}
}

int experiment_entry_look(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	/* A report is much for a thread's stack. */
	struct experiment_report *report = malloc(sizeof *report);
	if (report == NULL)
		return err_set(e, ERR_MEMORY, "memory is out for a look at %s", entry->record.plan.name);
	int result = registry_experiment_look(es->registry, entry->record.id, clock_unix_ms(), report, e);
	free(report);
	if (result == 0) {
		entry->grown = 0;
		entry->looked_ms = clock_ms();
	}
	return result;
}

int experiment_entry_follow(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	const struct experiment *plan = &entry->record.plan;
	struct experiment_record now;
	if (registry_experiment(es->registry, plan->model, plan->name, &now, e) != 0)
		return -1;
	/* Id and plan are read without the lock. */
	entry->record.run = now.run;
	entry->record.ended_ms = now.ended_ms;
	entry->record.end_revision = now.end_revision;
	memcpy(entry->record.ended_by, now.ended_by, sizeof now.ended_by);
	memcpy(entry->record.note, now.note, sizeof now.note);
	if (now.run != EXPERIMENT_RUN_RUNNING) {
		tap_release(entry->tap);
		entry->tap = NULL;
	}
	return 0;
}

/* --- the thread --- */

/* Whether the model's requests still go to this test's tap: a change of its route ends that. */
static bool is_tapped(struct experiments *es, const struct experiment_entry *entry)
{
	const struct served_model *m = routing_find(router_enter(es->router), entry->record.plan.model, NULL);
	bool tapped = m != NULL && m->tap == entry->tap;
	router_leave(es->router);
	return tapped;
}

static bool is_look_due(const struct experiment_entry *entry)
{
	int64_t since_ms = clock_ms() - entry->looked_ms;
	bool has_grown = entry->grown > 0 && (double)entry->grown >= LOOK_GROWTH * (double)entry->total;
	return (has_grown && since_ms >= LOOK_LEAST_MS) || (entry->tap != NULL && since_ms >= LOOK_MOST_MS);
}

static void tick_entry(struct experiments *es, struct experiment_entry *entry)
{
	struct err e;
	/* Who is at it takes what there is, too. */
	if (pthread_mutex_trylock(&entry->busy) != 0)
		return;
	bool has_ended = entry->tap != NULL && !is_tapped(es, entry);
	if (experiment_entry_take(es, entry, &e) == 0) {
		if (has_ended)
			experiment_entry_follow(es, entry, &e);
		if (has_ended || is_look_due(entry))
			experiment_entry_look(es, entry, &e);
	}
	pthread_mutex_unlock(&entry->busy);
}

static bool is_among(const struct experiment_record *records, size_t count, int64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (records[i].id == id)
			return true;
	return false;
}

/* Forgets tests that take nothing any more, and has the registry remove what counts no more. */
static void prune(struct experiments *es)
{
	struct experiment_record *records;
	size_t count, removed, kept = 0;
	struct err e;
	int64_t now_ms = clock_unix_ms();
	if (registry_experiments_prune(es->registry, now_ms, PRUNE_ROWS, &removed, &e) != 0 ||
	    registry_open_experiments(es->registry, now_ms, &records, &count, &e) != 0)
		return;
	pthread_mutex_lock(&es->lock);
	for (size_t i = 0; i < es->entry_count; i++) {
		struct experiment_entry *entry = es->entries[i];
		/* One that was just added is newer than what was read. */
		bool is_closed =
		    entry->users == 0 && entry->record.ended_ms != 0 && !is_among(records, count, entry->record.id);
		if (is_closed)
			experiment_entry_free(entry);
		else
			es->entries[kept++] = entry;
	}
	es->entry_count = kept;
	pthread_mutex_unlock(&es->lock);
	free(records);
}

static void tick(struct experiments *es)
{
	struct experiment_entry *entries[EXPERIMENTS_OPEN_MAX];
	pthread_mutex_lock(&es->lock);
	size_t count = es->entry_count;
	for (size_t i = 0; i < count; i++) {
		entries[i] = es->entries[i];
		entries[i]->users++;
	}
	pthread_mutex_unlock(&es->lock);
	for (size_t i = 0; i < count; i++) {
		tick_entry(es, entries[i]);
		experiments_put(es, entries[i]);
	}
	if (count > 0 && clock_ms() - es->pruned_ms >= PRUNE_MS) {
		es->pruned_ms = clock_ms();
		prune(es);
	}
}

/* Sleeps; false when it is to stop. */
static bool wait_next(struct experiments *es)
{
	const struct timespec deadline = clock_deadline(clock_ms() + EXPERIMENTS_TAKE_MS);
	pthread_mutex_lock(&es->sleep);
	while (!es->stopping && pthread_cond_timedwait(&es->wake, &es->sleep, &deadline) == 0)
		;
	bool going = !es->stopping;
	pthread_mutex_unlock(&es->sleep);
	return going;
}

static void *work(void *argument)
{
	struct experiments *es = argument;
	while (wait_next(es))
		tick(es);
	tick(es);
	return NULL;
}

/* --- start and end --- */

/* How much it has seen, for the rhythm of looks. */
static int read_total(struct experiments *es, struct experiment_entry *entry, struct err *e)
{
	struct experiment_seen seen;
	if (registry_experiment_seen(es->registry, &entry->record, &seen, e) != 0)
		return -1;
	entry->total = seen.counts.requests + seen.counts.outcomes[EXPERIMENT_RESULT_ACCEPTED];
	experiment_state_free(seen.state);
	return 0;
}

static int go_on(struct experiments *es, const struct experiment_record *record, struct err *e)
{
	bool runs = record->run == EXPERIMENT_RUN_RUNNING;
	struct tap *tap = runs ? tap_new(&record->plan, TAP_RECORDS) : NULL;
	struct experiment_entry *entry = runs && tap == NULL ? NULL : experiment_entry_new(record, tap);
	if (entry == NULL) {
		tap_release(tap);
		return err_set(e, ERR_MEMORY, "memory is out for the A/B test %s", record->plan.name);
	}
	if (read_total(es, entry, e) != 0 || (runs && router_set_tap(es->router, record->plan.model, tap, e) != 0) ||
	    experiments_add(es, entry, e) != 0) {
		experiment_entry_free(entry);
		return -1;
	}
	return 0;
}

static int go_on_all(struct experiments *es, struct err *e)
{
	struct experiment_record *records;
	size_t count;
	if (registry_open_experiments(es->registry, clock_unix_ms(), &records, &count, e) != 0)
		return -1;
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++)
		result = go_on(es, &records[i], e);
	free(records);
	return result;
}

int experiments_new(struct registry *registry, struct router *router, struct experiments **result, struct err *e)
{
	struct experiments *es = calloc(1, sizeof *es);
	if (es == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	*es = (struct experiments){.registry = registry, .router = router};
	pthread_mutex_init(&es->lock, NULL);
	pthread_mutex_init(&es->sleep, NULL);
	clock_cond_init(&es->wake);
	int error = 0;
	if (go_on_all(es, e) != 0 || (error = pthread_create(&es->thread, NULL, work, es)) != 0) {
		if (error != 0)
			err_errno(e, error, "cannot start the thread of the A/B tests");
		experiments_free(es);
		return -1;
	}
	es->is_started = true;
	*result = es;
	return 0;
}

void experiments_stop(struct experiments *es)
{
	if (es == NULL || !es->is_started)
		return;
	pthread_mutex_lock(&es->sleep);
	es->stopping = true;
	pthread_cond_signal(&es->wake);
	pthread_mutex_unlock(&es->sleep);
	pthread_join(es->thread, NULL);
	es->is_started = false;
}

void experiments_free(struct experiments *es)
{
	if (es == NULL)
		return;
	experiments_stop(es);
	for (size_t i = 0; i < es->entry_count; i++)
		experiment_entry_free(es->entries[i]);
	pthread_cond_destroy(&es->wake);
	pthread_mutex_destroy(&es->sleep);
	pthread_mutex_destroy(&es->lock);
	free(es);
}
