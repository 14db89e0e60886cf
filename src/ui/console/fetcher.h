/*
 * fetcher: all talk with the runtime, off the drawing thread.
 *
 * Used by the drawing thread; two threads inside: one polls the snapshot, the other carries out
 * requests one after another, so that a poll which hangs delays no promotion. Nothing here waits, except
 * fetcher_free(), at most FETCHER_END_MS.
 * Limits: FETCHER_OUTPUT_MAX bytes of a command's output are kept, FETCHER_RUN_MAX_S seconds it may take.
 */
#ifndef UI_FETCHER_H
#define UI_FETCHER_H

#include "core/err.h"
#include "core/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

#define FETCHER_OUTPUT_MAX (64 << 10)
#define FETCHER_RUN_MAX_S 120
#define FETCHER_END_MS 150
#define FETCHER_ARGUMENTS_MAX 64

struct fetcher;

/* What came of the last poll. */
struct fetcher_picture {
	struct snapshot *snapshot; /* now the caller's; NULL when the poll failed */
	struct err err;
};

/* What came of a request. */
struct fetcher_answer {
	int id;
	int status;     /* of a post 0 or -1; of a command its exit code */
	struct err err; /* why status is not 0; of a command only when it could not be run */
	cJSON *json;    /* of a post; of one that was refused the refusal, or NULL */
	char *output;   /* of a command: what it printed; NULL when it was nothing */
};

/* Polls every poll_ms; 0: once a second. */
int fetcher_new(const char *socket_path, int poll_ms, struct fetcher **result, struct err *e);
void fetcher_free(struct fetcher *f);
/* Readable when something came. */
int fetcher_events(const struct fetcher *f);
/* Makes events unreadable again; call it before the two below. */
void fetcher_events_clear(struct fetcher *f);
/* Whether a poll ended since the last call; then *p is filled. */
bool fetcher_picture(struct fetcher *f, struct fetcher_picture *p);
/* The next answer, for fetcher_answer_free(); NULL when there is none. */
struct fetcher_answer *fetcher_answer(struct fetcher *f);
void fetcher_answer_free(struct fetcher_answer *a);
/* Polls at once. */
void fetcher_now(struct fetcher *f);
/* What the polls ask for beyond the usual: so many audit records and results of tests, tests in full (0: none; of the
 * second: the one before the first), A/B tests, the model that is meant ("": none, or all), and of its A/B tests the
 * one in full. Polls at once when that is new. */
struct fetcher_needs {
	unsigned audits, tests;
	int64_t test, with;
	bool experiments;
	char detail[TEXT_NAME_MAX + 1], experiment[TEXT_NAME_MAX + 1];
};
void fetcher_need(struct fetcher *f, const struct fetcher_needs *needs);
/* While a runtime starts: polls ten times a second. */
void fetcher_hurry(struct fetcher *f, bool hurry);
/* Queues a request for what is at the path. The id of its answer, or 0 when memory is out. */
int fetcher_get(struct fetcher *f, const char *path);
/* Queues a request; the body is taken. The id of its answer, or 0 when memory is out. */
int fetcher_post(struct fetcher *f, const char *path, cJSON *body);
/* Queues a run of this executable with these arguments (NULL at the end), input empty. */
int fetcher_run(struct fetcher *f, char *const *arguments);

#endif
