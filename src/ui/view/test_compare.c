#include "ui/view/test_compare.h"

#include "ui/view/findings.h"
#include "ui/view/grid.h"
#include "ui/view/test_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define INDENT 2
#define WIDE 130 /* from here on figures stand in two columns */
#define LIST_SIZE 400

static const struct finding *finding_of(const struct snapshot_report *r, const char *name)
{
	for (size_t i = 0; r != NULL && i < r->finding_count; i++) {
		if (strcmp(r->findings[i].name, name) == 0)
			return &r->findings[i];
	}
	return NULL;
}

static const struct figure *figure_of(const struct snapshot_report *r, const char *name)
{
	return r != NULL ? figures_find(r->figures, r->figure_count, name) : NULL;
}

/* --- what got worse, what was set --- */

/* "latency_p99, memory and 3 more": names as they come, then how many did not fit. */
struct names {
	char text[LIST_SIZE];
	int width, left_out;
};

static void names_add(struct names *n, int room, const char *name)
{
	size_t used = strlen(n->text);
	int width = canvas_width(name) + 2;
	/* The first one always stands there, if cut. */
	if ((used > 0 && n->width + width > room) || used + strlen(name) + 3 > sizeof(n->text)) {
		n->left_out++;
		return;
	}
	n->width += width;
	snprintf(n->text + used, sizeof(n->text) - used, "%s%s", used > 0 ? ", " : "", name);
}

static void draw_names(const struct test_place *p, enum canvas_role role, const char *said, const struct names *n)
{
	int end = canvas_put(p->c, p->row, p->column, p->columns, role, said);
	int more = n->left_out > 0 ? 12 : 0, room = p->column + p->columns - end - 1 - more;
	end = canvas_put(p->c, p->row, end + 1, room > 0 ? room : 0, ROLE_TEXT, n->text);
	if (n->left_out > 0)
		canvas_format(p->c, p->row, end, p->column + p->columns - end, ROLE_DIM, " and %d more", n->left_out);
}

int test_draw_trend(struct test_place p, const struct test_pair *pair)
{
	const struct snapshot_report *now = pair->now;
	struct names names = {.text = ""};
	char said[32];
	int room = p.columns - 24;
	if (pair->before == NULL)
		return p.row;
	for (size_t i = 0; i < now->finding_count; i++) {
		if (finding_trend(finding_of(pair->before, now->findings[i].name), &now->findings[i]) == TREND_WORSE)
			names_add(&names, room, now->findings[i].name);
	}
	for (size_t i = 0; i < now->figure_count; i++) {
		if (figure_trend(figure_of(pair->before, now->figures[i].name), &now->figures[i]) == TREND_WORSE)
			names_add(&names, room, now->figures[i].name);
	}
	if (names.text[0] == '\0' && names.left_out == 0) {
		canvas_format(p.c, p.row, p.column, p.columns, ROLE_OK, "%s nothing got worse",
			      canvas_glyph(p.c, "✓", "+"));
		return p.row + 1;
	}
	snprintf(said, sizeof(said), "%s worse:", canvas_glyph(p.c, "▲", "!"));
	draw_names(&p, ROLE_BAD, said, &names);
	return p.row + 1;
}

int test_draw_settings(struct test_place p, const struct test_pair *pair)
{
	struct names names = {.text = ""};
	for (size_t i = 0; pair->before != NULL && i < pair->now->figure_count; i++) {
		const struct figure *now = &pair->now->figures[i], *before = figure_of(pair->before, now->name);
		char text[2 * FIGURE_TEXT_SIZE];
		if (strncmp(now->name, "settings.", 9) != 0 || before == NULL || strcmp(before->text, now->text) == 0)
			continue;
		snprintf(text, sizeof(text), "%s %.40s (was %.40s)", now->name + 9, now->text, before->text);
		names_add(&names, p.columns - 34, text);
	}
	if (names.text[0] == '\0' && names.left_out == 0)
		return p.row;
	draw_names(&p, ROLE_WARNING, "not the same settings:", &names);
	return p.row + 1;
}

/* --- findings --- */

enum { NAME, WAS, NOW, LIMIT, CHANGE, TREND, SAYS, COLUMN_COUNT };

