/* view_jobs: what runs and waits, below it what has ended, and the selected job in a pane. */
#include "ui/view/grid.h"
#include "ui/view/job_pane.h"
#include "ui/view/panes.h"
#include "ui/view/view.h"

#include "core/job_kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NARROW 60
#define WIDE 120
#define PANE_ROWS_MIN 16 /* of the view, before a pane gets any */

enum job_cell { ID, STATE, MODEL, PROGRESS, LEFT, RATE, ROWS, REJECTED, ENDED, TOOK, WHAT, WHO, CELL_COUNT };

struct job_column {
	enum job_cell cell;
	struct grid_column column;
};

/* The first columns are the same in both lists, so that they stand one above the other. */
static const struct job_column open_columns[] = {
    {ID, {"JOB", 0, 3, 3, true, 0}},         {STATE, {"STATE", 1, 13, 13, false, 0}},
    {MODEL, {"MODEL", 2, 15, 24, false, 0}}, {PROGRESS, {"PROGRESS", 3, 16, 34, false, 0}},
    {LEFT, {"LEFT", 4, 5, 8, true, 0}},      {RATE, {"PER S", 5, 6, 6, true, 0}},
    {ROWS, {"COUNT", 6, 6, 14, true, 0}},    {REJECTED, {"FAILED", 7, 8, 8, true, 0}},
    {WHAT, {"WHAT", 8, 14, 60, false, 0}},   {WHO, {"BY", 9, 6, 12, false, 0}},
};
static const struct job_column ended_columns[] = {
    {ID, {"JOB", 0, 3, 3, true, 0}},          {STATE, {"STATE", 1, 13, 13, false, 0}},
    {MODEL, {"MODEL", 2, 15, 24, false, 0}},  {ENDED, {"ENDED", 4, 11, 11, false, 0}},
    {TOOK, {"TOOK", 3, 5, 7, true, 0}},       {ROWS, {"COUNT", 6, 6, 14, true, 0}},
    {REJECTED, {"FAILED", 7, 8, 8, true, 0}}, {WHAT, {"WHAT CAME OF IT", 5, 15, 70, false, 0}},
    {WHO, {"BY", 8, 6, 12, false, 0}},
};
#define COLUMN_COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* A list, and how much of each column it shows. */
struct list {
	size_t column_count;
	enum job_cell cells[CELL_COUNT];
	struct grid_column columns[CELL_COUNT];
};

static void draw_model(struct canvas *c, int row, int column, int columns, const struct job_record *job)
{
	char version[16] = "";
	if (job->version != 0)
		snprintf(version, sizeof(version), " v%u", job->version);
	int room = columns - canvas_width(version);
	int end = canvas_put(c, row, column, room, ROLE_TEXT, job->model);
	canvas_put(c, row, end, columns - (end - column), ROLE_DIM, version);
}

static void draw_rows(struct canvas *c, int row, int column, int columns, const struct job_record *job)
{
	char text[40];
	job_rows_text(job, text, sizeof(text));
	if (job_ended(job) || canvas_width(text) > columns)
		text_count(text, sizeof(text), (double)job->progress.done);
	canvas_put_right(c, row, column, columns, job->progress.done > 0 ? ROLE_TEXT : ROLE_DIM,
			 job->state == JOB_QUEUED ? "-" : text);
}

static void draw_count(struct canvas *c, int row, int column, int columns, double count, enum canvas_role role)
{
	char text[16];
	text_count(text, sizeof(text), count);
	canvas_put_right(c, row, column, columns, count > 0 ? role : ROLE_DIM, count > 0 ? text : "-");
}

/* What it does while it is open, what came of it afterwards. Of rows that were predicted their count says that, and the
 * files are what one looks for. */
