#include "core/hash.h"

#include <string.h>

/* The state lives on the stack: hashing runs once a request and must not allocate. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

uint64_t hash_seeded(uint64_t seed, const char *salt, const void *unit, size_t unit_size)
{
	XXH64_state_t state;
	XXH64_reset(&state, seed);
	/* The salt's own NUL is the separator, so that ("ab", "c") and ("a", "bc") differ. */
	if (salt != NULL)
		XXH64_update(&state, salt, strlen(salt) + 1);
	if (unit_size > 0)
		XXH64_update(&state, unit, unit_size);
	return XXH64_digest(&state);
}

uint64_t hash_unit(const char *salt, const void *unit, size_t unit_size)
{
	return hash_seeded(0, salt, unit, unit_size);
}

uint32_t hash_bucket(uint64_t hash, uint32_t buckets)
{
	/* In two halves, for C11 has no 128-bit integer. */
	uint64_t low = (hash & UINT32_MAX) * buckets;
	uint64_t high = (hash >> 32) * buckets;
	return (uint32_t)((high + (low >> 32)) >> 32);
}
