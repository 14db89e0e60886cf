/*
 * registry_jobs: every job that there ever was, beside the models in the same database.
 *
 * As the registry: thread-safe, a change is one transaction with its audit record and survives a
 * power cut; after -1 nothing changed. A job that has ended is never written again.
 */
#ifndef CORE_REGISTRY_JOBS_H
#define CORE_REGISTRY_JOBS_H

#include "core/job.h"
#include "core/registry/registry.h"

#define JOB_OUTPUT_SIZE 8192 /* of the end of its output that is kept */

/* What is known of a job besides what a console shows. */
struct job_details {
	char *start;  /* JSON of what it was started with; "" not known */
	char *output; /* the end of what it printed */
};

/* Adds a job and gives it its id; the audit says who started it. */
int registry_job_add(struct registry *r, struct job_record *job, const char *start, const struct actor *actor,
		     struct err *e);
/* Writes its state, times and progress while it has not ended. */
int registry_job_update(struct registry *r, const struct job_record *job, struct err *e);
/* The same with its output, for one that has now ended; the audit says how. */
int registry_job_end(struct registry *r, const struct job_record *job, const char *output, struct err *e);
/* Ends, as interrupted, whatever an earlier runtime left unended; *count gets how many. */
int registry_jobs_interrupt(struct registry *r, size_t *count, struct err *e);

/* Newest first, at most limit, with id < before (0: from the newest); free(). */
int registry_jobs(struct registry *r, int64_t before, size_t limit, struct job_record **jobs, size_t *count,
		  struct err *e);
/* The same of one kind and model. */
int registry_jobs_like(struct registry *r, const char *kind, const char *model, size_t limit, struct job_record **jobs,
		       size_t *count, struct err *e);
/* The newest of a kind and model that did not fail and whose start is known, with it; *found false: there is none. Then
 * details is left alone. */
int registry_job_last(struct registry *r, const char *kind, const char *model, struct job_record *job,
		      struct job_details *details, bool *found, struct err *e);
/* ERR_NOT_FOUND when there is no such job. details may be NULL; else give it to
 * job_details_release(). */
int registry_job(struct registry *r, int64_t id, struct job_record *job, struct job_details *details, struct err *e);
void job_details_release(struct job_details *details);

#endif
