/* What a kind of job takes, and the plan that is made of it. */
#include "unit.h"

#include "core/job_kind.h"
#include "runtime/job/job_plan.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* One field of every type that is no file. */
static const struct job_kind typed = {
    .name = "typed",
    .title = "Try types",
    .field_count = 7,
    .fields =
	{
	    {"rows", "rows", "", JOB_FIELD_INPUT, .optional = true},
	    {"against", "against", "", JOB_FIELD_VERSION, .optional = true},
	    {"rate", "rate", "", JOB_FIELD_NUMBER},
	    {"note", "note", "", JOB_FIELD_TEXT, .optional = true},
	    {"duration", "duration", "", JOB_FIELD_DURATION, .optional = true},
	    {"mode", "mode", "", JOB_FIELD_CHOICE, .optional = true, .choices = "closed|open"},
	    {"soak", "soak", "", JOB_FIELD_SWITCH},
	},
    .version = JOB_VERSION_ARGUMENT,
};

static int typed_plan(const char *start, struct job_plan *plan, struct err *e)
{
	cJSON *json = cJSON_Parse(start);
	assert_non_null(json);
	int result = job_plan_make(&typed, "m", 4, json, plan, e);
	cJSON_Delete(json);
	return result;
}

static void a_field_says_what_it_takes(void **state)
{
	(void)state;
	static const struct {
		const char *start, *says;
	} refused[] = {
	    {"{}", "field `rate` is missing"},
	    {"{\"rate\":\"fast\"}", "--rate takes a number, not `fast`"},
	    {"{\"rate\":\"nan\"}", "--rate takes a number"},
	    {"{\"rate\":1,\"against\":\"0\"}", "--against takes the number of a version"},
	    {"{\"rate\":1,\"duration\":\"soon\"}", "--duration takes a time"},
	    {"{\"rate\":1,\"mode\":\"ope\"}", "--mode takes closed|open, not `ope`"},
	    {"{\"rate\":1,\"mode\":\"closed|open\"}", "--mode takes"},
	    {"{\"rate\":1,\"soak\":\"perhaps\"}", "--soak takes yes or no"},
	    {"{\"rate\":1,\"note\":\"a\\nb\"}", "cannot be shown"},
	    {"{\"rate\":[1]}", "rate"},
	};
	static struct job_plan plan;
	struct err e = {.text = ""};
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_int_equal(typed_plan(refused[i].start, &plan, &e), -1);
		assert_int_equal(e.code, ERR_INPUT);
		if (strstr(e.text, refused[i].says) == NULL)
			fail_msg("%s says %s", refused[i].start, e.text);
	}
	assert_int_equal(typed_plan("{\"rate\":2.5,\"against\":\"v3\",\"duration\":\"5m\","
				    "\"mode\":\"open\",\"soak\":true}",
				    &plan, &e),
			 0);
	assert_string_equal(plan.command, "mldeck typed m 4 --against v3 --rate 2.5 --duration 5m --mode open --soak");
	assert_string_equal(plan.title, "v4 against v3");
	assert_int_equal(typed_plan("{\"rate\":\"1e3\",\"soak\":false,\"note\":\"\"}", &plan, &e), 0);
	assert_string_equal(plan.command, "mldeck typed m 4 --rate 1e3");
	assert_string_equal(plan.title, "Try types");
	char *start = job_plan_start(&plan);
	assert_string_equal(start, "{\"rate\":\"1e3\",\"soak\":\"no\"}");
	free(start);
}

