/* What is selected in each view, and moving through it. */
#include "ui/console/console_state.h"

#include "ui/view/history.h"
#include "ui/view/job_pane.h"

#include <stdio.h>
#include <string.h>

#define FILTERED_MAX 4096

bool console_in(const struct console *c, const char *view)
{
	return strcmp(c->ui.view, view) == 0;
}

void console_show(struct console *c, const char *view)
{
	snprintf(c->ui.view, sizeof(c->ui.view), "%s", view);
	c->ui.scroll = 0;
}

static void model_select(struct console *c, size_t index)
{
	snprintf(c->ui.model, sizeof(c->ui.model), "%s", c->snapshot->models[index].name);
	c->ui.version = 0;
}

/* The models drawn, and where in them the selected one is (count when it is not). */
static size_t shown(const struct console *c, size_t *indexes, size_t *at)
{
	size_t count = view_filtered(&c->ui, indexes, FILTERED_MAX);

	if (count > FILTERED_MAX)
		count = FILTERED_MAX;
	for (*at = 0; *at < count; ++*at)
		if (strcmp(c->snapshot->models[indexes[*at]].name, c->ui.model) == 0)
			break;
	return count;
}

void console_select(struct console *c)
{
	size_t indexes[FILTERED_MAX], at, count;

	if (!c->snapshot)
		return;
	const struct view *v = view_find(c->ui.view);

	if (v && v->tab && strcmp(v->tab, "models") == 0) { /* one model is open */
		if (snapshot_find(c->snapshot, c->ui.model))
			return;
		console_say(c, ROLE_WARNING, "%s is no longer there", c->ui.model);
		console_show(c, "models");
	}
	count = shown(c, indexes, &at);
	if (count == 0)
		c->ui.model[0] = '\0';
	else if (at == count)
		model_select(c, indexes[0]);
}

static size_t moved(size_t at, size_t count, long step)
{
	long to = (long)at + step;

	return to < 0 ? 0 : to >= (long)count ? count - 1 : (size_t)to;
}

static void version_move(struct console *c, long step)
{
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);
	size_t at = 0; /* in the order of the screen: the newest first */

	if (!m || m->version_count == 0)
		return;
	while (at < m->version_count && m->versions[m->version_count - 1 - at].version != view_version(&c->ui, m))
		at++;
	if (at == m->version_count)
		at = 0;
	at = moved(at, m->version_count, step);
	c->ui.version = m->versions[m->version_count - 1 - at].version;
}

static void job_move(struct console *c, long step)
{
	const struct job_record *jobs = c->snapshot->jobs, *job = job_selected(&c->ui);

	if (job)
		c->ui.job = jobs[moved((size_t)(job - jobs), c->snapshot->job_count, step)].id;
}

static void revision_move(struct console *c, long step)
{
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);
	struct history h = {NULL, 0};

	if (m)
		h = history_of(m);
	if (h.count > 0)
		c->ui.revision = h.list[moved(history_selected(&c->ui, &h), h.count, step)].revision;
}

static void alert_move(struct console *c, long step)
{
	const struct alert *alert = view_alert(&c->ui);

	if (alert)
		c->ui.alert =
		    c->snapshot->alerts[moved((size_t)(alert - c->snapshot->alerts), c->snapshot->alert_count, step)]
			.id;
}

static void audit_move(struct console *c, long step)
{
	size_t indexes[SNAPSHOT_AUDITS_MAX], at = 0;
	size_t count = view_audits(&c->ui, indexes, SNAPSHOT_AUDITS_MAX);

	if (count == 0)
		return;
	while (at < count && c->snapshot->audits[indexes[at]].id != c->ui.audit)
		at++;
	at = moved(at == count ? 0 : at, count, step);
	c->ui.audit = c->snapshot->audits[indexes[at]].id;
}

static void test_move(struct console *c, long step)
{
	size_t indexes[SNAPSHOT_TESTS_MAX], at = 0, count = view_tests_shown(&c->ui, indexes, SNAPSHOT_TESTS_MAX);

	if (count == 0)
		return;
	while (at < count && c->snapshot->tests[indexes[at]].id != c->ui.test)
		at++;
	at = moved(at == count ? 0 : at, count, step);
	c->ui.test = c->snapshot->tests[indexes[at]].id;
}

