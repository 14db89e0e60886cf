/* Plots drawn: what each kind shows, and what is left of it where there is little room. */
#include "unit.h"

#include "ui/view/plot_pane.h"
#include "ui/view/render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static char drawn[1 << 16];

static const char *draw(const struct plot *p, int columns, int rows, enum charset charset)
{
	struct canvas *c = canvas_new(columns, rows, charset);
	struct buf b;
	buf_init(&b);
	plot_pane_draw(c, (struct area){0, 0, rows, columns}, p);
	render_text(c, &b);
	snprintf(drawn, sizeof drawn, "%s", b.data);
	buf_release(&b);
	canvas_free(c);
	return drawn;
}

static void expect(const struct plot *p, int columns, int rows, enum charset charset, const char *text)
{
	assert_string_equal(draw(p, columns, rows, charset), text);
}

static struct plot *histogram(void)
{
	static struct plot p;
	plot_begin(&p, PLOT_HISTOGRAM, "latency", PLOT_IN_NS, PLOT_IN_COUNT);
	p.x_low = 1e5;
	p.x_high = 1e8;
	p.x_log = true;
	p.count = 12;
	p.y[4] = 40;
	p.y[5] = 80;
	p.y[6] = 1;
	plot_mark(&p, PLOT_AXIS_X, 1e7, "SLO");
	return &p;
}

static void test_histogram(void **state)
{
	(void)state;
	/* The rarest still shows, and the SLO stands where it is on the scale. */
	expect(histogram(), 36, 6, CHARSET_BLOCKS,
	       "latency                        n 121\n"
	       "                        SLO 10ms\n"
	       "80               ██     ┊\n"
	       "              ▄▄▇██▄    ┊\n"
	       " 0            ██████▁▁▁ ┊\n"
	       "   ╵100µs     ╵1ms       ╵10ms\n");
	expect(histogram(), 36, 6, CHARSET_ASCII,
	       "latency                        n 121\n"
	       "                        SLO 10ms\n"
	       "80               ##     :\n"
	       "              ::+##:    :\n"
	       " 0            ######... :\n"
	       "   '100us     '1ms       '10ms\n");
	/* Little room: the label goes into the title, then the scales go, then the chart. */
	expect(histogram(), 24, 4, CHARSET_BLOCKS,
	       "latency       ┊ SLO 10ms\n"
	       "          ██   ┊\n"
	       "        ████▁▁ ┊\n"
	       "╵100µs  ╵1ms    ╵10ms\n");
	expect(histogram(), 24, 2, CHARSET_BLOCKS,
	       "latency       ┊ SLO 10ms\n"
	       "        ▄▄██▁▁ ┊\n");
	expect(histogram(), 24, 1, CHARSET_BLOCKS, "latency       ┊ SLO 10ms\n");
	expect(histogram(), 5, 1, CHARSET_BLOCKS, "late…\n");
}

static void test_mark_beyond(void **state)
{
	struct plot *p = histogram();
	(void)state;
	p->marks[0].value = 1e9;
	draw(p, 36, 6, CHARSET_BLOCKS);
	assert_non_null(strstr(drawn, " SLO 1.0s >\n"));
	assert_null(strstr(drawn, "┊")); /* no line where it is not */
	p->marks[0].value = 1;
	draw(p, 36, 6, CHARSET_ASCII);
	assert_non_null(strstr(drawn, "< SLO 1ns"));
}

static void test_two_versions(void **state)
{
	struct plot *p = histogram();
	(void)state;
	p->mark_count = 0;
	snprintf(p->name, sizeof p->name, "v3");
	snprintf(p->other_name, sizeof p->other_name, "v2");
	p->y_other[8] = 80;
	expect(p, 44, 5, CHARSET_BLOCKS,
	       "latency   █ v3  ░ v2                   n 121\n"
	       "80                  ▇██        ░░\n"
	       "                 ▄▄▄███▄      ░░░░\n"
	       " 0              ▄███████▁▁▁   ░░░░\n"
	       "   ╵100µs        ╵1ms         ╵10ms\n");
	expect(p, 44, 5, CHARSET_ASCII,
	       "latency   # v3  ' v2                   n 121\n"
	       "80                  +##        ''\n"
	       "                 :::###:      ''''\n"
	       " 0              :#######...   ''''\n"
	       "   '100us        '1ms         '10ms\n");
}

