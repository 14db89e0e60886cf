#include "core/file.h"

#include <errno.h>
#include <unistd.h>

int file_write(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	for (size_t done = 0; done < size;) {
		ssize_t written = write(fd, bytes + done, size - done);
		if (written < 0 && errno != EINTR)
			return -1;
		done += written > 0 ? (size_t)written : 0;
	}
	return 0;
}
