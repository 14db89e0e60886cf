/*
 * control_routes: the handlers of the control API (docs/CONTROL-API.md), one a route; the table is in control.c.
 *
 * Each runs on its connection's thread and may wait for the disk; context is the struct server. Private to control*.c.
 */
#ifndef RUNTIME_CONTROL_ROUTES_H
#define RUNTIME_CONTROL_ROUTES_H

#include "core/err.h"
#include "runtime/http/http.h"

#include <stdbool.h>

struct server;
struct job_plan;

/* control_read.c */
http_handler control_get_snapshot;
http_handler control_get_versions;
http_handler control_get_history;

/* control_audit.c */
http_handler control_get_audit;
http_handler control_get_audit_head;
http_handler control_get_audit_verify;

/* control_artifact.c */
http_handler control_get_artifact;
http_handler control_get_samples;

/* control_change.c */
http_handler control_post_artifact;
http_handler control_post_deploy;
http_handler control_post_route;

/* control_rollout.c */
http_handler control_get_rollouts;
http_handler control_post_rollout;
http_handler control_post_rollout_change;

/* control_experiments.c */
http_handler control_get_experiments;
http_handler control_get_experiment;
http_handler control_post_experiment;
http_handler control_post_experiment_stop;

/* control_alerts.c */
http_handler control_get_alerts;
http_handler control_post_alert_acknowledge;

/* control_policy.c */
http_handler control_get_policy;
http_handler control_post_policy;
http_handler control_post_approve;

/* control_tests.c */
http_handler control_get_tests;
http_handler control_get_test;
http_handler control_post_test;

/* control_check.c */
http_handler control_get_check;

/* control_captured.c */
http_handler control_get_captured;

/* control_load.c */
http_handler control_post_load;

/* control_jobs.c, control_jobs_start.c */
http_handler control_get_job_last;
http_handler control_get_jobs;
http_handler control_get_job;
http_handler control_post_job;
http_handler control_post_job_again;
http_handler control_post_job_progress;
http_handler control_post_job_end;
http_handler control_post_job_cancel;

/* control_jobs_facts.c: adds to the plan of a test what it compares, how long it takes and whom it touches, and refuses
 * what its command would refuse. Only a dry run goes on without consent to touch live traffic. */
int control_job_facts(struct server *s, struct job_plan *plan, bool dry_run, struct err *e);

#endif
