/* remote_signature: the metadata of a V2 server's model as a manifest, with the quirks that servers
 * have. */
#include "runtime/engine/remote_internal.h"

#include "core/json.h"
#include "core/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACT_SIZE 512
#define FACT_EXTENSIONS "remote_extensions"
/* More columns than this are no classes that anybody counts. */
#define CLASSES_MAX 1000

static int no_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "memory is out while describing a model");
}

/* --- tensors --- */

/* "fp32" is FP32 too. */
static int read_datatype(const cJSON *json, struct tensor_spec *spec, struct err *e)
{
	const char *name = json_find_text(json, "datatype");
	size_t size = strlen(name);

	for (size_t i = 0; i < size && i < sizeof spec->datatype - 1; i++)
		spec->datatype[i] = (char)toupper((unsigned char)name[i]);
	if (size >= sizeof spec->datatype || datatype_find(spec->datatype, size) == DATATYPE_COUNT)
		return err_set(e, ERR_UPSTREAM, "`%.60s` has the datatype `%.20s`, which mldeck does not know",
			       spec->name, name);
	return 0;
}

/* Some servers write 64-bit numbers as strings, and a free dimension as null. */
static bool read_dimension(const cJSON *item, int64_t *dimension)
{
	long long number;
	if (cJSON_IsNull(item)) {
		*dimension = -1;
		return true;
	}
	if (!cJSON_IsString(item))
		return json_is_integer(item, -1, INT32_MAX, dimension);
	if (!text_integer(item->valuestring, -1, INT32_MAX, &number))
		return false;
	*dimension = number;
	return true;
}

static int read_shape(const cJSON *json, struct tensor_spec *spec, struct err *e)
{
	const cJSON *shape = cJSON_GetObjectItemCaseSensitive(json, "shape"), *item;

	if (!cJSON_IsArray(shape) || cJSON_GetArraySize(shape) > MANIFEST_DIMENSIONS_MAX)
		return err_set(e, ERR_UPSTREAM, "`%.60s` has no `shape` of at most %d dimensions", spec->name,
			       MANIFEST_DIMENSIONS_MAX);
	cJSON_ArrayForEach(item, shape)
	{
		if (!read_dimension(item, &spec->dimensions[spec->dimension_count]))
			return err_set(e, ERR_UPSTREAM,
				       "the `shape` of `%.60s` holds something else than whole "
				       "numbers and -1",
				       spec->name);
		spec->dimension_count++;
	}
	return 0;
}

static int read_tensor(const cJSON *json, const char *list, struct tensor_spec *spec, struct err *e)
{
	const char *name = json_find_text(json, "name");

	if (name[0] == '\0' || strlen(name) >= sizeof spec->name)
		return err_set(e, ERR_UPSTREAM, "one of its `%s` has no name of 1 to %zu bytes", list,
			       sizeof spec->name - 1);
	memcpy(spec->name, name, strlen(name) + 1);
	return read_datatype(json, spec, e) != 0 || read_shape(json, spec, e) != 0 ? -1 : 0;
}

/* The list of the operator's signature, else of the server's. */
static int read_tensors(const struct remote *r, const cJSON *model, const char *list, struct tensor_spec **specs,
			size_t *count, struct err *e)
{
	const cJSON *own = r->signature == NULL ? NULL : cJSON_GetObjectItemCaseSensitive(r->signature, list);
	const cJSON *array = own != NULL ? own : cJSON_GetObjectItemCaseSensitive(model, list), *item;
	int size = cJSON_GetArraySize(array);

	if (!cJSON_IsArray(array) || size == 0)
		return err_set(e, ERR_UPSTREAM,
			       "it has no `%s`: name them with --signature FILE, a JSON object "
			       "with `inputs` and "
			       "`outputs` of {name, datatype, shape}",
			       list);
	if (size > MANIFEST_TENSORS_MAX)
		return err_set(e, ERR_UPSTREAM, "it has %d `%s`; at most %d are taken", size, list,
			       MANIFEST_TENSORS_MAX);
	*specs = calloc((size_t)size, sizeof **specs);
	if (*specs == NULL)
		return no_memory(e);
	cJSON_ArrayForEach(item, array)
	{
		struct tensor_spec *spec = &(*specs)[*count];
		if (read_tensor(item, list, spec, e) != 0)
			return -1;
		if (tensor_specs_find(*specs, *count, spec->name) < *count)
			return err_set(e, ERR_UPSTREAM, "two of its `%s` are named `%.60s`", list, spec->name);
		++*count;
	}
	return 0;
}

