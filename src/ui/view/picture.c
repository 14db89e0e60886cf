#include "ui/view/picture.h"

#include "ui/view/view.h"

#include <stdio.h>

struct canvas *picture_draw(const struct picture *p, const struct snapshot *s)
{
	struct canvas *c = canvas_new(p->columns, p->rows, p->charset);
	struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .demo = p->demo, .utc = true};

	if (!c)
		return NULL;
	state.now_ms = s->server.now_ms;
	snprintf(state.view, sizeof(state.view), "%s", p->view);
	state.job = p->job;
	state.test = p->test == 0 && s->report_count > 0 ? s->reports[0].test.id : p->test;
	state.test_with = p->with;
	if (p->experiment && p->model) {
		snprintf(state.experiment, sizeof(state.experiment), "%s", p->experiment);
		snprintf(state.experiment_model, sizeof(state.experiment_model), "%s", p->model);
	}
	if (p->model)
		snprintf(state.tests_of, sizeof(state.tests_of), "%s", p->model);
	if (p->model)
		snprintf(state.model, sizeof(state.model), "%s", p->model);
	else if (s->model_count > 0)
		snprintf(state.model, sizeof(state.model), "%s", s->models[0].name);
	screen_draw(c, &state);
	return c;
}
