/* engine_onnx: a manifest from what the file says of itself. */
#include "runtime/engine/engine_onnx.h"

#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file can carry any text: so many facts, each so long, are kept for people. */
#define CUSTOM_FACTS_MAX 64
#define FACTS_MAX (CUSTOM_FACTS_MAX + 8)
#define FACT_NAME_SIZE 128
#define FACT_VALUE_SIZE 512
#define CLASSES_SHOWN_MAX 1000
#define FEATURES_MAX 1000000 /* as a stored manifest may announce */
#define FEATURE_NAMES_KEY "feature_names"

/* --- names of features --- */

static bool name_fits(const char *name)
{
	char clean[TENSOR_NAME_SIZE];
	text_clean(clean, sizeof clean, name);
	return name[0] != '\0' && strcmp(clean, name) == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool names_fit(char **names, size_t count)
{
	char **sorted = malloc(count * sizeof *sorted);
	bool fit = sorted != NULL;

	for (size_t i = 0; fit && i < count; i++)
		fit = name_fits(names[i]);
	if (fit) {
		memcpy(sorted, names, count * sizeof *names);
		qsort(sorted, count, sizeof *sorted, by_text);
		for (size_t i = 1; fit && i < count; i++)
			fit = strcmp(sorted[i - 1], sorted[i]) != 0;
	}
	free(sorted);
	return fit;
}

static size_t split_json(const char *text, char **names, size_t count)
{
	cJSON *array = cJSON_Parse(text), *item;
	size_t used = 0;

	if (cJSON_IsArray(array) && (size_t)cJSON_GetArraySize(array) == count)
		cJSON_ArrayForEach(item, array)
		{
			if (!cJSON_IsString(item) || (names[used] = strdup(item->valuestring)) == NULL)
				break;
			used++;
		}
	cJSON_Delete(array);
	return used;
}

static size_t split_commas(const char *text, char **names, size_t count)
{
	size_t used = 0;

	for (;;) {
		text += strspn(text, " \t\n");
		size_t size = strcspn(text, ",");
		const char *next = text + size;
		while (size > 0 && strchr(" \t\n", text[size - 1]) != NULL)
			size--;
		if (used == count) /* more than there are features */
			return 0;
		names[used] = strndup(text, size);
		if (names[used] == NULL)
			return used;
		used++;
		if (*next == '\0')
			return used;
		text = next + 1;
	}
}

char **onnx_feature_names(const char *text, size_t count)
{
	char **names = count > 0 && count <= FEATURES_MAX ? calloc(count, sizeof *names) : NULL;

	if (names == NULL)
		return NULL;
	text += strspn(text, " \t\n");
	size_t used = *text == '[' ? split_json(text, names, count) : split_commas(text, names, count);
	if (used == count && names_fit(names, count))
		return names;
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return NULL;
}

/* --- facts --- */

static void add_fact(struct manifest *manifest, const char *name, const char *value)
{
	char clean_name[FACT_NAME_SIZE], clean_value[FACT_VALUE_SIZE];
	struct manifest_fact *fact = &manifest->facts[manifest->fact_count];

	if (value == NULL || value[0] == '\0' || manifest->fact_count == FACTS_MAX)
		return;
	text_clean(clean_name, sizeof clean_name, name);
	text_clean(clean_value, sizeof clean_value, value);
	fact->name = strdup(clean_name);
	fact->value = strdup(clean_value);
	/* A fact is for people: without memory for it, there is one less. */
	if (fact->name == NULL || fact->value == NULL) {
		free(fact->name);
		free(fact->value);
		*fact = (struct manifest_fact){0};
		return;
	}
	manifest->fact_count++;
}

static char *custom_value(const struct onnx_model *m, const struct ort_metadata *metadata, const char *key)
{
	char *value = NULL;
	ort_ignore(m->ort, m->ort->ModelMetadataLookupCustomMetadataMap(metadata, m->ort->allocator, key, &value));
	return value;
}

/* NULL is fine. */
static void give_back(const struct onnx_model *m, void *lent)
{
	if (lent != NULL)
		ort_ignore(m->ort, m->ort->AllocatorFree(m->ort->allocator, lent));
}

static void add_custom_facts(const struct onnx_model *m, const struct ort_metadata *metadata, struct manifest *manifest)
{
	char **keys = NULL;
	int64_t count = 0;

	ort_ignore(m->ort, m->ort->ModelMetadataGetCustomMetadataMapKeys(metadata, m->ort->allocator, &keys, &count));
	for (int64_t i = 0; keys != NULL && i < count; i++) {
		bool known = strcmp(keys[i], FEATURE_NAMES_KEY) == 0 && manifest->feature_names != NULL;
		char *value = known || i >= CUSTOM_FACTS_MAX ? NULL : custom_value(m, metadata, keys[i]);
		add_fact(manifest, keys[i], value);
		give_back(m, value);
		give_back(m, keys[i]);
	}
	give_back(m, keys);
}

static void add_class_fact(const struct onnx_model *m, struct manifest *manifest)
{
	for (size_t i = 0; i < m->output_count; i++) {
		const struct onnx_keys *classes = &m->kinds[i].classes;
		if (classes->data == NULL || classes->count > CLASSES_SHOWN_MAX)
			continue;
		char *text = onnx_classes_json(classes);
		/* Cut, it would be a list no more. */
		if (text != NULL && strlen(text) < FACT_VALUE_SIZE)
			add_fact(manifest, "classes", text);
		cJSON_free(text);
		return;
	}
}

static void add_facts(const struct onnx_model *m, const struct ort_metadata *metadata, struct manifest *manifest)
{
	const struct ort *o = m->ort;
	const struct {
		const char *name;
		struct ort_status *(*get)(const struct ort_metadata *, struct ort_allocator *, char **);
	} texts[] = {
	    {"producer", o->ModelMetadataGetProducerName},
	    {"graph", o->ModelMetadataGetGraphName},
	    {"domain", o->ModelMetadataGetDomain},
	    {"description", o->ModelMetadataGetDescription},
	};
	int64_t version = 0;
	char number[32];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *value = NULL;
		ort_ignore(o, texts[i].get(metadata, o->allocator, &value));
		add_fact(manifest, texts[i].name, value);
		give_back(m, value);
	}
	ort_ignore(o, o->ModelMetadataGetVersion(metadata, &version));
	snprintf(number, sizeof number, "%" PRId64, version);
	add_fact(manifest, "version", version == 0 ? NULL : number);
	add_class_fact(m, manifest);
	add_custom_facts(m, metadata, manifest);
}

