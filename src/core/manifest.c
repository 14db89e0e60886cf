#include "core/manifest.h"

#include "core/digest.h"
#include "core/json.h"

#include <stdlib.h>
#include <string.h>

/* Limits of what a stored manifest may announce, before memory is asked for. */
#define FEATURES_MAX 1000000
#define FACTS_MAX 4096

void manifest_init(struct manifest *m)
{
	*m = (struct manifest){0};
}

void manifest_release(struct manifest *m)
{
	free(m->file_name);
	free(m->inputs);
	free(m->outputs);
	for (size_t i = 0; m->feature_names != NULL && i < m->feature_count; i++)
		free(m->feature_names[i]);
	free(m->feature_names);
	for (size_t i = 0; m->facts != NULL && i < m->fact_count; i++) {
		free(m->facts[i].name);
		free(m->facts[i].value);
	}
	free(m->facts);
	manifest_init(m);
}

static bool add_tensors(cJSON *object, const char *name, const struct tensor_spec *tensors, size_t count)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);
	bool done = array != NULL;
	for (size_t i = 0; done && i < count; i++) {
		cJSON *tensor = cJSON_CreateObject();
		cJSON_AddItemToArray(array, tensor);
		done = cJSON_AddStringToObject(tensor, "name", tensors[i].name) != NULL &&
		       cJSON_AddStringToObject(tensor, "datatype", tensors[i].datatype) != NULL;
		cJSON *shape = cJSON_AddArrayToObject(tensor, "shape");
		done = done && shape != NULL;
		for (size_t d = 0; done && d < tensors[i].dimension_count; d++)
			done = cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)tensors[i].dimensions[d]));
	}
	return done;
}

static bool add_features(cJSON *object, const struct manifest *m)
{
	if (m->feature_names == NULL)
		return true;
	cJSON *array = cJSON_AddArrayToObject(object, "feature_names");
	bool done = array != NULL;
	for (size_t i = 0; done && i < m->feature_count; i++)
		done = cJSON_AddItemToArray(array, cJSON_CreateString(m->feature_names[i]));
	return done;
}

static bool add_facts(cJSON *object, const struct manifest *m)
{
	cJSON *array = cJSON_AddArrayToObject(object, "facts");
	bool done = array != NULL;
	for (size_t i = 0; done && i < m->fact_count; i++) {
		cJSON *fact = cJSON_CreateObject();
		cJSON_AddItemToArray(array, fact);
		done = cJSON_AddStringToObject(fact, "name", m->facts[i].name) != NULL &&
		       cJSON_AddStringToObject(fact, "value", m->facts[i].value) != NULL;
	}
	return done;
}

cJSON *manifest_to_json(const struct manifest *m)
{
	cJSON *object = cJSON_CreateObject();
	bool done = object != NULL;
	done = done && cJSON_AddStringToObject(object, "engine", m->engine) != NULL;
	done = done && cJSON_AddStringToObject(object, "format", m->format) != NULL;
	done = done && cJSON_AddStringToObject(object, "sha256", m->sha256) != NULL;
	done = done && cJSON_AddNumberToObject(object, "size_bytes", (double)m->size_bytes) != NULL;
	if (m->file_name != NULL)
		done = done && cJSON_AddStringToObject(object, "file_name", m->file_name) != NULL;
	done = done && add_tensors(object, "inputs", m->inputs, m->input_count);
	done = done && add_tensors(object, "outputs", m->outputs, m->output_count);
	done = done && cJSON_AddNumberToObject(object, "feature_count", (double)m->feature_count) != NULL;
	done = done && add_features(object, m) && add_facts(object, m);
	if (m->features_given)
		done = done && cJSON_AddTrueToObject(object, "features_given") != NULL;
	if (done)
		return object;
	cJSON_Delete(object);
	return NULL;
}

