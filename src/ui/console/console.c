#include "ui/console/console.h"

#include "core/clock.h"
#include "ui/console/console_state.h"
#include "ui/console/terminal_guard.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONTROL_Z 26
#define EMPTY_READS_MAX 3 /* readable without a byte, again and again: the terminal is gone */

void console_say(struct console *c, enum canvas_role role, const char *format, ...)
{
	char raw[UI_MESSAGE_SIZE];
	va_list list;

	va_start(list, format);
	vsnprintf(raw, sizeof(raw), format, list);
	va_end(list);
	text_clean(c->ui.message, sizeof(c->ui.message), raw);
	c->ui.message_role = role;
}

bool console_fresh(const struct console *c)
{
	return c->snapshot && c->ui.connection == CONNECTION_UP && clock_ms() - c->arrived_ms <= UI_STALE_MS;
}

void console_quit(struct console *c)
{
	if (c->options->demo || c->embedded.pid == 0) {
		c->done = true;
		return;
	}
	dialog_init(&c->quit, "Leave the console");
	dialog_line(&c->quit, ROLE_TEXT, "This console started the runtime (process %ld).", (long)c->embedded.pid);
	dialog_line(&c->quit, ROLE_TEXT, "Shall it go on serving?");
	snprintf(c->quit.buttons, sizeof(c->quit.buttons), "y leave it serving · n stop it · esc stay");
	c->mode = MODE_QUIT;
}

/* What the screen says about time. While the picture is fresh its own time is shown, so that the same
 * snapshot gives the same cells and nothing is sent. */
static void time_update(struct console *c)
{
	int64_t age = clock_ms() - c->arrived_ms;

	c->ui.age_ms = c->snapshot ? age / 1000 * 1000 : 0;
	if (c->ui.connection == CONNECTION_UP && age > UI_STALE_MS)
		c->ui.connection = CONNECTION_LOST;
	c->ui.now_ms = c->snapshot && age <= UI_STALE_MS ? c->snapshot->server.now_ms : clock_unix_ms();
	if (c->snapshot && age > UI_STALE_MS && c->ui.age_ms <= UI_STALE_MS)
		c->ui.age_ms = UI_STALE_MS + 1;
	c->ui.embedded = c->embedded.pid != 0;
	c->ui.demo = c->options->demo;
	c->ui.snapshot = c->snapshot;
	undo_update(c);
}

static void paint(struct console *c)
{
	canvas_clear(c->canvas);
	if (c->columns < CONSOLE_COLUMNS_MIN || c->rows < CONSOLE_ROWS_MIN) {
		canvas_format(c->canvas, c->rows / 2, 0, -1, ROLE_TEXT, "mldeck needs %dx%d, this is %dx%d",
			      CONSOLE_COLUMNS_MIN, CONSOLE_ROWS_MIN, c->columns, c->rows);
		return;
	}
	screen_draw(c->canvas, &c->ui);
	if (c->mode == MODE_CHANGE)
		dialog_draw(c->canvas, &c->change.dialog, NULL, NULL);
	else if (c->mode == MODE_JOB)
		dialog_draw(c->canvas, &c->job.dialog, NULL, NULL);
	else if (c->mode == MODE_QUIT)
		dialog_draw(c->canvas, &c->quit, NULL, NULL);
	else if (c->mode == MODE_OUTPUT)
		output_draw(c);
}

/* A slow terminal gets no new frame before it took the last one. */
static void frame(struct console *c)
{
	struct err e = {0};
	int gone = draw_flush(c->draw, &e);

	if (gone == 0 && c->canvas && draw_pending(c->draw) == 0) {
		time_update(c);
		if (c->fetcher) /* the very first frame comes before it */
			console_needs(c);
		change_refresh(c);
		job_dialog_refresh(c);
		paint(c);
		draw_canvas(c->draw, c->canvas);
		gone = draw_flush(c->draw, &e);
	}
	if (gone != 0)
		c->done = true;
}

