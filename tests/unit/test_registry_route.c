/* Changes of routes beyond promote and split: shadows, whole routes, and rollouts with their revisions. */
#include "core/registry/registry_rollouts.h"
#include "registry_fixture.h"

static char directory[256];
static struct registry *r;
static struct revision_record revision;

static int set_up(void **state)
{
	(void)state;
	struct deploy_result result;
	fixture_directory(directory);
	r = fixture_open(directory);
	for (int i = 0; i < 9; i++) {
		const char content[] = {(char)('1' + i), '\0'};
		assert_int_equal(fixture_deploy(r, "m", content, false, &result, NULL), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	registry_close(r);
	fixture_remove(directory);
	return 0;
}

/* Carries out a change and holds its route, or its refusal, against the text. */
static void check(struct route_change change, const char *text)
{
	struct err e = {0};
	char route[128];
	change.model = "m";
	change.expect_revision = -1;
	if (registry_change_route(r, &change, &operator, & revision, &e) == 0) {
		route_text(&revision.route, route, sizeof route);
		assert_string_equal(route, text);
	} else {
		assert_string_equal(e.text, text);
	}
}

#define ENTRIES(...)                                          \
	.weights = (const struct route_entry[]){__VA_ARGS__}, \
	.weight_count = sizeof(struct route_entry[]){__VA_ARGS__} / sizeof(struct route_entry)

static void promote(uint32_t version)
{
	assert_int_equal(fixture_promote(r, "m", version, -1, &revision, NULL), 0);
}

static void undo(const char *text)
{
	check((struct route_change){.action = "rollback"}, text);
}

static void shadows(void **state)
{
	(void)state;
	promote(2);
	check((struct route_change){.action = "shadow", ENTRIES({8, ROUTE_LIVE, 2500}), .reason = "look"},
	      "v2 100% v8 shadow 25%");
	struct audit_record *records;
	size_t count;
	assert_int_equal(registry_audits(r, "m", 0, 1, &records, &count, NULL), 0);
	assert_string_equal(records[0].action, "shadow");
	assert_int_equal(records[0].version, 8);
	assert_string_equal(records[0].detail, "v2 100% v8 shadow 25%");
	free(records);
	check((struct route_change){.action = "shadow", ENTRIES({2, ROUTE_SHADOW, 2500})},
	      "v2 is live, so it cannot be a shadow as well");
	check((struct route_change){.action = "shadow", ENTRIES({10, ROUTE_SHADOW, 2500})},
	      "m has no version 10; it has 1 to 9");
	check((struct route_change){.action = "shadow", ENTRIES({8, ROUTE_SHADOW, 2500})},
	      "the route of m already is v2 100% v8 shadow 25%");
	check((struct route_change){.action = "split", ENTRIES({2, 0, 9000}, {8, 0, 1000})}, "v2 90% v8 10%");
	undo("v2 100% v8 shadow 25%");
	check((struct route_change){.action = "shadow", ENTRIES({8, 0, 0})}, "v2 100%");
	check((struct route_change){.action = "shadow", ENTRIES({8, 0, 0})}, "the route of m already is v2 100%");
	undo("v2 100% v8 shadow 25%");
}

static void whole_routes(void **state)
{
	(void)state;
	check((struct route_change){.action = "apply",
				    ENTRIES({3, ROUTE_LIVE, 4000}, {2, ROUTE_CANARY, 6000}, {8, ROUTE_SHADOW, 100})},
	      "v3 40% v2 60% v8 shadow 1%");
	check((struct route_change){.action = "apply", ENTRIES({3, ROUTE_LIVE, 4000}, {2, ROUTE_LIVE, 6000})},
	      "a route has one live version, not v3 and v2");
	check((struct route_change){.action = "apply", ENTRIES({3, ROUTE_LIVE, 10000})}, "v3 100%");
	check((struct route_change){.action = "apply", ENTRIES({3, ROUTE_LIVE, 10000})},
	      "v3 of m already gets all requests");
	undo("v3 40% v2 60% v8 shadow 1%");
	undo("v1 100%");
}

static struct rollout start(uint32_t version)
{
	struct rollout rollout = {.version = version, .from = 2, .started_ms = 5, .model = "m", .who = "ada"};
	assert_int_equal(rollout_plan(&rollout, "5,25,100", "5m", NULL), 0);
	policy_init(&rollout.thresholds);
	return rollout;
}

/* The step that the rollout is at. */
static void step(struct rollout *rollout, const char *text)
{
	uint32_t share = rollout->steps[rollout->step].weight_bp;
	check((struct route_change){.action = "rollout",
				    .rollout = rollout,
				    .version = rollout->version,
				    ENTRIES({2, 0, ROUTE_BUCKETS - share}, {rollout->version, 0, share})},
	      text);
}

static struct rollout newest(void)
{
	struct rollout *rollouts, first;
	size_t count;
	assert_int_equal(registry_rollouts(r, "m", 1, &rollouts, &count, NULL), 0);
	assert_int_equal(count, 1);
	first = rollouts[0];
	free(rollouts);
	return first;
}

static void a_rollout_is_one_change(void **state)
{
	(void)state;
	promote(2);
	struct rollout rollout = start(3);
	step(&rollout, "v2 95% v3 5%");
	assert_int_equal(rollout.id, 1);
	assert_int_equal(rollout.first_revision, 2);
	assert_int_equal(rollout.revision, 3);
	/* Shadows may change meanwhile. */
	check((struct route_change){.action = "shadow", ENTRIES({8, 0, 100})}, "v2 95% v3 5% v8 shadow 1%");
	rollout.step = 1;
	step(&rollout, "v2 75% v3 25% v8 shadow 1%");
	rollout.step = 2;
	rollout.state = ROLLOUT_DONE;
	step(&rollout, "v3 100% v8 shadow 1%");
	assert_true(rollout.ended_ms > 0);
	rollout = newest();
	assert_int_equal(rollout.state, ROLLOUT_DONE);
	assert_int_equal(rollout.revision, 6);
	struct audit_record *records;
	size_t count;
	assert_int_equal(registry_audits(r, "m", 0, 1, &records, &count, NULL), 0);
	assert_string_equal(records[0].detail, "v3 100% v8 shadow 1%; rollout 1 done, step 3 of 3");
	assert_int_equal(records[0].version, 3);
	assert_non_null(strstr(records[0].data, ",\"rollout\":1,\"terms\":{"));
	free(records);
	/* A second one, and both are undone as wholes. */
	struct rollout second = start(4);
	second.step = 1;
	check((struct route_change){.action = "rollout", .rollout = &second, ENTRIES({3, 0, 7500}, {4, 0, 2500})},
	      "v3 75% v4 25% v8 shadow 1%");
	second.step = 2;
	second.state = ROLLOUT_DONE;
	check((struct route_change){.action = "rollout", .rollout = &second, ENTRIES({4, 0, 10000})},
	      "v4 100% v8 shadow 1%");
	undo("v3 100% v8 shadow 1%");
	undo("v2 100%");
	undo("v1 100%");
	undo("there is nothing further back to roll m back to: v1 100% is its first route");
}

static void nothing_else_changes_the_route(void **state)
{
	(void)state;
	static const char held[] = "m is in rollout 1 of v3 (running, step 1 of 3: 5%): wait for its end, or "
				   "mldeck rollout m --abort";
	promote(2);
	struct rollout rollout = start(3), other = start(4);
	step(&rollout, "v2 95% v3 5%");
	check((struct route_change){.action = "promote", .version = 3}, held);
	check((struct route_change){.action = "split", ENTRIES({2, 0, 10000})}, held);
	check((struct route_change){.action = "apply", ENTRIES({2, 0, 10000})}, held);
	step(&other, held);
	assert_int_equal(other.id, 0);
	check((struct route_change){.action = "rollout"},
	      "a rollout is started with its steps: mldeck rollout m VERSION --steps");
	/* What was refused left the rollout as it was, and a dry run writes nothing. */
	rollout.step = 1;
	check(
	    (struct route_change){
		.action = "rollout", .rollout = &rollout, .dry_run = true, ENTRIES({2, 0, 7500}, {3, 0, 2500})},
	    "v2 75% v3 25%");
	assert_int_equal(newest().step, 0);
	/* An abort gives the route back, exactly, and ends it. */
	rollout.step = 0;
	rollout.state = ROLLOUT_ABORTED;
	check((struct route_change){.action = "rollout", .rollout = &rollout, .to_revision = 2}, "v2 100%");
	step(&rollout, "rollout 1 of m has ended meanwhile");
	assert_int_equal(newest().state, ROLLOUT_ABORTED);
	undo("v1 100%");
}

static void a_rollback_ends_it(void **state)
{
	(void)state;
	promote(2);
	check((struct route_change){.action = "split", ENTRIES({2, 0, 9500}, {3, 0, 500})}, "v2 95% v3 5%");
	/* A first step that is the route of now is a start all the same. */
	struct rollout rollout = start(3);
	step(&rollout, "v2 95% v3 5%");
	check((struct route_change){.action = "rollback", .reason = "late"}, "v2 95% v3 5%");
	struct rollout ended = newest();
	assert_int_equal(ended.state, ROLLOUT_ABORTED);
	assert_string_equal(ended.note, "rolled back by ada: late");
	assert_int_equal(ended.revision, 5);
	assert_true(ended.ended_ms > 0);
	undo("v2 100%");
	/* To a route that is named. */
	struct rollout second = start(3);
	step(&second, "v2 95% v3 5%");
	check((struct route_change){.action = "rollback", .to_revision = 1}, "v1 100%");
	ended = newest();
	assert_int_equal(ended.id, 2);
	assert_int_equal(ended.state, ROLLOUT_ABORTED);
	promote(4);
}

static void the_mark_of_force_comes_back(void **state)
{
	(void)state;
	check((struct route_change){.action = "promote", .version = 3, .forced = true}, "v3 100%");
	uint32_t forced = revision.revision;
	assert_true(revision.forced);
	undo("v1 100%");
	assert_false(revision.forced);
	check((struct route_change){.action = "rollback", .to_revision = forced}, "v3 100%");
	assert_true(revision.forced);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(shadows),
	    CASE(whole_routes),
	    CASE(a_rollout_is_one_change),
	    CASE(nothing_else_changes_the_route),
	    CASE(a_rollback_ends_it),
	    CASE(the_mark_of_force_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
