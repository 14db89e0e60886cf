#include "ui/view/keys.h"

#include "ui/view/job_pane.h"
#include "ui/view/test_text.h"
#include "ui/view/view.h"

#include <string.h>

const struct key key_table[] = {
#define X(action, key, text, label, help) {ACT_##action, key, text, label, help},
    KEYS(X)
#undef X
};

const size_t key_count = sizeof(key_table) / sizeof(key_table[0]);

int key_of_action(enum key_action action)
{
	for (size_t i = 0; i < key_count; i++) {
		if (key_table[i].action == action)
			return key_table[i].key;
	}
	return 0;
}

static bool in_view(const struct ui_state *state, const char *name)
{
	return strcmp(state->view, name) == 0;
}

/* Where one model is selected or open. */
static bool on_model(const struct ui_state *state)
{
	static const char *const views[] = {"models", "model", "history", "rollout", "policy"};
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		if (in_view(state, views[i]))
			return true;
	}
	return false;
}

static bool on_jobs(const struct ui_state *state)
{
	return in_view(state, "jobs") || in_view(state, "job");
}

static const struct snapshot_model *model_of(const struct ui_state *state)
{
	return state->snapshot != NULL && on_model(state) ? snapshot_find(state->snapshot, state->model) : NULL;
}

static bool rollout_open(const struct snapshot_model *m)
{
	return m != NULL && m->rollout != NULL && !rollout_ended(m->rollout);
}

/* Keys that change something act only where what they are about is in sight. */
bool key_acts(const struct key *k, const struct ui_state *state)
{
	bool rollout = in_view(state, "rollout"), history = in_view(state, "history"),
	     policy = in_view(state, "policy");
	switch (k->action) {
	case ACT_PROMOTE:
	case ACT_SPLIT:
		return on_model(state) && !history && !policy;
	case ACT_ROLLBACK:
		return on_model(state) && !policy;
	case ACT_FILE:
		return in_view(state, "models") || in_view(state, "model") || in_view(state, "jobs");
	case ACT_DIFF:
	case ACT_BENCH:
	case ACT_STRESS:
		return on_model(state) && !policy;
	case ACT_CANCEL:
		return on_jobs(state) || rollout;
	case ACT_AGAIN:
		return on_jobs(state);
	case ACT_PAUSE:
	case ACT_SKIP:
		return rollout;
	case ACT_ACKNOWLEDGE:
		return in_view(state, "alerts");
	case ACT_UNDO:
		return true;
	default:
		return false;
	}
}

/* Whether what it is about lets it happen now. */
static bool change_shown(const struct key *k, const struct ui_state *state)
{
	const struct job_record *job = state->snapshot != NULL ? job_selected(state) : NULL;
	const struct alert *alert = view_alert(state);
	const struct snapshot_model *m = model_of(state);
	/* An open rollout is aborted instead, where it is in sight. */
	bool open = in_view(state, "rollout") && rollout_open(m);
	if (!key_acts(k, state) || state->age_ms > UI_STALE_MS || state->connection == CONNECTION_LOST)
		return false;
	switch (k->action) {
	case ACT_FILE:
		return state->snapshot != NULL && state->snapshot->model_count > 0;
	case ACT_DIFF:
	case ACT_BENCH:
	case ACT_STRESS:
		return m != NULL && m->version_count > 0;
	case ACT_CANCEL:
		return on_jobs(state) ? job != NULL && !job_ended(job) : open;
	case ACT_AGAIN:
		return job != NULL && job_ended(job) && !job->in_shell;
	case ACT_PAUSE:
	case ACT_SKIP:
		return open;
	case ACT_ACKNOWLEDGE:
		return alert != NULL && alert->state == ALERT_FIRING;
	case ACT_UNDO:
		return state->undo_s > 0;
	default:
		return m != NULL && !open;
	}
}

/* enter opens something that the view shows. */
static bool open_shown(const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	if (s == NULL)
		return false;
	return (in_view(state, "models") && s->model_count > 0) || (in_view(state, "jobs") && s->job_count > 0) ||
	       (in_view(state, "tests") && test_selected(state) != NULL) ||
	       (in_view(state, "experiments") && s->experiment_count > 0) ||
	       (in_view(state, "alerts") && view_alert(state) != NULL) || in_view(state, "policy");
}

/* One that is listed, or open alone. */
static bool mark_shown(const struct ui_state *state)
{
	if (state->snapshot == NULL)
		return false;
	const struct snapshot_report *open = snapshot_report(state->snapshot, state->test);
	return in_view(state, "test") ? state->test_with == 0 && open != NULL && !open->missing
				      : in_view(state, "tests") && test_selected(state) != NULL;
}

/* What m does to the selected test. */
static const char *mark_label(const struct ui_state *state)
{
	const struct test_result *t = in_view(state, "tests") ? test_selected(state) : NULL;
	int64_t id = t != NULL ? t->id : state->test;
	return state->test_marked == 0 ? "mark" : state->test_marked == id ? "unmark" : "side by side";
}

bool key_shown(const struct key *k, const struct ui_state *state)
{
	bool help = in_view(state, "help"), models = state->snapshot != NULL && state->snapshot->model_count > 0;
	switch (k->action) {
	case ACT_PROMOTE:
	case ACT_ROLLBACK:
	case ACT_SPLIT:
	case ACT_FILE:
	case ACT_DIFF:
	case ACT_BENCH:
	case ACT_STRESS:
	case ACT_CANCEL:
	case ACT_AGAIN:
	case ACT_PAUSE:
	case ACT_SKIP:
	case ACT_ACKNOWLEDGE:
	case ACT_UNDO:
		return change_shown(k, state);
	case ACT_ROLLOUT:
	case ACT_HISTORY:
	case ACT_POLICY:
		return model_of(state) != NULL && strcmp(state->view, k->label) != 0;
	case ACT_TESTS:
		return model_of(state) != NULL ||
		       (in_view(state, "tests") && (state->tests_of[0] != '\0' || test_selected(state) != NULL));
	case ACT_MARK:
		return mark_shown(state);
	case ACT_OPEN:
		return open_shown(state);
	case ACT_FILTER:
		return (in_view(state, "models") && models) || in_view(state, "tests") || in_view(state, "audit");
	case ACT_BACK:
		return !in_view(state, "models") || state->filter[0] != '\0';
	case ACT_COPY:
		return models && !help;
	case ACT_HELP:
		return !help;
	default:
		return true;
	}
}

const char *key_label(const struct key *k, const struct ui_state *state)
{
	const struct snapshot_model *m = model_of(state);
	if (k->action == ACT_CANCEL && in_view(state, "rollout"))
		return "abort";
	if (k->action == ACT_PAUSE && rollout_open(m) && m->rollout->state == ROLLOUT_PAUSED)
		return "resume";
	if (k->action == ACT_OPEN && in_view(state, "policy"))
		return "edit";
	if (k->action == ACT_MARK)
		return mark_label(state);
	if (k->action == ACT_TESTS && in_view(state, "tests"))
		return state->tests_of[0] != '\0' ? "all models" : "of this model";
	if (k->action == ACT_OPEN && in_view(state, "alerts"))
		return "open model";
	return k->label;
}
