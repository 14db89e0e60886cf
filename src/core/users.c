#include "core/users.h"

#include "core/text.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#define NAMES_SIZE (64 * 1024) /* of one entry; a group lists all of its members */
#define GROUPS_FIRST 64
#define GROUPS_MAX 65536 /* NGROUPS_MAX of Linux */

/* The entry and its strings, in names (NAMES_SIZE bytes). */
static bool by_uid(uint32_t uid, struct passwd *entry, char *names)
{
	struct passwd *found = NULL;
	return getpwuid_r(uid, entry, names, NAMES_SIZE, &found) == 0 && found != NULL;
}

void users_name(uint32_t uid, char *name, size_t size)
{
	struct passwd entry;
	char *names = malloc(NAMES_SIZE);
	if (names != NULL && by_uid(uid, &entry, names))
		text_clean(name, size, entry.pw_name);
	else
		snprintf(name, size, "uid %u", uid);
	free(names);
}

bool users_find(const char *name, uint32_t *uid)
{
	struct passwd entry, *found = NULL;
	char *names = malloc(NAMES_SIZE);
	bool there = names != NULL && getpwnam_r(name, &entry, names, NAMES_SIZE, &found) == 0 && found != NULL;
	if (there && uid != NULL)
		*uid = entry.pw_uid;
	free(names);
	return there;
}

bool users_find_group(const char *name, uint32_t *gid)
{
	struct group entry, *found = NULL;
	char *names = malloc(NAMES_SIZE);
	bool there = names != NULL && getgrnam_r(name, &entry, names, NAMES_SIZE, &found) == 0 && found != NULL;
	if (there && gid != NULL)
		*gid = entry.gr_gid;
	free(names);
	return there;
}

/* All groups of a user; free(). NULL, and none, when memory is out. */
static gid_t *groups_of(const struct passwd *entry, int *count)
{
	gid_t *groups = NULL;
	int capacity = GROUPS_FIRST, got = -1;
	while (got < 0 && capacity <= GROUPS_MAX) {
		gid_t *more = realloc(groups, (size_t)capacity * sizeof *groups);
		if (more == NULL)
			break;
		groups = more;
		*count = capacity;
		got = getgrouplist(entry->pw_name, entry->pw_gid, groups, count);
		capacity *= 4;
	}
	if (got < 0)
		*count = 0;
	return groups;
}

bool users_in_group(uint32_t uid, uint32_t gid)
{
	struct passwd entry;
	char *names = malloc(NAMES_SIZE);
	bool member = false;
	int count = 0;

	if (names != NULL && by_uid(uid, &entry, names)) {
		gid_t *groups = groups_of(&entry, &count);
		for (int i = 0; i < count && !member; i++)
			member = groups[i] == gid;
		free(groups);
	}
	free(names);
	return member;
}
