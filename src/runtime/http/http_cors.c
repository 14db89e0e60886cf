/*
 * http_cors: which answers a browser shows to pages of other origins, as [cors] of the
 * configuration says.
 */
#include "runtime/http/http_internal.h"

#include "core/config.h"

#include <microhttpd.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define EXPOSED "Inference-Header-Content-Length, Inference-Id, Mldeck-Version, Retry-After"
#define ASKED_HEADERS_SIZE 1024

static bool listed(const char *origins, const char *origin)
{
	size_t size = strlen(origin);
	for (const char *p = origins; *p != '\0';) {
		size_t length = strcspn(p, ", ");
		if (length > 0 && length == size && strncasecmp(p, origin, size) == 0)
			return true;
		p += length + (p[length] != '\0');
	}
	return false;
}

/* The headers that a preflight asks for, those of them that are names of headers. */
static void copy_asked(const char *asked, char list[ASKED_HEADERS_SIZE])
{
	size_t used = 0;
	while (*asked != '\0') {
		asked += strspn(asked, ", \t");
		size_t size = strcspn(asked, ", \t");
		if (http_token_valid(asked, size) && used + size + 3 < ASKED_HEADERS_SIZE) {
			const char *comma = used > 0 ? ", " : "";
			used +=
			    (size_t)snprintf(list + used, ASKED_HEADERS_SIZE - used, "%s%.*s", comma, (int)size, asked);
		}
		asked += size;
	}
}

static void add_preflight(const struct config_cors *cors, const struct http_request *request, const char *methods,
			  struct MHD_Response *made)
{
	const char *asked = http_header(request, "Access-Control-Request-Headers");
	char headers[ASKED_HEADERS_SIZE] = "", age[16];

	MHD_add_response_header(made, "Access-Control-Allow-Methods", methods);
	if (asked != NULL)
		copy_asked(asked, headers);
	if (headers[0] != '\0')
		MHD_add_response_header(made, "Access-Control-Allow-Headers", headers);
	snprintf(age, sizeof age, "%u", cors->max_age_s);
	MHD_add_response_header(made, "Access-Control-Max-Age", age);
}

void cors_add(const struct config_cors *cors, const struct http_request *request, const char *methods,
	      struct MHD_Response *made)
{
	if (cors == NULL || cors->origins[0] == '\0')
		return;
	const char *origin = http_header(request, "Origin");
	bool all = strcmp(cors->origins, "*") == 0;
	if (!all)
		MHD_add_response_header(made, "Vary", "Origin");
	if (origin == NULL || (!all && !listed(cors->origins, origin)))
		return;
	MHD_add_response_header(made, "Access-Control-Allow-Origin", all ? "*" : origin);
	if (cors->credentials)
		MHD_add_response_header(made, "Access-Control-Allow-Credentials", "true");
	if (strcmp(request->method, "OPTIONS") == 0 && methods[0] != '\0' &&
	    http_header(request, "Access-Control-Request-Method") != NULL)
		add_preflight(cors, request, methods, made);
	else
		MHD_add_response_header(made, "Access-Control-Expose-Headers", EXPOSED);
}
