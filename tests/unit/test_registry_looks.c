/* The log of looks at an A/B test: every one is there, and judged again it says the same, bit for bit, however its
 * records came in. */
#include "core/registry/registry_internal.h"
#include "experiment_store_fixture.h"

enum { CONVERSION, CLICKS, REVENUE, LOSS, SLOW };

#define UNITS 600
#define OUTCOMES (3 * UNITS)
#define LOOK_EVERY 60

static struct experiment_report seen_report;

static void look_at(struct store *s, int64_t after_ms)
{
	struct err e = {.text = ""};
	if (registry_experiment_look(s->r, s->record.id, s->t0 + after_ms, &seen_report, &e) != 0)
		fail_msg("%s", e.text);
}

static struct experiment_look_row *looks_of(struct store *s, size_t *count)
{
	struct experiment_look_row *looks;
	assert_int_equal(registry_experiment_looks(s->r, s->record.id, 0, 10000, &looks, count, NULL), 0);
	return looks;
}

static int64_t replay(struct store *s, size_t *looks)
{
	int64_t different = -1;
	struct err e = {.text = ""};
	if (registry_experiment_replay(s->r, s->record.id, looks, &different, &e) != 0)
		fail_msg("%s", e.text);
	return different;
}

/* --- a log, however it is cut --- */

/* What became of each unit: some are better off in arm 1. */
static void make_log(const struct store *s, struct experiment_exposure *served, struct experiment_outcome *told)
{
	uint64_t seed = 11;
	for (int i = 0; i < UNITS; i++) {
		served[i] = store_exposure(s, i, 1 + i, i);
		double value = simulation_random(&seed) < 0.2 + 0.4 * (i % 2);
		told[3 * i] = store_outcome(s, i, CONVERSION, value, i + 50);
		told[3 * i + 1] = store_outcome(s, i, REVENUE, 10 * simulation_random(&seed), i + 20);
		told[3 * i + 2] = store_outcome(s, i, LOSS, value, i + 30);
		told[3 * i + 2].request = store_request(s, 1 + i);
	}
}

/* All reports, of a log in batches of so many units. twice: every outcome comes twice; backwards: outcomes of a batch
 * are told from the last on. */
static char *reports_of(int batch_units, bool twice, bool backwards, bool reopens)
{
	static struct experiment_exposure served[UNITS];
	static struct experiment_outcome told[OUTCOMES], turned[2 * OUTCOMES];
	struct store s;
	size_t count = 0;
	store_begin(&s);
	make_log(&s, served, told);
	cJSON *all = cJSON_CreateArray();
	for (int from = 0; from < UNITS; from += batch_units) {
		size_t outcomes = 0;
		for (int i = 0; i < 3 * batch_units; i++) {
			int at = backwards ? 3 * batch_units - 1 - i : i;
			turned[outcomes++] = told[3 * from + at];
			if (twice)
				turned[outcomes++] = told[3 * from + at];
		}
		store_apply_at(&s, s.t0 + 1000, served + from, (size_t)batch_units, turned, outcomes, NULL);
		if (reopens)
			store_reopen(&s);
		if ((from + batch_units) % LOOK_EVERY != 0)
			continue;
		char *report;
		look_at(&s, 1000 * (from + batch_units));
		struct experiment_look_row *looks = looks_of(&s, &count);
		assert_int_equal(registry_experiment_look_report(s.r, s.record.id, looks[0].number, &report, NULL), 0);
		cJSON_AddItemToArray(all, cJSON_CreateString(report));
		free(report);
		free(looks);
	}
	assert_int_equal(count, UNITS / LOOK_EVERY);
	assert_int_equal(replay(&s, &count), 0);
	assert_int_equal(count, UNITS / LOOK_EVERY);
	char *text = cJSON_PrintUnformatted(all);
	cJSON_Delete(all);
	store_close(&s);
	return text;
}

static void the_same_records_give_the_same_bits(void **state)
{
	(void)state;
	char *one = reports_of(LOOK_EVERY, false, false, false);
	assert_non_null(strstr(one, "BETTER"));
	char *others[] = {
	    reports_of(LOOK_EVERY, false, true, false),
	    reports_of(LOOK_EVERY, true, false, false),
	    reports_of(20, true, true, false),
	    reports_of(30, false, false, true),
	};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		assert_string_equal(one, others[i]);
		free(others[i]);
	}
	free(one);
}

/* --- the log --- */

