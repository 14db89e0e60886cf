#include "ui/view/panes.h"

#include "ui/view/rollout_pane.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* From this share of failed requests on, a model's state is "errors". */
#define ERRORS_PERCENT 1.0

enum canvas_role panes_role(const struct route_entry *entry)
{
	if (entry == NULL)
		return ROLE_DIM;
	return entry->role == ROUTE_LIVE ? ROLE_LIVE : entry->role == ROUTE_CANARY ? ROLE_CANARY : ROLE_SHADOW;
}

uint32_t panes_role_glyph(const struct route_entry *entry)
{
	if (entry == NULL)
		return 0xb7;
	return entry->role == ROUTE_LIVE ? 0x2588 : entry->role == ROUTE_CANARY ? 0x2592 : 0x25cc;
}

static const struct route_entry *entry_of(const struct snapshot_model *m, uint32_t version)
{
	for (size_t i = 0; i < m->route_count; i++) {
		if (m->route[i].version == version)
			return &m->route[i];
	}
	return NULL;
}

static int rank_of(const struct shown *s, uint32_t selected)
{
	if (s->entry != NULL && s->entry->role == ROUTE_LIVE)
		return 0;
	if (s->version == selected)
		return 1;
	return s->entry == NULL ? 4 : s->entry->role == ROUTE_CANARY ? 2 : 3;
}

static bool before(const struct shown *a, const struct shown *b, uint32_t selected)
{
	int rank_a = rank_of(a, selected), rank_b = rank_of(b, selected);
	return rank_a != rank_b ? rank_a < rank_b : a->version > b->version;
}

size_t panes_collect(const struct snapshot_model *m, uint32_t selected, struct shown *shown, size_t max)
{
	size_t count = 0;
	for (size_t i = 0; i < m->per_version_count; i++) {
		uint32_t version = m->per_version[i].version;
		struct shown s = {version, entry_of(m, version), &m->per_version[i]};
		size_t at = count < max ? count++ : max;
		/* Sorted as it goes: there are few, and the last falls off when there are many. */
		if (at == max && !before(&s, &shown[--at], selected))
			continue;
		while (at > 0 && before(&s, &shown[at - 1], selected)) {
			shown[at] = shown[at - 1];
			at--;
		}
		shown[at] = s;
	}
	return count;
}

static struct model_state state_of(const struct canvas *c, enum canvas_role role, const char *glyph, const char *ascii,
				   const char *word)
{
	struct model_state s = {.role = role};
	snprintf(s.text, sizeof(s.text), "%s %s", canvas_glyph(c, glyph, ascii), word);
	snprintf(s.brief, sizeof(s.brief), "%.20s", s.text);
	return s;
}

/* The oldest alert of the model that fires: "▲ rollout alert, 13:40". */
static bool alert_state(const struct canvas *c, const struct ui_state *state, const struct snapshot_model *m,
			struct model_state *s)
{
	const struct alert *oldest = NULL;
	char since[32];
	for (size_t i = 0; i < state->snapshot->alert_count; i++) {
		const struct alert *a = &state->snapshot->alerts[i];
		if (a->state == ALERT_FIRING && strcmp(a->model, m->name) == 0 &&
		    (oldest == NULL || a->since_ms < oldest->since_ms))
			oldest = a;
	}
	if (oldest == NULL)
		return false;
	panes_time(state, oldest->since_ms, false, since, sizeof(since));
	*s = state_of(c, ROLE_BAD, "▲", "!", "alert");
	snprintf(s->text, sizeof(s->text), "%s %s alert, %.5s", canvas_glyph(c, "▲", "!"), oldest->rule, since);
	return true;
}

static struct model_state rollout_state(const struct canvas *c, const struct rollout *r)
{
	struct model_state s;
	s.role = rollout_state_text(c, r, false, s.text, sizeof(s.text));
	rollout_state_text(c, r, true, s.brief, sizeof(s.brief));
	return s;
}

/* "◌ shadow v8 25%" of a model with nothing else to say. */
static struct model_state shadow_state(const struct canvas *c, const struct route_entry *shadow)
{
	struct model_state s = state_of(c, ROLE_SHADOW, "◌", ".", "shadow");
	snprintf(s.text, sizeof(s.text), "%s shadow v%u %.4g%%", canvas_glyph(c, "◌", "."), shadow->version,
		 shadow->weight_bp / 100.0);
	return s;
}

