#include "runtime/experiment/tap.h"

#include "runtime/ring.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct tap {
	struct experiment plan;
	struct ring *ring;
	_Atomic uint64_t lost;
	atomic_uint holds;
};

struct tap *tap_new(const struct experiment *plan, size_t records)
{
	struct tap *t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->plan = *plan;
	t->ring = ring_new(records, sizeof(struct experiment_exposure));
	atomic_init(&t->lost, 0);
	atomic_init(&t->holds, 1);
	if (t->ring == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void tap_hold(struct tap *t)
{
	if (t != NULL)
		atomic_fetch_add(&t->holds, 1);
}

void tap_release(struct tap *t)
{
	if (t == NULL || atomic_fetch_sub(&t->holds, 1) > 1)
		return;
	ring_free(t->ring);
	free(t);
}

const struct experiment *tap_plan(const struct tap *t)
{
	return &t->plan;
}

bool tap_begin(const struct tap *t, const void *unit, size_t size, struct experiment_exposure *exposure)
{
	int arm = experiment_arm_of(&t->plan, unit, size);
	if (arm < 0)
		return false;
	*exposure = (struct experiment_exposure){.arm = (uint32_t)arm, .prediction = NAN, .covariate = NAN};
	exposure->unit = experiment_hash(&t->plan, EXPERIMENT_HASH_UNIT, unit, size);
	return true;
}

void tap_name(const struct tap *t, const char *id, struct experiment_exposure *exposure)
{
	exposure->request = experiment_hash(&t->plan, EXPERIMENT_HASH_REQUEST, id, strlen(id));
}

void tap_offer(struct tap *t, const struct experiment_exposure *exposure)
{
	if (!ring_push(t->ring, exposure))
		atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
}

size_t tap_take(struct tap *t, struct experiment_exposure *exposures, size_t max)
{
	size_t count = 0;
	while (count < max && ring_pop(t->ring, &exposures[count]))
		count++;
	return count;
}

uint64_t tap_lost(struct tap *t)
{
	return atomic_exchange(&t->lost, 0);
}
