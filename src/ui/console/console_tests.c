/* The history of tests in the console: opening one, marking one to be opened beside another, a model's own. */
#include "ui/console/console_state.h"

#include "ui/view/test_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void tests_open(struct console *c)
{
	const struct test_result *t = test_selected(&c->ui);

	if (!t)
		return;
	c->ui.test = t->id;
	c->ui.test_with = 0;
	snprintf(c->last_command, sizeof(c->last_command), "mldeck tests %s %" PRId64, t->model, t->id);
	console_show(c, "test");
}

static void mark_set(struct console *c, int64_t id)
{
	c->ui.test_marked = id;
	console_say(c, ROLE_TEXT, "test %" PRId64 " is marked; m on another one opens both side by side", id);
}

void tests_mark(struct console *c)
{
	const struct test_result *t = console_in(c, "tests") ? test_selected(&c->ui) : NULL;
	int64_t id = t ? t->id : c->ui.test, marked = c->ui.test_marked;

	if (id == 0 || (!t && (!console_in(c, "test") || c->ui.test_with != 0)))
		return;
	c->ui.test = id;
	if (marked == 0) {
		mark_set(c, id);
		if (console_in(c, "test"))
			console_show(c, "tests");
	} else if (marked == id) {
		c->ui.test_marked = 0;
		console_say(c, ROLE_DIM, "test %" PRId64 " is no longer marked", id);
	} else {
		c->ui.test_with = marked;
		if (t)
			snprintf(c->last_command, sizeof(c->last_command), "mldeck tests %s %" PRId64 " %" PRId64,
				 t->model, marked < id ? marked : id, marked < id ? id : marked);
		c->ui.test_marked = 0;
		c->ui.message[0] = '\0';
		console_show(c, "test");
	}
}

void tests_of_model(struct console *c)
{
	const struct test_result *t = console_in(c, "tests") ? test_selected(&c->ui) : NULL;
	const char *model = console_in(c, "tests") ? (t ? t->model : "") : c->ui.model;

	if (!c->snapshot || (!console_in(c, "tests") && !snapshot_find(c->snapshot, model)))
		return;
	if (console_in(c, "tests") && c->ui.tests_of[0]) {
		c->ui.tests_of[0] = c->tests_view[0] = '\0';
		return;
	}
	if (!console_in(c, "tests")) {
		memcpy(c->tests_view, c->ui.view, sizeof(c->tests_view));
		c->ui.test = 0;
	}
	snprintf(c->ui.tests_of, sizeof(c->ui.tests_of), "%s", model);
	console_show(c, "tests");
}

bool tests_back(struct console *c)
{
	if (c->ui.tests_filter[0])
		c->ui.tests_filter[0] = '\0';
	else if (c->ui.test_marked)
		c->ui.test_marked = 0;
	else if (c->tests_view[0])
		console_show(c, c->tests_view);
	else
		return false;
	return true;
}
