/* view_experiment: one A/B test: verdict, metrics as a forest plot, arms, the sequence of looks, what stopping does. A
 * page that scrolls. */
#include "core/text.h"
#include "ui/view/experiment_arms.h"
#include "ui/view/experiment_text.h"
#include "ui/view/forest.h"
#include "ui/view/panes.h"
#include "ui/view/sequence_pane.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MARGIN 2
#define TEXT_ROWS 6
#define SEQUENCE_ROWS 11
#define SEQUENCE_ROWS_WIDE 20
#define WIDE 150 /* columns; from here on the looks stand beside the arms */
#define OFF_SCREEN (-100000)

/* The test that is open: in full. NULL: it is not here yet, or there is none. */
static const struct snapshot_experiment *shown_of(const struct ui_state *state)
{
	const struct snapshot_experiment *s =
	    state->experiment[0] == '\0'
		? experiment_selected(state)
		: snapshot_experiment(state->snapshot, state->experiment_model, state->experiment);
	return s != NULL && s->detail != NULL ? s : NULL;
}

/* --- verdict --- */

static int draw_head(struct canvas *c, int row, const struct ui_state *state, const struct snapshot_experiment *s)
{
	char verdict[32], text[160], ago[32], left[48];
	int columns = c->columns - 2 * MARGIN;
	enum canvas_role role = experiment_verdict_text(c, s->verdict, verdict, sizeof verdict);
	int end = canvas_put(c, row, MARGIN, columns, role, verdict);
	canvas_bold(c, row, MARGIN, end - MARGIN);
	role = experiment_state_text(c, s, text, sizeof text);
	end = canvas_put(c, row, end + 2, columns - end, role, text);
	panes_ago(state->now_ms, s->started_ms, ago, sizeof ago);
	experiment_left_text(state, s, left, sizeof left);
	experiment_arms_text(s, text, sizeof text);
	canvas_format(c, row++, end + 2, c->columns - MARGIN - end - 2, ROLE_DIM, "%s; %s; started %s by %s", left,
		      text, ago, s->who);
	row += canvas_put_wrapped(c, row, MARGIN, columns, TEXT_ROWS, ROLE_TEXT,
				  s->sentence[0] != '\0' ? s->sentence : "Nobody has looked at it yet.");
	if (s->note[0] != '\0')
		row += canvas_put_wrapped(c, row, MARGIN, columns, TEXT_ROWS, ROLE_WARNING, s->note);
	return row;
}

/* --- metrics --- */

static int draw_metrics(struct canvas *c, int row, const struct snapshot_experiment *s)
{
	int columns = c->columns - 2 * MARGIN;
	for (size_t arm = 1; arm < s->arm_count; arm++) {
		char title[96], label[32], control[32], verdict[32];
		experiment_arm_text(s, arm, label, sizeof label);
		experiment_arm_text(s, 0, control, sizeof control);
		snprintf(title, sizeof title, "%s against %s", label, control);
		panes_rule(c, row++, 0, c->columns, title);
		if (s->arm_count > 2) {
			enum canvas_role role =
			    experiment_verdict_text(c, s->arms[arm].verdict, verdict, sizeof verdict);
			int end = canvas_put(c, row, MARGIN, columns, role, verdict);
			int used = canvas_put_wrapped(c, row, end + 2, columns - end, TEXT_ROWS, ROLE_DIM,
						      s->arms[arm].sentence);
			row += used > 0 ? used : 1;
		}
		row = forest_draw(c, row, MARGIN, columns, s, arm);
	}
	return row;
}

/* --- stopping --- */

/* The evidence so far is a verdict for ever; without it there is none at the end. */
static const char *verdict_at_stop(const struct snapshot_experiment *s)
{
	bool open = s->verdict == EXPERIMENT_CONTINUE;
	return open ? "INCONCLUSIVE" : experiment_verdict_name(s->verdict);
}

static int draw_stop(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		     const struct snapshot_experiment *s)
{
	char text[400], at[32], seen[16], planned[16];
	if (!experiment_is_running(s)) {
		panes_time(state, s->stopped_ms, true, at, sizeof at);
		canvas_format(c, row, column, columns, ROLE_DIM, "stopped %s after %" PRIu64 " looks", at, s->looks);
		return row + 1;
	}
	text_count(seen, sizeof seen, (double)s->detail->units);
	text_count(planned, sizeof planned, (double)s->planned_size);
	snprintf(text, sizeof text,
		 "Stopped now, the verdict is %s, at %s of %s units. Requests go back to the route before revision "
		 "%" PRIu32 ".%s",
		 verdict_at_stop(s), seen, planned, s->revision,
		 s->verdict == EXPERIMENT_CONTINUE ? " To wait costs nothing: looking does not spend the evidence."
						   : "");
	return row + canvas_put_wrapped(c, row, column, columns, TEXT_ROWS, ROLE_TEXT, text);
}

/* --- the plan --- */

static void duration(char text[TEXT_AGE_SIZE], int64_t seconds)
{
	if (seconds > 0)
		text_age(text, seconds);
	else
		snprintf(text, TEXT_AGE_SIZE, "none");
}

