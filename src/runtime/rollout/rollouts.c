#include "runtime/rollout/rollouts_internal.h"

#include "core/clock.h"
#include "core/registry/registry_rollouts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a tick that came late, only so much counts as held: a runtime that stood still held nothing. */
#define HELD_MAX_MS 2000

/* --- the list --- */

static struct rollout_entry *entry_new(const char *model)
{
	struct rollout_entry *entry = calloc(1, sizeof *entry);
	if (entry == NULL)
		return NULL;
	text_clean(entry->model, sizeof entry->model, model);
	pthread_mutex_init(&entry->busy, NULL);
	return entry;
}

static void entry_free(struct rollout_entry *entry)
{
	pthread_mutex_destroy(&entry->busy);
	free(entry->arms);
	free(entry);
}

/* Adds a model's entry (the list is locked); NULL when memory is out. */
static struct rollout_entry *entry_add(struct rollouts *rs, const char *model)
{
	struct rollout_entry **more = realloc(rs->entries, (rs->entry_count + 1) * sizeof(struct rollout_entry *));
	if (more == NULL)
		return NULL;
	rs->entries = more;
	struct rollout_entry *entry = entry_new(model);
	if (entry != NULL)
		rs->entries[rs->entry_count++] = entry;
	return entry;
}

static struct rollout_entry *entry_find(struct rollouts *rs, const char *model)
{
	for (size_t i = 0; i < rs->entry_count; i++)
		if (strcmp(rs->entries[i]->model, model) == 0)
			return rs->entries[i];
	return NULL;
}

struct rollout_entry *rollouts_entry(struct rollouts *rs, const char *model)
{
	pthread_mutex_lock(&rs->lock);
	struct rollout_entry *entry = entry_find(rs, model);
	if (entry == NULL)
		entry = entry_add(rs, model);
	pthread_mutex_unlock(&rs->lock);
	return entry;
}

void rollouts_show(struct rollouts *rs, struct rollout_entry *entry, const struct rollout *r)
{
	pthread_mutex_lock(&rs->lock);
	/* What had ended before the runtime started is not counted: no open one was seen. */
	if (entry->r.id != 0 && !rollout_ended(&entry->r) && rollout_ended(r))
		entry->ended[r->state]++;
	entry->r = *r;
	pthread_mutex_unlock(&rs->lock);
}

bool rollout_entry_open(const struct rollout_entry *entry)
{
	return entry->r.id != 0 && !rollout_ended(&entry->r);
}

bool rollouts_find(struct rollouts *rs, const char *model, struct rollout *rollout)
{
	int64_t since_ms = clock_unix_ms() - ROLLOUTS_SHOWN_MS;
	pthread_mutex_lock(&rs->lock);
	const struct rollout_entry *entry = entry_find(rs, model);
	bool found = entry != NULL && entry->r.id != 0 && (!rollout_ended(&entry->r) || entry->r.ended_ms > since_ms);
	if (found)
		*rollout = entry->r;
	pthread_mutex_unlock(&rs->lock);
	return found;
}

void rollouts_ended(struct rollouts *rs, const char *model, uint64_t counts[ROLLOUT_STATE_COUNT])
{
	pthread_mutex_lock(&rs->lock);
	const struct rollout_entry *entry = entry_find(rs, model);
	for (size_t i = 0; i < ROLLOUT_STATE_COUNT; i++)
		counts[i] = entry != NULL ? entry->ended[i] : 0;
	pthread_mutex_unlock(&rs->lock);
}

/* --- start and end --- */

/* What the registry has of a model's latest rollout, as it is now. */
static int read_latest(struct rollouts *rs, struct rollout_entry *entry, struct err *e)
{
	struct rollout *records;
	size_t count;
	if (registry_rollouts(rs->registry, entry->model, 1, &records, &count, e) != 0)
		return -1;
	if (count > 0)
		rollouts_show(rs, entry, &records[0]);
	/* What was just read need not be written. */
	entry->saved_ms = clock_ms();
	free(records);
	return 0;
}

/* Counts are needed for an open one; that there is no memory for them is tried again. */
static void need_arms(struct rollout_entry *entry)
{
	if (entry->arms == NULL && rollout_entry_open(entry))
		entry->arms = calloc(1, sizeof *entry->arms);
}

