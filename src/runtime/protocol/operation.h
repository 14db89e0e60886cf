/*
 * operation: a route of the data plane, and what its description in /openapi.json says of it.
 *
 * Constant. Schemas, parameters and headers are named; openapi_components.json has them.
 * Not here: the document (openapi), which routes there are (protocol_*.c).
 */
#ifndef RUNTIME_OPERATION_H
#define RUNTIME_OPERATION_H

#include "runtime/http/http.h"

/* What an example shows, of a model that is loaded. */
enum example {
	EXAMPLE_NONE,
	EXAMPLE_V2,
	EXAMPLE_V1,
	EXAMPLE_QUERY, /* of a parameter: features by name */
	EXAMPLE_CSV,
	EXAMPLE_JSON,
};

struct operation_body {
	const char *type; /* the media type, exactly; NULL ends a list */
	const char *schema;
	enum example example;
};

#define OPERATION_BODIES(...)                    \
	(const struct operation_body[])          \
	{                                        \
		__VA_ARGS__,                     \
		{                                \
			NULL, NULL, EXAMPLE_NONE \
		}                                \
	}
#define OPERATION_JSON(schema) OPERATION_BODIES({"application/json", schema, EXAMPLE_NONE})

struct operation {
	const char *tag;
	const char *parameters;                /* besides the path's, with blanks between; NULL: none */
	const struct operation_body *request;  /* NULL: no body */
	const struct operation_body *response; /* with status 200; NULL: no body */
	const char *headers;                   /* of that answer */
	const char *statuses;                  /* of refusals, besides those that any path may answer */
	bool request_optional;
};

/* Of whatever runs a model, and of what names one. */
#define STATUSES_PREDICT "404 429 500 502 504"
#define STATUSES_MODEL "404"

struct data_route {
	const char *method;
	const char *pattern;
	http_handler *handle;
	const char *summary;
	const struct operation *operation;
};

#endif
