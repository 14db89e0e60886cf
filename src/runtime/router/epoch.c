#include "runtime/router/epoch.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A reader's place: 0 outside, else the epoch in which it entered. A cache line each. */
struct place {
	_Alignas(64) _Atomic uint64_t entered;
	atomic_bool taken;
};

static struct place places[EPOCH_THREADS];
static _Atomic uint64_t epoch = 1;
static _Thread_local struct place *mine;
static pthread_key_t thread_end;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void give_back(void *place)
{
	atomic_store(&((struct place *)place)->taken, false);
}

static void make_key(void)
{
	pthread_key_create(&thread_end, give_back);
}

static void take_place(void)
{
	pthread_once(&once, make_key);
	for (size_t i = 0;; i = (i + 1) % EPOCH_THREADS) {
		bool free = false;
		if (atomic_compare_exchange_strong(&places[i].taken, &free, true)) {
			mine = &places[i];
			pthread_setspecific(thread_end, mine);
			return;
		}
		if (i == EPOCH_THREADS - 1)
			sched_yield();
	}
}

void epoch_enter(void)
{
	if (mine == NULL)
		take_place();
	/* Sequentially consistent: the writer sees us inside, or we see its new pointer. */
	atomic_store(&mine->entered, atomic_load_explicit(&epoch, memory_order_relaxed));
	atomic_thread_fence(memory_order_seq_cst);
}

void epoch_leave(void)
{
	atomic_store_explicit(&mine->entered, 0, memory_order_release);
}

void epoch_wait(void)
{
	atomic_thread_fence(memory_order_seq_cst);
	uint64_t now = atomic_fetch_add(&epoch, 1) + 1;
	for (size_t i = 0; i < EPOCH_THREADS; i++) {
		uint64_t entered;
		while ((entered = atomic_load(&places[i].entered)) != 0 && entered < now) {
			const struct timespec pause = {.tv_nsec = 20000};
			nanosleep(&pause, NULL);
		}
	}
}
