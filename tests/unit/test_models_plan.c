/* What must change so that a runtime is as a models file says. */
#include "core/models_plan.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#define HEX(c) "sha256:" HEX8(c) HEX8(c) HEX8(c) HEX8(c) HEX8(c) HEX8(c) HEX8(c) HEX8(c)
#define HEX8(c) c c c c c c c c

/* A runtime with churn v1 (aaa…) and v2 (bbb…), v1 90% live and v2 10%, at revision 7, and with fraud v1 (ccc…). */
struct world {
	struct snapshot *s;
	struct models_file f;
	struct models_plan *plan;
	struct err e;
};

static void fill(struct snapshot_model *m, const char *name, const char *digits)
{
	snprintf(m->name, sizeof m->name, "%s", name);
	m->version_count = strlen(digits);
	m->versions = calloc(m->version_count, sizeof *m->versions);
	for (size_t i = 0; i < m->version_count; i++) {
		m->versions[i].version = (uint32_t)i + 1;
		memset(m->versions[i].sha256, digits[i], 64);
	}
}

static void world_open(struct world *w)
{
	memset(w, 0, sizeof *w);
	w->s = snapshot_new();
	assert_non_null(w->s);
	w->s->models = calloc(2, sizeof *w->s->models);
	w->s->model_count = 2;
	struct snapshot_model *churn = &w->s->models[0];
	fill(churn, "churn", "ab");
	churn->live = 1;
	churn->revision = 7;
	churn->route_count = 2;
	churn->route[0] = (struct route_entry){1, ROUTE_LIVE, 9000};
	churn->route[1] = (struct route_entry){2, ROUTE_CANARY, 1000};
	fill(&w->s->models[1], "fraud", "c");
}

static int make(struct world *w, const char *text)
{
	models_plan_free(w->plan);
	models_file_release(&w->f);
	w->e = (struct err){.text = ""};
	if (models_file_parse(&w->f, "m.ini", text, &w->e) != 0)
		fail_msg("%s", w->e.text);
	return models_plan_make(&w->f, w->s, &w->plan, &w->e);
}

static void plans(struct world *w, const char *text, size_t count)
{
	if (make(w, text) != 0)
		fail_msg("%s", w->e.text);
	assert_int_equal(w->plan->change_count, count);
}

static void refuses(struct world *w, const char *text, enum err_code code, const char *sentence)
{
	assert_int_equal(make(w, text), -1);
	assert_string_equal(w->e.text, sentence);
	assert_int_equal(w->e.code, code);
	assert_null(w->plan);
}

static void world_close(struct world *w)
{
	models_plan_free(w->plan);
	models_file_release(&w->f);
	snapshot_free(w->s);
}

static void route_is(const struct models_change *c, const char *expected)
{
	char text[128];
	assert_int_equal(c->kind, MODELS_ROUTE);
	models_entries_text(c->entries, c->entry_count, text, sizeof text);
	assert_string_equal(text, expected);
}

static void nothing_to_do(void **state)
{
	(void)state;
	struct world w;
	world_open(&w);
	plans(&w, "", 0);
	assert_int_equal(w.plan->left_count, 2);
	assert_string_equal(w.plan->left[1]->name, "fraud");
	plans(&w, "[model churn]\nversion.1 = " HEX("a") "\nversion.2 = " HEX("b") "\nroute = 2=10 1=90\n", 0);
	assert_int_equal(w.plan->same_count, 1);
	assert_int_equal(w.plan->left_count, 1);
	/* A file need not know the old versions, or all of them. */
	plans(&w, "[model churn]\nversion.2 = " HEX("b") "\n", 0);
	plans(&w, "[model churn]\nlive = 1\nroute = 1=90 2=10 3=0\n", 0);
	plans(&w, "[model fraud]\nroute = none\npolicy.p99_ratio_max = 1.5\n", 0);
	assert_int_equal(w.plan->model_count, 0);
	world_close(&w);
}

static void new_versions(void **state)
{
	(void)state;
	struct world w;
	world_open(&w);
	plans(&w,
	      "[model price]\nversion.2 = " HEX("e") "\nversion.1 = " HEX("d") "\nroute = 1=100\n"
									       "[model churn]\nversion.3 = " HEX(
										   "c") "\nroute = 3=100\n",
	      5);
	assert_int_equal(w.plan->model_count, 2);
	assert_int_equal(w.plan->changes[0].version->version, 1);
	assert_int_equal(w.plan->changes[1].version->version, 2);
	assert_false(w.plan->changes[0].goes_live);
	assert_null(w.plan->changes[0].now);
	route_is(&w.plan->changes[2], "v1 100%");
	assert_int_equal(models_change_revision(&w.plan->changes[2]), 0);
	assert_int_equal(w.plan->changes[3].kind, MODELS_DEPLOY);
	assert_string_equal(w.plan->changes[3].model->name, "churn");
	route_is(&w.plan->changes[4], "v3 100%");
	assert_int_equal(models_change_revision(&w.plan->changes[4]), 7);
	/* Of a new model the first goes live, as with `mldeck deploy`, unless the file has a route. */
	plans(&w, "[model price]\nversion.1 = " HEX("e") "\nversion.2 = " HEX("d") "\n", 2);
	assert_true(w.plan->changes[0].goes_live);
	assert_false(w.plan->changes[1].goes_live);
	plans(&w, "[model price]\nversion.1 = " HEX("e") "\nroute = none\n", 1);
	assert_false(w.plan->changes[0].goes_live);
	world_close(&w);
}

