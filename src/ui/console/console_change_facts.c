/* What the dialog of a change says before anything is done: what serves now, what would, what the gates say. */
#include "ui/console/console_state.h"

#include "ui/view/findings.h"
#include "ui/view/history.h"
#include "ui/view/rollout_pane.h"

#include <stdio.h>
#include <string.h>

#define VERSIONS_SHOWN 4

static void route_now(const struct snapshot_model *m, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "nothing is live");
	for (uint32_t i = 0; i < m->route_count && used < size; i++) {
		const struct route_entry *r = &m->route[i];

		used += (size_t)snprintf(text + used, size - used, "%sv%u %s%.4g%%", used ? " " : "", r->version,
					 r->role == ROUTE_SHADOW ? "shadow " : "", r->weight_bp / 100.0);
	}
}

static void version_line(struct change *change, const struct snapshot_model *m, uint32_t version)
{
	const struct snapshot_version *v = snapshot_version_of(m, version);
	const struct snapshot_version_stats *s = snapshot_stats_of(m, version);
	char rate[16], p50[16], p99[16];

	if (!v) {
		dialog_line(&change->dialog, ROLE_BAD, "v%u\tthere is no such version", version);
		return;
	}
	if (strcmp(v->state, "unloaded") == 0) {
		dialog_line(&change->dialog, ROLE_TEXT,
			    "v%u\tunloaded; it is loaded and warmed up before it gets a request", version);
		return;
	}
	if (strcmp(v->state, "ready") != 0) {
		dialog_line(&change->dialog, ROLE_BAD, "v%u\t%s: %s", version, v->state, v->note);
		return;
	}
	if (!s || s->stats.requests == 0) {
		dialog_line(&change->dialog, ROLE_DIM, "v%u%s\tready, no traffic now (none in the last %u s)", version,
			    version == m->live ? " live" : "", m->window_s);
		return;
	}
	text_count(rate, sizeof(rate), s->stats.rate_rps);
	text_duration(p50, sizeof(p50), (double)s->stats.latency.p50_ns, false);
	text_duration(p99, sizeof(p99), (double)s->stats.latency.p99_ns, false);
	dialog_line(&change->dialog, s->stats.errors ? ROLE_WARNING : ROLE_TEXT,
		    "v%u%s\t%s req/s, p99 %s, errors %.2f%%, p50 %s", version, version == m->live ? " live" : "", rate,
		    p99, snapshot_error_percent(&s->stats), p50);
}

/* The versions that the change is about: what serves now, and what would. */
static void version_lines(struct change *change, const struct snapshot_model *m)
{
	uint32_t shown[ROUTE_ENTRIES_MAX + 1];
	uint32_t target = change->kind == CHANGE_ROLLBACK ? change->after_live : change_version(change);
	size_t count = 0;
	bool known = target == 0;

	for (uint32_t i = 0; i < m->route_count; i++) {
		known = known || m->route[i].version == target;
		shown[count++] = m->route[i].version;
	}
	if (!known)
		shown[count++] = target;
	for (size_t i = 0; i < count && i < VERSIONS_SHOWN; i++)
		version_line(change, m, shown[i]);
}

/* The revision that a rollback gives back: the one typed, else the newest that holds the route of the dry run,
 * one that no rollback made before one that a rollback made. 0: not in the history at hand. */
uint32_t change_revision_returned(const struct change *change, const struct snapshot_model *m)
{
	const char *target = change_typed(change, CHANGE_TARGET);
	struct history h = history_of(m);
	uint32_t copy = 0;
	long long typed = 0;

	if (change->kind != CHANGE_ROLLBACK || !change->after[0])
		return 0;
	if (*target)
		return text_integer(*target == 'r' ? target + 1 : target, 1, UINT32_MAX, &typed) ? (uint32_t)typed : 0;
	for (size_t i = 1; i < h.count; i++) {
		if (strcmp(h.list[i].route, change->after) != 0)
			continue;
		if (strcmp(h.list[i].action, "rollback") != 0)
			return h.list[i].revision;
		if (!copy)
			copy = h.list[i].revision;
	}
	return copy;
}

