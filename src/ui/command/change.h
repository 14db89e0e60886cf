/*
 * change: a change of a route, as promote, rollback, split and shadow ask for it.
 *
 * Used by the main thread of a command only. The caller adds what is its own to the request's body.
 */
#ifndef UI_CHANGE_H
#define UI_CHANGE_H

#include "core/command.h"
#include "core/route.h"

#include <cjson/cJSON.h>

#define CHANGE_OPTIONS OPTION_REASON, OPTION_EXPECT, OPTION_DRY_RUN, OPTION_JSON, OPTION_SOCKET, OPTION_STATE

/* The arguments VERSION=PERCENT behind the model, each version once; their sum and roles are the caller's matter. */
int change_shares(const struct arguments *a, struct route_entry entries[ROUTE_ENTRIES_MAX], size_t *count,
		  struct err *e);
/* A body with "weights", or NULL when memory is out. */
cJSON *change_share_body(const struct route_entry *entries, size_t count);
/* Checks model and reason, sends body (taken) and prints what came of it. Where gates refuse, their findings are
 * printed before the error is returned. */
int change_send(const struct arguments *a, const char *action, cJSON *body, struct err *e);

/* change_print.c: what came, or would come, of a change: the answer, or a refusal that has gates. */
int change_print(const struct arguments *a, const char *action, const cJSON *answer, struct err *e);
int change_print_refusal(const struct arguments *a, const char *action, const cJSON *refusal, struct err *e);
/* The command that makes this very change: it names the revision that the answer is based on. */
void change_command_print(const struct arguments *a, const char *action, const cJSON *answer);

#endif