/* --- the whole --- */

/* Of a single [rows, features] input of numbers. */
static void add_features(const struct onnx_model *m, const struct ort_metadata *metadata, struct manifest *manifest)
{
	const struct tensor_spec *input = &m->inputs[0];

	if (m->input_count != 1 || input->dimension_count != 2 || input->dimensions[0] != -1 ||
	    input->dimensions[1] < 1 || input->dimensions[1] > FEATURES_MAX)
		return;
	manifest->feature_count = (size_t)input->dimensions[1];
	char *text = custom_value(m, metadata, FEATURE_NAMES_KEY);
	if (text != NULL)
		manifest->feature_names = onnx_feature_names(text, manifest->feature_count);
	give_back(m, text);
}

static void *copy_of(const void *data, size_t size)
{
	void *copy = malloc(size);
	if (copy != NULL)
		memcpy(copy, data, size);
	return copy;
}

int onnx_describe(const struct onnx_model *m, struct manifest *manifest, struct err *e)
{
	struct ort_metadata *metadata = NULL;

	snprintf(manifest->engine, sizeof manifest->engine, "onnx");
	snprintf(manifest->format, sizeof manifest->format, "onnx");
	manifest->inputs = copy_of(m->inputs, m->input_count * sizeof *m->inputs);
	manifest->outputs = copy_of(m->outputs, m->output_count * sizeof *m->outputs);
	manifest->facts = calloc(FACTS_MAX, sizeof *manifest->facts);
	if (manifest->inputs == NULL || manifest->outputs == NULL || manifest->facts == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while an ONNX model was loaded");
	manifest->input_count = m->input_count;
	manifest->output_count = m->output_count;
	if (ort_check(m->ort, m->ort->SessionGetModelMetadata(m->session, &metadata), ERR_SYSTEM,
		      "ONNX Runtime does not tell what the model says of itself", e) != 0)
		return -1;
	add_features(m, metadata, manifest);
	add_facts(m, metadata, manifest);
	m->ort->ReleaseModelMetadata(metadata);
	return 0;
}
