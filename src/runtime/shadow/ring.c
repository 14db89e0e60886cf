#include "runtime/shadow/ring.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Empty at turn T: the push number T may fill it. Filled at T + 1: the pop number T may empty it. */
struct place {
	_Atomic size_t turn;
	void *item;
};

struct ring {
	_Alignas(64) _Atomic size_t pushed;
	_Alignas(64) _Atomic size_t popped;
	_Alignas(64) size_t size;
	struct place *places;
};

struct ring *ring_new(size_t size)
{
	struct ring *r = aligned_alloc(64, sizeof *r);
	if (r == NULL)
		return NULL;
	r->size = size < RING_MIN ? RING_MIN : size;
	r->places = calloc(r->size, sizeof *r->places);
	if (r->places == NULL) {
		free(r);
		return NULL;
	}
	atomic_init(&r->pushed, 0);
	atomic_init(&r->popped, 0);
	for (size_t i = 0; i < r->size; i++)
		atomic_init(&r->places[i].turn, i);
	return r;
}

void ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	free(r->places);
	free(r);
}

bool ring_push(struct ring *r, void *item)
{
	size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);

	for (;;) {
		struct place *p = &r->places[at % r->size];
		size_t turn = atomic_load_explicit(&p->turn, memory_order_acquire);
		if (turn < at)
			return false;
		if (turn > at) {
			at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&r->pushed, &at, at + 1, memory_order_seq_cst,
								 memory_order_relaxed)) {
			p->item = item;
			atomic_store(&p->turn, at + 1);
			return true;
		}
	}
}

void *ring_pop(struct ring *r)
{
	size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);

	for (;;) {
		struct place *p = &r->places[at % r->size];
		size_t turn = atomic_load(&p->turn);
		if (turn < at + 1)
			return NULL;
		if (turn > at + 1) {
			at = atomic_load_explicit(&r->popped, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&r->popped, &at, at + 1, memory_order_relaxed,
								 memory_order_relaxed)) {
			void *item = p->item;
			atomic_store_explicit(&p->turn, at + r->size, memory_order_release);
			return item;
		}
	}
}

size_t ring_count(struct ring *r)
{
	/* Popped first: it never is ahead of what is pushed later. */
	size_t popped = atomic_load(&r->popped);
	return atomic_load(&r->pushed) - popped;
}
