/* experiment_state: as JSON and back, exactly: whole numbers are texts where a double would not hold them. */
#include "core/experiment/experiment_state.h"

#include "core/histogram.h"
#include "core/json.h"

#include <string.h>

static const struct {
	const char *name, *sentence;
} faults[] = {
#define X(name, text, sentence) {text, sentence},
    EXPERIMENT_FAULTS(X)
#undef X
};

const char *experiment_fault_sentence(enum experiment_fault fault)
{
	return faults[fault].sentence;
}

static bool add_latencies(cJSON *json, const uint64_t *counts)
{
	if (counts == NULL)
		return true;
	cJSON *array = cJSON_AddArrayToObject(json, "latencies");
	bool done = array != NULL;
	for (size_t i = 0; done && i < HISTOGRAM_BUCKETS; i++)
		if (counts[i] > 0)
			done = json_append(array, cJSON_CreateDoubleArray((double[]){(double)i, (double)counts[i]}, 2));
	return done;
}

static bool add_arm(cJSON *arms, const struct experiment_state *s, size_t arm)
{
	cJSON *json = cJSON_CreateObject(), *metrics = NULL;
	bool done = json != NULL && json_add_number(json, "exposed", (double)s->exposed[arm]) &&
		    (metrics = cJSON_AddArrayToObject(json, "metrics")) != NULL;
	for (size_t i = 0; done && i < s->metric_count; i++) {
		cJSON *sums = experiment_sums_to_json(&s->sums[arm][i]);
		done = sums != NULL && add_latencies(sums, s->latencies[arm][i]);
		done = json_append(metrics, json_whole(sums, done));
	}
	return json_append(arms, json_whole(json, done));
}

cJSON *experiment_state_to_json(const struct experiment_state *s)
{
	cJSON *json = cJSON_CreateObject(), *list = NULL, *arms = NULL;
	bool done = json != NULL && (list = cJSON_AddArrayToObject(json, "faults")) != NULL &&
		    (arms = cJSON_AddArrayToObject(json, "arms")) != NULL;
	for (size_t i = 0; done && i < EXPERIMENT_FAULT_COUNT; i++)
		if (s->faults & 1u << i)
			done = json_append(list, cJSON_CreateString(faults[i].name));
	for (size_t arm = 0; done && arm < s->arm_count; arm++)
		done = add_arm(arms, s, arm);
	return json_whole(json, done);
}

static int read_faults(const cJSON *json, struct experiment_state *s, struct err *e)
{
	const cJSON *list = json_array(json, "faults", EXPERIMENT_FAULT_COUNT, e), *item;
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		size_t i = 0;
		const char *text = cJSON_IsString(item) ? item->valuestring : "";
		while (i < EXPERIMENT_FAULT_COUNT && strcmp(faults[i].name, text) != 0)
			i++;
		if (i == EXPERIMENT_FAULT_COUNT)
			return err_set(e, ERR_INPUT, "a test has no fault `%.40s`", text);
		s->faults |= 1u << i;
	}
	return 0;
}

static int read_latencies(const cJSON *json, uint64_t *counts, struct err *e)
{
	const cJSON *array, *item;
	if (counts == NULL)
		return 0;
	if ((array = json_array(json, "latencies", HISTOGRAM_BUCKETS, e)) == NULL)
		return -1;
	cJSON_ArrayForEach(item, array)
	{
		int64_t bucket, count;
		if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 ||
		    !json_is_integer(cJSON_GetArrayItem(item, 0), 0, HISTOGRAM_BUCKETS - 1, &bucket) ||
		    !json_is_integer(cJSON_GetArrayItem(item, 1), 0, JSON_INTEGER_MAX, &count))
			return err_set(e, ERR_INPUT, "latencies are pairs of a bucket and a count");
		counts[bucket] = (uint64_t)count;
	}
	return 0;
}

static int read_arm(const cJSON *json, struct experiment_state *s, size_t arm, struct err *e)
{
	int64_t exposed;
	const cJSON *metrics, *item;
	size_t i = 0;
	if (json_integer(json, "exposed", 0, EXPERIMENT_SIZE_MAX, &exposed, e) != 0 ||
	    (metrics = json_array(json, "metrics", s->metric_count, e)) == NULL)
		return -1;
	s->exposed[arm] = (uint64_t)exposed;
	cJSON_ArrayForEach(item, metrics)
	{
		if (experiment_sums_from_json(item, &s->sums[arm][i], e) != 0 ||
		    read_latencies(item, s->latencies[arm][i], e) != 0)
			return -1;
		i++;
	}
	return i == s->metric_count
		   ? 0
		   : err_set(e, ERR_INPUT, "the state has %zu metrics, the plan %zu", i, s->metric_count);
}

static int read_state(const cJSON *json, struct experiment_state *s, struct err *e)
{
	const cJSON *arms, *item;
	size_t arm = 0;
	if (read_faults(json, s, e) != 0 || (arms = json_array(json, "arms", s->arm_count, e)) == NULL)
		return -1;
	cJSON_ArrayForEach(item, arms) if (read_arm(item, s, arm++, e) != 0) return -1;
	return arm == s->arm_count ? 0
				   : err_set(e, ERR_INPUT, "the state has %zu arms, the plan %zu", arm, s->arm_count);
}

struct experiment_state *experiment_state_from_json(const cJSON *json, const struct experiment *x, struct err *e)
{
	struct experiment_state *s = experiment_state_new(x);
	if (s == NULL) {
		err_set(e, ERR_MEMORY, "out of memory for the state of a test");
		return NULL;
	}
	if (read_state(json, s, e) == 0)
		return s;
	experiment_state_free(s);
	return NULL;
}
