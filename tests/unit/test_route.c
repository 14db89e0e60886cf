/* Routes: exact shares, the fewest moves, JSON and text. */
#include "core/route.h"
#include "core/stat/stat_proportion.h"
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
	assert_string_equal(e.text, "v1 is named twice");
	assert_int_equal(route_split(&route, &kept, NULL, 0, &e), -1);
	struct route_entry many[ROUTE_ENTRIES_MAX + 1] = {{0}};
	assert_int_equal(route_split(&route, &kept, many, ROUTE_ENTRIES_MAX + 1, &e), -1);
	const struct route_entry huge[] = {{1, 0, UINT32_MAX}, {2, 0, 10001}};
	assert_int_equal(route_split(&route, &kept, huge, 2, &e), -1);
	assert_true(route_same(&route, &kept));
}

static void shadows(void **state)
{
	(void)state;
	static struct route before, after, kept;
	char text[128];
	struct err e = {0};
	const struct route_entry weights[] = {{2, 0, 8000}, {3, 0, 2000}, {7, ROUTE_SHADOW, 100}};
	route_single(&after, 2);
	assert_int_equal(route_split(&before, &after, weights, 3, NULL), 0);
	const struct route_entry change[] = {{8, ROUTE_CANARY, 2500}, {9, ROUTE_SHADOW, 10000}};
	assert_int_equal(route_shadow(&after, &before, change, 2, &e), 0);
	route_text(&after, text, sizeof text);
	assert_string_equal(text, "v2 80% v3 20% v7 shadow 1% v8 shadow 25% v9 shadow 100%");
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++)
		assert_int_equal(at(&after, bucket), at(&before, bucket));
	const struct route_entry end[] = {{7, 0, 0}, {8, 0, 5000}};
	kept = after;
	/* Into itself: the result may lie where the previous one lay. */
	assert_int_equal(route_shadow(&after, &after, end, 2, &e), 0);
	route_text(&after, text, sizeof text);
	assert_string_equal(text, "v2 80% v3 20% v9 shadow 100% v8 shadow 50%");
	assert_int_equal(route_live(&after), 2);
	/* A shadow that gets a share of the requests is a canary and a shadow no more. */
	const struct route_entry share[] = {{2, 0, 5000}, {8, 0, 5000}};
	assert_int_equal(route_split(&before, &after, share, 2, &e), 0);
	route_text(&before, text, sizeof text);
	assert_string_equal(text, "v2 50% v8 50% v9 shadow 100%");
	static const struct {
		struct route_entry entries[2];
		size_t count;
		const char *text;
	} wrong[] = {
	    {{{2, 0, 100}}, 1, "v2 is live, so it cannot be a shadow as well"},
	    {{{3, 0, 0}}, 1, "v3 is a canary, so it cannot be a shadow as well"},
	    {{{8, 0, 1}, {8, 0, 2}}, 2, "v8 is named twice"},
	    {{{8, 0, 10001}}, 1, "the share of v8 is more than 100%"},
	    {{{0, 0, 1}}, 1, "there is no version 0: versions start at 1"},
	    {{{0, 0, 0}}, 0, "no shadow is named"},
	};
	after = kept;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(route_shadow(&after, &kept, wrong[i].entries, wrong[i].count, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, wrong[i].text);
		assert_true(route_same(&after, &kept));
	}
	route_init(&before);
	assert_int_equal(route_shadow(&after, &before, change, 2, &e), -1);
	assert_string_equal(e.text, "nothing is live, so there are no requests to copy to a shadow");
	struct route_entry many[ROUTE_ENTRIES_MAX] = {{0}};
	for (uint32_t i = 0; i < ROUTE_ENTRIES_MAX; i++)
		many[i] = (struct route_entry){20 + i, ROUTE_SHADOW, 1};
	assert_int_equal(route_shadow(&after, &kept, many, ROUTE_ENTRIES_MAX, &e), -1);
	assert_string_equal(e.text, "a route has at most 16 versions, shadows included");
}

