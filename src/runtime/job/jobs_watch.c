/* The jobs' own thread: starts children in their order, reads what they print, notices the end of
 * processes, and saves how far they are. */
#include "runtime/job/jobs_internal.h"

#include "core/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 1000  /* how often, while something runs, without being told */
#define SAVE_MS 10000 /* how often the progress of a running job is written */
#define DESCRIPTORS_MAX (1 + 2 * (JOBS_OPEN_MAX + JOBS_KEPT + 1))

/* --- what it printed --- */

static void output_add(struct job *job, const char *data, size_t size)
{
	if (size > JOB_OUTPUT_SIZE) {
		data += size - JOB_OUTPUT_SIZE;
		size = JOB_OUTPUT_SIZE;
	}
	if (job->output_size + size > JOB_OUTPUT_SIZE) {
		size_t kept = JOB_OUTPUT_SIZE - size;
		memmove(job->output, job->output + job->output_size - kept, kept);
		job->output_size = kept;
	}
	for (size_t i = 0; i < size; i++) /* text from here on */
		job->output[job->output_size + i] = data[i] != '\0' ? data[i] : ' ';
	job->output_size += size;
	job->output[job->output_size] = '\0';
}

static void output_read(struct job *job)
{
	char chunk[4096];
	ssize_t got = 0;
	/* One that never stops printing must not hold up the others. */
	for (int i = 0; i < 16 && job->child.output_fd >= 0; i++) {
		got = read(job->child.output_fd, chunk, sizeof chunk);
		if (got <= 0)
			break;
		output_add(job, chunk, (size_t)got);
	}
	if (got == 0 && job->child.output_fd >= 0) {
		close(job->child.output_fd);
		job->child.output_fd = -1;
	}
}

/* --- how it ended --- */

/* "9.6M rows, 3 rejected" */
static void rows_text(const struct job_progress *p, char *text, size_t size)
{
	char done[16], rejected[16];
	text_count(done, sizeof done, (double)p->done);
	text_count(rejected, sizeof rejected, (double)p->rejected);
	snprintf(text, size, "%s rows, %s rejected", done, rejected);
}

/* A test begins anew, where a prediction goes on. */
static bool is_test(const struct job *job)
{
	const struct job_kind *kind = job_kind_find(job->record.kind);
	return kind != NULL && kind->test;
}

/* The last line that it printed, without the name of the program. */
static void last_line(struct job *job, char *text, size_t size)
{
	job_set_lines(&job->record, job->output);
	const char *line = job->record.line_count > 0 ? job->record.lines[job->record.line_count - 1] : "";
	/* "mldeck predict: why" */
	const char *colon = strncmp(line, "mldeck", 6) == 0 ? strstr(line, ": ") : NULL;
	if (colon != NULL)
		line = colon + 2;
	text_clean(text, size, line);
}

