#include "runtime/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Empty at turn T: the push number T may fill it. Filled at T + 1: the pop number T may empty it. */
struct place {
	_Atomic size_t turn;
	unsigned char item[]; /* of the ring's item_size, copied in and out */
};

struct ring {
	_Alignas(64) _Atomic size_t pushed;
	_Alignas(64) _Atomic size_t popped;
	_Alignas(64) size_t size;
	size_t item_size, place_size;
	unsigned char *places;
};

static struct place *place_of(const struct ring *r, size_t number)
{
	return (struct place *)(void *)(r->places + number % r->size * r->place_size);
}

struct ring *ring_new(size_t size, size_t item_size)
{
	size_t step = _Alignof(struct place);
	struct ring *r = aligned_alloc(64, sizeof *r);
	if (r == NULL)
		return NULL;
	r->size = size < RING_MIN ? RING_MIN : size;
	r->item_size = item_size;
	r->place_size = (sizeof(struct place) + item_size + step - 1) / step * step;
	r->places = calloc(r->size, r->place_size);
	if (r->places == NULL) {
		free(r);
		return NULL;
	}
	atomic_init(&r->pushed, 0);
	atomic_init(&r->popped, 0);
	for (size_t i = 0; i < r->size; i++)
		atomic_init(&place_of(r, i)->turn, i);
	return r;
}

void ring_free(struct ring *r)
{
	if (r == NULL)
		return;
	free(r->places);
	free(r);
}

bool ring_push(struct ring *r, const void *item)
{
	size_t at = atomic_load_explicit(&r->pushed, memory_order_relaxed);

	for (;;) {
		struct place *p = place_of(r, at);
		size_t turn = atomic_load_explicit(&p->turn, memory_order_acquire);
		if (turn < at)
			return false;
		if (turn > at) {
			at = atomic_load_explicit(&r->pushed, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&r->pushed, &at, at + 1, memory_order_seq_cst,
								 memory_order_relaxed)) {
			memcpy(p->item, item, r->item_size);
			atomic_store(&p->turn, at + 1);
			return true;
		}
	}
}

bool ring_pop(struct ring *r, void *item)
{
	size_t at = atomic_load_explicit(&r->popped, memory_order_relaxed);

	for (;;) {
		struct place *p = place_of(r, at);
		size_t turn = atomic_load(&p->turn);
		if (turn < at + 1)
			return false;
		if (turn > at + 1) {
			at = atomic_load_explicit(&r->popped, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&r->popped, &at, at + 1, memory_order_relaxed,
								 memory_order_relaxed)) {
			memcpy(item, p->item, r->item_size);
			atomic_store_explicit(&p->turn, at + r->size, memory_order_release);
			return true;
		}
	}
}

size_t ring_count(struct ring *r)
{
	/* Popped first: it never is ahead of what is pushed later. */
	size_t popped = atomic_load(&r->popped);
	return atomic_load(&r->pushed) - popped;
}
