/*
 * listener: listening sockets: TCP for the data plane, Unix for the control plane.
 *
 * Pure calls of the system; the caller owns the descriptor.
 */
#ifndef RUNTIME_LISTENER_H
#define RUNTIME_LISTENER_H

#include "core/err.h"

#include <stddef.h>
#include <stdint.h>

/* Listens on "ADDRESS:PORT" ("127.0.0.1:8080", "[::1]:0", "0.0.0.0:80"); bound gets the address and port in
 * use. ERR_CONFLICT when the port is taken. */
int listener_tcp(const char *address, int *fd, char *bound, size_t bound_size, struct err *e);

/* Listens on a socket file of mode 0600 in a directory of mode 0700 that this user owns (both are made); with a group
 * (else NULL) 0660 and 0750, of that group. A file left by a dead runtime is replaced (the caller holds the state
 * directory's lock); anything else there, or a directory of someone else's, is refused. */
int listener_unix(const char *path, const uint32_t *group, int *fd, struct err *e);

#endif
