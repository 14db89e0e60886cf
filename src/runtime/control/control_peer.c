/*
 * control_peer: who is let in on the control socket, and a record of who was not.
 *
 * Anybody can knock as often as they like: the audit, which is kept for ever, must not grow with it.
 */
#include "runtime/control/control_request.h"

#include "core/clock.h"
#include "core/users.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define PEERS_MAX 64 /* that are remembered; of more, whoever knocked longest ago is forgotten */
#define QUIET_MS 60000

struct knock {
	uint32_t uid;
	int64_t recorded_ms; /* monotonic; 0: a free place */
	unsigned since;      /* how often they were refused after that */
};

static struct knock knocks[PEERS_MAX];
static int64_t recorded_ms[PEERS_MAX]; /* the latest records of all, a ring */
static unsigned recorded_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool control_lets_in(const struct server *s, uint32_t uid)
{
	return uid == geteuid() || uid == 0 || (s->has_group && users_in_group(uid, s->control_group));
}

static struct knock *place_of(uint32_t uid)
{
	struct knock *oldest = &knocks[0];
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (knocks[i].recorded_ms != 0 && knocks[i].uid == uid)
			return &knocks[i];
		if (knocks[i].recorded_ms < oldest->recorded_ms)
			oldest = &knocks[i];
	}
	*oldest = (struct knock){.uid = uid};
	return oldest;
}

/* Whether this refusal is to be recorded, and how many were not since the one before. PEERS_MAX a minute of all users
 * together, so that forgetting some does not make room for more. */
static bool is_due(uint32_t uid, unsigned *unrecorded)
{
	int64_t now_ms = clock_ms() + 1;
	pthread_mutex_lock(&lock);
	struct knock *k = place_of(uid);
	int64_t *earlier = &recorded_ms[recorded_count % PEERS_MAX];
	bool due = (k->recorded_ms == 0 || now_ms - k->recorded_ms >= QUIET_MS) &&
		   (*earlier == 0 || now_ms - *earlier >= QUIET_MS);
	*unrecorded = k->since;
	if (due) {
		*earlier = now_ms;
		recorded_count++;
		*k = (struct knock){.uid = uid, .recorded_ms = now_ms};
	} else {
		k->since++;
	}
	pthread_mutex_unlock(&lock);
	return due;
}

int control_check_peer(struct server *s, const struct http_request *request, struct err *e)
{
	struct actor actor;
	char detail[REASON_SIZE];
	unsigned unrecorded;

	if (control_lets_in(s, request->peer_uid))
		return 0;
	control_actor(request, &actor);
	if (s->has_group)
		err_set(e, ERR_DENIED, "%s is neither the owner of this runtime, nor root, nor in the group %s",
			actor.name, s->config.control.group);
	else
		err_set(e, ERR_DENIED, "%s is neither the owner of this runtime nor root", actor.name);
	if (is_due(request->peer_uid, &unrecorded)) {
		snprintf(detail, sizeof detail, "%.180s", e->text);
		if (unrecorded > 0)
			snprintf(detail, sizeof detail, "%.180s (and %u times before)", e->text, unrecorded);
		registry_audit(s->registry, &actor, "connect", "", 0, err_name(ERR_DENIED), "", detail, NULL);
	}
	return -1;
}
