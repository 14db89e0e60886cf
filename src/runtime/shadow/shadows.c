#include "runtime/shadow/shadows.h"

#include "core/clock.h"
#include "runtime/ring.h"
#include "runtime/shadow/shadow_copy.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As a job: a tenth of a data plane thread's share where both want a core. */
#define NICENESS 10
/* A thread without work looks again every millisecond for so long before it sleeps: in steady traffic nobody who makes
 * copies has to wake anybody, which would cost more than the copy. */
#define LOOKS 100
/* Pieces of memory are so many bytes apart, so that one fits requests of about a size. */
#define GRAIN 256
/* Too small or too many spare pieces that one offer gives back to the system. */
#define SPARES_FREED 4

struct shadows {
	struct ring *waiting; /* of struct shadow_copy */
	struct ring *spare;   /* pieces of memory for the next ones */
	size_t bytes_max;
	_Atomic size_t bytes; /* of all pieces */
	int timeout_ms;
	atomic_bool stopping;
	atomic_uint asleep; /* threads that nobody has woken yet */
	sem_t wake;
	atomic_uint running;
	unsigned thread_count;
	pthread_t *threads;
};

/* --- memory --- */

static void piece_free(struct shadows *s, struct shadow_copy *piece)
{
	atomic_fetch_sub(&s->bytes, piece->capacity);
	free(piece);
}

static struct shadow_copy *piece_new(struct shadows *s, size_t size)
{
	size_t capacity = (size + GRAIN - 1) / GRAIN * GRAIN;

	if (capacity > s->bytes_max || atomic_fetch_add(&s->bytes, capacity) > s->bytes_max - capacity) {
		if (capacity <= s->bytes_max)
			atomic_fetch_sub(&s->bytes, capacity);
		return NULL;
	}
	struct shadow_copy *piece = malloc(capacity);
	if (piece == NULL)
		atomic_fetch_sub(&s->bytes, capacity);
	else
		piece->capacity = capacity;
	return piece;
}

/* NULL when it is empty. */
static struct shadow_copy *pop(struct ring *r)
{
	struct shadow_copy *copy;
	return ring_pop(r, &copy) ? copy : NULL;
}

/* A spare piece, or a new one. NULL when there is no room. */
static struct shadow_copy *piece_take(struct shadows *s, size_t size)
{
	struct shadow_copy *piece = pop(s->spare);

	if (piece != NULL && piece->capacity >= size)
		return piece;
	if (piece != NULL)
		piece_free(s, piece);
	piece = piece_new(s, size);
	for (int i = 0; piece == NULL && i < SPARES_FREED; i++) {
		struct shadow_copy *other = pop(s->spare);
		if (other == NULL)
			break;
		piece_free(s, other);
		piece = piece_new(s, size);
	}
	return piece;
}

/* The system's allocator has locks, under which a nice'd thread should not be set aside: so memory goes back to those
 * who make copies. */
static void piece_give(struct shadows *s, struct shadow_copy *piece)
{
	if (!ring_push(s->spare, &piece))
		piece_free(s, piece);
}

static void free_spares(struct shadows *s)
{
	struct shadow_copy *piece;
	while ((piece = pop(s->spare)) != NULL)
		piece_free(s, piece);
}

/* --- the threads --- */

static bool take_sleeper(struct shadows *s)
{
	unsigned count = atomic_load(&s->asleep);
	while (count > 0)
		if (atomic_compare_exchange_weak(&s->asleep, &count, count - 1))
			return true;
	return false;
}

static void wake_one(struct shadows *s)
{
	if (take_sleeper(s))
		sem_post(&s->wake);
}

/* Whether nobody would look at the answer any more. */
static bool is_stale(struct shadows *s, const struct shadow_copy *copy)
{
	return atomic_load(&s->stopping) || comparison_ended(copy->comparison) ||
	       atomic_load_explicit(&copy->version->leaving, memory_order_relaxed) ||
	       clock_ns() - copy->made_ns > (uint64_t)s->timeout_ms * 1000000;
}

