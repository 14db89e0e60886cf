/* A/B tests in the registry: what a batch of records does, whole or not at all. */
#include "core/registry/registry_internal.h"
#include "experiment_store_fixture.h"

enum { CONVERSION, CLICKS, REVENUE, LOSS, SLOW };

#define HOUR_MS 3600000

static void sums_are_those_of_the_units(void **state)
{
	(void)state;
	struct store s;
	struct experiment_exposure served[40];
	struct experiment_outcome told[40];
	store_begin(&s);
	for (int i = 0; i < 40; i++)
		served[i] = store_exposure(&s, i / 2, 0, i); /* each unit twice */
	for (int i = 0; i < 40; i++)
		told[i] = store_outcome(&s, i / 2, i % 2 == 0 ? CONVERSION : REVENUE, i % 2 == 0 ? i % 4 / 2 : i, 100);
	struct experiment_counts counts = store_apply_at(&s, s.t0 + 1000, served, 40, told, 40, NULL);
	assert_true(counts.units == 20 && counts.requests == 40);
	assert_int_equal(counts.outcomes[EXPERIMENT_RESULT_ACCEPTED], 40);
	store_reopen(&s);
	struct experiment_state *seen = store_state(&s);
	assert_true(seen->exposed[0] == 10 && seen->exposed[1] == 10 && seen->faults == 0);
	assert_true(seen->sums[0][CONVERSION].count == 10 && seen->sums[0][CONVERSION].y == 0);
	assert_true(seen->sums[1][CONVERSION].count == 10 && seen->sums[1][CONVERSION].y == 10);
	assert_true(seen->sums[1][REVENUE].count == 10 && seen->sums[1][LOSS].count == 0);
	assert_true((double)seen->sums[0][REVENUE].y * experiment_scale(&s.plan.metrics[REVENUE]) == 190);
	/* Requests: all of them, two a unit. Units 2, 5, 8 ... of both arms are slow. */
	assert_true(seen->sums[0][SLOW].x == 20 && seen->sums[0][SLOW].y == 2 * 3);
	experiment_state_free(seen);
	store_close(&s);
}

/* Units 1 to 4 and 6 are served a second after the start, by requests 11, 12, 12, 14 and none. */
static void serve_some(struct store *s)
{
	struct experiment_exposure served[] = {
	    store_exposure(s, 1, 11, 1000), store_exposure(s, 2, 12, 1000), store_exposure(s, 3, 12, 1000),
	    store_exposure(s, 4, 14, 1000), store_exposure(s, 6, 0, 1000),
	};
	served[3].prediction = (double)NAN;
	store_apply_at(s, s->t0 + 2000, served, 5, NULL, 0, NULL);
}

/* Told a second after the end of the window, in this order; request 0: by unit. */
static const struct {
	int unit, request, metric;
	double value;
	int64_t after_ms;
	enum experiment_result result;
} told_late[] = {
    {1, 0, CONVERSION, 1, 1500, EXPERIMENT_RESULT_ACCEPTED},
    {1, 0, CONVERSION, 1, 1500, EXPERIMENT_RESULT_DUPLICATE},
    {1, 0, CONVERSION, 0, 1500, EXPERIMENT_RESULT_CONTRADICTORY}, /* its key is of unit and moment */
    {99, 0, CONVERSION, 1, 1500, EXPERIMENT_RESULT_UNKNOWN_UNIT},
    {0, 99, CONVERSION, 1, 1500, EXPERIMENT_RESULT_UNKNOWN_REQUEST},
    {0, 12, CONVERSION, 1, 1500, EXPERIMENT_RESULT_AMBIGUOUS},
    {1, 0, -1, 1, 1500, EXPERIMENT_RESULT_UNKNOWN_METRIC},
    {1, 0, SLOW, 1, 1500, EXPERIMENT_RESULT_UNKNOWN_METRIC}, /* that is of requests */
    {2, 0, CONVERSION, 1, -EXPERIMENT_SKEW_MS - 1, EXPERIMENT_RESULT_BEFORE_START},
    {2, 0, CONVERSION, 1, 999 - EXPERIMENT_SKEW_MS, EXPERIMENT_RESULT_BEFORE_EXPOSURE},
    {2, 0, CONVERSION, 1, HOUR_MS + 1001, EXPERIMENT_RESULT_LATE},
    {2, 0, CONVERSION, 1, 3 * HOUR_MS, EXPERIMENT_RESULT_FUTURE},
    {4, 0, LOSS, 1, 1500, EXPERIMENT_RESULT_NO_PREDICTION},
    {0, 14, LOSS, 1, 1501, EXPERIMENT_RESULT_NO_PREDICTION},
    {1, 0, CONVERSION, (double)NAN, 1500, EXPERIMENT_RESULT_BAD_VALUE}, /* whatever its key */
    {2, 0, CONVERSION, 0.5, 1500, EXPERIMENT_RESULT_BAD_VALUE},
    {0, 11, LOSS, 1, 1500, EXPERIMENT_RESULT_ACCEPTED},
    {2, 0, CLICKS, 1, HOUR_MS + 1000, EXPERIMENT_RESULT_ACCEPTED}, /* the last moment */
};
#define TOLD (sizeof told_late / sizeof *told_late)