static void versions_are_never_changed(void **state)
{
	(void)state;
	struct world w;
	world_open(&w);
	refuses(&w, "[model churn]\nversion.2 = " HEX("d"), ERR_INPUT,
		"m.ini, line 2: version 2 of churn is bbbbbbbbbbbb in the runtime, and " HEX(
		    "d") " is dddddddddddd; a version is never changed: give the file the next number, 3");
	refuses(
	    &w, "[model churn]\nversion.4 = " HEX("d"), ERR_INPUT,
	    "m.ini, line 2: version 4 of churn would leave a gap: the runtime has versions 1 to 2, so the next is 3, "
	    "not 4");
	refuses(
	    &w, "[model churn]\nversion.3 = " HEX("d") "\nversion.5 = " HEX("e"), ERR_INPUT,
	    "m.ini, line 3: version 5 of churn would leave a gap: the runtime has versions 1 to 3 with those of this "
	    "file, so the next is 4, not 5");
	refuses(&w, "[model price]\nversion.2 = " HEX("d"), ERR_INPUT,
		"m.ini, line 2: version 2 of price would leave a gap: the runtime has none, so the next is 1, not 2");
	refuses(&w, "[model churn]\nversion.3 = " HEX("a"), ERR_INPUT,
		"m.ini, line 2: " HEX("a") " is version 1 of churn, so it cannot be version 3 too");
	refuses(&w, "[model churn]\nversion.3 = " HEX("d") "\nversion.4 = " HEX("d"), ERR_INPUT,
		"m.ini, line 3: " HEX("d") " is version 3 of churn, so it cannot be version 4 too");
	refuses(&w, "\n[model price]\n", ERR_NOT_FOUND,
		"m.ini, line 2: the runtime has no model price, and the file names no version of it");
	world_close(&w);
}

static void routes(void **state)
{
	(void)state;
	struct world w;
	world_open(&w);
	plans(&w, "[model churn]\nroute = 2=80 1=20\n", 1);
	route_is(&w.plan->changes[0], "v1 20% v2 80%");
	assert_int_equal(w.plan->changes[0].entries[0].role, ROUTE_LIVE);
	assert_int_equal(w.plan->changes[0].entries[1].role, ROUTE_CANARY);
	plans(&w, "[model churn]\nroute = 1=90 2=10\nlive = 2\n", 1);
	route_is(&w.plan->changes[0], "v2 10% v1 90%");
	plans(&w, "[model churn]\nroute = 2=100\nshadow = 1=12.5\n", 1);
	route_is(&w.plan->changes[0], "v2 100% v1 shadow 12.5%");
	assert_int_equal(w.plan->changes[0].entries[0].role, ROUTE_LIVE);
	/* Without a live one before, the first of the greatest. */
	plans(&w,
	      "[model price]\nversion.1 = " HEX("d") "\nversion.2 = " HEX("e") "\nversion.3 = " HEX(
		  "f") "\n"
		       "route = 1=20 2=40 3=40\n",
	      4);
	route_is(&w.plan->changes[3], "v2 40% v1 20% v3 40%");
	/* A route without `shadow` has none. */
	w.s->models[0].route[2] = (struct route_entry){2, ROUTE_SHADOW, 500};
	w.s->models[0].route[1].version = 3;
	w.s->models[0].route_count = 3;
	plans(&w, "[model churn]\nroute = 1=100\n", 1);
	route_is(&w.plan->changes[0], "v1 100%");
	world_close(&w);
}

static void routes_that_cannot_be(void **state)
{
	(void)state;
	struct world w;
	struct rollout *rollout = calloc(1, sizeof *rollout);
	world_open(&w);
	refuses(&w, "[model churn]\nroute = 3=100\n", ERR_INPUT,
		"m.ini, line 2: the route names version 3 of churn, which has versions 1 to 2");
	refuses(&w, "[model fraud]\nroute = 1=100\nshadow = 2=1\n", ERR_INPUT,
		"m.ini, line 3: the route names version 2 of fraud, which has version 1 only");
	refuses(&w, "[model churn]\nroute = none\n", ERR_INPUT,
		"m.ini, line 2: churn has a route, and a route cannot be taken away: say its shares, or nothing");
	rollout->version = 2;
	w.s->models[0].rollout = rollout;
	refuses(&w, "[model churn]\nroute = 1=100\n", ERR_CONFLICT,
		"m.ini, line 2: a rollout of v2 of churn is under way, and the route is its own until it ends: wait, "
		"or end "
		"it with `mldeck rollout churn --abort`");
	plans(&w, "[model churn]\nroute = 1=90 2=10\n", 0);
	rollout->state = ROLLOUT_DONE;
	plans(&w, "[model churn]\nroute = 1=100\n", 1);
	w.s->models[0].rollout = NULL;
	free(rollout);
	world_close(&w);
}

static void policies(void **state)
{
	(void)state;
	struct world w;
	struct policy before;
	world_open(&w);
	plans(&w, "[model churn]\npolicy.p99_ratio_max = 2\n", 1);
	assert_int_equal(w.plan->changes[0].kind, MODELS_POLICY);
	models_change_policy(&w.plan->changes[0], &before);
	assert_true(before.p99_ratio_max == 1.5);
	w.s->models[0].policy_set = true;
	policy_init(&w.s->models[0].policy);
	assert_int_equal(policy_set(&w.s->models[0].policy, "p99_ratio_max", "2", &w.e), 0);
	plans(&w, "[model churn]\npolicy.p99_ratio_max = 2.0\n", 0);
	/* What is not named has its default, once anything is. */
	plans(&w, "[model churn]\npolicy.drift_max = 0.2\n", 1);
	plans(&w, "[model churn]\n", 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_to_do),
	    cmocka_unit_test(new_versions),
	    cmocka_unit_test(versions_are_never_changed),
	    cmocka_unit_test(routes),
	    cmocka_unit_test(routes_that_cannot_be),
	    cmocka_unit_test(policies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
