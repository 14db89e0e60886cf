/* Screens against golden text: tests/screen/fixtures/NAME.json drawn and compared with
 * tests/screen/expected/. UPDATE_GOLDEN=1 rewrites them; read the difference before committing it.
 */
#include "unit.h"

#include "ui/console/dialog.h"
#include "ui/view/keys.h"
#include "ui/view/render.h"
#include "ui/view/view.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_SIZE_MAX (1 << 20)

struct screen {
	const char *name, *fixture, *view, *model;
	int64_t age_ms;
	const char *filter, *message;
	int prompt;
	int64_t id; /* what is selected: a job, a revision, an alert, a record */
};

/* fixture NULL: no snapshot yet */
static const struct screen screens[] = {
    {"models", "fleet", "models", "flight-delay", 0, "", "", 0, 0},
    {"model", "fleet", "model", "flight-delay", 1200, "", "promoted v3: revision 8", 0, 0},
    {"many", "many", "models", "model-33", 0, "", "", 0, 0},
    {"filter", "many", "models", "model-33", 0, "-3", "", '/', 0},
    {"stale", "fleet", "models", "churn", 12000, "", "", 0, 0},
    {"empty", "empty", "models", "", 0, "", "", 0, 0},
    {"starting", NULL, "models", "", 0, "", "", 0, 0},
    {"hostile", "hostile", "model", "", 0, "", "evil \033[31m message", 0, 0},
    {"help", "fleet", "help", "", 0, "", "", 0, 0},
    {"jobs", "jobs", "jobs", "price", 0, "", "", 0, 12},
    {"job", "jobs", "job", "price", 0, "", "", 0, 13},
    {"live-jobs", "live", "jobs", "flight-delay", 0, "", "", 0, 31},
    {"live-stress", "live", "job", "flight-delay", 0, "", "", 0, 31},
    {"live-bench", "live", "job", "flight-delay", 0, "", "", 0, 32},
    {"live-diff", "live", "job", "flight-delay", 0, "", "", 0, 33},
    {"live-train", "live", "job", "price", 0, "", "", 0, 34},
    {"live-predict", "live", "job", "churn", 0, "", "", 0, 35},
    {"live-find-max", "live", "job", "churn", 0, "", "", 0, 30},
    {"jobs-none", "fleet", "jobs", "price", 0, "", "", 0, 0},
    {"control", "control", "models", "flight-delay", 0, "", "flight-delay: v3 is live (r12)", 0, 0},
    {"control-model", "control", "model", "flight-delay", 0, "", "", 0, 0},
    {"control-shadow", "control", "model", "churn", 0, "", "", 0, 0},
    {"rollout", "control", "rollout", "flight-delay", 0, "", "", 0, 0},
    {"rollout-failed", "control", "rollout", "churn", 0, "", "", 0, 0},
    {"rollout-none", "control", "rollout", "fraud", 0, "", "", 0, 0},
    {"history", "control", "history", "flight-delay", 0, "", "", 0, 8},
    {"policy", "control", "policy", "flight-delay", 0, "", "", 0, 0},
    {"tests", "tests", "tests", "", 0, "", "", 0, 5},
    {"tests-filter", "tests", "tests", "", 0, "stress", "", '/', 0},
    {"tests-none", "tests-none", "tests", "", 0, "", "", 0, 0},
    {"tests-reading", "fleet", "tests", "", 0, "", "", 0, 0},
    {"test-diff", "test-diff", "test", "", 0, "", "", 0, 1},
    {"test-bench", "test-bench", "test", "", 0, "", "", 0, 8},
    {"test-training", "test-training", "test", "", 0, "", "", 0, 6},
    {"test-stress", "test-stress", "test", "", 0, "", "", 0, 7},
    {"test-max", "test-max", "test", "", 0, "", "", 0, 10},
    {"test-told", "test-told", "test", "", 0, "", "", 0, 9},
    {"test-missing", "test-missing", "test", "", 0, "", "", 0, 99},
    {"test-two", "test-two", "test", "", 0, "", "", 0, 7},
    {"test-two-diff", "test-two-diff", "test", "", 0, "", "", 0, 5},
    {"experiments", "experiments", "experiments", "", 0, "", "", 0, 0},
    {"experiments-none", "experiments-none", "experiments", "", 0, "", "", 0, 0},
    {"experiment-better", "experiment-better", "experiment", "", 0, "", "", 0, 0},
    {"experiment-worse", "experiment-worse", "experiment", "", 0, "", "", 0, 0},
    {"experiment-few", "experiment-few", "experiment", "", 0, "", "", 0, 0},
    {"experiment-invalid", "experiment-invalid", "experiment", "", 0, "", "", 0, 0},
    {"experiment-aa", "experiment-aa", "experiment", "", 0, "", "", 0, 0},
    {"experiment-three", "experiment-three", "experiment", "", 0, "", "", 0, 0},
    {"alerts", "control", "alerts", "flight-delay", 0, "", "", 0, 5},
    {"alerts-none", "fleet", "alerts", "flight-delay", 0, "", "", 0, 0},
    {"audit", "control", "audit", "flight-delay", 0, "", "", 0, 90},
    {"audit-filter", "control", "audit", "flight-delay", 0, "deni", "", '/', 0},
};

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(FILE_SIZE_MAX);
	assert_non_null(text);
	if (file == NULL) {
		free(text);
		return NULL;
	}
	text[fread(text, 1, FILE_SIZE_MAX - 1, file)] = '\0';
	fclose(file);
	return text;
}

