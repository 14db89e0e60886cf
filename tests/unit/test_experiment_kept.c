/* What is kept of a unit of an A/B test, and hashes: no order of outcomes matters, and bytes give back what was
 * written.
 */
#include "core/experiment/experiment_kept.h"
#include "experiment_store_fixture.h"

enum { CONVERSION, CLICKS, REVENUE, LOSS, SLOW };

static struct experiment x;
static const struct experiment_exposure served = {
    .unit = {1, 2}, .arm = 1, .at_ms = 1000000, .latency_ns = 2000, .prediction = 0.25, .covariate = 40};

static void begin(struct experiment_kept *kept, struct experiment_state **s)
{
	x = store_plan();
	*s = experiment_state_new(&x);
	assert_non_null(*s);
	experiment_kept_begin(kept, &x, *s, &served);
	experiment_kept_request(kept, &x, *s, &served);
}

static enum experiment_result tell(struct experiment_kept *kept, struct experiment_state *s, size_t metric,
				   double value, int64_t at_ms)
{
	return experiment_kept_outcome(kept, &x, s, metric, value, kept->prediction, at_ms);
}

static void a_unit_begins_with_what_counts_as_zero(void **state)
{
	(void)state;
	struct experiment_kept kept;
	struct experiment_state *s;
	begin(&kept, &s);
	assert_int_equal(s->exposed[1], 1);
	assert_true(kept.contributions[CONVERSION].is_present && kept.contributions[CONVERSION].y == 0);
	assert_true(kept.contributions[CONVERSION].x > 0); /* the covariate */
	assert_false(kept.contributions[REVENUE].is_present);
	assert_true(kept.contributions[SLOW].x == 1 && kept.contributions[SLOW].y == 1);
	assert_int_equal(s->sums[1][SLOW].count, 1);
	assert_true(kept.prediction == 0.25 && kept.covariate == 40);
	experiment_state_free(s);
}

/* All orders of six outcomes, of which some are of the same moment. */
static void no_order_matters(void **state)
{
	(void)state;
	static const struct {
		size_t metric;
		double value;
		int64_t at_ms;
	} told[] = {{CONVERSION, 1, 5}, {CONVERSION, 0, 4}, {CLICKS, 3, 9},
		    {CLICKS, 4, 2},     {REVENUE, -7, 6},   {REVENUE, -8, 6}};
	struct experiment_state *first = NULL;
	unsigned char first_bytes[EXPERIMENT_KEPT_BYTES_MAX];
	size_t first_size = 0;
	for (unsigned order = 0; order < 720; order++) {
		size_t places[] = {0, 1, 2, 3, 4, 5};
		struct experiment_kept kept;
		struct experiment_state *s;
		unsigned rest = order;
		begin(&kept, &s);
		for (size_t left = 6; left > 0; left--) {
			size_t pick = rest % left, place = places[pick];
			rest /= (unsigned)left;
			places[pick] = places[left - 1];
			assert_int_equal(tell(&kept, s, told[place].metric, told[place].value, told[place].at_ms),
					 EXPERIMENT_RESULT_ACCEPTED);
		}
		assert_int_equal(kept.contributions[CONVERSION].y, 1);
		assert_int_equal(kept.contributions[CLICKS].y, 7);
		assert_true((double)kept.contributions[REVENUE].y * experiment_scale(&x.metrics[REVENUE]) == -7);
		unsigned char bytes[EXPERIMENT_KEPT_BYTES_MAX];
		size_t size = experiment_kept_write(&kept, &x, bytes);
		if (first == NULL) {
			first = s;
			first_size = size;
			memcpy(first_bytes, bytes, size);
			continue;
		}
		assert_true(experiment_state_equal(first, s));
		assert_int_equal(size, first_size);
		assert_memory_equal(bytes, first_bytes, size);
		experiment_state_free(s);
	}
	experiment_state_free(first);
}

