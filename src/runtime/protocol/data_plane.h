/*
 * data_plane: the prediction API: the protocols that are served, and what their answers share.
 *
 * A protocol is one file, protocol_<name>.c, that ends with its routes, and one line in PROTOCOLS. Handlers run on
 * the data plane's threads and must not block between router_enter() and router_leave(); their context is the
 * struct server.
 * Not here: choosing and running a version (infer), HTTP (http).
 */
#ifndef RUNTIME_DATA_PLANE_H
#define RUNTIME_DATA_PLANE_H

#include "runtime/protocol/operation.h"
#include "runtime/server.h"

/* To add a protocol: write protocol_<name>.c, then one line here. A request goes to the first route that fits. */
#define PROTOCOLS(X) X(metrics) X(v2) X(feedback) X(repository) X(v1) X(table) X(openapi)

/* Each ends with a route whose method is NULL. */
#define X(name) extern const struct data_route protocol_##name[];
PROTOCOLS(X)
#undef X

/* All routes in that order; constant. */
const struct data_route *data_plane_routes(size_t *count);

/* Status 200 and JSON; the handler adds the body. */
void data_plane_json(struct http_response *response);
/* Answers {"models":["a","b"]}, as KServe's clients list them. */
http_handler data_plane_models;

/* The version that the second {} of a pattern stood for, "" when there is none. */
const char *data_plane_version(const struct http_segments *segments);
/* Answers with what `write` says of the model and version in the path; only_ready: refuses with 503 one that cannot
 * answer predictions now. */
void data_plane_describe(struct server *s, const struct http_segments *segments, bool only_ready,
			 void (*write)(struct buf *out, const struct served_model *m, const struct served_version *v),
			 struct http_response *response);

#endif
