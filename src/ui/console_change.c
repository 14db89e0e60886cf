/* The dialog of promote, rollback and split: evidence, what will happen, what has to be typed. */
#include "ui/console_state.h"

#include "core/json.h"
#include "ui/line_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const titles[] = {"Promote", "Roll back", "Split"};

static struct dialog_field *field(struct change *change, int which)
{
	return &change->dialog.fields[which];
}

static void field_set(struct change *change, int which, const char *text)
{
	struct dialog_field *f = field(change, which);

	snprintf(f->value, sizeof(f->value), "%s", text);
	f->cursor = strlen(f->value);
}

static const struct snapshot_model *model_of(const struct console *c)
{
	return c->snapshot ? snapshot_find(c->snapshot, c->change.model) : NULL;
}

static void shares_text(const struct snapshot_model *m, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (uint32_t i = 0; i < m->route_count && used < size; i++) {
		const struct route_entry *r = &m->route[i];

		if (r->role != ROUTE_SHADOW)
			used += (size_t)snprintf(text + used, size - used, "%s%u=%g", used ? " " : "", r->version,
						 r->weight_bp / 100.0);
	}
}

/* The version that p means: the one the operator moved to in the model view, else the canary with the greatest
 * share, else the newest that is not live. */
static uint32_t version_default(const struct console *c, const struct snapshot_model *m)
{
	const struct route_entry *canary = NULL;

	if (strcmp(c->ui.view, "model") == 0 && snapshot_version_of(m, c->ui.version))
		return c->ui.version;
	for (uint32_t i = 0; i < m->route_count; i++)
		if (m->route[i].role == ROUTE_CANARY && (!canary || m->route[i].weight_bp > canary->weight_bp))
			canary = &m->route[i];
	if (canary)
		return canary->version;
	for (size_t i = m->version_count; i > 0; i--)
		if (m->versions[i - 1].version != m->live)
			return m->versions[i - 1].version;
	return m->version_count ? m->versions[m->version_count - 1].version : 0;
}

/* What would happen, as the runtime itself sees it. One dry run at a time. */
static void dry_run(struct console *c)
{
	struct change *change = &c->change;
	char path[160];
	struct err e = {0};
	cJSON *body;

	if (change->dry_id) {
		change->dry_again = true;
		return;
	}
	change->dry_again = false;
	change->after[0] = '\0';
	change->dry_error[0] = '\0';
	body = change_body(change, true, &e);
	snprintf(path, sizeof(path), "/control/v1/models/%s/route", change->model);
	if (body)
		change->dry_id = fetcher_post(c->fetcher, path, body);
	else
		snprintf(change->dry_error, sizeof(change->dry_error), "%s", e.text);
}

static void fields_add(struct change *change, const struct console *c, const struct snapshot_model *m)
{
	static const char *const labels[] = {"version", "to revision", "shares in percent"};
	static const char *const hints[] = {"up, down or a number", "the one before; up, down or a number",
					    "2=80 3=20"};
	char text[DIALOG_VALUE_SIZE] = "";

	dialog_field(&change->dialog, labels[change->kind], hints[change->kind]);
	snprintf(text, sizeof(text), "type %.40s to confirm", m->name);
	dialog_field(&change->dialog, text, "");
	dialog_field(&change->dialog, "reason, for the audit", "");
	text[0] = '\0';
	if (change->kind == CHANGE_PROMOTE)
		snprintf(text, sizeof(text), "%u", version_default(c, m));
	else if (change->kind == CHANGE_SPLIT)
		shares_text(m, text, sizeof(text));
	field_set(change, CHANGE_TARGET, text);
	change->dialog.focus = change->kind == CHANGE_SPLIT ? CHANGE_TARGET : CHANGE_NAME;
}

void change_open(struct console *c, enum change_kind kind)
{
	struct change *change = &c->change;
	const struct snapshot_model *m = c->snapshot ? snapshot_find(c->snapshot, c->ui.model) : NULL;
	char title[96];

	if (!console_fresh(c)) {
		console_say(c, ROLE_WARNING, "the picture is not current, so nothing can be changed now");
		return;
	}
	if (!m) {
		console_say(c, ROLE_WARNING, "no model is selected");
		return;
	}
	if (m->version_count == 0 || (kind == CHANGE_ROLLBACK && m->history_count < 2)) {
		console_say(c, ROLE_WARNING, "%s: %s", m->name,
			    m->version_count == 0 ? "there is no version yet; deploy one with :deploy"
						  : "there is no earlier route to go back to");
		return;
	}
	memset(change, 0, sizeof(*change));
	change->kind = kind;
	change->revision = m->revision;
	snprintf(change->model, sizeof(change->model), "%s", m->name);
	snprintf(title, sizeof(title), "%s %s", titles[kind], m->name);
	dialog_init(&change->dialog, title);
	fields_add(change, c, m);
	c->mode = MODE_CHANGE;
	c->ui.message[0] = '\0';
	dry_run(c);
	change_refresh(c);
}

