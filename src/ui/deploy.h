/*
 * deploy: a model file sent to the runtime and registered as the next version.
 *
 * The request is borrowed for the call; one thread a client.
 */
#ifndef UI_DEPLOY_H
#define UI_DEPLOY_H

#include "core/client.h"
#include "core/err.h"

#include <stdbool.h>

struct deploy_request {
	const char *model; /* a valid name */
	const char *file_path;
	const char *baseline_path; /* CSV rows, or NULL */
	const char *reason;	   /* or NULL */
	bool no_live;
};

/* The caller owns *answer, also after an error (NULL then). */
int deploy_send(struct client *client, const struct deploy_request *r, cJSON **answer, struct err *e);

#endif
