/*
 * embedded: the runtime that the console starts when none answers.
 *
 * A child of this same executable in a session of its own, so that neither Ctrl-C nor a closed SSH session
 * reaches it. Used by the drawing thread; nothing here waits. Its output goes to serve.log in the state directory.
 */
#ifndef UI_EMBEDDED_H
#define UI_EMBEDDED_H

#include "core/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct embedded {
	pid_t pid; /* 0: none was started, or it has ended */
	char log[300];
};

/* Whether some process listens on the socket, even if it answers slowly. */
bool embedded_answers(const char *socket_path);
int embedded_start(struct embedded *m, const char *state, const char *socket_path, struct err *e);
/* Whether it ended since the start; then reason holds the last line of its log. */
bool embedded_ended(struct embedded *m, char *reason, size_t size);

#endif
