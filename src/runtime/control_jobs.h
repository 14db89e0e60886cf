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
http_handler control_get_jobs;
http_handler control_get_job;
http_handler control_post_job;
http_handler control_post_job_again;
http_handler control_post_job_progress;
http_handler control_post_job_end;
http_handler control_post_job_cancel;

#endif
