/* Gates of a change: which versions are judged, what force overrides, what is counted side by side. */
#include "gates_fixture.h"

static struct finding findings[FINDINGS_MAX];

static int judge(struct world *w, const struct route *planned, size_t *count, struct err *e)
{
	return gates_judge(w->r, &w->m, planned, &w->change, &w->actor, findings, count, e);
}

static const struct finding *found(const char *name, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].name, name) == 0)
			return &findings[i];
	return NULL;
}

static void split(struct world *w, struct route *planned, uint32_t a, uint32_t a_bp, uint32_t b, uint32_t b_bp)
{
	const struct route_entry weights[] = {{a, ROUTE_LIVE, a_bp}, {b, ROUTE_CANARY, b_bp}};
	struct err e = {.text = ""};
	assert_int_equal(route_split(planned, &w->m.route, weights, 2, &e), 0);
	w->change.action = "split";
}

static void only_who_gets_more_is_judged(void **state)
{
	struct world *w = *state;
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	set(w, "min_age", "2h");
	keep(w);

	split(w, &planned, 1, 9000, 2, 1000);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_GATE);
	assert_non_null(strstr(e.text, "v2 of churn does not pass the gate min_age: v2 was deployed"));
	assert_int_equal(count, 3);
	assert_int_equal(found("min_age", count)->verdict, FINDING_WAIT);
	assert_int_equal(found("ready", count)->verdict, FINDING_PASS);

	/* It has a share: more of it is no entrance, all of it is; none is neither. */
	w->m.route = planned;
	split(w, &planned, 1, 5000, 2, 5000);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 1);
	split(w, &planned, 1, 9500, 2, 500);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 0);
	route_single(&planned, 1);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 0);
	route_single(&planned, 2);
	assert_int_equal(judge(w, &planned, &count, &e), -1);

	w->change.action = "rollback";
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 0);
}

static void shadows_need_permission_only(void **state)
{
	struct world *w = *state;
	const struct route_entry shadows[] = {{2, ROUTE_SHADOW, 2500}}, ended[] = {{2, ROUTE_SHADOW, 0}};
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	set(w, "min_age", "2h");
	set(w, "second_person", "yes");
	keep(w);
	w->change.action = "shadow";
	assert_int_equal(route_shadow(&planned, &w->m.route, shadows, 1, &e), 0);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 1);
	w->m.route = planned;
	strcpy(w->actor.name, "eve");
	set(w, "promoters", "root daemon");
	keep(w);
	assert_int_equal(route_shadow(&planned, &w->m.route, ended, 1, &e), 0);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 0);
	route_single(&w->m.route, 1);
	assert_int_equal(route_shadow(&planned, &w->m.route, shadows, 1, &e), 0);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
}

static void force_overrides_all_but_the_absolute(void **state)
{
	struct world *w = *state;
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	set(w, "min_age", "2h");
	set(w, "second_person", "yes");
	keep(w);
	route_single(&planned, 2);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_non_null(strstr(e.text, "(and 1 more)"));
	assert_false(gates_overridden(findings, count));

	w->change.forced = true;
	w->change.reason = " \t";
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	w->change.dry_run = true;
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	w->change.dry_run = false;
	w->change.reason = "the live one is worse";
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_true(found("min_age", count)->forced);
	assert_true(found("approval", count)->forced);
	assert_false(found("ready", count)->forced);
	assert_true(gates_overridden(findings, count));
	char *evidence = gates_evidence(findings, count);
	assert_non_null(strstr(evidence, "[{\"name\":\"ready\",\"verdict\":\"pass\",\"forced\":false,"));
	free(evidence);

	w->list[1]->engine = NULL;
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_GATE);
	w->list[1]->engine = &fake_engine;
	set(w, "promoters", "root daemon");
	keep(w);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	assert_false(found("permission", count)->forced);
}

static void a_rollout_is_judged_for_who_started_it(void **state)
{
	struct world *w = *state;
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	set(w, "promoters", "root daemon");
	set(w, "second_person", "yes");
	set(w, "no_alerts", "yes");
	keep(w);
	split(w, &planned, 1, 9000, 2, 1000);
	w->change.action = "rollout";
	w->change.rollout = &w->rollout;
	strcpy(w->actor.name, "daemon");
	/* What is asked of all of it is asked at the start, when somebody is there to hear it. */
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_GATE);
	assert_int_equal(found("permission", count)->verdict, FINDING_PASS);
	assert_int_equal(found("approval", count)->verdict, FINDING_WAIT);
	assert_int_equal(found("alerts", count)->verdict, FINDING_PASS);

	w->m.route = planned;
	route_single(&planned, 2);
	strcpy(w->actor.name, "mldeck");
	w->rollout.id = 1;
	strcpy(w->rollout.who, "root");
	w->rollout.state = ROLLOUT_DONE;
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_null(found("approval", count));
	assert_int_equal(found("alerts", count)->verdict, FINDING_PASS);
	strcpy(w->rollout.who, "eve");
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	/* Its end gives back, whoever they are. */
	w->rollout.state = ROLLOUT_FAILED;
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(count, 0);
}

