#include "ui/view/job_pane.h"

#include "ui/view/panes.h"
#include "ui/view/plot_pane.h"

#include "core/job_kind.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LABEL_COLUMNS 11
#define BAR_COLUMNS_MAX 60
#define BESIDE_COLUMNS_MIN 120 /* of the pane, for charts beside the text; */
#define BESIDE_ROWS_MAX 20     /* where it is higher they stand below */
#define TEXT_COLUMNS_MAX 80    /* of the text beside charts */
#define LEFT_MAX_S (100 * 86400.0)

struct job_state_text job_state_text(const struct canvas *c, const struct job_record *job)
{
	static const struct {
		const char *glyph, *ascii;
		enum canvas_role role;
	} looks[JOB_STATE_COUNT] = {
	    [JOB_QUEUED] = {"○", "o", ROLE_DIM},        [JOB_RUNNING] = {"●", "*", ROLE_LIVE},
	    [JOB_DONE] = {"✓", "+", ROLE_OK},           [JOB_FAILED] = {"✕", "x", ROLE_BAD},
	    [JOB_CANCELLED] = {"■", "#", ROLE_WARNING}, [JOB_INTERRUPTED] = {"▲", "!", ROLE_WARNING},
	};
	struct job_state_text s = {.role = looks[job->state].role};
	const char *word = job->cancelling ? "cancelling" : job_state_name(job->state);
	snprintf(s.text, sizeof(s.text), "%s %s", canvas_glyph(c, looks[job->state].glyph, looks[job->state].ascii),
		 word);
	return s;
}

void job_rows_text(const struct job_record *job, char *text, size_t size)
{
	char done[16], total[16];
	text_count(done, sizeof(done), (double)job->progress.done);
	text_count(total, sizeof(total), (double)job->progress.total);
	if (job->progress.total > 0)
		snprintf(text, size, "%s of %s", done, total);
	else
		snprintf(text, size, "%s", done);
}

