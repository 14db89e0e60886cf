/*
 * control_jobs: the control API's handlers for jobs (docs/CONTROL-API.md); the table of routes is
 * in control.c.
 */
#ifndef RUNTIME_CONTROL_JOBS_H
#define RUNTIME_CONTROL_JOBS_H

#include "runtime/http.h"

/* The job's number out of the path. */
int control_job_id(const struct http_segments *segments, int64_t *id, struct err *e);

/* context is the struct server. */
#define CONTROL_JOBS_HANDLER(name)                                   \
	void name(void *context, const struct http_request *request, \
		  const struct http_segments *segments, struct http_response *response)

CONTROL_JOBS_HANDLER(control_get_jobs);
CONTROL_JOBS_HANDLER(control_get_job);
CONTROL_JOBS_HANDLER(control_post_job);
CONTROL_JOBS_HANDLER(control_post_job_again);
CONTROL_JOBS_HANDLER(control_post_job_progress);
CONTROL_JOBS_HANDLER(control_post_job_end);
CONTROL_JOBS_HANDLER(control_post_job_cancel);

#endif