static void test_series(void **state)
{
	struct plot p;
	(void)state;
	plot_begin(&p, PLOT_SERIES, "p99", PLOT_IN_SECONDS, PLOT_IN_NS);
	p.x_high = 60;
	p.count = 20;
	for (size_t i = 0; i < p.count; i++)
		p.y[i] = i == 10 ? 9e6 : i == 5 ? (double)NAN : 1e6;
	plot_mark(&p, PLOT_AXIS_Y, 5e6, "SLO");
	expect(&p, 36, 6, CHARSET_BRAILLE,
	       "p99                       last 1.0ms\n"
	       "9.0ms                ⣿⡇\n"
	       "      SLO 5.0ms┄┄┄┄┄┄⣿⡇┄┄┄┄┄┄┄┄┄┄┄┄┄\n"
	       "                     ⣿⡇\n"
	       "    0 ⣤⣤⣤⣤⣤⣤⣤⡄ ⣤⣤⣤⣤⣤⣤⣿⣧⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤⣤\n"
	       "      0             30s          60s\n");
	/* Far beyond the scale it is said, and not drawn. */
	p.marks[0].value = 1e9;
	expect(&p, 36, 6, CHARSET_ASCII,
	       "p99                       last 1.0ms\n"
	       "9.0ms SLO 1.0s ^     #\n"
	       "                     #.\n"
	       "                     ##\n"
	       "    0 :::::::  ::::::##:::::::::::::\n"
	       "      0             30s          60s\n");
	/* Memory that grows by a part of itself: a line, and its scale says that it begins above 0. */
	p.y_unit = PLOT_IN_BYTES;
	p.mark_count = 0;
	for (size_t i = 0; i < p.count; i++)
		p.y[i] = 90e6 + (double)i * 5e5;
	expect(&p, 36, 6, CHARSET_BRAILLE,
	       "p99                     last 99.5 MB\n"
	       "99.5 MB                      ⣀⡠⠤⠒⠊⠉⠉\n"
	       "                      ⣀⡠⠤⠒⠒⠒⠉\n"
	       "               ⣀⡠⠤⠤⠔⠒⠉\n"
	       "90.0 MB ⣀⣀⣀⠤⠔⠒⠉\n"
	       "        0            30s         60s\n");
	expect(&p, 36, 6, CHARSET_ASCII,
	       "p99                     last 99.5 MB\n"
	       "99.5 MB                      -------\n"
	       "                      -------\n"
	       "               -------\n"
	       "90.0 MB -------\n"
	       "        0            30s         60s\n");
	for (size_t i = 0; i < p.count; i++)
		p.y[i] = (double)NAN;
	expect(&p, 36, 3, CHARSET_ASCII,
	       "p99\n"
	       "nothing yet\n"
	       "\n");
}

static void test_points(void **state)
{
	struct plot p;
	(void)state;
	plot_begin(&p, PLOT_POINTS, "p99 by rate", PLOT_IN_RATE, PLOT_IN_NS);
	p.x_log = true;
	plot_point(&p, 500, 1e6, false);
	plot_point(&p, 5000, 2e6, false);
	plot_point(&p, 8000, 60e6, true);
	plot_mark(&p, PLOT_AXIS_X, 5000, "knee");
	plot_mark(&p, PLOT_AXIS_Y, 5e6, "SLO");
	expect(&p, 44, 8, CHARSET_BLOCKS,
	       "p99 by rate                3 points, ✕ 1 bad\n"
	       "                                 knee 5.0k/s\n"
	       " 72ms                              ┊     ✕\n"
	       "                                   ┊\n"
	       "      SLO 5.0ms┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄\n"
	       "                                   ●\n"
	       "833µs   ●                          ┊\n"
	       "      417/s           2.0k/s          9.6k/s\n");
	expect(&p, 44, 8, CHARSET_ASCII,
	       "p99 by rate                3 points, x 1 bad\n"
	       "                                 knee 5.0k/s\n"
	       " 72ms                              :     x\n"
	       "                                   :\n"
	       "      SLO 5.0ms-----------------------------\n"
	       "                                   o\n"
	       "833us   o                          :\n"
	       "      417/s           2.0k/s          9.6k/s\n");
}

