#include "ui/command/stop_signal.h"

#include <stddef.h>
#include <unistd.h>

#define STOPPED_BASE 128

static volatile sig_atomic_t came;

static void on_signal(int number)
{
	if (came != 0)
		_exit(STOPPED_BASE + number);
	came = number;
}

void stop_signal_catch(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaction(numbers[i], &action, NULL);
}

const volatile sig_atomic_t *stop_signal_flag(void)
{
	return &came;
}

int stop_signal_number(void)
{
	return came;
}

int stop_signal_exit(void)
{
	return STOPPED_BASE + (came != 0 ? came : SIGTERM);
}