static void what_does_not_fit_never_hides_a_refusal(void **state)
{
	struct world *w = *state;
	struct served_version many[ROUTE_ENTRIES_MAX] = {0}, *list[ROUTE_ENTRIES_MAX];
	struct route_entry weights[ROUTE_ENTRIES_MAX] = {0};
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	for (uint32_t i = 0; i < ROUTE_ENTRIES_MAX; i++) {
		many[i] = w->versions[i < 2 ? i : 1];
		many[i].version = i + 1;
		list[i] = &many[i];
		weights[i] = (struct route_entry){i + 1, ROUTE_CANARY, i == 0 ? 8500 : 100};
	}
	many[ROUTE_ENTRIES_MAX - 1].created_ms = clock_unix_ms();
	w->m.versions = list;
	w->m.version_count = ROUTE_ENTRIES_MAX;
	set(w, "min_age", "1m");
	keep(w);
	assert_int_equal(route_split(&planned, &w->m.route, weights, ROUTE_ENTRIES_MAX, &e), 0);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(count, FINDINGS_MAX);
	assert_non_null(strstr(e.text, "v16 of churn does not pass the gate min_age"));
	assert_int_equal(findings_verdict(findings, count), FINDING_WAIT);
}

/* --- side by side --- */

static void answer(struct served_version *v, size_t count)
{
	const struct telemetry_sample sample = {.latency_ns = 1000000, .rows = 1};
	const double prediction = 0.5;
	for (size_t i = 0; i < count; i++)
		telemetry_record_ok(v->telemetry, &sample, &prediction, 1);
}

static void a_canary_counts_from_where_it_became_one(void **state)
{
	struct world *w = *state;
	struct analysis_arm *version = &w->version_arm, *live = &w->live_arm;
	uint64_t latencies = 0;
	answer(w->list[0], 20);
	answer(w->list[1], 5);
	beside_follow(&w->m);
	assert_null(w->lives[1].beside);
	split(w, &w->m.route, 1, 9000, 2, 1000);
	beside_follow(&w->m);
	answer(w->list[0], 9);
	answer(w->list[1], 1);
	telemetry_record_error(w->list[1]->telemetry, ERR_UPSTREAM, 1000);
	beside_read(&w->m, w->list[1], version, live);
	assert_int_equal(version->answered, 1);
	assert_int_equal(version->errors, 1);
	assert_int_equal(version->weight_bp, 1000);
	assert_int_equal(live->answered, 9);
	assert_int_equal(live->weight_bp, 9000);
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		latencies += live->latency[i];
	assert_int_equal(latencies, 9);

	/* A larger share goes on with the same counts; another live version begins them anew. */
	split(w, &w->m.route, 1, 5000, 2, 5000);
	beside_follow(&w->m);
	beside_read(&w->m, w->list[1], version, live);
	assert_int_equal(live->answered, 9);
	w->m.route.entries[0].version = 3;
	beside_follow(&w->m);
	beside_read(&w->m, w->list[1], version, live);
	assert_int_equal(version->answered, 0);
	route_single(&w->m.route, 1);
	beside_follow(&w->m);
	assert_null(w->lives[1].beside);
}

static void the_canary_gate_reads_what_was_counted(void **state)
{
	struct world *w = *state;
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	set(w, "canary_requests", "3");
	keep(w);
	split(w, &w->m.route, 1, 9000, 2, 1000);
	beside_follow(&w->m);
	answer(w->list[1], 2);
	route_single(&planned, 2);
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(found("canary", count)->n, 2);
	answer(w->list[1], 1);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(found("canary", count)->n, 3);
	/* Too little for these to judge, which holds nothing up, and is no finding that force overrode. */
	w->change.forced = true;
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_int_equal(found("error_rate", count)->verdict, FINDING_WAIT);
	assert_int_equal(found("latency_p99", count)->verdict, FINDING_WAIT);
	assert_int_equal(found("prediction_drift", count)->verdict, FINDING_WAIT);
	assert_false(gates_overridden(findings, count));
}

static void a_canary_that_fails_does_not_get_everything(void **state)
{
	struct world *w = *state;
	struct route planned;
	struct err e = {.text = ""};
	size_t count;
	split(w, &w->m.route, 1, 5000, 2, 5000);
	beside_follow(&w->m);
	answer(w->list[0], 500);
	answer(w->list[1], 300);
	for (size_t i = 0; i < 200; i++)
		telemetry_record_error(w->list[1]->telemetry, ERR_UPSTREAM, 1000);
	route_single(&planned, 2);
	w->change.action = "promote";
	assert_int_equal(judge(w, &planned, &count, &e), -1);
	assert_int_equal(e.code, ERR_GATE);
	assert_int_equal(found("error_rate", count)->verdict, FINDING_FAIL);
	assert_int_equal(found("latency_p99", count)->verdict, FINDING_PASS);
	/* The same of a rollout's last step is for the rollout to say. */
	w->change.rollout = &w->rollout;
	w->rollout.id = 1;
	assert_int_equal(judge(w, &planned, &count, &e), 0);
	assert_null(found("error_rate", count));
	/* To give it less, or nothing, is always possible. */
	w->change.rollout = NULL;
	route_single(&planned, 1);
	assert_int_equal(judge(w, &planned, &count, &e), 0);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    TEST(only_who_gets_more_is_judged),
	    TEST(shadows_need_permission_only),
	    TEST(force_overrides_all_but_the_absolute),
	    TEST(a_rollout_is_judged_for_who_started_it),
	    TEST(what_does_not_fit_never_hides_a_refusal),
	    TEST(a_canary_counts_from_where_it_became_one),
	    TEST(the_canary_gate_reads_what_was_counted),
	    TEST(a_canary_that_fails_does_not_get_everything),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
