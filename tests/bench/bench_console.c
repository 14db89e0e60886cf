/*
 * bench_console SECONDS PROGRAM [ARGUMENT...]: runs a console in a pseudo-terminal of 80x24 and
 * prints when its first picture was there, the bytes of it, the bytes a second after that, and its
 * resident memory.
 *
 * The first picture ends with the last byte before QUIET_MS of silence. The steady phase starts
 * SETTLE_MS later.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 60
#define SETTLE_MS 3000
#define FIRST_MS 5000

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Reads until end_ms, or until quiet_ms (not 0) have passed since the last byte. Bytes read;
 * *last_ms is when. */
static size_t drain(int terminal, double end_ms, double quiet_ms, double *last_ms)
{
	char bytes[65536];
	size_t total = 0;

	for (double now = now_ms(); now < end_ms; now = now_ms()) {
		struct pollfd p = {.fd = terminal, .events = POLLIN};
		double wait_ms = end_ms - now;
		ssize_t got;

		if (quiet_ms > 0 && total > 0 && *last_ms + quiet_ms - now < wait_ms)
			wait_ms = *last_ms + quiet_ms - now;
		if (wait_ms <= 0 || poll(&p, 1, (int)wait_ms + 1) <= 0) {
			if (quiet_ms > 0 && total > 0 && now_ms() - *last_ms >= quiet_ms)
				break;
			continue;
		}
		got = read(terminal, bytes, sizeof(bytes));
		if (got <= 0)
			break;
		*last_ms = now_ms();
		total += (size_t)got;
	}
	return total;
}

static long resident_kb(pid_t pid)
{
	char path[64], line[256];
	long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (file)
		fclose(file);
	return kb;
}

int main(int argc, char **argv)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	double seconds = argc > 2 ? strtod(argv[1], NULL) : 0, start, last = 0;
	size_t first_bytes, steady_bytes;
	int terminal;
	pid_t pid;

	if (!(seconds > 0 && seconds <= 600)) {
		fprintf(stderr, "usage: bench_console SECONDS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	start = now_ms();
	pid = forkpty(&terminal, NULL, NULL, &size);
	if (pid < 0)
		return 7;
	if (pid == 0) {
		execv(argv[2], argv + 2);
		_exit(127);
	}
	first_bytes = drain(terminal, start + FIRST_MS, QUIET_MS, &last);
	printf("{\"first_ms\":%.1f,\"first_bytes\":%zu,", last - start, first_bytes);
	drain(terminal, now_ms() + SETTLE_MS, 0, &last);
	steady_bytes = drain(terminal, now_ms() + seconds * 1000, 0, &last);
	printf("\"steady_bytes_s\":%.0f,\"resident_kb\":%ld}\n", (double)steady_bytes / seconds, resident_kb(pid));
	if (kill(pid, 0) != 0 || first_bytes == 0)
		return 1;
	kill(pid, SIGTERM);
	drain(terminal, now_ms() + 2000, 300, &last);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(terminal);
	return 0;
}
