#include "runtime/protocol/openapi.h"

#include "core/json_write.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 64
/* What any path may refuse: a wrong request, method, size, coding or expectation; memory, a drain.
 */
#define STATUSES_ANY "400 405 413 415 417 503"

extern const char openapi_components[];

static void write_text(struct buf *out, const char *text)
{
	json_write_string(out, text, strlen(text));
}

/* The next word of a list with blanks between; false at its end. */
static bool next_word(const char **list, char word[NAME_SIZE])
{
	if (*list == NULL)
		return false;
	*list += strspn(*list, " ");
	size_t size = strcspn(*list, " ");
	snprintf(word, NAME_SIZE, "%.*s", (int)size, *list);
	*list += size;
	return size > 0;
}

/* What a {} is called: by the segment before it. */
static const char *segment_name(const char *pattern, const char *place)
{
	static const char *const names[][2] = {{"/versions/", "version"}, {"/labels/", "label"}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t size = strlen(names[i][0]);
		if ((size_t)(place - pattern) >= size && memcmp(place - size, names[i][0], size) == 0)
			return names[i][1];
	}
	return "model";
}

/* "/v2/models/{model}/infer" */
static void write_path(struct buf *out, const char *pattern)
{
	buf_add_char(out, '"');
	for (const char *at = pattern; *at != '\0'; at++) {
		buf_add_char(out, *at);
		if (*at == '{')
			buf_add_string(out, segment_name(pattern, at));
	}
	buf_add_char(out, '"');
}

/* "post_v2_models_model_infer": unique as method and pattern are. */
static void write_id(struct buf *out, const struct data_route *route)
{
	buf_add_string(out, ",\"operationId\":\"");
	for (const char *at = route->method; *at != '\0'; at++)
		buf_add_char(out, (char)tolower((unsigned char)*at));
	for (const char *at = route->pattern; *at != '\0'; at++) {
		if (*at == '{')
			buf_format(out, "%s", segment_name(route->pattern, at));
		else if (*at != '}')
			buf_add_char(out, isalnum((unsigned char)*at) ? *at : '_');
	}
	buf_add_char(out, '"');
}

/* --- parameters --- */

static void write_segment(struct buf *out, const char *name, const struct openapi_model *model)
{
	buf_format(out, "{\"name\":\"%s\",\"in\":\"path\",\"required\":true,\"schema\":", name);
	if (strcmp(name, "model") == 0) {
		buf_add_string(out, "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9._-]{0,63}$\"}");
		if (model != NULL) {
			buf_add_string(out, ",\"example\":");
			write_text(out, model->name);
		}
	} else if (strcmp(name, "version") == 0) {
		buf_add_string(out, "{\"type\":\"integer\",\"minimum\":1}");
		if (model != NULL)
			buf_format(out, ",\"example\":%u", (unsigned)model->version);
	} else {
		buf_add_string(out, "{\"type\":\"string\",\"enum\":[\"live\",\"canary\",\"shadow\"]"
				    "},\"example\":\"live\"");
	}
	buf_add_char(out, '}');
}

/* The features of a query have a model's names, which no schema can know. */
static void write_features(struct buf *out, const struct openapi_model *model)
{
	buf_add_string(out, "{\"name\":\"features\",\"in\":\"query\",\"required\":true,\"style\":"
			    "\"form\",\"explode\":true,"
			    "\"description\":\"Every feature of the model, an argument each: "
			    "`month=4&distance=690`. An "
			    "empty value is an absent "
			    "one.\",\"schema\":{\"$ref\":\"#/components/schemas/Features\"}");
	if (openapi_has_example(EXAMPLE_QUERY, model)) {
		buf_add_string(out, ",\"example\":");
		openapi_write_example(out, EXAMPLE_QUERY, model);
	}
	buf_add_char(out, '}');
}

