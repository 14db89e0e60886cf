/* What a load is judged to have shown: verdicts, the search, its knee, growth of memory, and live traffic beside it. */
#include "core/test/stress.h"
#include "core/test/stress_plots.h"
#include "core/test/stress_report.h"
#include "core/test/stress_watch.h"

#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* A second of 1000 requests, all answered in 1 ms, with the generator in time. */
static struct load_counts *good_counts(void)
{
	static struct load_counts c;

	memset(&c, 0, sizeof c);
	c.due = c.sent = c.answered = 1000;
	c.elapsed_ns = 1000 * MS;
	c.cpu_ns = 100 * MS;
	c.intended[histogram_bucket(MS)] = c.service[histogram_bucket(MS)] = 1000;
	c.lag[histogram_bucket(20000)] = 1000;
	return &c;
}

static struct stress_step step_of(const struct load_counts *c, uint64_t slo_ns)
{
	const struct stress_limits limits = {.slo_p99_ns = slo_ns, .errors_percent = 1};
	struct finding findings[FINDINGS_MAX];
	struct stress_step step;

	stress_step_make(&step, c, 1000, &limits);
	size_t count = stress_findings(&step, &limits, findings);
	/* The findings say the same as the verdict. */
	assert_int_equal(count, slo_ns > 0 ? 4 : 3);
	assert_int_equal(findings_verdict(findings, count), step.verdict == STRESS_PASS   ? FINDING_PASS
							    : step.verdict == STRESS_WAIT ? FINDING_WAIT
											  : FINDING_FAIL);
	return step;
}

static void test_verdicts(void **state)
{
	(void)state;
	struct load_counts *c = good_counts();

	struct stress_step step = step_of(c, 5 * MS);
	assert_int_equal(step.verdict, STRESS_PASS);
	assert_true(fabs(step.answered_rps - 1000) < 1e-9 && fabs(step.busy - 0.1) < 1e-9);
	c->errors[LOAD_ERROR_RESET] = 6;
	c->errors[LOAD_ERROR_STATUS_5XX] = 5;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_ERRORS);
	c->errors[LOAD_ERROR_RESET] = 5;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_PASS);
	c->intended[histogram_bucket(9 * MS)] = 20;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_SLO);
	assert_int_equal(step_of(c, 0).verdict, STRESS_PASS);
	c->due = 1200;
	c->unsent = 200;
	assert_int_equal(step_of(c, 0).verdict, STRESS_BACKLOG);
	/* Nothing asked is nothing known, and no pass. */
	memset(c, 0, sizeof *c);
	c->elapsed_ns = 1000 * MS;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_WAIT);
}

/* A late generator, or one without a processor, takes the blame; where all holds in spite of it a busy one is no fault.
 */
static void test_the_generator_is_the_limit(void **state)
{
	(void)state;
	struct load_counts *c = good_counts();

	c->cpu_ns = 500 * MS;
	c->delayed_ns = 480 * MS;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_PASS);
	c->intended[histogram_bucket(9 * MS)] = 20;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_GENERATOR);
	c = good_counts();
	c->unanswered = 50;
	c->cpu_ns = 990 * MS;
	assert_int_equal(step_of(c, 0).verdict, STRESS_GENERATOR);
	/* It sent a third of what was due with 40% of a processor: all of it would take more than there is. */
	c = good_counts();
	c->due = 3000;
	c->unsent = 2000;
	assert_int_equal(step_of(c, 0).verdict, STRESS_BACKLOG);
	c->cpu_ns = 400 * MS;
	assert_int_equal(step_of(c, 0).verdict, STRESS_GENERATOR);
	c = good_counts();
	c->lag[histogram_bucket(4 * MS)] = 30;
	assert_int_equal(step_of(c, 5 * MS).verdict, STRESS_GENERATOR);
	assert_int_equal(step_of(c, 0).verdict, STRESS_PASS);
	const struct stress_limits none = {0}, tight = {.slo_p99_ns = MS};
	assert_int_equal(stress_lag_limit_ns(&none), 10 * MS);
	assert_int_equal(stress_lag_limit_ns(&tight), MS);
}

/* --- the search --- */

/* A target that holds up to a rate. */
static struct stress_search search(double start, double cap, double holds, enum stress_verdict beyond)
{
	struct stress_search s = stress_search_make(start, cap);

