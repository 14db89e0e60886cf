#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/replay.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER "departed_s,known_s,unit,a,b,late,arr_delay\n"

static int read_text(const char *text, struct replay **r, struct err *e)
{
	char path[] = "replay-XXXXXX";
	int file = mkstemp(path), result;

	assert_true(file >= 0);
	assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
	close(file);
	result = replay_read(path, r, e);
	unlink(path);
	return result;
}

static void makes_requests(void **unused)
{
	struct replay_options options = {.rate_rps = 4, .model_count = 2};
	struct replay *r;
	struct err e = {0};
	char body[256];

	(void)unused;
	assert_int_equal(read_text(HEADER "100,200,N1,-5,,1,\n120,210,N2,0.1,7,0,-3\n", &r, &e), 0);
	assert_int_equal(r->row_count, 2);
	assert_int_equal(replay_body(r, 0, body, sizeof(body)), 0);
	assert_non_null(strstr(body, "\"shape\":[1,2]"));
	assert_non_null(strstr(body, "\"data\":[-5,null]"));
	assert_int_equal(replay_body(r, 0, body, 20), -1);
	assert_true(isnan(r->rows[0].arr_delay));
	assert_string_equal(r->rows[1].unit, "N2");
	/* 2 rows to 2 models are 4 requests: at 4 a second the 20 recorded seconds pass in one. */
	assert_true(replay_speed(r, &options) == 20);
	replay_free(r);
}

static void refuses_other_files(void **unused)
{
	static const char *const bad[] = {"",
					  "x\n",
					  HEADER,
					  HEADER "1,2,N,1,2,0,0\n2,3,N,x,2,0,0\n",
					  HEADER "5,6,N,1,2,0,0\n2,3,N,1,2,0,0\n",
					  HEADER "1,2,N,1,2,0\n2,3,N,1,2,0,0\n"};

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct replay *r;
		struct err e = {0};

		assert_int_equal(read_text(bad[i], &r, &e), -1);
		assert_null(r);
		assert_int_equal(e.code, ERR_INPUT);
	}
}

/* A port that is bound but does not listen refuses every connection. */
static void ends_without_a_runtime(void **unused)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct replay_options options = {.rate_rps = 100, .model_count = 1, .models = {"m"}};
	struct replay_result result;
	struct replay *r;
	struct err e = {0};
	char url[64];

	(void)unused;
	assert_int_equal(bind(s, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	options.url = url;
	assert_int_equal(read_text(HEADER "100,200,N1,-5,,1,\n120,210,N2,0.1,7,0,-3\n", &r, &e), 0);
	assert_int_equal(replay_run(r, &options, &result, &e), -1);
	assert_int_equal(e.code, ERR_UNREACHABLE);
	assert_true(result.failed > 0 && result.failed == result.sent);
	replay_free(r);
	close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(makes_requests),
	    cmocka_unit_test(refuses_other_files),
	    cmocka_unit_test(ends_without_a_runtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
