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
	if (p->model)
		snprintf(state.model, sizeof(state.model), "%s", p->model);
	else if (s->model_count > 0)
		snprintf(state.model, sizeof(state.model), "%s", s->models[0].name);
	screen_draw(c, &state);
	return c;
}