static void draw_what(struct canvas *c, int row, int column, int columns, const struct job_record *job)
{
	char waits[JOB_NOTE_SIZE + JOB_TITLE_SIZE + 4];
	if (job->state == JOB_QUEUED && job->progress.note[0] != '\0') {
		snprintf(waits, sizeof(waits), "%s: %s", job->progress.note, job->title);
		canvas_put(c, row, column, columns, ROLE_DIM, waits);
		return;
	}
	const struct job_kind *kind = job_kind_find(job->kind);
	bool said =
	    job_ended(job) && job->summary[0] != '\0' && (job->state != JOB_DONE || (kind != NULL && kind->test));
	canvas_put(c, row, column, columns,
		   job->state == JOB_FAILED         ? ROLE_BAD
		   : said && job->state != JOB_DONE ? ROLE_WARNING
		   : said                           ? ROLE_TEXT
						    : ROLE_DIM,
		   said ? job->summary : job->title);
}

static void draw_cell(struct canvas *c, int row, int column, int columns, enum job_cell cell,
		      const struct ui_state *state, const struct job_record *job)
{
	char text[48] = "";
	struct job_state_text s = job_state_text(c, job);
	bool selected = job == job_selected(state);
	switch (cell) {
	case ID:
		snprintf(text, sizeof(text), "%" PRId64, job->id);
		canvas_put_right(c, row, column, columns, selected ? ROLE_SELECTED : ROLE_TEXT, text);
		break;
	case STATE:
		canvas_put(c, row, column, columns, s.role, s.text);
		break;
	case MODEL:
		draw_model(c, row, column, columns, job);
		break;
	case PROGRESS:
		job_progress_draw(c, row, column, columns, job);
		break;
	case LEFT:
		job_left_text(job, text, sizeof(text));
		canvas_put_right(c, row, column, columns, text[0] != '\0' ? ROLE_TEXT : ROLE_DIM,
				 text[0] != '\0' ? text : "-");
		break;
	case RATE:
		draw_count(c, row, column, columns, job->progress.rate, ROLE_TEXT);
		break;
	case ROWS:
		draw_rows(c, row, column, columns, job);
		break;
	case REJECTED:
		draw_count(c, row, column, columns, (double)job->progress.rejected, ROLE_WARNING);
		break;
	case ENDED:
		panes_time(state, job->ended_ms, true, text, sizeof(text));
		canvas_put(c, row, column, columns, ROLE_DIM, text);
		break;
	case TOOK:
		job_took_text(job, state->now_ms, text, sizeof(text));
		canvas_put_right(c, row, column, columns, ROLE_DIM, text);
		break;
	case WHAT:
		draw_what(c, row, column, columns, job);
		break;
	case WHO:
		canvas_put(c, row, column, columns, ROLE_DIM, job->who);
		break;
	case CELL_COUNT:
		break;
	}
}

static void draw_row(struct canvas *c, int row, const struct list *list, const struct ui_state *state,
		     const struct job_record *job)
{
	int at = GRID_MARKER;
	for (size_t i = 0; i < list->column_count; i++) {
		if (list->columns[i].width == 0)
			continue;
		draw_cell(c, row, at, list->columns[i].width, list->cells[i], state, job);
		at += list->columns[i].width + GRID_GAP;
	}
	if (job != job_selected(state))
		return;
	canvas_put(c, row, 0, 1, ROLE_SELECTED, canvas_glyph(c, "▸", ">"));
	canvas_select(c, row, 0, GRID_MARKER + list->columns[0].width);
}

static int id_columns(const struct snapshot *s)
{
	int columns = 1;
	for (size_t i = 0; i < s->job_count; i++) {
		int digits = snprintf(NULL, 0, "%" PRId64, s->jobs[i].id);
		columns = digits > columns ? digits : columns;
	}
	return columns;
}

/* Where it is narrow, a model's name may be cut and a percentage stands for the bar. */
static void lay_out(const struct canvas *c, const struct snapshot *s, const struct job_column *columns, size_t count,
		    struct list *list)
{
	bool narrow = c->columns < NARROW;
	list->column_count = count;
	for (size_t i = 0; i < count; i++) {
		struct grid_column *column = &list->columns[i];
		list->cells[i] = columns[i].cell;
		*column = columns[i].column;
		if (columns[i].cell == ID)
			column->least = column->most = id_columns(s) > column->least ? id_columns(s) : column->least;
		if (narrow && columns[i].cell == MODEL)
			column->least = 10;
		else if (columns[i].cell == MODEL && c->columns < WIDE)
			column->most = column->least;
		if (narrow && columns[i].cell == PROGRESS)
			column->least = 5;
	}
	grid_lay_out(list->columns, count, c->columns - GRID_MARKER - 1);
}

