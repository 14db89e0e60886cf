/*
 * openapi: the description of the prediction API, OpenAPI 3.0.3, written from the routes that
 * serve.
 *
 * Examples are requests to a model that is loaded, so that they work as they are. Version 3.0.3
 * because every generator of clients reads it. Schemas, parameters and headers:
 * openapi_components.json, built in. Pure; any thread. Not here: HTTP (protocol_openapi).
 */
#ifndef RUNTIME_OPENAPI_H
#define RUNTIME_OPENAPI_H

#include "core/buf.h"
#include "core/columns.h"
#include "core/manifest.h"
#include "runtime/protocol/operation.h"

#include <stddef.h>
#include <stdint.h>

/* Whom the examples ask. */
struct openapi_model {
	const char *name;
	uint32_t version;
	const struct manifest *manifest;
	const struct columns *columns; /* NULL: no examples by column */
};

/* model NULL: no examples. */
void openapi_write(struct buf *out, const struct data_route *routes, size_t count, const struct openapi_model *model);
/* Whether there is such an example of the model. */
bool openapi_has_example(enum example example, const struct openapi_model *model);
/* The example as a JSON value. */
void openapi_write_example(struct buf *out, enum example example, const struct openapi_model *model);

#endif
