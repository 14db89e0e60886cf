/* What a dialog of a change asks the runtime, and what comes of it. */
#include "ui/console/console_state.h"

#include "core/json.h"

#include <stdio.h>
#include <string.h>

static bool dry_needed(const struct change *change)
{
	return change_spec(change->kind)->dry;
}

void change_dry_run(struct console *c)
{
	struct change *change = &c->change;
	char path[160];
	struct err e = {0};
	cJSON *body;

	if (!dry_needed(change))
		return;
	change->dry_done = false;
	if (change->dry_id) {
		change->dry_again = true;
		return;
	}
	change->dry_again = false;
	change->after[0] = '\0';
	change->dry_error[0] = '\0';
	body = change_body(change, true, &e);
	change_path(change, path, sizeof(path));
	if (body) {
		change->dry_id = fetcher_post(c->fetcher, path, body);
		return;
	}
	change->gate_count = 0;
	snprintf(change->dry_error, sizeof(change->dry_error), "%s", e.text);
}

void change_submit(struct console *c)
{
	struct change *change = &c->change;
	struct err e = {0};
	char path[160];
	cJSON *body = change_body(change, false, &e);

	change_path(change, path, sizeof(path));
	change->dialog.error[0] = '\0';
	if (!body)
		snprintf(change->dialog.error, sizeof(change->dialog.error), "%s", e.text);
	else
		change->send_id = fetcher_post(c->fetcher, path, body);
	if (body && !change->send_id)
		snprintf(change->dialog.error, sizeof(change->dialog.error), "memory is out");
}

/* Of an answer or of a refusal. */
static void gates_take(struct change *change, const cJSON *json)
{
	struct err e = {0};

	if (findings_from_json(cJSON_GetObjectItemCaseSensitive(json, "gates"), change->gates, &change->gate_count,
			       &e) != 0)
		change->gate_count = 0;
}

static void dry_answer(struct console *c, const struct fetcher_answer *a)
{
	struct change *change = &c->change;

	change->dry_id = 0;
	if (change->dry_again) {
		change_dry_run(c);
		return;
	}
	gates_take(change, a->json);
	if (a->status != 0)
		snprintf(change->dry_error, sizeof(change->dry_error), "%s", a->err.text);
	text_clean(change->after, sizeof(change->after), json_find_text(a->json, "after"));
	change->after_live = (uint32_t)json_find_number(a->json, "live");
	if (change->kind == CHANGE_POLICY && a->status == 0)
		change->number = (int64_t)json_find_number(a->json, "number");
	change->dry_done = a->status == 0 && !change_gated(change);
}

/* "flight-delay: v3 is live (r12)" */
static void route_said(struct console *c, const struct cJSON *answer)
{
	struct change *change = &c->change;
	const cJSON *route = cJSON_GetObjectItemCaseSensitive(answer, "route");
	int entries = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(route, "entries"));
	double revision = json_find_number(answer, "revision");
	char after[128];

	text_clean(after, sizeof(after), json_find_text(answer, "after"));
	if (change->kind == CHANGE_ROLLOUT)
		console_say(c, ROLE_OK, "%s: the rollout of v%u has begun (r%.0f)", change->model,
			    change_version(change), revision);
	else if (change->kind == CHANGE_SPLIT || entries > 1)
		console_say(c, ROLE_OK, "%s: %s (r%.0f)", change->model, after, revision);
	else
		console_say(c, ROLE_OK, "%s: v%.0f is live (r%.0f)", change->model, json_find_number(answer, "live"),
			    revision);
}

static void other_said(struct console *c)
{
	static const char *const said[CHANGE_KINDS] = {
	    [CHANGE_PAUSE] = "the rollout is paused; its shares stay as they are",
	    [CHANGE_RESUME] = "the rollout goes on",
	    [CHANGE_ABORT] = "the rollout is aborted, the route of before is back",
	    [CHANGE_SKIP] = "the rollout is at its next step",
	    [CHANGE_POLICY] = "the policy holds from now on",
	    [CHANGE_ACKNOWLEDGE] = "the alert is acknowledged",
	};

	console_say(c, ROLE_OK, "%s: %s", c->change.model, said[c->change.kind]);
}

static void undo_offer(struct console *c, const cJSON *answer)
{
	const cJSON *rollout = cJSON_GetObjectItemCaseSensitive(answer, "rollout");
	double based_on = json_find_number(answer, "based_on");

	if (based_on == 0)
		based_on = json_find_number(rollout, "first_revision");
	undo_start(c, c->change.model, (uint32_t)json_find_number(answer, "revision"), (uint32_t)based_on);
}

static void send_answer(struct console *c, const struct fetcher_answer *a)
{
	struct change *change = &c->change;

	change->send_id = 0;
	if (a->status != 0) {
		gates_take(change, a->json);
		snprintf(change->dialog.error, sizeof(change->dialog.error), "%s", a->err.text);
		if (c->mode != MODE_CHANGE)
			console_say(c, ROLE_BAD, "%s: %s", change->model, a->err.text);
		else if (a->err.code == ERR_CONFLICT)
			change_type(change, CHANGE_NAME, "");
		return;
	}
	change_command(change, c->last_command, sizeof(c->last_command));
	if (!change_spec(change->kind)->route) {
		other_said(c);
	} else {
		route_said(c, a->json);
		undo_offer(c, a->json);
	}
	if (c->mode == MODE_CHANGE)
		c->mode = MODE_VIEW;
	if (change->kind == CHANGE_ROLLOUT)
		console_show(c, "rollout");
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