/* The names of the columns of a single matrix; mldeck, as the server, tells them. */
static int read_features(const cJSON *model, struct manifest *m, struct err *e)
{
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(model, "features"), *item;
	const struct tensor_spec *input = &m->inputs[0];

	if (m->input_count != 1 || input->dimension_count != 2 || input->dimensions[1] < 1)
		return 0;
	m->feature_count = (size_t)input->dimensions[1];
	if (!cJSON_IsArray(names) || cJSON_GetArraySize(names) != input->dimensions[1])
		return 0;
	m->feature_names = calloc(m->feature_count, sizeof *m->feature_names);
	if (m->feature_names == NULL)
		return no_memory(e);
	size_t count = 0;
	cJSON_ArrayForEach(item, names)
	{
		m->feature_names[count] = strdup(cJSON_IsString(item) ? item->valuestring : "");
		if (m->feature_names[count++] == NULL)
			return no_memory(e);
	}
	return 0;
}

/* --- facts --- */

static int add_fact(struct manifest *m, const char *name, const char *value, struct err *e)
{
	char clean[FACT_SIZE];
	struct manifest_fact *fact = &m->facts[m->fact_count];

	if (value[0] == '\0')
		return 0;
	text_clean(clean, sizeof clean, value);
	fact->name = strdup(name);
	fact->value = strdup(clean);
	m->fact_count++;
	return fact->name != NULL && fact->value != NULL ? 0 : no_memory(e);
}

/* "a, b" of a list of strings, cut between them. */
static void join(const cJSON *list, char text[FACT_SIZE])
{
	const cJSON *item;
	size_t used = 0;

	text[0] = '\0';
	cJSON_ArrayForEach(item, list)
	{
		const char *word = cJSON_GetStringValue(item);
		if (word == NULL || used + strlen(word) + 3 > FACT_SIZE)
			continue;
		used += (size_t)snprintf(text + used, FACT_SIZE - used, "%s%s", used > 0 ? ", " : "", word);
	}
}

static int add_facts(const struct remote *r, const cJSON *model, const cJSON *server, struct manifest *m, struct err *e)
{
	char versions[FACT_SIZE], extensions[FACT_SIZE], name[FACT_SIZE];
	const char *version = json_find_text(server, "version");

	join(cJSON_GetObjectItemCaseSensitive(model, "versions"), versions);
	join(cJSON_GetObjectItemCaseSensitive(server, "extensions"), extensions);
	snprintf(name, sizeof name, "%s%s%s", json_find_text(server, "name"), version[0] != '\0' ? " " : "", version);
	m->facts = calloc(6, sizeof *m->facts);
	if (m->facts == NULL)
		return no_memory(e);
	return add_fact(m, "remote_url", r->url, e) != 0 ||
		       add_fact(m, "remote_platform", json_find_text(model, "platform"), e) != 0 ||
		       add_fact(m, "remote_versions", versions, e) != 0 || add_fact(m, "remote_server", name, e) != 0 ||
		       add_fact(m, FACT_EXTENSIONS, extensions, e) != 0 ||
		       add_fact(m, "remote_signature", r->signature != NULL ? "given at deploy" : "", e) != 0
		   ? -1
		   : 0;
}

bool remote_takes_binary(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->fact_count; i++)
		if (strcmp(manifest->facts[i].name, FACT_EXTENSIONS) == 0)
			return strstr(manifest->facts[i].value, "binary_tensor_data") != NULL;
	return false;
}

int remote_describe(const struct remote *r, const cJSON *model, const cJSON *server, struct manifest *manifest,
		    struct err *e)
{
	struct err why;

	snprintf(manifest->engine, sizeof manifest->engine, "remote");
	snprintf(manifest->format, sizeof manifest->format, "v2");
	if (read_tensors(r, model, "inputs", &manifest->inputs, &manifest->input_count, &why) != 0 ||
	    read_tensors(r, model, "outputs", &manifest->outputs, &manifest->output_count, &why) != 0 ||
	    read_features(model, manifest, &why) != 0 || add_facts(r, model, server, manifest, &why) != 0)
		return err_set(e, why.code, "%s: %.300s", r->url, why.text);
	return 0;
}

/* The first output of numbers: its only column, or of a few the class of the greatest. */
void remote_kind(const struct manifest *m, struct prediction_kind *kind)
{
	*kind = (struct prediction_kind){.output = PREDICTION_NONE};
	for (size_t i = 0; i < m->output_count; i++) {
		const struct tensor_spec *spec = &m->outputs[i];
		int64_t columns = spec->dimension_count == 2 ? spec->dimensions[1] : 1;
		if (strcmp(spec->datatype, "BYTES") == 0)
			continue;
		kind->output = i;
		if (columns > 1 && columns <= CLASSES_MAX) {
			kind->column = PREDICTION_ARGMAX;
			kind->class_count = (size_t)columns;
		}
		return;
	}
}