int rollouts_new(struct registry *registry, struct router *router, struct alerts *alerts, struct rollouts **result,
		 struct err *e)
{
	struct rollouts *rs = calloc(1, sizeof *rs);
	char(*names)[TEXT_NAME_MAX + 1] = NULL;
	size_t count = 0;
	if (rs == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading the rollouts");
	*rs = (struct rollouts){.registry = registry, .router = router, .alerts = alerts};
	pthread_mutex_init(&rs->lock, NULL);
	int status = registry_models(registry, &names, &count, e);
	for (size_t i = 0; status == 0 && i < count; i++) {
		struct rollout_entry *entry = rollouts_entry(rs, names[i]);
		status = entry == NULL ? err_set(e, ERR_MEMORY, "memory is out while reading the rollouts")
				       : read_latest(rs, entry, e);
	}
	free(names);
	if (status != 0) {
		rollouts_free(rs);
		return -1;
	}
	*result = rs;
	return 0;
}

void rollouts_free(struct rollouts *rs)
{
	if (rs == NULL)
		return;
	for (size_t i = 0; i < rs->entry_count; i++)
		entry_free(rs->entries[i]);
	free(rs->entries);
	pthread_mutex_destroy(&rs->lock);
	free(rs);
}

/* --- ticks --- */

/* What the routing has of a model. */
struct seen {
	char model[TEXT_NAME_MAX + 1];
	uint32_t revision;
	bool promoted; /* the latest change was a promotion */
};

static bool look(struct rollouts *rs, size_t i, struct seen *seen)
{
	const struct routing *routing = router_enter(rs->router);
	bool there = i < routing->model_count;
	if (there) {
		const struct served_model *m = routing->models[i];
		memcpy(seen->model, m->name, sizeof seen->model);
		seen->revision = m->revision;
		seen->promoted = m->history_count > 0 && strcmp(m->history[0].action, "promote") == 0;
	}
	router_leave(rs->router);
	return there;
}

/* The route changed, and not by a step: an operator's rollback ended the rollout, or only shadows changed. */
static void notice(struct rollouts *rs, struct rollout_entry *entry, const struct seen *seen)
{
	struct rollout before = entry->r;
	if (seen->promoted && alerts_resolve(rs->alerts, ROLLOUTS_RULE, seen->model, 0, NULL) != 0)
		return;
	if (rollout_entry_open(entry)) {
		struct rollout *records;
		size_t count;
		if (registry_rollouts(rs->registry, entry->model, 1, &records, &count, NULL) != 0)
			return;
		if (count > 0 && records[0].id == before.id && rollout_ended(&records[0])) {
			rollouts_show(rs, entry, &records[0]);
			rollout_arms_end(rs, &before);
			free(entry->arms);
			entry->arms = NULL;
			entry->breached = false;
		}
		free(records);
	}
	entry->seen_revision = seen->revision;
}

static void count_hold(struct rollout_entry *entry, struct rollout *r, int64_t now_ms)
{
	int64_t passed_ms = entry->ticked_ms == 0 ? 0 : now_ms - entry->ticked_ms;
	entry->ticked_ms = now_ms;
	if (passed_ms > HELD_MAX_MS)
		passed_ms = HELD_MAX_MS;
	if (r->state == ROLLOUT_RUNNING && passed_ms > 0)
		r->held_ms += passed_ms;
}

/* The alert of a rollout that goes back. */
static void make_alert(struct rollout_entry *entry, const struct rollout *r, const struct finding *f)
{
	char text[2 * REASON_SIZE];
	struct alert *alert = &entry->alert;
	*alert = (struct alert){.rule = ROLLOUTS_RULE, .version = r->version, .value = f->value};
	alert->threshold = f->threshold;
	memcpy(alert->model, r->model, sizeof alert->model);
	snprintf(text, sizeof text, "the rollout of v%u of %s went back from %g%%: %s: %s", r->version, r->model,
		 r->steps[r->step].weight_bp / 100.0, f->name, f->text);
	text_clean(alert->text, sizeof alert->text, text);
	entry->alert_due = true;
}

static void fire_due(struct rollouts *rs, struct rollout_entry *entry)
{
	if (entry->alert_due && alerts_fire(rs->alerts, &entry->alert, NULL) == 0)
		entry->alert_due = false;
}

static void find_breach(struct rollout_entry *entry, const struct rollout *r)
{
	char text[REASON_SIZE + FINDING_NAME_SIZE];
	const struct finding *failed = findings_first(r->findings, r->finding_count);
	snprintf(text, sizeof text, "%s: %s", failed->name, failed->text);
	text_clean(entry->breach, sizeof entry->breach, text);
	entry->breached = true;
	entry->retry_ms = 0;
	make_alert(entry, r, failed);
}

/* An analysis failed. What cannot be written (the disk is full) is tried again until it is, and said meanwhile. */
static void go_back(struct rollouts *rs, struct rollout_entry *entry, struct rollout *r, int64_t now_ms)
{
	const struct actor actor = rollout_actor();
	char text[2 * REASON_SIZE + ERR_TEXT_SIZE], reason[REASON_SIZE];
	struct err e = {0};
	if (!entry->breached)
		find_breach(entry, r);
	snprintf(text, sizeof text, "rolled back: %s", entry->breach);
	text_clean(reason, sizeof reason, text);
	/* First: whatever becomes of the route, somebody has to look. */
	fire_due(rs, entry);
	/* A refusal that repeats itself is in the audit once: what is tried again is asked first. */
	bool again = entry->retry_ms != 0;
	if ((!again ||
	     rollout_back(rs, entry, r, ROLLOUT_FAILED, entry->breach, &actor, reason, ROLLOUT_ASKED, &e) == 0) &&
	    rollout_back(rs, entry, r, ROLLOUT_FAILED, entry->breach, &actor, reason, ROLLOUT_PROMPT, &e) == 0)
		return;
	snprintf(text, sizeof text, "cannot go back, which is tried until it works: %s (%s)", e.text, entry->breach);
	text_clean(r->note, sizeof r->note, text);
	if (entry->retry_ms == 0)
		fprintf(stderr, "mldeck: the rollout of v%u of %s %s\n", r->version, r->model, r->note);
	entry->retry_ms = now_ms + ROLLOUTS_RETRY_MS;
	rollouts_show(rs, entry, r);
}

/* A step that is refused (a gate that does not pass) is waited for, with its sentence. */
static void go_on(struct rollouts *rs, struct rollout_entry *entry, struct rollout *r, int64_t now_ms)
{
	const struct actor actor = rollout_actor();
	char reason[REASON_SIZE];
	struct err e = {0};
	uint32_t next = r->step + 1;
	snprintf(reason, sizeof reason, "step %u of %u: %g%% after %" PRId64 " s, all analyses passed", next + 1,
		 r->step_count, r->steps[next].weight_bp / 100.0, r->held_ms / 1000);
	/* Asked first: refusals of a dry run are not for the audit, and this one may be repeated for days. */
	if (rollout_forward(rs, entry, r, &actor, reason, ROLLOUT_ASKED, &e) == 0 &&
	    rollout_forward(rs, entry, r, &actor, reason, ROLLOUT_PROMPT, &e) == 0)
		return;
	text_clean(r->note, sizeof r->note, e.text);
	entry->retry_ms = now_ms + ROLLOUTS_RETRY_MS;
	rollouts_show(rs, entry, r);
}

/* Why a step is held for longer than it should be. */
static void note_wait(struct rollout *r)
{
	const struct finding *waits = findings_first(r->findings, r->finding_count);
	if (r->state != ROLLOUT_RUNNING)
		return;
	if (rollout_left_ms(r) > 0 || waits == NULL)
		r->note[0] = '\0';
	else
		snprintf(r->note, sizeof r->note, "%s waits: %s", waits->name, waits->text);
}

static void save(struct rollouts *rs, struct rollout_entry *entry, int64_t now_ms)
{
	struct err e = {0};
	entry->saved_ms = now_ms;
	/* It has ended, by somebody else's hand: look at it with the next tick. */
	if (registry_update_rollout(rs->registry, &entry->r, NULL, NULL, NULL, &e) != 0 && e.code == ERR_CONFLICT)
		entry->seen_revision = 0;
}

static void tick_open(struct rollouts *rs, struct rollout_entry *entry, int64_t now_ms)
{
	struct rollout r = entry->r;
	need_arms(entry);
	count_hold(entry, &r, now_ms);
	if (entry->breached) {
		if (now_ms >= entry->retry_ms)
			go_back(rs, entry, &r, now_ms);
		return;
	}
	rollout_judge(rs, entry, &r);
	switch (rollout_next(&r)) {
	case ROLLOUT_BREACH:
		go_back(rs, entry, &r, now_ms);
		return;
	case ROLLOUT_ADVANCE:
	case ROLLOUT_FINISH:
		if (now_ms >= entry->retry_ms)
			go_on(rs, entry, &r, now_ms);
		else
			rollouts_show(rs, entry, &r);
		break;
	case ROLLOUT_WAIT:
		note_wait(&r);
		rollouts_show(rs, entry, &r);
		break;
	}
	if (rollout_entry_open(entry) && now_ms - entry->saved_ms >= ROLLOUTS_SAVE_MS)
		save(rs, entry, now_ms);
}

void rollouts_tick(struct rollouts *rs, int64_t now_ms)
{
	struct seen seen;
	for (size_t i = 0; look(rs, i, &seen); i++) {
		struct rollout_entry *entry = rollouts_entry(rs, seen.model);
		/* Who holds it changes the rollout now, which may take as long as a load. */
		if (entry == NULL || pthread_mutex_trylock(&entry->busy) != 0)
			continue;
		if (seen.revision != entry->seen_revision)
			notice(rs, entry, &seen);
		if (rollout_entry_open(entry))
			tick_open(rs, entry, now_ms);
		else
			fire_due(rs, entry);
		pthread_mutex_unlock(&entry->busy);
	}
}

void rollouts_save(struct rollouts *rs)
{
	struct seen seen;
	for (size_t i = 0; look(rs, i, &seen); i++) {
		struct rollout_entry *entry = rollouts_entry(rs, seen.model);
		if (entry == NULL || pthread_mutex_trylock(&entry->busy) != 0)
			continue;
		if (rollout_entry_open(entry))
			save(rs, entry, clock_ms());
		pthread_mutex_unlock(&entry->busy);
	}
}