static bool editor_untouched(const struct change *change)
{
	struct route_entry shadows[ROUTE_ENTRIES_MAX];

	return change->kind == CHANGE_SPLIT && !route_editor_shares_changed(&change->editor) &&
	       route_editor_shadows(&change->editor, shadows) == 0;
}

static void route_lines(struct change *change, const struct snapshot_model *m)
{
	struct dialog *d = &change->dialog;
	char now[128];

	route_now(m, now, sizeof(now));
	dialog_line(d, change->moved[0] ? ROLE_WARNING : ROLE_TEXT, "now\t%s (r%u)", now, m->revision);
	if (change->moved[0])
		dialog_line(d, ROLE_WARNING, "meanwhile\t%s", change->moved);
	if (change->moved_to)
		dialog_line(d, ROLE_DIM, "after\tshown when enter was pressed");
	else if (change->dry_error[0] && editor_untouched(change))
		dialog_line(d, ROLE_DIM, "after\t%s", change->dry_error);
	else if (change->after_revision)
		dialog_line(d, ROLE_TITLE, "after\t%s (as in r%u)", change->after, change->after_revision);
	else if (change->after[0])
		dialog_line(d, ROLE_TITLE, "after\t%s", change->after);
	else if (change->dry_error[0])
		dialog_line(d, ROLE_DIM, "after\tas it is now: %s",
			    change->gate_count > 0 ? "the gates below say no" : "this cannot be done");
	else if (change->kind != CHANGE_ROLLOUT)
		dialog_line(d, ROLE_DIM, "after\tasking the runtime");
}

static void rollout_lines(struct change *change, const struct snapshot_model *m)
{
	char text[64], left[24];
	const struct rollout *r = m->rollout;

	if (!r)
		return;
	rollout_left_text(rollout_left_ms(r), left, sizeof(left));
	snprintf(text, sizeof(text), "%s", rollout_state_name(r->state));
	dialog_line(&change->dialog, ROLE_TEXT, "rollout\tv%u instead of v%u, started by %s", r->version, r->from,
		    r->who);
	dialog_line(&change->dialog, ROLE_TEXT, "step\t%u of %u: %.4g%%, %s, %s left", r->step + 1, r->step_count,
		    r->steps[r->step].weight_bp / 100.0, text, left);
}

static void setting_lines(struct change *change, const struct snapshot_model *m)
{
	const char *name, *help;
	char value[POLICY_NAMES_SIZE];

	for (size_t i = 0; policy_row(&m->policy, i, &name, value, &help); i++) {
		if (strcmp(name, change->setting) != 0)
			continue;
		dialog_line(&change->dialog, ROLE_TEXT, "now\t%s%s", value[0] ? value : "none",
			    policy_is_default(&m->policy, i) ? " (the default)" : "");
		dialog_line(&change->dialog, ROLE_DIM, "meaning\t%s", help);
	}
	if (change->dry_error[0] && strcmp(change->dialog.error, change->dry_error) != 0)
		snprintf(change->dialog.warning, sizeof(change->dialog.warning), "%.250s", change->dry_error);
	else if (change->dry_done)
		dialog_line(&change->dialog, ROLE_OK, "then\tit can be set");
}

static void alert_lines(const struct console *c, struct change *change)
{
	for (size_t i = 0; c->snapshot && i < c->snapshot->alert_count; i++) {
		const struct alert *a = &c->snapshot->alerts[i];

		if (a->id != change->alert)
			continue;
		dialog_line(&change->dialog, ROLE_BAD, "%s\t%s", a->rule, alert_state_name(a->state));
		snprintf(change->dialog.outcome, sizeof(change->dialog.outcome), "%.250s", a->text);
	}
}

/* --- what will happen --- */

static void steps_text(const struct rollout *r, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 1; i < r->step_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%.4g%%", i > 1 ? ", " : "",
					 r->steps[i].weight_bp / 100.0);
}

