#include "runtime/alerts.h"

#include "core/registry/registry_alerts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ALERTS_KEPT 1000 /* in memory: open ones come first, and one a rule, model and version can be open */

struct alerts {
	struct registry *registry;
	pthread_mutex_t change; /* held over a change and the reading after it; taken before `lock` */
	pthread_mutex_t lock;   /* of what follows, for no longer than a copy takes */
	size_t count;
	struct alert *list;
};

/* What the database has, into memory (`change` is held). */
static int reload(struct alerts *a, struct err *e)
{
	struct alert *list, *old;
	size_t count;
	if (registry_alerts(a->registry, ALERTS_KEPT, &list, &count, e) != 0)
		return -1;
	pthread_mutex_lock(&a->lock);
	old = a->list;
	a->list = list;
	a->count = count;
	pthread_mutex_unlock(&a->lock);
	free(old);
	return 0;
}

int alerts_new(struct registry *registry, struct alerts **result, struct err *e)
{
	struct alerts *a = calloc(1, sizeof *a);
	if (a == NULL)
		return err_set(e, ERR_MEMORY, "memory is out while reading the alerts");
	a->registry = registry;
	pthread_mutex_init(&a->change, NULL);
	pthread_mutex_init(&a->lock, NULL);
	if (reload(a, e) != 0) {
		alerts_free(a);
		return -1;
	}
	*result = a;
	return 0;
}

void alerts_free(struct alerts *a)
{
	if (a == NULL)
		return;
	pthread_mutex_destroy(&a->change);
	pthread_mutex_destroy(&a->lock);
	free(a->list);
	free(a);
}

int alerts_fire(struct alerts *a, struct alert *alert, struct err *e)
{
	pthread_mutex_lock(&a->change);
	int result = registry_fire_alert(a->registry, alert, e);
	/* It is written: that it could not be read again does not undo it, and the next change reads it. */
	if (result == 0)
		reload(a, NULL);
	pthread_mutex_unlock(&a->change);
	return result;
}

int alerts_acknowledge(struct alerts *a, int64_t id, const char *note, const struct actor *actor, struct alert *before,
		       struct alert *result, struct err *e)
{
	pthread_mutex_lock(&a->change);
	int done = registry_acknowledge_alert(a->registry, id, note, actor, before, result, e);
	if (done == 0)
		reload(a, NULL);
	pthread_mutex_unlock(&a->change);
	return done;
}

static bool has_open(struct alerts *a, const char *rule, const char *model, uint32_t version)
{
	bool found = false;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->count; i++) {
		const struct alert *alert = &a->list[i];
		found |= alert->state != ALERT_RESOLVED && strcmp(alert->rule, rule) == 0 &&
			 strcmp(alert->model, model) == 0 && (version == 0 || alert->version == version);
	}
	pthread_mutex_unlock(&a->lock);
	return found;
}

int alerts_resolve(struct alerts *a, const char *rule, const char *model, uint32_t version, struct err *e)
{
	int result = 0;
	pthread_mutex_lock(&a->change);
	if (has_open(a, rule, model, version)) {
		result = registry_resolve_alerts(a->registry, rule, model, version, e);
		if (result == 0)
			reload(a, NULL);
	}
	pthread_mutex_unlock(&a->change);
	return result;
}

size_t alerts_list(struct alerts *a, struct alert *list, size_t max)
{
	pthread_mutex_lock(&a->lock);
	size_t count = a->count < max ? a->count : max;
	if (count > 0)
		memcpy(list, a->list, count * sizeof *list);
	pthread_mutex_unlock(&a->lock);
	return count;
}

size_t alerts_count(struct alerts *a, enum alert_state state, const char *model)
{
	size_t count = 0;
	pthread_mutex_lock(&a->lock);
	for (size_t i = 0; i < a->count; i++)
		count += a->list[i].state == state && (model == NULL || strcmp(a->list[i].model, model) == 0);
	pthread_mutex_unlock(&a->lock);
	return count;
}