/* One list with its headings in rows [top, bottom), from the jobs [first, first + count) of the
 * snapshot. */
static void draw_list(struct canvas *c, int top, int bottom, const struct list *list, const struct ui_state *state,
		      size_t first, size_t count)
{
	int rows = bottom - top - 1, selected = -1;
	int end = grid_headings(c, top, list->columns, list->column_count);
	for (size_t i = 0; i < count; i++) {
		if (&state->snapshot->jobs[first + i] == job_selected(state))
			selected = (int)i;
	}
	int line = grid_first(0, (int)count, selected, rows);
	for (int i = 0; i < rows && line + i < (int)count; i++)
		draw_row(c, top + 1 + i, list, state, &state->snapshot->jobs[first + (size_t)(line + i)]);
	if ((int)count > rows)
		grid_position(c, top, end, line, rows, (int)count);
}

static void draw_none(struct canvas *c, int top, int bottom)
{
	static const char *const lines[] = {"no jobs yet", "", "f predicts the rows of a file with the selected model,",
					    "as mldeck predict MODEL --input FILE --output FILE does in a shell"};
	int count = (int)(sizeof(lines) / sizeof(lines[0])), row = top + (bottom - top - count) / 2;
	for (int i = 0; i < count; i++) {
		int column = (c->columns - canvas_width(lines[i])) / 2;
		if (row + i >= top && row + i < bottom)
			canvas_put(c, row + i, column > 1 ? column : 1, c->columns - 2, i == 0 ? ROLE_TITLE : ROLE_DIM,
				   lines[i]);
	}
}

static int at_most(int value, int limit)
{
	return value < limit ? value : limit;
}

/* The lists share the rows: what is open comes first, but an ended one is always in sight. */
static int draw_lists(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	size_t open = 0, count = state->snapshot->job_count;
	while (open < count && !job_ended(&state->snapshot->jobs[open]))
		open++;
	int rows = bottom - top, gap = open > 0 && open < count && rows >= 10;
	int ended_rows = open < count ? (int)(count - open) + 1 : 0;
	int open_rows = open > 0 ? at_most((int)open + 1, rows - (ended_rows > 0 ? 2 + gap : 0)) : 0;
	ended_rows = at_most(ended_rows, rows - open_rows - gap);
	struct list list;
	lay_out(c, state->snapshot, open_columns, COLUMN_COUNT(open_columns), &list);
	if (open > 0)
		draw_list(c, top, top + open_rows, &list, state, 0, open);
	top += open_rows + (open > 0 ? gap : 0);
	lay_out(c, state->snapshot, ended_columns, COLUMN_COUNT(ended_columns), &list);
	if (ended_rows > 1)
		draw_list(c, top, top + ended_rows, &list, state, open, count - open);
	return top + ended_rows;
}

static void draw(struct canvas *c, int top, int bottom, const struct ui_state *state)
{
	const struct job_record *job = job_selected(state);
	char title[160];
	int rows = bottom - top;
	if (job == NULL) {
		draw_none(c, top, bottom);
		return;
	}
	if (rows < PANE_ROWS_MIN) {
		draw_lists(c, top, bottom, state);
		return;
	}
	int end = draw_lists(c, top, bottom - JOB_PANE_ROWS - (rows > 30 ? 6 : 0), state);
	end += end + JOB_PANE_ROWS < bottom;
	snprintf(title, sizeof(title), "job %" PRId64 "  %s %s", job->id, job->kind, job->model);
	panes_rule(c, end, 0, c->columns, title);
	job_pane_draw(c, (struct area){end + 1, 2, bottom - end - 1, c->columns - 3}, state, job);
}

const struct view view_jobs = {
    .name = "jobs",
    .title = "Jobs",
    .key = '2',
    .summary = "test and batch runs: how far, how fast, how they ended",
    .draw = draw,
};
