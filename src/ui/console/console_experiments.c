/* A/B tests in the console: moving in the list, opening one. */
#include "ui/console/console_state.h"

#include "ui/view/experiment_text.h"

#include <stdio.h>
#include <string.h>

static void experiment_select(struct console *c, const struct snapshot_experiment *s)
{
	snprintf(c->ui.experiment_model, sizeof(c->ui.experiment_model), "%s", s->model);
	snprintf(c->ui.experiment, sizeof(c->ui.experiment), "%s", s->name);
}

void experiment_open(struct console *c)
{
	const struct snapshot_experiment *s = experiment_selected(&c->ui);

	if (!s)
		return;
	experiment_select(c, s);
	console_show(c, "experiment");
}

void experiment_move(struct console *c, long step)
{
	const struct snapshot_experiment *s = experiment_selected(&c->ui);

	if (!s)
		return;
	long last = (long)c->snapshot->experiment_count - 1, to = (long)(s - c->snapshot->experiments) + step;

	experiment_select(c, &c->snapshot->experiments[to < 0 ? 0 : to > last ? last : to]);
}