static void resize(struct console *c)
{
	struct canvas *canvas;

	draw_resize(c->draw, &c->columns, &c->rows);
	canvas = canvas_new(c->columns, c->rows, c->charset);
	if (!canvas)
		return;
	canvas_free(c->canvas);
	c->canvas = canvas;
}

/* No runtime answers: start the embedded one, once. */
static void runtime_start(struct console *c)
{
	struct err e = {0};

	if (c->options->demo || c->tried_start || embedded_answers(c->options->socket))
		return;
	c->tried_start = true;
	if (embedded_start(&c->embedded, c->options->state, c->options->socket, &e) != 0) {
		console_say(c, ROLE_BAD, "%s", e.text);
		c->ui.connection = CONNECTION_LOST;
		return;
	}
	fetcher_hurry(c->fetcher, true);
	console_say(c, ROLE_TEXT, "no runtime answered, so this console starts one on %s", c->options->state);
}

static void picture_failed(struct console *c, const struct err *e)
{
	if (c->stop_until_ms)
		return;
	if (e->code == ERR_UNREACHABLE && !c->snapshot)
		runtime_start(c);
	if (e->code == ERR_UNREACHABLE && !c->snapshot && (c->embedded.pid || c->options->demo))
		return; /* it is still starting */
	if (!c->ui.message[0] || c->ui.connection != CONNECTION_LOST)
		console_say(c, ROLE_BAD, "%s", e->text);
	c->ui.connection = CONNECTION_LOST;
}

static void picture_take(struct console *c)
{
	struct fetcher_picture p;

	if (!fetcher_picture(c->fetcher, &p))
		return;
	if (!p.snapshot) {
		picture_failed(c, &p.err);
		return;
	}
	if (c->ui.connection != CONNECTION_UP) {
		if (c->ui.connection == CONNECTION_LOST)
			c->ui.message[0] = '\0';
		fetcher_hurry(c->fetcher, false);
	}
	console_keep_reports(c, p.snapshot);
	snapshot_free(c->snapshot);
	c->snapshot = p.snapshot;
	c->ui.snapshot = c->snapshot;
	c->ui.connection = CONNECTION_UP;
	c->arrived_ms = clock_ms();
	console_select(c);
}

static void stop_answer(struct console *c, const struct fetcher_answer *a)
{
	c->stop_id = 0;
	if (a->status != 0 && c->embedded.pid)
		kill(c->embedded.pid, SIGTERM); /* it is our child: this drains it as well */
}

static void answers_take(struct console *c)
{
	struct fetcher_answer *a;

	while ((a = fetcher_answer(c->fetcher))) {
		if (a->id == c->stop_id && a->id)
			stop_answer(c, a);
		else if (!change_answer(c, a) && !undo_answer(c, a) && !job_dialog_answer(c, a))
			command_line_answer(c, a);
		fetcher_answer_free(a);
	}
}

static void embedded_check(struct console *c)
{
	char reason[ERR_TEXT_SIZE];

	if (embedded_ended(&c->embedded, reason, sizeof(reason))) {
		fetcher_hurry(c->fetcher, false);
		if (c->stop_until_ms)
			c->done = true;
		else
			console_say(c, ROLE_BAD, "the runtime that this console started has ended: %s", reason);
		if (!c->snapshot)
			c->ui.connection = CONNECTION_LOST;
		if (c->mode == MODE_QUIT)
			c->mode = MODE_VIEW;
	}
	if (c->stop_until_ms && clock_ms() > c->stop_until_ms)
		c->done = true;
}

static void suspend(struct console *c)
{
	struct err e = {0};

	draw_flush(c->draw, &e);
	terminal_guard_suspend();
	draw_anew(c->draw);
}

static void keys_take(struct console *c)
{
	int key, waiting = 0;

	ioctl(draw_terminal(c->draw), FIONREAD, &waiting);
	c->empty_reads = waiting > 0 ? 0 : c->empty_reads + 1;
	if (c->empty_reads > EMPTY_READS_MAX)
		c->done = true;
	while (!c->done && (key = draw_key(c->draw)) != DRAW_KEY_NONE) {
		if (key == CONTROL_Z)
			suspend(c);
		else
			console_key(c, key);
	}
}

