#include "ui/command/output.h"
#include "ui/command/table.h"

#include "core/job_kind.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

extern const struct command command_jobs;

/* "61%", "412k rows", "-" */
static void progress_text(const struct job_record *job, char *text, size_t size)
{
	double part = job_fraction(&job->progress);
	const char *counted = job_counted(job);
	char rows[16];

	text_count(rows, sizeof(rows), (double)job->progress.done);
	if (job->state == JOB_QUEUED)
		snprintf(text, size, "%s", job->progress.note[0] ? job->progress.note : "-");
	else if (counted == NULL && job->state == JOB_RUNNING && part >= 0)
		snprintf(text, size, "%.0f%%", floor(part * 100));
	else if (counted == NULL)
		snprintf(text, size, "-");
	else if (job->state == JOB_RUNNING && part >= 0)
		snprintf(text, size, "%.0f%%, %s %s", floor(part * 100), rows, counted);
	else
		snprintf(text, size, "%s %s", rows, counted);
}

static void job_row(struct table *t, const struct job_record *job)
{
	char progress[JOB_NOTE_SIZE], time[32];

	progress_text(job, progress, sizeof(progress));
	output_time(time, sizeof(time), (double)(job->started_ms ? job->started_ms : job->queued_ms));
	table_row(t);
	table_cell(t, "%" PRId64, job->id);
	table_cell(t, "%s", job->cancelling ? "cancelling" : job_state_name(job->state));
	table_cell(t, "%s", job->kind);
	table_cell(t, job->version ? "%s v%u" : "%s", job->model, job->version);
	table_cell(t, "%s", progress);
	table_cell(t, "%.0f", (double)job->progress.rejected);
	table_cell(t, "%s", time);
	table_cell(t, "%s", job->who);
	table_cell(t, "%s", job_ended(job) && job->summary[0] ? job->summary : job->title);
}

static int jobs_print(const cJSON *answer, struct err *e)
{
	static const char *const headers[] = {">JOB",    "STATE",   "KIND", "MODEL", "PROGRESS",
					      ">FAILED", "STARTED", "WHO",  "WHAT",  NULL};
	const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(answer, "jobs");
	struct job_record job;
	struct table *t;
	int result = 0;

	if (cJSON_GetArraySize(list) == 0) {
		puts("There are no jobs yet: mldeck predict MODEL --input FILE --output FILE");
		return output_end(e);
	}
	t = table_new(headers);
	if (!t)
		return err_set(e, ERR_MEMORY, "memory is out");
	cJSON_ArrayForEach(item, list)
	{
		result = job_from_json(item, &job, e);
		if (result != 0)
			break;
		job_row(t, &job);
	}
	if (result == 0)
		result = table_print(t, e);
	table_free(t);
	return result;
}

static void line(const char *name, const char *text)
{
	if (!*text)
		return;
	printf("%-9s ", name);
	output_text(text);
	putchar('\n');
}

static void output_print(const char *tail)
{
	char part[1024];

	while (*tail) {
		size_t size = strcspn(tail, "\r\n");

		snprintf(part, sizeof(part), "%.*s", (int)(size < sizeof(part) ? size : sizeof(part) - 1), tail);
		line("output", part);
		tail += size + (tail[size] != '\0');
	}
}

static int job_print(const cJSON *answer, struct err *e)
{
	char text[JOB_COMMAND_SIZE], time[32];
	struct job_record job;

	if (job_from_json(answer, &job, e) != 0)
		return -1;
	snprintf(text, sizeof(text), "%" PRId64 ", %s of %s v%u", job.id, job.kind, job.model, job.version);
	line("job", text);
	snprintf(text, sizeof(text), "%s%s", job_state_name(job.state), job.cancelling ? ", cancelling" : "");
	line("state", text);
	line("summary", job.summary);
	progress_text(&job, text, sizeof(text));
	line("progress", text);
	snprintf(text, sizeof(text), "%" PRIu64 " %s", job.progress.rejected, job_counted(&job));
	if (job_spoilt(&job) != NULL)
		line(job_spoilt(&job), text);
	if (job.state == JOB_RUNNING && job.progress.note[0] != '\0')
		line("now", job.progress.note);
	output_time(time, sizeof(time), (double)job.started_ms);
	line("started", time);
	output_time(time, sizeof(time), (double)job.ended_ms);
	line("ended", time);
	line("by", job.who);
	line("what", job.title);
	line("command", job.command);
	output_print(json_find_text(answer, "output_tail"));
	return output_end(e);
}

static int path_make(const struct arguments *a, char *path, size_t size, struct err *e)
{
	const char *text = arguments_at(a, 0);
	long long id, limit;

	if (output_number(a, "limit", 1, 1000, 20, &limit, e) != 0)
		return -1;
	if (!text)
		return snprintf(path, size, "/control/v1/jobs?limit=%lld", limit) > 0 ? 0 : -1;
	if (!text_integer(text, 1, INT64_MAX, &id))
		return err_set(e, ERR_INPUT, "%s is no number of a job; mldeck jobs lists them", *text ? text : "\"\"");
	return snprintf(path, size, "/control/v1/jobs/%lld", id) > 0 ? 0 : -1;
}

static int jobs_once(const struct arguments *a, struct client *client, const char *path, struct err *e)
{
	cJSON *answer = NULL;
	int result = client_get(client, path, CLIENT_TIMEOUT_MS, &answer, e);

	if (result == 0)
		result = arguments_flag(a, "json") ? output_json(answer, e)
			 : arguments_at(a, 0)      ? job_print(answer, e)
						   : jobs_print(answer, e);
	cJSON_Delete(answer);
	return result;
}

static int run(const struct arguments *a)
{
	struct client *client = NULL;
	struct err e = {0};
	char path[160];
	int result = -1;

	if (path_make(a, path, sizeof(path), &e) == 0 && output_client(a, "jobs", &client, &e) == 0)
		result = jobs_once(a, client, path, &e);
	client_free(client);
	return result == 0 ? 0 : command_fail(&command_jobs, &e);
}

static const struct option_spec options[] = {
    {"limit", "N", "at most so many jobs (default 20, at most 1000)"},
    OPTION_JSON,
    OPTION_SOCKET,
    OPTION_STATE,
    OPTION_END,
};

const struct command command_jobs = {
    .name = "jobs",
    .arguments = "[ID]",
    .summary = "list test and batch runs, newest first; with ID show one",
    .details = "A job is a run of one of mldeck's commands, started in the console or in a shell.",
    .options = options,
    .run = run,
};