static void what_is_no_value_changes_nothing(void **state)
{
	(void)state;
	struct experiment_kept kept, before;
	struct experiment_state *s, *same;
	begin(&kept, &s);
	begin(&before, &same);
	assert_int_equal(tell(&kept, s, CONVERSION, 0.5, 1), EXPERIMENT_RESULT_BAD_VALUE);
	assert_int_equal(tell(&kept, s, CLICKS, -1, 1), EXPERIMENT_RESULT_BAD_VALUE);
	assert_int_equal(tell(&kept, s, REVENUE, (double)NAN, 1), EXPERIMENT_RESULT_BAD_VALUE);
	assert_int_equal(tell(&kept, s, REVENUE, (double)INFINITY, 1), EXPERIMENT_RESULT_BAD_VALUE);
	assert_int_equal(tell(&kept, s, LOSS, 2, 1), EXPERIMENT_RESULT_BAD_VALUE);
	assert_int_equal(experiment_kept_outcome(&kept, &x, s, LOSS, 1, (double)NAN, 1),
			 EXPERIMENT_RESULT_NO_PREDICTION);
	assert_int_equal(experiment_kept_outcome(&kept, &x, s, LOSS, 1, 1.5, 1), EXPERIMENT_RESULT_NO_PREDICTION);
	assert_true(experiment_state_equal(s, same));
	assert_memory_equal(kept.contributions, before.contributions, sizeof kept.contributions);
	experiment_state_free(s);
	experiment_state_free(same);
}

