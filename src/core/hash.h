/*
 * hash: XXH64, uniform and independent between salts: which bucket a unit falls into.
 *
 * Pure; any thread. Not here: digests that must withstand an attacker (digest).
 */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 with seed 0 over the salt's bytes, one zero byte, and the unit's bytes. No allocation. */
uint64_t hash_unit(const char *salt, const void *unit, size_t unit_size);

#endif
