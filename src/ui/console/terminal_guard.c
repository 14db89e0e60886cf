#include "ui/console/terminal_guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)64 << 10)
#define WRITE_WAIT_MS 100 /* for a terminal that takes no bytes; twice, then it is left as it is */

static const int fatal_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
#define FATAL_COUNT (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

/* Handlers read this; it is complete before they are installed. */
static struct {
	volatile sig_atomic_t entered;
	volatile sig_atomic_t happened;
	int tty;
	int events;
	struct termios before, raw;
	char reset[TERMINAL_GUARD_RESET_MAX];
	size_t reset_size;
	void *stack;
	stack_t stack_before;
	struct sigaction actions_before[FATAL_COUNT];
	struct sigaction stop_before, continue_before, resize_before;
} guard = {.tty = -1, .events = -1};

static void reset_write(void)
{
	size_t done = 0;
	int waits = 2;

	while (done < guard.reset_size) {
		ssize_t n = write(guard.tty, guard.reset + done, guard.reset_size - done);
		struct pollfd p = {.fd = guard.tty, .events = POLLOUT};

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno != EAGAIN)
			return;
		else if (waits-- == 0 || poll(&p, 1, WRITE_WAIT_MS) <= 0)
			return;
	}
}

/* Async-signal-safe. TCSANOW, since waiting for a stuck line would keep the process alive. */
static void restore(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;

	sigemptyset(&ignore.sa_mask);
	sigaction(SIGTTOU, &ignore, &before); /* setting the line from the background must not stop us */
	reset_write();
	tcsetattr(guard.tty, TCSANOW, &guard.before);
	sigaction(SIGTTOU, &before, NULL);
}

static void raise_default(int number)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void on_fatal(int number)
{
	if (guard.entered) {
		guard.entered = 0;
		restore();
	}
	raise_default(number);
}

static void notify(int what)
{
	uint64_t one = 1;

	guard.happened |= what;
	if (write(guard.events, &one, sizeof(one)) < 0)
		return; /* the counter is full: a wake-up is under way already */
}

static void on_resize(int number)
{
	int saved = errno;

	(void)number;
	notify(TERMINAL_RESIZED);
	errno = saved;
}

static void on_continue(int number)
{
	int saved = errno;

	(void)number;
	if (guard.entered)
		tcsetattr(guard.tty, TCSANOW, &guard.raw);
	notify(TERMINAL_CONTINUED);
	errno = saved;
}

static void handler_set(int number, void (*handler)(int), struct sigaction *before)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_RESTART};

	/* One handler at a time: a second fatal signal waits until the first has restored. */
	sigfillset(&action.sa_mask);
	sigaction(number, &action, before);
}

static void on_stop(int number)
{
	int saved = errno;

	restore();
	raise_default(number);
	/* Here the process has been continued. */
	handler_set(SIGTSTP, on_stop, NULL);
	if (guard.entered)
		tcsetattr(guard.tty, TCSANOW, &guard.raw);
	notify(TERMINAL_CONTINUED);
	errno = saved;
}

static void handlers_install(void)
{
	stack_t stack = {.ss_sp = guard.stack, .ss_size = STACK_SIZE};

	sigaltstack(&stack, &guard.stack_before);
	for (size_t i = 0; i < FATAL_COUNT; i++)
		handler_set(fatal_signals[i], on_fatal, &guard.actions_before[i]);
	handler_set(SIGTSTP, on_stop, &guard.stop_before);
	handler_set(SIGCONT, on_continue, &guard.continue_before);
	handler_set(SIGWINCH, on_resize, &guard.resize_before);
}

int terminal_guard_enter(int tty, const void *reset, size_t reset_size, struct err *e)
{
	static bool registered;

	if (tcgetattr(tty, &guard.before) != 0)
		return err_errno(e, errno, "the terminal's settings cannot be read");
	guard.raw = guard.before;
	cfmakeraw(&guard.raw);
	guard.raw.c_cc[VMIN] = 1;
	guard.raw.c_cc[VTIME] = 0;
	guard.stack = malloc(STACK_SIZE);
	guard.events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!guard.stack || guard.events < 0) {
		free(guard.stack);
		guard.stack = NULL;
		return err_set(e, ERR_MEMORY, "memory is out");
	}
	guard.tty = tty;
	guard.reset_size = reset_size < sizeof(guard.reset) ? reset_size : sizeof(guard.reset);
	memcpy(guard.reset, reset, guard.reset_size);
	guard.happened = 0;
	handlers_install();
	guard.entered = 1;
	if (!registered)
		registered = atexit(terminal_guard_leave) == 0;
	tcsetattr(tty, TCSANOW, &guard.raw);
	return 0;
}

void terminal_guard_leave(void)
{
	if (!guard.entered)
		return;
	restore();
	guard.entered = 0;
	for (size_t i = 0; i < FATAL_COUNT; i++)
		sigaction(fatal_signals[i], &guard.actions_before[i], NULL);
	sigaction(SIGTSTP, &guard.stop_before, NULL);
	sigaction(SIGCONT, &guard.continue_before, NULL);
	sigaction(SIGWINCH, &guard.resize_before, NULL);
	sigaltstack(&guard.stack_before, NULL);
	free(guard.stack);
	guard.stack = NULL;
	close(guard.events);
	guard.events = -1;
}

int terminal_guard_events(void)
{
	return guard.events;
}

unsigned terminal_guard_take(void)
{
	sigset_t all, before;
	unsigned happened;
	uint64_t count;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (read(guard.events, &count, sizeof(count)) < 0)
		count = 0;
	happened = (unsigned)guard.happened;
	guard.happened = 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return happened;
}

void terminal_guard_suspend(void)
{
	raise(SIGTSTP);
}
