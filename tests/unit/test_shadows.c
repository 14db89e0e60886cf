/* Copies of requests reach the shadow whole, are compared and counted, and stay within their bounds. */
#include "runtime/router/router_internal.h"
#include "runtime/shadow/shadows.h"

#include "unit.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS 3

/* --- a shadow that is told how to answer --- */

struct shadow_model {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed; /* predictions wait until it is opened */
	bool failing;
	bool wrong; /* an input was not what was sent */
	unsigned inside;
};

static void pass(struct shadow_model *m)
{
	pthread_mutex_lock(&m->lock);
	m->inside++;
	while (m->closed)
		pthread_cond_wait(&m->changed, &m->lock);
	m->inside--;
	pthread_mutex_unlock(&m->lock);
}

static void open_gate(struct shadow_model *m)
{
	pthread_mutex_lock(&m->lock);
	m->closed = false;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static bool is_inside(struct shadow_model *m)
{
	pthread_mutex_lock(&m->lock);
	bool inside = m->inside > 0;
	pthread_mutex_unlock(&m->lock);
	return inside;
}

/* Answers x + 1 a row; `name` must be "row 0", "row 1" ... as it was sent. */
static int predict(void *model, struct inference *inference, struct err *e)
{
	struct shadow_model *m = model;
	const struct tensor *x = &inference->inputs[0], *name = &inference->inputs[1];
	struct inference_output *output = &inference->outputs[0];

	pass(m);
	if (m->failing)
		return err_set(e, ERR_SYSTEM, "it fails, as it was told");
	if (inference_reserve(inference, output, DATATYPE_FP64, x->shape, 1, e) != 0)
		return -1;
	for (size_t i = 0; i < x->count; i++) {
		char text[16];
		const struct bytes *bytes = (const struct bytes *)name->data + i;
		int size = snprintf(text, sizeof text, "row %zu", i);
		if (bytes->size != (size_t)size || memcmp(bytes->data, text, bytes->size) != 0)
			m->wrong = true;
		((double *)output->tensor.data)[i] = tensor_double(x, i) + 1;
	}
	return 0;
}

static const struct engine engine = {.name = "told", .predict = predict};

/* --- a model with a live version and one shadow --- */

static struct tensor_spec live_inputs[] = {{"name", "BYTES", 1, {-1}}, {"x", "FP32", 1, {-1}}};
static struct tensor_spec shadow_inputs[] = {{"x", "FP64", 1, {-1}}, {"name", "BYTES", 1, {-1}}};
static struct tensor_spec outputs[] = {{"y", "FP64", 1, {-1}}};

struct world {
	struct shadow_model model;
	struct served_version live, shadow;
	struct served_version *versions[2];
	struct served_model served;
	struct shadows *shadows;
	double values[ROWS];
	float x[ROWS];
	struct bytes names[ROWS];
	struct tensor inputs[2];
	struct inference inference;
	const struct prediction_kind *kind;
};

static struct world *world_new(unsigned threads, unsigned queue_max, size_t bytes_max, int timeout_ms)
{
	static const char *const names[ROWS] = {"row 0", "row 1", "row 2"};
	struct world *w = calloc(1, sizeof *w);
	const struct config_shadows config = {threads, queue_max, bytes_max, timeout_ms};
	struct comparison *ended[ROUTE_ENTRIES_MAX];

	pthread_mutex_init(&w->model.lock, NULL);
	pthread_cond_init(&w->model.changed, NULL);
	w->live = (struct served_version){.version = 1, .engine = &engine, .model = &w->model};
	w->live.manifest =
	    (struct manifest){.input_count = 2, .inputs = live_inputs, .output_count = 1, .outputs = outputs};
	w->shadow = (struct served_version){.version = 2, .engine = &engine, .model = &w->model};
	w->shadow.manifest =
	    (struct manifest){.input_count = 2, .inputs = shadow_inputs, .output_count = 1, .outputs = outputs};
	w->live.telemetry = telemetry_new(NULL);
	w->shadow.telemetry = telemetry_new(NULL);
	w->versions[0] = &w->live;
	w->versions[1] = &w->shadow;
	strcpy(w->served.name, "m");
	w->served.versions = w->versions;
	w->served.version_count = 2;
	route_single(&w->served.route, 1);
	w->served.route.entries[w->served.route.entry_count++] = (struct route_entry){2, ROUTE_SHADOW, ROUTE_BUCKETS};
	served_model_compare(NULL, &w->served, ended);
	assert_int_equal(shadows_new(&config, &w->shadows, NULL), 0);
	for (size_t i = 0; i < ROWS; i++) {
		w->x[i] = (float)i / 2;
		w->values[i] = (double)i / 2;
		w->names[i] = (struct bytes){names[i], 5};
	}
	w->inputs[0] = (struct tensor){DATATYPE_BYTES, 1, {ROWS}, ROWS, w->names};
	w->inputs[1] = (struct tensor){DATATYPE_FP32, 1, {ROWS}, ROWS, w->x};
	w->inference = (struct inference){.manifest = &w->live.manifest, .inputs = w->inputs};
	w->kind = &w->live.kind;
	return w;
}

static void world_free(struct world *w)
{
	assert_true(shadows_stop(w->shadows, UNIT_DEADLINE_MS));
	shadows_free(w->shadows);
	assert_int_equal(atomic_load(&w->shadow.pins), 0);
	assert_false(w->model.wrong);
	telemetry_free(w->live.telemetry);
	telemetry_free(w->shadow.telemetry);
	pthread_mutex_destroy(&w->model.lock);
	pthread_cond_destroy(&w->model.changed);
	free(w);
}

static bool offer(struct world *w)
{
	struct shadow_targets targets;
	const struct shadow_offer offered = {&w->inference, w->kind, w->values, ROWS, 1000, clock_ns()};

	if (!shadows_aim(&w->served, 1, 0, &targets))
		return false;
	shadows_offer(w->shadows, &targets, &offered);
	return true;
}

static struct shadow_stats read_stats(struct world *w)
{
	struct shadow_stats stats;
	assert_true(telemetry_read_shadow(w->shadow.telemetry, &stats));
	return stats;
}

static bool is_settled(struct world *w)
{
	struct shadow_stats stats = read_stats(w);
	return stats.compared + stats.failed + stats.dropped == stats.copied;
}

/* Waits until nothing is under way. */
static struct shadow_stats settle(struct world *w)
{
	wait_until(is_settled(w));
	return read_stats(w);
}

/* --- the tests --- */

static void copies_are_whole_and_compared(void **state)
{
	(void)state;
	struct world *w = world_new(2, 1024, 64 << 20, 60000);
	struct telemetry_totals totals;
	enum { REQUESTS = 300 };

	for (int i = 0; i < REQUESTS; i++)
		assert_true(offer(w));
	struct shadow_stats stats = settle(w);
	assert_int_equal(stats.against, 1);
	assert_true(stats.since_ms > 0);
	assert_int_equal(stats.copied, REQUESTS);
	assert_int_equal(stats.compared, REQUESTS);
	assert_int_equal(stats.rows, REQUESTS * ROWS);
	assert_int_equal(stats.differing, REQUESTS * ROWS);
	assert_int_equal(stats.incomparable, 0);
	assert_true(stats.difference_sum == REQUESTS * ROWS);
	assert_true(stats.absolute_max == 1);
	assert_int_equal(stats.bins[10], REQUESTS * ROWS);
	assert_int_equal(stats.live_ns_sum, REQUESTS * 1000);
	assert_in_range(stats.live_p50_ns, 992, 1008);
	assert_true(stats.shadow_p50_ns > 0 && stats.shadow_p50_ns <= stats.shadow_p99_ns);

	/* What it was asked as a shadow is beside what it was asked by callers. */
	telemetry_read_totals(telemetry_copies(w->shadow.telemetry), &totals, NULL);
	assert_int_equal(totals.ok, REQUESTS);
	assert_int_equal(totals.rows, REQUESTS * ROWS);
	telemetry_read_totals(w->shadow.telemetry, &totals, NULL);
	assert_int_equal(totals.ok, 0);
	world_free(w);
}

static void a_full_queue_drops_and_counts(void **state)
{
	(void)state;
	struct world *w = world_new(1, 4, 64 << 20, 60000);

	w->model.closed = true;
	offer(w);
	wait_until(is_inside(&w->model));
	for (int i = 0; i < 100; i++)
		offer(w);
	assert_int_equal(shadows_waiting(w->shadows), 4);
	assert_int_equal(read_stats(w).dropped, 96);
	open_gate(&w->model);
	struct shadow_stats stats = settle(w);
	assert_int_equal(stats.copied, 101);
	assert_int_equal(stats.compared, 5);
	assert_int_equal(stats.dropped, 96);
	world_free(w);
}

static void memory_is_bounded(void **state)
{
	(void)state;
	enum { BYTES = 4096 };
	struct world *w = world_new(1, 1024, BYTES, 60000);
	float *many = calloc(BYTES, sizeof *many);

	/* One that can never fit. */
	w->inputs[1] = (struct tensor){DATATYPE_FP32, 1, {BYTES}, BYTES, many};
	offer(w);
	assert_int_equal(read_stats(w).dropped, 1);
	assert_int_equal(shadows_bytes(w->shadows), 0);

	w->inputs[1] = (struct tensor){DATATYPE_FP32, 1, {ROWS}, ROWS, w->x};
	w->model.closed = true;
	for (int i = 0; i < 100; i++) {
		offer(w);
		assert_true(shadows_bytes(w->shadows) <= BYTES);
	}
	assert_true(read_stats(w).dropped > 50);
	open_gate(&w->model);
	settle(w);
	/* What was spent is used again. */
	struct shadow_stats before = read_stats(w);
	for (int i = 0; i < 5; i++) {
		offer(w);
		settle(w);
	}
	assert_int_equal(read_stats(w).compared, before.compared + 5);
	assert_true(shadows_bytes(w->shadows) <= BYTES);
	free(many);
	world_free(w);
}

static void failures_are_counted_apart(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);
	struct telemetry_totals totals;

	/* A version that is not loaded, or that wants what the live one does not get. */
	w->shadow.engine = NULL;
	offer(w);
	w->shadow.engine = &engine;
	struct tensor_spec other[] = {shadow_inputs[0], {"age", "BYTES", 1, {-1}}};
	w->shadow.manifest.inputs = other;
	offer(w);
	w->shadow.manifest.inputs = shadow_inputs;
	assert_int_equal(read_stats(w).failed, 2);

	w->model.failing = true;
	for (int i = 0; i < 10; i++)
		offer(w);
	struct shadow_stats stats = settle(w);
	assert_int_equal(stats.failed, 12);
	assert_int_equal(stats.compared, 0);
	telemetry_read_totals(telemetry_copies(w->shadow.telemetry), &totals, NULL);
	assert_int_equal(totals.errors, 10);
	world_free(w);
}