/* A page that scrolls: help, a test or an A/B test in full. */
static void page_move(struct console *c, long step)
{
	bool test = console_in(c, "test"), experiment = console_in(c, "experiment");
	int lines = test         ? view_test_lines(c->canvas, &c->ui)
		    : experiment ? view_experiment_lines(c->canvas, &c->ui)
				 : 500;
	/* Above the view are two lines, and below it. */
	int hidden = test || experiment ? lines - (c->rows - 4) : lines;
	long scroll = c->ui.scroll + step;

	c->ui.scroll = scroll < 0 || hidden < 0 ? 0 : scroll > hidden ? hidden : (int)scroll;
}

static void setting_move(struct console *c, long step)
{
	const struct snapshot_model *m = snapshot_find(c->snapshot, c->ui.model);
	char value[POLICY_NAMES_SIZE];
	const char *name, *help;
	size_t count = 0;

	while (m && policy_row(&m->policy, count, &name, value, &help))
		count++;
	if (count > 0)
		c->ui.setting = moved(c->ui.setting, count, step);
}

static void models_move(struct console *c, long step)
{
	size_t indexes[FILTERED_MAX], at, count = shown(c, indexes, &at);

	if (count > 0)
		model_select(c, indexes[moved(at == count ? 0 : at, count, step)]);
}

void console_move(struct console *c, long step)
{
	static const struct {
		const char *view;
		void (*move)(struct console *c, long step);
	} moves[] = {{"models", models_move},  {"model", version_move},   {"history", revision_move},
		     {"policy", setting_move}, {"jobs", job_move},        {"job", job_move},
		     {"tests", test_move},     {"test", page_move},       {"alerts", alert_move},
		     {"audit", audit_move},    {"experiment", page_move}, {"experiments", experiment_move}};

	if (console_in(c, "help")) {
		page_move(c, step);
		return;
	}
	for (size_t i = 0; c->snapshot && i < sizeof(moves) / sizeof(moves[0]); i++)
		if (console_in(c, moves[i].view)) {
			moves[i].move(c, step);
			return;
		}
}

/* A report does not change: what the picture has is not asked for again. */
static bool report_there(const struct console *c)
{
	const struct snapshot *s = c->snapshot;

	if (!s || s->report_count == 0 || s->reports[0].missing || s->reports[0].test.id != c->ui.test)
		return false;
	if (c->ui.test_with == 0)
		return s->report_count == 1 || s->reports[1].before;
	return s->report_count > 1 && s->reports[1].test.id == c->ui.test_with && !s->reports[1].missing;
}

void console_needs(struct console *c)
{
	const struct view *v = view_find(c->ui.view);
	struct fetcher_needs needs = {0};

	if (v && v->audits)
		needs.audits = SNAPSHOT_AUDITS_MAX;
	if (v && v->tests)
		needs.tests = SNAPSHOT_TESTS_MAX;
	if (v && (v->detail || v->tests))
		snprintf(needs.detail, sizeof(needs.detail), "%s", v->tests ? c->ui.tests_of : c->ui.model);
	if (v && v->report && !report_there(c)) {
		needs.test = c->ui.test;
		needs.with = c->ui.test_with;
	}
	needs.experiments = v && v->experiments;
	if (v && v->experiment) {
		snprintf(needs.detail, sizeof(needs.detail), "%s", c->ui.experiment_model);
		snprintf(needs.experiment, sizeof(needs.experiment), "%s", c->ui.experiment);
	}
	fetcher_need(c->fetcher, &needs);
}

void console_keep_reports(struct console *c, struct snapshot *next)
{
	const struct view *v = view_find(c->ui.view);

	if (!v || !v->report || next->report_count > 0 || !c->snapshot)
		return;
	next->reports = c->snapshot->reports;
	next->report_count = c->snapshot->report_count;
	c->snapshot->reports = NULL;
	c->snapshot->report_count = 0;
}
