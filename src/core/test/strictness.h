/*
 * strictness: whether a test ran at least as strictly as its model's policy has it.
 *
 * Pure; any thread. A report says in `settings`, by the policy's names and in its units, what it ran with: options of a
 * command may loosen it, and a policy may be tightened later. Data are not compared: only what is too much, how
 * hard and how long. Not here: whether it passed, and when (required).
 */
#ifndef CORE_TEST_STRICTNESS_H
#define CORE_TEST_STRICTNESS_H

#include "core/policy.h"

/* False, with the reason in text: "ran with diff_atol 5, the policy has 0.01". A report that has no settings, as what
 * other programs record, or NULL, holds. */
bool strictness_holds(const struct policy *p, const char *kind, const cJSON *report, char *text, size_t size);

#endif
