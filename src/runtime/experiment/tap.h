/*
 * tap: where the requests of a model are noted for the A/B test that runs on it.
 *
 * A model in a test holds one (served_model.tap). The data plane asks it for the arm of a unit and offers what was
 * answered: no lock, no memory from the system, no wait; a record that finds no room is lost and counted. One thread
 * takes (experiments). It outlives the test until the last request that began under it has ended.
 * Limit: TAP_RECORDS records between two takes. Not here: what becomes of the records (registry_experiments).
 */
#ifndef RUNTIME_EXPERIMENT_TAP_H
#define RUNTIME_EXPERIMENT_TAP_H

#include "core/experiment/experiment_record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAP_RECORDS 32768

struct tap;

/* Held once; NULL when memory is out. */
struct tap *tap_new(const struct experiment *plan, size_t records);
/* Both take NULL. */
void tap_hold(struct tap *t);
void tap_release(struct tap *t);

const struct experiment *tap_plan(const struct tap *t);

/* Begins the record of a request of this unit; false when it is not in the test. */
bool tap_begin(const struct tap *t, const void *unit, size_t size, struct experiment_exposure *exposure);
/* The request's own id, by which outcomes may come. */
void tap_name(const struct tap *t, const char *id, struct experiment_exposure *exposure);
/* The answer was made: what is known of it is in the record. */
void tap_offer(struct tap *t, const struct experiment_exposure *exposure);

/* One thread at a time. At most max records; how many there were. */
size_t tap_take(struct tap *t, struct experiment_exposure *exposures, size_t max);
/* How many were lost since the last call. */
uint64_t tap_lost(struct tap *t);

#endif