static bool reason_given(const struct change *change)
{
	const char *reason = change->dialog.fields[CHANGE_REASON].value;

	return strspn(reason, " ") < strlen(reason);
}

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
	field_set(change, CHANGE_NAME, "");
	change->dialog.focus = CHANGE_NAME;
}

static void moved_accept(struct console *c)
{
	c->change.revision = c->change.moved_to;
	c->change.moved_to = 0;
	c->change.dialog.error[0] = '\0';
	dry_run(c);
}

void change_refresh(struct console *c)
{
	struct change *change = &c->change;
	const struct snapshot_model *m = model_of(c);

	if (c->mode != MODE_CHANGE)
		return;
	change->dialog.disabled = !console_fresh(c) || !m;
	change->dialog.busy = change->send_id != 0;
	if (!m)
		return;
	if (m->revision != (change->moved_to ? change->moved_to : change->revision) && !change->send_id)
		revision_moved(change, m);
	change->after_revision = change_revision_returned(change, m);
	change_facts(change, m);
	field(change, CHANGE_TARGET)->done = change->after[0] != '\0';
	field(change, CHANGE_NAME)->done = strcmp(field(change, CHANGE_NAME)->value, change->model) == 0;
	field(change, CHANGE_REASON)->done = reason_given(change);
	change_command(change, change->dialog.command, sizeof(change->dialog.command));
}

static void target_version_step(struct change *change, const struct snapshot_model *m, int step)
{
	char text[16];
	long long now = 0;
	size_t at = 0;

	text_integer(field(change, CHANGE_TARGET)->value, 0, UINT32_MAX, &now);
	while (at < m->version_count && m->versions[at].version < now)
		at++;
	if (step > 0 && at + 1 < m->version_count)
		at++;
	else if (step < 0 && at > 0)
		at--;
	if (at >= m->version_count)
		at = m->version_count - 1;
	snprintf(text, sizeof(text), "%u", m->versions[at].version);
	field_set(change, CHANGE_TARGET, text);
}

/* Up is newer. The newest of the history is the route of now, so it is left out. */
static void target_revision_step(struct change *change, const struct snapshot_model *m, int step)
{
	char text[16];
	long long now = 0;
	size_t at = 0;

	text_integer(field(change, CHANGE_TARGET)->value, 0, UINT32_MAX, &now);
	if (now)
		for (at = 1; at < m->history_count && m->history[at].revision != now; at++)
			;
	if (step < 0 && at + 1 < m->history_count)
		at++;
	else if (step > 0 && at > 0)
		at--;
	text[0] = '\0';
	if (at > 0 && at < m->history_count)
		snprintf(text, sizeof(text), "%u", m->history[at].revision);
	field_set(change, CHANGE_TARGET, text);
}

static void target_step(struct console *c, int step)
{
	const struct snapshot_model *m = model_of(c);

	if (!m || m->version_count == 0 || c->change.kind == CHANGE_SPLIT)
		return;
	if (c->change.kind == CHANGE_PROMOTE)
		target_version_step(&c->change, m, step);
	else
		target_revision_step(&c->change, m, step);
	dry_run(c);
}

static void send(struct console *c)
{
	struct change *change = &c->change;
	struct err e = {0};
	char path[160];
	cJSON *body = change_body(change, false, &e);

	if (!body) {
		snprintf(change->dialog.error, sizeof(change->dialog.error), "%s", e.text);
		return;
	}
	change->dialog.error[0] = '\0';
	snprintf(path, sizeof(path), "/control/v1/models/%s/route", change->model);
	change->send_id = fetcher_post(c->fetcher, path, body);
	if (!change->send_id)
		snprintf(change->dialog.error, sizeof(change->dialog.error), "memory is out");
}

/* Why enter did not do it. An empty field that was not typed in yet is no mistake: it is only the next one. */
static void field_refused(struct change *change, size_t at, bool focused)
{
	struct dialog *d = &change->dialog;
	const char *value = d->fields[at].value;

	d->error[0] = '\0';
	if (at == CHANGE_TARGET)
		snprintf(d->error, sizeof(d->error), "%s", change->dry_error);
	else if (at == CHANGE_NAME && *value)
		snprintf(d->error, sizeof(d->error), "the name typed is not %s; nothing was changed", change->model);
	else if (focused || d->fields[d->focus].value[0] == '\0')
		snprintf(d->error, sizeof(d->error),
			 at == CHANGE_NAME ? "type the name %s to confirm"
					   : "%s needs a reason; type one for the audit",
			 at == CHANGE_NAME ? change->model : titles[change->kind]);
}