static void what_waits_is_dropped_when_nobody_looks_any_more(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);

	w->model.closed = true;
	offer(w);
	wait_until(is_inside(&w->model));
	for (int i = 0; i < 10; i++)
		offer(w);
	comparison_end(telemetry_comparison(w->shadow.telemetry));
	assert_false(offer(w));
	open_gate(&w->model);
	struct shadow_stats stats = settle(w);
	assert_int_equal(stats.compared, 1);
	assert_int_equal(stats.dropped, 10);
	world_free(w);
}

static void what_waits_for_an_unloaded_version_is_dropped(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);

	w->model.closed = true;
	offer(w);
	wait_until(is_inside(&w->model));
	offer(w);
	atomic_store(&w->shadow.leaving, true);
	open_gate(&w->model);
	assert_int_equal(settle(w).dropped, 1);
	world_free(w);
}

static void what_waited_too_long_is_dropped(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 20);

	w->model.closed = true;
	wait_until(offer(w) && is_inside(&w->model));
	offer(w);
	int64_t late_ms = clock_ms() + 25;
	wait_until(clock_ms() > late_ms);
	open_gate(&w->model);
	struct shadow_stats stats = settle(w);
	assert_int_equal(stats.compared, 1);
	assert_int_equal(stats.dropped, stats.copied - 1);
	assert_true(stats.dropped >= 1);
	world_free(w);
}

