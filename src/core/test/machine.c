#include "core/test/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Fields of proc(5)'s stat behind the name, which may itself hold blanks and brackets: state is the first. */
#define FIELD_USER 12
#define FIELD_SYSTEM 13
#define FIELD_RESIDENT 22

static bool read_line(int64_t pid, char *line, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool got = fgets(line, (int)size, file) != NULL;
	fclose(file);
	return got;
}

bool machine_use_read(int64_t pid, struct machine_use *use)
{
	double ticks = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
	char line[1024], *rest, *word;

	if (pid <= 0 || !read_line(pid, line, sizeof line) || (rest = strrchr(line, ')')) == NULL)
		return false;
	*use = (struct machine_use){0};
	rest += rest[1] == ' ' ? 2 : 1;
	for (int field = 1; (word = strsep(&rest, " ")) != NULL; field++) {
		if (field == FIELD_USER || field == FIELD_SYSTEM)
			use->cpu_s += strtod(word, NULL) / ticks;
		if (field == FIELD_RESIDENT) {
			use->resident_bytes = strtod(word, NULL) * page;
			return true;
		}
	}
	return false;
}