struct model_state panes_state(const struct canvas *c, const struct ui_state *state, const struct snapshot_model *m)
{
	const struct route_entry *canary = NULL, *shadow = NULL;
	struct model_state s;
	if (state->connection == CONNECTION_LOST || state->age_ms > UI_STALE_MS)
		return state_of(c, ROLE_DIM, "?", "?", "unknown");
	for (size_t i = 0; i < m->route_count; i++) {
		const struct snapshot_version *v = snapshot_version_of(m, m->route[i].version);
		/* "failed", "away" or "unloaded": one of those that should answer cannot. */
		if (v != NULL && strcmp(v->state, "loading") == 0)
			return state_of(c, ROLE_CANARY, "◐", "%", v->state);
		if (v != NULL && strcmp(v->state, "ready") != 0)
			return state_of(c, ROLE_BAD, "✕", "x", v->state);
		canary = m->route[i].role == ROUTE_CANARY ? &m->route[i] : canary;
		shadow = m->route[i].role == ROUTE_SHADOW ? &m->route[i] : shadow;
	}
	if (alert_state(c, state, m, &s))
		return s;
	if (m->live == 0)
		return state_of(c, ROLE_WARNING, "○", "o", "not live");
	if (m->stats.errors > 0 && snapshot_error_percent(&m->stats) >= ERRORS_PERCENT)
		return state_of(c, ROLE_BAD, "▲", "!", "errors");
	if (m->rollout != NULL && !rollout_ended(m->rollout))
		return rollout_state(c, m->rollout);
	if (m->stats.requests == 0)
		return state_of(c, ROLE_DIM, "○", "o", "idle");
	if (canary != NULL)
		return state_of(c, ROLE_CANARY, "◐", "%", "split");
	return shadow != NULL ? shadow_state(c, shadow) : state_of(c, ROLE_OK, "●", "*", "ok");
}

void panes_split_text(const struct snapshot_model *m, bool brief, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < m->route_count && used < size; i++) {
		const struct route_entry *e = &m->route[i];
		if (e->role == ROUTE_LIVE)
			continue;
		const char *comma = used > 0 ? ", " : "";
		int n = brief ? snprintf(text + used, size - used, "%s%sv%u %.4g%%", comma,
					 e->role == ROUTE_SHADOW ? "◌" : "", e->version, e->weight_bp / 100.0)
			      : snprintf(text + used, size - used, "%sv%u %s %.4g%%", comma, e->version,
					 route_role_name(e->role), e->weight_bp / 100.0);
		used += n > 0 ? (size_t)n : 0;
	}
}

void panes_duration(const struct canvas *c, uint64_t ns, char *text, size_t size)
{
	if (ns == 0)
		snprintf(text, size, "-");
	else
		text_duration(text, size, (double)ns, c->charset == CHARSET_ASCII);
}

void panes_time(const struct ui_state *state, int64_t at_ms, bool date, char *text, size_t size)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm tm, *known = state->utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm);
	if (at_ms <= 0 || known == NULL || strftime(text, size, date ? "%m-%d %H:%M" : "%H:%M:%S", &tm) == 0)
		snprintf(text, size, "-");
}

void panes_ago(int64_t now_ms, int64_t at_ms, char *text, size_t size)
{
	long long s = now_ms > at_ms ? (now_ms - at_ms) / 1000 : 0;
	if (at_ms <= 0)
		snprintf(text, size, "-");
	else if (s < 100)
		snprintf(text, size, "%lld s ago", s);
	else if (s < 6000)
		snprintf(text, size, "%lld min ago", s / 60);
	else if (s < 48 * 3600)
		snprintf(text, size, "%lld h ago", s / 3600);
	else
		snprintf(text, size, "%lld d ago", s / 86400);
}

int panes_scroll(const struct ui_state *state, int top, int bottom, int lines)
{
	int hidden = lines - (bottom - top);
	int scroll = state->scroll < hidden ? state->scroll : hidden;
	return scroll > 0 ? scroll : 0;
}

void panes_scroll_marks(struct canvas *c, int top, int bottom, int lines, int scroll)
{
	if (scroll > 0)
		canvas_put(c, top, c->columns - 1, 1, ROLE_KEY, canvas_glyph(c, "↑", "^"));
	if (scroll < lines - (bottom - top))
		canvas_put(c, bottom - 1, c->columns - 1, 1, ROLE_KEY, canvas_glyph(c, "↓", "v"));
}

void panes_rule(struct canvas *c, int row, int column, int columns, const char *title)
{
	canvas_fill(c, row, column, 1, columns, 0x2500, ROLE_BORDER);
	if (title[0] == '\0' || columns < 8)
		return;
	canvas_cell(c, row, column + 1, ' ', ROLE_BORDER);
	int end = canvas_put(c, row, column + 2, columns - 4, ROLE_HEADER, title);
	canvas_cell(c, row, end, ' ', ROLE_BORDER);
}
