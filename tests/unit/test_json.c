/* Typed JSON fields: right values, and refusals that name the field. */
#include "core/json.h"
#include "unit.h"

static cJSON *parsed(const char *text)
{
	cJSON *json = cJSON_Parse(text);
	assert_non_null(json);
	return json;
}

static void good_values(void **state)
{
	(void)state;
	cJSON *json = parsed("{\"s\":\"abc\",\"i\":7,\"n\":-1.5,\"b\":true,\"a\":[1,2],\"o\":{},\"z\":null}");
	char text[4];
	int64_t integer;
	uint32_t small;
	double number;
	bool flag;
	assert_int_equal(json_string(json, "s", text, sizeof text, NULL), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(json_integer(json, "i", 7, 7, &integer, NULL), 0);
	assert_int_equal(integer, 7);
	assert_int_equal(json_uint32(json, "i", 0, UINT32_MAX, &small, NULL), 0);
	assert_int_equal(small, 7);
	assert_int_equal(json_number(json, "n", &number, NULL), 0);
	assert_true(number == -1.5);
	assert_int_equal(json_boolean(json, "b", &flag, NULL), 0);
	assert_true(flag);
	assert_non_null(json_array(json, "a", 2, NULL));
	assert_non_null(json_object(json, "o", NULL));
	assert_true(json_has(json, "s"));
	assert_false(json_has(json, "z"));
	assert_false(json_has(json, "S"));
	cJSON_Delete(json);
}

static void integer_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *json, *sentence;
	} cases[] = {
	    {"{}", "got nothing"},
	    {"{\"version\":\"x\"}", "got \"x\""},
	    {"{\"version\":0}", "got 0"},
	    {"{\"version\":100001}", "got 100001"},
	    {"{\"version\":1.5}", "got 1.5"},
	    {"{\"version\":1e300}", "got 1.0000000000000001e+300"},
	    {"{\"version\":null}", "got null"},
	    {"{\"version\":[]}", "got an array"},
	    {"{\"version\":{}}", "got an object"},
	    {"{\"version\":false}", "got false"},
	    {"[1]", "got nothing"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cJSON *json = parsed(cases[i].json);
		struct err e = {0};
		int64_t number = -7;
		char wanted[256] = "field `version` must be a whole number from 1 to 100000, ";
		strcat(wanted, cases[i].sentence);
		assert_int_equal(json_integer(json, "version", 1, 100000, &number, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		assert_string_equal(e.text, wanted);
		assert_int_equal(number, -7);
		cJSON_Delete(json);
	}
}

static void other_refusals(void **state)
{
	(void)state;
	cJSON *json = parsed("{\"s\":\"abcd\",\"a\":[1,2,3],\"n\":1}");
	struct err e = {0};
	char text[4];
	bool flag;
	double number;
	assert_int_equal(json_string(json, "s", text, sizeof text, &e), -1);
	assert_string_equal(e.text, "field `s` must be at most 3 bytes long, got 4 bytes");
	assert_int_equal(json_string(json, "n", text, sizeof text, &e), -1);
	assert_string_equal(e.text, "field `n` must be a string, got 1");
	assert_null(json_array(json, "a", 2, &e));
	assert_string_equal(e.text, "field `a` must have at most 2 items, got 3");
	assert_int_equal(json_boolean(json, "n", &flag, &e), -1);
	assert_string_equal(e.text, "field `n` must be true or false, got 1");
	assert_int_equal(json_number(json, "s", &number, &e), -1);
	assert_string_equal(e.text, "field `s` must be a finite number, got \"abcd\"");
	assert_null(json_object(json, "a", &e));
	assert_string_equal(e.text, "field `a` must be an object, got an array");
	cJSON_Delete(json);
}

static void optional_fields_leave_what_was_there(void **state)
{
	cJSON *json = cJSON_Parse("{\"text\":\"a\",\"none\":null,\"count\":3,\"flag\":true}");
	const char *text = "else";
	int64_t count = 7;
	bool flag = false;
	struct err e;
	(void)state;
	assert_int_equal(json_optional_text(json, "none", &text, &e), 0);
	assert_int_equal(json_optional_integer(json, "absent", 0, 9, &count, &e), 0);
	assert_int_equal(json_optional_boolean(json, "none", &flag, &e), 0);
	assert_string_equal(text, "else");
	assert_int_equal(count, 7);
	assert_false(flag);
	assert_int_equal(json_optional_text(json, "text", &text, &e), 0);
	assert_int_equal(json_optional_integer(json, "count", 0, 9, &count, &e), 0);
	assert_int_equal(json_optional_boolean(json, "flag", &flag, &e), 0);
	assert_string_equal(text, "a");
	assert_int_equal(count, 3);
	assert_true(flag);
	assert_int_equal(json_optional_text(json, "count", &text, &e), -1);
	assert_string_equal(e.text, "field `count` must be a string, got 3");
	assert_int_equal(json_optional_integer(json, "count", 4, 9, &count, &e), -1);
	assert_int_equal(json_optional_boolean(json, "text", &flag, &e), -1);
	assert_string_equal(json_find_text(json, "text"), "a");
	assert_string_equal(json_find_text(json, "count"), "");
	assert_true(json_find_number(json, "count") == 3 && json_find_number(json, "absent") == 0);
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_values),
	    cmocka_unit_test(integer_refusals),
	    cmocka_unit_test(other_refusals),
	    cmocka_unit_test(optional_fields_leave_what_was_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
