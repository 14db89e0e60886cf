/* The statistics of V2: every number in its place, as JSON. */
#include "lib/fake_routing.h"
#include "runtime/protocol/v2_stats.h"
#include "unit.h"

#include <cjson/cJSON.h>

static double number(const cJSON *stats, const char *part, const char *name)
{
	const cJSON *inference = cJSON_GetObjectItemCaseSensitive(stats, "inference_stats");
	const cJSON *object = part == NULL ? stats : cJSON_GetObjectItemCaseSensitive(inference, part);
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	assert_true(cJSON_IsNumber(item));
	return item->valuedouble;
}

static void part_is(const cJSON *stats, const char *part, double count, double ns)
{
	assert_true(number(stats, part, "count") == count);
	assert_true(number(stats, part, "ns") == ns);
}

static void every_number_is_in_its_place(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	const struct served_model *m = routing->models[1];
	const struct telemetry_sample sample = {50000, 1, 20, 300, 4000, 7};
	telemetry_record_ok(m->versions[1]->telemetry, &sample, NULL, 0);
	telemetry_record_ok(m->versions[1]->telemetry, &sample, NULL, 0);
	telemetry_record_error(m->versions[1]->telemetry, ERR_INPUT, 10);
	telemetry_record_error(m->versions[1]->telemetry, ERR_SYSTEM, 500);

	struct buf out;
	buf_init(&out);
	v2_stats_write(&out, m, m->versions[1]);
	cJSON *stats = cJSON_Parse(out.data);
	assert_non_null(stats);
	assert_string_equal(cJSON_GetObjectItem(stats, "name")->valuestring, "m");
	assert_string_equal(cJSON_GetObjectItem(stats, "version")->valuestring, "2");
	assert_true(number(stats, NULL, "last_inference") > 1.6e12);
	assert_true(number(stats, NULL, "inference_count") == 14);
	assert_true(number(stats, NULL, "execution_count") == 2);
	part_is(stats, "success", 2, 100000);
	part_is(stats, "fail", 1, 500); /* the refused one is not the model's */
	part_is(stats, "queue", 2, 2);
	part_is(stats, "compute_input", 2, 40);
	part_is(stats, "compute_infer", 2, 600);
	part_is(stats, "compute_output", 2, 8000);
	part_is(stats, "cache_hit", 0, 0);
	part_is(stats, "cache_miss", 0, 0);
	assert_true(cJSON_IsArray(cJSON_GetObjectItem(stats, "batch_stats")));
	cJSON_Delete(stats);
	buf_release(&out);
	fake_routing_free(routing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_number_is_in_its_place),
	};
	return cmocka_run_group_tests_name("v2_stats", tests, NULL, NULL);
}
