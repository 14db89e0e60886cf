#include "runtime/experiment/exposure_ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SIZE_LEAST 2

/* Empty at turn T: the push number T may fill it. Filled at T + 1: the pop number T may empty it. */
struct place {
	_Atomic size_t turn;
	struct experiment_exposure exposure;
};

struct exposure_ring {
	_Alignas(64) _Atomic size_t pushed;
	_Alignas(64) size_t popped; /* of the one thread that takes */
	_Alignas(64) size_t size;
	struct place *places;
};

struct exposure_ring *exposure_ring_new(size_t size)
{
	struct exposure_ring *r = aligned_alloc(64, sizeof *r);
	if (r == NULL)
		return NULL;
	r->size = size < SIZE_LEAST ? SIZE_LEAST : size;
	r->places = calloc(r->size, sizeof *r->places);
	if (r->places == NULL) {
		free(r);
		return NULL;
	}
	atomic_init(&r->pushed, 0);
	r->popped = 0;
	for (size_t i = 0; i < r->size; i++)
		atomic_init(&r->places[i].turn, i);
	return r;
}

void exposure_ring_free(struct exposure_ring *r)
{
	if (r == NULL)
		return;
	free(r->places);
	free(r);
}

bool exposure_ring_push(struct exposure_ring *r, const struct experiment_exposure *exposure)
{
	size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);

	for (;;) {
		struct place *p = &r->places[at % r->size];
		size_t turn = atomic_load_explicit(&p->turn, memory_order_acquire);
		if (turn < at)
			return false;
		if (turn > at) {
			at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&r->pushed, &at, at + 1, memory_order_relaxed,
								 memory_order_relaxed)) {
			p->exposure = *exposure;
			atomic_store_explicit(&p->turn, at + 1, memory_order_release);
			return true;
		}
	}
}

bool exposure_ring_pop(struct exposure_ring *r, struct experiment_exposure *exposure)
{
	struct place *p = &r->places[r->popped % r->size];

	if (atomic_load_explicit(&p->turn, memory_order_acquire) != r->popped + 1)
		return false;
	*exposure = p->exposure;
	atomic_store_explicit(&p->turn, r->popped + r->size, memory_order_release);
	r->popped++;
	return true;
}
