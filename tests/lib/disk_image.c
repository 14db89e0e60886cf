#include "lib/disk_image.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void give_up(const char *what)
{
	perror(what);
	exit(2);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	return place->level == 0 ? 0 : remove(path);
}

/* A file's content; one that was never synced is empty. */
static void restore_file(const char *image, const char *key, const char *path)
{
	char from[PATH_MAX], block[65536];
	snprintf(from, sizeof from, "%s/f%s", image, key);
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || (in < 0 && errno != ENOENT))
		give_up(path);
	for (ssize_t size; in >= 0 && (size = read(in, block, sizeof block)) != 0;)
		if (size < 0 || write(out, block, (size_t)size) != size)
			give_up(path);
	if (in >= 0)
		close(in);
	close(out);
}

static void restore_folder(const char *image, const char *key, const char *path)
{
	char names[PATH_MAX], line[512], below[PATH_MAX];
	snprintf(names, sizeof names, "%s/d%s", image, key);
	FILE *list = fopen(names, "re");
	if (list == NULL)
		return;
	while (fgets(line, sizeof line, list) != NULL) {
		char *blank = strchr(line, ' ');
		if (blank == NULL)
			give_up(names);
		*blank = '\0';
		blank[1 + strcspn(blank + 1, "\n")] = '\0';
		if ((size_t)snprintf(below, sizeof below, "%s/%s", path, blank + 1) >= sizeof below)
			give_up(path);
		if (line[0] == 'f') {
			restore_file(image, line + 1, below);
			continue;
		}
		if (mkdir(below, 0700) != 0)
			give_up(below);
		restore_folder(image, line + 1, below);
	}
	fclose(list);
}

void disk_restore(const char *image, const char *state)
{
	char path[PATH_MAX], key[DISK_KEY_SIZE + 2] = "";
	snprintf(path, sizeof path, "%s/root", image);
	FILE *root = fopen(path, "re");
	if (root == NULL || fgets(key, sizeof key, root) == NULL)
		give_up(path);
	fclose(root);
	key[strcspn(key, "\n")] = '\0';
	if (nftw(state, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		give_up(state);
	restore_folder(image, key + 1, state);
}