static uint64_t rows_of(const struct shadow_copy *copy)
{
	const struct tensor *first = copy->version->manifest.input_count > 0 ? &copy->inputs[0] : NULL;
	return first == NULL || first->rank == 0 ? 1 : (uint64_t)first->shape[0];
}

static void compare(struct shadows *s, const struct shadow_copy *copy, struct arena *arena)
{
	struct telemetry *copies = telemetry_copies(copy->version->telemetry);
	struct shadow_answer answer;
	struct err e;
	uint64_t begun_ns = clock_ns();

	int result = shadow_copy_ask(copy, s->timeout_ms, arena, &answer, &e);
	uint64_t took_ns = clock_ns() - begun_ns;
	if (result != 0) {
		comparison_failed(copy->comparison);
		telemetry_record_error(copies, e.code, took_ns);
		return;
	}
	const struct telemetry_sample sample = {.latency_ns = took_ns, .infer_ns = took_ns, .rows = rows_of(copy)};
	comparison_add(copy->comparison, &copy->live, copy->infer_ns, &answer, took_ns);
	telemetry_record_ok(copies, &sample, answer.values, answer.count);
}

static void finish(struct shadows *s, struct shadow_copy *copy)
{
	served_version_unpin(copy->version);
	comparison_release(copy->comparison);
	piece_give(s, copy);
}

static void handle(struct shadows *s, struct shadow_copy *copy, struct arena *arena)
{
	if (is_stale(s, copy))
		comparison_dropped(copy->comparison);
	else
		compare(s, copy, arena);
	finish(s, copy);
	arena_reset(arena);
}

static void sleep_until_woken(struct shadows *s, struct arena *arena)
{
	/* Nobody is there to be starved. */
	free_spares(s);
	arena_release(arena);
	atomic_fetch_add(&s->asleep, 1);
	if ((ring_count(s->waiting) > 0 || atomic_load(&s->stopping)) && take_sleeper(s))
		return;
	while (sem_wait(&s->wake) != 0)
		; /* a signal */
}

static void *work(void *context)
{
	struct shadows *s = context;
	struct arena arena = {0};
	struct shadow_copy *copy;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
	for (int looks = 0; (copy = pop(s->waiting)) != NULL || !atomic_load(&s->stopping);) {
		if (copy != NULL) {
			looks = 0;
			if (ring_count(s->waiting) > 0)
				wake_one(s);
			handle(s, copy, &arena);
		} else if (looks++ < LOOKS) {
			clock_pause_ms(1);
		} else {
			sleep_until_woken(s, &arena);
			looks = 0;
		}
	}
	arena_release(&arena);
	atomic_fetch_sub(&s->running, 1);
	return NULL;
}

/* --- making and ending --- */

int shadows_new(const struct config_shadows *config, struct shadows **result, struct err *e)
{
	struct shadows *s = calloc(1, sizeof *s);
	if (s == NULL)
		return err_set(e, ERR_MEMORY, "memory is out at start");
	sem_init(&s->wake, 0, 0);
	s->bytes_max = config->bytes_max;
	s->timeout_ms = config->timeout_ms;
	s->waiting = ring_new(config->queue_max, sizeof(struct shadow_copy *));
	s->spare = ring_new(config->queue_max, sizeof(struct shadow_copy *));
	s->threads = calloc(config->threads, sizeof *s->threads);
	while (s->waiting != NULL && s->spare != NULL && s->threads != NULL && s->thread_count < config->threads) {
		atomic_fetch_add(&s->running, 1);
		if (pthread_create(&s->threads[s->thread_count], NULL, work, s) != 0) {
			atomic_fetch_sub(&s->running, 1);
			break;
		}
		s->thread_count++;
	}
	if (s->thread_count == 0) {
		shadows_free(s);
		return err_set(e, ERR_SYSTEM, "no thread for shadows could be started");
	}
	*result = s;
	return 0;
}