	while (!s.done) {
		assert_true(cap == 0 || s.next_rps <= cap);
		stress_search_add(&s, s.next_rps <= holds ? STRESS_PASS : beyond);
	}
	return s;
}

static void test_search_finds(void **state)
{
	(void)state;
	static const double rates[] = {3, 100, 777, 12345, 98765};

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		struct stress_search s = search(500, 0, rates[i], STRESS_SLO);
		assert_true(s.passed_rps <= rates[i] && s.passed_rps >= rates[i] / 1.051);
		assert_true(s.failed_rps > rates[i]);
		assert_int_equal(s.limit, STRESS_SLO);
	}
}

static void test_search_ends(void **state)
{
	(void)state;
	struct stress_search capped = search(500, 1800, 1e9, STRESS_SLO), none = search(500, 0, 0, STRESS_ERRORS),
			     endless = search(500, 0, INFINITY, STRESS_SLO);

	assert_true(capped.passed_rps == 1800 && capped.failed_rps == 0);
	assert_true(none.passed_rps == 0 && none.failed_rps == 1 && none.limit == STRESS_ERRORS);
	assert_int_equal(endless.steps, STRESS_STEPS_MAX);
}

/* One bad step is the machine's; two are the target's; the generator has a third try. */
static void test_search_tries_again(void **state)
{
	(void)state;
	struct stress_search s = stress_search_make(1000, 0);

	stress_search_add(&s, STRESS_SLO);
	assert_true(s.next_rps == 1000 && s.failed_rps == 0);
	stress_search_add(&s, STRESS_PASS);
	assert_true(s.passed_rps == 1000 && s.next_rps == 2000);
	stress_search_add(&s, STRESS_GENERATOR);
	stress_search_add(&s, STRESS_GENERATOR);
	assert_true(s.next_rps == 2000 && s.failed_rps == 0);
	stress_search_add(&s, STRESS_GENERATOR);
	assert_true(s.failed_rps == 2000 && s.limit == STRESS_GENERATOR);
	stress_search_add(&s, STRESS_SLO);
	stress_search_add(&s, STRESS_SLO);
	assert_true(s.failed_rps < 2000 && s.limit == STRESS_SLO);
}

/* An M/M/1 queue of capacity 1000/s has its greatest power at half of it. */
static void test_knee(void **state)
{
	(void)state;
	struct stress_step steps[9] = {{0}};

	for (size_t i = 0; i < 9; i++) {
		double rate = 100 * (double)(i + 1);
		steps[i] = (struct stress_step){
		    .rate_rps = rate, .answered_rps = rate, .p50_ns = (uint64_t)(1e9 / (1000 - rate))};
	}
	assert_int_equal(stress_knee(steps, 9), 4);
	steps[4].verdict = STRESS_GENERATOR;
	assert_true(stress_knee(steps, 9) == 3 || stress_knee(steps, 9) == 5);
	assert_int_equal(stress_knee(steps, 0), 0);
}

/* --- memory --- */

/* Samples twice a second, of a straight line with steps of noise and now and then a spike. */
static struct stress_growth growth_of(size_t count, double bytes_a_second)
{
	static struct stress_memory m;
	struct stress_growth g;
	struct err e;
	unsigned noise = 1;

	memset(&m, 0, sizeof m);
	for (size_t i = 0; i < count; i++) {
		noise = noise * 1103515245u + 12345u;
		double bytes =
		    64e6 + bytes_a_second * (double)i / 2 + (noise >> 16) % 64 * 4096 + (i % 37 == 0 ? 2e7 : 0);
		stress_memory_add(&m, 500 * i, bytes);
	}
	assert_int_equal(stress_growth(&m, &g, &e), 0);
	return g;
}

static void test_growth(void **state)
{
	(void)state;
	struct stress_growth flat = growth_of(600, 0), leak = growth_of(600, 20000), slow = growth_of(600, 1000);

	assert_int_equal(flat.verdict, FINDING_PASS);
	assert_true(flat.interval.low < 0 && flat.interval.high > 0);
	assert_int_equal(leak.verdict, FINDING_FAIL);
	assert_true(fabs(leak.slope_bytes_h / 3600 - 20000) < 1000);
	assert_true(leak.interval.low < leak.slope_bytes_h && leak.interval.high > leak.slope_bytes_h);
	/* It grows, by less than a mebibyte in all. */
	assert_int_equal(slow.verdict, FINDING_PASS);
	assert_int_equal(stress_growth_finding(&leak).verdict, FINDING_FAIL);
}

