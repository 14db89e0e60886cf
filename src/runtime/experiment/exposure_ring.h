/*
 * exposure_ring: what was served to whom, on its way from the data plane to the disk.
 *
 * A bounded queue of small records that never makes a data plane thread wait: any number of threads offer, without
 * locks and without memory from the system; one thread takes. A record that finds no room is lost and counted by the
 * caller. The bound is in records, fixed when it is made.
 * Source: Dmitry Vyukov's bounded queue for many producers: every place carries the turn whose it is.
 */
#ifndef RUNTIME_EXPERIMENT_EXPOSURE_RING_H
#define RUNTIME_EXPERIMENT_EXPOSURE_RING_H

#include "core/experiment/experiment_record.h"

#include <stdbool.h>
#include <stddef.h>

struct exposure_ring;

/* Of so many places, at least 2. NULL when memory is out. */
struct exposure_ring *exposure_ring_new(size_t size);
void exposure_ring_free(struct exposure_ring *r);
/* Copies it; false when there is no room. */
bool exposure_ring_push(struct exposure_ring *r, const struct experiment_exposure *exposure);
/* One thread at a time. False when it is empty. */
bool exposure_ring_pop(struct exposure_ring *r, struct experiment_exposure *exposure);

#endif