static void rollout_outcome(struct change *change, const struct snapshot_model *m)
{
	static struct rollout plan;
	struct dialog *d = &change->dialog;
	struct err e = {0};
	char rate[16], steps[128], hold[32];

	plan = (struct rollout){.version = change_version(change)};
	if (rollout_plan(&plan, change_typed(change, CHANGE_STEPS), change_typed(change, CHANGE_HOLD), &e) != 0) {
		snprintf(d->warning, sizeof(d->warning), "%.250s", e.text);
		return;
	}
	steps_text(&plan, steps, sizeof(steps));
	rollout_hold_text(hold, sizeof(hold), plan.steps[0].hold_ms);
	text_count(rate, sizeof(rate), m->stats.rate_rps * plan.steps[0].weight_bp / ROUTE_BUCKETS);
	snprintf(d->outcome, sizeof(d->outcome),
		 "v%u gets %.4g%% now (%s req/s) for %s, then %s, as long as it does no worse than v%u; else it goes "
		 "back by "
		 "itself.",
		 plan.version, plan.steps[0].weight_bp / 100.0, rate, hold, steps, m->live);
}

static void step_outcome(struct change *change, const struct snapshot_model *m)
{
	struct dialog *d = &change->dialog;
	const struct rollout *r = m->rollout;
	struct history h = history_of(m);
	const char *before = "the route of before it";
	double share = r->steps[r->step].weight_bp / 100.0;
	double next = r->step + 1 < r->step_count ? r->steps[r->step + 1].weight_bp / 100.0 : 100;

	for (size_t i = 0; i < h.count; i++)
		before = h.list[i].revision == r->first_revision ? h.list[i].route : before;
	if (change->kind == CHANGE_PAUSE)
		snprintf(d->outcome, sizeof(d->outcome),
			 "v%u keeps its %.4g%%; its clock stands still until the rollout is resumed.", r->version,
			 share);
	else if (change->kind == CHANGE_RESUME)
		snprintf(d->outcome, sizeof(d->outcome), "The clock of the step at %.4g%% goes on where it stood.",
			 share);
	else if (change->kind == CHANGE_ABORT)
		snprintf(d->outcome, sizeof(d->outcome), "The rollout ends, and r%u comes back at once: %s.",
			 r->first_revision, before);
	else
		snprintf(d->outcome, sizeof(d->outcome),
			 "v%u goes from %.4g%% to %.4g%% now, whatever the analysis of this step would have said.",
			 r->version, share, next);
	if (change->kind == CHANGE_SKIP && findings_verdict(r->findings, r->finding_count) != FINDING_PASS)
		snprintf(d->warning, sizeof(d->warning), "%.240s", findings_first(r->findings, r->finding_count)->text);
}

static void promote_outcome(struct change *change, const struct snapshot_model *m, const char *rate)
{
	struct dialog *d = &change->dialog;
	uint32_t version = change_version(change);

	if (version == 0)
		return;
	if (m->live != 0 && m->live != version)
		snprintf(d->outcome, sizeof(d->outcome),
			 "v%u gets all of %s req/s at once; v%u stays warm for a rollback.", version, rate, m->live);
	else
		snprintf(d->outcome, sizeof(d->outcome), "v%u gets all of %s req/s at once; other shares end.", version,
			 rate);
}

static void editor_outcome(struct change *change)
{
	const struct route_editor *editor = &change->editor;
	uint32_t live = route_editor_live(editor);
	struct dialog *d = &change->dialog;

	if (editor_untouched(change))
		return;
	if (live != editor->live && live != 0)
		snprintf(d->outcome, sizeof(d->outcome), "v%u becomes the live version; v%u gets nothing any more.",
			 live, editor->live);
	else
		snprintf(d->outcome, sizeof(d->outcome),
			 "New requests follow at once and none is dropped; v%u stays live.", live);
}