static void a_draining_server_copies_nothing(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);

	w->model.closed = true;
	offer(w);
	wait_until(is_inside(&w->model));
	offer(w);
	assert_false(shadows_stop(w->shadows, 0)); /* one predicts */
	offer(w);
	open_gate(&w->model);
	assert_true(shadows_stop(w->shadows, UNIT_DEADLINE_MS));
	struct shadow_stats stats = read_stats(w);
	assert_int_equal(stats.copied, 3);
	assert_int_equal(stats.compared, 1);
	assert_int_equal(stats.dropped, 2);
	world_free(w);
}

/* Begins anew with another live version or another shadow, and only then. */
static void a_comparison_is_of_one_pair(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);
	struct served_model after = w->served;
	struct comparison *ended[ROUTE_ENTRIES_MAX], *first = telemetry_comparison(w->shadow.telemetry);
	struct shadow_stats totals;

	offer(w);
	settle(w);
	after.route.entries[1].weight_bp = 100;
	served_model_compare(&w->served, &after, ended);
	assert_ptr_equal(telemetry_comparison(w->shadow.telemetry), first);
	assert_null(ended[1]);

	/* Ended, it is still there to be read. */
	after.route.entry_count = 1;
	served_model_compare(&w->served, &after, ended);
	assert_ptr_equal(telemetry_comparison(w->shadow.telemetry), first);
	assert_true(comparison_ended(first));
	assert_int_equal(read_stats(w).compared, 1);

	served_model_compare(&after, &w->served, ended);
	assert_ptr_equal(ended[1], first);
	comparison_release(ended[1]);
	assert_int_equal(read_stats(w).copied, 0);
	/* The counters of a monitor never fall. */
	assert_true(telemetry_read_shadow_totals(w->shadow.telemetry, &totals));
	assert_int_equal(totals.compared, 1);
	assert_int_equal(totals.copied, 1);

	/* Before the change of the live version is published, what the old one answers is not for the new comparison.
	 */
	after = w->served;
	after.route.entries[0].version = 3;
	served_model_compare(&w->served, &after, ended);
	assert_non_null(ended[1]);
	comparison_release(ended[1]);
	assert_int_equal(read_stats(w).against, 3);
	assert_false(offer(w));
	world_free(w);
}

