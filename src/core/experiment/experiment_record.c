#include "core/experiment/experiment_record.h"

#include "core/hash.h"
#include "core/json.h"

#include <string.h>

/* The seed 0 is that of the buckets; of each kind two, for 128 bits. */
#define SEED_KINDS 1
#define SEED_KEYS 256    /* of a client, by metric */
#define SEED_TARGETS 512 /* of no key, by metric */

static const struct {
	const char *name, *sentence;
} results[] = {
#define X(name, text, sentence) {text, sentence},
    EXPERIMENT_RESULTS(X)
#undef X
};

const char *experiment_result_name(enum experiment_result result)
{
	return results[result].name;
}

const char *experiment_result_sentence(enum experiment_result result)
{
	return results[result].sentence;
}

static struct experiment_hash hash(const struct experiment *x, uint64_t seed, const void *bytes, size_t size)
{
	struct experiment_hash h = {hash_seeded(seed, x->salt, bytes, size),
				    hash_seeded(seed + 1, x->salt, bytes, size)};
	h.low |= (uint64_t)experiment_hash_is_none(h);
	return h;
}

struct experiment_hash experiment_hash(const struct experiment *x, enum experiment_hashed what, const void *text,
				       size_t size)
{
	return hash(x, SEED_KINDS + 2 * (uint64_t)what, text, size);
}

bool experiment_hash_is_none(struct experiment_hash h)
{
	return h.high == 0 && h.low == 0;
}

struct experiment_hash experiment_key(const struct experiment *x, size_t metric, const char *key,
				      struct experiment_hash target, int64_t at_ms)
{
	if (key != NULL)
		return hash(x, SEED_KEYS + 2 * metric, key, strlen(key));
	const uint64_t parts[] = {target.high, target.low, (uint64_t)at_ms};
	return hash(x, SEED_TARGETS + 2 * metric, parts, sizeof parts);
}

void experiment_counts_add(struct experiment_counts *into, const struct experiment_counts *from)
{
	into->requests += from->requests;
	into->units += from->units;
	into->lost += from->lost;
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++)
		into->outcomes[i] += from->outcomes[i];
}

cJSON *experiment_counts_to_json(const struct experiment_counts *c)
{
	cJSON *json = cJSON_CreateObject(), *outcomes = NULL;
	bool done = json != NULL && json_add_number(json, "requests", (double)c->requests) &&
		    json_add_number(json, "units", (double)c->units) &&
		    json_add_number(json, "lost", (double)c->lost) &&
		    (outcomes = cJSON_AddObjectToObject(json, "outcomes")) != NULL;
	for (size_t i = 0; done && i < EXPERIMENT_RESULT_COUNT; i++)
		done = json_add_number(outcomes, results[i].name, (double)c->outcomes[i]);
	return json_whole(json, done);
}

static int read_count(const cJSON *json, const char *name, uint64_t *count, struct err *e)
{
	int64_t read;
	if (json_integer(json, name, 0, JSON_INTEGER_MAX, &read, e) != 0)
		return -1;
	*count = (uint64_t)read;
	return 0;
}

int experiment_counts_from_json(const cJSON *json, struct experiment_counts *c, struct err *e)
{
	struct experiment_counts read = {0};
	const cJSON *outcomes = cJSON_GetObjectItemCaseSensitive(json, "outcomes");
	if (read_count(json, "requests", &read.requests, e) != 0 || read_count(json, "units", &read.units, e) != 0 ||
	    read_count(json, "lost", &read.lost, e) != 0)
		return -1;
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++)
		if (read_count(outcomes, results[i].name, &read.outcomes[i], e) != 0)
			return -1;
	*c = read;
	return 0;
}