static void describe_exit(struct job *job, int status, char *text, size_t size)
{
	if (WIFSIGNALED(status)) {
		snprintf(text, size, "ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
		return;
	}
	last_line(job, text, size);
	if (text[0] == '\0')
		snprintf(text, size, "ended with exit code %d and said nothing", WEXITSTATUS(status));
}

static void child_ended(struct jobs *j, struct job *job, int status)
{
	char text[REASON_SIZE], rows[64];
	bool worked = WIFEXITED(status) && WEXITSTATUS(status) <= 1; /* 1: some rows were rejected */
	rows_text(&job->record.progress, rows, sizeof rows);
	if (j->stopping && !job->record.cancelling && (job->reported ? job->outcome != JOB_DONE : !worked)) {
		if (is_test(job))
			snprintf(text, sizeof text, "the runtime stopped before it had a result; start it again");
		else
			snprintf(text, sizeof text, "the runtime stopped after %s; start it again to go on", rows);
		jobs_finish(j, job, JOB_INTERRUPTED, text);
	} else if (job->reported) {
		jobs_finish(j, job, job->outcome, job->summary);
	} else if (worked) {
		jobs_finish(j, job, JOB_DONE, rows);
	} else if (job->record.cancelling) {
		snprintf(text, sizeof text, "cancelled %s%s", is_test(job) ? "before it had a result" : "after ",
			 is_test(job) ? "" : rows);
		jobs_finish(j, job, JOB_CANCELLED, text);
	} else {
		describe_exit(job, status, text, sizeof text);
		jobs_finish(j, job, JOB_FAILED, text);
	}
}

static void look_at_child(struct jobs *j, struct job *job, int64_t now_ms)
{
	int status;
	output_read(job);
	if (job->kill_at_ms != 0 && now_ms >= job->kill_at_ms)
		job_child_signal(&job->child, SIGKILL);
	if (job_child_ended(&job->child, &status)) {
		output_read(job);
		child_ended(j, job, status);
	}
}

static bool process_gone(const struct jobs *j, const struct job *job, int64_t now_ms)
{
	struct pollfd p = {.fd = job->child.process_fd, .events = POLLIN};
	int silence_ms = j->options.silence_ms > 0 ? j->options.silence_ms : JOBS_SILENCE_MS;

	if (job->shell_pid <= 0)
		return now_ms - job->heard_ms >= silence_ms;
	return p.fd >= 0 ? poll(&p, 1, 0) > 0 : kill(job->shell_pid, 0) != 0 && errno == ESRCH;
}

static void save(struct jobs *j, struct job *job, int64_t now_ms)
{
	struct err e;
	if (now_ms - job->saved_ms < SAVE_MS)
		return;
	job->saved_ms = now_ms;
	/* A full disk here costs nothing but the newest progress after a crash. */
	registry_job_update(j->options.registry, &job->record, &e);
}

static void look(struct jobs *j, struct job *job, int64_t now_ms)
{
	struct err e;
	if (job->unsaved)
		job->unsaved = registry_job_end(j->options.registry, &job->record, job->output, &e) != 0;
	if (job->record.state != JOB_RUNNING)
		return;
	if (job->record.in_shell && process_gone(j, job, now_ms))
		jobs_finish(j, job, JOB_INTERRUPTED,
			    is_test(job) ? "its process ended without a word, and without a result"
					 : "its process ended without a word; the same command goes on");
	else if (!job->record.in_shell)
		look_at_child(j, job, now_ms);
	if (job->record.state == JOB_RUNNING)
		save(j, job, now_ms);
}

/* --- the queue --- */

static void start(struct jobs *j, struct job *job)
{
	struct err e;
	if (job_child_start(j->options.executable, job->arguments, job->record.id, &job->child, &e) != 0) {
		jobs_finish(j, job, JOB_FAILED, e.text);
		return;
	}
	job->record.state = JOB_RUNNING;
	job->record.started_ms = clock_unix_ms();
	job->record.pid = job->child.pid;
	job->saved_ms = clock_ms();
	registry_job_update(j->options.registry, &job->record, &e);
}

static void run_queue(struct jobs *j)
{
	for (size_t i = 0; i < j->count && !j->stopping; i++) {
		if (jobs_children(j) >= JOBS_CHILDREN_MAX)
			return;
		if (j->list[i]->record.state == JOB_QUEUED)
			start(j, j->list[i]);
	}
}

/* --- the thread --- */

static int wait_ms(const struct jobs *j)
{
	int64_t now_ms = clock_ms(), wait = -1;
	for (size_t i = 0; i < j->count; i++) {
		const struct job *job = j->list[i];
		if (job->record.state == JOB_RUNNING || job->unsaved)
			wait = wait < 0 || wait > LOOK_MS ? LOOK_MS : wait;
		if (job->kill_at_ms != 0 && job->kill_at_ms - now_ms < wait)
			wait = job->kill_at_ms > now_ms ? job->kill_at_ms - now_ms : 50;
	}
	return (int)wait;
}

/* Called and left with the mutex held. */
static void wait_for_news(struct jobs *j)
{
	struct pollfd p[DESCRIPTORS_MAX] = {{.fd = j->wake_fd, .events = POLLIN}};
	nfds_t count = 1;
	uint64_t ignored;
	for (size_t i = 0; i < j->count; i++) {
		p[count++] = (struct pollfd){.fd = j->list[i]->child.process_fd, .events = POLLIN};
		p[count++] = (struct pollfd){.fd = j->list[i]->child.output_fd, .events = POLLIN};
	}
	int wait = wait_ms(j);
	pthread_mutex_unlock(&j->mutex);
	if (poll(p, count, wait) > 0 && p[0].revents != 0) {
		ssize_t got = read(j->wake_fd, &ignored, sizeof ignored);
		(void)got;
	}
	pthread_mutex_lock(&j->mutex);
}

void *jobs_thread(void *context)
{
	struct jobs *j = context;
	pthread_mutex_lock(&j->mutex);
	while (!j->ending) {
		int64_t now_ms = clock_ms();
		run_queue(j);
		for (size_t i = 0; i < j->count; i++)
			look(j, j->list[i], now_ms);
		jobs_trim(j);
		if (jobs_children(j) == 0)
			pthread_cond_broadcast(&j->idle);
		/* An end makes room for the next. */
		run_queue(j);
		wait_for_news(j);
	}
	pthread_mutex_unlock(&j->mutex);
	return NULL;
}