static void route_outcome(const struct console *c, struct change *change, const struct snapshot_model *m)
{
	struct dialog *d = &change->dialog;
	bool open = m->rollout && !rollout_ended(m->rollout);
	char rate[16];

	text_count(rate, sizeof(rate), m->stats.rate_rps);
	if (change->kind == CHANGE_PROMOTE)
		promote_outcome(change, m, rate);
	else if (change->kind == CHANGE_SPLIT)
		editor_outcome(change);
	else if (change->kind == CHANGE_ROLLOUT)
		rollout_outcome(change, m);
	else if (change->after[0])
		snprintf(d->outcome, sizeof(d->outcome), "%s get%s all of %s req/s at once, none is dropped%s.",
			 change->after, strchr(change->after, ' ') != strrchr(change->after, ' ') ? "" : "s", rate,
			 open ? "; the open rollout ends" : "");
	if (change->dry_error[0] && change->gate_count == 0 && !editor_untouched(change) &&
	    strcmp(d->error, change->dry_error) != 0) {
		d->outcome[0] = '\0';
		snprintf(d->warning, sizeof(d->warning), "%.250s", change->dry_error);
	} else if (change->force)
		snprintf(d->warning, sizeof(d->warning),
			 "%s forced over gates that do not pass; the audit keeps that for ever.",
			 c->charset == CHARSET_ASCII ? "!" : "▲");
}

/* --- gates and editor --- */

static void body_draw(struct canvas *c, struct area area, const void *context)
{
	const struct change *change = context;
	int gates = findings_rows(change->gates, change->gate_count, area.columns), editor = 0;

	if (change->kind == CHANGE_SPLIT) {
		editor = route_editor_rows(&change->editor);
		if (editor + gates + (gates > 0) > area.rows)
			gates = gates < area.rows / 3 ? gates : area.rows / 3;
		editor = editor < area.rows - gates ? editor : area.rows - gates;
		route_editor_draw(c, (struct area){area.row, area.column, editor, area.columns}, &change->editor,
				  change->dialog.focus_elsewhere && !change->dialog.busy);
		editor += editor + gates < area.rows && gates > 0;
	}
	findings_draw(c, (struct area){area.row + editor, area.column, area.rows - editor, area.columns}, change->gates,
		      change->gate_count);
}

/* Where rows are short: those that do not pass, or one that stands for all. */
static int gates_least(const struct change *change)
{
	int least = 0;

	for (size_t i = 0; i < change->gate_count; i++)
		least += change->gates[i].verdict != FINDING_PASS;
	return least > 0 || change->gate_count == 0 ? least : 1;
}

static void body_set(const struct console *c, struct change *change)
{
	struct dialog *d = &change->dialog;
	int columns = (c->columns < d->columns_max ? c->columns : d->columns_max) - 10;
	int gates = findings_rows(change->gates, change->gate_count, columns);
	int editor = change->kind == CHANGE_SPLIT ? route_editor_rows(&change->editor) : 0;

	d->body = (struct dialog_body){.rows = gates + editor + (gates > 0 && editor > 0),
				       .rows_min = editor > 0 ? 3 : gates_least(change),
				       .draw = body_draw,
				       .context = change};
}

static void buttons_set(struct change *change)
{
	struct dialog *d = &change->dialog;
	bool gated = change->gate_count > 0 && (change->force || change_gated(change));
	const char *force = !gated ? "" : change->force ? " · ctrl-f do not force" : " · ctrl-f force";

	if (d->focus_elsewhere)
		snprintf(d->buttons, sizeof(d->buttons),
			 "←→ 1%% · pgup pgdn 10%% · tab next · enter go on%s · esc cancel", force);
	else if (*force)
		snprintf(d->buttons, sizeof(d->buttons), "enter confirm%s · tab next · esc cancel", force);
	else
		d->buttons[0] = '\0';
}

void change_facts(struct console *c, struct change *change, const struct snapshot_model *m)
{
	struct dialog *d = &change->dialog;
	char summary[80];

	d->line_count = 0;
	d->outcome[0] = '\0';
	d->warning[0] = '\0';
	if (change->kind == CHANGE_ACKNOWLEDGE) {
		alert_lines(c, change);
	} else if (change->kind == CHANGE_POLICY) {
		setting_lines(change, m);
	} else if (!change_spec(change->kind)->route) {
		rollout_lines(change, m);
		if (m->rollout)
			step_outcome(change, m);
	} else {
		route_lines(change, m);
		if (change->kind != CHANGE_SPLIT)
			version_lines(change, m);
		route_outcome(c, change, m);
	}
	findings_summary(change->gates, change->gate_count, summary, sizeof(summary));
	if (summary[0])
		dialog_line(d, change_gated(change) ? ROLE_BAD : ROLE_OK, "gates\t%s", summary);
	body_set(c, change);
	buttons_set(change);
}