static struct snapshot *load(const char *fixture)
{
	char path[256];
	struct snapshot *s = NULL;
	struct err e = {0};
	snprintf(path, sizeof(path), "tests/screen/fixtures/%s.json", fixture);
	char *text = read_text(path);
	assert_non_null(text);
	cJSON *json = cJSON_Parse(text);
	free(text);
	if (snapshot_from_json(json, &s, &e) != 0)
		fail_msg("%s: %s", path, e.text);
	cJSON_Delete(json);
	return s;
}

static void check_golden(const char *path, const struct buf *drawn)
{
	if (getenv("UPDATE_GOLDEN") != NULL) {
		FILE *file = fopen(path, "wb");
		assert_non_null(file);
		fwrite(drawn->data, 1, drawn->size, file);
		fclose(file);
		return;
	}
	char *expected = read_text(path);
	if (expected == NULL)
		fail_msg("%s is missing; UPDATE_GOLDEN=1 writes it", path);
	if (strcmp(expected, drawn->data) != 0)
		fail_msg("%s differs; drawn was:\n%s", path, drawn->data);
	free(expected);
}

/* No cell holds what a terminal would obey. */
static void check_cells(const struct canvas *c)
{
	for (int i = 0; i < c->columns * c->rows; i++) {
		uint32_t glyph = c->cells[i].glyph;
		assert_true(glyph == 0 || canvas_glyph_width(glyph) > 0);
		assert_true(glyph == 0 || glyph >= ' ');
		assert_true(glyph < 0x7f || glyph >= 0xa0);
		assert_true(c->charset != CHARSET_ASCII || (glyph >= ' ' && glyph < 0x7f));
		assert_true(c->cells[i].role < ROLE_COUNT);
	}
}

