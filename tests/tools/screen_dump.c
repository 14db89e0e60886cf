/* screen_dump: a screen drawn from a snapshot file, on standard output. For looking at and for
 * scripts. usage: screen_dump FILE VIEW COLUMNS ROWS text|ascii|blocks|ansi|svg [MODEL [THEME
 * [AGE_MS]]] */
#include "ui/view/render.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct snapshot *load(const char *path)
{
	static char text[4 << 20];
	FILE *file = fopen(path, "rb");
	struct snapshot *s = NULL;
	struct err e = {0};
	if (file == NULL)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	cJSON *json = cJSON_Parse(text);
	if (snapshot_from_json(json, &s, &e) != 0)
		fprintf(stderr, "%s: %s\n", path, e.text);
	cJSON_Delete(json);
	return s;
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: screen_dump FILE VIEW COLUMNS ROWS text|ascii|blocks|ansi|svg "
				"[MODEL [THEME [AGE_MS]]]\n");
		return 2;
	}
	struct snapshot *s = load(argv[1]);
	const char *format = argv[5];
	enum charset charset = strcmp(format, "ascii") == 0    ? CHARSET_ASCII
			       : strcmp(format, "blocks") == 0 ? CHARSET_BLOCKS
							       : CHARSET_BRAILLE;
	struct canvas *c = canvas_new(atoi(argv[3]), atoi(argv[4]), charset);
	struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .utc = true};
	struct theme theme;
	struct err e = {0};
	struct buf b;
	if (s == NULL || c == NULL || theme_load(argc > 7 ? argv[7] : THEME_DEFAULT, &theme, &e) != 0) {
		fprintf(stderr, "screen_dump: %s\n", e.text);
		return 1;
	}
	state.now_ms = s->server.now_ms;
	state.age_ms = argc > 8 ? atol(argv[8]) : 0;
	snprintf(state.view, sizeof(state.view), "%s", argv[2]);
	const char *first = s->model_count > 0 ? s->models[0].name : "";
	snprintf(state.model, sizeof(state.model), "%s", argc > 6 ? argv[6] : first);
	screen_draw(c, &state);
	buf_init(&b);
	if (strcmp(format, "svg") == 0)
		render_svg(c, &theme, &b);
	else if (strcmp(format, "ansi") == 0)
		render_ansi(c, &theme, &b);
	else
		render_text(c, &b);
	fwrite(b.data, 1, b.size, stdout);
	buf_release(&b);
	canvas_free(c);
	snapshot_free(s);
	return 0;
}