static int read_tensor(const cJSON *json, struct tensor_spec *tensor, struct err *e)
{
	if (json_string(json, "name", tensor->name, sizeof tensor->name, e) != 0 ||
	    json_string(json, "datatype", tensor->datatype, sizeof tensor->datatype, e) != 0)
		return -1;
	const cJSON *shape = json_array(json, "shape", MANIFEST_DIMENSIONS_MAX, e);
	if (shape == NULL)
		return -1;
	const cJSON *item;
	cJSON_ArrayForEach(item, shape)
	{
		if (!json_is_integer(item, -1, INT32_MAX, &tensor->dimensions[tensor->dimension_count]))
			return err_set(e, ERR_INPUT, "field `shape` must hold whole numbers from -1 to %d", INT32_MAX);
		tensor->dimension_count++;
	}
	return 0;
}

static int read_tensors(const cJSON *json, const char *name, struct tensor_spec **tensors, size_t *count, struct err *e)
{
	const cJSON *array = json_array(json, name, MANIFEST_TENSORS_MAX, e);
	if (array == NULL)
		return -1;
	/* One more than there are: an empty list is no failure of memory. */
	*tensors = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof **tensors);
	if (*tensors == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		if (read_tensor(item, &(*tensors)[*count], e) != 0)
			return -1;
		++*count;
	}
	return 0;
}

static int read_features(struct manifest *m, const cJSON *json, struct err *e)
{
	int64_t count;
	if (json_integer(json, "feature_count", 0, FEATURES_MAX, &count, e) != 0)
		return -1;
	m->feature_count = (size_t)count;
	if (json_optional_boolean(json, "features_given", &m->features_given, e) != 0)
		return -1;
	if (!json_has(json, "feature_names"))
		return 0;
	const cJSON *array = json_array(json, "feature_names", FEATURES_MAX, e);
	if (array == NULL)
		return -1;
	if (cJSON_GetArraySize(array) != count)
		return err_set(e, ERR_INPUT, "field `feature_names` must have %lld items, got %d", (long long)count,
			       cJSON_GetArraySize(array));
	m->feature_names = calloc(m->feature_count + 1, sizeof *m->feature_names);
	if (m->feature_names == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	const cJSON *item;
	size_t i = 0;
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `feature_names` must hold strings");
		m->feature_names[i] = strdup(item->valuestring);
		if (m->feature_names[i++] == NULL)
			return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	}
	return 0;
}

static int read_facts(struct manifest *m, const cJSON *json, struct err *e)
{
	const cJSON *array = json_array(json, "facts", FACTS_MAX, e);
	if (array == NULL)
		return -1;
	m->facts = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof *m->facts);
	if (m->facts == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		const char *name = json_text(item, "name", e);
		const char *value = name == NULL ? NULL : json_text(item, "value", e);
		if (value == NULL)
			return -1;
		struct manifest_fact *fact = &m->facts[m->fact_count++];
		fact->name = strdup(name);
		fact->value = strdup(value);
		if (fact->name == NULL || fact->value == NULL)
			return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	}
	return 0;
}

static int read_identity(struct manifest *m, const cJSON *json, struct err *e)
{
	int64_t size_bytes;
	if (json_string(json, "engine", m->engine, sizeof m->engine, e) != 0 ||
	    json_string(json, "format", m->format, sizeof m->format, e) != 0 ||
	    json_string(json, "sha256", m->sha256, sizeof m->sha256, e) != 0 ||
	    json_integer(json, "size_bytes", 0, INT64_C(1) << 53, &size_bytes, e) != 0)
		return -1;
	if (!digest_valid(m->sha256))
		return err_set(e, ERR_INPUT, "field `sha256` must be 64 lower-case hexadecimal digits, got \"%s\"",
			       m->sha256);
	m->size_bytes = (uint64_t)size_bytes;
	if (!json_has(json, "file_name"))
		return 0;
	const char *file_name = json_text(json, "file_name", e);
	if (file_name == NULL)
		return -1;
	m->file_name = strdup(file_name);
	if (m->file_name == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while reading a manifest");
	return 0;
}

int manifest_from_json(struct manifest *m, const cJSON *json, struct err *e)
{
	manifest_init(m);
	if (read_identity(m, json, e) == 0 && read_tensors(json, "inputs", &m->inputs, &m->input_count, e) == 0 &&
	    read_tensors(json, "outputs", &m->outputs, &m->output_count, e) == 0 && read_features(m, json, e) == 0 &&
	    read_facts(m, json, e) == 0)
		return 0;
	manifest_release(m);
	return -1;
}
