/* The configuration file: every kind of value, and what is refused with its line. */
#include "core/config.h"
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct config parsed(const char *text)
{
	struct config c;
	struct err e = {.text = ""};
	config_init(&c);
	if (config_parse(&c, "mldeck.ini", text, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static void defaults(void **state)
{
	(void)state;
	struct config c = parsed("");
	assert_string_equal(c.server.listen, "127.0.0.1:8080");
	assert_int_equal(c.server.header_timeout_ms, 90000);
	assert_int_equal(c.server.body_timeout_ms, 60000);
	assert_int_equal(c.server.body_max, 64 << 20);
	assert_false(c.server.model_control);
	assert_int_equal(c.onnx.threads, 1);
	assert_true(c.onnx.arena);
	assert_int_equal(c.remote.timeout_ms, 10000);
	assert_int_equal(c.remote.in_flight_max, 256);
	assert_int_equal(c.workers.inline_us, 1000);
	assert_int_equal(c.shadows.queue_max, 1024);
	assert_true(isnan(c.train.rate));
}

static void every_kind_of_value(void **state)
{
	(void)state;
	struct config c = parsed("\xef\xbb\xbf; a comment\n"
				 "[server]\r\n"
				 "listen = [::1]:0\r\n"
				 "threads=7\n"
				 "header_timeout = 500ms ; in time\n"
				 "body_timeout = 2m\n"
				 "body_max = 3M\n"
				 "model_control = on\n"
				 "[cors]\n"
				 "origins = https://a.example, http://b.example:81\n"
				 "  https://c.example\n"
				 "credentials = true\n"
				 "max_age = 10m\n"
				 "[onnx]\n"
				 "library = /opt/a b/libonnxruntime.so\n"
				 "arena = 0\n"
				 "[remote]\n"
				 "timeout = 1 h\n"
				 "[shadows]\nthreads = 3\nqueue = 7\nbytes = 1M\ntimeout = 2s\n"
				 "[control]\n"
				 "group = mldeck-ops\n"
				 "[train]\nrate = 2.50\n"
				 "[workers]\n"
				 "inline = 250us");
	assert_string_equal(c.server.listen, "[::1]:0");
	assert_int_equal(c.server.threads, 7);
	assert_int_equal(c.server.header_timeout_ms, 500);
	assert_int_equal(c.server.body_timeout_ms, 120000);
	assert_int_equal(c.server.body_max, 3 << 20);
	assert_true(c.server.model_control);
	assert_string_equal(c.cors.origins, "https://a.example, http://b.example:81, https://c.example");
	assert_true(c.cors.credentials);
	assert_int_equal(c.cors.max_age_s, 600);
	assert_string_equal(c.onnx.library, "/opt/a b/libonnxruntime.so");
	assert_false(c.onnx.arena);
	assert_int_equal(c.remote.timeout_ms, 3600000);
	assert_int_equal(c.workers.inline_us, 250);
	assert_string_equal(c.control.group, "mldeck-ops");
	assert_int_equal(c.shadows.threads, 3);
	assert_true(c.train.rate == 2.5);
	assert_int_equal(c.shadows.queue_max, 7);
	assert_int_equal(c.shadows.bytes_max, 1 << 20);
	assert_int_equal(c.shadows.timeout_ms, 2000);
}

static void refusals_name_the_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *sentence;
	} cases[] = {
	    {"[server]\nport = 1\n", "mldeck.ini, line 2: [server] has no key `port`; it has "
				     "listen, name, threads, header_timeout, "
				     "body_timeout, body_max, model_control"},
	    {"\n[sevrer]\nlisten = x\n",
	     "mldeck.ini, line 3: there is no section [sevrer]; there "
	     "are server, cors, onnx, remote, workers, shadows, routes, capture, control, train"},
	    {"threads = 1\n", "mldeck.ini, line 1: there is no section []; there are server, cors, "
			      "onnx, remote, workers, shadows, routes, capture, control, train"},
	    {"[server]\nthreads = 257\n", "mldeck.ini, line 2: threads is from 0 to 256, not `257`"},
	    {"[server]\nthreads = -1\n", "mldeck.ini, line 2: threads takes a number such as 4, not `-1`"},
	    {"[server]\nthreads = 4x\n", "mldeck.ini, line 2: threads takes a number such as 4, not `4x`"},
	    {"[server]\nthreads =\n", "mldeck.ini, line 2: threads takes a number such as 4, not ``"},
	    {"[server]\nbody_max = 2G\n", "mldeck.ini, line 2: body_max is from 1K to 1G, not `2G`"},
	    {"[server]\nbody_max = 99999999999999999999G\n",
	     "mldeck.ini, line 2: body_max is from 1K to 1G, not `99999999999999999999G`"},
	    {"[server]\nbody_timeout = 10\n",
	     "mldeck.ini, line 2: body_timeout takes a number such as 500ms, 10s or 2m, not `10`"},
	    {"[server]\nheader_timeout = 1ms\n", "mldeck.ini, line 2: header_timeout is from 100ms to 1h, not `1ms`"},
	    {"[onnx]\narena = maybe\n", "mldeck.ini, line 2: arena is yes or no, not `maybe`"},
	    {"[onnx]\nthreads = 1\n\nthreads = 2\n", "mldeck.ini, line 4: `threads` is there twice"},
	    {"[onnx]\nthreads = 1\n arena = 1\n",
	     "mldeck.ini, line 3: an indented line continues `threads`, which takes one value"},
	    {"[cors]\norigins = a.example\n", "mldeck.ini, line 2: `a.example` is no origin: write "
					      "https://host or https://host:port, separated "
					      "by commas, or * alone"},
	    {"[cors]\norigins = https://a.example/path\n",
	     "mldeck.ini, line 2: `https://a.example/path` is no origin: write https://host or "
	     "https://host:port, separated by commas, or * alone"},
	    {"[cors]\norigins = *\ncredentials = yes\n",
	     "mldeck.ini: [cors] credentials = yes needs a list of origins, not *: any site could "
	     "use a "
	     "visitor's credentials"},
	    {"[server]\nname = a\x01z\n", "mldeck.ini, line 2: name holds a control character"},
	    {"[train]\nrate = -1\n", "mldeck.ini, line 2: rate is what an hour costs, such as 2.50, not `-1`"},
	    {"[train]\nrate =\n", "mldeck.ini, line 2: rate is what an hour costs, such as 2.50, not ``"},
	    {"[train]\nrate = 1e999\n", "mldeck.ini, line 2: rate is what an hour costs, such as 2.50, not `1e999`"},
	    {"[server]\nnonsense\n", "mldeck.ini, line 2: neither [section] nor key = value"},
	    {"[server\n", "mldeck.ini, line 1: neither [section] nor key = value"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct config before, c;
		struct err e = {.text = ""};
		memset(&before, 0, sizeof before);
		config_init(&before);
		c = before;
		assert_int_equal(config_parse(&c, "mldeck.ini", cases[i].text, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, cases[i].sentence);
		assert_memory_equal(&c, &before, sizeof c);
	}
}

static void long_lines_and_values(void **state)
{
	(void)state;
	char text[400];
	struct config c;
	struct err e;
	config_init(&c);
	memset(text, 'x', sizeof text);
	snprintf(text, sizeof text, "[server]\nname = %0100d\n", 1);
	assert_int_equal(config_parse(&c, "f", text, &e), -1);
	assert_string_equal(e.text, "f, line 2: name has 100 bytes, the limit is 63");
	snprintf(text, sizeof text, "[server]\nname = %0300d\n", 1);
	assert_int_equal(config_parse(&c, "f", text, &e), -1);
	assert_non_null(strstr(e.text, "f, line 2: the line has 307 bytes"));
}

static void settings_by_name(void **state)
{
	(void)state;
	struct config c;
	struct err e;
	config_init(&c);
	assert_int_equal(config_set(&c, "onnx", "threads", "0", &e), 0);
	assert_int_equal(c.onnx.threads, 0);
	assert_int_equal(config_set(&c, "cors", "origins", "*", &e), 0);
	assert_int_equal(config_set(&c, "cors", "credentials", "yes", &e), -1);
	assert_false(c.cors.credentials);
	assert_int_equal(config_set(&c, "nothing", "threads", "0", &e), -1);
}

static void which_file_applies(void **state)
{
	(void)state;
	char directory[] = "/tmp/mldeck-config-XXXXXX", own[64], other[64];
	struct config c;
	struct err e;

	unsetenv("MLDECK_CONFIG");
	assert_non_null(mkdtemp(directory));
	config_init(&c);
	assert_int_equal(config_load(&c, NULL, directory, &e), 0);
	snprintf(own, sizeof own, "%s/mldeck.ini", directory);
	snprintf(other, sizeof other, "%s/other.ini", directory);
	FILE *file = fopen(own, "w");
	fputs("[onnx]\nthreads = 2\n", file);
	fclose(file);
	assert_int_equal(config_load(&c, NULL, directory, &e), 0);
	assert_int_equal(c.onnx.threads, 2);
	assert_int_equal(config_load(&c, other, directory, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	file = fopen(other, "w");
	fputs("[onnx]\nthreads = 3\n", file);
	fclose(file);
	setenv("MLDECK_CONFIG", other, 1);
	assert_int_equal(config_load(&c, NULL, directory, &e), 0);
	assert_int_equal(c.onnx.threads, 3);
	assert_int_equal(config_load(&c, own, directory, &e), 0);
	assert_int_equal(c.onnx.threads, 2);
	assert_int_equal(config_load(&c, directory, directory, &e), -1);
	unsetenv("MLDECK_CONFIG");
	unlink(own);
	unlink(other);
	rmdir(directory);
}

static void no_threads_are_one_a_core(void **state)
{
	(void)state;
	assert_int_equal(config_threads(3), 3);
	assert_int_equal(config_threads(0), sysconf(_SC_NPROCESSORS_ONLN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(every_kind_of_value),
	    cmocka_unit_test(refusals_name_the_line),
	    cmocka_unit_test(long_lines_and_values),
	    cmocka_unit_test(settings_by_name),
	    cmocka_unit_test(which_file_applies),
	    cmocka_unit_test(no_threads_are_one_a_core),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
