/* What is exported is read back as the same state, which then needs no change. */
#include "core/models_plan.h"
#include "ui/command/export.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* The section of a model is parsed and planned against it. */
static void same_again(struct snapshot *s)
{
	struct models_file f;
	struct models_plan *plan = NULL;
	struct buf text;
	struct err e = {.text = ""};

	buf_init(&text);
	buf_add_string(&text, "[model m]\n");
	export_route(&text, &s->models[0]);
	if (s->models[0].policy_set)
		export_policy(&text, &s->models[0].policy);
	assert_false(text.failed);
	if (models_file_parse(&f, "m.ini", text.data, &e) != 0 || models_plan_make(&f, s, &plan, &e) != 0)
		fail_msg("%s\n%s", e.text, text.data);
	if (plan->change_count != 0)
		fail_msg("%s", text.data);
	models_plan_free(plan);
	models_file_release(&f);
	buf_release(&text);
}

static struct snapshot *one_model(void)
{
	struct snapshot *s = snapshot_new();
	assert_non_null(s);
	s->models = calloc(1, sizeof *s->models);
	s->model_count = 1;
	struct snapshot_model *m = &s->models[0];
	strcpy(m->name, "m");
	m->version_count = 16;
	m->versions = calloc(16, sizeof *m->versions);
	for (uint32_t i = 0; i < 16; i++)
		m->versions[i].version = i + 1;
	return s;
}

/* Routes of every size, with shadows or without, the live one anywhere. */
static void routes_come_back(void **state)
{
	(void)state;
	struct snapshot *s = one_model();
	struct snapshot_model *m = &s->models[0];
	same_again(s);
	for (uint32_t serving = 1; serving <= 16; serving++)
		for (uint32_t live = 1; live <= serving; live++)
			for (uint32_t shadows = 0; serving + shadows <= 16; shadows += 5) {
				m->route_count = serving + shadows;
				m->live = live;
				uint32_t left_bp = ROUTE_BUCKETS;
				for (uint32_t i = 0; i < serving; i++) {
					uint32_t weight_bp = i + 1 == serving ? left_bp : left_bp / 3;
					left_bp -= weight_bp;
					m->route[i] = (struct route_entry){
					    i + 1, i + 1 == live ? ROUTE_LIVE : ROUTE_CANARY, weight_bp};
				}
				for (uint32_t i = serving; i < m->route_count; i++)
					m->route[i] = (struct route_entry){i + 1, ROUTE_SHADOW, i * 7 + 1};
				same_again(s);
			}
	snapshot_free(s);
}

static void policies_come_back(void **state)
{
	(void)state;
	struct snapshot *s = one_model();
	struct policy *p = &s->models[0].policy;
	struct err e = {.text = ""};
	char names[POLICY_NAMES_SIZE] = "", path[POLICY_TEXT_SIZE];
	s->models[0].policy_set = true;
	policy_init(p);
	same_again(s);
	/* Longer than a line. */
	for (int i = 0; i < 30; i++)
		snprintf(names + strlen(names), sizeof names - strlen(names), "user%02d ", i);
	if (policy_set(p, "promoters", names, &e) != 0 ||
	    policy_set(p, "tests", "differential:7d benchmark:30d stress", &e) != 0 ||
	    policy_set(p, "shadow_difference_max", "0.125", &e) != 0 ||
	    policy_set(p, "error_margin", "0.25%", &e) != 0 || policy_set(p, "diff_segment", "a;b  =c", &e) != 0 ||
	    policy_set(p, "stress_rate", "0.5", &e) != 0 || policy_set(p, "stress_slo_p99", "5ms", &e) != 0 ||
	    policy_set(p, "same_signature", "no", &e) != 0)
		fail_msg("%s", e.text);
	same_again(s);
	/* As long as one may be, with blanks where a list would go on in the next line. */
	for (size_t i = 0; i < sizeof path - 1; i++)
		path[i] = i == 0 ? '/' : i % 9 == 0 ? ' ' : 'x';
	path[sizeof path - 1] = '\0';
	assert_int_equal(policy_set(p, "diff_data", path, &e), 0);
	same_again(s);
	assert_string_equal(p->diff_data, path);
	snapshot_free(s);
}

static void values_that_can_stand_in_a_line(void **state)
{
	(void)state;
	char longer[152];
	memset(longer, 'x', sizeof longer);
	longer[151] = '\0';
	static const char *const plain[] = {"churn-1.txt",       "a b", "a;b",  "a;", "a # b",
					    "\xc3\xa9t\xc3\xa9", "[a]", "a=b:c"};
	static const char *const not_plain[] = {"", " a", "a ", "a ;b", ";a", "a\nb", "a\tb", "\x1b[31m", "a\x7f"};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		char text[256];
		struct models_file f;
		struct err e;
		assert_true(export_plain(plain[i]));
		snprintf(text, sizeof text, "[model m]\nversion.1 = x\nname.1 = %s\n", plain[i]);
		assert_int_equal(models_file_parse(&f, "m.ini", text, &e), 0);
		assert_string_equal(f.models[0].versions[0].options[MODELS_NAME], plain[i]);
		models_file_release(&f);
	}
	for (size_t i = 0; i < sizeof not_plain / sizeof *not_plain; i++)
		assert_false(export_plain(not_plain[i]));
	assert_false(export_plain(longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(routes_come_back),
	    cmocka_unit_test(policies_come_back),
	    cmocka_unit_test(values_that_can_stand_in_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
