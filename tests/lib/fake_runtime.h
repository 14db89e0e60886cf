/*
 * fake_runtime: a control socket that answers what a test tells it to, from a thread of its own.
 */
#ifndef TESTS_FAKE_RUNTIME_H
#define TESTS_FAKE_RUNTIME_H

#include <stdbool.h>

struct fake_runtime;

/* Two models: flight-delay with versions 1 (live, revision 3), 2 and 3; churn with version 1. */
struct fake_runtime *fake_runtime_new(void);
void fake_runtime_free(struct fake_runtime *f);
const char *fake_runtime_socket(const struct fake_runtime *f);
/* While set, no request is answered. */
void fake_runtime_hang(struct fake_runtime *f, bool hang);
/* Pretends that another operator promoted version. */
void fake_runtime_promote(struct fake_runtime *f, int version);
/* From now on a gate fails for every version that gets more requests, unless it is forced. */
void fake_runtime_gate(struct fake_runtime *f, bool fails);
/* Whether the last change was forced. */
bool fake_runtime_forced(struct fake_runtime *f);
/* Of a version of flight-delay, in basis points. */
int fake_runtime_share(struct fake_runtime *f, int version, bool shadow);
/* The step, from 0, and the state of the rollout of v3; "" when there is none. */
int fake_runtime_rollout(struct fake_runtime *f, char *state, int size);
/* The value of `promoters` in flight-delay's policy. */
void fake_runtime_policy(struct fake_runtime *f, char *value, int size);
/* The note with which alert 7, of churn, was acknowledged; "" while it fires. */
void fake_runtime_note(struct fake_runtime *f, char *note, int size);
/* Polls that asked for the audit; for the revisions of flight-delay alone. */
int fake_runtime_audits(struct fake_runtime *f);
int fake_runtime_details(struct fake_runtime *f);
int fake_runtime_tests(struct fake_runtime *f);
int fake_runtime_reports(struct fake_runtime *f);
int fake_runtime_live(struct fake_runtime *f);
int fake_runtime_revision(struct fake_runtime *f);
/* Snapshots answered so far. */
int fake_runtime_polls(struct fake_runtime *f);
/* A job that was started, state "" when there is none of that number (1, 2 ...); texts of size bytes. */
void fake_runtime_job(struct fake_runtime *f, int id, char *state, char *output, int size, int *version);
/* The same with its kind and what it was started with, as JSON. */
void fake_runtime_started(struct fake_runtime *f, int id, char *kind, char *start, int size, int *version);
/* What every kind was last started with, as JSON, by job 7; "" nothing. */
void fake_runtime_last(struct fake_runtime *f, const char *start);
/* The place in the queue that a further job gets. */
void fake_runtime_waits(struct fake_runtime *f, int waits);
/* The reason of the last change. */
void fake_runtime_reason(struct fake_runtime *f, char *reason, int size);

#endif
