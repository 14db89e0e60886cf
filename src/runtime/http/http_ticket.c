/*
 * http_ticket: requests that a handler suspended, until someone resumes them or a drain cuts them
 * off.
 *
 * Two own a ticket: the exchange, and whoever will call http_resume(); the last one to let go frees
 * it. Its state leaves TICKET_WAITING once, and whoever moves it there wakes the connection.
 */
#include "runtime/http/http_internal.h"

#include <microhttpd.h>

#include <assert.h>
#include <semaphore.h>
#include <stdlib.h>

struct http_ticket {
	atomic_int state;
	atomic_uint owners;
	struct exchange *exchange; /* valid for whoever moved the state */
	struct http_response response;
	struct exchange *orphan; /* cut off: its request is used until http_resume() */
	sem_t answered;          /* for a thread a connection, which waits itself */
};

static void let_go(struct http_ticket *t)
{
	if (atomic_fetch_sub(&t->owners, 1) > 1)
		return;
	buf_release(&t->response.body);
	if (t->orphan != NULL)
		exchange_free(t->orphan);
	sem_destroy(&t->answered);
	free(t);
}

static void list_add(struct http_server *s, struct exchange *x)
{
	x->previous = NULL;
	x->next = s->suspended;
	if (x->next != NULL)
		x->next->previous = x;
	s->suspended = x;
}

static void list_remove(struct http_server *s, struct exchange *x)
{
	if (x->next != NULL)
		x->next->previous = x->previous;
	if (x->previous != NULL)
		x->previous->next = x->next;
	else if (s->suspended == x)
		s->suspended = x->next;
	x->previous = x->next = NULL;
}

/* Whether it was this caller who moved a waiting ticket on. */
static bool move_on(struct http_ticket *t, int state)
{
	int waiting = TICKET_WAITING;
	return atomic_compare_exchange_strong(&t->state, &waiting, state);
}

static void wake(struct http_ticket *t, struct exchange *x)
{
	if (http_pool(x->server))
		MHD_resume_connection(x->request.connection);
	else
		sem_post(&t->answered);
}

struct http_ticket *http_suspend(const struct http_request *request)
{
	struct exchange *x = exchange_of(request);
	struct http_server *s = x->server;
	struct http_ticket *t = calloc(1, sizeof *t);

	assert(x->ticket == NULL);
	if (t == NULL) {
		err_set(&x->refused, ERR_MEMORY, "memory is out while a prediction waits; try again");
		return NULL;
	}
	t->owners = 2;
	t->exchange = x;
	sem_init(&t->answered, 0, 0);
	x->ticket = t;
	pthread_mutex_lock(&s->suspended_lock);
	if (s->cutting) {
		t->state = TICKET_CUT;
	} else {
		list_add(s, x);
		atomic_fetch_add(&s->waking, 1);
		if (http_pool(s)) {
			MHD_suspend_connection(request->connection);
			x->suspended = true;
		}
		peer_limit(request->connection, PEER_FOR_EVER);
	}
	pthread_mutex_unlock(&s->suspended_lock);
	return t;
}

void http_resume(struct http_ticket *t, struct http_response *response)
{
	t->response = *response;
	buf_init(&response->body);
	if (move_on(t, TICKET_RESUMED)) {
		struct http_server *s = t->exchange->server;
		wake(t, t->exchange);
		atomic_fetch_sub(&s->waking, 1); /* the server may be gone from here on */
	}
	let_go(t);
}

enum ticket_state ticket_state(const struct exchange *x)
{
	return (enum ticket_state)atomic_load(&x->ticket->state);
}

void ticket_wait(struct exchange *x)
{
	while (ticket_state(x) == TICKET_WAITING)
		sem_wait(&x->ticket->answered);
}

void ticket_take(struct exchange *x, struct http_response *response)
{
	*response = x->ticket->response;
	buf_init(&x->ticket->response.body);
}

bool ticket_end(struct exchange *x)
{
	struct http_server *s = x->server;
	struct http_ticket *t = x->ticket;

	if (t == NULL)
		return false;
	pthread_mutex_lock(&s->suspended_lock);
	list_remove(s, x);
	if (move_on(t, TICKET_CUT))
		atomic_fetch_sub(&s->waking, 1);
	pthread_mutex_unlock(&s->suspended_lock);
	bool cut = ticket_state(x) == TICKET_CUT;
	if (cut)
		t->orphan = x;
	x->ticket = NULL;
	let_go(t);
	return cut;
}

bool ticket_any(struct http_server *s)
{
	bool any = false;

	pthread_mutex_lock(&s->suspended_lock);
	for (struct exchange *x = s->suspended; x != NULL; x = x->next)
		any |= ticket_state(x) == TICKET_WAITING;
	pthread_mutex_unlock(&s->suspended_lock);
	return any;
}

unsigned ticket_cut_all(struct http_server *s)
{
	unsigned count = 0;

	pthread_mutex_lock(&s->suspended_lock);
	s->cutting = true;
	for (struct exchange *x = s->suspended; x != NULL; x = x->next) {
		if (!move_on(x->ticket, TICKET_CUT))
			continue;
		x->cut = true;
		count++;
		atomic_fetch_add(&s->cut_in_flight, 1);
		atomic_fetch_sub(&s->in_flight, 1);
		wake(x->ticket, x);
		atomic_fetch_sub(&s->waking, 1);
	}
	pthread_mutex_unlock(&s->suspended_lock);
	return count;
}