static void draw_screen(struct canvas *c, const struct screen *screen, const struct snapshot *s)
{
	struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .age_ms = screen->age_ms, .utc = true};
	state.connection = s != NULL ? CONNECTION_UP : CONNECTION_STARTING;
	state.now_ms = (s != NULL ? s->server.now_ms : 1764000131000) + screen->age_ms;
	state.prompt = screen->prompt;
	state.message_role = ROLE_OK;
	state.job = state.alert = state.audit = state.test = screen->id;
	if (strncmp(screen->name, "test-two", 8) == 0 && s != NULL && s->report_count > 1)
		state.test_with = s->reports[1].test.id;
	state.test_marked = strcmp(screen->name, "tests") == 0 ? 1 : 0;
	state.revision = (uint32_t)screen->id;
	state.undo_s = strstr(screen->message, "is live") != NULL ? 27 : 0;
	snprintf(state.view, sizeof(state.view), "%s", screen->view);
	snprintf(state.filter, sizeof(state.filter), "%s", screen->filter);
	snprintf(state.tests_filter, sizeof(state.tests_filter), "%s", screen->filter);
	snprintf(state.audit_filter, sizeof(state.audit_filter), "%s", screen->filter);
	snprintf(state.input, sizeof(state.input), "%s", screen->filter);
	snprintf(state.message, sizeof(state.message), "%s", screen->message);
	if (s != NULL && s->model_count > 0)
		snprintf(state.model, sizeof(state.model), "%s",
			 screen->model[0] != '\0' ? screen->model : s->models[0].name);
	screen_draw(c, &state);
}

static void test_golden(void **context)
{
	static const int sizes[][2] = {{80, 24}, {200, 50}, {40, 10}};
	(void)context;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		struct snapshot *s = screens[i].fixture != NULL ? load(screens[i].fixture) : NULL;
		for (int j = 0; j < 6; j++) {
			bool ascii = j >= 3;
			int columns = sizes[j % 3][0], rows = sizes[j % 3][1];
			struct canvas *c = canvas_new(columns, rows, ascii ? CHARSET_ASCII : CHARSET_BRAILLE);
			char path[256];
			struct buf b;
			assert_non_null(c);
			draw_screen(c, &screens[i], s);
			check_cells(c);
			buf_init(&b);
			render_text(c, &b);
			snprintf(path, sizeof(path), "tests/screen/expected/%s-%dx%d%s.txt", screens[i].name, columns,
				 rows, ascii ? "-ascii" : "");
			check_golden(path, &b);
			buf_release(&b);
			canvas_free(c);
		}
		snapshot_free(s);
	}
}

static void test_every_size(void **context)
{
	struct snapshot *s = load("hostile"), *fleet = load("control");
	(void)context;
	for (size_t i = 0; i < sizeof(screens) / sizeof(screens[0]); i++) {
		for (int columns = 1; columns <= 230; columns += 7) {
			for (int rows = 1; rows <= 60; rows += 3) {
				struct canvas *c = canvas_new(columns, rows, (enum charset)(rows % 3));
				draw_screen(c, &screens[i], columns % 2 ? s : fleet);
				check_cells(c);
				canvas_free(c);
			}
		}
	}
	snapshot_free(s);
	snapshot_free(fleet);
}

/* Wherever it is scrolled to, a test fits, and its end is never passed. */
static void test_tests_scroll(void **context)
{
	static const char *const fixtures[] = {"test-two-diff", "test-bench", "test-training", "test-max"};
	(void)context;
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		struct snapshot *s = load(fixtures[i]);
		struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .view = "test", .utc = true};
		state.test = s->reports[0].test.id;
		state.test_with = i == 0 ? s->reports[1].test.id : 0;
		for (int columns = 1; columns <= 230; columns += 19) {
			struct canvas *c = canvas_new(columns, 24, (enum charset)(columns % 3));
			for (state.scroll = 0; state.scroll < 200; state.scroll += 17) {
				screen_draw(c, &state);
				check_cells(c);
			}
			if (columns >= 40) {
				struct buf end, past;
				buf_init(&end);
				buf_init(&past);
				state.scroll = view_test_lines(c, &state) - 20;
				screen_draw(c, &state);
				render_text(c, &end);
				state.scroll = 100000;
				screen_draw(c, &state);
				render_text(c, &past);
				assert_string_equal(end.data, past.data);
				buf_release(&end);
				buf_release(&past);
			}
			canvas_free(c);
		}
		snapshot_free(s);
	}
}