static void write_parameters(struct buf *out, const struct data_route *route, const struct openapi_model *model)
{
	const char *list = route->operation->parameters, *between = "";
	char name[NAME_SIZE];

	buf_add_string(out, ",\"parameters\":[");
	for (const char *at = strchr(route->pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
		buf_add_string(out, between);
		write_segment(out, segment_name(route->pattern, at), model);
		between = ",";
	}
	while (next_word(&list, name)) {
		buf_add_string(out, between);
		if (strcmp(name, "Features") == 0)
			write_features(out, model);
		else
			buf_format(out, "{\"$ref\":\"#/components/parameters/%s\"}", name);
		between = ",";
	}
	buf_add_char(out, ']');
}

/* --- bodies --- */

static void write_content(struct buf *out, const struct operation_body *list, const struct openapi_model *model)
{
	buf_add_string(out, "\"content\":{");
	for (const struct operation_body *body = list; body->type != NULL; body++) {
		if (body != list)
			buf_add_char(out, ',');
		write_text(out, body->type);
		buf_format(out, ":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}", body->schema);
		if (openapi_has_example(body->example, model)) {
			buf_add_string(out, ",\"example\":");
			openapi_write_example(out, body->example, model);
		}
		buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

static void write_request(struct buf *out, const struct operation *o, const struct openapi_model *model)
{
	if (o->request == NULL)
		return;
	buf_format(out, ",\"requestBody\":{\"required\":%s,", o->request_optional ? "false" : "true");
	write_content(out, o->request, model);
	buf_add_char(out, '}');
}

static void write_statuses(struct buf *out, const char *list)
{
	char status[NAME_SIZE];
	while (next_word(&list, status))
		buf_format(out, ",\"%s\":{\"$ref\":\"#/components/responses/Error\"}", status);
}

static void write_responses(struct buf *out, const struct operation *o)
{
	const char *headers = o->headers, *between = "";
	char name[NAME_SIZE];

	buf_add_string(out, ",\"responses\":{\"200\":{\"description\":\"Done.\"");
	if (headers != NULL)
		buf_add_string(out, ",\"headers\":{");
	for (; next_word(&headers, name); between = ",")
		buf_format(out, "%s\"%s\":{\"$ref\":\"#/components/headers/%s\"}", between, name, name);
	if (o->headers != NULL)
		buf_add_char(out, '}');
	if (o->response != NULL) {
		buf_add_char(out, ',');
		write_content(out, o->response, NULL);
	}
	buf_add_char(out, '}');
	write_statuses(out, STATUSES_ANY);
	write_statuses(out, o->statuses);
	buf_add_string(out, ",\"431\":{\"$ref\":\"#/components/responses/HeaderTooLarge\"}}");
}

/* --- the document --- */

static void write_operation(struct buf *out, const struct data_route *route, const struct openapi_model *model)
{
	buf_add_char(out, '"');
	for (const char *at = route->method; *at != '\0'; at++)
		buf_add_char(out, (char)tolower((unsigned char)*at));
	buf_add_string(out, "\":{\"summary\":");
	write_text(out, route->summary);
	write_id(out, route);
	buf_add_string(out, ",\"tags\":[");
	write_text(out, route->operation->tag);
	buf_add_char(out, ']');
	write_parameters(out, route, model);
	write_request(out, route->operation, model);
	write_responses(out, route->operation);
	buf_add_char(out, '}');
}

/* Whether an earlier route has the same pattern: that one described them all. */
static bool described(const struct data_route *routes, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(routes[k].pattern, routes[i].pattern) == 0)
			return true;
	return false;
}

static void write_paths(struct buf *out, const struct data_route *routes, size_t count,
			const struct openapi_model *model)
{
	for (size_t i = 0; i < count; i++) {
		bool first = true;
		if (described(routes, i))
			continue;
		if (i > 0)
			buf_add_char(out, ',');
		write_path(out, routes[i].pattern);
		buf_add_string(out, ":{");
		for (size_t k = i; k < count; k++) {
			if (strcmp(routes[k].pattern, routes[i].pattern) != 0)
				continue;
			if (!first)
				buf_add_char(out, ',');
			write_operation(out, &routes[k], model);
			first = false;
		}
		buf_add_char(out, '}');
	}
}

void openapi_write(struct buf *out, const struct data_route *routes, size_t count, const struct openapi_model *model)
{
	buf_add_string(out, "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"mldeck\",\"version\":\"" MLDECK_VERSION
			    "\",\"description\":\"Predictions of the models that are deployed here: by the Open "
			    "Inference "
			    "Protocol (V2), by V1, and as tables. Errors are {\\\"error\\\": one sentence}.\","
			    "\"license\":{\"name\":\"GPL-3.0-or-later\"}},\"servers\":[{\"url\":\"/"
			    "\"}],\"paths\":{");
	write_paths(out, routes, count, model);
	buf_add_string(out, "},\"components\":");
	buf_add_string(out, openapi_components);
	buf_add_char(out, '}');
}
