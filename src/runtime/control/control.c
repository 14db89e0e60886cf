/*
 * control: the control API on the Unix socket (docs/CONTROL-API.md).
 *
 * Runs on a thread a connection: handlers may wait for the disk. Only the owner of the runtime, root, and
 * the members of [control] group are let in; who asks is read from the socket, never from the request.
 */
#include "runtime/control/control_request.h"
#include "runtime/control/control_routes.h"

#include "core/fault.h"
#include "core/json.h"

#include <string.h>
#include <unistd.h>

static void post_stop(void *context, const struct http_request *request, const struct http_segments *segments,
		      struct http_response *response)
{
	(void)segments;
	struct server *s = context;
	struct actor actor;
	struct err e;
	const char *reason = "";
	const uint64_t one = 1;
	cJSON *body = control_body(request, &e);

	control_actor(request, &actor);
	if (body == NULL || json_optional_text(body, "reason", &reason, &e) != 0 ||
	    registry_audit(s->registry, &actor, "stop", "", 0, "done", reason, "", &e) != 0) {
		control_refuse(response, &e);
	} else if (write(s->stop_fd, &one, sizeof one) != sizeof one) {
		err_set(&e, ERR_SYSTEM, "the runtime could not be told to stop");
		control_refuse(response, &e);
	} else {
		cJSON *json = cJSON_CreateObject();
		cJSON_AddTrueToObject(json, "stopping");
		control_answer(response, json);
	}
	cJSON_Delete(body);
}

static const struct http_route routes[] = {
    {"GET", "/control/v1/snapshot", control_get_snapshot, "what a console sees"},
    {"GET", "/control/v1/models/{}/versions", control_get_versions, "versions and their manifests"},
    {"GET", "/control/v1/models/{}/versions/{}/samples", control_get_samples, "what a version is warmed up with"},
    {"GET", "/control/v1/models/{}/history", control_get_history, "revisions of the route"},
    {"GET", "/control/v1/audit", control_get_audit, "who did what"},
    {"GET", "/control/v1/artifacts/{}", control_get_artifact, "the bytes of a model file"},
    {"GET", "/control/v1/audit/head", control_get_audit_head, "its last record, to be kept elsewhere"},
    {"GET", "/control/v1/audit/verify", control_get_audit_verify, "whether it is what was written"},
    {"POST", "/control/v1/artifacts", control_post_artifact, "upload a model file"},
    {"POST", "/control/v1/models/{}/deploy", control_post_deploy, "register a version"},
    {"GET", "/control/v1/models/{}/policy", control_get_policy, "what a promotion must hold"},
    {"POST", "/control/v1/models/{}/policy", control_post_policy, "change that"},
    {"GET", "/control/v1/models/{}/captured", control_get_captured, "rows of live requests"},
    {"GET", "/control/v1/models/{}/tests", control_get_tests, "what tests gave, newest first"},
    {"GET", "/control/v1/models/{}/tests/{}", control_get_test, "one of them, with its report"},
    {"GET", "/control/v1/models/{}/check", control_get_check, "whether a version has the tests of the policy"},
    {"POST", "/control/v1/models/{}/tests", control_post_test, "record what a test gave"},
    {"POST", "/control/v1/models/{}/approve", control_post_approve, "confirm a version as a second person"},
    {"POST", "/control/v1/models/{}/route", control_post_route, "promote, roll back or split"},
    {"GET", "/control/v1/models/{}/rollouts", control_get_rollouts, "rollouts, newest first"},
    {"POST", "/control/v1/models/{}/rollout", control_post_rollout, "start a stepwise promotion"},
    {"POST", "/control/v1/models/{}/rollout/{}", control_post_rollout_change, "pause, resume, abort or skip a step"},
    {"GET", "/control/v1/experiments", control_get_experiments, "A/B tests, running ones first"},
    {"GET", "/control/v1/models/{}/experiments/{}", control_get_experiment, "look at an A/B test"},
    {"POST", "/control/v1/models/{}/experiments", control_post_experiment, "start an A/B test"},
    {"POST", "/control/v1/models/{}/experiments/{}/stop", control_post_experiment_stop, "end an A/B test"},
    {"GET", "/control/v1/alerts", control_get_alerts, "what is wrong, and was"},
    {"POST", "/control/v1/alerts/{}/acknowledge", control_post_alert_acknowledge, "say that somebody looks at it"},
    {"POST", "/control/v1/models/{}/versions/{}/load", control_post_load, "load a version"},
    {"GET", "/control/v1/jobs", control_get_jobs, "test and batch runs"},
    {"GET", "/control/v1/jobs/last/{}/{}", control_get_job_last,
     "what a kind of job was last started with, of a model"},
    {"GET", "/control/v1/jobs/{}", control_get_job, "one of them, with its output"},
    {"POST", "/control/v1/jobs", control_post_job, "start a job, or register one"},
    {"POST", "/control/v1/jobs/{}/again", control_post_job_again, "start one as it was started"},
    {"POST", "/control/v1/jobs/{}/progress", control_post_job_progress, "how far a job is"},
    {"POST", "/control/v1/jobs/{}/end", control_post_job_end, "how a job ended"},
    {"POST", "/control/v1/jobs/{}/cancel", control_post_job_cancel, "ask a job to stop"},
    {"POST", "/control/v1/stop", post_stop, "drain and end"},
};

void control_handle(void *context, const struct http_request *request, struct http_response *response)
{
	struct err e;
	if (control_check_peer(context, request, &e) != 0) {
		control_refuse(response, &e);
		return;
	}
	/* The prediction API is here too: what is asked over this socket is an operator's own, and no traffic. */
	if (strncmp(request->path, "/control/", 9) != 0) {
		data_plane_handle(context, request, response);
		return;
	}
	unsigned long recorded = registry_recorded();
	http_dispatch(routes, sizeof routes / sizeof *routes, context, request, response, control_refuse);
	if (registry_recorded() == recorded)
		control_record_refusal(context, request, response);
	else
		FAULT_POINT(answer);
}
