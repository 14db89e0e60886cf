/*
 * metrics: the runtime itself, and its process by the names that every exporter of Prometheus uses. What the
 * system does not tell is left out.
 */
#include "runtime/telemetry/metrics.h"

#include "core/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void gauge(struct metrics *m, const char *name, const char *help, double value)
{
	metrics_family(m, name, "gauge", help);
	metrics_series(m, "", NULL);
	metrics_number(m, value);
}

static void counter(struct metrics *m, const char *name, const char *help, double value)
{
	metrics_family(m, name, "counter", help);
	metrics_series(m, "", NULL);
	metrics_number(m, value);
}

static void write_runtime(struct metrics *m)
{
	const struct server *s = m->server;
	metrics_family(m, "mldeck_build_info", "gauge", "The version of mldeck that runs.");
	metrics_series(m, "", "version", MLDECK_VERSION, NULL);
	metrics_count(m, 1);
	metrics_family(m, "mldeck_server_info", "gauge", "What the runtime calls itself and where it listens.");
	metrics_series(m, "", "name", s->name, "listen", s->listen, NULL);
	metrics_count(m, 1);
	gauge(m, "mldeck_server_draining", "Whether the runtime is ending and takes no more requests.",
	      atomic_load(&s->draining));
	gauge(m, "mldeck_uptime_seconds", "Time since the runtime started.",
	      (double)(clock_ms() - s->started_ms) / 1e3);
	if (s->workers != NULL)
		gauge(m, "mldeck_workers_waiting", "Predictions that wait for a worker.",
		      (double)workers_waiting(s->workers));
	if (s->shadows != NULL) {
		gauge(m, "mldeck_shadows_waiting", "Copies of requests that wait for their shadow.",
		      (double)shadows_waiting(s->shadows));
		gauge(m, "mldeck_shadows_memory_bytes", "Memory for copies of requests.",
		      (double)shadows_bytes(s->shadows));
	}
	counter(m, "mldeck_lost_samples_total", "Requests whose telemetry found no room.", (double)telemetry_lost());
}

static void write_cpu(struct metrics *m)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return;
	counter(m, "process_cpu_seconds_total", "User and system CPU time.",
		(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static void write_memory(struct metrics *m)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long virtual_pages, resident_pages;
	if (file == NULL)
		return;
	int fields = fscanf(file, "%llu %llu", &virtual_pages, &resident_pages);
	fclose(file);
	if (fields != 2)
		return;
	double page = (double)sysconf(_SC_PAGESIZE);
	gauge(m, "process_virtual_memory_bytes", "Virtual memory.", (double)virtual_pages * page);
	gauge(m, "process_resident_memory_bytes", "Resident memory.", (double)resident_pages * page);
}

/* Open descriptors; -1 where the system does not tell. */
static long count_descriptors(void)
{
	const char *folder = "/proc/self/fd";
	struct stat status;
	/* Linux 6.2 and later give the number as the folder's size; before it is 0. */
	if (stat(folder, &status) == 0 && status.st_size > 0)
		return (long)status.st_size;
	DIR *open = opendir(folder);
	long count = -1; /* this one */
	if (open == NULL)
		return -1;
	for (const struct dirent *entry; (entry = readdir(open)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(open);
	return count;
}

static void write_descriptors(struct metrics *m)
{
	struct rlimit limit;
	long count = count_descriptors();
	if (count >= 0)
		gauge(m, "process_open_fds", "Open descriptors.", (double)count);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		gauge(m, "process_max_fds", "Descriptors that may be open.", (double)limit.rlim_cur);
}

void metrics_process(struct metrics *m)
{
	write_runtime(m);
	write_cpu(m);
	write_memory(m);
	write_descriptors(m);
	gauge(m, "process_start_time_seconds", "Unix time of the start.", (double)m->server->started_unix_ms / 1e3);
}
