/*
 * job_report: a running command tells the runtime of itself, so that its job list has it.
 *
 * A command that the runtime started has the number of its job in MLDECK_JOB; one of a shell registers itself, and
 * does so again, under a new number, when the runtime was started anew meanwhile.
 * One thread. One thing here stops a command: the same job is open already. Whatever else goes wrong is silent: the
 * work goes on without being in a list.
 * Not here: the list (runtime/job/jobs).
 */
#ifndef CORE_JOB_REPORT_H
#define CORE_JOB_REPORT_H

#include "core/client.h"
#include "core/job.h"

#include <stdbool.h>

struct job_report {
	struct client *client; /* borrowed */
	int64_t id;            /* 0: not in a list */
	cJSON *registration;   /* of a shell's, until its end; NULL: the runtime started it */
	int64_t next_ms;       /* private, as is the rest: monotonic */
	int failures;
};

/* words[count]: the command. ERR_CONFLICT names the job that is the same and is open (job_same()); then there is
 * nothing to end. After 0 goes job_report_end(). */
int job_report_begin(struct job_report *r, struct client *client, const char *kind, const char *model, uint32_t version,
		     const char *title, const char *const *words, size_t count, struct err *e);
/* Whether job_report_begin() would be refused: before a command does anything. version 0: the live one. */
int job_report_check(struct client *client, const char *kind, const char *model, uint32_t version,
		     const char *const *words, size_t count, struct err *e);
/* Whether the next job_report_progress() says anything: what takes long to put together can wait for it. */
bool job_report_due(const struct job_report *r);
/* About once a second, however often it is called. False: an operator asked the job to stop. */
bool job_report_progress(struct job_report *r, const struct job_progress *progress);
/* outcome: JOB_DONE, JOB_FAILED or JOB_CANCELLED; last: how far it came. */
void job_report_end(struct job_report *r, enum job_state outcome, const struct job_progress *last, const char *summary);

#endif
