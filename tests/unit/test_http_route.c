/* Which route a path and a method lead to. */
#include "runtime/http/http.h"
#include "unit.h"

#include <stdio.h>

static char seen[512];

static void note(const char *name, const struct http_segments *segments)
{
	int used = snprintf(seen, sizeof seen, "%s", name);
	for (size_t i = 0; i < segments->count; i++)
		used += snprintf(seen + used, sizeof seen - (size_t)used, " %s", segments->values[i]);
}

#define HANDLER(name)                                                                                             \
	static void name(void *context, const struct http_request *request, const struct http_segments *segments, \
			 struct http_response *response)                                                          \
	{                                                                                                         \
		(void)context;                                                                                    \
		(void)request;                                                                                    \
		(void)response;                                                                                   \
		note(#name, segments);                                                                            \
	}
HANDLER(predict)
HANDLER(predict_version)
HANDLER(status)
HANDLER(all)
HANDLER(table)
HANDLER(upload)

static const struct http_route routes[] = {
    {"POST", "/v1/models/{}:predict", predict, ""},
    {"POST", "/v1/models/{}/versions/{}:predict", predict_version, ""},
    {"GET", "/v1/models/stats", all, ""},
    {"GET", "/v1/models/{}", status, ""},
    {"GET", "/predict/{}", table, ""},
    {"POST", "/predict/{}", upload, ""},
};

static void refuse(struct http_response *response, const struct err *e)
{
	response->status = err_http(e->code);
	snprintf(seen, sizeof seen, "%s", e->text);
}

static struct http_response ask(const char *method, const char *path)
{
	const struct http_request request = {.method = method, .path = path, .body = ""};
	struct http_response response = {.status = 200};
	seen[0] = '\0';
	http_dispatch(routes, sizeof routes / sizeof *routes, NULL, &request, &response, refuse);
	return response;
}

static void expect(const char *method, const char *path, int status, const char *what)
{
	assert_int_equal(ask(method, path).status, status);
	assert_string_equal(seen, what);
}

static void a_part_ends_before_a_colon(void **state)
{
	(void)state;
	expect("POST", "/v1/models/m:predict", 200, "predict m");
	expect("POST", "/v1/models/m.x-1/versions/12:predict", 200, "predict_version m.x-1 12");
	expect("GET", "/v1/models/m", 200, "status m");
	expect("HEAD", "/v1/models/m", 200, "status m");
	/* Nothing, too much, or something else behind the literal. */
	expect("POST", "/v1/models/:predict", 404, "there is nothing at /v1/models/:predict");
	expect("POST", "/v1/models/m:predict/", 404, "there is nothing at /v1/models/m:predict/");
	expect("POST", "/v1/models/m/versions/:predict", 404, "there is nothing at /v1/models/m/versions/:predict");
	expect("GET", "/v1/models/", 404, "there is nothing at /v1/models/");
	expect("GET", "/v1/models/m:explain", 404, "there is nothing at /v1/models/m:explain");
	expect("GET", "/predict/a:b", 404, "there is nothing at /predict/a:b");
}

static void the_first_pattern_decides(void **state)
{
	(void)state;
	struct http_response response = ask("GET", "/v1/models/m:predict");
	assert_int_equal(response.status, 405);
	assert_string_equal(response.allow, "POST, OPTIONS");
	expect("GET", "/v1/models/stats", 200, "all");
	assert_int_equal(ask("POST", "/v1/models/stats").status, 405);
	expect("GET", "/predict/m", 200, "table m");
	expect("POST", "/predict/m", 200, "upload m");
	response = ask("PUT", "/predict/m");
	assert_int_equal(response.status, 405);
	assert_string_equal(response.allow, "GET, HEAD, POST, OPTIONS");
	assert_string_equal(seen, "/predict/m takes GET, HEAD, POST, not PUT");
	response = ask("OPTIONS", "/predict/m");
	assert_int_equal(response.status, 204);
	assert_string_equal(response.allow, "GET, HEAD, POST, OPTIONS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_part_ends_before_a_colon),
	    cmocka_unit_test(the_first_pattern_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
