#include "ui/console/console_change.h"

#include "core/text.h"

#include <stdio.h>
#include <string.h>

#define FIELD(name) (1u << CHANGE_##name)

static const struct change_spec specs[CHANGE_KINDS] = {
    [CHANGE_PROMOTE] = {"promote", "Promote", FIELD(TARGET) | FIELD(NAME) | FIELD(REASON), true, true, true},
    [CHANGE_ROLLBACK] = {"rollback", "Roll back", FIELD(TARGET) | FIELD(NAME) | FIELD(REASON), true, true, true},
    [CHANGE_SPLIT] = {"split", "Route of", FIELD(NAME) | FIELD(REASON), true, true, true},
    [CHANGE_ROLLOUT] = {"rollout", "Roll out", FIELD(TARGET) | FIELD(STEPS) | FIELD(HOLD) | FIELD(NAME) | FIELD(REASON),
			true, true, true},
    [CHANGE_PAUSE] = {"pause", "Pause the rollout of", FIELD(REASON), false, false, false},
    [CHANGE_RESUME] = {"resume", "Resume the rollout of", FIELD(REASON), false, false, false},
    [CHANGE_ABORT] = {"abort", "Abort the rollout of", FIELD(REASON), false, false, false},
    [CHANGE_SKIP] = {"skip", "Skip a step of the rollout of", FIELD(NAME) | FIELD(REASON), false, false, false},
    [CHANGE_POLICY] = {"policy", "Policy of", FIELD(VALUE) | FIELD(REASON), false, true, false},
    [CHANGE_ACKNOWLEDGE] = {"ack", "Acknowledge the alert of", FIELD(REASON), false, false, false},
};

const struct change_spec *change_spec(enum change_kind kind)
{
	return &specs[kind];
}

const char *change_typed(const struct change *change, enum change_field which)
{
	return change->fields[which] ? change->fields[which]->value : "";
}

void change_type(struct change *change, enum change_field which, const char *text)
{
	struct dialog_field *f = change->fields[which];

	if (!f)
		return;
	snprintf(f->value, sizeof(f->value), "%s", text);
	f->cursor = strlen(f->value);
}

static bool target_number(const struct change *change, long long *number)
{
	const char *target = change_typed(change, CHANGE_TARGET);

	if (*target == 'v' || (change->kind == CHANGE_ROLLBACK && *target == 'r'))
		target++;
	return text_integer(target, 1, UINT32_MAX, number);
}

uint32_t change_version(const struct change *change)
{
	long long number = 0;

	if (change->kind != CHANGE_PROMOTE && change->kind != CHANGE_ROLLOUT)
		return change->version;
	return target_number(change, &number) ? (uint32_t)number : 0;
}

bool change_gated(const struct change *change)
{
	return findings_verdict(change->gates, change->gate_count) != FINDING_PASS;
}

/* What the editor would send: "split" of shares, "shadow", or "apply" of the whole route when both changed. */
static const char *editor_action(const struct route_editor *editor)
{
	struct route_entry shadows[ROUTE_ENTRIES_MAX];

	if (route_editor_shadows(editor, shadows) == 0)
		return "split";
	return route_editor_shares_changed(editor) ? "apply" : "shadow";
}

void change_path(const struct change *change, char *path, size_t size)
{
	if (change->kind == CHANGE_ACKNOWLEDGE)
		snprintf(path, size, "/control/v1/alerts/%lld/acknowledge", (long long)change->alert);
	else if (change->kind == CHANGE_POLICY || change->kind == CHANGE_ROLLOUT)
		snprintf(path, size, "/control/v1/models/%s/%s", change->model, change_spec(change->kind)->verb);
	else if (change_spec(change->kind)->route)
		snprintf(path, size, "/control/v1/models/%s/route", change->model);
	else
		snprintf(path, size, "/control/v1/models/%s/rollout/%s", change->model,
			 change_spec(change->kind)->verb);
}

/* --- bodies --- */

static bool entries_add(cJSON *body, const char *name, const struct route_entry *entries, size_t count, bool roles)
{
	cJSON *list = cJSON_AddArrayToObject(body, name);

	for (size_t i = 0; i < count; i++) {
		cJSON *item = cJSON_CreateObject();

		if (!cJSON_AddNumberToObject(item, "version", entries[i].version) ||
		    !cJSON_AddNumberToObject(item, "weight_bp", entries[i].weight_bp) ||
		    (roles && !cJSON_AddStringToObject(item, "role", route_role_name(entries[i].role))) ||
		    !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			return false;
		}
	}
	return list != NULL;
}

