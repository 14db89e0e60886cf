/*
 * fault_work: changes models as fast as it can, and says what was done, until it is killed or has done 60 things.
 *
 * usage: fault_work STATE SEED. Registry and router as in the runtime, without its server: so that hundreds of starts
 * take seconds.
 */
#include "acks.h"
#include "core/clock.h"
#include "core/fault.h"
#include "core/registry/registry_rollouts.h"
#include "lib/experiment_work.h"
#include "runtime/router/router.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACTIONS 60
#define MODEL_FILE "tests/fixtures/forest/x2_linear_json.json"

struct work {
	struct registry *registry;
	struct router *router;
	struct config config;
	struct change_outcome outcome;
	struct rollout rollout; /* id 0: none is open */
	uint32_t versions;
	struct experiment_record experiment;
	uint64_t units; /* of it */
};

static const struct actor operator= {.uid = 1000, .name = "ada", .client = "mldeck test"};

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "fault_work: %s: %s\n", what, e->text);
	_exit(2);
}

static void acknowledge(struct work *w, struct ack *ack)
{
	struct err e = {0};
	/* What a client of the runtime would have been told. */
	FAULT_POINT(answer);
	if (registry_audit_head(w->registry, &ack->head, &e) != 0)
		die("head", &e);
	if (write(ACK_FD, ack, sizeof *ack) != (ssize_t)sizeof *ack)
		_exit(3);
}

