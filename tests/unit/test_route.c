/* Routes: exact shares, the fewest moves, JSON and text. */
#include "core/route.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The version of a bucket. */
static uint32_t at(const struct route *r, uint32_t bucket)
{
	assert_true(r->owner[bucket] < r->entry_count);
	return r->entries[r->owner[bucket]].version;
}

static uint32_t weight_of(const struct route *r, uint32_t version)
{
	const struct route_entry *entry = route_find(r, version);
	return entry != NULL && entry->role != ROUTE_SHADOW ? entry->weight_bp : 0;
}

/* Shares are exact, and exactly as many buckets moved as shares shrank. */
static void check_step(const struct route *before, const struct route *after)
{
	uint32_t counts[64] = {0}, moved = 0, shrunk = 0;
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++) {
		uint32_t version = at(after, bucket);
		assert_true(version < 64);
		counts[version]++;
		if (before->entry_count == 0 || at(before, bucket) == version)
			continue;
		moved++;
		assert_true(weight_of(before, at(before, bucket)) > weight_of(after, at(before, bucket)));
		assert_true(weight_of(after, version) > weight_of(before, version));
	}
	for (uint32_t version = 0; version < 64; version++) {
		uint32_t now = weight_of(after, version), then = weight_of(before, version);
		assert_int_equal(counts[version], now);
		if (before->entry_count > 0 && then > now)
			shrunk += then - now;
	}
	assert_int_equal(moved, shrunk);
}

static void random_walk(void **state)
{
	(void)state;
	static struct route route, next, back;
	route_init(&route);
	srand(7);
	for (int step = 0; step < 400; step++) {
		struct route_entry weights[ROUTE_ENTRIES_MAX] = {0};
		size_t count = 1 + (size_t)rand() % 6;
		uint32_t left = ROUTE_BUCKETS, first = 1 + (uint32_t)rand() % 40;
		for (size_t i = 0; i < count; i++) {
			uint32_t share = i + 1 == count ? left : (uint32_t)rand() % (left + 1);
			weights[i] = (struct route_entry){first + (uint32_t)i, ROUTE_CANARY, share};
			left -= share;
		}
		assert_int_equal(route_split(&next, &route, weights, count, NULL), 0);
		check_step(&route, &next);
		cJSON *json = route_to_json(&next);
		assert_int_equal(route_from_json(&back, json, NULL), 0);
		cJSON_Delete(json);
		assert_true(route_same(&next, &back));
		route = next;
	}
}

static void ramp_keeps_units(void **state)
{
	(void)state;
	static struct route route, next;
	route_single(&route, 1);
	for (uint32_t share = 1; share <= ROUTE_BUCKETS; share += 49) {
		const struct route_entry weights[] = {{1, ROUTE_LIVE, ROUTE_BUCKETS - share}, {2, ROUTE_CANARY, share}};
		assert_int_equal(route_split(&next, &route, weights, 2, NULL), 0);
		for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++)
			if (at(&route, bucket) == 2)
				assert_int_equal(at(&next, bucket), 2);
		check_step(&route, &next);
		route = next;
	}
}

static void roles(void **state)
{
	(void)state;
	static struct route route, next;
	char text[128];
	route_single(&route, 2);
	const struct route_entry weights[] = {{3, ROUTE_LIVE, 6000}, {2, ROUTE_LIVE, 4000}, {8, ROUTE_SHADOW, 2550}};
	assert_int_equal(route_split(&next, &route, weights, 3, NULL), 0);
	assert_int_equal(route_live(&next), 2);
	route_text(&next, text, sizeof text);
	assert_string_equal(text, "v2 40% v3 60% v8 shadow 25.5%");
	const struct route_entry without[] = {{2, 0, 0}, {4, 0, 5000}, {5, 0, 5000}};
	assert_int_equal(route_split(&route, &next, without, 3, NULL), 0);
	assert_int_equal(route_live(&route), 4);
	route_text(&route, text, sizeof text);
	assert_string_equal(text, "v4 50% v5 50% v8 shadow 25.5%");
	route_text(&route, text, 10);
	assert_string_equal(text, "v4 50%");
	route_init(&route);
	route_text(&route, text, sizeof text);
	assert_string_equal(text, "nothing live");
	assert_int_equal(route_live(&route), 0);
}

