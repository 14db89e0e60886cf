#include "unit.h"

#include "ui/console/draw.h"
#include "ui/console/route_editor.h"

#include <string.h>

static struct snapshot_version versions[] = {
    {.version = 1, .state = "ready"}, {.version = 2, .state = "ready"}, {.version = 3, .state = "failed"}};

/* v1 20%, v2 live 80%, v3 its shadow. */
static struct snapshot_model model(void)
{
	struct snapshot_model m = {.name = "m", .live = 2, .route_count = 3, .version_count = 3, .versions = versions};
	m.route[0] = (struct route_entry){2, ROUTE_LIVE, 8000};
	m.route[1] = (struct route_entry){1, ROUTE_CANARY, 2000};
	m.route[2] = (struct route_entry){3, ROUTE_SHADOW, 2500};
	m.stats.rate_rps = 1000;
	return m;
}

static const struct route_editor_row *row(const struct route_editor *editor, uint32_t version, bool shadow)
{
	for (size_t i = 0; i < editor->row_count; i++) {
		if (editor->rows[i].version == version && editor->rows[i].shadow == shadow)
			return &editor->rows[i];
	}
	return NULL;
}

static void go_to(struct route_editor *editor, uint32_t version, bool shadow)
{
	editor->at = (size_t)(row(editor, version, shadow) - editor->rows);
}

static uint32_t sum(const struct route_editor *editor)
{
	uint32_t total = 0;
	for (size_t i = 0; i < editor->row_count; i++)
		total += editor->rows[i].shadow ? 0 : editor->rows[i].weight_bp;
	return total;
}

static void every_version_has_a_row(void **state)
{
	struct snapshot_model m = model();
	struct route_editor editor;
	(void)state;
	route_editor_init(&editor, &m, 1);
	assert_int_equal(row(&editor, 2, false)->weight_bp, 8000);
	assert_int_equal(row(&editor, 3, false)->weight_bp, 0);
	assert_int_equal(row(&editor, 3, true)->weight_bp, 2500);
	assert_false(row(&editor, 3, true)->ready);
	assert_null(row(&editor, 2, true)); /* what is live is nobody's shadow */
	assert_int_equal(editor.rows[editor.at].version, 1);
	assert_false(editor.rows[editor.at].shadow);
}

static void shares_stay_balanced(void **state)
{
	static const int keys[] = {DRAW_KEY_RIGHT,
				   DRAW_KEY_PAGE_UP,
				   DRAW_KEY_DOWN,
				   DRAW_KEY_PAGE_DOWN,
				   DRAW_KEY_END,
				   DRAW_KEY_LEFT,
				   DRAW_KEY_UP,
				   DRAW_KEY_SHIFT_RIGHT,
				   DRAW_KEY_SHIFT_LEFT,
				   DRAW_KEY_HOME,
				   '3',
				   '7',
				   '.',
				   '5',
				   DRAW_KEY_BACKSPACE};
	struct snapshot_model m = model();
	struct route_editor editor;
	(void)state;
	route_editor_init(&editor, &m, 1);
	for (size_t i = 0; i < 4000; i++) {
		route_editor_key(&editor, keys[(i * i + i / 7) % (sizeof(keys) / sizeof(keys[0]))]);
		assert_int_equal(sum(&editor), 10000);
	}
}

static void what_one_gets_the_live_one_gives(void **state)
{
	struct snapshot_model m = model();
	struct route_editor editor;
	(void)state;
	route_editor_init(&editor, &m, 1);
	assert_true(route_editor_key(&editor, DRAW_KEY_RIGHT));
	assert_int_equal(row(&editor, 1, false)->weight_bp, 2100);
	assert_int_equal(row(&editor, 2, false)->weight_bp, 7900);
	assert_int_equal(route_editor_moved_bp(&editor), 100);
	go_to(&editor, 2, false);
	route_editor_key(&editor, DRAW_KEY_PAGE_DOWN); /* the live one itself: the next greatest gets it */
	assert_int_equal(row(&editor, 1, false)->weight_bp, 3100);
	route_editor_key(&editor, DRAW_KEY_HOME);
	assert_int_equal(row(&editor, 1, false)->weight_bp, 10000);
	assert_int_equal(route_editor_live(&editor), 1);
	assert_int_equal(route_editor_moved_bp(&editor), 8000);
}

static void digits_type_a_share(void **state)
{
	struct snapshot_model m = model();
	struct route_editor editor;
	(void)state;
	route_editor_init(&editor, &m, 3);
	route_editor_key(&editor, '1');
	route_editor_key(&editor, '2');
	assert_int_equal(row(&editor, 3, false)->weight_bp, 1200);
	route_editor_key(&editor, '.');
	route_editor_key(&editor, '5');
	assert_int_equal(row(&editor, 3, false)->weight_bp, 1250);
	assert_string_equal(editor.typed, "12.5");
	route_editor_key(&editor, DRAW_KEY_DOWN);
	assert_string_equal(editor.typed, "");
	assert_false(route_editor_key(&editor, 'x'));
}

static void shadows_are_apart(void **state)
{
	struct snapshot_model m = model();
	struct route_editor editor;
	struct route_entry entries[ROUTE_ENTRIES_MAX];
	(void)state;
	route_editor_init(&editor, &m, 1);
	go_to(&editor, 3, true);
	route_editor_key(&editor, DRAW_KEY_HOME);
	assert_int_equal(sum(&editor), 10000);
	assert_false(route_editor_shares_changed(&editor));
	assert_int_equal(route_editor_shadows(&editor, entries), 1);
	assert_int_equal(entries[0].weight_bp, 0);
	assert_int_equal(route_editor_entries(&editor, entries), 2);
}

static void what_is_new_shows_until_something_was_changed(void **state)
{
	struct snapshot_model m = model();
	struct route_editor editor;
	(void)state;
	route_editor_init(&editor, &m, 1);
	m.route[0].weight_bp = 7000;
	m.route[1].weight_bp = 3000;
	route_editor_refresh(&editor, &m);
	assert_int_equal(row(&editor, 1, false)->weight_bp, 3000);
	route_editor_key(&editor, DRAW_KEY_RIGHT);
	m.route[0].weight_bp = 9000;
	m.route[1].weight_bp = 1000;
	m.stats.rate_rps = 5;
	route_editor_refresh(&editor, &m);
	assert_int_equal(row(&editor, 1, false)->weight_bp, 3100);
	assert_true(editor.rate_rps == 5);
}

static void a_single_version_keeps_it_all(void **state)
{
	struct snapshot_model m = {.live = 1, .route_count = 1, .version_count = 1, .versions = versions};
	struct route_editor editor;
	(void)state;
	m.route[0] = (struct route_entry){1, ROUTE_LIVE, 10000};
	route_editor_init(&editor, &m, 0);
	route_editor_key(&editor, DRAW_KEY_HOME);
	assert_int_equal(sum(&editor), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_version_has_a_row),
	    cmocka_unit_test(shares_stay_balanced),
	    cmocka_unit_test(what_one_gets_the_live_one_gives),
	    cmocka_unit_test(digits_type_a_share),
	    cmocka_unit_test(shadows_are_apart),
	    cmocka_unit_test(what_is_new_shows_until_something_was_changed),
	    cmocka_unit_test(a_single_version_keeps_it_all),
	};
	return cmocka_run_group_tests_name("route_editor", tests, NULL, NULL);
}
