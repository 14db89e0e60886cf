/* Windows of a rollout's evidence: what goes wrong late in a long step is not hidden by what went well before. */
#include "runtime/rollout/rollouts_internal.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct rollout long_step(void)
{
	struct rollout r = {.version = 3, .from = 2};
	struct err e = {0};
	assert_int_equal(rollout_plan(&r, "10", "30d", &e), 0);
	policy_init(&r.thresholds);
	return r;
}

/* The step's findings, then the window's. */
static enum finding_verdict judge_all(struct rollout_arms *arms, struct rollout *r)
{
	const struct analysis_input input = {
	    .thresholds = &r->thresholds, .version = &arms->now_version, .live = &arms->now_live};
	r->finding_count = analysis_judge(&input, r->findings, ROLLOUT_FINDINGS_MAX);
	enum finding_verdict whole = findings_verdict(r->findings, r->finding_count);
	assert_int_not_equal(whole, FINDING_FAIL);
	rollout_judge_window(arms, r);
	return findings_verdict(r->findings, r->finding_count);
}

static void serve(struct rollout_arms *arms, uint64_t count)
{
	arms->now_version.version = 3;
	arms->now_live.version = 2;
	arms->now_version.answered += count;
	arms->now_live.answered += 9 * count;
	arms->now_version.latency[histogram_bucket(50000)] += count;
	arms->now_live.latency[histogram_bucket(50000)] += 9 * count;
}

static void late_errors_are_caught(void **state)
{
	(void)state;
	struct rollout_arms *arms = calloc(1, sizeof *arms);
	struct rollout r = long_step();
	arms->window = 1;
	for (int i = 0; i < 1000; i++) {
		serve(arms, 400);
		if (judge_all(arms, &r) == FINDING_FAIL)
			fail_msg("%s", findings_first(r.findings, r.finding_count)->text);
	}
	/* A window ends with the look that sees its 1,000th request: here with every third. */
	assert_int_equal(arms->window, 1 + 1000 / 3);
	/* Of 400,000 answers twenty errors are nothing; of the latest they are much. */
	arms->now_version.errors += 20;
	assert_int_equal(judge_all(arms, &r), FINDING_FAIL);
	const struct finding *first = findings_first(r.findings, r.finding_count);
	assert_string_equal(first->name, "error_rate");
	assert_true(first->n < 2 * ROLLOUTS_WINDOW_REQUESTS && first->value > first->threshold);
	free(arms);
}

static void late_slowness_is_caught(void **state)
{
	(void)state;
	struct rollout_arms *arms = calloc(1, sizeof *arms);
	struct rollout r = long_step();
	arms->window = 1;
	for (int i = 0; i < 1000; i++) {
		serve(arms, 400);
		assert_int_not_equal(judge_all(arms, &r), FINDING_FAIL);
	}
	arms->now_version.answered += 300;
	arms->now_version.latency[histogram_bucket(5000000)] += 300;
	arms->now_live.answered += 2700;
	arms->now_live.latency[histogram_bucket(50000)] += 2700;
	assert_int_equal(judge_all(arms, &r), FINDING_FAIL);
	assert_string_equal(findings_first(r.findings, r.finding_count)->name, "latency_p99");
	free(arms);
}

/* The more windows there were, the more it takes. */
static void every_window_spends_less(void **state)
{
	(void)state;
	struct rollout_arms *arms = calloc(1, sizeof *arms);
	struct rollout r = long_step();
	serve(arms, 200);
	arms->now_version.errors = 9;
	arms->now_live.errors = 0;
	arms->window = 1;
	r.finding_count = analysis_count;
	memset(r.findings, 0, sizeof r.findings);
	rollout_judge_window(arms, &r);
	assert_int_equal(findings_verdict(r.findings, r.finding_count), FINDING_FAIL);
	arms->window = 1000000;
	memset(r.findings, 0, sizeof r.findings);
	rollout_judge_window(arms, &r);
	assert_int_equal(findings_verdict(r.findings, r.finding_count), FINDING_PASS);
	free(arms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(late_errors_are_caught),
	    cmocka_unit_test(late_slowness_is_caught),
	    cmocka_unit_test(every_window_spends_less),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
