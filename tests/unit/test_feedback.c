/* Bodies of outcomes: what is read of them, and that what is none is refused whole, with its place. */
#include "unit.h"

#include "core/buf.h"
#include "core/experiment/experiment_record.h"
#include "runtime/experiment/feedback.h"

#include <string.h>

static int read_body(bool csv, const char *text, struct feedback *list, struct err *e)
{
	return csv ? feedback_read_csv(text, strlen(text), list, e) : feedback_read_json(text, strlen(text), list, e);
}

static void check_item(const struct feedback_item *item, const char *unit, const char *id, double value)
{
	assert_string_equal(item->metric, "late");
	assert_true(item->value == value);
	assert_true((unit == NULL) == (item->unit == NULL) && (id == NULL) == (item->id == NULL));
	assert_string_equal(unit != NULL ? item->unit : item->id, unit != NULL ? unit : id);
}

static void json_is_read(void **state)
{
	(void)state;
	struct feedback list;
	struct err e = {0};
	assert_int_equal(
	    read_body(false,
		      "{\"outcomes\":[{\"unit\":\"a\",\"metric\":\"late\",\"value\":1.5,\"key\":\"k\",\"at_ms\":7},"
		      "{\"id\":\"r\",\"metric\":\"late\",\"value\":true,\"key\":null}]}",
		      &list, &e),
	    0);
	assert_int_equal(list.count, 2);
	check_item(&list.items[0], "a", NULL, 1.5);
	assert_string_equal(list.items[0].key, "k");
	assert_int_equal(list.items[0].at_ms, 7);
	check_item(&list.items[1], NULL, "r", 1);
	assert_null(list.items[1].key);
	assert_int_equal(list.items[1].at_ms, -1);
	feedback_release(&list);
	assert_int_equal(read_body(false, "{\"unit\":\"a\",\"metric\":\"late\",\"value\":0}", &list, &e), 0);
	assert_int_equal(list.count, 1);
	feedback_release(&list);
}

static void csv_is_read(void **state)
{
	(void)state;
	struct feedback list;
	struct err e = {0};
	assert_int_equal(
	    read_body(true, "value,unit,metric,id,at_ms\r\n-2e3,\"a,b\",late,,1700000000000\n0,,late,r,\n", &list, &e),
	    0);
	assert_int_equal(list.count, 2);
	check_item(&list.items[0], "a,b", NULL, -2000);
	assert_true(list.items[0].at_ms == INT64_C(1700000000000));
	check_item(&list.items[1], NULL, "r", 0);
	assert_int_equal(list.items[1].at_ms, -1);
	feedback_release(&list);
}

#define GOOD "{\"unit\":\"a\",\"metric\":\"m\",\"value\":1}"

static void wrong_ones_are_refused(void **state)
{
	(void)state;
	static const struct {
		bool csv;
		const char *text, *word;
	} cases[] = {
	    {false, "", "JSON"},
	    {false, "[" GOOD "]", "JSON"},
	    {false, "{\"outcomes\":{}}", "list"},
	    {false, "{\"outcomes\":[],\"more\":1}", "nothing else"},
	    {false, "{\"outcomes\":[]}", "no outcome"},
	    {false, "{\"outcomes\":[" GOOD ",5]}", "outcome 2"},
	    {false, "{\"unit\":\"\",\"metric\":\"m\",\"value\":1}", "empty"},
	    {false, "{\"unit\":5,\"metric\":\"m\",\"value\":1}", "no text"},
	    {false, "{\"metric\":\"m\",\"value\":1}", "either"},
	    {false, "{\"unit\":\"a\",\"id\":\"b\",\"metric\":\"m\",\"value\":1}", "both"},
	    {false, "{\"unit\":\"a\",\"value\":1}", "metric"},
	    {false, "{\"unit\":\"a\",\"metric\":\"m\",\"value\":1e999}", "finite"},
	    {false, "{\"unit\":\"a\",\"metric\":\"m\",\"value\":\"1\"}", "finite"},
	    {false, "{\"unit\":\"a\",\"metric\":\"m\",\"value\":1,\"at_ms\":0.5}", "at_ms"},
	    {false, "{\"unit\":\"a\",\"metric\":\"m\",\"value\":1,\"colour\":1}", "colour"},
	    {true, "", "no outcome"},
	    {true, "unit,metric,value\n", "no outcome"},
	    {true, "unit,metric,value,unit\n", "twice"},
	    {true, "unit,metric,value,colour\n", "colour"},
	    {true, "unit,metric,value\na,m,1\nb,m\n", "line 3"},
	    {true, "unit,metric,value\na,m,x\n", "number"},
	    {true, "unit,metric,value\na,m,\n", "finite"},
	    {true, "unit,metric,value\na,m,1e999\n", "finite"},
	    {true, "unit,metric,value,at_ms\na,m,1,-1\n", "at_ms"},
	    {true, "unit,metric,value,at_ms\na,m,1,1e3\n", "at_ms"},
	    {true, "unit,metric,value\n\"a,m,1\n", "line"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct feedback list;
		struct err e = {0};
		assert_int_equal(read_body(cases[i].csv, cases[i].text, &list, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].text, e.text);
		feedback_release(&list);
	}
}

static void there_is_a_limit(void **state)
{
	(void)state;
	struct feedback list;
	struct err e = {0};
	struct buf text;
	buf_init(&text);
	buf_add_string(&text, "unit,metric,value\n");
	for (int i = 0; i <= EXPERIMENT_BATCH_MAX; i++)
		buf_add_string(&text, "a,m,1\n");
	assert_int_equal(feedback_read_csv(text.data, text.size, &list, &e), -1);
	assert_int_equal(e.code, ERR_TOO_LARGE);
	feedback_release(&list);
	text.size -= 6;
	assert_int_equal(feedback_read_csv(text.data, text.size, &list, &e), 0);
	assert_int_equal(list.count, EXPERIMENT_BATCH_MAX);
	feedback_release(&list);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_is_read),
	    cmocka_unit_test(csv_is_read),
	    cmocka_unit_test(wrong_ones_are_refused),
	    cmocka_unit_test(there_is_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