static const struct grid_column columns_all[COLUMN_COUNT] = {
    [NAME] = {"FINDING", 0, 14, 18, false, 0},
    [WAS] = {"", 3, 11, 13, true, 0},
    [NOW] = {"", 1, 11, 13, true, 0},
    [LIMIT] = {"LIMIT", 4, 8, 9, true, 0},
    [CHANGE] = {"CHANGE", 5, 8, 8, true, 0},
    [TREND] = {"", 2, 8, 8, false, 0},
    [SAYS] = {"WHAT IT SAYS", 6, 34, 160, false, 0},
};

/* "✕ 2.1%": the verdict's glyph with the number. */
static enum canvas_role value_text(const struct canvas *c, const struct finding *f, char *text, size_t size)
{
	char verdict[24], number[24];
	size_t glyph;
	if (f == NULL) {
		snprintf(text, size, "-");
		return ROLE_DIM;
	}
	enum canvas_role role = findings_verdict_text(c, f, verdict, sizeof(verdict));
	canvas_decode(verdict, &glyph);
	findings_number_text(f->value, f->unit, number, sizeof(number));
	/* A finding without a number says its word. */
	snprintf(text, size, "%.*s %s", (int)glyph, verdict,
		 isfinite(f->value) ? number : finding_verdict_name(f->verdict));
	return role;
}

static void draw_finding(const struct test_place *p, const struct grid_column *columns, const struct finding *before,
			 const struct finding *now)
{
	const struct finding *f = now != NULL ? now : before;
	int at = p->column;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		char text[FINDING_TEXT_SIZE] = "";
		enum canvas_role role = ROLE_TEXT;
		if (columns[i].width == 0)
			continue;
		if (i == NAME)
			snprintf(text, sizeof(text), "%s", f->name);
		else if (i == WAS || i == NOW)
			role = value_text(p->c, i == WAS ? before : now, text, sizeof(text));
		else if (i == LIMIT)
			findings_number_text(f->threshold, f->unit, text, sizeof(text));
		else if (i == CHANGE && before != NULL && now != NULL)
			trend_text(before->value, now->value, text, sizeof(text));
		else if (i == TREND)
			role = test_trend_text(p->c, finding_trend(before, now), text, sizeof(text));
		else if (i == SAYS)
			snprintf(text, sizeof(text), "%s", f->text);
		if (i == LIMIT || i == CHANGE || i == SAYS || strcmp(text, "-") == 0)
			role = ROLE_DIM;
		grid_put(p->c, p->row, at, &columns[i], role, text);
		at += columns[i].width + GRID_GAP;
	}
}

static int compare_findings(struct test_place p, const struct test_pair *pair)
{
	struct grid_column columns[COLUMN_COUNT];
	memcpy(columns, columns_all, sizeof(columns));
	columns[WAS].heading = pair->before_heading;
	columns[NOW].heading = pair->now_heading;
	grid_lay_out(columns, COLUMN_COUNT, p.columns);
	grid_headings_at(p.c, p.row, p.column, columns, COLUMN_COUNT);
	p.row++;
	for (int verdict = FINDING_VERDICT_COUNT - 1; verdict >= 0; verdict--) {
		for (size_t i = 0; i < pair->now->finding_count; i++) {
			const struct finding *now = &pair->now->findings[i];
			if ((int)now->verdict != verdict)
				continue;
			draw_finding(&p, columns, finding_of(pair->before, now->name), now);
			p.row++;
			if (columns[SAYS].width == 0 && verdict != FINDING_PASS)
				p.row += canvas_put_wrapped(p.c, p.row, p.column + INDENT, p.columns - INDENT, 3,
							    ROLE_DIM, now->text);
		}
	}
	for (size_t i = 0; i < pair->before->finding_count; i++) {
		const struct finding *before = &pair->before->findings[i];
		if (finding_of(pair->now, before->name) != NULL)
			continue;
		draw_finding(&p, columns, before, NULL);
		p.row++;
	}
	return p.row;
}

int test_draw_findings(struct test_place p, const struct test_pair *pair)
{
	const struct snapshot_report *now = pair->now;
	if (pair->before != NULL && now->finding_count + pair->before->finding_count > 0)
		return compare_findings(p, pair);
	int rows = findings_rows(now->findings, now->finding_count, p.columns);
	findings_draw(p.c, (struct area){p.row, p.column, rows, p.columns}, now->findings, now->finding_count);
	return p.row + rows;
}

/* --- figures --- */

enum { F_NAME, F_WAS, F_NOW, F_CHANGE, F_TREND, F_COUNT };

