#include "ui/view/experiment_arms.h"

#include "core/text.h"
#include "ui/view/experiment_text.h"
#include "ui/view/grid.h"
#include "ui/view/panes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define EVIDENCE_MOST 1e9 /* larger is not said with digits */
#define WAITS 0.5         /* of an arm's median: a longer mean wait for a worker is marked */
#define COUNTS_SIZE 400
#define TEXT_ROWS 4

enum { ARM, SHARE, UNITS, OUTCOMES, RATE, P50, P99, WAIT, ERRORS, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [ARM] = {"ARM", 0, 10, 16, false, 0},    [SHARE] = {"SHARE", 5, 6, 7, true, 0},
    [UNITS] = {"UNITS", 1, 6, 9, true, 0},   [OUTCOMES] = {"OUTCOMES", 6, 8, 9, true, 0},
    [RATE] = {"REQ/S", 4, 5, 7, true, 0},    [P50] = {"p50", 7, 6, 7, true, 0},
    [P99] = {"p99", 2, 6, 7, true, 0},       [WAIT] = {"QUEUE", 3, 8, 9, true, 0},
    [ERRORS] = {"ERRORS", 8, 6, 7, true, 0},
};

static bool waits(const struct snapshot_arm *a)
{
	return a->queue_ns > 0 && (double)a->queue_ns > WAITS * (double)a->p50_ns;
}

static enum canvas_role cell_text(const struct canvas *c, int column, const struct snapshot_experiment *s, size_t arm,
				  char *text, size_t size)
{
	const struct snapshot_arm *a = &s->arms[arm];
	char label[32], number[EXPERIMENT_NUMBER_SIZE];
	switch (column) {
	case ARM:
		experiment_arm_text(s, arm, label, sizeof label);
		snprintf(text, size, "%s%s", label, arm == 0 && !experiment_is_same(s) ? " control" : "");
		return ROLE_TITLE;
	case SHARE:
		experiment_share_text(a->share_bp, number);
		snprintf(text, size, "%s", number);
		return ROLE_DIM;
	case UNITS:
	case OUTCOMES:
		text_count(text, size, (double)(column == UNITS ? a->exposed : a->outcomes));
		return ROLE_TEXT;
	case RATE:
		text_count(text, size, a->rate_rps);
		return ROLE_TEXT;
	case P50:
	case P99:
		panes_duration(c, column == P50 ? a->p50_ns : a->p99_ns, text, size);
		return ROLE_TEXT;
	case WAIT:
		panes_duration(c, a->queue_ns, number, sizeof number);
		snprintf(text, size, "%s%s", waits(a) ? canvas_glyph(c, "▲ ", "! ") : "", number);
		return waits(a) ? ROLE_WARNING : ROLE_TEXT;
	default:
		text_count(text, size, (double)a->errors);
		return a->errors > 0 ? ROLE_BAD : ROLE_DIM;
	}
}

static int draw_table(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s)
{
	struct grid_column grid[COLUMN_COUNT];
	memcpy(grid, columns_all, sizeof grid);
	grid_lay_out(grid, COLUMN_COUNT, columns);
	for (size_t line = 0; line <= s->arm_count; line++, row++) {
		int at = column;
		for (int i = 0; i < COLUMN_COUNT; i++) {
			char text[64];
			enum canvas_role role = ROLE_HEADER;
			if (grid[i].width == 0)
				continue;
			if (line == 0)
				snprintf(text, sizeof text, "%s", grid[i].heading);
			else
				role = cell_text(c, i, s, line - 1, text, sizeof text);
			if (grid[i].right)
				canvas_put_right(c, row, at, grid[i].width, role, text);
			else
				canvas_put(c, row, at, grid[i].width, role, text);
			at += grid[i].width + GRID_GAP;
		}
	}
	return row;
}

/* Of all units of the arms, in the arm. */
static void shares_text(const struct snapshot_experiment *s, bool planned, char *text, size_t size)
{
	double all = 0;
	size_t used = 0;
	for (size_t i = 0; i < s->arm_count; i++)
		all += planned ? s->arms[i].share_bp : (double)s->arms[i].exposed;
	text[0] = '\0';
	for (size_t i = 0; i < s->arm_count && used < size; i++) {
		double part = planned ? s->arms[i].share_bp : (double)s->arms[i].exposed;
		used += (size_t)snprintf(text + used, size - used, "%s%.3g", i > 0 ? " : " : "",
					 all > 0 ? 100 * part / all : 0);
	}
}

static int draw_ratio(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s)
{
	const struct snapshot_experiment_detail *d = s->detail;
	char seen[96], planned[96], evidence[24];
	double e = exp(d->ratio_log_e);
	shares_text(s, false, seen, sizeof seen);
	shares_text(s, true, planned, sizeof planned);
	snprintf(evidence, sizeof evidence, e > EVIDENCE_MOST ? "over a billion" : e >= 100 ? "%.0f" : "%.2g", e);
	int end = canvas_format(c, row, column, columns, d->is_ratio_broken ? ROLE_BAD : ROLE_OK, "%s sample ratio %s",
				d->is_ratio_broken ? canvas_glyph(c, "▲", "!") : canvas_glyph(c, "✓", "+"),
				d->is_ratio_broken ? "broken" : "holds");
	canvas_format(c, row, end, column + columns - end, ROLE_DIM, ": %s, planned %s; evidence %s of %.0f", seen,
		      planned, evidence, 1 / EXPERIMENT_RATIO_ALPHA);
	return row + 1;
}

/* "8.2k accepted, 12 late, 3 duplicate": what there was of each. */
static void outcomes_text(const struct experiment_counts *counts, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < EXPERIMENT_RESULT_COUNT && used < size; i++) {
		char count[16], name[32];
		if (counts->outcomes[i] == 0 && i != EXPERIMENT_RESULT_ACCEPTED)
			continue;
		text_count(count, sizeof count, (double)counts->outcomes[i]);
		snprintf(name, sizeof name, "%s", experiment_result_name((enum experiment_result)i));
		for (char *blank = strchr(name, '_'); blank != NULL; blank = strchr(blank, '_'))
			*blank = ' ';
		used += (size_t)snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "", count, name);
	}
}

int experiment_arms_draw(struct canvas *c, int row, int column, int columns, const struct snapshot_experiment *s)
{
	const struct experiment_counts *counts = &s->detail->counts;
	char text[COUNTS_SIZE + 96], outcomes[COUNTS_SIZE], requests[16], units[16], lost[16];
	row = draw_table(c, row, column, columns, s);
	row = draw_ratio(c, row, column, columns, s);
	text_count(requests, sizeof requests, (double)counts->requests);
	text_count(units, sizeof units, (double)counts->units);
	text_count(lost, sizeof lost, (double)counts->lost);
	outcomes_text(counts, outcomes, sizeof outcomes);
	snprintf(text, sizeof text, "%s requests of %s units, %s lost; outcomes: %s", requests, units,
		 counts->lost > 0 ? lost : "none", outcomes);
	return row +
	       canvas_put_wrapped(c, row, column, columns, TEXT_ROWS, counts->lost > 0 ? ROLE_WARNING : ROLE_DIM, text);
}
