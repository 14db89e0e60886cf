/*
 * remote_internal: what the files of the remote engine share. Private to engine_remote.c and
 * remote_*.c.
 *
 * A model is constant after load but for its token, its health and its counts, which any thread may
 * use.
 */
#ifndef RUNTIME_REMOTE_INTERNAL_H
#define RUNTIME_REMOTE_INTERNAL_H

#include "core/fetch_pool.h"
#include "core/remote.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/remote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* "Authorization: Bearer " and a token, or "". */
#define REMOTE_HEADER_SIZE 8320

/* --- remote_token: the token's file, read again when it changed --- */

struct remote_token {
	pthread_mutex_t lock;
	const char *path; /* ""; none */
	struct stat seen; /* of the file as it was read */
	bool settled;     /* it was old enough then for a change to show */
	char header[REMOTE_HEADER_SIZE];
};
void remote_token_init(struct remote_token *t, const char *path);
void remote_token_release(struct remote_token *t);
/* The header line, "" when there is no token. ERR_UPSTREAM: the file cannot be read or holds none;
 * no sentence shows what it holds. */
int remote_token_header(struct remote_token *t, char header[REMOTE_HEADER_SIZE], struct err *e);

/* --- the model --- */

/* What is known of the server from the last that was heard of it. */
struct remote_health {
	pthread_mutex_t lock;
	int64_t heard_ms; /* 0: never */
	bool bad;
	bool asking;      /* a request for its readiness is under way */
	int64_t asked_ms; /* when the last one began */
	char reason[ERR_TEXT_SIZE];
};

struct remote_model {
	struct remote remote; /* with the configuration's values where it had none */
	struct fetch_pool *pool;
	struct remote_token token;
	bool binary; /* the server takes the binary tensor extension */
	size_t answer_max;
	unsigned in_flight_max;
	atomic_uint in_flight;
	atomic_uint references; /* the loaded version's and one of each question for readiness */
	atomic_ullong counts[REMOTE_COUNT_KINDS];
	struct remote_health health;
};

void remote_count(struct remote_model *m, enum remote_count_kind kind);
/* A prediction's or a question's outcome: e NULL when the server is well. */
void remote_heard(struct remote_model *m, const struct err *e);
void remote_model_unref(struct remote_model *m);

/* The request for a path behind the model's URL ("/infer", "/ready", ""), but for its body. text
 * holds the URL, header the token's line, headers the list that the request points to: all must
 * outlive it. */
struct remote_ask {
	char url[REMOTE_URL_SIZE + 16];
	char header[REMOTE_HEADER_SIZE];
	char length[64];
	const char *headers[4];
	struct fetch_request request;
};
int remote_ask(struct remote_model *m, const char *path, int timeout_ms, struct remote_ask *ask, struct err *e);

/* --- remote_start, remote_health --- */

void remote_start(void *model, struct inference *inference, const struct engine_call *call);
int remote_ready(void *model, struct err *e);

/* --- remote_answer: what an answer means --- */

/* The error of an answer with another status than 200. */
int remote_refusal(const char *url, const struct fetch_answer *answer, struct err *e);
/* The error of an exchange without an answer: fault's sentence with its code for a prediction. */
int remote_broken(const struct fetch_answer *answer, const struct err *fault, struct err *e);
/* The length of the JSON part of a body. */
int remote_json_size(const char *url, const struct fetch_answer *answer, size_t *json_size, struct err *e);
/* Fills inference->outputs from a body, each checked against the manifest: -1 with ERR_UPSTREAM and
 * what is wrong, or ERR_MEMORY. free_rows: their rows may differ from the inputs'. Nothing points
 * into the body afterwards. */
int remote_answer_read(struct inference *inference, bool free_rows, const char *url, const char *body, size_t size,
		       size_t json_size, struct err *e);

/* --- remote_request --- */

/* Appends the request for the wanted outputs; json_size is what is JSON of it. ERR_INPUT: a value
 * that JSON cannot carry and the server takes nothing else. */
int remote_request_write(const struct inference *inference, bool binary, struct buf *out, size_t *json_size,
			 struct err *e);

/* --- remote_signature: what a server says of its model, as a manifest --- */

/* server: what /v2 says, or NULL. ERR_INPUT, ERR_UPSTREAM: no signature that can be used, and what
 * to do. */
int remote_describe(const struct remote *r, const cJSON *model, const cJSON *server, struct manifest *manifest,
		    struct err *e);
/* Whether the manifest's facts list the binary tensor extension. */
bool remote_takes_binary(const struct manifest *manifest);
void remote_kind(const struct manifest *manifest, struct prediction_kind *kind);

#endif
