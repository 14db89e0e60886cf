/*
 * infer: one prediction, whatever the protocol: request → router → engine → telemetry → answer.
 *
 * A protocol says how a body is read and an answer written; everything between is here: choosing the version,
 * running its engine, counting, refusing. Runs on the data plane's threads without locks, queues or allocations
 * on the steady path. A prediction that was asked for over the control socket is an operator's own and is not
 * counted as traffic.
 * Not here: bodies (v2, v1, table), what paths there are (data_plane).
 */
#ifndef RUNTIME_INFER_H
#define RUNTIME_INFER_H

#include "runtime/server.h"

#define INFER_UNIT_SIZE 256

/* Who answers: the version that was chosen. */
struct infer_version {
	const char *model;
	uint32_t version;
	const struct engine *engine;
	const struct manifest *manifest;
	const struct columns *columns; /* see infer_columns() */
	const struct prediction_kind *kind;
};

struct infer_protocol {
	size_t state_size; /* of `state` below: cleared memory of the arena, from read to write */
	/* NULL, or: the unit that the request names ("" when none); only asked where it decides something. */
	void (*unit)(const struct http_request *request, const struct served_model *m, char unit[INFER_UNIT_SIZE],
		     size_t *unit_size);
	/* Fills the inputs and says which outputs are wanted (the inference was begun). What is kept of the request's
	 * body stays valid until write has returned. */
	int (*read)(void *state, const struct http_request *request, const struct infer_version *version,
		    struct inference *inference, struct err *e);
	/* NULL, or: the id that the request has for itself, once it was read; "" when none. */
	const char *(*id)(const void *state);
	/* Writes the whole answer; status and content type too. */
	void (*write)(void *state, const struct infer_version *version, struct inference *inference,
		      struct http_response *response);
};

/* For who asks about a model: the version that a path names, "" for the live one, whatever is split. NULL with the
 * reason when there is none, or it is not loaded. Between router_enter() and router_leave(). */
struct served_version *infer_find(const struct routing *routing, const char *model, const char *version,
				  const struct served_model **found, struct err *e);

/* The model's inputs as columns; NULL with the reason where they are none. */
const struct columns *infer_columns(const struct infer_version *version, struct err *e);
/* Says which version answered in the header `Mldeck-Version`, for protocols whose bodies do not. */
void infer_say_version(const struct infer_version *version, struct http_response *response);

/* Answers a request for a prediction. */
void infer_handle(struct server *s, const struct infer_protocol *protocol, const struct http_request *request,
		  const char *model, const char *version, struct http_response *response);

#endif
