/*
 * control_request: what the handlers of the control API share: reading a request, answering it.
 *
 * Runs on the thread of the connection; keeps nothing of the request.
 */
#ifndef RUNTIME_CONTROL_REQUEST_H
#define RUNTIME_CONTROL_REQUEST_H

#include "runtime/server.h"

#include <cjson/cJSON.h>

/* Who asks: the peer's uid and name by the socket and the system, the client as it calls itself. */
void control_actor(const struct http_request *request, struct actor *actor);
/* control_peer.c: -1 with ERR_DENIED, audited, for anybody but the owner of the runtime, root, and the members of the
 * group that [control] names. The audit gets one record a user and minute at most. */
int control_check_peer(struct server *s, const struct http_request *request, struct err *e);
/* Whether that user is let in. */
bool control_lets_in(const struct server *s, uint32_t uid);
/* Records a refused change that its handler did not record (control_audit.c): what could not even be read. */
void control_record_refusal(struct server *s, const struct http_request *request, const struct http_response *response);
/* The body, which must be a JSON object; cJSON_Delete(). NULL and ERR_INPUT when it is none. */
cJSON *control_body(const struct http_request *request, struct err *e);
/* A whole number in the query; fallback when it is absent. */
int control_query(const struct http_request *request, const char *name, long long low, long long high,
		  long long fallback, long long *value, struct err *e);
/* The job's number out of the path. */
int control_job_id(const struct http_segments *segments, int64_t *id, struct err *e);
/* Answers 200 with the tree, which is taken; NULL counts as memory that ran out. */
void control_answer(struct http_response *response, cJSON *json);
/* A refusal that says more than its sentence: the tree's fields (taken; may be NULL) beside "error" and "code". */
void control_refuse_with(struct http_response *response, const struct err *e, cJSON *json);

#endif
