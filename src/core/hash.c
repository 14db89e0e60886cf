#include "core/hash.h"

#include <string.h>

/* The state lives on the stack: hashing runs once a request and must not allocate. */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

uint64_t hash_unit(const char *salt, const void *unit, size_t unit_size)
{
	XXH64_state_t state;
	XXH64_reset(&state, 0);
	/* The salt's own NUL is the separator, so that ("ab", "c") and ("a", "bc") differ. */
	XXH64_update(&state, salt, strlen(salt) + 1);
	if (unit_size > 0)
		XXH64_update(&state, unit, unit_size);
	return XXH64_digest(&state);
}
