/* The description of the prediction API: all that is served and nothing else, whole, with examples that work. */
#include "runtime/protocol/data_plane.h"
#include "runtime/protocol/openapi.h"
#include "runtime/protocol/table.h"
#include "runtime/protocol/v1.h"
#include "runtime/protocol/v2.h"
#include "unit.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>

static char *features[] = {"month", "a\"b", "origin, dest"};
static struct tensor_spec matrix_inputs[] = {{"rows", "FP64", 2, {-1, 3}}};
static struct tensor_spec outputs[] = {{"predict", "FP64", 2, {-1, 1}}};
static const struct manifest matrix = {
    .input_count = 1,
    .inputs = matrix_inputs,
    .output_count = 1,
    .outputs = outputs,
    .feature_count = 3,
    .feature_names = features,
};
static struct tensor_spec named_inputs[] = {
    {"text", "BYTES", 1, {-1}}, {"n", "INT8", 2, {-1, 1}}, {"yes", "BOOL", 1, {-1}}, {"x", "FP32", 2, {-1, 2}}};
static const struct manifest named = {.input_count = 4, .inputs = named_inputs, .output_count = 1, .outputs = outputs};
static struct tensor_spec image_inputs[] = {{"image", "UINT8", 3, {-1, 2, 3}}, {"k", "INT64", 0, {0}}};
static const struct manifest image = {.input_count = 2, .inputs = image_inputs, .output_count = 1, .outputs = outputs};
static const struct manifest *const manifests[] = {&matrix, &named, &image};

static const struct engine tabular = {.tabular = true, .default_outputs = 1}, any = {.name = "any"};

static cJSON *document(const struct openapi_model *model)
{
	size_t count;
	const struct data_route *routes = data_plane_routes(&count);
	struct buf out;

	buf_init(&out);
	openapi_write(&out, routes, count, model);
	assert_false(out.failed);
	cJSON *json = cJSON_ParseWithLength(out.data, out.size);
	if (json == NULL)
		fail_msg("no JSON: %.80s", cJSON_GetErrorPtr());
	buf_release(&out);
	return json;
}

static const cJSON *get(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (item == NULL)
		fail_msg("there is no %s", name);
	return item;
}

/* "/v2/models/{model}/infer" as the routes write it. */
static void pattern_of(const char *path, char *pattern)
{
	bool inside = false;
	for (; *path != '\0'; path++) {
		inside = *path == '{' || (inside && *path != '}');
		if (!inside || *path == '{')
			*pattern++ = *path;
	}
	*pattern = '\0';
}

static const struct data_route *find_route(const char *pattern, const char *method)
{
	size_t count;
	const struct data_route *routes = data_plane_routes(&count);
	for (size_t i = 0; i < count; i++)
		if (strcmp(routes[i].pattern, pattern) == 0 && strcasecmp(routes[i].method, method) == 0)
			return &routes[i];
	return NULL;
}

static void every_route_and_no_other(void **state)
{
	(void)state;
	size_t count, described = 0;
	data_plane_routes(&count);
	cJSON *json = document(NULL);
	const cJSON *path, *operation;

	assert_string_equal(get(json, "openapi")->valuestring, "3.0.3");
	cJSON_ArrayForEach(path, get(json, "paths"))
	{
		char pattern[256];
		pattern_of(path->string, pattern);
		cJSON_ArrayForEach(operation, path)
		{
			const struct data_route *route = find_route(pattern, operation->string);
			if (route == NULL)
				fail_msg("described but not served: %s %s", operation->string, path->string);
			assert_string_equal(get(operation, "summary")->valuestring, route->summary);
			described++;
		}
	}
	assert_int_equal(described, count); /* of a (method, pattern) there is one */
	cJSON_Delete(json);
}

static void every_operation_is_described(void **state)
{
	(void)state;
	size_t count;
	const struct data_route *routes = data_plane_routes(&count);
	for (size_t i = 0; i < count; i++) {
		const struct operation *o = routes[i].operation;
		if (o == NULL || o->tag == NULL || routes[i].summary[0] == '\0')
			fail_msg("%s %s is not described", routes[i].method, routes[i].pattern);
		if (strcmp(routes[i].method, "GET") == 0)
			assert_null(o->request);
		/* Whatever names a model may name one that is not there. */
		bool names_model = strchr(routes[i].pattern, '{') != NULL;
		assert_int_equal(names_model, o->statuses != NULL && strstr(o->statuses, "404") != NULL);
		for (size_t k = 0; k < i; k++)
			assert_false(strcmp(routes[k].pattern, routes[i].pattern) == 0 &&
				     strcmp(routes[k].method, routes[i].method) == 0);
	}
}

/* The value at "#/a/b", or NULL. */
static const cJSON *follow(const cJSON *json, const char *reference)
{
	char copy[256], *rest = copy, *name;
	snprintf(copy, sizeof copy, "%s", reference);
	assert_string_equal(strsep(&rest, "/"), "#");
	while ((name = strsep(&rest, "/")) != NULL)
		json = cJSON_GetObjectItemCaseSensitive(json, name);
	return json;
}