static bool editor_add(cJSON *body, const struct route_editor *editor)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	const char *action = editor_action(editor);

	if (!cJSON_AddStringToObject(body, "action", action))
		return false;
	if (strcmp(action, "apply") == 0)
		return entries_add(body, "entries", entries, route_editor_entries(editor, entries), true);
	return entries_add(body, "weights", entries,
			   strcmp(action, "split") == 0 ? route_editor_shares(editor, entries)
							: route_editor_shadows(editor, entries),
			   false);
}

static bool setting_add(cJSON *body, const struct change *change)
{
	const char *value = change_typed(change, CHANGE_VALUE);
	cJSON *set = *value ? cJSON_AddObjectToObject(body, "set") : NULL;
	cJSON *unset = *value ? NULL : cJSON_AddArrayToObject(body, "unset");
	cJSON *name = *value ? NULL : cJSON_CreateString(change->setting);

	if (set)
		return cJSON_AddStringToObject(set, change->setting, value) != NULL;
	if (unset && name && cJSON_AddItemToArray(unset, name))
		return true;
	cJSON_Delete(name);
	return false;
}

static bool rollout_add(cJSON *body, const struct change *change)
{
	return cJSON_AddNumberToObject(body, "version", change_version(change)) &&
	       cJSON_AddStringToObject(body, "steps", change_typed(change, CHANGE_STEPS)) &&
	       cJSON_AddStringToObject(body, "hold", change_typed(change, CHANGE_HOLD));
}

static bool target_add(const struct change *change, cJSON *body)
{
	long long number = 0;

	switch (change->kind) {
	case CHANGE_SPLIT:
		return editor_add(body, &change->editor);
	case CHANGE_ROLLOUT:
		return rollout_add(body, change);
	case CHANGE_POLICY:
		return setting_add(body, change) &&
		       (change->number < 0 || cJSON_AddNumberToObject(body, "expect_number", (double)change->number));
	case CHANGE_PROMOTE:
		return cJSON_AddStringToObject(body, "action", "promote") &&
		       cJSON_AddNumberToObject(body, "version", change_version(change));
	case CHANGE_ROLLBACK:
		return cJSON_AddStringToObject(body, "action", "rollback") &&
		       (!target_number(change, &number) ||
			cJSON_AddNumberToObject(body, "to_revision", (double)number));
	default:
		return true;
	}
}

/* What cannot be sent as it is. */
static int target_check(const struct change *change, struct err *e)
{
	long long number = 0;

	if ((change->kind == CHANGE_PROMOTE || change->kind == CHANGE_ROLLOUT) && change_version(change) == 0)
		return err_set(e, ERR_INPUT, "type the number of a version");
	if (change->kind == CHANGE_ROLLBACK && *change_typed(change, CHANGE_TARGET) && !target_number(change, &number))
		return err_set(e, ERR_INPUT, "type the number of a revision, or nothing");
	if (change->kind == CHANGE_SPLIT && route_editor_moved_bp(&change->editor) == 0 &&
	    strcmp(editor_action(&change->editor), "split") == 0)
		return err_set(e, ERR_INPUT, "the route is as it was; left and right change a share");
	return 0;
}

cJSON *change_body(const struct change *change, bool dry_run, struct err *e)
{
	const struct change_spec *spec = change_spec(change->kind);
	cJSON *body;

	if (target_check(change, e) != 0)
		return NULL;
	body = cJSON_CreateObject();
	if (target_add(change, body) &&
	    cJSON_AddStringToObject(body, change->kind == CHANGE_ACKNOWLEDGE ? "note" : "reason",
				    change_typed(change, CHANGE_REASON)) &&
	    (!spec->route || cJSON_AddNumberToObject(body, "expect_revision", change->revision)) &&
	    (!spec->dry || cJSON_AddBoolToObject(body, "dry_run", dry_run)) &&
	    (!change->force || cJSON_AddTrueToObject(body, "force")))
		return body;
	err_set(e, ERR_MEMORY, "memory is out");
	cJSON_Delete(body);
	return NULL;
}

/* --- the command --- */