/* The same of an A/B test; and bars end within their cells whatever is known. */
static void test_experiments_scroll(void **context)
{
	static const char *const fixtures[] = {"experiment-few", "experiment-three"};
	(void)context;
	for (size_t i = 0; i < 2; i++) {
		struct snapshot *s = load(fixtures[i]);
		struct ui_state state = {.snapshot = s, .connection = CONNECTION_UP, .view = "experiment", .utc = true};
		for (int columns = 40; columns <= 230; columns += 19) {
			struct canvas *c = canvas_new(columns, 24, (enum charset)(columns % 3));
			struct buf end, past;
			buf_init(&end);
			buf_init(&past);
			state.scroll = view_experiment_lines(c, &state) - 20;
			assert_true(view_experiment_lines(c, &state) > 14);
			screen_draw(c, &state);
			check_cells(c);
			render_text(c, &end);
			state.scroll = 100000;
			screen_draw(c, &state);
			render_text(c, &past);
			assert_string_equal(end.data, past.data);
			buf_release(&end);
			buf_release(&past);
			canvas_free(c);
		}
		snapshot_free(s);
	}
}

static void test_stale_hides_changes(void **context)
{
	struct snapshot *s = load("fleet");
	struct canvas *c = canvas_new(80, 24, CHARSET_BRAILLE);
	struct buf b;
	(void)context;
	buf_init(&b);
	draw_screen(c, &screens[4], s);
	render_text(c, &b);
	assert_non_null(strstr(b.data, "stale 12 s"));
	assert_null(strstr(b.data, "promote"));
	assert_null(strstr(b.data, "rollback"));
	for (int i = 0; i < c->columns; i++)
		assert_int_equal(c->cells[4 * c->columns + i].role, ROLE_STALE);
	buf_clear(&b);
	draw_screen(c, &screens[0], s);
	render_text(c, &b);
	assert_non_null(strstr(b.data, "p promote"));
	buf_release(&b);
	canvas_free(c);
	snapshot_free(s);
}

static void test_lists(void **context)
{
	(void)context;
	for (size_t i = 0; i < view_count; i++) {
		const struct view *v = view_table[i];
		assert_non_null(v->draw);
		assert_true(v->name[0] != '\0' && v->summary[0] != '\0');
		assert_ptr_equal(view_find(v->name), v);
		for (size_t j = 0; j < i; j++)
			assert_true(v->key == 0 || v->key != view_table[j]->key);
	}
	for (size_t i = 0; i < key_count; i++) {
		assert_true(key_table[i].text[0] != '\0' && key_table[i].help[0] != '\0');
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(key_table[i].key, key_table[j].key);
	}
	assert_null(view_find("no-such-view"));
}