static int draw_plan(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s)
{
	const struct experiment *x = &s->detail->plan;
	char text[480], least[TEXT_AGE_SIZE], most[TEXT_AGE_SIZE], window[TEXT_AGE_SIZE], planned[16];
	duration(least, x->minimum_duration_s);
	duration(most, x->maximum_duration_s);
	duration(window, x->window_s);
	text_count(planned, sizeof planned, (double)x->planned_size);
	snprintf(text, sizeof text,
		 "%s%s units planned, alpha %.3g, at least %" PRIu64
		 " events; least duration %s, longest %s; outcomes count for %s after the exposure; salt %s",
		 x->mode == EXPERIMENT_AA ? "A/A, the same version on all arms: any difference is a fault; " : "",
		 planned, x->alpha, x->minimum_events, least, most, window, x->salt);
	row += canvas_put_wrapped(c, row, column, columns, TEXT_ROWS, ROLE_DIM, text);
	canvas_format(c, row++, column, columns, ROLE_DIM, "registered at the start, SHA-256 %.16s%s", s->sha256,
		      canvas_glyph(c, "…", "~"));
	if (s->reason[0] != '\0')
		row += canvas_put_wrapped(c, row, column, columns, 2, ROLE_DIM, s->reason);
	return row;
}

/* --- the page --- */

static int heading(struct canvas *c, int row, int column, int columns, const char *title)
{
	panes_rule(c, row, column, columns, title);
	return row + 1;
}

/* All but verdict, metrics and looks. */
static int draw_rest(struct canvas *c, int row, int column, int columns, const struct ui_state *state,
		     const struct snapshot_experiment *s)
{
	row = heading(c, row, column - MARGIN, columns + 2 * MARGIN, "on stop");
	row = draw_stop(c, row, column, columns, state, s);
	row = heading(c, row, column - MARGIN, columns + 2 * MARGIN, "plan");
	return draw_plan(c, row, column, columns, s);
}

static int draw_wide(struct canvas *c, int row, const struct ui_state *state, const struct snapshot_experiment *s)
{
	int left = c->columns / 2, right = c->columns - left, top = row;
	heading(c, row, 0, left, "looks");
	sequence_pane_draw(c, (struct area){row + 1, MARGIN, SEQUENCE_ROWS_WIDE, left - 2 * MARGIN}, s);
	row = heading(c, row, left, right, "arms");
	row = experiment_arms_draw(c, row, left + MARGIN, right - 2 * MARGIN, s);
	row = draw_rest(c, row, left + MARGIN, right - 2 * MARGIN, state, s);
	int end = top + 1 + SEQUENCE_ROWS_WIDE;
	return row > end ? row : end;
}

static int draw_page(struct canvas *c, int row, const struct ui_state *state, const struct snapshot_experiment *s)
{
	int columns = c->columns - 2 * MARGIN;
	row = draw_head(c, row, state, s);
	row = draw_metrics(c, row, s);
	if (c->columns >= WIDE)
		return draw_wide(c, row, state, s);
	row = heading(c, row, 0, c->columns, "arms");
	row = experiment_arms_draw(c, row, MARGIN, columns, s);
	row = heading(c, row, 0, c->columns, "looks");
	sequence_pane_draw(c, (struct area){row, MARGIN, SEQUENCE_ROWS, columns}, s);
	return draw_rest(c, row + SEQUENCE_ROWS, MARGIN, columns, state, s);
}

int view_experiment_lines(struct canvas *c, const struct ui_state *state)
{
	const struct snapshot_experiment *s = state->snapshot != NULL ? shown_of(state) : NULL;
	return s != NULL ? draw_page(c, OFF_SCREEN, state, s) - OFF_SCREEN : 0;
}

/* Says why there is nothing to show. */
static void draw_absent(struct canvas *c, int top, const struct ui_state *state)
{
	const struct snapshot *s = state->snapshot;
	if (s->experiments_known && snapshot_experiment(s, state->experiment_model, state->experiment) == NULL)
		canvas_format(c, top + 1, 2, c->columns - 4, ROLE_WARNING,
			      state->experiment[0] != '\0' ? "%s has no A/B test %s; esc shows those that there are"
							   : "there is no A/B test%s%s",
			      state->experiment[0] != '\0' ? state->experiment_model : "", state->experiment);
	else
		canvas_format(c, top + 1, 2, c->columns - 4, ROLE_DIM, "reading A/B test %s", state->experiment);
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct snapshot_experiment *s = shown_of(state);
	if (s == NULL) {
		draw_absent(c, top, state);
		return;
	}
	int lines = view_experiment_lines(c, state), scroll = panes_scroll(state, top, bottom, lines);
	draw_page(c, top - scroll, state, s);
	panes_scroll_marks(c, top, bottom, lines, scroll);
}

const struct view view_experiment = {
    .name = "experiment",
    .title = NULL,
    .key = 0,
    .tab = "experiments",
    .experiment = true,
    .summary = "one A/B test: verdict, metrics, arms, looks, what stopping does",
    .draw = draw,
};
