/*
 * route: which version of a model gets what share of its requests.
 *
 * A plain value of fixed size; copy it freely, share it when constant. Shares are weights in basis points
 * that sum to 10,000 over the live and canary entries; a bucket in [0, 10000) belongs to exactly one of them.
 * Changing the weights moves as few buckets as can be: a version whose share grows keeps every bucket it had.
 * Which bucket a unit falls into is decided by a salt: the model's name, or that of an A/B test, whose units then stay
 * where they are until one version gets everything.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/err.h"
#include "core/text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define ROUTE_BUCKETS 10000
#define ROUTE_ENTRIES_MAX 16

enum route_role { ROUTE_LIVE, ROUTE_CANARY, ROUTE_SHADOW, ROUTE_ROLE_COUNT };

struct route_entry {
	uint32_t version;
	enum route_role role;
	uint32_t weight_bp; /* of a shadow: the share of requests that is copied to it */
};

struct route {
	char salt[TEXT_NAME_MAX + 1]; /* "": the model's name */
	uint32_t entry_count;         /* 0: nothing is live */
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	uint8_t owner[ROUTE_BUCKETS]; /* index into entries */
};

/* "live", "canary", "shadow". */
const char *route_role_name(enum route_role role);
/* No entry at all. */
void route_init(struct route *r);
/* All requests to one live version. */
void route_single(struct route *r, uint32_t version);
/*
 * The route that follows previous (constant, may be empty) with these weights: the version with the role
 * live in previous stays live if it still has a weight, else the first of the greatest weight becomes it.
 * A weight of 0 drops the version; shadows of previous stay unless they are named: a shadow that is given a
 * share becomes a canary and is a shadow no more. A version that shrinks keeps the first of its buckets.
 * ERR_INPUT when weights do not sum to 10,000, a version occurs twice or there are too many.
 */
int route_split(struct route *r, const struct route *previous, const struct route_entry *weights, size_t count,
		struct err *e);
/* The route with these shadows changed: weights of the share that is copied, 0 ends one; the rest of previous stays.
 * ERR_INPUT for a version that is live or a canary, twice, above 100%, or when nothing is live. */
int route_shadow(struct route *r, const struct route *previous, const struct route_entry *shadows, size_t count,
		 struct err *e);
/* The whole route: roles as given (at most one live; without one route_split()'s rule), everything else ends. Buckets
 * move as little as can be. */
int route_set(struct route *r, const struct route *previous, const struct route_entry *entries, size_t count,
	      struct err *e);
/* An A/B test: by this salt the first buckets are the arms', one after the other with their weights, and the rest are
 * the live version's; weights[0] is the live version's arm, and others may be of the same version. Shadows of previous
 * stay unless they are arms. ERR_INPUT when the first arm is not live, when the weights sum to more than 10,000, for a
 * version twice among the others, and ERR_CONFLICT for a canary that is no arm. */
int route_experiment(struct route *r, const struct route *previous, const char *salt, const struct route_entry *weights,
		     size_t count, struct err *e);
/* The live version, 0 when there is none. */
uint32_t route_live(const struct route *r);
/* The entry that a version has, or NULL. */
const struct route_entry *route_find(const struct route *r, uint32_t version);
/* Whether both send every bucket to the same version, in the same role, by the same salt. */
bool route_same(const struct route *a, const struct route *b);
/* The bucket of a unit: (XXH64(salt, 0x00, unit) x 10000) >> 64. */
uint32_t route_bucket(const char *salt, const void *unit, size_t unit_size);
/* "v2 80% v3 20%" or "v2 100% v8 shadow 25%" for people; shares that do not fit are left out whole. */
void route_text(const struct route *r, char *text, size_t size);
/* {"entries":[{"version","role","weight_bp","ranges":[[from,to],...]}]} and back (checked in full); a range
 * is from <= bucket < to. "salt" is there unless it is the model's name. to_json gives NULL when memory is out. */
cJSON *route_to_json(const struct route *r);
int route_from_json(struct route *r, const cJSON *json, struct err *e);

#endif
