#include "ui/console/route_editor.h"

#include "ui/console/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether it could serve: what is unloaded is loaded when a route names it. */
static bool could_serve(const struct snapshot_version *v)
{
	return v != NULL && (strcmp(v->state, "ready") == 0 || strcmp(v->state, "unloaded") == 0);
}

static const struct route_entry *entry_of(const struct snapshot_model *m, uint32_t version)
{
	for (uint32_t i = 0; i < m->route_count; i++) {
		if (m->route[i].version == version)
			return &m->route[i];
	}
	return NULL;
}

static void row_add(struct route_editor *editor, const struct snapshot_model *m, uint32_t version, bool shadow)
{
	const struct snapshot_version *v = snapshot_version_of(m, version);
	if (editor->row_count == ROUTE_EDITOR_ROWS_MAX || v == NULL || (shadow && version == m->live))
		return; /* what is live answers itself */
	for (size_t i = 0; i < editor->row_count; i++) {
		if (editor->rows[i].version == version && editor->rows[i].shadow == shadow)
			return;
	}
	editor->rows[editor->row_count++] =
	    (struct route_editor_row){.version = version, .shadow = shadow, .ready = could_serve(v)};
}

/* Those of the route, the selected one and the newest, as many as half of the rows hold. */
static void rows_add(struct route_editor *editor, const struct snapshot_model *m, uint32_t selected, bool shadow)
{
	size_t limit = editor->row_count + ROUTE_EDITOR_ROWS_MAX / 2;
	for (uint32_t i = 0; i < m->route_count && editor->row_count < limit; i++)
		row_add(editor, m, m->route[i].version, shadow);
	if (selected > 0 && editor->row_count < limit)
		row_add(editor, m, selected, shadow);
	for (size_t i = m->version_count; i > 0 && editor->row_count < limit; i--)
		row_add(editor, m, m->versions[i - 1].version, shadow);
}

/* Shares above shadows, newer versions above older ones. */
static int compare_rows(const void *a, const void *b)
{
	const struct route_editor_row *x = a, *y = b;
	if (x->shadow != y->shadow)
		return x->shadow ? 1 : -1;
	return x->version < y->version ? 1 : x->version > y->version ? -1 : 0;
}

static void take_shares(struct route_editor *editor, const struct snapshot_model *m)
{
	for (size_t i = 0; i < editor->row_count; i++) {
		struct route_editor_row *row = &editor->rows[i];
		const struct route_entry *entry = entry_of(m, row->version);
		bool same = entry != NULL && (entry->role == ROUTE_SHADOW) == row->shadow;
		row->before_bp = row->weight_bp = same ? entry->weight_bp : 0;
	}
	editor->live = m->live;
}

void route_editor_init(struct route_editor *editor, const struct snapshot_model *m, uint32_t selected)
{
	*editor = (struct route_editor){.rate_rps = m->stats.rate_rps};
	rows_add(editor, m, selected, false);
	rows_add(editor, m, selected, true);
	qsort(editor->rows, editor->row_count, sizeof(editor->rows[0]), compare_rows);
	take_shares(editor, m);
	for (size_t i = 0; i < editor->row_count; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (row->version == selected && !row->shadow)
			editor->at = i;
	}
}

static bool changed(const struct route_editor *editor, bool shadow)
{
	for (size_t i = 0; i < editor->row_count; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (row->shadow == shadow && row->weight_bp != row->before_bp)
			return true;
	}
	return false;
}

bool route_editor_shares_changed(const struct route_editor *editor)
{
	return changed(editor, false);
}

void route_editor_refresh(struct route_editor *editor, const struct snapshot_model *m)
{
	editor->rate_rps = m->stats.rate_rps;
	for (size_t i = 0; i < editor->row_count; i++) {
		const struct snapshot_version *v = snapshot_version_of(m, editor->rows[i].version);
		editor->rows[i].ready = could_serve(v);
	}
	if (!changed(editor, false) && !changed(editor, true))
		take_shares(editor, m);
}

/* The row that a change of row `at` is balanced on. */
static struct route_editor_row *partner(struct route_editor *editor, size_t at)
{
	struct route_editor_row *greatest = NULL;
	for (size_t i = 0; i < editor->row_count; i++) {
		struct route_editor_row *row = &editor->rows[i];
		if (row->shadow || i == at)
			continue;
		if (row->version == editor->live)
			return row;
		if (greatest == NULL || row->weight_bp > greatest->weight_bp)
			greatest = row;
	}
	return greatest;
}

/* Takes so much from the others, the one that is balanced on first; returns what they had to give. */
static uint32_t take_from_others(struct route_editor *editor, size_t at, uint32_t wanted)
{
	struct route_editor_row *first = partner(editor, at);
	uint32_t got = 0;
	if (first == NULL)
		return 0;
	got = first->weight_bp < wanted ? first->weight_bp : wanted;
	first->weight_bp -= got;
	for (size_t i = 0; i < editor->row_count && got < wanted; i++) {
		struct route_editor_row *row = &editor->rows[i];
		uint32_t part = row->weight_bp < wanted - got ? row->weight_bp : wanted - got;
		if (row->shadow || i == at)
			continue;
		row->weight_bp -= part;
		got += part;
	}
	return got;
}