static void test_intervals(void **state)
{
	struct plot p;
	(void)state;
	plot_begin(&p, PLOT_INTERVALS, "time of a row", PLOT_IN_VALUE, PLOT_IN_RATIO);
	plot_interval(&p, "1 a call", 0.99, 1.01, 1.03, false);
	plot_interval(&p, "16 a call", 1.08, 1.1, 1.12, true);
	plot_interval(&p, "256 a call", (double)NAN, 1.02, (double)NAN, false);
	plot_mark(&p, PLOT_AXIS_Y, 1, "");
	plot_mark(&p, PLOT_AXIS_Y, 1.05, "limit");
	expect(&p, 64, 6, CHARSET_BLOCKS,
	       "time of a row\n"
	       "              1x        limit 1.05x\n"
	       "1 a call    ├───●───┤   ┊                 1.01x (0.99x to 1.03x)\n"
	       "16 a call     ┊         ┊     ├───✕───┤   1.1x (1.08x to 1.12x)\n"
	       "256 a call    ┊   ●     ┊                 1.02x\n"
	       "           0.985x      1.06x       1.13x\n");
	expect(&p, 40, 6, CHARSET_ASCII,
	       "time of a row\n"
	       "             1x      limit 1.05x\n"
	       "1 a call    [--o--]  :             1.01x\n"
	       "16 a call    :       :   [--x--]   1.1x\n"
	       "256 a call   :  o    :             1.02x\n"
	       "           0.985x   1.06x   1.13x\n");
	expect(&p, 20, 4, CHARSET_BLOCKS,
	       "time of a row\n"
	       "1 a call       1.01x\n"
	       "16 a call      1.1x\n"
	       "256 a call     1.02x\n");
	expect(&p, 40, 3, CHARSET_BLOCKS,
	       "time of a row\n"
	       "1 a call   ├──●──┤  ┊              1.01x\n"
	       "and 2 more  ┊       ┊\n");
}

static void test_grid(void **state)
{
	struct plot plots[PLOTS_MAX];
	struct canvas *c = canvas_new(80, 5, CHARSET_BLOCKS);
	struct buf b;
	(void)state;
	for (size_t i = 0; i < PLOTS_MAX; i++)
		plots[i] = *histogram();
	buf_init(&b);
	plot_panes_draw(c, (struct area){0, 0, 5, 80}, plots, PLOTS_MAX);
	render_text(c, &b);
	assert_string_equal(b.data, "latency                          n 121   latency (2 of 4)                  n 121\n"
				    "                          SLO 10ms                                 SLO 10ms\n"
				    "80               ▃██      ┊              80                ███     ┊\n"
				    " 0            ▃██████▁▁▁  ┊               0             ██████▁▁▁  ┊\n"
				    "   ╵100µs      ╵1ms       ╵10ms             ╵100µs      ╵1ms        ╵10ms\n");
	buf_release(&b);
	canvas_free(c);
}

/* Whatever the numbers are, nothing is drawn that a terminal would obey, and nothing outside. */
static void test_odd_numbers(void **state)
{
	static const double values[] = {0, -1, 1, PLOT_VALUE_MAX, -PLOT_VALUE_MAX, 1e-300, -1e-300, 0.1, NAN};
	const size_t value_count = sizeof values / sizeof *values;
	(void)state;
	for (int round = 0; round < 400; round++) {
		struct plot p = {.kind = (enum plot_kind)(round % PLOT_KIND_COUNT),
				 .x_low = -PLOT_VALUE_MAX,
				 .x_high = PLOT_VALUE_MAX};
		p.x_unit = (enum plot_unit)(round % PLOT_UNIT_COUNT);
		p.y_unit = (enum plot_unit)(round / 3 % PLOT_UNIT_COUNT);
		p.count = (size_t)round % 7;
		for (size_t i = 0; i < p.count; i++) {
			p.y[i] = values[(size_t)(round * 7 + (int)i * 3) % value_count];
			p.x[i] = values[(size_t)(round + (int)i) % (value_count - 1)];
			p.low[i] = p.high[i] = (double)NAN;
		}
		plot_mark(&p, PLOT_AXIS_X, values[round % 8], "x");
		plot_mark(&p, PLOT_AXIS_Y, values[round / 8 % 8], "y");
		for (int rows = 1; rows < 9; rows++)
			draw(&p, 1 + round % 70, rows, (enum charset)(round % 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_histogram),    cmocka_unit_test(test_mark_beyond),
					   cmocka_unit_test(test_two_versions), cmocka_unit_test(test_series),
					   cmocka_unit_test(test_points),       cmocka_unit_test(test_intervals),
					   cmocka_unit_test(test_grid),         cmocka_unit_test(test_odd_numbers)};
	return cmocka_run_group_tests_name("plot_pane", tests, NULL, NULL);
}