static void whole_routes(void **state)
{
	(void)state;
	static struct route before, after;
	char text[128];
	struct err e = {0};
	const struct route_entry start[] = {{2, 0, 7000}, {3, 0, 3000}, {7, ROUTE_SHADOW, 100}};
	route_single(&after, 2);
	assert_int_equal(route_split(&before, &after, start, 3, NULL), 0);
	/* Roles as given, though v2 was live; the shadow that is not named ends. */
	const struct route_entry given[] = {{8, ROUTE_SHADOW, 500}, {2, ROUTE_CANARY, 6000}, {3, ROUTE_LIVE, 4000}};
	assert_int_equal(route_set(&after, &before, given, 3, &e), 0);
	route_text(&after, text, sizeof text);
	assert_string_equal(text, "v3 40% v2 60% v8 shadow 5%");
	check_step(&before, &after);
	/* Without a live one: the rule of a split. */
	const struct route_entry canaries[] = {{2, ROUTE_CANARY, 9000}, {3, ROUTE_CANARY, 1000}};
	assert_int_equal(route_set(&after, &before, canaries, 2, &e), 0);
	assert_int_equal(route_live(&after), 2);
	assert_int_equal(after.entry_count, 2);
	check_step(&before, &after);
	static const struct {
		struct route_entry entries[2];
		size_t count;
		const char *text;
	} wrong[] = {
	    {{{2, ROUTE_LIVE, 5000}, {3, ROUTE_LIVE, 5000}}, 2, "a route has one live version, not v2 and v3"},
	    {{{2, ROUTE_LIVE, 0}, {3, 1, 10000}}, 2, "v2 cannot be live with a share of 0%"},
	    {{{2, ROUTE_LIVE, 9000}, {3, ROUTE_SHADOW, 1000}}, 2, "the shares must add up to 100%, got 90%"},
	    {{{2, 1, 5000}, {2, 1, 5000}}, 2, "v2 is named twice"},
	    {{{0, 0, 0}}, 0, "the shares must add up to 100%, got 0%"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		after = before;
		assert_int_equal(route_set(&after, &before, wrong[i].entries, wrong[i].count, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, wrong[i].text);
		assert_true(route_same(&after, &before));
	}
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

/* --- a million units: the forms that callers have --- */

enum { MANY_UNITS = 1000000 };

static uint32_t unit_bucket(const char *salt, const char *form, uint32_t i)
{
	char unit[64];
	int size = snprintf(unit, sizeof unit, form, i, i * UINT32_C(2654435761));
	return route_bucket(salt, unit, (size_t)size);
}

/* Far out in the tails: a right one is refused once in a million runs, were the units drawn anew. */
static void check_count(uint64_t count, uint64_t n, double share)
{
	if (stat_binomial_two_sided(count, n, share) < 1e-6)
		fail_msg("%llu of %llu are no share of %g", (unsigned long long)count, (unsigned long long)n, share);
}

static void a_share_is_that_share_of_units(void **state)
{
	(void)state;
	static const char *const forms[] = {"%u", "user-%u", "%08x-4f1c-%08x"};
	static const uint32_t shares_bp[] = {1, 100, 1000, 3333, 5000, 9999};
	static struct route route, before;

	for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
		uint64_t counts[sizeof shares_bp / sizeof *shares_bp] = {0};
		static uint32_t buckets_of[MANY_UNITS];
		for (uint32_t i = 0; i < MANY_UNITS; i++)
			buckets_of[i] = unit_bucket("flight-delay", forms[f], i);
		for (size_t k = 0; k < sizeof shares_bp / sizeof *shares_bp; k++) {
			const struct route_entry weights[] = {{1, 0, ROUTE_BUCKETS - shares_bp[k]},
							      {2, 0, shares_bp[k]}};
			route_single(&before, 1);
			assert_int_equal(route_split(&route, &before, weights, 2, NULL), 0);
			for (uint32_t i = 0; i < MANY_UNITS; i++)
				counts[k] += at(&route, buckets_of[i]) == 2;
			check_count(counts[k], MANY_UNITS, shares_bp[k] / (double)ROUTE_BUCKETS);
		}
	}
}

static void a_grown_share_keeps_its_units(void **state)
{
	(void)state;
	static const uint32_t shares_bp[] = {100, 500, 1000, 2500, 5000, ROUTE_BUCKETS};
	static bool had[MANY_UNITS];
	static struct route route, before;

	route_single(&before, 1);
	for (size_t k = 0; k < sizeof shares_bp / sizeof *shares_bp; k++) {
		const struct route_entry weights[] = {{1, 0, ROUTE_BUCKETS - shares_bp[k]}, {2, 0, shares_bp[k]}};
		uint64_t moved = 0;
		assert_int_equal(route_split(&route, &before, weights, 2, NULL), 0);
		for (uint32_t i = 0; i < MANY_UNITS; i++) {
			bool has = at(&route, unit_bucket("churn", "user-%u", i)) == 2;
			assert_true(has || !had[i]);
			moved += has && !had[i];
			had[i] = has;
		}
		uint32_t grown_bp = shares_bp[k] - (k > 0 ? shares_bp[k - 1] : 0);
		check_count(moved, MANY_UNITS, grown_bp / (double)ROUTE_BUCKETS);
		before = route;
	}
}

static void another_salt_is_independent(void **state)
{
	(void)state;
	/* Names that differ little, and one that goes on where the other ends. */
	static const char *const salts[] = {"flight-delay", "flight-delaz", "flight-dela", "churn"};
	enum { SALTS = sizeof salts / sizeof *salts, TENTH = ROUTE_BUCKETS / 10 };
	uint64_t in[SALTS] = {0}, both[SALTS][SALTS] = {{0}};

	for (uint32_t i = 0; i < MANY_UNITS; i++) {
		bool has[SALTS];
		for (size_t a = 0; a < SALTS; a++) {
			has[a] = unit_bucket(salts[a], "y%u", i) < TENTH;
			in[a] += has[a];
			for (size_t b = 0; b < a; b++)
				both[a][b] += has[a] && has[b];
		}
	}
	for (size_t a = 0; a < SALTS; a++)
		for (size_t b = 0; b < a; b++)
			check_count(both[a][b], in[b], 0.1);
}

/* The arms of a test are the first buckets by its salt; the rest is live. */
static void arms_of_a_test(void **state)
{
	(void)state;
	static struct route before, route, back, next;
	const struct route_entry arms[] = {{1, 0, 1500}, {3, 0, 1000}}, same[] = {{1, 0, 5000}, {1, 0, 5000}};
	struct err e = {0};
	const struct route_entry shadow[] = {{2, ROUTE_SHADOW, 100}};

	route_single(&before, 1);
	assert_int_equal(route_shadow(&before, &before, shadow, 1, NULL), 0);
	assert_int_equal(route_experiment(&route, &before, "salt-1", arms, 2, &e), 0);
	for (uint32_t bucket = 0; bucket < ROUTE_BUCKETS; bucket++)
		assert_int_equal(at(&route, bucket), bucket >= 1500 && bucket < 2500 ? 3 : 1);
	assert_int_equal(weight_of(&route, 1), 9000);
	assert_int_equal(route_live(&route), 1);
	assert_int_equal(route_find(&route, 2)->role, ROUTE_SHADOW);
	assert_string_equal(route.salt, "salt-1");

	cJSON *json = route_to_json(&route);
	assert_int_equal(route_from_json(&back, json, &e), 0);
	assert_true(route_same(&back, &route));
	cJSON_ReplaceItemInObjectCaseSensitive(json, "salt", cJSON_CreateString("no name"));
	assert_int_equal(route_from_json(&back, json, &e), -1);
	cJSON_Delete(json);

	/* Units stay where they are until one version has them all. */
	const struct route_entry split[] = {{1, 0, 5000}, {3, 0, 5000}}, all[] = {{3, 0, ROUTE_BUCKETS}};
	assert_int_equal(route_split(&next, &route, split, 2, &e), 0);
	assert_string_equal(next.salt, "salt-1");
	check_step(&route, &next);
	assert_int_equal(route_split(&next, &route, all, 1, &e), 0);
	assert_string_equal(next.salt, "");

	/* The same version on all arms is a route of its own. */
	assert_int_equal(route_experiment(&route, &before, "aa", same, 2, &e), 0);
	assert_int_equal(weight_of(&route, 1), ROUTE_BUCKETS);
	assert_false(route_same(&route, &before));
}

static void refused_arms(void **state)
{
	(void)state;
	static struct route before, canary, route, empty;
	const struct route_entry split[] = {{1, 0, 9000}, {2, 0, 1000}};
	static const struct {
		struct route_entry arms[3];
		size_t count;
		enum err_code code;
	} cases[] = {
	    {{{3, 0, 5000}, {1, 0, 5000}}, 2, ERR_INPUT},
	    {{{1, 0, 5000}, {3, 0, 5001}}, 2, ERR_INPUT},
	    {{{1, 0, 10}, {3, 0, 10}, {3, 0, 10}}, 3, ERR_INPUT},
	    {{{1, 0, 10}, {0, 0, 10}}, 2, ERR_INPUT},
	    {{{1, 0, 10}, {3, 0, 0}}, 2, ERR_INPUT},
	    {{{0}}, 0, ERR_INPUT},
	};
	struct err e;

	route_single(&before, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(route_experiment(&route, &before, "s", cases[i].arms, cases[i].count, &e), -1);
		assert_int_equal(e.code, cases[i].code);
	}
	assert_int_equal(route_split(&canary, &before, split, 2, &e), 0);
	assert_int_equal(route_experiment(&route, &canary, "s", (struct route_entry[]){{1, 0, 10}, {3, 0, 10}}, 2, &e),
			 -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_int_equal(route_experiment(&route, &canary, "s", (struct route_entry[]){{1, 0, 10}, {2, 0, 10}}, 2, &e),
			 0);
	route_init(&empty);
	assert_int_equal(route_experiment(&route, &empty, "s", (struct route_entry[]){{1, 0, 10}, {2, 0, 10}}, 2, &e),
			 -1);
	assert_int_equal(e.code, ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_share_is_that_share_of_units),
	    cmocka_unit_test(a_grown_share_keeps_its_units),
	    cmocka_unit_test(another_salt_is_independent),
	    cmocka_unit_test(arms_of_a_test),
	    cmocka_unit_test(refused_arms),
	    cmocka_unit_test(random_walk),
	    cmocka_unit_test(ramp_keeps_units),
	    cmocka_unit_test(roles),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(hostile_json),
	    cmocka_unit_test(buckets),
	    cmocka_unit_test(shadows),
	    cmocka_unit_test(whole_routes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
