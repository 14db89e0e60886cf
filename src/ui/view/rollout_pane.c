#include "ui/view/rollout_pane.h"

#include <stdio.h>
#include <string.h>

#define SEGMENT_COLUMNS_MIN 6 /* of a step, else only those around the current one are in sight */
#define GAP 1

void rollout_left_text(int64_t left_ms, char *text, size_t size)
{
	long long s = left_ms > 0 ? (left_ms + 999) / 1000 : 0; /* 0 only when it is over */
	if (s >= 86400)
		snprintf(text, size, "%lld d %02lld h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, size, "%02lld:%02lld", s / 60, s % 60);
}

/* The finding that makes it wait when the hold is over, or NULL. */
static const struct finding *held_back(const struct rollout *r)
{
	return r->state == ROLLOUT_RUNNING && rollout_left_ms(r) == 0 ? findings_first(r->findings, r->finding_count)
								      : NULL;
}

enum canvas_role rollout_state_text(const struct canvas *c, const struct rollout *r, bool brief, char *text,
				    size_t size)
{
	char left[24];
	unsigned step = r->step + 1, count = r->step_count;
	rollout_left_text(rollout_left_ms(r), left, sizeof(left));
	switch (r->state) {
	case ROLLOUT_RUNNING:
		if (held_back(r) != NULL)
			snprintf(text, size, brief ? "%s %u/%u waits" : "%s rollout %u/%u, waits",
				 canvas_glyph(c, "◐", "%"), step, count);
		else
			snprintf(text, size, brief ? "%s %u/%u %s" : "%s rollout %u/%u, %s left",
				 canvas_glyph(c, "◐", "%"), step, count, left);
		return ROLE_CANARY;
	case ROLLOUT_PAUSED:
		snprintf(text, size, brief ? "%s %u/%u paused" : "%s rollout %u/%u, paused", canvas_glyph(c, "■", "#"),
			 step, count);
		return ROLE_WARNING;
	case ROLLOUT_DONE:
		snprintf(text, size, brief ? "%s done" : "%s rollout done", canvas_glyph(c, "✓", "+"));
		return ROLE_OK;
	default:
		snprintf(text, size, brief ? "%s %s" : "%s rollout %s", canvas_glyph(c, "✕", "x"),
			 rollout_state_name(r->state));
		return ROLE_BAD;
	}
}

enum step_state { STEP_DONE, STEP_NOW, STEP_NEXT, STEP_DROPPED };

static enum step_state step_state(const struct rollout *r, uint32_t i)
{
	if (r->state == ROLLOUT_DONE || i < r->step)
		return STEP_DONE;
	if (i == r->step && !rollout_ended(r))
		return STEP_NOW;
	return rollout_ended(r) ? STEP_DROPPED : STEP_NEXT;
}

static void draw_step(struct canvas *c, struct area area, const struct rollout *r, uint32_t i)
{
	static const struct {
		const char *glyph, *ascii;
		enum canvas_role role;
	} looks[] = {[STEP_DONE] = {"✓", "+", ROLE_OK},
		     [STEP_NOW] = {"◐", "%", ROLE_CANARY},
		     [STEP_NEXT] = {"○", "o", ROLE_DIM},
		     [STEP_DROPPED] = {"✕", "x", ROLE_BAD}};
	enum step_state state = step_state(r, i);
	int64_t hold = r->steps[i].hold_ms;
	double part = state == STEP_DONE ? 1 : state == STEP_NOW && hold > 0 ? (double)r->held_ms / (double)hold : 0;
	bool last = i + 1 == r->step_count;
	char text[32], left[24];
	canvas_format(c, area.row, area.column, area.columns, looks[state].role, "%s %.4g%%",
		      canvas_glyph(c, looks[state].glyph, looks[state].ascii), r->steps[i].weight_bp / 100.0);
	if (state == STEP_NOW)
		canvas_bold(c, area.row, area.column, area.columns);
	if (area.rows > 1)
		chart_progress(c, area.row + 1, area.column, area.columns, part > 1 ? 1 : part,
			       state == STEP_NOW ? ROLE_CANARY : ROLE_LIVE);
	if (area.rows < 3)
		return;
	rollout_hold_text(text, sizeof(text), hold);
	if (last)
		snprintf(text, sizeof(text), "all of it");
	else if (state == STEP_NOW && r->state == ROLLOUT_PAUSED)
		snprintf(text, sizeof(text), "paused");
	else if (state == STEP_NOW) {
		rollout_left_text(rollout_left_ms(r), left, sizeof(left));
		snprintf(text, sizeof(text), "%s left", left);
	}
	canvas_put(c, area.row + 2, area.column, area.columns, state == STEP_NOW ? ROLE_TEXT : ROLE_DIM, text);
}

void rollout_steps_draw(struct canvas *c, struct area area, const struct rollout *r)
{
	int fit = (area.columns + GAP) / (SEGMENT_COLUMNS_MIN + GAP), count = (int)r->step_count;
	int shown = count < fit ? count : fit > 0 ? fit : 1, first = (int)r->step - shown / 2;
	int width = (area.columns + GAP) / shown - GAP;
	first = first + shown > count ? count - shown : first;
	first = first < 0 ? 0 : first;
	width = width > 40 ? 40 : width;
	for (int i = 0; i < shown; i++)
		draw_step(c, (struct area){area.row, area.column + i * (width + GAP), area.rows, width}, r,
			  (uint32_t)(first + i));
}

void rollout_why(const struct rollout *r, char *text, size_t size)
{
	const struct finding *f = held_back(r);
	char left[24];
	rollout_left_text(rollout_left_ms(r), left, sizeof(left));
	if (r->note[0] != '\0')
		snprintf(text, size, "%s", r->note);
	else if (r->state == ROLLOUT_PAUSED)
		snprintf(text, size, "paused; its clock stands still");
	else if (r->state != ROLLOUT_RUNNING)
		snprintf(text, size, "it has ended: %s", rollout_state_name(r->state));
	else if (f != NULL)
		snprintf(text, size, "the hold is over; it waits: %s", f->text);
	else if (r->step + 2 >= r->step_count)
		snprintf(text, size, "v%u gets all of the requests in %s, if the analyses pass", r->version, left);
	else
		snprintf(text, size, "next: %.4g%% in %s, if the analyses pass",
			 r->steps[r->step + 1].weight_bp / 100.0, left);
}