static void share_set(struct route_editor *editor, uint32_t weight_bp)
{
	struct route_editor_row *row = &editor->rows[editor->at];
	if (row->shadow) {
		row->weight_bp = weight_bp;
		return;
	}
	if (weight_bp >= row->weight_bp) {
		row->weight_bp += take_from_others(editor, editor->at, weight_bp - row->weight_bp);
		return;
	}
	struct route_editor_row *other = partner(editor, editor->at);
	if (other == NULL)
		return; /* a single version has it all */
	other->weight_bp += row->weight_bp - weight_bp;
	row->weight_bp = weight_bp;
}

static void share_step(struct route_editor *editor, int step_bp)
{
	int to = (int)editor->rows[editor->at].weight_bp + step_bp;
	share_set(editor, to < 0 ? 0 : to > ROUTE_BUCKETS ? ROUTE_BUCKETS : (uint32_t)to);
}

static bool type(struct route_editor *editor, int key)
{
	size_t length = strlen(editor->typed);
	if (key == DRAW_KEY_BACKSPACE && length > 0)
		editor->typed[--length] = '\0';
	else if (((key >= '0' && key <= '9') || (key == '.' && strchr(editor->typed, '.') == NULL)) &&
		 length + 1 < sizeof(editor->typed)) {
		editor->typed[length] = (char)key;
		editor->typed[length + 1] = '\0';
	} else {
		return key == '%';
	}
	double percent = strtod(editor->typed, NULL);
	share_set(editor, percent >= 100 ? ROUTE_BUCKETS : (uint32_t)lround(percent * 100));
	return true;
}

bool route_editor_key(struct route_editor *editor, int key)
{
	if (editor->row_count == 0)
		return false;
	if ((key >= '0' && key <= '9') || key == '.' || key == '%' || key == DRAW_KEY_BACKSPACE)
		return type(editor, key);
	if (key == DRAW_KEY_UP || key == DRAW_KEY_DOWN) {
		bool up = key == DRAW_KEY_UP;
		if (up ? editor->at == 0 : editor->at + 1 == editor->row_count)
			return false;
		editor->at = up ? editor->at - 1 : editor->at + 1;
	} else if (key == DRAW_KEY_LEFT || key == DRAW_KEY_RIGHT) {
		share_step(editor, key == DRAW_KEY_LEFT ? -ROUTE_EDITOR_STEP_BP : ROUTE_EDITOR_STEP_BP);
	} else if (key == DRAW_KEY_PAGE_DOWN || key == DRAW_KEY_SHIFT_LEFT) {
		share_step(editor, -ROUTE_EDITOR_PAGE_BP);
	} else if (key == DRAW_KEY_PAGE_UP || key == DRAW_KEY_SHIFT_RIGHT) {
		share_step(editor, ROUTE_EDITOR_PAGE_BP);
	} else if (key == DRAW_KEY_HOME || key == DRAW_KEY_END) {
		share_set(editor, key == DRAW_KEY_HOME ? 0 : ROUTE_BUCKETS);
	} else {
		return false;
	}
	editor->typed[0] = '\0';
	return true;
}

size_t route_editor_shares(const struct route_editor *editor, struct route_entry *entries)
{
	size_t count = 0;
	for (size_t i = 0; i < editor->row_count && count < ROUTE_ENTRIES_MAX; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (!row->shadow && row->weight_bp > 0)
			entries[count++] = (struct route_entry){row->version, ROUTE_CANARY, row->weight_bp};
	}
	return count;
}

size_t route_editor_shadows(const struct route_editor *editor, struct route_entry *entries)
{
	size_t count = 0;
	for (size_t i = 0; i < editor->row_count && count < ROUTE_ENTRIES_MAX; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (row->shadow && row->weight_bp != row->before_bp)
			entries[count++] = (struct route_entry){row->version, ROUTE_SHADOW, row->weight_bp};
	}
	return count;
}

/* The rule of route_split(). */
uint32_t route_editor_live(const struct route_editor *editor)
{
	const struct route_editor_row *greatest = NULL;
	for (size_t i = 0; i < editor->row_count; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (row->shadow || row->weight_bp == 0)
			continue;
		if (row->version == editor->live)
			return row->version;
		if (greatest == NULL || row->weight_bp > greatest->weight_bp)
			greatest = row;
	}
	return greatest != NULL ? greatest->version : 0;
}

size_t route_editor_entries(const struct route_editor *editor, struct route_entry *entries)
{
	size_t count = route_editor_shares(editor, entries);
	uint32_t live = route_editor_live(editor);
	for (size_t i = 0; i < count; i++)
		entries[i].role = entries[i].version == live ? ROUTE_LIVE : ROUTE_CANARY;
	for (size_t i = 0; i < editor->row_count && count < ROUTE_ENTRIES_MAX; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (row->shadow && row->weight_bp > 0)
			entries[count++] = (struct route_entry){row->version, ROUTE_SHADOW, row->weight_bp};
	}
	return count;
}

uint32_t route_editor_moved_bp(const struct route_editor *editor)
{
	uint32_t moved = 0;
	for (size_t i = 0; i < editor->row_count; i++) {
		const struct route_editor_row *row = &editor->rows[i];
		if (!row->shadow && row->weight_bp > row->before_bp)
			moved += row->weight_bp - row->before_bp;
	}
	return moved;
}
