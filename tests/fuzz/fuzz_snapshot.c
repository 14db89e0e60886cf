/* fuzz_snapshot: JSON that may be a snapshot, into every view at several sizes, and back to JSON.
 * corpus: tests/screen/fixtures */
#include "ui/view/render.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct canvas *c)
{
	for (int i = 0; i < c->columns * c->rows; i++) {
		uint32_t glyph = c->cells[i].glyph;
		if (glyph != 0 && (glyph < ' ' || canvas_glyph_width(glyph) == 0))
			abort(); /* a terminal would obey it */
	}
}

static void draw_all(const struct snapshot *s)
{
	static const int sizes[][2] = {{40, 10}, {80, 24}, {200, 50}, {23, 70}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t v = 0; v < view_count; v++) {
			struct canvas *c = canvas_new(sizes[i][0], sizes[i][1], (enum charset)(i % 3));
			struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .utc = true};
			struct buf b;
			if (c == NULL)
				return;
			state.now_ms = s->server.now_ms;
			snprintf(state.view, sizeof(state.view), "%s", view_table[v]->name);
			/* Each job has charts of its own. */
			if (s->job_count > 0)
				state.job = s->jobs[i % s->job_count].id;
			if (s->model_count > 0)
				snprintf(state.model, sizeof(state.model), "%s", s->models[0].name);
			screen_draw(c, &state);
			check(c);
			buf_init(&b);
			render_text(c, &b);
			buf_release(&b);
			canvas_free(c);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snapshot *s = NULL;
	struct err e = {0};
	cJSON *json = cJSON_ParseWithLength((const char *)data, size);
	if (snapshot_from_json(json, &s, &e) == 0) {
		draw_all(s);
		cJSON_Delete(snapshot_to_json(s));
		snapshot_free(s);
	}
	cJSON_Delete(json);
	return 0;
}