static const struct grid_column figure_columns[F_COUNT] = {
    [F_NAME] = {"FIGURE", 0, 16, 32, false, 0}, [F_WAS] = {"", 3, 9, 18, true, 0},   [F_NOW] = {"", 1, 9, 18, true, 0},
    [F_CHANGE] = {"CHANGE", 4, 7, 8, true, 0},  [F_TREND] = {"", 2, 8, 8, false, 0},
};

static void draw_figure(const struct test_place *p, const struct grid_column *columns, const struct figure *before,
			const struct figure *now)
{
	int at = p->column;
	for (int i = 0; i < F_COUNT; i++) {
		const struct figure *f = i == F_WAS ? before : now;
		char text[FIGURE_TEXT_SIZE] = "";
		enum canvas_role role = i == F_NAME || i == F_NOW ? ROLE_TEXT : ROLE_DIM;
		if (columns[i].width == 0)
			continue;
		if (i == F_NAME)
			snprintf(text, sizeof(text), "%s", now != NULL ? now->name : before->name);
		else if (i == F_CHANGE && before != NULL && now != NULL)
			trend_text(before->value, now->value, text, sizeof(text));
		else if (i == F_TREND)
			role = test_trend_text(p->c, figure_trend(before, now), text, sizeof(text));
		else if (i != F_CHANGE && f != NULL)
			test_figure_text(p->c, f, text, sizeof(text));
		else if (i != F_CHANGE)
			snprintf(text, sizeof(text), "-");
		grid_put(p->c, p->row, at, &columns[i], role, text);
		at += columns[i].width + GRID_GAP;
	}
}

/* A figure of either; one of them may be NULL. */
struct figure_pair {
	const struct figure *before, *now;
};

/* What got worse comes first, what was set last. */
static int figure_rank(const struct figure_pair *f)
{
	const char *name = f->now != NULL ? f->now->name : f->before->name;
	if (figure_trend(f->before, f->now) == TREND_WORSE)
		return 0;
	return strncmp(name, "settings.", 9) == 0 || strncmp(name, "noise.", 6) == 0 ? 2 : 1;
}

/* Those of now, then those that only before has, within a rank; returns how many. */
static size_t figures_collect(const struct test_pair *pair, struct figure_pair *list)
{
	size_t count = 0, before_count = pair->before != NULL ? pair->before->figure_count : 0;
	for (int rank = 0; rank <= 2; rank++) {
		for (size_t i = 0; i < pair->now->figure_count; i++) {
			const struct figure *now = &pair->now->figures[i];
			list[count] = (struct figure_pair){figure_of(pair->before, now->name), now};
			count += figure_rank(&list[count]) == rank;
		}
		for (size_t i = 0; i < before_count; i++) {
			list[count] = (struct figure_pair){&pair->before->figures[i], NULL};
			count +=
			    figure_of(pair->now, list[count].before->name) == NULL && figure_rank(&list[count]) == rank;
		}
	}
	return count;
}

static void figures_lay_out(const struct test_pair *pair, int width, struct grid_column *columns)
{
	memcpy(columns, figure_columns, sizeof(figure_columns));
	columns[F_WAS].heading = pair->before_heading;
	columns[F_NOW].heading = pair->now_heading;
	if (pair->before == NULL) {
		columns[F_WAS].rank = columns[F_CHANGE].rank = columns[F_TREND].rank = GRID_RANKS;
		columns[F_NOW].right = false;
		columns[F_NOW].most = width;
	}
	grid_lay_out(columns, F_COUNT, width);
}

int test_draw_figures(struct test_place p, const struct test_pair *pair)
{
	struct figure_pair list[2 * FIGURES_MAX + 1];
	struct grid_column columns[F_COUNT];
	int count = (int)figures_collect(pair, list);
	int beside = p.columns >= WIDE ? 2 : 1, width = p.columns / beside - (beside - 1);
	int rows = (count + beside - 1) / beside;
	if (count == 0)
		return p.row;
	figures_lay_out(pair, width, columns);
	for (int half = 0; half < beside; half++) {
		struct test_place side = {p.c, p.row, p.column + half * (width + 2), width};
		grid_headings_at(p.c, side.row, side.column, columns, F_COUNT);
		for (int i = half * rows; i < (half + 1) * rows && i < count; i++) {
			side.row++;
			draw_figure(&side, columns, list[i].before, list[i].now);
		}
	}
	return p.row + rows + 1;
}
