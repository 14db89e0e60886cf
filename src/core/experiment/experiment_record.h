/*
 * experiment_record: what reaches a running A/B test: requests that were served, and what became of units.
 *
 * Plain values; any thread. Units, requests and keys are known by a hash of 128 bits that the test's salt keys: none is
 * kept in clear, and of two tests neither can be matched with the other. The hash is no secret: whoever may guess the
 * names can try them.
 * Times are Unix milliseconds. Not here: what a record does to a unit (experiment_unit), where units are kept
 * (registry_experiments).
 */
#ifndef CORE_EXPERIMENT_EXPERIMENT_RECORD_H
#define CORE_EXPERIMENT_EXPERIMENT_RECORD_H

#include "core/experiment/experiment.h"

#define EXPERIMENT_BATCH_MAX 65536 /* exposures, and outcomes, of one batch */
/* Clocks that are kept by NTP differ by less; also how far records of one thread may overtake those of another. */
#define EXPERIMENT_SKEW_MS 5000
/* An outcome may be told so long after its window ended (a file each night, and a weekend); then it and its retries
 * are late, and what was kept to know them again may go. */
#define EXPERIMENT_ARRIVAL_MS (INT64_C(3) * 86400 * 1000)

struct experiment_hash {
	uint64_t high, low; /* both 0: none */
};

/* What is hashed: a unit, a request's id, a key of an outcome. The same text gives another hash for each. */
enum experiment_hashed { EXPERIMENT_HASH_UNIT, EXPERIMENT_HASH_REQUEST, EXPERIMENT_HASH_KEY };
/* Never none. */
struct experiment_hash experiment_hash(const struct experiment *x, enum experiment_hashed what, const void *text,
				       size_t size);
bool experiment_hash_is_none(struct experiment_hash h);
/* The key of an outcome: of the metric and, if the client gave one, its key; else of the unit's or request's hash and
 * at_ms as the client gave it, -1 for none. So without a key and a time a unit has one outcome of a metric. */
struct experiment_hash experiment_key(const struct experiment *x, size_t metric, const char *key,
				      struct experiment_hash target, int64_t at_ms);

/* A request that was served by an arm. */
struct experiment_exposure {
	struct experiment_hash unit;
	struct experiment_hash request; /* none: it had no id */
	uint32_t arm;                   /* experiment_arm_of(), as it was when it was served */
	int64_t at_ms;
	uint64_t latency_ns;
	bool is_error;
	double prediction; /* NaN: none, as of an error, or of several rows */
	double covariate;  /* NaN: none. Only that of a unit's first request counts */
};

/* What became of a unit. */
struct experiment_outcome {
	struct experiment_hash unit;    /* or */
	struct experiment_hash request; /* none when the unit is given; else the unit is not read */
	struct experiment_hash key;     /* experiment_key() */
	int metric;                     /* index in the plan; -1: it has none of that name that takes outcomes */
	double value;
	int64_t at_ms; /* when it happened; -1: not told, it counts as the moment of the batch */
};

/* What became of an outcome. Only ACCEPTED changed anything. */
#define EXPERIMENT_RESULTS(X)                                                                                      \
	/* name, field in JSON, sentence */                                                                        \
	X(ACCEPTED, "accepted", "it was taken in; of several values of a unit the latest counts")                  \
	X(DUPLICATE, "duplicate", "it was told before, by its key")                                                \
	X(CONTRADICTORY, "contradictory", "its key came before with another value, unit or request, which stands") \
	X(UNKNOWN_UNIT, "unknown_unit", "its unit was not served in the test")                                     \
	X(UNKNOWN_REQUEST, "unknown_request", "no request of the test had its id, or its window is long over")     \
	X(AMBIGUOUS, "ambiguous", "requests of several units had its id")                                          \
	X(UNKNOWN_METRIC, "unknown_metric", "the test has no metric of that name that takes outcomes")             \
	X(BEFORE_START, "before_start", "it is from before the start of the test")                                 \
	X(BEFORE_EXPOSURE, "before_exposure", "it is from before its unit was first served")                       \
	X(FUTURE, "future", "it is from the future")                                                               \
	X(LATE, "late", "it is from after its window, or was told too long after it")                              \
	X(NO_PREDICTION, "no_prediction", "its unit or request has no prediction that the loss can be of")         \
	X(BAD_VALUE, "bad_value", "its value is none of the metric: not finite, not 0 or 1, no whole number")

enum experiment_result {
#define X(name, text, sentence) EXPERIMENT_RESULT_##name,
	EXPERIMENT_RESULTS(X)
#undef X
	    EXPERIMENT_RESULT_COUNT
};
const char *experiment_result_name(enum experiment_result result);
const char *experiment_result_sentence(enum experiment_result result);

/* What batches did, in all. Constant size. */
struct experiment_counts {
	uint64_t requests;                          /* exposures that were taken in, of units seen before too */
	uint64_t units;                             /* of them the first of their unit */
	uint64_t lost;                              /* that never arrived */
	uint64_t outcomes[EXPERIMENT_RESULT_COUNT]; /* by what became of them */
};
void experiment_counts_add(struct experiment_counts *into, const struct experiment_counts *from);
/* {"requests","units","lost","outcomes":{"accepted",...}} with every field, and back. */
cJSON *experiment_counts_to_json(const struct experiment_counts *c);
int experiment_counts_from_json(const cJSON *json, struct experiment_counts *c, struct err *e);

#endif
