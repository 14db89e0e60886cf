/*
 * version_client: what a model's version is, asked of the runtime.
 *
 * Blocks for the exchange. Not here: the exchange itself (client).
 */
#ifndef CORE_VERSION_CLIENT_H
#define CORE_VERSION_CLIENT_H

#include "core/client.h"
#include "core/manifest.h"

#include <stdint.h>

/* *version 0 becomes the live one, and *live is the live one (0: none). Fills manifest (initialised by the
 * callee), also when it fails. ERR_NOT_FOUND: no such model or version; ERR_CONFLICT: nothing is live, or the
 * version cannot serve. */
int version_client_find(struct client *c, const char *model, uint32_t *version, uint32_t *live,
			struct manifest *manifest, struct err *e);
/* One version, loaded first where it is not, which may take long. *record is its element of `versions`
 * (docs/CONTROL-API.md; cJSON_Delete), manifest is filled as above. ERR_CONFLICT: it cannot serve. */
int version_client_load(struct client *c, const char *model, uint32_t version, struct manifest *manifest,
			cJSON **record, struct err *e);
/* The live version; 0: none. */
int version_client_live(struct client *c, const char *model, uint32_t *live, struct err *e);

#endif
