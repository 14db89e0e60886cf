/* The dialogs of changes: what is new while one is open, and the keys in it. */
#include "ui/console/console_state.h"

#include "ui/view/history.h"
#include "ui/view/keys.h"
#include "ui/console/line_edit.h"

#include <stdio.h>
#include <string.h>

static const struct snapshot_model *model_of(const struct console *c)
{
	return c->snapshot ? snapshot_find(c->snapshot, c->change.model) : NULL;
}

/* --- what is new while it is open --- */

/* "r5 promote v1 100% by root": what made the route the one it is now. */
static void last_change(const struct snapshot_model *m, char *text, size_t size)
{
	const struct snapshot_revision *last = m->history_count ? &m->history[0] : NULL;

	if (last && last->revision == m->revision)
		snprintf(text, size, "r%u %.16s %.48s by %.32s", last->revision, last->action, last->route, last->who);
	else
		snprintf(text, size, "it is at revision %u now", m->revision);
}

/* Another operator was faster: what is typed was meant for other facts. Until enter says that the new ones
 * were read, the revision of the opening stays the expected one and nothing can be typed or sent. */
static void revision_moved(struct change *change, const struct snapshot_model *m)
{
	change->moved_to = m->revision;
	last_change(m, change->moved, sizeof(change->moved));
	snprintf(change->dialog.error, sizeof(change->dialog.error),
		 "the route changed meanwhile: %s; read it, press enter, then type the name again", change->moved);
	change_type(change, CHANGE_NAME, "");
	change->dialog.focus = (size_t)(change->fields[CHANGE_NAME] - change->dialog.fields);
	change->dialog.focus_elsewhere = false;
}

static void moved_accept(struct console *c)
{
	const struct snapshot_model *m = model_of(c);

	c->change.revision = c->change.moved_to;
	c->change.moved_to = 0;
	c->change.dialog.error[0] = '\0';
	if (c->change.kind == CHANGE_SPLIT && m) {
		route_editor_init(&c->change.editor, m, view_version(&c->ui, m));
		c->change.dialog.focus_elsewhere = true;
	}
	change_dry_run(c);
}

static bool field_done(const struct change *change, enum change_field which)
{
	const char *value = change_typed(change, which);

	switch (which) {
	case CHANGE_NAME:
		return strcmp(value, change->model) == 0;
	case CHANGE_REASON:
		return strspn(value, " ") < strlen(value);
	default:
		return change->dry_done;
	}
}

void change_refresh(struct console *c)
{
	struct change *change = &c->change;
	const struct snapshot_model *m = model_of(c);

	if (c->mode != MODE_CHANGE)
		return;
	change->dialog.disabled = !console_fresh(c) || (!m && change->kind != CHANGE_ACKNOWLEDGE);
	change->dialog.busy = change->send_id != 0;
	if (m && change_spec(change->kind)->route && !change->send_id &&
	    m->revision != (change->moved_to ? change->moved_to : change->revision))
		revision_moved(change, m);
	if (m && change->kind == CHANGE_SPLIT)
		route_editor_refresh(&change->editor, m);
	if (m)
		change->after_revision = change_revision_returned(change, m);
	if (m || change->kind == CHANGE_ACKNOWLEDGE)
		change_facts(c, change, m);
	for (int i = 0; i < CHANGE_FIELDS; i++)
		if (change->fields[i])
			change->fields[i]->done = field_done(change, (enum change_field)i);
	change_command(change, change->dialog.command, sizeof(change->dialog.command));
}

/* --- keys --- */

static void target_version_step(struct change *change, const struct snapshot_model *m, int step)
{
	char text[16];
	uint32_t now = change_version(change);
	size_t at = 0;

	while (at < m->version_count && m->versions[at].version < now)
		at++;
	if (step > 0 && at + 1 < m->version_count)
		at++;
	else if (step < 0 && at > 0)
		at--;
	if (at >= m->version_count)
		at = m->version_count - 1;
	snprintf(text, sizeof(text), "%u", m->versions[at].version);
	change_type(change, CHANGE_TARGET, text);
}

