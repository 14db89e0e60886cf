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

/* The same with any seed; without a salt (NULL) over the unit's bytes alone. */
uint64_t hash_seeded(uint64_t seed, const char *salt, const void *unit, size_t unit_size);

/* (hash x buckets) >> 64: a bucket of 0 .. buckets - 1, each for an equal range of hashes. */
uint32_t hash_bucket(uint64_t hash, uint32_t buckets);

#endif