static void refusals(void **state)
{
	(void)state;
	static struct route route, kept;
	route_single(&route, 1);
	route_single(&kept, 1);
	struct err e = {0};
	const struct route_entry short_sum[] = {{1, 0, 9000}, {2, 0, 500}};
	assert_int_equal(route_split(&route, &kept, short_sum, 2, &e), -1);
	assert_string_equal(e.text, "the shares must add up to 100%, got 95%");
	const struct route_entry twice[] = {{1, 0, 5000}, {1, 0, 5000}};
	assert_int_equal(route_split(&route, &kept, twice, 2, &e), -1);
	assert_string_equal(e.text, "v1 is named twice in the split");
	assert_int_equal(route_split(&route, &kept, NULL, 0, &e), -1);
	struct route_entry many[ROUTE_ENTRIES_MAX + 1] = {{0}};
	assert_int_equal(route_split(&route, &kept, many, ROUTE_ENTRIES_MAX + 1, &e), -1);
	const struct route_entry huge[] = {{1, 0, UINT32_MAX}, {2, 0, 10001}};
	assert_int_equal(route_split(&route, &kept, huge, 2, &e), -1);
	assert_true(route_same(&route, &kept));
}

static void hostile_json(void **state)
{
	(void)state;
	static const char *const wrong[] = {
	    "{}",
	    "[]",
	    "{\"entries\":7}",
	    "{\"entries\":[7]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":10000,\"ranges\":[]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"king\",\"weight_bp\":10000,\"ranges\":[[0,"
	    "10000]]}]}",
	    "{\"entries\":[{\"version\":0,\"role\":\"live\",\"weight_bp\":10000,\"ranges\":[[0,"
	    "10000]]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":10000,\"ranges\":[[0,"
	    "10001]]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":10000,\"ranges\":[[5,5]]}"
	    "]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"canary\",\"weight_bp\":10000,\"ranges\":[[0,"
	    "10000]]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":5000,\"ranges\":[[0,5000]"
	    "]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":6000,\"ranges\":[[0,6000]"
	    "]},"
	    "{\"version\":2,\"role\":\"canary\",\"weight_bp\":4000,\"ranges\":[[5000,9000]]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":6000,\"ranges\":[[0,6000]"
	    "]},"
	    "{\"version\":2,\"role\":\"live\",\"weight_bp\":4000,\"ranges\":[[6000,10000]]}]}",
	    "{\"entries\":[{\"version\":1,\"role\":\"live\",\"weight_bp\":6000,\"ranges\":[[0,6000]"
	    "]},"
	    "{\"version\":1,\"role\":\"canary\",\"weight_bp\":4000,\"ranges\":[[6000,10000]]}]}",
	};
	static struct route route;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		cJSON *json = cJSON_Parse(wrong[i]);
		struct err e = {0};
		assert_non_null(json);
		assert_int_equal(route_from_json(&route, json, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		cJSON_Delete(json);
	}
}

static void buckets(void **state)
{
	(void)state;
	static uint32_t counts[ROUTE_BUCKETS];
	enum { UNITS = 1000000 };
	for (uint32_t i = 0; i < UNITS; i++) {
		char unit[16];
		int size = snprintf(unit, sizeof unit, "user-%u", i);
		uint32_t bucket = route_bucket("flight-delay", unit, (size_t)size);
		assert_true(bucket < ROUTE_BUCKETS);
		counts[bucket]++;
	}
	/* Chi-square with 9,999 degrees of freedom: mean 9,999, standard deviation 141; six of
	 * them. */
	double chi_square = 0, expected = (double)UNITS / ROUTE_BUCKETS;
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++)
		chi_square += pow(counts[bucket] - expected, 2) / expected;
	assert_true(fabs(chi_square - 9999) < 6 * 141.4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_walk), cmocka_unit_test(ramp_keeps_units), cmocka_unit_test(roles),
	    cmocka_unit_test(refusals),    cmocka_unit_test(hostile_json),     cmocka_unit_test(buckets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