/* What a test's record says of values that are each one of their type. */
static void values_that_do_not_go_together_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *start, *says; /* says "": it is fine, and the title is */
		const char *title;
	} cases[] = {
	    {"stress", "{}", "say how hard", NULL},
	    {"stress", "{\"rate\":100,\"ramp\":\"1:2\"}", "--ramp goes without", NULL},
	    {"stress", "{\"rate\":0}", "--rate takes", NULL},
	    {"stress", "{\"rate\":-5}", "--rate takes", NULL},
	    {"stress", "{\"ramp\":\"100\"}", "--ramp takes FROM:TO", NULL},
	    {"stress", "{\"ramp\":\"1:x\"}", "--ramp takes FROM:TO", NULL},
	    {"stress", "{\"find-max\":true}", "--find-max needs the limit", NULL},
	    {"stress", "{\"find-max\":true,\"slo-p99\":\"5ms\",\"soak\":true}", "--soak needs a rate", NULL},
	    {"stress", "{\"rate\":5,\"duration\":\"500ms\"}", "--duration takes", NULL},
	    {"stress", "{\"rate\":5,\"slo-p99\":\"500us\"}", "", "5 requests/s for 60s"},
	    {"stress", "{\"rate\":5,\"soak\":true,\"duration\":\"2h\"}", "", "5 requests/s for 2h, soak"},
	    {"stress", "{\"ramp\":\"1:50\"}", "", "1:50 requests/s in 60s"},
	    {"stress", "{\"find-max\":true,\"slo-p99\":\"5ms\"}", "", "the greatest rate with p99 below 5ms"},
	    {"bench", "{\"batch\":\"1,,2\"}", "--batch takes", NULL},
	    {"bench", "{\"batch\":\"1,x\"}", "--batch takes", NULL},
	    {"bench", "{\"batch\":\"0\"}", "--batch takes", NULL},
	    {"bench", "{\"batch\":\"1,16,\"}", "--batch takes", NULL},
	    {"bench", "{\"batch\":\"1,16\",\"against\":\"v2\"}", "", "v3 against v2"},
	    {"bench", "{}", "", "Benchmark"},
	    {"diff", "{}", "field `data` is missing", NULL},
	};
	static struct job_plan plan;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		cJSON *json = cJSON_Parse(cases[i].start);
		struct err e = {.text = ""};
		int result = job_plan_make(job_kind_find(cases[i].kind), "m", 3, json, &plan, &e);
		cJSON_Delete(json);
		if (result != (cases[i].title == NULL ? -1 : 0) || strstr(e.text, cases[i].says) == NULL)
			fail_msg("%s %s says %s", cases[i].kind, cases[i].start, e.text);
		if (cases[i].title != NULL)
			assert_string_equal(plan.title, cases[i].title);
	}
}

static void progress_has_its_word(void **state)
{
	(void)state;
	static const char *const words[][3] = {
	    {"predict", "rows", "rejected"},  {"diff", "rows", NULL}, {"bench", "launches", NULL},
	    {"stress", "requests", "failed"}, {"train", NULL, NULL},  {"of a later release", "rows", "rejected"}};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		struct job_record job = {0};
		snprintf(job.kind, sizeof job.kind, "%s", words[i][0]);
		const char *said[] = {job_counted(&job), job_spoilt(&job)};
		for (size_t k = 0; k < 2; k++)
			if (said[k] == NULL || words[i][k + 1] == NULL)
				assert_ptr_equal(said[k], words[i][k + 1]);
			else
				assert_string_equal(said[k], words[i][k + 1]);
	}
}

static void kinds_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < job_kind_count; i++) {
		const struct job_kind *kind = job_kind_table[i];
		assert_ptr_equal(job_kind_find(kind->name), kind);
		assert_true(kind->title[0] != '\0' && kind->field_count <= JOB_FIELDS_MAX);
		assert_true(strlen(kind->name) < JOB_KIND_SIZE);
		for (size_t j = 0; j < kind->field_count; j++) {
			assert_int_equal(job_kind_field(kind, kind->fields[j].name), j); /* named once */
			assert_true(kind->fields[j].name[0] != '\0' && kind->fields[j].label[0] != '\0' &&
				    (kind->fields[j].type == JOB_FIELD_CHOICE) == (kind->fields[j].choices != NULL));
		}
	}
	assert_null(job_kind_find("nothing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(progress_has_its_word),
	    cmocka_unit_test(kinds_are_whole),
	    cmocka_unit_test(values_that_do_not_go_together_are_refused),
	    cmocka_unit_test(a_field_says_what_it_takes),
	};
	return cmocka_run_group_tests_name("job_kind", tests, NULL, NULL);
}