static void tell_late(struct store *s, enum experiment_result *results)
{
	struct experiment_outcome told[TOLD];
	for (size_t i = 0; i < TOLD; i++) {
		struct experiment_outcome *o = &told[i];
		*o =
		    store_outcome(s, told_late[i].unit, told_late[i].metric, told_late[i].value, told_late[i].after_ms);
		if (told_late[i].request == 0)
			continue;
		o->request = store_request(s, told_late[i].request);
		o->key = experiment_key(&s->plan, (size_t)o->metric, NULL, o->request, o->at_ms);
	}
	store_apply_at(s, s->t0 + HOUR_MS + 2000, NULL, 0, told, TOLD, results);
}

/* One of each kind, and none but the accepted changes anything. */
static void outcomes_have_their_results(void **state)
{
	(void)state;
	struct store s;
	enum experiment_result results[TOLD];
	bool kinds[EXPERIMENT_RESULT_COUNT] = {false};
	struct experiment_seen seen;
	store_begin(&s);
	serve_some(&s);
	tell_late(&s, results);
	for (size_t i = 0; i < TOLD; i++) {
		if (results[i] != told_late[i].result)
			fail_msg("outcome %zu is %s", i, experiment_result_name(results[i]));
		kinds[results[i]] = true;
	}
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++)
		assert_true(kinds[i]);
	assert_int_equal(registry_experiment_seen(s.r, &s.record, &seen, NULL), 0);
	const struct experiment_state *sums = seen.state;
	assert_true(sums->sums[1][CONVERSION].y == 1 && sums->sums[0][CONVERSION].y == 0);
	assert_true(sums->sums[0][CLICKS].y == 1 && sums->sums[1][CLICKS].count == 0);
	assert_true(sums->sums[1][LOSS].count == 1 && sums->sums[0][LOSS].count == 0);
	assert_int_equal(sums->faults, 0);
	assert_int_equal(seen.counts.outcomes[EXPERIMENT_RESULT_ACCEPTED], 3);
	assert_int_equal(seen.counts.outcomes[EXPERIMENT_RESULT_BAD_VALUE], 2);
	assert_true(seen.counts.units == 5 && seen.counts.requests == 5);
	experiment_state_free(seen.state);
	store_close(&s);
}

/* What was refused may come again: its key was not taken. What comes again much too late does not. */
static void refused_outcomes_may_come_again(void **state)
{
	(void)state;
	struct store s;
	enum experiment_result result;
	store_begin(&s);
	struct experiment_exposure served = store_exposure(&s, 7, 0, 1000);
	struct experiment_outcome told = store_outcome(&s, 7, CONVERSION, 1, 1000);
	store_apply_at(&s, s.t0 + 2000, NULL, 0, &told, 1, &result);
	assert_int_equal(result, EXPERIMENT_RESULT_UNKNOWN_UNIT);
	store_apply_at(&s, s.t0 + 2000, &served, 1, &told, 1, &result);
	assert_int_equal(result, EXPERIMENT_RESULT_ACCEPTED);
	told = store_outcome(&s, 7, CLICKS, 1, 1000);
	store_apply_at(&s, s.t0 + 1001 + HOUR_MS + EXPERIMENT_ARRIVAL_MS, NULL, 0, &told, 1, &result);
	assert_int_equal(result, EXPERIMENT_RESULT_LATE);
	store_close(&s);
}

