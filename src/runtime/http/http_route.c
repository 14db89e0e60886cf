/*
 * http_route: finds the route of a request in a table.
 */
#include "runtime/http/http.h"

#include <stdio.h>
#include <string.h>

/* Whether path fits pattern; each {} takes a segment, or its part before a colon, that is not empty. */
static bool fits(const char *pattern, const char *path, struct http_segments *segments)
{
	segments->count = 0;
	while (*pattern != '\0') {
		if (pattern[0] == '{' && pattern[1] == '}') {
			size_t length = strcspn(path, "/:");
			if (length == 0 || length >= sizeof segments->values[0] || segments->count == HTTP_SEGMENTS_MAX)
				return false;
			memcpy(segments->values[segments->count], path, length);
			segments->values[segments->count++][length] = '\0';
			path += length;
			pattern += 2;
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return *path == '\0';
}

/* "GET" becomes "GET, HEAD": what answers the one answers the other. */
static void add_method(char allowed[64], const char *method)
{
	size_t used = strlen(allowed);
	snprintf(allowed + used, 64 - used, "%s%s%s", used > 0 ? ", " : "", method,
		 strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

void http_dispatch(const struct http_route *routes, size_t count, void *context, const struct http_request *request,
		   struct http_response *response, void (*refuse)(struct http_response *response, const struct err *e))
{
	struct http_segments segments;
	char allowed[sizeof response->allow] = "";
	const char *pattern = NULL;
	struct err e;

	for (size_t i = 0; i < count; i++) {
		/* The first pattern that fits decides: GET /v1/models/M:predict is a wrong method, not a model
		 * of that name. */
		if (pattern == NULL ? !fits(routes[i].pattern, request->path, &segments)
				    : strcmp(pattern, routes[i].pattern) != 0)
			continue;
		pattern = routes[i].pattern;
		bool head = strcmp(request->method, "HEAD") == 0;
		if (strcmp(routes[i].method, head ? "GET" : request->method) == 0) {
			routes[i].handle(context, request, &segments, response);
			return;
		}
		add_method(allowed, routes[i].method);
	}
	if (allowed[0] == '\0') {
		err_set(&e, ERR_NOT_FOUND, "there is nothing at %.200s", request->path);
		refuse(response, &e);
		return;
	}
	if (strcmp(request->method, "OPTIONS") == 0) {
		response->status = 204;
	} else {
		err_set(&e, ERR_INPUT, "%.200s takes %s, not %.20s", request->path, allowed, request->method);
		refuse(response, &e);
		response->status = 405;
	}
	add_method(allowed, "OPTIONS");
	memcpy(response->allow, allowed, sizeof allowed);
}
