/* view_job: one job with all that is known of it. */
#include "ui/view/job_pane.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include <inttypes.h>
#include <stdio.h>

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct job_record *job = job_selected(state);
	char title[160], version[16] = "";
	if (job == NULL) {
		canvas_put(c, top + 1, 2, -1, ROLE_DIM, "there are no jobs");
		return;
	}
	if (job->version != 0)
		snprintf(version, sizeof(version), " v%u", job->version);
	snprintf(title, sizeof(title), "job %" PRId64 "  %s %s%s", job->id, job->kind, job->model, version);
	panes_rule(c, top, 0, c->columns, title);
	job_pane_draw(c, (struct area){top + 1, 2, bottom - top - 1, c->columns - 3}, state, job);
}

const struct view view_job = {
    .name = "job",
    .title = NULL,
    .key = 0,
    .tab = "jobs",
    .summary = "one job: its progress, its command, what it printed",
    .draw = draw,
};