/* Enter: to the next field that is not right yet, and with all right, do it. */
static void confirm(struct console *c)
{
	struct dialog *d = &c->change.dialog;
	uint32_t seen = c->change.moved_to;

	change_refresh(c);
	if (c->change.moved_to) {
		if (seen == c->change.moved_to) /* not one that came with this very key */
			moved_accept(c);
		return;
	}
	if (d->disabled) {
		snprintf(d->error, sizeof(d->error), "the picture is not current; wait until it is");
		return;
	}
	if (d->focus == CHANGE_NAME && !d->fields[CHANGE_NAME].done) {
		field_refused(&c->change, CHANGE_NAME, true);
		return;
	}
	for (size_t i = 1; i <= d->field_count; i++) {
		size_t at = (d->focus + i) % d->field_count;

		if (!d->fields[at].done && (at != CHANGE_TARGET || c->change.dry_error[0])) {
			field_refused(&c->change, at, at == d->focus);
			d->focus = at;
			return;
		}
	}
	if (c->change.after[0])
		send(c);
	else
		snprintf(d->error, sizeof(d->error),
			 "the runtime has not yet said what would happen; press enter again");
}

static void type(struct console *c, int key)
{
	struct change *change = &c->change;
	struct dialog_field *f = field(change, (int)change->dialog.focus);
	size_t size = change->dialog.focus == CHANGE_NAME ? TEXT_NAME_MAX + 1 : REASON_SIZE;
	char before[DIALOG_VALUE_SIZE];

	memcpy(before, f->value, sizeof(before));
	if (!line_edit(f->value, size, &f->cursor, key) || strcmp(before, f->value) == 0)
		return;
	change->dialog.error[0] = '\0';
	if (change->dialog.focus == CHANGE_TARGET)
		dry_run(c);
}

void change_key(struct console *c, int key)
{
	struct dialog *d = &c->change.dialog;

	if (key == DRAW_KEY_ESCAPE) {
		if (c->change.send_id)
			console_say(c, ROLE_WARNING, "%s was already sent; its answer will show here",
				    titles[c->change.kind]);
		c->mode = MODE_VIEW;
		return;
	}
	if (c->change.send_id)
		return;
	if (key == DRAW_KEY_ENTER)
		confirm(c);
	else if (c->change.moved_to)
		; /* read first */
	else if (key == DRAW_KEY_TAB)
		d->focus = (d->focus + 1) % d->field_count;
	else if (key == DRAW_KEY_BACK_TAB)
		d->focus = (d->focus + d->field_count - 1) % d->field_count;
	else if (key == DRAW_KEY_UP || key == DRAW_KEY_DOWN)
		target_step(c, key == DRAW_KEY_UP ? 1 : -1);
	else
		type(c, key);
	change_refresh(c);
}

static void dry_answer(struct console *c, const struct fetcher_answer *a)
{
	struct change *change = &c->change;

	change->dry_id = 0;
	if (change->dry_again) {
		dry_run(c);
	} else if (a->status == 0) {
		text_clean(change->after, sizeof(change->after), json_find_text(a->json, "after"));
		change->after_live = (uint32_t)json_find_number(a->json, "live");
	} else {
		snprintf(change->dry_error, sizeof(change->dry_error), "%s", a->err.text);
	}
}

static void send_answer(struct console *c, const struct fetcher_answer *a)
{
	struct change *change = &c->change;
	char after[128];

	change->send_id = 0;
	if (a->status != 0) {
		snprintf(change->dialog.error, sizeof(change->dialog.error), "%s", a->err.text);
		if (c->mode != MODE_CHANGE)
			console_say(c, ROLE_BAD, "%s: %s", change->model, a->err.text);
		else if (a->err.code == ERR_CONFLICT)
			field_set(change, CHANGE_NAME, "");
		return;
	}
	change_command(change, c->last_command, sizeof(c->last_command));
	text_clean(after, sizeof(after), json_find_text(a->json, "after"));
	if (change->kind == CHANGE_ROLLBACK) /* r would go back one step further */
		console_say(c, ROLE_OK, "%s: %s (revision %.0f); to undo: :rollback %s --to %u", change->model, after,
			    json_find_number(a->json, "revision"), change->model, change->revision);
	else if (change->kind == CHANGE_SPLIT)
		console_say(c, ROLE_OK, "%s: %s (revision %.0f); r to go back", change->model, after,
			    json_find_number(a->json, "revision"));
	else
		console_say(c, ROLE_OK, "%s: v%.0f is live (revision %.0f); r to go back", change->model,
			    json_find_number(a->json, "live"), json_find_number(a->json, "revision"));
	if (c->mode == MODE_CHANGE)
		c->mode = MODE_VIEW;
}

bool change_answer(struct console *c, const struct fetcher_answer *a)
{
	if (a->id == c->change.dry_id && a->id)
		dry_answer(c, a);
	else if (a->id == c->change.send_id && a->id)
		send_answer(c, a);
	else
		return false;
	change_refresh(c);
	return true;
}
