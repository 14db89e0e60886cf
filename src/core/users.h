/*
 * users: the users and groups of this system.
 *
 * Any thread; asks the system's name service, so it may wait: not for a data plane thread. Keeps nothing: who is added
 * to a group belongs to it at once.
 */
#ifndef CORE_USERS_H
#define CORE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name of a user, cleaned; "uid 1234" for one without. */
void users_name(uint32_t uid, char *name, size_t size);
/* Whether there is a user, a group of that name; the number where it is not NULL. */
bool users_find(const char *name, uint32_t *uid);
bool users_find_group(const char *name, uint32_t *gid);
/* Whether the user is in the group, as their own group or as one of its members. */
bool users_in_group(uint32_t uid, uint32_t gid);

#endif
