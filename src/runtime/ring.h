/*
 * ring: a bounded queue of small items, copied in and out, that never makes anybody wait.
 *
 * Any number of threads may push and pop at once, without locks and without memory from the system: a thread that the
 * system sets aside in the middle of either costs the others at most its one place for that time. What an item points
 * to stays the caller's. A push seen by nobody yet is ordered before whatever its thread does next (sequentially
 * consistent), so that a sleeper can be woken by a flag. Source: Dmitry Vyukov's bounded queue for many producers and
 * consumers: every place carries the turn whose it is.
 */
#ifndef RUNTIME_RING_H
#define RUNTIME_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

#define RING_MIN 2

/* Of so many places, at least RING_MIN, for items of that many bytes. NULL when memory is out. */
struct ring *ring_new(size_t size, size_t item_size);
/* What items point to is not freed. */
void ring_free(struct ring *r);
/* Copies the item; false when there is no room. */
bool ring_push(struct ring *r, const void *item);
/* False when it is empty; then *item is as it was. */
bool ring_pop(struct ring *r, void *item);
/* How many there are, roughly while others push and pop. */
size_t ring_count(struct ring *r);

#endif
