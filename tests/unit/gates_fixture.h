/* gates_fixture: a model of three versions, in the registry and as it is served, and one case for a gate. */
#ifndef TESTS_UNIT_GATES_FIXTURE_H
#define TESTS_UNIT_GATES_FIXTURE_H

#include "core/clock.h"
#include "registry_fixture.h"
#include "runtime/gate/beside.h"
#include "runtime/gate/gates.h"

#include <math.h>
#include <string.h>

enum { VERSIONS = 3 };

static inline int away(void *model, struct err *e)
{
	(void)model;
	return err_set(e, ERR_UPSTREAM, "its server is away");
}

static const struct engine fake_engine = {.name = "fake"};
__attribute__((unused)) static const struct engine away_engine = {.name = "away", .ready = away};

/* A model of three versions, v1 live, in the registry and as it is served. */
struct world {
	char directory[256];
	struct registry *r;
	struct served_model m;
	struct served_version versions[VERSIONS];
	struct served_version *list[VERSIONS];
	struct served_life lives[VERSIONS];
	struct tensor_spec input, output;
	/* One case, to be changed by each test. */
	struct policy policy;
	struct route_change change;
	struct actor actor;
	struct rollout rollout;
	struct shadow_stats compared;
	struct analysis_arm version_arm, live_arm;
	struct gate_case c;
};

static inline int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct deploy_result result;
	struct err e = {.text = ""};
	fixture_directory(w->directory);
	w->r = fixture_open(w->directory);
	w->input = (struct tensor_spec){.name = "x", .datatype = "FP64", .dimension_count = 1, .dimensions = {-1}};
	w->output = (struct tensor_spec){.name = "y", .datatype = "FP64", .dimension_count = 1, .dimensions = {-1}};
	strcpy(w->m.name, "churn");
	w->m.versions = w->list;
	w->m.version_count = VERSIONS;
	for (uint32_t i = 0; i < VERSIONS; i++) {
		char content[] = {(char)('a' + i), '\0'};
		assert_int_equal(fixture_deploy(w->r, "churn", content, false, &result, &e), 0);
		struct served_version *v = w->list[i] = &w->versions[i];
		v->version = i + 1;
		v->life = &w->lives[i];
		v->engine = &fake_engine;
		v->telemetry = telemetry_new(NULL);
		v->created_ms = clock_unix_ms() - 3600 * 1000;
		v->manifest.inputs = &w->input;
		v->manifest.outputs = &w->output;
		v->manifest.input_count = v->manifest.output_count = 1;
	}
	route_single(&w->m.route, 1);
	policy_init(&w->policy);
	w->actor = operator;
	w->change = (struct route_change){
	    .model = "churn", .action = "promote", .version = 2, .expect_revision = -1, .reason = "better"};
	w->c = (struct gate_case){.registry = w->r,
				  .model = &w->m,
				  .change = &w->change,
				  .actor = &w->actor,
				  .policy = &w->policy,
				  .version = w->list[1],
				  .live = w->list[0],
				  .first = true,
				  .all = true,
				  .now_ms = clock_unix_ms(),
				  .compared = &w->compared};
	*state = w;
	return 0;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;
	for (size_t i = 0; i < VERSIONS; i++) {
		telemetry_free(w->versions[i].telemetry);
		beside_free(w->lives[i].beside);
	}
	registry_close(w->r);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static inline void set(struct world *w, const char *name, const char *text)
{
	struct err e = {.text = ""};
	if (policy_set(&w->policy, name, text, &e) != 0)
		fail_msg("%s", e.text);
}

/* Keeps the policy in the registry, for gates_judge(). */
static inline void keep(struct world *w)
{
	struct policy_record record;
	struct err e = {.text = ""};
	if (registry_set_policy(w->r, "churn", &w->policy, -1, "", &operator, & record, &e) != 0)
		fail_msg("%s", e.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
