#include "lib/terminal.h"

#include "core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vterm.h>

#define DEADLINE_MS 40000

struct terminal {
	int master, slave; /* the slave stays open, so that line settings can be read after the end */
	pid_t pid;
	int columns, rows;
	VTerm *vterm;
	VTermScreen *screen;
	size_t bytes;
	bool alternate;
};

static int property_set(VTermProp property, VTermValue *value, void *user)
{
	struct terminal *t = user;

	if (property == VTERM_PROP_ALTSCREEN)
		t->alternate = value->boolean;
	return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = property_set};

static void child(int (*start)(void *), void *context)
{
	/* What the parent allocated is not this process's to free: no leak check at its end. */
	_exit(start(context));
}

struct terminal *terminal_new(int columns, int rows, int (*start)(void *), void *context)
{
	struct terminal *t = calloc(1, sizeof(*t));
	struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
	char name[64];

	if (!t)
		abort();
	t->pid = forkpty(&t->master, name, NULL, &size);
	if (t->pid < 0)
		abort();
	if (t->pid == 0)
		child(start, context);
	fcntl(t->master, F_SETFL, O_NONBLOCK);
	fcntl(t->master, F_SETFD, FD_CLOEXEC);
	t->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	t->columns = columns;
	t->rows = rows;
	t->vterm = vterm_new(rows, columns);
	vterm_set_utf8(t->vterm, 1);
	t->screen = vterm_obtain_screen(t->vterm);
	vterm_screen_set_callbacks(t->screen, &callbacks, t);
	vterm_screen_enable_altscreen(t->screen, 1);
	vterm_screen_reset(t->screen, 1);
	return t;
}

void terminal_hang_up(struct terminal *t)
{
	if (t->slave >= 0)
		close(t->slave);
	if (t->master >= 0)
		close(t->master);
	t->slave = t->master = -1;
}

void terminal_free(struct terminal *t)
{
	if (t->pid > 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	terminal_hang_up(t);
	vterm_free(t->vterm);
	free(t);
}

pid_t terminal_pid(const struct terminal *t)
{
	return t->pid;
}

void terminal_type(struct terminal *t, const char *keys)
{
	if (write(t->master, keys, strlen(keys)) != (ssize_t)strlen(keys))
		abort();
}

void terminal_held(struct terminal *t)
{
	long long until = clock_ms() + DEADLINE_MS;
	int output = 0, typed = 1;

	while ((output == 0 || typed > 0) && clock_ms() < until) {
		clock_pause_ms(1);
		ioctl(t->master, FIONREAD, &output);
		ioctl(t->slave, FIONREAD, &typed);
	}
}

void terminal_resize(struct terminal *t, int columns, int rows)
{
	struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};

	terminal_read(t, 0);
	t->columns = columns;
	t->rows = rows;
	vterm_set_size(t->vterm, rows, columns);
	ioctl(t->master, TIOCSWINSZ, &size);
}

void terminal_read(struct terminal *t, int wait_ms)
{
	struct pollfd p = {.fd = t->master, .events = POLLIN};
	char chunk[16384];
	ssize_t n;

	poll(&p, 1, wait_ms);
	while ((n = read(t->master, chunk, sizeof(chunk))) > 0) {
		t->bytes += (size_t)n;
		vterm_input_write(t->vterm, chunk, (size_t)n);
	}
}

static size_t put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	out[0] = (char)(0xe0 | c >> 12);
	out[1] = (char)(0x80 | (c >> 6 & 63));
	out[2] = (char)(0x80 | (c & 63));
	return 3;
}

void terminal_line(struct terminal *t, int row, char *line, size_t size)
{
	size_t used = 0, end = 0;

	for (int column = 0; column < t->columns && used + 4 < size; column++) {
		VTermScreenCell cell;

		if (!vterm_screen_get_cell(t->screen, (VTermPos){row, column}, &cell))
			continue;
		if (cell.chars[0] == (uint32_t)-1)
			continue;
		used += put(line + used, cell.chars[0] ? cell.chars[0] : ' ');
		if (cell.chars[0] && cell.chars[0] != ' ')
			end = used;
	}
	line[end] = '\0';
}

int terminal_row(struct terminal *t, const char *text)
{
	char line[4096];

	for (int row = 0; row < t->rows; row++) {
		terminal_line(t, row, line, sizeof(line));
		if (strstr(line, text))
			return row;
	}
	return -1;
}

void terminal_print(struct terminal *t)
{
	char line[4096];

	for (int row = 0; row < t->rows; row++) {
		terminal_line(t, row, line, sizeof(line));
		fprintf(stderr, "|%s\n", line);
	}
}

static bool wait_for(struct terminal *t, const char *text, bool there)
{
	long long until = clock_ms() + DEADLINE_MS;

	terminal_read(t, 0);
	while ((terminal_row(t, text) >= 0) != there) {
		if (clock_ms() > until) {
			fprintf(stderr, "the screen %s \"%s\":\n", there ? "does not show" : "still shows", text);
			terminal_print(t);
			return false;
		}
		terminal_read(t, 50);
	}
	return true;
}

bool terminal_shows(struct terminal *t, const char *text)
{
	return wait_for(t, text, true);
}

bool terminal_lacks(struct terminal *t, const char *text)
{
	return wait_for(t, text, false);
}

size_t terminal_bytes(const struct terminal *t)
{
	return t->bytes;
}

bool terminal_alternate(const struct terminal *t)
{
	return t->alternate;
}

bool terminal_cooked(const struct terminal *t)
{
	struct termios settings;

	return tcgetattr(t->slave, &settings) == 0 && (settings.c_lflag & ICANON) && (settings.c_lflag & ECHO) &&
	       (settings.c_oflag & OPOST);
}

int terminal_wait(struct terminal *t)
{
	long long until = clock_ms() + DEADLINE_MS;
	int status;

	for (;;) {
		if (t->master >= 0)
			terminal_read(t, 20);
		if (waitpid(t->pid, &status, WNOHANG) == t->pid) {
			t->pid = 0;
			if (t->master >= 0)
				terminal_read(t, 0);
			return status;
		}
		if (clock_ms() > until)
			return -1;
	}
}
