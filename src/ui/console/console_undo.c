/* Undoing the last change that was made here, while its countdown runs. */
#include "ui/console/console_state.h"

#include "core/clock.h"
#include "core/json.h"

#include <stdio.h>
#include <string.h>

#define UNDO_MS 30000

void undo_start(struct console *c, const char *model, uint32_t revision, uint32_t back_to)
{
	struct undo *u = &c->undo;

	memset(u, 0, sizeof(*u));
	if (revision == 0 || back_to == 0)
		return; /* nothing was live before */
	snprintf(u->model, sizeof(u->model), "%s", model);
	u->revision = revision;
	u->back_to = back_to;
	u->until_ms = clock_ms() + UNDO_MS;
	snprintf(u->said, sizeof(u->said), "%s", c->ui.message);
}

void undo_update(struct console *c)
{
	struct undo *u = &c->undo;
	int64_t left_ms = u->until_ms - clock_ms();

	if (u->send_id || left_ms <= 0 || !console_fresh(c))
		left_ms = 0;
	c->ui.undo_s = (int)((left_ms + 999) / 1000);
	c->ui.undone[0] = '\0';
	if (left_ms > 0 && strcmp(u->said, c->ui.message) != 0)
		snprintf(c->ui.undone, sizeof(c->ui.undone), "r%u of %s", u->revision, u->model);
}

int undo_wait_ms(const struct console *c)
{
	int64_t left_ms = c->undo.until_ms - clock_ms();

	return left_ms > 0 ? (int)((left_ms - 1) % 1000) + 1 : -1;
}

void undo_do(struct console *c)
{
	struct undo *u = &c->undo;
	char path[160], reason[64];
	cJSON *body;

	if (u->send_id)
		return;
	if (u->until_ms <= clock_ms() || !console_fresh(c)) {
		console_say(c, ROLE_WARNING,
			    u->until_ms <= clock_ms()
				? "there is nothing to undo; r goes back in the history of a route"
				: "the picture is not current, so nothing can be undone now");
		return;
	}
	snprintf(path, sizeof(path), "/control/v1/models/%s/route", u->model);
	snprintf(reason, sizeof(reason), "undo of r%u", u->revision);
	body = cJSON_CreateObject();
	cJSON_AddStringToObject(body, "action", "rollback");
	cJSON_AddNumberToObject(body, "to_revision", u->back_to);
	cJSON_AddNumberToObject(body, "expect_revision", u->revision);
	cJSON_AddStringToObject(body, "reason", reason);
	snprintf(c->last_command, sizeof(c->last_command),
		 "mldeck rollback %s --to %u --expect-revision %u --reason '%s'", u->model, u->back_to, u->revision,
		 reason);
	u->send_id = fetcher_post(c->fetcher, path, body);
	console_say(c, ROLE_TEXT, "%s: undoing r%u", u->model, u->revision);
}

bool undo_answer(struct console *c, const struct fetcher_answer *a)
{
	struct undo *u = &c->undo;
	char after[128];

	if (!a->id || a->id != u->send_id)
		return false;
	text_clean(after, sizeof(after), json_find_text(a->json, "after"));
	if (a->status != 0)
		console_say(c, ROLE_BAD, "%s: r%u is not undone: %s", u->model, u->revision, a->err.text);
	else
		console_say(c, ROLE_OK, "%s: r%u is undone, %s again (r%.0f)", u->model, u->revision, after,
			    json_find_number(a->json, "revision"));
	memset(u, 0, sizeof(*u));
	return true;
}
