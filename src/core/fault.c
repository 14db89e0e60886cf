#include "core/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static enum fault_point wanted = FAULT_POINT_COUNT; /* none */
static atomic_long left;                            /* times that it is passed, the fatal one included */

const char *fault_point_name(enum fault_point point)
{
	static const char *const names[] = {
#define X(name) #name,
	    FAULT_POINTS(X)
#undef X
	};
	return names[point];
}

static void read_wanted(void)
{
	const char *text = getenv("MLDECK_FAULT");
	if (text == NULL)
		return;
	size_t size = strcspn(text, ":");
	atomic_store(&left, text[size] == ':' ? strtol(text + size + 1, NULL, 10) : 1);
	for (int i = 0; i < FAULT_POINT_COUNT; i++) {
		const char *name = fault_point_name((enum fault_point)i);
		if (strlen(name) == size && strncmp(name, text, size) == 0)
			wanted = (enum fault_point)i;
	}
	/* A test that misspells a point would else test nothing. */
	if (wanted == FAULT_POINT_COUNT)
		abort();
}

void fault_point(enum fault_point point)
{
	pthread_once(&once, read_wanted);
	if (point == wanted && atomic_fetch_sub(&left, 1) == 1) {
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
}