/* Up is newer. The newest of the history is the route of now, so it is left out. */
static void target_revision_step(struct change *change, const struct snapshot_model *m, int step)
{
	struct history h = history_of(m);
	char text[16];
	long long now = 0;
	size_t at = 0;

	text_integer(change_typed(change, CHANGE_TARGET), 0, UINT32_MAX, &now);
	if (now)
		for (at = 1; at < h.count && h.list[at].revision != now; at++)
			;
	if (step < 0 && at + 1 < h.count)
		at++;
	else if (step > 0 && at > 0)
		at--;
	text[0] = '\0';
	if (at > 0 && at < h.count)
		snprintf(text, sizeof(text), "%u", h.list[at].revision);
	change_type(change, CHANGE_TARGET, text);
}

static void target_step(struct console *c, int step)
{
	const struct snapshot_model *m = model_of(c);

	if (!m || m->version_count == 0 || !c->change.fields[CHANGE_TARGET])
		return;
	if (c->change.kind == CHANGE_ROLLBACK)
		target_revision_step(&c->change, m, step);
	else
		target_version_step(&c->change, m, step);
	change_dry_run(c);
}

static const char *missing(const struct change *change, enum change_field which)
{
	return which == CHANGE_NAME                 ? "type the name of the model to confirm"
	       : change->kind == CHANGE_ACKNOWLEDGE ? "an acknowledgement needs a note; say what is being done about it"
						    : "a change needs a reason; type one for the audit";
}

/* Why enter did not do it. An empty field that was not typed in yet is no mistake: it is only the next one. */
static void field_refused(struct change *change, enum change_field which, bool focused)
{
	struct dialog *d = &change->dialog;
	bool typed = *change_typed(change, which) != '\0';

	d->error[0] = '\0';
	if (which != CHANGE_NAME && which != CHANGE_REASON)
		snprintf(d->error, sizeof(d->error), "%s", change->dry_error);
	else if (which == CHANGE_NAME && typed)
		snprintf(d->error, sizeof(d->error), "the name typed is not %s; nothing was changed", change->model);
	else if (which == CHANGE_NAME && focused)
		snprintf(d->error, sizeof(d->error), "type the name %s to confirm", change->model);
	else if (focused || (!d->focus_elsewhere && d->fields[d->focus].value[0] == '\0'))
		snprintf(d->error, sizeof(d->error), "%s", missing(change, which));
}

static enum change_field which_field(const struct change *change, size_t at)
{
	for (int i = 0; i < CHANGE_FIELDS; i++)
		if (change->fields[i] == &change->dialog.fields[at])
			return (enum change_field)i;
	return CHANGE_REASON;
}

/* The first field after the focus that is not right yet; field_count when all are. */
static size_t next_wrong(const struct change *change)
{
	const struct dialog *d = &change->dialog;
	size_t from = d->focus_elsewhere ? d->field_count - 1 : d->focus;

	for (size_t i = 1; i <= d->field_count; i++) {
		size_t at = (from + i) % d->field_count;
		enum change_field which = which_field(change, at);
		bool typed = which == CHANGE_NAME || which == CHANGE_REASON;

		if (typed ? !field_done(change, which) : change->dry_error[0] != '\0' && !change_gated(change))
			return at;
	}
	return d->field_count;
}

/* Why gates keep it from being sent; whether they do. */
static bool gates_refuse(struct change *change)
{
	const struct finding *first = findings_first(change->gates, change->gate_count);

	if (!change_spec(change->kind)->dry || change->dry_done)
		return false;
	if (!first && !change->dry_error[0])
		snprintf(change->dialog.error, sizeof(change->dialog.error),
			 "the runtime has not yet said what would happen; press enter again");
	else if (first && !change->force)
		snprintf(change->dialog.error, sizeof(change->dialog.error),
			 "%s does not pass: %s; ctrl-f forces it, which the audit keeps for ever", first->name,
			 first->text);
	else
		snprintf(change->dialog.error, sizeof(change->dialog.error), "%s",
			 change->dry_error[0] ? change->dry_error : first->text);
	return true;
}