static void number_quote(char *command, size_t size, const char *option, long long number)
{
	char text[24];

	if (option)
		text_quote(command, size, option);
	snprintf(text, sizeof(text), "%lld", number);
	text_quote(command, size, text);
}

/* "2=80", "8=25%" */
static void entries_quote(char *command, size_t size, const struct route_entry *entries, size_t count)
{
	char text[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%u=%.4g%s", entries[i].version, entries[i].weight_bp / 100.0,
			 entries[i].role == ROUTE_SHADOW ? "%" : "");
		text_quote(command, size, text);
	}
}

static void reason_quote(const struct change *change, char *command, size_t size)
{
	const char *reason = change_typed(change, CHANGE_REASON);

	if (change->force)
		text_quote(command, size, "--force");
	text_quote(command, size, change->kind == CHANGE_ACKNOWLEDGE ? "--note" : "--reason");
	text_quote(command, size, *reason ? reason : "…");
}

static void command_begin(const struct change *change, const char *verb, char *command, size_t size)
{
	text_quote(command, size, "mldeck");
	text_quote(command, size, verb);
	text_quote(command, size, change->model);
}

/* Shares and shadows are two commands; where both change here, one revision makes both. */
static void editor_command(const struct change *change, char *command, size_t size)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	const char *action = editor_action(&change->editor);
	bool both = strcmp(action, "apply") == 0;
	size_t used;

	if (strcmp(action, "shadow") != 0) {
		command_begin(change, "split", command, size);
		entries_quote(command, size, entries, route_editor_shares(&change->editor, entries));
		reason_quote(change, command, size);
	}
	if (both) {
		used = strlen(command);
		snprintf(command + used, size - used, " && ");
	}
	if (strcmp(action, "split") != 0) {
		char second[512] = "";

		command_begin(change, "shadow", second, sizeof(second));
		entries_quote(second, sizeof(second), entries, route_editor_shadows(&change->editor, entries));
		reason_quote(change, second, sizeof(second));
		used = strlen(command);
		snprintf(command + used, size - used, "%s", second);
	}
}

/* What "one step back" means depends on when it is run; the command names what was meant. */
static void rollback_quote(const struct change *change, char *command, size_t size)
{
	long long number = change->after_revision;

	if (target_number(change, &number) || number > 0)
		number_quote(command, size, "--to", number);
	number_quote(command, size, "--expect-revision", change->revision);
}

static void rollout_quote(const struct change *change, char *command, size_t size)
{
	number_quote(command, size, NULL, change_version(change));
	text_quote(command, size, "--steps");
	text_quote(command, size, change_typed(change, CHANGE_STEPS));
	text_quote(command, size, "--hold");
	text_quote(command, size, change_typed(change, CHANGE_HOLD));
}

static void setting_quote(const struct change *change, char *command, size_t size)
{
	const char *value = change_typed(change, CHANGE_VALUE);
	char text[CHANGE_SETTING_SIZE + DIALOG_VALUE_SIZE + 8];

	snprintf(text, sizeof(text), "%s=%s", change->setting, value);
	if (!*value)
		text_quote(command, size, "--unset");
	text_quote(command, size, *value ? text : change->setting);
}

void change_command(const struct change *change, char *command, size_t size)
{
	const struct change_spec *spec = change_spec(change->kind);
	char option[16];

	*command = '\0';
	if (change->kind == CHANGE_SPLIT) {
		editor_command(change, command, size);
		return;
	}
	if (change->kind == CHANGE_ACKNOWLEDGE) {
		text_quote(command, size, "mldeck");
		text_quote(command, size, spec->verb);
		number_quote(command, size, NULL, change->alert);
		reason_quote(change, command, size);
		return;
	}
	if (!spec->route && change->kind != CHANGE_POLICY) {
		snprintf(option, sizeof(option), "--%s", spec->verb);
		command_begin(change, "rollout", command, size);
		text_quote(command, size, option);
		reason_quote(change, command, size);
		return;
	}
	command_begin(change, spec->verb, command, size);
	if (change->kind == CHANGE_PROMOTE)
		text_quote(command, size, change_typed(change, CHANGE_TARGET));
	else if (change->kind == CHANGE_ROLLBACK)
		rollback_quote(change, command, size);
	else if (change->kind == CHANGE_ROLLOUT)
		rollout_quote(change, command, size);
	else
		setting_quote(change, command, size);
	reason_quote(change, command, size);
}
