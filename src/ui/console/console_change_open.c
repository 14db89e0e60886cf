/* Opening the dialog of a change: what can be typed, and what stands there at first. */
#include "ui/console/console_state.h"

#include "ui/view/history.h"

#include <stdio.h>
#include <string.h>

static void field_add(struct change *change, enum change_field which, const char *label, const char *hint)
{
	if (change_spec(change->kind)->fields & (1u << which))
		change->fields[which] = dialog_field(&change->dialog, label, hint);
}

static void fields_add(struct change *change, const char *model)
{
	char text[DIALOG_LABEL_SIZE];
	bool version = change->kind != CHANGE_ROLLBACK;

	field_add(change, CHANGE_TARGET, version ? "version" : "to revision",
		  version ? "up, down or a number" : "the one before; up, down or a number");
	field_add(change, CHANGE_STEPS, "steps, in percent", "1,5,25,100");
	field_add(change, CHANGE_HOLD, "hold of each step", "5m, or one a step: 1m,5m,10m");
	field_add(change, CHANGE_VALUE, change->setting, "empty: the default");
	snprintf(text, sizeof(text), "type %.40s to confirm", model);
	field_add(change, CHANGE_NAME, text, "");
	field_add(change, CHANGE_REASON,
		  change->kind == CHANGE_ACKNOWLEDGE ? "note: what is being done about it" : "reason, for the audit",
		  "");
}

/* "1,5,25,100", without those that the version has already. */
static void steps_default(const struct change *change, const struct snapshot_model *m, char *text, size_t size)
{
	static const uint32_t percents[] = {1, 5, 25, 50, 100};
	uint32_t share_bp = 0;
	size_t used = 0;

	for (uint32_t i = 0; i < m->route_count; i++)
		if (m->route[i].version == change_version(change) && m->route[i].role != ROUTE_SHADOW)
			share_bp = m->route[i].weight_bp;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]) && used < size; i++)
		if (percents[i] * 100 > share_bp && (percents[i] != 50 || share_bp > 0))
			used += (size_t)snprintf(text + used, size - used, "%s%u", used ? "," : "", percents[i]);
}

/* What stands in the fields at first. */
static void fields_fill(struct console *c, struct change *change, const struct snapshot_model *m)
{
	struct history h = {NULL, 0};
	char text[POLICY_NAMES_SIZE];
	const char *name, *help;

	if (change->kind == CHANGE_PROMOTE || change->kind == CHANGE_ROLLOUT) {
		snprintf(text, sizeof(text), "%u", view_version(&c->ui, m));
		change_type(change, CHANGE_TARGET, text);
	} else if (change->kind == CHANGE_ROLLBACK && console_in(c, "history")) {
		h = history_of(m);
		snprintf(text, sizeof(text), "%u", h.count ? h.list[history_selected(&c->ui, &h)].revision : 0);
		if (c->ui.revision && c->ui.revision != m->revision)
			change_type(change, CHANGE_TARGET, text);
	} else if (change->kind == CHANGE_POLICY && policy_row(&m->policy, c->ui.setting, &name, text, &help)) {
		change_type(change, CHANGE_VALUE, text);
	}
	steps_default(change, m, text, sizeof(text));
	change_type(change, CHANGE_STEPS, text);
	change_type(change, CHANGE_HOLD, "5m");
}

/* Why there is nothing to be done; NULL: there is. */
static const char *pointless(enum change_kind kind, const struct snapshot_model *m)
{
	bool open = m->rollout && !rollout_ended(m->rollout);

	if (change_spec(kind)->route && m->version_count == 0)
		return "there is no version yet; deploy one with :deploy";
	if (kind == CHANGE_ROLLBACK && m->history_count < 2)
		return "there is no earlier route to go back to";
	if (kind == CHANGE_ROLLOUT && m->live == 0)
		return "nothing is live yet; p promotes a version";
	if (kind >= CHANGE_PAUSE && kind <= CHANGE_SKIP && !open)
		return "no rollout is open";
	return NULL;
}

static void title_write(const struct change *change, const char *model, char *title, size_t size)
{
	const char *text = change_spec(change->kind)->title;

	if (change->kind == CHANGE_POLICY)
		snprintf(title, size, "%s %s: %s", text, model, change->setting);
	else if (change->kind == CHANGE_ROLLOUT)
		snprintf(title, size, "%s a version of %s", text, model);
	else
		snprintf(title, size, "%s %s", text, model);
}

static void begin(struct console *c, enum change_kind kind, const char *model)
{
	struct change *change = &c->change;

	memset(change, 0, sizeof(*change));
	change->kind = kind;
	change->number = -1;
	snprintf(change->model, sizeof(change->model), "%s", model);
}

static void show(struct console *c, const struct snapshot_model *m)
{
	struct change *change = &c->change;
	char title[160];

	title_write(change, change->model, title, sizeof(title));
	dialog_init(&change->dialog, title);
	change->dialog.columns_max = change_spec(change->kind)->dry ? 120 : 0;
	fields_add(change, change->model);
	if (m)
		fields_fill(c, change, m);
	/* What is filled in already is passed over. */
	for (size_t i = 0; i < change->dialog.field_count && change->dialog.fields[i].value[0]; i++)
		change->dialog.focus = i + 1 < change->dialog.field_count ? i + 1 : i;
	if (change->kind == CHANGE_POLICY || change->kind == CHANGE_ROLLOUT)
		change->dialog.focus = 0;
	if (change->fields[CHANGE_TARGET] && change->kind != CHANGE_ROLLOUT)
		change->dialog.focus = 1;
	change->dialog.focus_elsewhere = change->kind == CHANGE_SPLIT;
	c->mode = MODE_CHANGE;
	c->ui.message[0] = '\0';
	change_dry_run(c);
	change_refresh(c);
}

static void alert_open(struct console *c)
{
	const struct alert *alert = view_alert(&c->ui);

	if (!alert || alert->state != ALERT_FIRING) {
		console_say(c, ROLE_WARNING, alert ? "this alert does not fire" : "no alert fires");
		return;
	}
	begin(c, CHANGE_ACKNOWLEDGE, alert->model);
	c->change.alert = alert->id;
	show(c, NULL);
}

void change_open(struct console *c, enum change_kind kind)
{
	const struct snapshot_model *m = c->snapshot ? snapshot_find(c->snapshot, c->ui.model) : NULL;
	char value[POLICY_NAMES_SIZE];
	const char *name, *help, *why;

	if (!console_fresh(c)) {
		console_say(c, ROLE_WARNING, "the picture is not current, so nothing can be changed now");
		return;
	}
	if (kind == CHANGE_ACKNOWLEDGE) {
		alert_open(c);
		return;
	}
	if (!m) {
		console_say(c, ROLE_WARNING, "no model is selected");
		return;
	}
	why = pointless(kind, m);
	if (why) {
		console_say(c, ROLE_WARNING, "%s: %s", m->name, why);
		return;
	}
	begin(c, kind, m->name);
	c->change.revision = m->revision;
	c->change.version = m->rollout ? m->rollout->version : 0;
	if (kind == CHANGE_SPLIT)
		route_editor_init(&c->change.editor, m, view_version(&c->ui, m));
	if (kind == CHANGE_POLICY && policy_row(&m->policy, c->ui.setting, &name, value, &help))
		snprintf(c->change.setting, sizeof(c->change.setting), "%s", name);
	show(c, m);
}