static void the_window_has_both_ends(void **state)
{
	(void)state;
	x = store_plan();
	const int64_t first = 1000000, end = first + x.window_s * 1000, last = end + EXPERIMENT_ARRIVAL_MS;
	static const struct {
		int64_t after_first, told_after_end;
		enum experiment_result result;
	} cases[] = {
	    {-EXPERIMENT_SKEW_MS - 1, 0, EXPERIMENT_RESULT_BEFORE_EXPOSURE},
	    {-EXPERIMENT_SKEW_MS, 0, EXPERIMENT_RESULT_ACCEPTED},
	    {3600000, 0, EXPERIMENT_RESULT_ACCEPTED},
	    {3600001, 0, EXPERIMENT_RESULT_LATE},
	    {3600000, EXPERIMENT_ARRIVAL_MS, EXPERIMENT_RESULT_ACCEPTED},
	    {0, EXPERIMENT_ARRIVAL_MS + 1, EXPERIMENT_RESULT_LATE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(
		    experiment_kept_in_time(&x, first, first + cases[i].after_first, end + cases[i].told_after_end),
		    cases[i].result);
	assert_int_equal(experiment_kept_expires(&x, first), last);
}

static void bytes_give_back_what_was_written(void **state)
{
	(void)state;
	struct experiment_kept kept, read = {.arm = 1, .first_ms = served.at_ms};
	struct experiment_state *s;
	unsigned char bytes[EXPERIMENT_KEPT_BYTES_MAX];
	struct err e = {.text = ""};
	begin(&kept, &s);
	assert_int_equal(tell(&kept, s, REVENUE, -99.25, served.at_ms - 3), EXPERIMENT_RESULT_ACCEPTED);
	assert_int_equal(tell(&kept, s, LOSS, 1, served.at_ms + 3000000), EXPERIMENT_RESULT_ACCEPTED);
	size_t size = experiment_kept_write(&kept, &x, bytes);
	assert_true(size < 64);
	if (experiment_kept_read(&read, &x, bytes, size, &e) != 0)
		fail_msg("%s", e.text);
	assert_true(read.prediction == kept.prediction && read.covariate == kept.covariate);
	assert_memory_equal(read.told_ms, kept.told_ms, sizeof read.told_ms);
	for (size_t i = 0; i < EXPERIMENT_METRICS_MAX; i++) {
		const struct experiment_contribution *a = &kept.contributions[i], *b = &read.contributions[i];
		assert_true(a->is_present == b->is_present && a->x == b->x && a->y == b->y);
	}
	/* Every part of it alone is none, and neither is more. */
	for (size_t part = 0; part < size; part++)
		assert_int_equal(experiment_kept_read(&read, &x, bytes, part, &e), -1);
	bytes[size] = 0;
	assert_int_equal(experiment_kept_read(&read, &x, bytes, size + 1, &e), -1);
	assert_says(e.text, "does not belong to the plan");
	experiment_state_free(s);
}

/* The most that a unit can take has room. */
static void the_largest_unit_fits(void **state)
{
	(void)state;
	struct experiment_kept kept = {.prediction = 0.1, .covariate = 0.2};
	unsigned char bytes[2 * EXPERIMENT_KEPT_BYTES_MAX];
	x = store_plan();
	x.metric_count = EXPERIMENT_METRICS_MAX;
	for (size_t i = 0; i < EXPERIMENT_METRICS_MAX; i++) {
		kept.contributions[i] =
		    (struct experiment_contribution){true, -EXPERIMENT_STEPS_MAX, -EXPERIMENT_STEPS_MAX};
		kept.told_ms[i] = INT64_C(1) << 45;
	}
	assert_true(experiment_kept_write(&kept, &x, bytes) <= EXPERIMENT_KEPT_BYTES_MAX);
}

static void hashes_are_of_their_kind_and_test(void **state)
{
	(void)state;
	struct experiment other = store_plan();
	x = store_plan();
	snprintf(other.salt, sizeof other.salt, "other");
	struct experiment_hash unit = experiment_hash(&x, EXPERIMENT_HASH_UNIT, "a", 1);
	struct experiment_hash request = experiment_hash(&x, EXPERIMENT_HASH_REQUEST, "a", 1);
	struct experiment_hash elsewhere = experiment_hash(&other, EXPERIMENT_HASH_UNIT, "a", 1);
	assert_true(unit.high != request.high && unit.low != request.low && unit.high != unit.low);
	assert_true(unit.high != elsewhere.high && unit.low != elsewhere.low);
	struct experiment_hash keys[] = {
	    experiment_key(&x, 0, "k", unit, 5),   experiment_key(&x, 1, "k", unit, 5),
	    experiment_key(&x, 0, "l", unit, 5),   experiment_key(&x, 0, NULL, unit, 5),
	    experiment_key(&x, 0, NULL, unit, -1), experiment_key(&x, 0, NULL, request, 5),
	    experiment_key(&x, 1, NULL, unit, 5),
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		for (size_t k = 0; k < i; k++)
			assert_true(keys[i].high != keys[k].high && keys[i].low != keys[k].low);
	/* A client's key is all there is to it. */
	struct experiment_hash again = experiment_key(&x, 0, "k", request, 99);
	assert_memory_equal(&again, &keys[0], sizeof again);
}

static void counts_go_there_and_back(void **state)
{
	(void)state;
	struct experiment_counts counts = {.requests = 1, .units = 2, .lost = 3}, read;
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT; i++) {
		counts.outcomes[i] = 10 + i;
		assert_true(experiment_result_name((enum experiment_result)i)[0] != '\0');
		assert_true(experiment_result_sentence((enum experiment_result)i)[0] != '\0');
	}
	cJSON *json = experiment_counts_to_json(&counts);
	assert_int_equal(experiment_counts_from_json(json, &read, NULL), 0);
	assert_memory_equal(&read, &counts, sizeof read);
	cJSON_DeleteItemFromObject(json, "outcomes");
	struct err e = {.text = ""};
	assert_int_equal(experiment_counts_from_json(json, &read, &e), -1);
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_unit_begins_with_what_counts_as_zero), cmocka_unit_test(no_order_matters),
	    cmocka_unit_test(what_is_no_value_changes_nothing),       cmocka_unit_test(the_window_has_both_ends),
	    cmocka_unit_test(bytes_give_back_what_was_written),       cmocka_unit_test(the_largest_unit_fits),
	    cmocka_unit_test(hashes_are_of_their_kind_and_test),      cmocka_unit_test(counts_go_there_and_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
