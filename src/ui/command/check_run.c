#include "ui/command/check_run.h"

#include "core/clock.h"
#include "core/job.h"
#include "core/json.h"
#include "core/process.h"
#include "core/test/launch.h"
#include "core/text.h"
#include "ui/command/output.h"
#include "ui/command/stop_signal.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LOOK_MS 1000
#define LOOK_TIMEOUT_MS 500
#define JOBS_LOOKED_AT 20
#define EXIT_STOPPED 128
#define EXIT_INCONCLUSIVE 8 /* of mldeck bench: a result, too */

/* One run. */
struct run {
	const struct check_test *test;
	struct client *client;
	struct launch launch;
	bool terminal, drawn;
	int passed_on;   /* the signal, once it was */
	size_t shown;    /* of what it wrote to stderr */
	int64_t look_ms; /* monotonic: when the job list is asked again */
};

/* --- progress --- */

static void erase(struct run *r)
{
	if (r->drawn)
		fputs("\r\033[K", stderr);
	r->drawn = false;
}

static void draw(struct run *r, const struct job_record *job)
{
	char left[16] = "?", part[8] = "";
	double fraction = job_fraction(&job->progress);

	if (isfinite(job->progress.left_s))
		text_uptime(left, sizeof left, (long long)ceil(job->progress.left_s));
	if (fraction >= 0)
		snprintf(part, sizeof part, "%.0f%%, ", 100 * fraction);
	fprintf(stderr, "\r%s, job %lld: %s%s left%s%s\033[K", r->test->test.kind, (long long)job->id, part, left,
		job->progress.note[0] != '\0' ? "; " : "", job->progress.note);
	r->drawn = true;
}

/* The job of the process, by its pid; silent where there is none (yet). */
static void look(struct run *r)
{
	cJSON *answer = NULL;
	const cJSON *item;
	char path[64];

	snprintf(path, sizeof path, "/control/v1/jobs?limit=%d", JOBS_LOOKED_AT);
	if (client_get(r->client, path, LOOK_TIMEOUT_MS, &answer, NULL) != 0)
		return;
	struct job_record *job = malloc(sizeof *job);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "jobs"))
	{
		if (job == NULL || json_find_number(item, "pid") != r->launch.pid ||
		    job_from_json(item, job, NULL) != 0)
			continue;
		draw(r, job);
		break;
	}
	free(job);
	cJSON_Delete(answer);
}

static void pass_output_on(struct run *r)
{
	const struct buf *fault = &r->launch.fault;

	if (fault->size > r->shown)
		fwrite(fault->data + r->shown, 1, fault->size - r->shown, stderr);
	r->shown = fault->size;
}

/* Ten times a second. It always goes on: a test that was told to stop ends by itself. */
static bool tick(void *context)
{
	struct run *r = context;
	int number = stop_signal_number();

	if (number != 0 && r->passed_on == 0) {
		kill(r->launch.pid, number);
		r->passed_on = number;
	}
	if (!r->terminal) {
		pass_output_on(r);
	} else if (clock_ms() >= r->look_ms) {
		look(r);
		r->look_ms = clock_ms() + LOOK_MS;
	}
	return true;
}

/* --- its end --- */

static int code_of(int status)
{
	return WIFSIGNALED(status) ? EXIT_STOPPED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* What it said was wrong: the last line "mldeck diff: ..." of its stderr, else the last line. */
static void last_words(const struct buf *fault, char *text, size_t size)
{
	char line[ERR_TEXT_SIZE] = "";
	bool named = false;

	for (size_t at = 0; at < fault->size;) {
		const char *begin = fault->data + at, *end = memchr(begin, '\n', fault->size - at);
		size_t length = end != NULL ? (size_t)(end - begin) : fault->size - at;
		bool names = length > 7 && strncmp(begin, "mldeck ", 7) == 0;
		if (length > 0 && (names || !named))
			snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line ? length : sizeof line - 1),
				 begin);
		named |= names;
		at += length + 1;
	}
	const char *said = named ? strstr(line, ": ") : NULL;
	text_clean(text, size, said != NULL ? said + 2 : line);
}

static void conclude(struct run *r, struct check_test *t)
{
	t->code = code_of(r->launch.status);
	t->fault[0] = '\0';
	if (t->code == 0 || t->code == 1 || t->code == EXIT_INCONCLUSIVE)
		return;
	last_words(&r->launch.fault, t->fault, sizeof t->fault);
	if (t->fault[0] == '\0')
		snprintf(t->fault, sizeof t->fault, "the %s test ended with exit code %d and no word", t->test.kind,
			 t->code);
}

int check_run(const struct check_plan *p, struct check_test *t, struct client *client, bool *stopped, struct err *e)
{
	struct run r = {.test = t, .client = client};
	struct check_words words;
	const char *term = getenv("TERM");
	int64_t begun_ms = clock_ms();

	*stopped = false;
	r.terminal = output_width(stderr) > 0 && term != NULL && strcmp(term, "dumb") != 0;
	r.look_ms = begun_ms + LOOK_MS;
	check_plan_words(p, t, &words);
	int result = launch_run(PROCESS_SELF, words.words, tick, &r, &r.launch, e);
	erase(&r);
	t->seconds = (double)(clock_ms() - begun_ms) / 1000;
	if (result == 0) {
		conclude(&r, t);
		*stopped = t->code >= EXIT_STOPPED;
		if (!r.terminal || t->fault[0] != '\0')
			pass_output_on(&r);
	}
	launch_release(&r.launch);
	return result;
}