static void test_growth_needs_samples(void **state)
{
	(void)state;
	assert_int_equal(growth_of(0, 1e6).verdict, FINDING_WAIT);
	assert_int_equal(growth_of(20, 1e6).verdict, FINDING_WAIT);
	assert_int_equal(growth_of(24, 1e6).verdict, FINDING_FAIL);
	/* More than are kept: thinned, over the same time. */
	struct stress_growth many = growth_of(10 * STRESS_SAMPLES_MAX, 20000);
	assert_true(many.hours > 0.7 * 10 * STRESS_SAMPLES_MAX / 7200.0);
	assert_true(fabs(many.slope_bytes_h / 3600 - 20000) < 1000);
}

/* --- live traffic --- */

static struct snapshot *world(void)
{
	static const char *const names[] = {"churn", "flight-delay", "idle", "price"};
	static const double rates[] = {300, 100, 0, 20};
	struct snapshot *s = snapshot_new();

	assert_non_null(s);
	s->models = calloc(4, sizeof *s->models);
	assert_non_null(s->models);
	s->model_count = 4;
	for (size_t i = 0; i < 4; i++) {
		struct snapshot_model *m = &s->models[i];
		snprintf(m->name, sizeof m->name, "%s", names[i]);
		m->live = 1;
		m->route_count = 2;
		m->route[0] = (struct route_entry){1, ROUTE_LIVE, 9000};
		m->route[1] = (struct route_entry){2, ROUTE_CANARY, 1000};
		m->stats = (struct snapshot_stats){.requests = (uint64_t)(60 * rates[i]), .rate_rps = rates[i]};
		m->stats.latency.p99_ns = rates[i] > 0 ? MS : 0;
	}
	return s;
}

static void test_blast_radius(void **state)
{
	(void)state;
	struct snapshot *s = world();
	struct stress_blast all = stress_blast(s, "flight-delay", 0), canary = stress_blast(s, "flight-delay", 2),
			    other = stress_blast(s, "flight-delay", 3);
	char text[512];

	assert_true(all.live && all.share_percent == 100 && canary.live && canary.share_percent == 10);
	assert_false(other.live);
	assert_true(all.model_rps == 100 && all.others == 2 && all.others_rps == 320);
	assert_string_equal(all.names, "churn, price");
	/* Half of all requests: as many again as there are; a fifth: a quarter of them. */
	assert_true(stress_blast_cap(&all, 50) == 100 && stress_blast_cap(&all, 20) == 25);
	assert_true(stress_blast_cap(&all, 100) == 0 && stress_blast_cap(&other, 50) == 0);
	stress_blast_text(&canary, "flight-delay", 2, 50, text, sizeof text);
	assert_string_equal(
	    text, "v2 of flight-delay is live with 10% of the model's traffic, which is 100/s, and the load adds "
		  "50/s; 2 other models (churn, price) share the machine, with 320/s.");
	snapshot_free(s);
}

static void test_watch_stops(void **state)
{
	(void)state;
	struct snapshot *before = world(), *now = world();
	struct stress_watch w;
	char reason[STRESS_REASON_SIZE] = "";

	stress_watch_begin(&w, before, "flight-delay", 0, 1);
	for (int i = 0; i < 5; i++)
		assert_false(stress_watch_check(&w, now, reason));
	/* Another model, beyond ten times what it was and 20 ms: the second time counts. */
	now->models[0].stats.latency.p99_ns = 21 * MS;
	assert_false(stress_watch_check(&w, now, reason));
	assert_true(stress_watch_check(&w, now, reason));
	assert_string_equal(reason, "the live p99 of churn is 21ms, the limit is 20ms");
	now->models[0].stats.latency.p99_ns = MS;
	now->models[3].stats.errors = 100;
	assert_false(stress_watch_check(&w, now, reason));
	assert_true(stress_watch_check(&w, now, reason));
	assert_non_null(strstr(reason, "price answers"));
	snapshot_free(before);
	snapshot_free(now);
}

