#include "unit.h"

#include "core/remote.h"

#include <stdlib.h>

static void accept(const char *text, const char *expected)
{
	char url[REMOTE_URL_SIZE];
	struct err e = {0};

	if (remote_url_read(text, url, &e) != 0)
		fail_msg("%s: %s", text, e.text);
	assert_string_equal(url, expected);
}

static void refuse(const char *text, const char *part)
{
	char url[REMOTE_URL_SIZE];
	struct err e = {0};

	if (remote_url_read(text, url, &e) == 0)
		fail_msg("%s was taken", text);
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, part) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, part);
	assert_null(strstr(e.text, "secret"));
}

static void test_urls_taken(void **state)
{
	(void)state;
	accept("http://h/v2/models/iris", "http://h/v2/models/iris");
	accept("https://h:8443/v2/models/iris/versions/7", "https://h:8443/v2/models/iris/versions/7");
	accept("http://h/v2/models/iris/", "http://h/v2/models/iris");
	accept("http://[::1]:8000/v2/models/a%20b", "http://[::1]:8000/v2/models/a%20b");
	accept("http://[::1]/v2/models/m", "http://[::1]/v2/models/m");
	accept("https://h/team/a@b/v2/models/m", "https://h/team/a@b/v2/models/m");
	accept("http://h/v2/models/a/v2/models/b/versions/v2", "http://h/v2/models/a/v2/models/b/versions/v2");
	assert_int_equal(remote_url_base("http://h/p/v2/models/m"), strlen("http://h/p/v2"));
	assert_int_equal(remote_url_base("http://h/v2/models/a/v2/models/b"), strlen("http://h/v2/models/a/v2"));
}

static void test_urls_refused(void **state)
{
	(void)state;
	refuse("ftp://h/v2/models/m", "http:// or https://");
	refuse("HTTP://h/v2/models/m", "http:// or https://");
	refuse("http://me:secret@h/v2/models/m", "--token-file");
	refuse("http://me:secret@h", "--token-file");
	refuse("http://h/v2/models/m?token=secret", "`?`");
	refuse("http://h/v2/models/m#x", "`#`");
	refuse("http://h/v2/models/m m", "%XX");
	refuse("http://h/v2/models/m\n", "%XX");
	refuse("http://h/v2/models/%zz", "%XX");
	refuse("http://h/v2/models/%2", "%XX");
	refuse("http://h/v2/models/\xc3\xa9", "%XX");
	refuse("http:///v2/models/m", "no host");
	refuse("http://:80/v2/models/m", "no host");
	refuse("http://h:0/v2/models/m", "no port");
	refuse("http://h:65536/v2/models/m", "no port");
	refuse("http://h:/v2/models/m", "no port");
	refuse("http://[::1/v2/models/m", "no host");
	refuse("http://[::1]x/v2/models/m", "no host");
	refuse("http://h", "/v2/models/NAME");
	refuse("http://h/v2", "/v2/models/NAME");
	refuse("http://h/v2/models/", "/v2/models/NAME");
	refuse("http://h/v2/models/..", "/v2/models/NAME");
	refuse("http://h/v1/models/m", "/v2/models/NAME");
	refuse("http://h/v2/models/m/infer", "/v2/models/NAME");
	refuse("http://h/v2/models/m/versions", "/v2/models/NAME");
	refuse("http://h/v2/models/m/versions/", "/v2/models/NAME");
	refuse("http://h/v2/models/m/versions/1/ready", "/v2/models/NAME");
	char *long_url = malloc(REMOTE_URL_SIZE + 100);
	memset(long_url, 'x', REMOTE_URL_SIZE + 100);
	memcpy(long_url, "http://h/v2/models/", 19);
	long_url[REMOTE_URL_SIZE + 99] = '\0';
	refuse(long_url, "at most");
	free(long_url);
}

static void test_what_is_a_url(void **state)
{
	(void)state;
	assert_true(remote_is_url("http://h/v2/models/m"));
	assert_true(remote_is_url("grpc://h"));
	assert_false(remote_is_url("model.txt"));
	assert_false(remote_is_url("/a/b://c"));
	assert_false(remote_is_url("://c"));
}

static void test_round_trip(void **state)
{
	static const char text[] = "{\"mldeck_remote\":1,\"url\":\"https://h/v2/models/"
				   "m\",\"token_file\":\"/run/token\",\"ca_file\":"
				   "\"/etc/"
				   "ca.pem\",\"timeout_ms\":2000,\"connect_timeout_ms\":300,"
				   "\"retries\":0,\"free_rows\":true,"
				   "\"signature\":{\"inputs\":[]}}";
	struct remote r;
	struct buf out;
	struct err e;
	(void)state;

	assert_true(remote_detect(text, strlen(text)));
	assert_int_equal(remote_read(text, strlen(text), &r, &e), 0);
	assert_string_equal(r.token_file, "/run/token");
	assert_int_equal(r.timeout_ms, 2000);
	assert_int_equal(r.retries, 0);
	assert_true(r.free_rows);
	assert_non_null(r.signature);
	buf_init(&out);
	assert_int_equal(remote_write(&r, &out, &e), 0);
	assert_string_equal(out.data, text);
	buf_release(&out);
	remote_release(&r);
}

static void test_defaults(void **state)
{
	static const char text[] = " {\"url\":\"http://h/v2/models/m\",\"mldeck_remote\":1}";
	struct remote r;
	struct err e;
	(void)state;

	assert_true(remote_detect(text, strlen(text)));
	assert_int_equal(remote_read(text, strlen(text), &r, &e), 0);
	assert_string_equal(r.token_file, "");
	assert_int_equal(r.timeout_ms, 0);
	assert_int_equal(r.retries, -1);
	assert_null(r.signature);
	remote_release(&r);
}

static void refuse_text(const char *text, const char *part)
{
	struct remote r;
	struct err e = {0};

	if (remote_read(text, strlen(text), &r, &e) == 0)
		fail_msg("%s was taken", text);
	assert_int_equal(e.code, ERR_INPUT);
	if (strstr(e.text, part) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", text, e.text, part);
}

static void test_descriptors_refused(void **state)
{
#define BEGIN "{\"mldeck_remote\":1,\"url\":\"http://h/v2/models/m\","
	(void)state;
	refuse_text("[]", "JSON object");
	refuse_text("{\"mldeck_remote\":1", "JSON object");
	refuse_text("{\"mldeck_remote\":2,\"url\":\"http://h/v2/models/m\"}", "`mldeck_remote`");
	refuse_text("{\"mldeck_remote\":1}", "`url`");
	refuse_text("{\"mldeck_remote\":1,\"url\":\"http://u:secret@h/v2/models/m\"}", "--token-file");
	refuse_text(BEGIN "\"token_file\":\"token\"}", "absolute");
	refuse_text(BEGIN "\"ca_file\":7}", "`ca_file`");
	refuse_text(BEGIN "\"timeout_ms\":0}", "`timeout_ms`");
	refuse_text(BEGIN "\"retries\":11}", "`retries`");
	refuse_text(BEGIN "\"free_rows\":1}", "`free_rows`");
	refuse_text(BEGIN "\"signature\":[]}", "`signature`");
	refuse_text(BEGIN "\"token\":\"x\"}", "`token` is not known");
	assert_false(remote_detect("{\"learner\":{}}", 14));
	assert_false(remote_detect("\"mldeck_remote\"", 15));
	assert_false(remote_detect("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_urls_taken),    cmocka_unit_test(test_urls_refused),
	    cmocka_unit_test(test_what_is_a_url), cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_defaults),      cmocka_unit_test(test_descriptors_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
