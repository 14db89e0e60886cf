/* Bytes into an open file: all of them, also where a write takes a part, and the error where there is one. */
#include "core/file.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 300000 /* more than a pipe holds */

static void all_of_it_through_a_pipe(void **state)
{
	(void)state;
	char *bytes = malloc(SIZE);
	int ends[2], status = 0;
	assert_non_null(bytes);
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i % 251);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t writer = fork();
	if (writer == 0)
		_exit(file_write(ends[1], bytes, SIZE) == 0 ? 0 : 1);
	close(ends[1]);
	size_t done = 0;
	char chunk[4096];
	for (ssize_t got; (got = read(ends[0], chunk, sizeof chunk)) > 0; done += (size_t)got) {
		assert_true(done + (size_t)got <= SIZE);
		assert_memory_equal(chunk, bytes + done, (size_t)got);
	}
	close(ends[0]);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_int_equal(status, 0);
	assert_int_equal(done, SIZE);
	free(bytes);
}

static void what_cannot_be_written_is_told(void **state)
{
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	errno = 0;
	assert_int_equal(file_write(fd, "abc", 3), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(file_write(fd, "", 0), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_of_it_through_a_pipe),
	    cmocka_unit_test(what_cannot_be_written_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
