#include "ui/command/check_print.h"

#include "core/json.h"
#include "core/text.h"
#include "ui/command/finding_table.h"
#include "ui/command/output.h"
#include "ui/command/table.h"

#include <math.h>
#include <string.h>

/* --- for people --- */

static void number_cell(struct table *t, const cJSON *finding, const char *name)
{
	const cJSON *number = cJSON_GetObjectItemCaseSensitive(finding, name);
	char text[FINDING_VALUE_SIZE];

	finding_value_text(cJSON_IsNumber(number) ? number->valuedouble : (double)NAN, json_find_text(finding, "unit"),
			   text);
	table_cell(t, "%s", text);
}

static void findings_add(struct table *t, const struct check_test *test)
{
	const cJSON *finding;

	if (test->fault[0] != '\0')
		return;
	cJSON_ArrayForEach(finding, cJSON_GetObjectItemCaseSensitive(test->state, "findings"))
	{
		const char *verdict = json_find_text(finding, "verdict");
		if (strcmp(verdict, "pass") == 0)
			continue;
		table_row(t);
		table_cell(t, "  %s", json_find_text(finding, "name"));
		table_cell(t, "%s", verdict);
		table_cell(t, "%s", "");
		number_cell(t, finding, "value");
		number_cell(t, finding, "threshold");
		table_cell(t, "%s", json_find_text(finding, "text"));
	}
}

static void test_add(struct table *t, const struct check_test *test)
{
	const cJSON *age = cJSON_GetObjectItemCaseSensitive(test->state, "age_s");
	char text[TEXT_AGE_SIZE] = "-";

	if (cJSON_IsNumber(age))
		text_age(text, (long long)age->valuedouble);
	table_row(t);
	table_cell(t, "%s", test->test.kind);
	table_cell(t, "%s", check_test_verdict(test));
	table_cell(t, "%s", text);
	table_cell(t, "%s", "");
	table_cell(t, "%s", "");
	table_cell(t, "%s", check_test_text(test));
	findings_add(t, test);
}

static void conclusion_print(const struct check_plan *p, const struct check_gates *gates)
{
	size_t ran = 0, passed = 0;
	enum check_verdict verdict = check_plan_verdict(p);

	for (size_t i = 0; i < p->count; i++) {
		ran += p->tests[i].code != CHECK_NOT_RUN;
		passed += check_test_passed(&p->tests[i]) && p->tests[i].fault[0] == '\0';
	}
	if (gates->count > 0 && !gates->passed) {
		fputs("\nA promotion would be refused: ", stdout);
		output_text(gates->text);
		putchar('\n');
	}
	printf("\n%s v%u against v%u: %s; %zu of %zu tests passed, %zu ran now\n", p->options.model,
	       (unsigned)p->options.version, (unsigned)p->against,
	       verdict != CHECK_PASS                ? check_verdict_name(verdict)
	       : gates->count > 0 && !gates->passed ? "the tests pass, the gates do not"
						    : "pass",
	       passed, p->count, ran);
}

int check_print_text(const struct check_plan *p, const struct check_gates *gates, struct err *e)
{
	static const char *const headers[] = {"TEST", "VERDICT", "AGE", ">VALUE", ">LIMIT", "WHAT", NULL};
	struct table *t = table_new(headers);

	if (t == NULL)
		return err_set(e, ERR_MEMORY, "memory is out");
	for (size_t i = 0; i < p->count; i++)
		test_add(t, &p->tests[i]);
	int result = table_print(t, e);
	table_free(t);
	if (result != 0)
		return -1;
	if (gates->count > 0)
		putchar('\n');
	if (finding_table_print("GATE", gates->findings, gates->count, e) != 0)
		return -1;
	conclusion_print(p, gates);
	return output_end(e);
}

/* --- for programs --- */

static cJSON *test_json(const struct check_test *t)
{
	const cJSON *age = cJSON_GetObjectItemCaseSensitive(t->state, "age_s");
	const cJSON *findings = cJSON_GetObjectItemCaseSensitive(t->state, "findings");
	cJSON *json = cJSON_CreateObject();
	bool whole =
	    json_add_text(json, "kind", t->test.kind) && json_add_boolean(json, "ran", t->code != CHECK_NOT_RUN) &&
	    json_add_boolean(json, "passed", check_test_passed(t) && t->fault[0] == '\0') &&
	    json_add_text(json, "verdict", check_test_verdict(t)) &&
	    json_add_number(json, "age_s", cJSON_IsNumber(age) ? age->valuedouble : (double)NAN) &&
	    json_add_some(json, "test", json_find_number(t->state, "test")) &&
	    json_add_text(json, "text", check_test_text(t)) &&
	    json_add_text(json, "summary", json_find_text(t->state, "summary")) &&
	    json_add(json, "findings", findings != NULL ? cJSON_Duplicate(findings, true) : cJSON_CreateArray());
	return json_whole(json, whole);
}

cJSON *check_json(const struct check_plan *p, const struct check_gates *gates)
{
	enum check_verdict verdict = check_plan_verdict(p);
	cJSON *json = cJSON_CreateObject(), *list;
	bool passed = verdict == CHECK_PASS && (gates->count == 0 || gates->passed);
	bool whole =
	    json_add_text(json, "model", p->options.model) && json_add_number(json, "version", p->options.version) &&
	    json_add_number(json, "against", p->against) &&
	    json_add_text(json, "verdict", passed || verdict != CHECK_PASS ? check_verdict_name(verdict) : "gates") &&
	    json_add_boolean(json, "passed", passed) && (list = cJSON_AddArrayToObject(json, "tests")) != NULL;

	for (size_t i = 0; whole && i < p->count; i++)
		whole = json_append(list, test_json(&p->tests[i]));
	if (whole && gates->count > 0)
		whole = json_add(json, "gates", findings_to_json(gates->findings, gates->count));
	return json_whole(json, whole);
}
