/* A job started twice, and what the next one begins with; the jobs are of a shell: this test's own process. */
#include "registry_fixture.h"

#include "runtime/job/jobs.h"

#include <pthread.h>

struct world {
	char directory[256];
	struct registry *registry;
	struct jobs *jobs;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct err e;
	fixture_directory(w->directory);
	w->registry = fixture_open(w->directory);
	const struct jobs_options options = {.registry = w->registry, .socket = "/nowhere/socket", .state = "/nowhere"};
	if (jobs_new(&options, &w->jobs, &e) != 0)
		fail_msg("%s", e.text);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	jobs_free(w->jobs);
	registry_close(w->registry);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static void the_same_test_is_refused(void **state)
{
	static const struct {
		const char *kind, *model, *command, *target;
		uint32_t version;
		bool refused;
	} others[] = {
	    {"diff", "churn", "mldeck diff churn 3 --data b.csv", "", 3, true},
	    {"diff", "churn", "mldeck diff churn 2 --data a.csv", "", 2, false},
	    {"diff", "price", "mldeck diff price 3", "", 3, false},
	    {"bench", "churn", "mldeck bench churn 3", "", 3, false},
	    {"train", "churn", "mldeck train churn -- sh", "", 0, true},
	    {"train", "churn", "mldeck train churn -- bash", "", 0, false},
	    {"train", "churn", "mldeck train churn -- ksh", "/tmp/model.txt", 0, true},
	    {"train", "price", "mldeck train price -- sh", "", 0, false},
	    /* Where predictions go to standard output the same command makes two of them. */
	    {"predict", "churn", "mldeck predict churn", "", 3, false},
	};
	struct world *w = *state;
	struct job_record running = {.kind = "diff", .model = "churn", .command = "mldeck diff churn 3", .version = 3};
	struct err e;
	int64_t id, first;
	assert_int_equal(jobs_register(w->jobs, &running, "", getpid(), &operator, & first, &e), 0);
	running = (struct job_record){
	    .kind = "train", .model = "churn", .command = "mldeck train churn -- sh", .target = "/tmp/model.txt"};
	assert_int_equal(jobs_register(w->jobs, &running, "", getpid(), &operator, & id, &e), 0);
	running =
	    (struct job_record){.kind = "predict", .model = "churn", .command = "mldeck predict churn", .version = 3};
	assert_int_equal(jobs_register(w->jobs, &running, "", getpid(), &operator, & id, &e), 0);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct job_record other = {.version = others[i].version};
		snprintf(other.kind, sizeof other.kind, "%s", others[i].kind);
		snprintf(other.model, sizeof other.model, "%s", others[i].model);
		snprintf(other.command, sizeof other.command, "%s", others[i].command);
		snprintf(other.target, sizeof other.target, "%s", others[i].target);
		e = (struct err){0};
		if ((jobs_check_shell(w->jobs, &other, &e) != 0) != others[i].refused)
			fail_msg("%s: %s", other.command, e.text);
		assert_int_equal(e.code, others[i].refused ? ERR_CONFLICT : ERR_NONE);
	}
	running = (struct job_record){.kind = "diff", .model = "churn", .version = 3};
	assert_int_equal(jobs_register(w->jobs, &running, "", getpid(), &operator, & id, &e), -1);
	assert_string_equal(e.text,
			    "job 1 (diff of churn v3, running) is the same: wait for it, or cancel it with mldeck "
			    "cancel 1");
	assert_int_equal(jobs_end(w->jobs, first, JOB_DONE, "", &e), 0);
	assert_int_equal(jobs_register(w->jobs, &running, "", getpid(), &operator, & id, &e), 0);
}

#define RACERS 8

struct racer {
	struct world *world;
	pthread_barrier_t *gate;
	bool won;
	struct err err;
};

static void *race(void *context)
{
	struct racer *r = context;
	struct job_record record = {.kind = "stress", .model = "churn", .version = 3};
	int64_t id;
	pthread_barrier_wait(r->gate);
	r->won = jobs_register(r->world->jobs, &record, "", getpid(), &operator, & id, &r->err) == 0;
	return NULL;
}

static void of_many_at_once_one_starts(void **state)
{
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	pthread_barrier_t gate;
	int won = 0;
	pthread_barrier_init(&gate, NULL, RACERS);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.world = *state, .gate = &gate};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		won += racers[i].won;
		assert_true(racers[i].won || racers[i].err.code == ERR_CONFLICT);
	}
	pthread_barrier_destroy(&gate);
	assert_int_equal(won, 1);
}

static void what_a_kind_was_last_started_with_is_known(void **state)
{
	struct world *w = *state;
	struct job_record record = {.kind = "diff", .model = "churn", .version = 3}, last;
	struct job_details details;
	struct err e;
	int64_t id;
	bool found = true;
	assert_int_equal(registry_job_last(w->registry, "diff", "churn", &last, &details, &found, &e), 0);
	assert_false(found);
	static const struct {
		const char *start;
		enum job_state outcome;
	} runs[] = {{"{\"data\":\"/a.csv\"}", JOB_DONE}, {"{\"data\":\"/b.csv\"}", JOB_FAILED}, {"", JOB_DONE}};
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		assert_int_equal(jobs_register(w->jobs, &record, runs[i].start, getpid(), &operator, & id, &e), 0);
		assert_int_equal(jobs_end(w->jobs, id, runs[i].outcome, "", &e), 0);
	}
	assert_int_equal(registry_job_last(w->registry, "diff", "churn", &last, &details, &found, &e), 0);
	assert_true(found);
	assert_int_equal(last.id, 1);
	assert_string_equal(details.start, "{\"data\":\"/a.csv\"}");
	job_details_release(&details);
	assert_int_equal(registry_job_last(w->registry, "diff", "price", &last, &details, &found, &e), 0);
	assert_false(found);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_same_test_is_refused),
	    TEST(of_many_at_once_one_starts),
	    TEST(what_a_kind_was_last_started_with_is_known),
	};
	return cmocka_run_group_tests_name("jobs_same", tests, NULL, NULL);
}