bool shadows_stop(struct shadows *s, int timeout_ms)
{
	int64_t until_ms = clock_ms() + timeout_ms;

	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->thread_count; i++)
		wake_one(s);
	while (atomic_load(&s->running) > 0 && clock_ms() < until_ms)
		clock_pause_ms(1);
	return atomic_load(&s->running) == 0;
}

void shadows_free(struct shadows *s)
{
	struct shadow_copy *copy;

	if (s == NULL)
		return;
	atomic_store(&s->stopping, true);
	for (unsigned i = 0; i < s->thread_count; i++)
		wake_one(s);
	for (unsigned i = 0; i < s->thread_count; i++)
		pthread_join(s->threads[i], NULL);
	/* What came between the threads' last look and the last request. */
	while (s->waiting != NULL && (copy = pop(s->waiting)) != NULL) {
		comparison_dropped(copy->comparison);
		finish(s, copy);
	}
	if (s->spare != NULL)
		free_spares(s);
	ring_free(s->waiting);
	ring_free(s->spare);
	sem_destroy(&s->wake);
	free(s->threads);
	free(s);
}

/* --- the live request's side --- */

static bool is_target(const struct served_version *v, struct comparison *c, uint32_t live)
{
	/* For a moment before a change is published, the new comparison is there already. */
	return v != NULL && c != NULL && !comparison_ended(c) && comparison_against(c) == live;
}

bool shadows_aim(const struct served_model *m, uint32_t live, uint32_t draw, struct shadow_targets *targets)
{
	targets->count = 0;
	for (uint32_t i = 0; i < m->route.entry_count; i++) {
		const struct route_entry *entry = &m->route.entries[i];
		if (entry->role != ROUTE_SHADOW || draw >= entry->weight_bp)
			continue;
		struct served_version *v = served_model_find(m, entry->version);
		struct comparison *c = v == NULL ? NULL : telemetry_comparison(v->telemetry);
		if (!is_target(v, c, live))
			continue;
		served_version_pin(v);
		comparison_hold(c);
		targets->targets[targets->count].version = v;
		targets->targets[targets->count++].comparison = c;
	}
	return targets->count > 0;
}

/* The copy, which takes over the target; NULL: it was counted as dropped or failed. */
static struct shadow_copy *make_copy(struct shadows *s, struct served_version *v, struct comparison *c,
				     const struct shadow_offer *offer)
{
	struct shadow_copy *copy = NULL;

	comparison_copied(c);
	if (atomic_load_explicit(&s->stopping, memory_order_relaxed)) {
		comparison_dropped(c);
		return NULL;
	}
	size_t size = v->engine == NULL ? 0 : shadow_copy_size(offer, v);
	if (size == 0) {
		comparison_failed(c);
		return NULL;
	}
	copy = piece_take(s, size);
	if (copy == NULL) {
		comparison_dropped(c);
		return NULL;
	}
	copy->version = v;
	copy->comparison = c;
	shadow_copy_fill(copy, offer, v);
	return copy;
}

void shadows_offer(struct shadows *s, struct shadow_targets *targets, const struct shadow_offer *offer)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct served_version *v = targets->targets[i].version;
		struct comparison *c = targets->targets[i].comparison;
		struct shadow_copy *copy = make_copy(s, v, c, offer);

		if (copy != NULL && ring_push(s->waiting, &copy)) {
			wake_one(s);
		} else if (copy != NULL) {
			comparison_dropped(c);
			finish(s, copy);
		} else {
			served_version_unpin(v);
			comparison_release(c);
		}
	}
	targets->count = 0;
}

void shadows_release(struct shadow_targets *targets)
{
	for (size_t i = 0; i < targets->count; i++) {
		served_version_unpin(targets->targets[i].version);
		comparison_release(targets->targets[i].comparison);
	}
	targets->count = 0;
}

size_t shadows_waiting(struct shadows *s)
{
	return ring_count(s->waiting);
}

size_t shadows_bytes(struct shadows *s)
{
	return atomic_load(&s->bytes);
}