/* Enter: to the next field that is not right yet, and with all right, do it. */
static void confirm(struct console *c)
{
	struct change *change = &c->change;
	struct dialog *d = &change->dialog;
	uint32_t seen = change->moved_to;

	change_refresh(c);
	if (change->moved_to) {
		if (seen == change->moved_to) /* not one that came with this very key */
			moved_accept(c);
		return;
	}
	if (d->disabled) {
		snprintf(d->error, sizeof(d->error), "the picture is not current; wait until it is");
		return;
	}
	if (!d->focus_elsewhere && which_field(change, d->focus) == CHANGE_NAME && !field_done(change, CHANGE_NAME)) {
		field_refused(change, CHANGE_NAME, true);
		return;
	}
	if (d->focus_elsewhere && change->dry_error[0] && change->gate_count == 0) {
		snprintf(d->error, sizeof(d->error), "%s", change->dry_error);
		return;
	}
	size_t wrong = next_wrong(change);

	if (wrong < d->field_count) {
		field_refused(change, which_field(change, wrong), !d->focus_elsewhere && wrong == d->focus);
		d->focus = wrong;
		d->focus_elsewhere = false;
		return;
	}
	if (!gates_refuse(change))
		change_submit(c);
}

static void force_toggle(struct console *c)
{
	struct change *change = &c->change;

	if (!change->force && (change->gate_count == 0 || !change_gated(change))) {
		snprintf(change->dialog.error, sizeof(change->dialog.error),
			 "there is nothing to force: no gate says no");
		return;
	}
	change->force = !change->force;
	change->dialog.error[0] = '\0';
	change_dry_run(c);
}

static void type(struct console *c, int key)
{
	struct change *change = &c->change;
	struct dialog_field *f = &change->dialog.fields[change->dialog.focus];
	enum change_field which = which_field(change, change->dialog.focus);
	char before[DIALOG_VALUE_SIZE];

	memcpy(before, f->value, sizeof(before));
	if (!line_edit(f->value, which == CHANGE_NAME ? TEXT_NAME_MAX + 1 : REASON_SIZE, &f->cursor, key) ||
	    strcmp(before, f->value) == 0)
		return;
	change->dialog.error[0] = '\0';
	if (which != CHANGE_NAME && which != CHANGE_REASON)
		change_dry_run(c);
}

/* The rows of the editor and the fields are one ring. */
static void focus_move(struct change *change, int step)
{
	struct dialog *d = &change->dialog;
	struct route_editor *editor = &change->editor;
	bool rows = change->kind == CHANGE_SPLIT && editor->row_count > 0;
	size_t row_count = rows ? editor->row_count : 0, count = row_count + d->field_count;
	size_t at = d->focus_elsewhere ? editor->at : row_count + d->focus;

	at = (at + count + (size_t)(step < 0 ? count - 1 : 1)) % count;
	editor->typed[0] = '\0';
	d->focus_elsewhere = at < row_count;
	if (at < row_count)
		editor->at = at;
	else
		d->focus = at - row_count;
}

static void editor_key(struct console *c, int key)
{
	struct change *change = &c->change;

	if (!route_editor_key(&change->editor, key)) {
		if (key == DRAW_KEY_DOWN)
			focus_move(change, 1);
		return;
	}
	change->dialog.error[0] = '\0';
	if (key != DRAW_KEY_UP && key != DRAW_KEY_DOWN)
		change_dry_run(c);
}

static void field_key(struct console *c, int key)
{
	bool up = key == DRAW_KEY_UP;

	if (!up && key != DRAW_KEY_DOWN)
		type(c, key);
	else if (c->change.fields[CHANGE_TARGET])
		target_step(c, up ? 1 : -1);
	else
		focus_move(&c->change, up ? -1 : 1);
}

void change_key(struct console *c, int key)
{
	struct dialog *d = &c->change.dialog;

	if (key == DRAW_KEY_ESCAPE) {
		if (c->change.send_id)
			console_say(c, ROLE_WARNING, "it was already sent; its answer will show here");
		c->mode = MODE_VIEW;
		return;
	}
	if (c->change.send_id)
		return;
	if (key == DRAW_KEY_ENTER)
		confirm(c);
	else if (c->change.moved_to)
		; /* read first */
	else if (key == key_of_action(ACT_FORCE))
		force_toggle(c);
	else if (key == DRAW_KEY_TAB || key == DRAW_KEY_BACK_TAB)
		focus_move(&c->change, key == DRAW_KEY_TAB ? 1 : -1);
	else if (d->focus_elsewhere)
		editor_key(c, key);
	else
		field_key(c, key);
	change_refresh(c);
}
