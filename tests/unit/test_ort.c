/* ort: which library is opened, and what is said when none can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "onnx_library.h"
#include "runtime/engine/ort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void refuses_a_wrong_path(void **state)
{
	struct err e;

	(void)state;
	assert_null(ort_open("/nowhere/libonnxruntime.so", &e));
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "/nowhere/libonnxruntime.so"));
	assert_non_null(strstr(e.text, "configured"));
}

static void refuses_a_file_that_is_no_library(void **state)
{
	struct err e;

	(void)state;
	assert_null(ort_open("tests/unit/test_ort.c", &e));
	assert_non_null(strstr(e.text, "tests/unit/test_ort.c"));
}

static void refuses_another_library(void **state)
{
	struct err e;

	(void)state;
	assert_null(ort_open("libc.so.6", &e));
	assert_non_null(strstr(e.text, "libc.so.6 is not ONNX Runtime"));
}

static void opens_once(void **state)
{
	struct err e;
	const char *library = onnx_library();

	(void)state;
	if (library == NULL)
		skip();
	const struct ort *first = ort_open(library, &e);
	if (first == NULL)
		fail_msg("%s", e.text);
	assert_ptr_equal(first, ort_open("", &e));
	assert_true(strlen(first->version) >= 4);
	assert_string_equal(getenv("ORT_DISABLE_TELEMETRY"), "1");
}

static void carries_the_librarys_words(void **state)
{
	struct err e;
	const char *library = onnx_library();

	(void)state;
	if (library == NULL)
		skip();
	const struct ort *o = ort_open(library, &e);
	struct ort_session_options *options = NULL;
	struct ort_session *session = NULL;

	assert_non_null(o);
	assert_int_equal(ort_check(o, o->CreateSessionOptions(&options), ERR_SYSTEM, "options", &e), 0);
	assert_int_equal(ort_check(o, o->CreateSessionFromArray(o->env, "\x08\x07nonsense", 10, options, &session),
				   ERR_INPUT, "the model", &e),
			 -1);
	o->ReleaseSessionOptions(options);
	assert_int_equal(e.code, ERR_INPUT);
	assert_ptr_equal(strstr(e.text, "the model: "), e.text);
	assert_true(strlen(e.text) > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    /* In this order: a library that was opened is answered whatever is asked for. */
	    cmocka_unit_test(refuses_a_wrong_path),       cmocka_unit_test(refuses_a_file_that_is_no_library),
	    cmocka_unit_test(refuses_another_library),    cmocka_unit_test(opens_once),
	    cmocka_unit_test(carries_the_librarys_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
