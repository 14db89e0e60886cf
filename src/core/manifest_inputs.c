/* manifest: whether two versions take the same. */
#include "core/manifest.h"

#include <stdio.h>
#include <string.h>

static bool same_shape(const struct tensor_spec *a, const struct tensor_spec *b)
{
	return a->dimension_count == b->dimension_count &&
	       memcmp(a->dimensions, b->dimensions, a->dimension_count * sizeof *a->dimensions) == 0;
}

/* FP32 and FP64 are alike to whoever reads numbers. */
static bool same_type(const struct tensor_spec *a, const struct tensor_spec *b, bool numbers)
{
	return strcmp(a->datatype, b->datatype) == 0 ||
	       (numbers && strncmp(a->datatype, "FP", 2) == 0 && strncmp(b->datatype, "FP", 2) == 0);
}

/* What is compared. */
struct comparison {
	const char *what; /* "input", "output" */
	bool numbers;
	char *difference;
};

static bool same_tensor(const struct comparison *c, const struct tensor_spec *a, const struct tensor_spec *b)
{
	char there[TENSOR_SHAPE_SIZE], here[TENSOR_SHAPE_SIZE];

	if (same_type(a, b, c->numbers) && same_shape(a, b))
		return true;
	tensor_shape_text(a->dimensions, a->dimension_count, there);
	tensor_shape_text(b->dimensions, b->dimension_count, here);
	snprintf(c->difference, MANIFEST_DIFFERENCE_SIZE, "%s `%s` is %s %s, not %s %s", c->what, b->name, b->datatype,
		 here, a->datatype, there);
	return false;
}

static bool same_tensors(const struct comparison *c, const struct tensor_spec *a, size_t a_count,
			 const struct tensor_spec *b, size_t b_count)
{
	for (size_t i = 0; i < a_count; i++) {
		size_t at = tensor_specs_find(b, b_count, a[i].name);
		if (at == b_count) {
			snprintf(c->difference, MANIFEST_DIFFERENCE_SIZE, "it has no %s `%s`", c->what, a[i].name);
			return false;
		}
		if (!same_tensor(c, &a[i], &b[at]))
			return false;
	}
	for (size_t i = 0; i < b_count; i++)
		if (tensor_specs_find(a, a_count, b[i].name) == a_count) {
			snprintf(c->difference, MANIFEST_DIFFERENCE_SIZE, "it has the %s `%s` too", c->what, b[i].name);
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
	const struct comparison inputs = {"input", false, difference};
	difference[0] = '\0';
	return (matrices || same_tensors(&inputs, a->inputs, a->input_count, b->inputs, b->input_count)) &&
	       same_features(a, b, difference);
}

bool manifest_same_outputs(const struct manifest *a, const struct manifest *b, bool matrices,
			   char difference[MANIFEST_DIFFERENCE_SIZE])
{
	const struct comparison outputs = {"output", matrices, difference};
	difference[0] = '\0';
	return same_tensors(&outputs, a->outputs, a->output_count, b->outputs, b->output_count);
}
