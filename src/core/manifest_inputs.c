/* manifest: whether two versions take the same. */
#include "core/manifest.h"

#include <stdio.h>
#include <string.h>

static bool same_shape(const struct tensor_spec *a, const struct tensor_spec *b)
{
	return a->dimension_count == b->dimension_count &&
	       memcmp(a->dimensions, b->dimensions, a->dimension_count * sizeof *a->dimensions) == 0;
}

static bool same_tensor(const struct tensor_spec *a, const struct tensor_spec *b, char *difference)
{
	char there[TENSOR_SHAPE_SIZE], here[TENSOR_SHAPE_SIZE];

	if (strcmp(a->datatype, b->datatype) == 0 && same_shape(a, b))
		return true;
	tensor_shape_text(a->dimensions, a->dimension_count, there);
	tensor_shape_text(b->dimensions, b->dimension_count, here);
	snprintf(difference, MANIFEST_DIFFERENCE_SIZE, "input `%s` is %s %s, not %s %s", b->name, b->datatype, here,
		 a->datatype, there);
	return false;
}

static bool same_tensors(const struct manifest *a, const struct manifest *b, char *difference)
{
	for (size_t i = 0; i < a->input_count; i++) {
		size_t at = tensor_specs_find(b->inputs, b->input_count, a->inputs[i].name);
		if (at == b->input_count) {
			snprintf(difference, MANIFEST_DIFFERENCE_SIZE, "it has no input `%s`", a->inputs[i].name);
			return false;
		}
		if (!same_tensor(&a->inputs[i], &b->inputs[at], difference))
			return false;
	}
	for (size_t i = 0; i < b->input_count; i++)
		if (tensor_specs_find(a->inputs, a->input_count, b->inputs[i].name) == a->input_count) {
			snprintf(difference, MANIFEST_DIFFERENCE_SIZE, "it has the input `%s` too", b->inputs[i].name);
			return false;
		}
	return true;
}

#define NAME_SIZE 208

/* "`hour`" or "without a name". */
static void feature_text(const struct manifest *m, size_t i, char text[NAME_SIZE])
{
	if (m->feature_names != NULL)
		snprintf(text, NAME_SIZE, "`%.200s`", m->feature_names[i]);
	else
		snprintf(text, NAME_SIZE, "without a name");
}

static bool same_feature(const struct manifest *a, const struct manifest *b, size_t i)
{
	if (a->feature_names == NULL || b->feature_names == NULL)
		return a->feature_names == b->feature_names;
	return strcmp(a->feature_names[i], b->feature_names[i]) == 0;
}

static bool same_features(const struct manifest *a, const struct manifest *b, char *difference)
{
	char there[NAME_SIZE], here[NAME_SIZE];

	if (a->feature_count != b->feature_count) {
		snprintf(difference, MANIFEST_DIFFERENCE_SIZE, "it takes %zu features, not %zu", b->feature_count,
			 a->feature_count);
		return false;
	}
	for (size_t i = 0; i < a->feature_count; i++) {
		if (same_feature(a, b, i))
			continue;
		feature_text(a, i, there);
		feature_text(b, i, here);
		snprintf(difference, MANIFEST_DIFFERENCE_SIZE, "feature %zu is %s, not %s", i + 1, here, there);
		return false;
	}
	return true;
}

bool manifest_same_inputs(const struct manifest *a, const struct manifest *b, bool matrices,
			  char difference[MANIFEST_DIFFERENCE_SIZE])
{
	difference[0] = '\0';
	return (matrices || same_tensors(a, b, difference)) && same_features(a, b, difference);
}