/* Until when nothing can change by itself: a fresh picture turns stale, a stale one ages. */
static int wait_ms(const struct console *c)
{
	int64_t stale = c->arrived_ms + UI_STALE_MS + 1 - clock_ms();

	int undo = undo_wait_ms(c), wait = c->snapshot && stale > 0 ? (int)stale : 1000;

	if (c->stop_until_ms)
		return 100;
	return undo >= 0 && undo < wait ? undo : wait;
}

static void signals_take(struct console *c)
{
	unsigned happened = terminal_guard_take();

	if (happened)
		resize(c);
}

static void loop(struct console *c)
{
	enum { TERMINAL, FETCHER, SIGNALS, COUNT };
	struct pollfd p[COUNT] = {
	    [TERMINAL] = {.fd = draw_terminal(c->draw)},
	    [FETCHER] = {.fd = fetcher_events(c->fetcher), .events = POLLIN},
	    [SIGNALS] = {.fd = terminal_guard_events(), .events = POLLIN},
	};

	while (!c->done) {
		p[TERMINAL].events = draw_pending(c->draw) ? POLLIN | POLLOUT : POLLIN;
		if (poll(p, COUNT, wait_ms(c)) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (p[SIGNALS].revents)
			signals_take(c);
		if (p[TERMINAL].revents & (POLLHUP | POLLERR | POLLNVAL))
			return;
		if (p[TERMINAL].revents & POLLIN)
			keys_take(c);
		if (p[FETCHER].revents) {
			fetcher_events_clear(c->fetcher);
			picture_take(c);
			answers_take(c);
		}
		embedded_check(c);
		frame(c);
	}
}

static int theme_start(struct console *c, struct err *e)
{
	const char *name = c->options->theme;

	if (!name || !*name)
		name = getenv("MLDECK_THEME");
	return theme_load(name && *name ? name : THEME_DEFAULT, &c->theme, e);
}

static int start(struct console *c, struct err *e)
{
	const char *reset;
	size_t reset_size;

	setlocale(LC_ALL, "");
	setlocale(LC_NUMERIC, "C");
	signal(SIGPIPE, SIG_IGN);
	if (theme_start(c, e) != 0 || draw_charset(&c->charset, e) != 0 || draw_open(&c->draw, e) != 0)
		return -1;
	draw_theme(c->draw, &c->theme);
	reset = draw_reset_bytes(c->draw, &reset_size);
	if (terminal_guard_enter(draw_terminal(c->draw), reset, reset_size, e) != 0)
		return -1;
	c->ui.connection = CONNECTION_STARTING;
	c->ui.utc = true;
	snprintf(c->ui.view, sizeof(c->ui.view), "models");
	snprintf(c->model_view, sizeof(c->model_view), "models");
	resize(c);
	if (!c->canvas)
		return err_set(e, ERR_MEMORY, "memory is out");
	frame(c); /* before anything that could take time */
	/* Commands typed at the prompt reach the runtime that is shown. */
	setenv("MLDECK_SOCKET", c->options->socket, 1);
	return fetcher_new(c->options->socket, c->options->poll_ms, &c->fetcher, e);
}

static void release(struct console *c)
{
	terminal_guard_leave();
	fetcher_free(c->fetcher);
	draw_close(c->draw);
	canvas_free(c->canvas);
	snapshot_free(c->snapshot);
	free(c->output);
	free(c);
}

int console_run(const struct console_options *options)
{
	struct console *c = calloc(1, sizeof(*c));
	struct err e = {0};
	int code = 0;

	if (!c) {
		fputs("mldeck: memory is out\n", stderr);
		return err_exit(ERR_MEMORY);
	}
	c->options = options;
	if (start(c, &e) == 0)
		loop(c);
	release(c);
	if (e.code != ERR_NONE) {
		fprintf(stderr, "mldeck: %s\n", e.text);
		code = err_exit(e.code);
	}
	return code;
}
