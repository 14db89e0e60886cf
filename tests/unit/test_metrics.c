/* The text format on a routing made by hand: families, escapes, histograms, and what is left out. */
#include "lib/fake_routing.h"
#include "runtime/telemetry/metrics.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct served_version *version(struct routing *routing, uint32_t number)
{
	return routing->models[1]->versions[number - 1];
}

/* The metrics of a routing; free() them. */
static char *metrics_of(const struct routing *routing)
{
	struct server server = {.name = "a\nb", .listen = "127.0.0.1:8080"};
	struct buf out;
	buf_init(&out);
	metrics_write(&server, routing, &out);
	assert_false(out.failed);
	return buf_take(&out);
}

/* Whether one whole line is this. */
static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	print_message("no line: %s\n", line);
	return false;
}

static void names_what_serves(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	char *text = metrics_of(routing);
	assert_true(has_line(text, "# TYPE mldeck_model_info gauge"));
	assert_true(has_line(text, "mldeck_model_info{model=\"m\",version=\"2\",role=\"canary\",engine=\"fake\","
				   "format=\"plain\",sha256=\""
				   "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"} 1"));
	assert_true(has_line(text, "mldeck_route_weight_ratio{model=\"m\",version=\"1\"} 0.75"));
	assert_true(has_line(text, "mldeck_route_weight_ratio{model=\"m\",version=\"2\"} 0.25"));
	assert_null(strstr(text, "mldeck_route_weight_ratio{model=\"m\",version=\"3\"}"));
	assert_true(has_line(text, "mldeck_shadow_weight_ratio{model=\"m\",version=\"3\"} 0.1"));
	assert_true(has_line(text, "mldeck_route_revision{model=\"m\"} 7"));
	assert_true(has_line(text, "mldeck_route_revision{model=\"empty\"} 0"));
	assert_true(has_line(text, "mldeck_version_ready{model=\"m\",version=\"1\"} 1"));
	assert_true(has_line(text, "mldeck_version_ready{model=\"m\",version=\"4\"} 0"));
	assert_true(has_line(text, "mldeck_version_ready{model=\"m\",version=\"5\"} 1"));
	assert_true(has_line(text, "mldeck_version_ready{model=\"m\",version=\"3\"} 0")); /* its server is away */
	assert_true(has_line(text, "mldeck_version_memory_bytes{model=\"m\",version=\"1\"} 4096"));
	assert_null(strstr(text, "mldeck_version_memory_bytes{model=\"m\",version=\"4\"}"));
	assert_true(has_line(text, "mldeck_build_info{version=\"" MLDECK_VERSION "\"} 1"));
	free(text);
	fake_routing_free(routing);
}

static void labels_are_escaped(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	char *text = metrics_of(routing);
	assert_non_null(strstr(text, "engine=\"\\\"{},=\\\\\",format=\"a\\\"b\\\\c\\nd\uFFFD[31m\uFFFD\uFFFD é\","));
	assert_non_null(strstr(text, "mldeck_server_info{name=\"a\\nb\",listen=\"127.0.0.1:8080\"} 1\n"));
	free(text);
	fake_routing_free(routing);
}

static void requests_are_counted_by_outcome(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	const struct telemetry_sample sample = {50000, 1000, 2000000, 3, 4, 7};
	struct telemetry *t = version(routing, 1)->telemetry;
	telemetry_record_ok(t, &sample, NULL, 0);
	telemetry_record_error(t, ERR_INPUT, 1000000);
	telemetry_record_error(t, ERR_INPUT, 1000000);
	telemetry_record_error(t, ERR_TIMEOUT, 2000000000);
	telemetry_record_error(version(routing, 5)->telemetry, ERR_SYSTEM, 1);
	char *text = metrics_of(routing);
	assert_true(has_line(text, "mldeck_requests_total{model=\"m\",version=\"1\",outcome=\"ok\"} 1"));
	assert_true(has_line(text, "mldeck_requests_total{model=\"m\",version=\"1\",outcome=\"refused\"} 2"));
	assert_true(has_line(text, "mldeck_requests_total{model=\"m\",version=\"1\",outcome=\"error\"} 1"));
	/* In the route: counted from 0. Asked though in no route: counted. Neither: not there. */
	assert_true(has_line(text, "mldeck_requests_total{model=\"m\",version=\"2\",outcome=\"ok\"} 0"));
	assert_true(has_line(text, "mldeck_requests_total{model=\"m\",version=\"5\",outcome=\"error\"} 1"));
	const char *ready = strstr(text, "version=\"4\"");
	assert_non_null(ready); /* that it is not */
	assert_null(strstr(ready + 1, "version=\"4\""));
	assert_non_null(strstr(text, "mldeck_failure_seconds_total{model=\"m\",version=\"1\",outcome=\"refused\"} "
				     "0.002\n"));
	assert_non_null(strstr(text, "mldeck_failure_seconds_total{model=\"m\",version=\"1\",outcome=\"error\"} 2\n"));
	assert_true(has_line(text, "mldeck_inference_rows_total{model=\"m\",version=\"1\"} 7"));
	assert_true(has_line(text, "mldeck_inference_queue_seconds_total{model=\"m\",version=\"1\"} 1e-6"));
	assert_true(has_line(text, "mldeck_inference_input_seconds_total{model=\"m\",version=\"1\"} 0.002"));
	assert_true(has_line(text, "mldeck_inference_infer_seconds_total{model=\"m\",version=\"1\"} 3e-9"));
	assert_true(has_line(text, "mldeck_inference_output_seconds_total{model=\"m\",version=\"1\"} 4e-9"));
	assert_non_null(strstr(text, "mldeck_last_inference_timestamp_seconds{model=\"m\",version=\"1\"} 1"));
	assert_null(strstr(text, "mldeck_last_inference_timestamp_seconds{model=\"m\",version=\"2\"}"));
	free(text);
	fake_routing_free(routing);
}

static void bucket_is(const char *text, const char *name, const char *le, unsigned count)
{
	char line[200];
	snprintf(line, sizeof line, "%s_bucket{model=\"m\",version=\"1\",le=\"%s\"} %u", name, le, count);
	assert_true(has_line(text, line));
}

/* Every edge is right to the 1% of the histogram: 1% below it counts within, 1% above does not. */
static void durations_fall_into_their_buckets(void **state)
{
	(void)state;
	for (size_t i = 0; i < METRICS_LATENCY_EDGES; i++) {
		const struct metrics_edge *edge = &metrics_latency_edges[i];
		assert_true(strtod(edge->label, NULL) == (double)edge->ns / 1e9);
		assert_true(i == 0 || edge->ns > edge[-1].ns);
		struct routing *routing = fake_routing_new();
		struct telemetry *t = version(routing, 1)->telemetry;
		const struct telemetry_sample below = {.latency_ns = edge->ns / 100 * 99},
					      above = {.latency_ns = edge->ns / 100 * 101};
		telemetry_record_ok(t, &below, NULL, 0);
		telemetry_record_ok(t, &above, NULL, 0);
		telemetry_record_ok(t, &above, NULL, 0);
		char *text = metrics_of(routing);
		const char *name = "mldeck_request_duration_seconds";
		if (i > 0)
			bucket_is(text, name, edge[-1].label, 0);
		bucket_is(text, name, edge->label, 1);
		bucket_is(text, name, i + 1 < METRICS_LATENCY_EDGES ? edge[1].label : "+Inf", 3);
		bucket_is(text, name, "+Inf", 3);
		assert_true(has_line(text, "mldeck_request_duration_seconds_count{model=\"m\",version=\"1\"} 3"));
		free(text);
		fake_routing_free(routing);
	}
}

static void predictions_fall_into_their_buckets(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	const struct telemetry_sample sample = {.latency_ns = 1000};
	const double values[] = {-2, 0.01, 0.26, 1, 1.5, NAN, INFINITY};
	telemetry_record_ok(version(routing, 1)->telemetry, &sample, values, 7);
	telemetry_record_ok(version(routing, 2)->telemetry, &sample, values, 7);
	char *text = metrics_of(routing);
	bucket_is(text, "mldeck_prediction", "0", 1); /* what lies below all bins */
	bucket_is(text, "mldeck_prediction", "0.015625", 2);
	bucket_is(text, "mldeck_prediction", "0.25", 2);
	bucket_is(text, "mldeck_prediction", "0.265625", 3);
	bucket_is(text, "mldeck_prediction", "1", 4);
	bucket_is(text, "mldeck_prediction", "+Inf", 6);
	assert_true(has_line(text, "mldeck_prediction_count{model=\"m\",version=\"1\"} 6"));
	assert_true(has_line(text, "mldeck_prediction_sum{model=\"m\",version=\"1\"} 0.77"));
	assert_true(has_line(text, "mldeck_prediction_nan_total{model=\"m\",version=\"1\"} 1"));
	/* v2 has no baseline yet, so no bins. */
	assert_null(strstr(text, "mldeck_prediction_count{model=\"m\",version=\"2\"}"));
	assert_true(has_line(text, "mldeck_prediction_nan_total{model=\"m\",version=\"2\"} 1"));
	free(text);
	fake_routing_free(routing);
}

/* A family is one run of lines: its HELP, its TYPE, its samples. */
static void families_are_whole(void **state)
{
	(void)state;
	struct routing *routing = fake_routing_new();
	char *text = metrics_of(routing), *lines = NULL, family[100] = "", expected[120];
	size_t families = 0;
	for (char *line = strtok_r(text, "\n", &lines); line != NULL; line = strtok_r(NULL, "\n", &lines)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_int_equal(sscanf(line, "# HELP %99s", family), 1);
			families++;
			line = strtok_r(NULL, "\n", &lines);
			snprintf(expected, sizeof expected, "# TYPE %s ", family);
			assert_memory_equal(line, expected, strlen(expected));
			line = strtok_r(NULL, "\n", &lines);
			assert_non_null(line); /* at least one sample */
		}
		assert_memory_equal(line, family, strlen(family));
	}
	assert_true(families > 20);
	free(text);
	fake_routing_free(routing);

	struct routing none = {0}; /* nothing deployed: the families of models are not there at all */
	char *empty = metrics_of(&none);
	assert_null(strstr(empty, "mldeck_requests_total"));
	assert_non_null(strstr(empty, "mldeck_lost_samples_total 0\n"));
	free(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_what_serves),
	    cmocka_unit_test(labels_are_escaped),
	    cmocka_unit_test(requests_are_counted_by_outcome),
	    cmocka_unit_test(durations_fall_into_their_buckets),
	    cmocka_unit_test(predictions_fall_into_their_buckets),
	    cmocka_unit_test(families_are_whole),
	};
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
