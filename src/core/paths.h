/*
 * paths: where state and the control socket live when the user does not say.
 *
 * Pure functions of the environment; any thread.
 */
#ifndef CORE_PATHS_H
#define CORE_PATHS_H

#include "core/err.h"

#include <stddef.h>

#define PATHS_SIZE 256

/* $MLDECK_STATE, else $XDG_STATE_HOME/mldeck, else ~/.local/state/mldeck, for root /var/lib/mldeck. */
int paths_state(char *path, size_t size, struct err *e);
/* $MLDECK_SOCKET, else <state>/control/mldeck.sock: a state directory's runtime is found without a word.
 * ERR_INPUT when it is longer than a Unix socket's address may be (107 bytes). */
int paths_socket(const char *state, char *path, size_t size, struct err *e);

#endif
