/*
 * batch_client: the questions of a batch, asked of a runtime over its control socket by V2.
 *
 * What is asked there is an operator's own and no traffic: it is in no live statistics. Every thread of the batch has
 * a connection of its own. Not here: which rows, and when again (batch).
 */
#ifndef CORE_BATCH_CLIENT_H
#define CORE_BATCH_CLIENT_H

#include "core/batch.h"

struct batch_client;

/* manifest is borrowed as long as the client lives. NULL with ERR_MEMORY. */
struct batch_client *batch_client_new(const char *socket_path, const char *model, uint32_t version,
				      const struct manifest *manifest, size_t threads, struct err *e);
void batch_client_free(struct batch_client *c);
/* For batch_calls.predict; context is a struct batch_client. */
int batch_client_predict(void *context, size_t thread, struct batch_question *question, struct err *e);

#endif
