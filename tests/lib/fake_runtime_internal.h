/*
 * fake_runtime_internal: what the files of the fake runtime share.
 */
#ifndef TESTS_FAKE_RUNTIME_INTERNAL_H
#define TESTS_FAKE_RUNTIME_INTERNAL_H

#include "lib/fake_runtime.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>

#define CLIENTS_MAX 16
#define REQUEST_MAX 65536
#define FAKE_JOBS_MAX 8
#define FAKE_VERSIONS 3
#define NOW_MS 1700000000000.0

struct peer {
	int fd;
	size_t size;
	char data[REQUEST_MAX];
};

struct fake_job {
	char state[16], kind[16], input[1024], output[1024], start[4096];
	int version;
};

struct fake_runtime {
	char directory[64], socket_path[96];
	int listener, wake[2];
	pthread_t thread;
	pthread_mutex_t mutex;
	sem_t started;
	bool ending, hang;
	int live, previous, revision, polls;
	char reason[256];
	int shares[FAKE_VERSIONS + 1]; /* of flight-delay, in basis points, by version */
	int shadows[FAKE_VERSIONS + 1];
	bool gate; /* a gate fails for every version that gets more */
	bool forced;
	char rollout[16]; /* state of the rollout of v3; "" none */
	int rollout_step, policy_number;
	char setting[64], value[64], note[256];
	int audits, details, tests, reports; /* polls that asked for them */
	char last[1024];
	int job_count, waits;
	struct fake_job jobs[FAKE_JOBS_MAX]; /* ids 1, 2 ... */
	struct peer peers[CLIENTS_MAX];
};

/* fake_snapshot.c */
cJSON *fake_snapshot(const struct fake_runtime *f);
cJSON *fake_rollout(const struct fake_runtime *f);
void fake_finding_add(cJSON *list, const char *name, const char *verdict, bool forced, const char *text);

/* fake_jobs.c */
cJSON *fake_job_start(struct fake_runtime *f, const cJSON *body, int *status);
cJSON *fake_job_post(struct fake_runtime *f, const char *path, const cJSON *body, int *status);
cJSON *fake_job_last(const struct fake_runtime *f);

/* fake_tests.c: what a poll asks for of tests. */
void fake_tests_add(struct fake_runtime *f, const char *request, cJSON *json);

/* fake_experiments.c: what a poll asks for of A/B tests. */
void fake_experiments_add(const char *request, cJSON *json);

/* fake_control.c: answers to what is posted; status is set where it is not 200. */
cJSON *fake_change(struct fake_runtime *f, const cJSON *body, int *status);
cJSON *fake_rollout_post(struct fake_runtime *f, const char *verb, const cJSON *body, int *status);
cJSON *fake_policy_post(struct fake_runtime *f, const cJSON *body, int *status);
cJSON *fake_acknowledge(struct fake_runtime *f, const cJSON *body);
cJSON *fake_refusal(int *status, int code, const char *name, const char *text);
double fake_number(const cJSON *json, const char *name, double otherwise);
const char *fake_string(const cJSON *json, const char *name);

#endif
