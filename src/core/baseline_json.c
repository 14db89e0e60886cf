/* Baselines as JSON, and back with every number checked. */
#include "core/baseline.h"
#include "core/json.h"

#include <math.h>

static bool add_counts(cJSON *object, const struct baseline *b)
{
	cJSON *array = cJSON_AddArrayToObject(object, "counts");
	bool done = array != NULL;
	for (uint32_t i = 0; done && i < b->bin_count; i++)
		done = cJSON_AddItemToArray(array, cJSON_CreateNumber((double)b->counts[i]));
	return done;
}

static bool add_numbers(cJSON *object, const char *name, const double *numbers, size_t count)
{
	cJSON *array = cJSON_CreateDoubleArray(numbers, (int)count);
	return cJSON_AddItemToObject(object, name, array);
}

cJSON *baseline_to_json(const struct baseline *b)
{
	cJSON *object = cJSON_CreateObject();
	bool done = object != NULL;
	size_t edge_count = b->bin_count > 0 ? b->bin_count + 1 : 0;
	done = done && cJSON_AddStringToObject(object, "source", b->source) != NULL;
	done = done && cJSON_AddNumberToObject(object, "count", (double)b->count) != NULL;
	done = done && cJSON_AddNumberToObject(object, "nan", (double)b->nan) != NULL;
	done = done && cJSON_AddNumberToObject(object, "minimum", b->minimum) != NULL;
	done = done && cJSON_AddNumberToObject(object, "maximum", b->maximum) != NULL;
	done = done && add_numbers(object, "edges", b->edges, edge_count);
	done = done && add_counts(object, b);
	done = done && add_numbers(object, "quantiles", b->quantiles, BASELINE_QUANTILES);
	if (done)
		return object;
	cJSON_Delete(object);
	return NULL;
}

/* An array of exactly count finite numbers, ascending; strictly so where equal ones make no sense.
 */
static int read_numbers(const cJSON *json, const char *name, double *numbers, size_t count, bool strictly,
			struct err *e)
{
	const cJSON *array = json_array(json, name, count, e);
	if (array == NULL)
		return -1;
	if ((size_t)cJSON_GetArraySize(array) != count)
		return err_set(e, ERR_INPUT, "field `%s` must have %zu items, got %d", name, count,
			       cJSON_GetArraySize(array));
	size_t i = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		double number = item->valuedouble;
		if (!cJSON_IsNumber(item) || !isfinite(number) ||
		    (i > 0 && (number < numbers[i - 1] || (strictly && number == numbers[i - 1]))))
			return err_set(e, ERR_INPUT, "field `%s` must hold ascending finite numbers", name);
		numbers[i++] = number;
	}
	return 0;
}

static int read_counts(struct baseline *b, const cJSON *json, struct err *e)
{
	const cJSON *array = json_array(json, "counts", BASELINE_BINS_MAX, e);
	if (array == NULL)
		return -1;
	const cJSON *item;
	uint64_t sum = 0;
	cJSON_ArrayForEach(item, array)
	{
		int64_t number;
		if (!json_is_integer(item, 0, JSON_INTEGER_MAX, &number))
			return err_set(e, ERR_INPUT, "field `counts` must hold whole numbers from 0");
		sum += (uint64_t)number;
		b->counts[b->bin_count++] = (uint64_t)number;
	}
	if (sum > b->count)
		return err_set(e, ERR_INPUT, "field `counts` adds up to more than field `count`");
	return 0;
}

int baseline_from_json(struct baseline *b, const cJSON *json, struct err *e)
{
	struct baseline result = {0};
	int64_t count, nan;
	if (json_string(json, "source", result.source, sizeof result.source, e) != 0 ||
	    json_integer(json, "count", 0, JSON_INTEGER_MAX, &count, e) != 0 ||
	    json_integer(json, "nan", 0, count, &nan, e) != 0 ||
	    json_number(json, "minimum", &result.minimum, e) != 0 ||
	    json_number(json, "maximum", &result.maximum, e) != 0)
		return -1;
	result.count = (uint64_t)count;
	result.nan = (uint64_t)nan;
	if (read_counts(&result, json, e) != 0)
		return -1;
	size_t edge_count = result.bin_count > 0 ? result.bin_count + 1 : 0;
	if (read_numbers(json, "edges", result.edges, edge_count, true, e) != 0 ||
	    read_numbers(json, "quantiles", result.quantiles, BASELINE_QUANTILES, false, e) != 0)
		return -1;
	*b = result;
	return 0;
}
