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
int fake_runtime_live(struct fake_runtime *f);
int fake_runtime_revision(struct fake_runtime *f);
/* Snapshots answered so far. */
int fake_runtime_polls(struct fake_runtime *f);
/* A job that was started, state "" when there is none of that number (1, 2 ...); texts of size bytes. */
void fake_runtime_job(struct fake_runtime *f, int id, char *state, char *output, int size, int *version);
/* The reason of the last change. */
void fake_runtime_reason(struct fake_runtime *f, char *reason, int size);

#endif
