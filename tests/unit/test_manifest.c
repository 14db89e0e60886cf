/* Manifests: what is written is read back, and what is wrong is refused by the name of its field. */
#include "core/manifest.h"
#include "registry_fixture.h"

static char *copy(const char *text)
{
	char *memory = strdup(text);
	assert_non_null(memory);
	return memory;
}

/* A manifest with something in every field. */
static void fill(struct manifest *m)
{
	manifest_init(m);
	strcpy(m->engine, "forest");
	strcpy(m->format, "lightgbm");
	memset(m->sha256, 'a', 64);
	m->size_bytes = UINT64_C(1) << 40;
	m->file_name = copy("v1.txt");
	m->input_count = m->output_count = 1;
	m->inputs = calloc(1, sizeof *m->inputs);
	m->outputs = calloc(1, sizeof *m->outputs);
	*m->inputs = (struct tensor_spec){"rows", "FP64", 2, {-1, 2}};
	*m->outputs = (struct tensor_spec){"probability", "FP64", 1, {-1}};
	m->feature_count = 2;
	m->feature_names = calloc(2, sizeof *m->feature_names);
	m->feature_names[0] = copy("hour");
	m->feature_names[1] = copy("carrier");
	m->fact_count = 1;
	m->facts = calloc(1, sizeof *m->facts);
	m->facts[0] = (struct manifest_fact){copy("objective"), copy("binary")};
}

static void round_trip(void **state)
{
	(void)state;
	struct manifest m, back;
	fill(&m);
	cJSON *json = manifest_to_json(&m);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	free(text);
	assert_int_equal(manifest_from_json(&back, json, NULL), 0);
	cJSON_Delete(json);
	assert_string_equal(back.engine, "forest");
	assert_true(back.size_bytes == m.size_bytes);
	assert_string_equal(back.file_name, "v1.txt");
	assert_memory_equal(back.inputs, m.inputs, sizeof *m.inputs);
	assert_memory_equal(back.outputs, m.outputs, sizeof *m.outputs);
	assert_string_equal(back.feature_names[1], "carrier");
	assert_string_equal(back.facts[0].value, "binary");
	manifest_release(&back);
	manifest_release(&m);
	manifest_release(&m);
}