/* A second value of a unit takes the place of the first, over batches and restarts, and a count grows. */
static void later_outcomes_replace_earlier_ones(void **state)
{
	(void)state;
	struct store s;
	store_begin(&s);
	struct experiment_exposure served = store_exposure(&s, 1, 0, 0);
	for (int i = 0; i < 3; i++) {
		/* The latest moment comes second. */
		int64_t at = i == 1 ? 900 : 100 * i;
		struct experiment_outcome told[] = {store_outcome(&s, 1, CONVERSION, i != 1, at),
						    store_outcome(&s, 1, REVENUE, 1 << i, at),
						    store_outcome(&s, 1, CLICKS, 1 << i, at)};
		store_apply_at(&s, s.t0 + 1000, &served, 1, told, 3, NULL);
		store_reopen(&s);
	}
	struct experiment_state *seen = store_state(&s);
	assert_true(seen->exposed[1] == 1 && seen->sums[1][SLOW].x == 3);
	assert_true(seen->sums[1][CONVERSION].count == 1 && seen->sums[1][CONVERSION].y == 0);
	assert_true(seen->sums[1][CLICKS].count == 1 && seen->sums[1][CLICKS].y == 7);
	assert_true(seen->sums[1][REVENUE].count == 1);
	assert_true((double)seen->sums[1][REVENUE].y * experiment_scale(&s.plan.metrics[REVENUE]) == 2);
	experiment_state_free(seen);
	store_close(&s);
}

/* The loss of an outcome is that of its request; without one, of the unit's first prediction. */
static void a_loss_is_of_its_request(void **state)
{
	(void)state;
	struct store s;
	store_begin(&s);
	struct experiment_exposure served[] = {store_exposure(&s, 1, 11, 10), store_exposure(&s, 1, 12, 20),
					       store_exposure(&s, 3, 13, 10), store_exposure(&s, 3, 14, 20)};
	served[0].prediction = served[2].prediction = 0.5;
	served[1].prediction = served[3].prediction = 1;
	struct experiment_outcome told[] = {store_outcome(&s, 1, LOSS, 0, 30), store_outcome(&s, 3, LOSS, 0, 30)};
	told[0].request = store_request(&s, 12);
	store_apply_at(&s, s.t0 + 100, served, 4, told, 1, NULL);
	struct experiment_state *seen = store_state(&s);
	assert_true((double)seen->sums[1][LOSS].y * experiment_scale(&s.plan.metrics[LOSS]) == 1);
	experiment_state_free(seen);
	store_apply_at(&s, s.t0 + 100, NULL, 0, told + 1, 1, NULL);
	seen = store_state(&s);
	assert_true((double)seen->sums[1][LOSS].y * experiment_scale(&s.plan.metrics[LOSS]) == 1.25);
	experiment_state_free(seen);
	store_close(&s);
}