/* The SLO is of the model under test, when others ask it; few requests and one bad second are no reason. */
static void test_watch_is_patient(void **state)
{
	(void)state;
	struct snapshot *before = world(), *now = world();
	struct stress_watch w;
	char reason[STRESS_REASON_SIZE] = "";

	stress_watch_begin(&w, before, "flight-delay", 5 * MS, 1);
	for (int i = 0; i < 6; i++) {
		now->models[1].stats.latency.p99_ns = i % 2 == 0 ? 6 * MS : MS;
		assert_false(stress_watch_check(&w, now, reason));
	}
	now->models[1].stats.latency.p99_ns = 6 * MS;
	now->models[1].stats.requests = STRESS_BAD_MIN - 1;
	for (int i = 0; i < 6; i++)
		assert_false(stress_watch_check(&w, now, reason));
	now->models[1].stats.requests = STRESS_BAD_MIN;
	assert_false(stress_watch_check(&w, now, reason));
	assert_true(stress_watch_check(&w, now, reason));
	/* Nobody else asks `idle`: its own load may make it slow. */
	stress_watch_begin(&w, before, "idle", 5 * MS, 1);
	now->models[2].stats.requests = 1000;
	now->models[2].stats.latency.p99_ns = 900 * MS;
	now->models[1].stats.latency.p99_ns = MS;
	for (int i = 0; i < 6; i++)
		assert_false(stress_watch_check(&w, now, reason));
	snapshot_free(before);
	snapshot_free(now);
}

static void test_watch_of_a_silent_runtime(void **state)
{
	(void)state;
	struct snapshot *s = world();
	struct stress_watch w;
	char reason[STRESS_REASON_SIZE] = "";

	stress_watch_begin(&w, s, "flight-delay", 0, 1);
	for (int i = 1; i < STRESS_POLLS_SILENT; i++)
		assert_false(stress_watch_check(&w, NULL, reason));
	assert_false(stress_watch_check(&w, s, reason));
	for (int i = 1; i < STRESS_POLLS_SILENT; i++)
		assert_false(stress_watch_check(&w, NULL, reason));
	assert_true(stress_watch_check(&w, NULL, reason));
	snapshot_free(s);
}

/* --- the report --- */

static void test_report(void **state)
{
	(void)state;
	struct stress_report *r = stress_report_new();
	const struct machine_use use = {.cpu_s = 1, .resident_bytes = 5e6};
	struct stress_step step;
	struct err e;

	assert_non_null(r);
	r->model = "m";
	r->version = 3;
	r->url = r->rows_from = "x";
	r->limits = (struct stress_limits){.slo_p99_ns = 5 * MS, .errors_percent = 1};
	*r->counts = *good_counts();
	assert_false(stress_report_point(r, r->counts, 0.5, 1000, &use, 0));
	/* More seconds than are kept. */
	for (int i = 1; i <= 3 * STRESS_POINTS_MAX; i++)
		stress_report_point(r, r->counts, i, 1000, &use, 2);
	assert_true(r->point_count <= STRESS_POINTS_MAX && r->point_count > STRESS_POINTS_MAX / 2 - 1);
	assert_true(r->points[r->point_count - 1].at_s > 3 * STRESS_POINTS_MAX - 5 && r->waiting_max == 2);
	stress_step_make(&step, r->counts, 1000, &r->limits);
	stress_report_step(r, &step);
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	char *text = stress_report_text(r);
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "verdict")), "pass");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "passed")));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "findings")), 4);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "histogram_us")), 1);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "plots")), 3);
	cJSON_Delete(json);
	free(text);
	/* A soak that grew: these samples do not; one that was too short has not passed. */
	r->soak = true;
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_int_equal(r->verdict, STRESS_PASS);
	r->memory.count = STRESS_SAMPLES_MIN;
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_int_equal(r->verdict, STRESS_WAIT);
	r->memory.count = 0;
	for (uint64_t i = 0; i < 100; i++)
		stress_memory_add(&r->memory, 1000 * i, 5e6 + 1e5 * (double)i);
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_int_equal(r->verdict, STRESS_GROWTH);
	assert_non_null(strstr(r->summary, "; memory went from"));
	/* Also when the generator was late, which memory does not mind. */
	r->steps[r->step_count - 1].verdict = STRESS_GENERATOR;
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_int_equal(r->verdict, STRESS_GROWTH);
	assert_non_null(strstr(r->summary, "; memory went from"));
	r->steps[r->step_count - 1].verdict = STRESS_PASS;
	r->soak = false;
	/* Live traffic suffered; an operator stopped it. */
	snprintf(r->live_reason, sizeof r->live_reason, "the live p99 of a is high");
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_int_equal(r->verdict, STRESS_LIVE);
	assert_non_null(strstr(r->summary, "the live p99 of a is high"));
	/* However much there is to say: a longer one would not be kept. */
	memset(r->live_reason, 'a', sizeof r->live_reason - 1);
	assert_int_equal(stress_report_judge(r, false, &e), 0);
	assert_in_range(strlen(r->summary), 200, REASON_SIZE - 1);
	assert_int_equal(stress_report_judge(r, true, &e), 0);
	assert_int_equal(r->verdict, STRESS_STOPPED);
	stress_report_free(r);
}