static void clock_text(double seconds, char *text, size_t size)
{
	long long s = (long long)seconds;
	if (s < 3600)
		snprintf(text, size, "%02lld:%02lld", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		text_uptime(text, size, s);
}

void job_left_text(const struct job_record *job, char *text, size_t size)
{
	text[0] = '\0';
	if (job->state == JOB_RUNNING && job->progress.left_s >= 0 && job->progress.left_s < LEFT_MAX_S)
		clock_text(ceil(job->progress.left_s), text, size);
}

void job_took_text(const struct job_record *job, int64_t now_ms, char *text, size_t size)
{
	int64_t end_ms = job->ended_ms > 0 ? job->ended_ms : now_ms;
	snprintf(text, size, "-");
	if (job->started_ms > 0 && end_ms >= job->started_ms)
		clock_text((double)(end_ms - job->started_ms) / 1000, text, size);
}

void job_progress_draw(struct canvas *c, int row, int column, int columns, const struct job_record *job)
{
	double part = job->state == JOB_DONE ? 1 : job_fraction(&job->progress);
	char text[40];
	if (job->state == JOB_QUEUED) {
		canvas_put(c, row, column, columns, ROLE_DIM, "waits");
		return;
	}
	if (part < 0 && job->progress.done == 0) {
		canvas_put(c, row, column, columns, ROLE_DIM, "not known");
		return;
	}
	if (part < 0) {
		job_rows_text(job, text, sizeof(text));
		canvas_format(c, row, column, columns, ROLE_TEXT, "%s %s", text,
			      job_counted(job) ? job_counted(job) : "");
		return;
	}
	struct job_state_text state = job_state_text(c, job);
	/* Rounded down: 100% is when all of it is done. */
	snprintf(text, sizeof(text), "%3.0f%%", floor(part * 100));
	if (columns >= 10)
		chart_progress(c, row, column, columns - 5, part, state.role);
	canvas_put_right(c, row, column, columns, ROLE_TEXT, text);
}

const struct job_record *job_selected(const struct ui_state *state)
{
	const struct job_record *job = snapshot_job(state->snapshot, state->job);
	if (job != NULL || state->snapshot->job_count == 0)
		return job;
	return &state->snapshot->jobs[0];
}

/* --- the pane --- */

/* Where the next line goes. */
struct place {
	struct canvas *c;
	int row, bottom, column, columns;
};

static bool label(struct place *p, const char *text)
{
	if (p->row >= p->bottom)
		return false;
	canvas_put(p->c, p->row, p->column, LABEL_COLUMNS - 1, ROLE_DIM, text);
	return true;
}

static void line(struct place *p, const char *name, enum canvas_role role, const char *text)
{
	if (label(p, name))
		canvas_put(p->c, p->row++, p->column + LABEL_COLUMNS, p->columns - LABEL_COLUMNS, role, text);
}

static void wrapped(struct place *p, const char *name, enum canvas_role role, const char *text, int rows_max)
{
	int rows = p->bottom - p->row < rows_max ? p->bottom - p->row : rows_max;
	if (label(p, name))
		p->row += canvas_put_wrapped(p->c, p->row, p->column + LABEL_COLUMNS, p->columns - LABEL_COLUMNS, rows,
					     role, text);
}

static void state_line(struct place *p, const struct ui_state *state, const struct job_record *job)
{
	char since[24], took[32], text[160];
	struct job_state_text s = job_state_text(p->c, job);
	int64_t at = job->state == JOB_QUEUED ? job->queued_ms : job_ended(job) ? job->ended_ms : job->started_ms;
	if (!label(p, "state"))
		return;
	panes_time(state, at, true, since, sizeof(since));
	int end = canvas_put(p->c, p->row, p->column + LABEL_COLUMNS, p->columns - LABEL_COLUMNS, s.role, s.text);
	job_took_text(job, state->now_ms, took, sizeof(took));
	if (job_ended(job) && job->started_ms > 0)
		snprintf(text, sizeof(text), "%s after %s, started by %s", since, took, job->who);
	else
		snprintf(text, sizeof(text), "since %s, started by %s", since, job->who);
	canvas_put(p->c, p->row++, end + 1, p->column + p->columns - end - 1, ROLE_TEXT, text);
}

static void progress_line(struct place *p, const struct job_record *job)
{
	char left[32];
	if (job->state == JOB_QUEUED || !label(p, "progress"))
		return;
	job_left_text(job, left, sizeof(left));
	int room = p->columns - LABEL_COLUMNS, beside = left[0] != '\0' ? canvas_width(left) + 7 : 0;
	int bar = room - beside > BAR_COLUMNS_MAX ? BAR_COLUMNS_MAX : room - beside;
	job_progress_draw(p->c, p->row, p->column + LABEL_COLUMNS, bar, job);
	if (left[0] != '\0')
		canvas_format(p->c, p->row, p->column + LABEL_COLUMNS + bar + 2, -1, ROLE_TEXT, "%s left", left);
	p->row++;
}

static void rows_line(struct place *p, const struct job_record *job)
{
	const struct job_progress *g = &job->progress;
	char rows[40], rate[16], rejected[16], text[160];
	const char *counted = job_counted(job), *spoilt = job_spoilt(job);
	if (counted == NULL || job->state == JOB_QUEUED || (g->done == 0 && g->total == 0 && g->rejected == 0))
		return;
	job_rows_text(job, rows, sizeof(rows));
	text_count(rate, sizeof(rate), g->rate);
	text_count(rejected, sizeof(rejected), (double)g->rejected);
	bool going = job->state == JOB_RUNNING && g->rate > 0;
	snprintf(text, sizeof(text), "%s%s%s%s", rows, going ? ", " : "", going ? rate : "", going ? " a second" : "");
	if (!label(p, counted))
		return;
	int end = canvas_put(p->c, p->row, p->column + LABEL_COLUMNS, p->columns - LABEL_COLUMNS, ROLE_TEXT, text);
	if (spoilt != NULL)
		canvas_format(p->c, p->row, end, p->column + p->columns - end,
			      g->rejected > 0 ? ROLE_WARNING : ROLE_TEXT, ", %s %s", rejected, spoilt);
	p->row++;
}

static void note_line(struct place *p, const struct job_record *job)
{
	if (!job_ended(job) && job->progress.note[0] != '\0')
		line(p, "now", ROLE_TEXT, job->progress.note);
}

static void bytes_line(struct place *p, const struct job_record *job)
{
	char done[16], total[16], text[80];
	if (job->progress.total_bytes == 0)
		return;
	text_bytes(done, sizeof(done), (double)job->progress.done_bytes);
	text_bytes(total, sizeof(total), (double)job->progress.total_bytes);
	snprintf(text, sizeof(text), "%s of %s", done, total);
	line(p, "file", ROLE_TEXT, text);
}

static void output_lines(struct place *p, const struct job_record *job)
{
	int rows = p->bottom - p->row, count = (int)job->line_count;
	/* The last ones matter; the summary already is the last of all. */
	for (int i = count > rows ? count - rows : 0; i < count; i++)
		line(p, i == 0 || i == count - rows ? "output" : "", ROLE_DIM, job->lines[i]);
}

/* All that is said in words; gives the row below. */
static int draw_text(struct canvas *c, struct area area, const struct ui_state *state, const struct job_record *job)
{
	struct place p = {c, area.row, area.row + area.rows, area.column, area.columns};
	enum canvas_role said = job->state == JOB_FAILED ? ROLE_BAD : ROLE_TITLE;
	char text[JOB_TITLE_SIZE + 40];
	state_line(&p, state, job);
	if (job->summary[0] != '\0')
		wrapped(&p, "summary", said, job->summary, 2);
	progress_line(&p, job);
	rows_line(&p, job);
	note_line(&p, job);
	bytes_line(&p, job);
	snprintf(text, sizeof(text), "%s%s", job->title, job->in_shell ? " (runs in a shell)" : "");
	line(&p, job->kind, ROLE_TEXT, text);
	wrapped(&p, "command", ROLE_TEXT, job->command, area.rows >= 14 ? 6 : 2);
	if (job->pid > 0) {
		snprintf(text, sizeof(text), "%" PRId64, job->pid);
		line(&p, "process", ROLE_DIM, text);
	}
	output_lines(&p, job);
	return p.row;
}

/* Of an area with charts below the text: in a low one state and progress alone, then what it does now, then more. */
static int text_rows(int rows)
{
	return rows < 8 ? 2 : rows < 12 ? 4 : rows / 3 + 1;
}

void job_pane_draw(struct canvas *c, struct area area, const struct ui_state *state, const struct job_record *job)
{
	const struct job_progress *g = &job->progress;
	struct area text = area, charts = area;
	if (g->plot_count == 0 || area.rows < 2 + PLOT_PANE_ROWS_MIN) {
		draw_text(c, area, state, job);
		return;
	}
	if (area.columns >= BESIDE_COLUMNS_MIN && area.rows < BESIDE_ROWS_MAX) {
		text.columns = area.columns * 2 / 5 < TEXT_COLUMNS_MAX ? area.columns * 2 / 5 : TEXT_COLUMNS_MAX;
		charts.column += text.columns + 2;
		charts.columns -= text.columns + 2;
		draw_text(c, text, state, job);
	} else {
		text.rows = text_rows(area.rows);
		charts.row = draw_text(c, text, state, job) + (area.rows >= 16);
		charts.rows = area.row + area.rows - charts.row;
	}
	plot_panes_draw(c, charts, g->plots, g->plot_count);
}