static void a_batch_is_whole_or_nothing(void **state)
{
	(void)state;
	struct store s;
	struct experiment_counts counts;
	struct err e = {.text = ""};
	store_begin(&s);
	struct experiment_exposure served[] = {store_exposure(&s, 1, 11, 10), store_exposure(&s, 2, 12, 20)};
	served[1].arm = 2;
	struct experiment_batch batch = {.now_ms = s.t0 + 100, .exposures = served, .exposure_count = 2, .lost = 1};
	struct experiment_state *before = store_state(&s);
	assert_int_equal(registry_experiment_apply(s.r, s.record.id, &batch, &counts, &e), -1);
	assert_string_equal(e.text, "the A/B test `first` has no arm 2");
	struct experiment_state *after = store_state(&s);
	assert_true(experiment_state_equal(before, after));
	experiment_state_free(before);
	experiment_state_free(after);
	/* The unit is not there either: given again it is the first of its unit. */
	served[1].arm = 0;
	assert_int_equal(registry_experiment_apply(s.r, s.record.id, &batch, &counts, &e), 0);
	assert_true(counts.units == 2 && counts.lost == 1);
	after = store_state(&s);
	assert_int_equal(after->faults, 1u << EXPERIMENT_FAULT_LOST);
	experiment_state_free(after);
	batch.exposure_count = EXPERIMENT_BATCH_MAX + 1;
	assert_int_equal(registry_experiment_apply(s.r, s.record.id, &batch, &counts, &e), -1);
	assert_says(e.text, "at most 65536 records");
	batch.exposure_count = 0;
	assert_int_equal(registry_experiment_apply(s.r, 99, &batch, &counts, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	store_close(&s);
}

/* What nobody may be: served by both arms. */
static void a_unit_in_two_arms_is_a_fault(void **state)
{
	(void)state;
	struct store s;
	store_begin(&s);
	struct experiment_exposure served[] = {store_exposure(&s, 1, 11, 10), store_exposure(&s, 1, 12, 20)};
	served[1].arm = 0;
	struct experiment_counts counts = store_apply_at(&s, s.t0 + 100, served, 2, NULL, 0, NULL);
	assert_true(counts.units == 1 && counts.requests == 1);
	struct experiment_state *seen = store_state(&s);
	assert_int_equal(seen->faults, 1u << EXPERIMENT_FAULT_ARMS);
	experiment_state_free(seen);
	store_close(&s);
}

static uint32_t faults_of(struct store *s)
{
	struct experiment_state *seen = store_state(s);
	uint32_t faults = seen->faults;
	experiment_state_free(seen);
	return faults;
}

static void a_clock_that_steps_back_is_a_fault(void **state)
{
	(void)state;
	const uint32_t clock = 1u << EXPERIMENT_FAULT_CLOCK;
	struct store s;
	/* Between batches: over a restart too. */
	store_begin(&s);
	store_apply_at(&s, s.t0 + 60000, NULL, 0, NULL, 0, NULL);
	store_reopen(&s);
	store_apply_at(&s, s.t0 + 60000 - EXPERIMENT_SKEW_MS, NULL, 0, NULL, 0, NULL);
	assert_int_equal(faults_of(&s), 0);
	store_apply_at(&s, s.t0 + 59999 - EXPERIMENT_SKEW_MS, NULL, 0, NULL, 0, NULL);
	assert_int_equal(faults_of(&s), clock);
	/* It stays, and the time of the test did not go back: an outcome from after it is not from the future. */
	struct experiment_exposure served = store_exposure(&s, 1, 0, 60000);
	struct experiment_outcome told = store_outcome(&s, 1, CONVERSION, 1, 60000);
	enum experiment_result result;
	store_apply_at(&s, s.t0, &served, 1, &told, 1, &result);
	assert_int_equal(result, EXPERIMENT_RESULT_ACCEPTED);
	store_close(&s);
	/* Between a record and its batch, and before the start. */
	for (int i = 0; i < 2; i++) {
		store_begin(&s);
		served = store_exposure(&s, 1, 0, i == 0 ? 1001 + EXPERIMENT_SKEW_MS : -1 - EXPERIMENT_SKEW_MS);
		store_apply_at(&s, s.t0 + 1000, &served, 1, NULL, 0, NULL);
		assert_int_equal(faults_of(&s), clock);
		store_close(&s);
	}
	store_begin(&s);
	struct err e = {.text = ""};
	assert_int_equal(registry_experiment_fault(s.r, s.record.id, EXPERIMENT_FAULT_LOAD, &e), 0);
	assert_int_equal(registry_experiment_fault(s.r, s.record.id, EXPERIMENT_FAULT_LOAD, &e), 0);
	assert_int_equal(faults_of(&s), 1u << EXPERIMENT_FAULT_LOAD);
	assert_int_equal(registry_experiment_fault(s.r, 99, EXPERIMENT_FAULT_LOAD, &e), -1);
	store_close(&s);
}

static void an_ended_test_takes_outcomes_alone(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	enum experiment_result result;
	store_begin(&s);
	struct experiment_exposure served = store_exposure(&s, 1, 0, 0);
	store_apply_at(&s, s.t0, &served, 1, NULL, 0, NULL);
	struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
	served = store_exposure(&s, 3, 0, 60000);
	struct experiment_outcome told = store_outcome(&s, 1, CONVERSION, 1, 60000);
	struct experiment_counts counts = store_apply_at(&s, s.t0 + 60000, &served, 1, &told, 1, &result);
	assert_true(counts.requests == 0 && counts.units == 0);
	assert_int_equal(result, EXPERIMENT_RESULT_ACCEPTED);
	store_close(&s);
}

/* --- what is removed --- */

static int64_t number(struct store *s, const char *sql)
{
	struct statement *query = db_prepare(s->r->db, sql, NULL);
	assert_int_equal(db_step(query, NULL), 1);
	int64_t value = db_integer(query, 0);
	db_end(query);
	return value;
}

#define ROWS                                                                                          \
	"SELECT (SELECT count(*) FROM experiment_request) + (SELECT count(*) FROM experiment_key) + " \
	"(SELECT count(*) FROM experiment_unit)"

/* Goes round until nothing is left to go. */
static size_t prune_all(struct store *s, int64_t now_ms)
{
	size_t removed, sum = 0;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(registry_experiments_prune(s->r, now_ms, 30, &removed, NULL), 0);
		assert_true(removed <= 33);
		sum += removed;
	}
	return sum;
}

static void what_expired_is_removed(void **state)
{
	(void)state;
	struct store s;
	struct experiment_exposure served[100];
	struct experiment_outcome told[100];
	struct revision_record revision;
	struct err e = {.text = ""};
	store_begin(&s);
	for (int i = 0; i < 100; i++) {
		served[i] = store_exposure(&s, i, 1000 + i, i < 50 ? 0 : 60000);
		told[i] = store_outcome(&s, i, CONVERSION, 1, 60000);
	}
	store_apply_at(&s, s.t0 + 60000, served, 100, told, 100, NULL);
	assert_int_equal(number(&s, ROWS), 300);
	int64_t expires_ms = s.t0 + HOUR_MS + EXPERIMENT_ARRIVAL_MS;
	assert_int_equal(prune_all(&s, expires_ms), 0);
	assert_int_equal(prune_all(&s, expires_ms + 1), 100);
	assert_int_equal(number(&s, ROWS), 200);
	/* A retry of what was removed is late, and does not count again. */
	enum experiment_result results[100];
	struct experiment_state *before = store_state(&s);
	store_apply_at(&s, expires_ms + 1, NULL, 0, told, 100, results);
	for (int i = 0; i < 100; i++)
		assert_int_equal(results[i], i < 50 ? EXPERIMENT_RESULT_LATE : EXPERIMENT_RESULT_DUPLICATE);
	/* Nor is it with a clock that was set back in between. */
	store_apply_at(&s, s.t0 + 60000, NULL, 0, told, 50, results);
	for (int i = 0; i < 50; i++)
		assert_int_equal(results[i], EXPERIMENT_RESULT_LATE);
	struct experiment_state *after = store_state(&s);
	after->faults = 0; /* that of the clock */
	assert_true(experiment_state_equal(before, after));
	experiment_state_free(after);
	/* Units go when the test is closed; the sums stay. */
	struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
	assert_int_equal(registry_experiment(s.r, "m", NULL, &s.record, &e), 0);
	int64_t closes_ms = s.record.ended_ms + HOUR_MS + EXPERIMENT_ARRIVAL_MS;
	prune_all(&s, closes_ms);
	assert_int_equal(number(&s, "SELECT count(*) FROM experiment_unit"), 100);
	prune_all(&s, closes_ms + 60001);
	assert_int_equal(number(&s, ROWS), 0);
	after = store_state(&s);
	after->faults = 0;
	assert_true(experiment_state_equal(before, after));
	experiment_state_free(before);
	experiment_state_free(after);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_are_those_of_the_units),        cmocka_unit_test(outcomes_have_their_results),
	    cmocka_unit_test(refused_outcomes_may_come_again),    cmocka_unit_test(later_outcomes_replace_earlier_ones),
	    cmocka_unit_test(a_loss_is_of_its_request),           cmocka_unit_test(a_batch_is_whole_or_nothing),
	    cmocka_unit_test(a_unit_in_two_arms_is_a_fault),      cmocka_unit_test(a_clock_that_steps_back_is_a_fault),
	    cmocka_unit_test(an_ended_test_takes_outcomes_alone), cmocka_unit_test(what_expired_is_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
