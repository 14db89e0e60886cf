#include "ui/view/findings.h"

#include "core/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define GAP 2
#define SENTENCE_COLUMNS_MIN 34 /* narrower, it stands below */
#define INDENT 2
#define LINE_WASTE 16

#define VALUE_WIDE 9       /* "0.0269 sd", "p <1e-300" */
#define VALUE_WIDE_FROM 60 /* of the columns that there are */

enum { VERDICT, NAME, VALUE, THRESHOLD, COUNTED, COLUMN_COUNT };

static const struct {
	const char *heading;
	int width, rank;
	bool right;
} columns_all[COLUMN_COUNT] = {
    [VERDICT] = {"VERDICT", 8, 0, false}, [NAME] = {"NAME", 17, 0, false},       [VALUE] = {"VALUE", 7, 1, true},
    [THRESHOLD] = {"LIMIT", 7, 2, true},  [COUNTED] = {"N/NEEDED", 10, 3, true},
};

/* Which columns there are, and where the sentence begins; 0: below. */
struct layout {
	bool shown[COLUMN_COUNT];
	int width[COLUMN_COUNT];
	int sentence;
};

/* The widest sentence of those that did not pass: what it says must not be cut where there is room below. */
static int sentence_width(const struct finding *findings, size_t count)
{
	int widest = SENTENCE_COLUMNS_MIN;
	for (size_t i = 0; i < count; i++) {
		int width = findings[i].verdict == FINDING_PASS ? 0 : canvas_width(findings[i].text);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static struct layout lay_out(int room, const struct finding *findings, size_t count)
{
	struct layout l = {.sentence = 0};
	int used = 0;
	for (int i = 0; i < COLUMN_COUNT; i++)
		l.width[i] = columns_all[i].width;
	if (room >= VALUE_WIDE_FROM)
		l.width[VALUE] = VALUE_WIDE;
	for (int rank = 0; rank <= 3; rank++) {
		for (int i = 0; i < COLUMN_COUNT; i++) {
			if (columns_all[i].rank != rank)
				continue;
			l.shown[i] = used + l.width[i] <= room;
			used += l.shown[i] ? l.width[i] + GAP : 0;
		}
	}
	if (room - used >= sentence_width(findings, count))
		l.sentence = used;
	return l;
}

enum canvas_role findings_verdict_text(const struct canvas *c, const struct finding *f, char *text, size_t size)
{
	if (f->forced && f->verdict != FINDING_PASS) {
		snprintf(text, size, "%s forced", canvas_glyph(c, "▲", "!"));
		return ROLE_BAD;
	}
	snprintf(text, size, "%s %s",
		 f->verdict == FINDING_PASS   ? canvas_glyph(c, "✓", "+")
		 : f->verdict == FINDING_FAIL ? canvas_glyph(c, "✕", "x")
					      : canvas_glyph(c, "○", "o"),
		 finding_verdict_name(f->verdict));
	return f->verdict == FINDING_PASS ? ROLE_OK : f->verdict == FINDING_FAIL ? ROLE_BAD : ROLE_WARNING;
}

static int rank_of(const struct finding *f)
{
	if (f->forced && f->verdict != FINDING_PASS)
		return 2;
	return f->verdict == FINDING_FAIL ? 0 : f->verdict == FINDING_WAIT ? 1 : 3;
}

/* The finding at a place of the order in which they are shown. */
static const struct finding *at_place(const struct finding *findings, size_t count, size_t place)
{
	for (int rank = 0; rank <= 3; rank++) {
		for (size_t i = 0; i < count; i++) {
			if (rank_of(&findings[i]) == rank && place-- == 0)
				return &findings[i];
		}
	}
	return NULL;
}

void findings_number_text(double value, const char *unit, char *text, size_t size)
{
	char number[TEXT_AGE_SIZE];
	if (!isfinite(value)) {
		snprintf(text, size, "-");
		return;
	}
	if (strcmp(unit, "s") == 0 && value >= 0 && value < 1e15) {
		text_age(number, (long long)value);
		snprintf(text, size, "%s", number);
		return;
	}
	if (value >= 1000)
		text_count(number, sizeof(number), value);
	else
		snprintf(number, sizeof(number), "%.3g", value);
	if (strcmp(unit, "p") == 0)
		snprintf(text, size, "p %s", value > 0 ? number : "<1e-300");
	else
		snprintf(text, size, "%s%s%s", number, unit[0] != '\0' && strchr("%x/", unit[0]) == NULL ? " " : "",
			 unit);
}

static void counted_text(const struct finding *f, char *text, size_t size)
{
	char n[16], needed[16];
	text_count(n, sizeof(n), (double)f->n);
	text_count(needed, sizeof(needed), (double)f->n_needed);
	if (f->n_needed > 0)
		snprintf(text, size, "%s/%s", n, needed);
	else
		snprintf(text, size, "%s", f->n > 0 ? n : "-");
}

static void draw_numbers(struct canvas *c, int row, int column, const struct layout *l, const struct finding *f)
{
	for (int i = 0; i < COLUMN_COUNT; i++) {
		char text[48] = "";
		enum canvas_role role = ROLE_TEXT;
		if (!l->shown[i])
			continue;
		if (i == VERDICT)
			role = findings_verdict_text(c, f, text, sizeof(text));
		else if (i == NAME)
			snprintf(text, sizeof(text), "%s", f->name);
		else if (i == VALUE)
			findings_number_text(f->value, f->unit, text, sizeof(text));
		else if (i == THRESHOLD)
			findings_number_text(f->threshold, f->unit, text, sizeof(text));
		else
			counted_text(f, text, sizeof(text));
		if (strcmp(text, "-") == 0)
			role = ROLE_DIM;
		if (columns_all[i].right)
			canvas_put_right(c, row, column, l->width[i], role, text);
		else
			canvas_put(c, row, column, l->width[i], role, text);
		column += l->width[i] + GAP;
	}
}

static void draw_headings(struct canvas *c, int row, int column, const struct layout *l)
{
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (!l->shown[i])
			continue;
		if (columns_all[i].right)
			canvas_put_right(c, row, column, l->width[i], ROLE_HEADER, columns_all[i].heading);
		else
			canvas_put(c, row, column, l->width[i], ROLE_HEADER, columns_all[i].heading);
		column += l->width[i] + GAP;
	}
	if (l->sentence > 0)
		canvas_put(c, row, column, -1, ROLE_HEADER, "WHAT IT SAYS");
}

/* Rows that the sentence takes below its numbers. */
static int sentence_rows(const struct finding *f, int columns)
{
	int width = canvas_width(f->text), room = columns - INDENT;
	if (width <= room || room < 8)
		return width > 0;
	/* Words are not cut, so a line is not filled to its end. */
	return width <= 2 * room - LINE_WASTE ? 2 : 3;
}

int findings_rows(const struct finding *findings, size_t count, int columns)
{
	struct layout l = lay_out(columns, findings, count);
	int rows = count > 0 ? 1 + (int)count : 0;
	for (size_t i = 0; l.sentence == 0 && i < count; i++)
		rows += rank_of(&findings[i]) < 3 ? sentence_rows(&findings[i], columns) : 0;
	return rows;
}

void findings_draw(struct canvas *c, struct area area, const struct finding *findings, size_t count)
{
	struct layout l = lay_out(area.columns, findings, count);
	int row = area.row, bottom = area.row + area.rows, spare = area.rows - (int)count;
	if (count == 0 || area.rows <= 0)
		return;
	/* Headings, then sentences, only where every finding still gets its line. */
	if (spare > 0) {
		draw_headings(c, row++, area.column, &l);
		spare--;
	}
	for (size_t i = 0; i < count && row < bottom; i++) {
		const struct finding *f = at_place(findings, count, i);
		int rows = l.sentence > 0 || rank_of(f) == 3 ? 0 : sentence_rows(f, area.columns);
		rows = rows < spare ? rows : spare > 0 ? spare : 0;
		draw_numbers(c, row, area.column, &l, f);
		if (l.sentence > 0)
			canvas_put(c, row, area.column + l.sentence, area.columns - l.sentence,
				   rank_of(f) == 3 ? ROLE_DIM : ROLE_TEXT, f->text);
		row++;
		if (rows > 0)
			row += canvas_put_wrapped(c, row, area.column + INDENT, area.columns - INDENT, rows, ROLE_DIM,
						  f->text);
		spare -= rows;
	}
}

void findings_summary(const struct finding *findings, size_t count, char *text, size_t size)
{
	static const char *const one[] = {"fails", "waits", "was forced", "passes"};
	static const char *const many[] = {"fail", "wait", "were forced", "pass"};
	size_t used = 0;
	text[0] = '\0';
	for (int rank = 0; rank <= 3; rank++) {
		int n = 0;
		for (size_t i = 0; i < count; i++)
			n += rank_of(&findings[i]) == rank;
		if (n > 0 && used < size)
			used += (size_t)snprintf(text + used, size - used, "%s%d %s", used > 0 ? ", " : "", n,
						 n == 1 ? one[rank] : many[rank]);
	}
}