static void check_references(const cJSON *root, const cJSON *item)
{
	const cJSON *child;
	cJSON_ArrayForEach(child, item)
	{
		if (child->string != NULL && strcmp(child->string, "$ref") == 0 &&
		    follow(root, child->valuestring) == NULL)
			fail_msg("nothing at %s", child->valuestring);
		check_references(root, child);
	}
}

static void it_is_whole(void **state)
{
	(void)state;
	cJSON *json = document(NULL), *seen = cJSON_CreateObject();
	const cJSON *path, *operation, *parameter, *response;

	check_references(json, json);
	cJSON_ArrayForEach(path, get(json, "paths")) cJSON_ArrayForEach(operation, path)
	{
		const char *id = get(operation, "operationId")->valuestring;
		size_t braces = 0, in_path = 0;
		if (cJSON_HasObjectItem(seen, id))
			fail_msg("two operations are %s", id);
		cJSON_AddTrueToObject(seen, id);
		for (const char *at = id; *at != '\0'; at++)
			assert_true(isalnum((unsigned char)*at) || *at == '_');
		for (const char *at = path->string; *at != '\0'; at++)
			braces += *at == '{';
		cJSON_ArrayForEach(parameter, get(operation, "parameters"))
		{
			const cJSON *in = cJSON_GetObjectItem(parameter, "in");
			in_path += in != NULL && strcmp(in->valuestring, "path") == 0;
		}
		assert_int_equal(in_path, braces);
		get(get(operation, "responses"), "200");
		cJSON_ArrayForEach(response, get(operation, "responses")) assert_int_equal(strlen(response->string), 3);
	}
	cJSON_Delete(seen);
	cJSON_Delete(json);
}

/* --- examples --- */

static struct arena arena;
static struct inference inference;
static struct err error;

static void begin(const struct manifest *m)
{
	arena_reset(&arena);
	assert_int_equal(inference_begin(&inference, m, &arena, &error), 0);
}

static void try_table(const struct openapi_model *model, enum example example, const cJSON *json, const char *text)
{
	static const struct prediction_kind kind = {.output = 0};
	const struct infer_version version = {model->name,     model->version, &any,
					      model->manifest, model->columns, &kind};
	struct table_request request;
	int result = 0;
	const cJSON *feature;

	assert_int_equal(table_begin(&request, &version, &inference, &error), 0);
	if (example == EXAMPLE_JSON) {
		result = table_read_json(&request, text, strlen(text), &error);
	} else if (example == EXAMPLE_CSV) {
		result = table_read_csv(&request, json->valuestring, strlen(json->valuestring), &error);
	} else {
		cJSON_ArrayForEach(feature, json) if (result == 0) result =
		    table_put(&request, feature->string, feature->valuestring, &error);
		if (result == 0)
			result = table_put_end(&request, &error);
	}
	if (result != 0)
		fail_msg("%s: %s", text, error.text);
}

static void try_example(const struct openapi_model *model, enum example example)
{
	struct v2_request v2;
	struct v1_request v1;
	const struct engine *engine = model->manifest == &matrix ? &tabular : &any;
	const struct v1_model v1_model = {engine, model->columns};
	struct buf out;

	buf_init(&out);
	openapi_write_example(&out, example, model);
	cJSON *json = cJSON_ParseWithLength(out.data, out.size);
	assert_non_null(json);
	begin(model->manifest);
	if (example == EXAMPLE_V2) {
		if (v2_parse(engine, out.data, out.size, out.size, &v2, &inference, &error) != 0)
			fail_msg("%s: %s", out.data, error.text);
	} else if (example == EXAMPLE_V1) {
		if (v1_parse(&v1_model, out.data, out.size, &v1, &inference, &error) != 0)
			fail_msg("%s: %s", out.data, error.text);
	} else {
		try_table(model, example, json, out.data);
	}
	cJSON_Delete(json);
	buf_release(&out);
}

static void examples_work(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
		struct columns *columns = columns_new(manifests[i], "m", NULL);
		const struct openapi_model model = {"m", 7, manifests[i], columns};
		assert_false(openapi_has_example(EXAMPLE_NONE, &model));
		for (enum example example = EXAMPLE_V2; example <= EXAMPLE_JSON; example++) {
			bool has = openapi_has_example(example, &model);
			assert_int_equal(has, columns != NULL || example == EXAMPLE_V2 || example == EXAMPLE_V1);
			if (has)
				try_example(&model, example);
		}
		cJSON_Delete(document(&model));
		columns_free(columns);
	}
	assert_false(openapi_has_example(EXAMPLE_V2, NULL));
}

static int end(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_route_and_no_other),
	    cmocka_unit_test(every_operation_is_described),
	    cmocka_unit_test(it_is_whole),
	    cmocka_unit_test(examples_work),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