static void deploy_to(struct work *w, const char *model)
{
	static char content[65536];
	struct artifact *artifact;
	struct err e = {0};
	uint64_t size_bytes, baseline_count;
	struct deploy_result result;
	char sha256[65];
	int fd = open(MODEL_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd >= 0 ? read(fd, content, sizeof content - 512) : -1;
	if (size <= 0)
		die(MODEL_FILE, &e);
	close(fd);
	/* Blanks behind the JSON make it another file. */
	memset(content + size, ' ', w->versions);
	if (artifact_begin(w->registry, &artifact, &e) != 0 ||
	    artifact_write(artifact, content, (size_t)size + w->versions, &e) != 0 ||
	    artifact_commit(artifact, sha256, &size_bytes, &e) != 0)
		die("artifact", &e);
	const struct deploy_request request = {
	    .model = model, .sha256 = sha256, .file_name = "model.json", .reason = "new"};
	if (router_deploy(w->router, &request, &operator, & result, &baseline_count, &e) != 0)
		die("deploy", &e);
	if (strcmp(model, WORK_MODEL) != 0)
		return;
	w->versions = result.version > w->versions ? result.version : w->versions;
	acknowledge(w, &(struct ack){.version = result.version});
}

static void deploy(struct work *w)
{
	deploy_to(w, WORK_MODEL);
}

/* --- an A/B test of another model --- */

/* Its two versions, of which a kill may have left one, and the running test. */
static void begin_experiment(struct work *w)
{
	struct version_record *versions;
	struct err e = {0};
	size_t count = 0;
	if (registry_versions(w->registry, EXPERIMENT_WORK_MODEL, &versions, &count, NULL) == 0)
		version_records_free(versions, count);
	for (; count < 2; count++) {
		/* Another file each time. */
		w->versions += 50 + (uint32_t)count;
		deploy_to(w, EXPERIMENT_WORK_MODEL);
		w->versions -= 50 + (uint32_t)count;
	}
	if (experiment_work_start(w->registry, &operator, & w->experiment, &e) != 0)
		die("experiment", &e);
	acknowledge(w, &(struct ack){.experiment = w->experiment.id});
}

static void take_batch(struct work *w)
{
	struct err e = {0};
	if (experiment_work_batch(w->registry, &w->experiment, &w->units, &e) != 0)
		die("batch", &e);
	acknowledge(w, &(struct ack){.experiment = w->experiment.id, .units = w->units});
}

static void look_at_experiment(struct work *w)
{
	static struct experiment_report report;
	struct err e = {0};
	if (registry_experiment_look(w->registry, w->experiment.id, clock_unix_ms(), &report, &e) != 0)
		die("look", &e);
	acknowledge(w, &(struct ack){.experiment = w->experiment.id, .looks = report.looks});
}

static void act_on_experiment(struct work *w)
{
	struct err e = {0};
	const int kind = rand() % 16;
	if (kind < 11) {
		take_batch(w);
	} else if (kind < 15) {
		look_at_experiment(w);
	} else {
		if (experiment_work_stop(w->registry, &operator, & w->experiment, &e) != 0)
			die("stop", &e);
		begin_experiment(w);
	}
}

/* --- all of it --- */

static void change(struct work *w, struct route_change change)
{
	struct err e = {0};
	change.model = WORK_MODEL;
	change.expect_revision = -1;
	change.reason = "because";
	if (router_change(w->router, &change, &operator, & w->outcome, &e) != 0) {
		/* What cannot be now: there is nothing further back, a rollout is open. */
		if (e.code != ERR_CONFLICT && e.code != ERR_INPUT)
			die(change.action, &e);
		return;
	}
	struct ack ack = {.revision = w->outcome.revision.revision};
	route_text(&w->outcome.revision.route, ack.route, sizeof ack.route);
	if (change.rollout != NULL) {
		ack.rollout = change.rollout->id;
		ack.rollout_state = (int)change.rollout->state;
		ack.rollout_step = change.rollout->step;
	} else if (strcmp(change.action, "rollback") == 0 && w->rollout.id != 0) {
		ack.rollout = w->rollout.id;
		ack.rollout_state = ROLLOUT_ABORTED;
		ack.rollout_step = w->rollout.step;
		w->rollout.id = 0;
	}
	acknowledge(w, &ack);
}

/* Before it, the rollout that is open: as after a start. */
static void find_rollout(struct work *w)
{
	struct rollout *open;
	size_t count;
	struct err e = {0};
	if (registry_open_rollouts(w->registry, &open, &count, &e) != 0)
		die("rollouts", &e);
	w->rollout.id = 0;
	if (count > 0)
		w->rollout = open[0];
	free(open);
}

static void step_rollout(struct work *w, uint32_t version)
{
	struct rollout next = w->rollout;
	struct err e = {0};
	if (next.id == 0) {
		const struct served_model *m = routing_find(router_enter(w->router), WORK_MODEL, NULL);
		uint32_t live = m != NULL ? route_live(&m->route) : 0;
		router_leave(w->router);
		next = (struct rollout){.model = WORK_MODEL, .version = version, .from = live, .who = "ada"};
		policy_init(&next.thresholds);
		if (version == live || rollout_plan(&next, "5,25,100", "1m", &e) != 0)
			return;
	} else if (rand() % 5 == 0) {
		next.state = ROLLOUT_ABORTED;
	} else if (++next.step == next.step_count - 1) {
		next.state = ROLLOUT_DONE;
	}
	uint32_t share = next.steps[next.step].weight_bp;
	const struct route_entry weights[] = {{next.from, ROUTE_LIVE, ROUTE_BUCKETS - share},
					      {next.version, ROUTE_CANARY, share}};
	change(w, (struct route_change){.action = "rollout",
					.rollout = &next,
					.version = next.version,
					.weights = weights,
					.weight_count = 2,
					.to_revision = next.state == ROLLOUT_ABORTED ? next.first_revision : 0});
	find_rollout(w);
}

static void pause_rollout(struct work *w)
{
	struct err e = {0};
	if (w->rollout.id == 0)
		return;
	bool paused = w->rollout.state == ROLLOUT_PAUSED;
	w->rollout.state = paused ? ROLLOUT_RUNNING : ROLLOUT_PAUSED;
	w->rollout.held_ms += 1000;
	if (registry_update_rollout(w->registry, &w->rollout, &operator, paused ? "resume" : "pause", "so", &e) != 0)
		die("pause", &e);
	acknowledge(w, &(struct ack){.rollout = w->rollout.id,
				     .rollout_state = (int)w->rollout.state,
				     .rollout_step = w->rollout.step});
}

static void act(struct work *w)
{
	uint32_t a = 1 + (uint32_t)rand() % w->versions, b = 1 + a % w->versions;
	const struct route_entry halves[] = {{a, 0, 6000}, {b, 0, 4000}};
	const struct route_entry shadow[] = {{a, ROUTE_SHADOW, (uint32_t)(rand() % 2) * 500}};
	const int kind = rand() % 16;
	if (kind < 3 && w->versions < 40)
		deploy(w);
	else if (kind < 6)
		change(w, (struct route_change){.action = "promote", .version = a});
	else if (kind < 8 && a != b)
		change(w, (struct route_change){.action = "split", .weights = halves, .weight_count = 2});
	else if (kind < 10)
		change(w, (struct route_change){.action = "rollback"});
	else if (kind < 11)
		change(w, (struct route_change){.action = "shadow", .weights = shadow, .weight_count = 1});
	else if (kind < 14)
		step_rollout(w, a);
	else
		pause_rollout(w);
}

int main(int argc, char **argv)
{
	static struct work w;
	struct err e = {0};
	if (argc != 3)
		return 2;
	srand((unsigned)strtoul(argv[2], NULL, 10));
	config_init(&w.config);
	if (registry_open(argv[1], &w.registry, &e) != 0 || router_new(w.registry, &w.config, &w.router, &e) != 0)
		die("start", &e);
	struct version_record *versions = NULL;
	size_t count = 0;
	if (registry_versions(w.registry, WORK_MODEL, &versions, &count, NULL) == 0)
		version_records_free(versions, count);
	w.versions = (uint32_t)count;
	find_rollout(&w);
	while (w.versions < 3)
		deploy(&w);
	begin_experiment(&w);
	for (int i = 0; i < ACTIONS; i++)
		rand() % 3 == 0 ? act_on_experiment(&w) : act(&w);
	router_free(w.router);
	registry_close(w.registry);
	return 0;
}