static void every_look_is_logged(void **state)
{
	(void)state;
	struct store s;
	size_t count;
	store_begin(&s);
	struct experiment_exposure served[] = {store_exposure(&s, 1, 0, 0), store_exposure(&s, 2, 0, 0)};
	look_at(&s, 1000);
	look_at(&s, 2000); /* nothing has happened */
	look_at(&s, 3000);
	store_apply_at(&s, s.t0 + 3000, served, 2, NULL, 0, NULL);
	look_at(&s, 4000);
	look_at(&s, 2500); /* the clock went back */
	struct experiment_look_row *looks = looks_of(&s, &count);
	assert_int_equal(count, 2);
	assert_true(looks[1].number == 1 && looks[1].times == 3 && looks[1].exposed == 0);
	assert_true(looks[1].at_ms == s.t0 + 1000 && looks[1].last_ms == s.t0 + 3000 && looks[1].elapsed_s == 3);
	assert_true(looks[0].number == 4 && looks[0].times == 2 && looks[0].exposed == 2);
	assert_true(looks[0].last_ms == s.t0 + 4000 && looks[0].elapsed_s == 4);
	assert_int_equal(looks[0].verdict, EXPERIMENT_CONTINUE);
	assert_true(looks[0].sentence[0] != '\0');
	assert_int_equal(seen_report.looks, 5);
	free(looks);
	assert_int_equal(registry_experiment_looks(s.r, s.record.id, 4, 9, &looks, &count, NULL), 0);
	assert_int_equal(count, 1);
	free(looks);
	char *report;
	struct err e = {.text = ""};
	assert_int_equal(registry_experiment_look_report(s.r, s.record.id, 2, &report, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_experiment_look(s.r, 99, s.t0, &seen_report, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(replay(&s, &count), 0);
	assert_int_equal(count, 2);
	store_close(&s);
}

/* The end is a look of its own: whatever was CONTINUE is not any more. */
static void a_stopped_test_says_its_last_word(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	size_t count;
	store_begin(&s);
	look_at(&s, 1000);
	struct experiment_change end = {.id = s.record.id, .run = EXPERIMENT_RUN_STOPPED};
	assert_int_equal(store_change(&s, "promote", &end, false, &revision, &e), 0);
	look_at(&s, 100000);
	assert_int_equal(seen_report.verdict, EXPERIMENT_INCONCLUSIVE);
	assert_int_equal(seen_report.elapsed_s, 0); /* time ends with the test */
	struct experiment_look_row *looks = looks_of(&s, &count);
	assert_int_equal(count, 2);
	free(looks);
	assert_int_equal(replay(&s, &count), 0);
	store_close(&s);
}

static void a_route_changed_under_it_is_invalid(void **state)
{
	(void)state;
	struct store s;
	struct revision_record revision;
	struct err e = {.text = ""};
	store_begin(&s);
	assert_int_equal(store_change(&s, "split", NULL, true, &revision, &e), 0);
	look_at(&s, 1000);
	assert_int_equal(seen_report.verdict, EXPERIMENT_INVALID);
	assert_says(seen_report.sentence, "the arms or their shares were changed while it ran");
	store_close(&s);
}

static void a_changed_log_is_noticed(void **state)
{
	(void)state;
	static const struct {
		const char *sql;
		int64_t different;
	} changes[] = {
	    {"report = replace(report, 'CONTINUE', 'BETTER') WHERE number = 3", 3},
	    {"state = replace(state, '\"exposed\":1', '\"exposed\":2') WHERE number = 3", 3},
	    {"history = (SELECT history FROM experiment_look WHERE number = 1) WHERE number = 3", 3},
	    {"elapsed_s = elapsed_s + 1 WHERE number = 3", 3},
	    {"is_stopped = 1 WHERE number = 3", 3},
	    {"state = 'none' WHERE number = 3", 3},
	    {"verdict = 'BETTER' WHERE number = 3", 3},
	    {"sentence = 'all is well' WHERE number = 3", 3},
	    /* The look itself is sound, but not what the one before had remembered. */
	    {"history = replace(history, '\"low\":0', '\"low\":1') WHERE number = 3", 3},
	    {"times = 2 WHERE number = 3", 4},
	};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		struct store s;
		struct err e = {.text = ""};
		char sql[256];
		size_t count;
		store_begin(&s);
		for (int k = 0; k < 4; k++) {
			struct experiment_exposure served = store_exposure(&s, k, 0, 0);
			store_apply_at(&s, s.t0, &served, 1, NULL, 0, NULL);
			look_at(&s, 1000 * k);
		}
		assert_int_equal(replay(&s, &count), 0);
		assert_int_equal(count, 4);
		snprintf(sql, sizeof sql, "UPDATE experiment_look SET %s", changes[i].sql);
		if (db_run(s.r->db, sql, &e) != 0)
			fail_msg("%s", e.text);
		assert_int_equal(replay(&s, &count), changes[i].different);
		store_close(&s);
	}
}

#define TURN(verdict) "UPDATE experiment_look SET verdict = '" verdict "' WHERE number = 200"

/* The log has a limit; what is left can still be judged again, and says how many there were. */
static void a_long_log_becomes_thinner(void **state)
{
	(void)state;
	struct store s;
	size_t count, kept;
	const int looks_made = EXPERIMENT_LOOKS_MAX + 600;
	store_begin(&s);
	/* What is tried here is no disk. */
	assert_int_equal(db_run(s.r->db, "PRAGMA synchronous = OFF", NULL), 0);
	for (int i = 0; i < looks_made; i++) {
		struct experiment_exposure served = store_exposure(&s, i, 0, 0);
		store_apply_at(&s, s.t0, &served, 1, NULL, 0, NULL);
		look_at(&s, 1000 * i);
		/* As if the verdict had been another for a while. */
		if (i == 201)
			assert_int_equal(db_run(s.r->db, TURN("BETTER"), NULL), 0);
	}
	struct experiment_look_row *looks = looks_of(&s, &kept);
	for (int64_t turn = 199; turn <= 201; turn++) {
		bool found = false;
		for (size_t i = 0; i < kept; i++)
			found = found || looks[i].number == turn;
		assert_true(found);
	}
	assert_int_equal(db_run(s.r->db, TURN("CONTINUE"), NULL), 0);
	assert_true(kept < EXPERIMENT_LOOKS_MAX + EXPERIMENT_LOOKS_MAX / 16 && kept > EXPERIMENT_LOOKS_MAX / 2);
	assert_int_equal(looks[0].number, looks_made);
	assert_int_equal(looks[kept - 1].number, 1);
	free(looks);
	assert_int_equal(replay(&s, &count), 0);
	assert_int_equal(count, kept);
	store_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_records_give_the_same_bits),
	    cmocka_unit_test(every_look_is_logged),
	    cmocka_unit_test(a_stopped_test_says_its_last_word),
	    cmocka_unit_test(a_route_changed_under_it_is_invalid),
	    cmocka_unit_test(a_changed_log_is_noticed),
	    cmocka_unit_test(a_long_log_becomes_thinner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
