/* Rollouts in the database: one open a model, what is written comes back, what has ended stays. */
#include "core/registry/registry_internal.h"
#include "core/registry/registry_rollouts.h"
#include "registry_fixture.h"

#include <string.h>

struct world {
	char directory[256];
	struct registry *registry;
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct deploy_result deployed;
	struct err e = {0};
	fixture_directory(w->directory);
	w->registry = fixture_open(w->directory);
	assert_int_equal(fixture_deploy(w->registry, "churn", "one", false, &deployed, &e), 0);
	assert_int_equal(fixture_deploy(w->registry, "price", "two", false, &deployed, &e), 0);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	registry_close(w->registry);
	fixture_remove(w->directory);
	free(w);
	return 0;
}

static struct rollout made(const char *model)
{
	struct rollout r = {.version = 2, .from = 1, .first_revision = 1, .started_ms = 5};
	struct err e = {0};
	assert_int_equal(rollout_plan(&r, "1,25", "5m", &e), 0);
	strcpy(r.model, model);
	strcpy(r.who, "ada");
	policy_init(&r.thresholds);
	return r;
}

/* As registry_change_route() does it, without a route. */
static int put(struct world *w, struct rollout *r, struct err *e)
{
	int64_t model_id;
	registry_lock(w->registry);
	int result = registry_model_id(w->registry, r->model, &model_id, e);
	if (result == 0)
		result = registry_put_rollout(w->registry, model_id, r, e);
	registry_unlock(w->registry);
	return result;
}

static struct rollout begin(struct world *w, const char *model)
{
	struct rollout r = made(model);
	struct err e = {0};
	if (put(w, &r, &e) != 0)
		fail_msg("%s", e.text);
	return r;
}

static void one_is_open(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct rollout churn = begin(w, "churn"), another = made("churn");
	struct rollout *open;
	size_t count;
	assert_int_equal(churn.id, 1);
	assert_int_equal(put(w, &another, &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "churn has a rollout already, of v2 by ada: wait for its end, or mldeck rollout "
				    "churn --abort");
	assert_int_equal(begin(w, "price").id, 2);
	assert_int_equal(registry_open_rollouts(w->registry, &open, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(open[0].model, "churn");
	assert_string_equal(open[1].model, "price");
	free(open);

	churn.state = ROLLOUT_FAILED;
	churn.ended_ms = 9;
	assert_int_equal(put(w, &churn, &e), 0);
	assert_int_equal(begin(w, "churn").id, 3);
	assert_int_equal(registry_rollouts(w->registry, "churn", 10, &open, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_int_equal(open[0].id, 3);
	assert_int_equal(open[1].state, ROLLOUT_FAILED);
	free(open);
	assert_int_equal(registry_rollouts(w->registry, "none", 10, &open, &count, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void it_survives(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct rollout churn = begin(w, "churn");
	struct rollout *open;
	struct audit_record *records;
	size_t count;
	churn.held_ms = 61000;
	churn.step = 1;
	assert_int_equal(registry_update_rollout(w->registry, &churn, NULL, NULL, NULL, &e), 0);
	churn.state = ROLLOUT_PAUSED;
	strcpy(churn.note, "lunch");
	assert_int_equal(registry_update_rollout(w->registry, &churn, &operator, "pause", "lunch", &e), 0);

	registry_close(w->registry);
	w->registry = fixture_open(w->directory);
	assert_int_equal(registry_open_rollouts(w->registry, &open, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(open[0].id, churn.id);
	assert_int_equal(open[0].held_ms, 61000);
	assert_int_equal(open[0].step, 1);
	assert_int_equal(open[0].state, ROLLOUT_PAUSED);
	assert_string_equal(open[0].note, "lunch");
	free(open);
	/* The deploy and the pause; a checkpoint is not for the audit. */
	assert_int_equal(registry_audits(w->registry, "churn", 0, 10, &records, &count, &e), 0);
	assert_int_equal(count, 2);
	assert_string_equal(records[0].action, "pause");
	assert_string_equal(records[0].reason, "lunch");
	assert_string_equal(records[0].detail, "rollout 1, step 2 of 3: 25%");
	assert_int_equal(records[0].version, 2);
	free(records);
}

static void ended_stays(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct rollout churn = begin(w, "churn"), unknown = churn;
	struct rollout *all;
	size_t count;
	churn.state = ROLLOUT_ABORTED;
	churn.ended_ms = 9;
	assert_int_equal(put(w, &churn, &e), 0);
	churn.state = ROLLOUT_RUNNING;
	churn.ended_ms = 0;
	assert_int_equal(registry_update_rollout(w->registry, &churn, &operator, "resume", "", &e), -1);
	assert_int_equal(e.code, ERR_CONFLICT);
	assert_string_equal(e.text, "the rollout of v2 of churn has ended (aborted)");
	unknown.id = 99;
	assert_int_equal(registry_update_rollout(w->registry, &unknown, NULL, NULL, NULL, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(registry_rollouts(w->registry, "churn", 10, &all, &count, &e), 0);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].state, ROLLOUT_ABORTED);
	free(all);
	/* Nor by any other way. */
	assert_int_equal(db_run(w->registry->db, "UPDATE rollout SET state = 'done'", &e), -1);
	assert_int_equal(db_run(w->registry->db, "DELETE FROM rollout", &e), -1);
}

static void damage_is_said(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct rollout *all;
	size_t count;
	begin(w, "churn");
	assert_int_equal(db_run(w->registry->db, "UPDATE rollout SET plan = '{}'", &e), 0);
	assert_int_equal(registry_rollouts(w->registry, "churn", 10, &all, &count, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(db_run(w->registry->db, "UPDATE rollout SET plan = 'plan'", &e), 0);
	assert_int_equal(registry_open_rollouts(w->registry, &all, &count, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_is_open, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(it_survives, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(ended_stays, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(damage_is_said, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
