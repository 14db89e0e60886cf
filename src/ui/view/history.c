#include "ui/view/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *action, *glyph, *ascii;
} glyphs[] = {
    {"deploy", "+", "+"}, {"promote", "↑", "^"}, {"rollback", "↓", "v"}, {"split", "◐", "%"},
    {"shadow", "◌", "."}, {"rollout", "»", ">"}, {"apply", "=", "="},
};

struct history history_of(const struct snapshot_model *m)
{
	if (m->revision_count > 0)
		return (struct history){m->revisions, m->revision_count};
	return (struct history){m->history, m->history_count};
}

size_t history_selected(const struct ui_state *state, const struct history *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->list[i].revision == state->revision)
			return i;
	}
	return 0;
}

const char *history_glyph(const struct canvas *c, const char *action)
{
	for (size_t i = 0; i < sizeof(glyphs) / sizeof(glyphs[0]); i++) {
		if (strcmp(glyphs[i].action, action) == 0)
			return canvas_glyph(c, glyphs[i].glyph, glyphs[i].ascii);
	}
	return canvas_glyph(c, "·", "-");
}

enum canvas_role history_role(const struct snapshot_revision *r)
{
	if (r->forced)
		return ROLE_BAD;
	if (strcmp(r->action, "rollback") == 0)
		return ROLE_WARNING;
	if (strcmp(r->action, "shadow") == 0)
		return ROLE_SHADOW;
	return strcmp(r->action, "split") == 0 || strcmp(r->action, "rollout") == 0 ? ROLE_CANARY : ROLE_LIVE;
}

/* "v2 80% v3 20% v8 shadow 25%", as route_text() writes it; roles but for shadow are left as canary. */
static size_t parse(const char *text, struct route_entry *entries)
{
	size_t count = 0;
	while (count < ROUTE_ENTRIES_MAX && *text == 'v') {
		char *end;
		unsigned long version = strtoul(text + 1, &end, 10);
		bool shadow = strncmp(end, " shadow ", 8) == 0;
		double percent = strtod(end + (shadow ? 8 : *end == ' '), &end);
		if (version == 0 || version > UINT32_MAX || *end != '%' || !(percent >= 0 && percent <= 100))
			break;
		entries[count++] = (struct route_entry){(uint32_t)version, shadow ? ROUTE_SHADOW : ROUTE_CANARY,
							(uint32_t)(percent * 100 + 0.5)};
		text = end + 1 + (end[1] == ' ');
	}
	return count;
}

/* The version live in the one before stays so while it has a share, else the greatest share decides. */
static uint32_t live_of(const struct route_entry *entries, size_t count, uint32_t before)
{
	const struct route_entry *greatest = NULL;
	for (size_t i = 0; i < count; i++) {
		if (entries[i].role == ROUTE_SHADOW)
			continue;
		if (entries[i].version == before)
			return before;
		if (greatest == NULL || entries[i].weight_bp > greatest->weight_bp)
			greatest = &entries[i];
	}
	return greatest != NULL ? greatest->version : 0;
}

/* A rollback restores a route of before, with its roles. */
static const struct snapshot_revision *restored(const struct history *h, size_t at)
{
	if (strcmp(h->list[at].action, "rollback") != 0)
		return NULL;
	for (size_t i = at + 1; i < h->count; i++) {
		if (strcmp(h->list[i].route, h->list[at].route) == 0)
			return &h->list[i];
	}
	return NULL;
}

static uint32_t live_at(const struct history *h, size_t at)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	const struct snapshot_revision *copy = restored(h, at);
	uint32_t live = 0;
	size_t from = h->count;
	if (copy != NULL)
		at = (size_t)(copy - h->list);
	/* What is single needs nothing of before. */
	for (size_t i = at; i < h->count && from == h->count; i++) {
		if (parse(h->list[i].route, entries) == 1 && restored(h, i) == NULL)
			from = i + 1;
	}
	while (from-- > at) {
		size_t count = parse(h->list[from].route, entries);
		live = live_of(entries, count, live);
	}
	return live;
}

size_t history_route(const struct snapshot_model *m, const struct history *h, size_t at,
		     struct route_entry entries[ROUTE_ENTRIES_MAX])
{
	if (at >= h->count)
		return 0;
	size_t count = parse(h->list[at].route, entries);
	uint32_t live = h->list[at].revision == m->revision ? m->live : live_at(h, at);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].version == live && entries[i].role != ROUTE_SHADOW)
			entries[i].role = ROUTE_LIVE;
	}
	return count;
}

void history_bar(struct canvas *c, int row, int column, int columns, const struct snapshot_model *m,
		 const struct history *h, size_t at)
{
	struct route_entry entries[ROUTE_ENTRIES_MAX] = {{0}};
	size_t count = history_route(m, h, at, entries);
	chart_split(c, row, column, columns, entries, count);
	if (count == 0)
		canvas_put(c, row, column, columns, ROLE_DIM, "none");
}

void history_marks(struct canvas *c, int row, int column, int columns, const struct history *h, int64_t from_ms,
		   int64_t to_ms)
{
	int taken = columns + 1; /* from here on cells are in use */
	for (size_t i = 0; i < h->count; i++) {
		const struct snapshot_revision *r = &h->list[i];
		char text[16];
		if (r->at_ms < from_ms || r->at_ms > to_ms || to_ms <= from_ms)
			continue;
		int at = (int)((double)(r->at_ms - from_ms) / (double)(to_ms - from_ms) * columns);
		at = at < columns ? at : columns - 1;
		int width = snprintf(text, sizeof(text), "r%u", r->revision);
		if (at >= taken)
			continue;
		canvas_cell(c, row, column + at, c->charset == CHARSET_ASCII ? '|' : 0x2575, history_role(r));
		if (at + 1 + width < taken && at + 1 + width <= columns)
			canvas_put(c, row, column + at + 1, width, history_role(r), text);
		taken = at;
	}
}