static void draws_are_exact_sticky_and_independent(void **state)
{
	(void)state;
	struct world *w = world_new(1, 1024, 64 << 20, 60000);
	enum { UNITS = 40000 };
	unsigned copied = 0, both = 0, half = 0;

	w->served.route.entries[1].weight_bp = 2500;
	for (int i = 0; i < UNITS; i++) {
		char unit[32];
		size_t size = (size_t)snprintf(unit, sizeof unit, "user-%d", i);
		bool copy = served_model_draw(&w->served, unit, size) < ROUTE_BUCKETS;
		bool low = route_bucket("m", unit, size) < ROUTE_BUCKETS / 2;
		assert_true(copy == (served_model_draw(&w->served, unit, size) < ROUTE_BUCKETS));
		copied += copy;
		half += low;
		both += copy && low;
	}
	/* Five standard deviations of a binomial. */
	assert_true(fabs(copied - UNITS * 0.25) < 5 * sqrt(UNITS * 0.25 * 0.75));
	assert_true(fabs(both - UNITS * 0.125) < 5 * sqrt(UNITS * 0.125 * 0.875));
	copied = 0;
	for (int i = 0; i < UNITS; i++)
		copied += served_model_draw(&w->served, NULL, 0) < ROUTE_BUCKETS;
	assert_true(fabs(copied - UNITS * 0.25) < 5 * sqrt(UNITS * 0.25 * 0.75));

	/* A greater share keeps those that it had. */
	const char *unit = "user-1";
	uint32_t draw = served_model_draw(&w->served, unit, 6);
	w->served.route.entries[1].weight_bp = ROUTE_BUCKETS;
	assert_true(draw == ROUTE_BUCKETS || served_model_draw(&w->served, unit, 6) == draw);
	w->served.route.entry_count = 1;
	assert_int_equal(served_model_draw(&w->served, unit, 6), ROUTE_BUCKETS);
	w->served.route.entry_count = 2;
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies_are_whole_and_compared),
	    cmocka_unit_test(a_full_queue_drops_and_counts),
	    cmocka_unit_test(memory_is_bounded),
	    cmocka_unit_test(failures_are_counted_apart),
	    cmocka_unit_test(what_waits_is_dropped_when_nobody_looks_any_more),
	    cmocka_unit_test(what_waits_for_an_unloaded_version_is_dropped),
	    cmocka_unit_test(what_waited_too_long_is_dropped),
	    cmocka_unit_test(a_draining_server_copies_nothing),
	    cmocka_unit_test(a_comparison_is_of_one_pair),
	    cmocka_unit_test(draws_are_exact_sticky_and_independent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