/* The charts say what the report says. */
static void test_plots(void **state)
{
	struct plot plots[PLOTS_MAX];
	struct stress_report *r = stress_report_new();
	double sum = 0;

	(void)state;
	assert_non_null(r);
	r->limits = (struct stress_limits){.slo_p99_ns = 5 * MS, .errors_percent = 1};
	assert_int_equal(stress_plots(r, r->counts, plots), 3);
	assert_int_equal(plots[0].count, 0); /* nothing yet */
	*r->counts = *good_counts();
	r->counts->intended[histogram_bucket(90 * MS)] = 7;
	for (int i = 1; i <= 200; i++) {
		r->counts->answered += 1000;
		stress_report_point(r, r->counts, i, 1200, NULL, 0);
	}
	assert_int_equal(stress_plots(r, r->counts, plots), 3);
	for (size_t i = 0; i < plots[0].count; i++)
		sum += plots[0].y[i];
	assert_true(sum == 1007 && plots[0].marks[0].value == 5e6);
	assert_true(plots[0].x_low <= 1e6 && plots[0].x_high > 90e6);
	double decades = log10(1.02e6 / plots[0].x_low) / log10(plots[0].x_high / plots[0].x_low);
	assert_true(plots[0].y[(size_t)(decades * (double)plots[0].count)] == 1000);
	assert_int_equal(plots[1].kind, PLOT_SERIES); /* p99 */
	assert_true(plots[1].y[0] >= 1e6 && plots[1].marks[0].axis == PLOT_AXIS_Y);
	assert_true(plots[2].y[20] == 1000 && plots[2].y_other[20] == 1200 && plot_has_other(&plots[2]));
	r->soak = true;
	stress_memory_add(&r->memory, 1000, 5e6);
	assert_int_equal(stress_plots(r, r->counts, plots), 4);
	assert_true(plots[1].y[0] == 5e6 && plots[1].y_unit == PLOT_IN_BYTES);
	r->soak = false;
	r->mode = STRESS_FIND_MAX;
	stress_report_step(r, &(struct stress_step){.rate_rps = 500, .p99_ns = MS, .p50_ns = MS, .answered_rps = 500});
	stress_report_step(
	    r, &(struct stress_step){.rate_rps = 1000, .p99_ns = 9 * MS, .p50_ns = 8 * MS, .verdict = STRESS_SLO});
	assert_int_equal(stress_plots(r, r->counts, plots), 4);
	assert_true(plots[0].kind == PLOT_POINTS && plots[0].count == 2 && plots[0].bad[1] && !plots[0].bad[0]);
	assert_true(plots[0].y[1] == 9e6 && plots[0].marks[1].value == 500); /* the knee */
	stress_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdicts),
	    cmocka_unit_test(test_the_generator_is_the_limit),
	    cmocka_unit_test(test_search_finds),
	    cmocka_unit_test(test_search_ends),
	    cmocka_unit_test(test_search_tries_again),
	    cmocka_unit_test(test_knee),
	    cmocka_unit_test(test_growth),
	    cmocka_unit_test(test_growth_needs_samples),
	    cmocka_unit_test(test_blast_radius),
	    cmocka_unit_test(test_watch_stops),
	    cmocka_unit_test(test_watch_is_patient),
	    cmocka_unit_test(test_watch_of_a_silent_runtime),
	    cmocka_unit_test(test_report),
	    cmocka_unit_test(test_plots),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