static void refusals(void **state)
{
	(void)state;
	static const struct {
		const char *field, *value;
	} cases[] = {
	    {"engine", "7"},
	    {"engine", "\"a name that is much too long\""},
	    {"sha256", "\"ABC\""},
	    {"size_bytes", "-1"},
	    {"file_name", "[]"},
	    {"inputs", "{}"},
	    {"inputs", "[7]"},
	    {"outputs", "[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[-2]}]"},
	    {"outputs", "[{\"name\":\"x\",\"datatype\":\"FP64\",\"shape\":[1,1,1,1,1,1,1,1,1]}]"},
	    {"feature_count", "1e9"},
	    {"feature_names", "[\"one\"]"},
	    {"feature_names", "[1,2]"},
	    {"facts", "[{\"name\":\"x\"}]"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct manifest m, back;
		struct err e = {0};
		fill(&m);
		cJSON *json = manifest_to_json(&m);
		assert_true(cJSON_ReplaceItemInObject(json, cases[i].field, cJSON_Parse(cases[i].value)));
		assert_int_equal(manifest_from_json(&back, json, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_non_null(strstr(e.text, "field `"));
		cJSON_Delete(json);
		manifest_release(&m);
	}
}

static void cleaned_when_kept(void **state)
{
	(void)state;
	char directory[256];
	fixture_directory(directory);
	struct registry *r = fixture_open(directory);
	struct manifest m;
	struct deploy_result result;
	fill(&m);
	assert_int_equal(fixture_upload(r, "x", m.sha256, NULL), 0);
	free(m.file_name);
	m.file_name = copy("a\033]0;owned\007");
	assert_int_equal(registry_deploy(r, "m", &m, NULL, NULL, false, "", &operator, & result, NULL), 0);
	struct version_record *versions;
	size_t count;
	assert_int_equal(registry_versions(r, "m", &versions, &count, NULL), 0);
	assert_string_equal(versions[0].manifest.file_name, "a\\x1b]0;owned\\x07");
	version_records_free(versions, count);

	/* Cleaned, this name no longer fits its field: refused, for nobody could read it back. */
	memset(m.inputs[0].name, '\033', TENSOR_NAME_SIZE - 1);
	struct err e = {0};
	assert_int_equal(fixture_upload(r, "y", m.sha256, NULL), 0);
	assert_int_equal(registry_deploy(r, "m", &m, NULL, NULL, false, "", &operator, & result, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	manifest_release(&m);
	registry_close(r);
	fixture_remove(directory);
}

static struct tensor_spec two_inputs[] = {{"a", "FP32", 2, {-1, 3}}, {"b", "BYTES", 1, {-1}}};

static void same_inputs_in_any_order(void **state)
{
	(void)state;
	char difference[MANIFEST_DIFFERENCE_SIZE];
	struct tensor_spec turned[] = {two_inputs[1], two_inputs[0]};
	const struct manifest a = {.input_count = 2, .inputs = two_inputs}, b = {.input_count = 2, .inputs = turned};

	assert_true(manifest_same_inputs(&a, &a, false, difference));
	assert_true(manifest_same_inputs(&a, &b, false, difference));
	assert_string_equal(difference, "");
}

static void tells_the_first_difference(void **state)
{
	(void)state;
	char difference[MANIFEST_DIFFERENCE_SIZE];
	struct tensor_spec other[] = {{"a", "FP64", 2, {-1, 3}}, {"c", "BYTES", 1, {-1}}};
	const struct manifest a = {.input_count = 2, .inputs = two_inputs};
	struct manifest b = {.input_count = 2, .inputs = other};

	assert_false(manifest_same_inputs(&a, &b, false, difference));
	assert_string_equal(difference, "input `a` is FP64 [-1, 3], not FP32 [-1, 3]");
	other[0] = two_inputs[0];
	assert_false(manifest_same_inputs(&a, &b, false, difference));
	assert_string_equal(difference, "it has no input `b`");
	b.input_count = 1;
	assert_false(manifest_same_inputs(&b, &a, false, difference));
	assert_string_equal(difference, "it has the input `b` too");
	other[0].dimensions[1] = 4;
	assert_false(manifest_same_inputs(&a, &b, false, difference));
	assert_string_equal(difference, "input `a` is FP32 [-1, 4], not FP32 [-1, 3]");
}

static void features_count_by_place_and_name(void **state)
{
	(void)state;
	char difference[MANIFEST_DIFFERENCE_SIZE];
	char *names[] = {"hour", "carrier"}, *turned[] = {"hour", "day"};
	struct tensor_spec narrow = {"rows", "FP32", 2, {-1, 2}}, wide = {"x", "FP64", 2, {-1, 2}};
	const struct manifest a = {.input_count = 1, .inputs = &narrow, .feature_count = 2, .feature_names = names};
	struct manifest b = {.input_count = 1, .inputs = &wide, .feature_count = 2, .feature_names = names};

	assert_true(manifest_same_inputs(&a, &b, true, difference));
	assert_false(manifest_same_inputs(&a, &b, false, difference));
	b.feature_names = turned;
	assert_false(manifest_same_inputs(&a, &b, true, difference));
	assert_string_equal(difference, "feature 2 is `day`, not `carrier`");
	b.feature_names = NULL;
	assert_false(manifest_same_inputs(&a, &b, true, difference));
	assert_string_equal(difference, "feature 1 is without a name, not `hour`");
	assert_false(manifest_same_inputs(&b, &a, true, difference));
	assert_string_equal(difference, "feature 1 is `hour`, not without a name");
	assert_true(manifest_same_inputs(&b, &b, true, difference));
	b.feature_count = 3;
	assert_false(manifest_same_inputs(&a, &b, true, difference));
	assert_string_equal(difference, "it takes 3 features, not 2");
}

static void outputs_are_compared_as_inputs_are(void **state)
{
	(void)state;
	char difference[MANIFEST_DIFFERENCE_SIZE];
	struct tensor_spec turned[] = {two_inputs[1], two_inputs[0]};
	const struct manifest a = {.output_count = 2, .outputs = two_inputs};
	struct manifest b = {.output_count = 2, .outputs = turned};

	assert_true(manifest_same_outputs(&a, &b, false, difference));
	turned[1].dimensions[1] = 4;
	assert_false(manifest_same_outputs(&a, &b, false, difference));
	assert_string_equal(difference, "output `a` is FP32 [-1, 4], not FP32 [-1, 3]");
	turned[1] = two_inputs[0];
	snprintf(turned[1].datatype, sizeof turned[1].datatype, "FP64");
	assert_false(manifest_same_outputs(&a, &b, false, difference));
	assert_true(manifest_same_outputs(&a, &b, true, difference));
	turned[0].dimension_count = 0;
	assert_false(manifest_same_outputs(&a, &b, true, difference));
	turned[0] = two_inputs[1];
	b.output_count = 1;
	assert_false(manifest_same_outputs(&a, &b, false, difference));
	assert_string_equal(difference, "it has no output `a`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_inputs_in_any_order),
	    cmocka_unit_test(tells_the_first_difference),
	    cmocka_unit_test(features_count_by_place_and_name),
	    cmocka_unit_test(outputs_are_compared_as_inputs_are),
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(cleaned_when_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