static void test_dialog(void **context)
{
	static const int sizes[][2] = {{80, 24}, {40, 10}, {200, 50}, {30, 5}, {1, 1}};
	struct dialog d;
	(void)context;
	dialog_init(&d, "Promote flight-delay to v3");
	dialog_line(&d, ROLE_TEXT, "now\tv2 live 80%%, v3 canary 20%%");
	dialog_line(&d, ROLE_TITLE, "then\tv3 live 100%%");
	dialog_line(&d, ROLE_TEXT, "%s", "");
	dialog_line(&d, ROLE_WARNING, "p99\tv3 126µs against v2 70µs (+82%%)");
	dialog_line(&d, ROLE_OK, "errors\tv3 0 of 62k, v2 0 of 250k");
	struct dialog_field *field = dialog_field(&d, "type flight-delay to confirm", "");
	snprintf(field->value, sizeof(field->value), "flight-de");
	field->cursor = strlen(field->value);
	dialog_field(&d, "reason", "why; kept in the audit");
	snprintf(d.command, sizeof(d.command), "mldeck promote flight-delay 3 --reason '' --expect-revision 7");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct canvas *c = canvas_new(sizes[i][0], sizes[i][1], CHARSET_BRAILLE);
		char path[256];
		struct buf b;
		int row, column;
		dialog_draw(c, &d, &row, &column);
		check_cells(c);
		buf_init(&b);
		render_text(c, &b);
		if (i < 2) {
			assert_true(row >= 0 && column >= 0);
			assert_non_null(strstr(b.data, "flight-de"));
			snprintf(path, sizeof(path), "tests/screen/expected/dialog-%dx%d.txt", sizes[i][0],
				 sizes[i][1]);
			check_golden(path, &b);
		}
		buf_release(&b);
		canvas_free(c);
	}
	snprintf(d.error, sizeof(d.error), "jonas changed the route meanwhile: revision 8 is v2 100%%");
	memset(d.fields[1].value, 'x', sizeof(d.fields[1].value) - 1);
	d.focus = 1;
	d.fields[1].cursor = sizeof(d.fields[1].value) - 1;
	struct canvas *c = canvas_new(80, 24, CHARSET_ASCII);
	dialog_draw(c, &d, NULL, NULL);
	check_cells(c);
	canvas_free(c);
}

static void test_thousand_models(void **context)
{
	struct snapshot *s = snapshot_new();
	struct canvas *c = canvas_new(80, 24, CHARSET_BRAILLE);
	struct buf b;
	(void)context;
	assert_non_null(s);
	s->models = calloc(1000, sizeof(s->models[0]));
	assert_non_null(s->models);
	s->model_count = 1000;
	for (int i = 0; i < 1000; i++)
		snprintf(s->models[i].name, sizeof(s->models[i].name), "model-%03d", i);
	struct screen screen = {"", "", "models", "model-777", 0, "", "", 0, 0};
	buf_init(&b);
	draw_screen(c, &screen, s);
	render_text(c, &b);
	assert_non_null(strstr(b.data, "▸ model-777"));
	buf_release(&b);
	canvas_free(c);
	snapshot_free(s);
}

/* A mark of the route beside a word of the axis cannot be read: "r12now". */
static void test_marks_stand_alone(void **context)
{
	struct snapshot *s = load("control");
	struct snapshot_model *m = (struct snapshot_model *)snapshot_find(s, "flight-delay");
	struct canvas *c = canvas_new(200, 50, CHARSET_BRAILLE);
	const struct screen screen = {"", "", "model", "flight-delay", 0, "", "", 0, 0};
	bool shown = false, now = false, ago = false;
	(void)context;
	assert_non_null(c);
	for (int64_t age_ms = 0; age_ms < 60000; age_ms += 500) {
		struct buf b;
		m->history[0].at_ms = s->server.now_ms - age_ms;
		draw_screen(c, &screen, s);
		buf_init(&b);
		render_text(c, &b);
		for (const char *at = b.data; (at = strstr(at, "r12")) != NULL; at += 3) {
			assert_true(strncmp(at + 3, "now", 3) != 0 && strncmp(at + 3, " ago", 4) != 0);
			shown = true;
		}
		now |= strstr(b.data, " now\n") != NULL;
		ago |= strstr(b.data, " 60 s ago ") != NULL;
		assert_null(strstr(b.data, "╵now"));
		assert_null(strstr(b.data, "╵ow"));
		assert_null(strstr(b.data, "n╵"));
		assert_null(strstr(b.data, "0╵"));
		assert_null(strstr(b.data, "╵s ago"));
		buf_release(&b);
	}
	assert_true(shown && now && ago);
	canvas_free(c);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_every_size),
	    cmocka_unit_test(test_tests_scroll),
	    cmocka_unit_test(test_experiments_scroll),
	    cmocka_unit_test(test_stale_hides_changes),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_dialog),
	    cmocka_unit_test(test_thousand_models),
	    cmocka_unit_test(test_marks_stand_alone),
	};
	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
