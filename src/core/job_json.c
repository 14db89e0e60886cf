/* A job as JSON: what the control API answers and what a snapshot holds. */
#include "core/job.h"

#include "core/json.h"

#include <math.h>
#include <string.h>

static bool add_lines(cJSON *object, const struct job_record *job)
{
	cJSON *list = cJSON_AddArrayToObject(object, "output");
	for (size_t i = 0; list != NULL && i < job->line_count; i++) {
		if (!json_append(list, cJSON_CreateString(job->lines[i])))
			return false;
	}
	return list != NULL;
}

cJSON *job_progress_to_json(const struct job_progress *p)
{
	cJSON *o = cJSON_CreateObject();
	return json_whole(o, o != NULL && json_add_number(o, "done", (double)p->done) &&
				 json_add_some(o, "total", (double)p->total) &&
				 json_add_number(o, "done_bytes", (double)p->done_bytes) &&
				 json_add_some(o, "total_bytes", (double)p->total_bytes) &&
				 json_add_number(o, "rejected", (double)p->rejected) &&
				 json_add_number(o, "rate", p->rate) && json_add_number(o, "left_s", p->left_s) &&
				 (p->note[0] == '\0' || json_add_text(o, "note", p->note)) &&
				 (p->plot_count == 0 || json_add(o, "plots", plots_to_json(p->plots, p->plot_count))));
}

static bool add_words(cJSON *o, const struct job_record *j)
{
	return json_add_text(o, "kind", j->kind) && json_add_text(o, "model", j->model) &&
	       json_add_some(o, "version", j->version) && json_add_text(o, "title", j->title) &&
	       json_add_text(o, "command", j->command) && json_add_text(o, "target", j->target) &&
	       json_add_text(o, "who", j->who) && json_add_text(o, "state", job_state_name(j->state)) &&
	       json_add_text(o, "summary", j->summary);
}

cJSON *job_to_json(const struct job_record *j)
{
	cJSON *o = cJSON_CreateObject();
	bool ok = o != NULL && json_add_number(o, "id", (double)j->id) && add_words(o, j) &&
		  json_add_boolean(o, "in_shell", j->in_shell) && json_add_boolean(o, "cancelling", j->cancelling) &&
		  json_add_some(o, "pid", (double)j->pid) && json_add_number(o, "queued_ms", (double)j->queued_ms) &&
		  json_add_some(o, "started_ms", (double)j->started_ms) &&
		  json_add_some(o, "ended_ms", (double)j->ended_ms) &&
		  json_add(o, "progress", job_progress_to_json(&j->progress)) && add_lines(o, j);
	return json_whole(o, ok);
}

/* A whole number from 0, 0 when it is absent. */
static int read_count(const cJSON *json, const char *name, int64_t *count, struct err *e)
{
	*count = 0;
	return json_optional_integer(json, name, 0, JSON_INTEGER_MAX, count, e);
}

static int read_size(const cJSON *json, const char *name, uint64_t *size, struct err *e)
{
	int64_t count;
	int result = read_count(json, name, &count, e);
	*size = (uint64_t)count;
	return result;
}

static int read_measure(const cJSON *json, const char *name, double otherwise, double *number, struct err *e)
{
	*number = otherwise;
	if (!json_has(json, name))
		return 0;
	if (json_number(json, name, number, e) != 0)
		return -1;
	if (*number < 0)
		return err_set(e, ERR_INPUT, "field `%s` must not be negative", name);
	return 0;
}

int job_progress_from_json(const cJSON *json, struct job_progress *p, struct err *e)
{
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "a job's progress must be an object");
	if (read_size(json, "done", &p->done, e) != 0 || read_size(json, "total", &p->total, e) != 0 ||
	    read_size(json, "done_bytes", &p->done_bytes, e) != 0 ||
	    read_size(json, "total_bytes", &p->total_bytes, e) != 0 ||
	    read_size(json, "rejected", &p->rejected, e) != 0)
		return -1;
	text_clean(p->note, sizeof p->note, json_find_text(json, "note"));
	if (read_measure(json, "rate", 0, &p->rate, e) != 0 || read_measure(json, "left_s", NAN, &p->left_s, e) != 0)
		return -1;
	return plots_from_json(cJSON_GetObjectItemCaseSensitive(json, "plots"), p->plots, &p->plot_count, e);
}

static int read_words(const cJSON *json, struct job_record *j, struct err *e)
{
	char state[16];
	if (json_clean_text(json, "kind", j->kind, sizeof j->kind, e) != 0 ||
	    json_clean_text(json, "model", j->model, sizeof j->model, e) != 0 ||
	    json_clean_text(json, "title", j->title, sizeof j->title, e) != 0 ||
	    json_clean_text(json, "command", j->command, sizeof j->command, e) != 0 ||
	    json_clean_text(json, "target", j->target, sizeof j->target, e) != 0 ||
	    json_clean_text(json, "who", j->who, sizeof j->who, e) != 0 ||
	    json_clean_text(json, "summary", j->summary, sizeof j->summary, e) != 0 ||
	    json_clean_text(json, "state", state, sizeof state, e) != 0)
		return -1;
	j->state = job_state_by_name(state);
	if (j->state == JOB_STATE_COUNT)
		return err_set(e, ERR_INPUT, "field `state` must be the state of a job, got \"%s\"", state);
	return 0;
}

static int read_numbers(const cJSON *json, struct job_record *j, struct err *e)
{
	int64_t version;
	if (read_count(json, "id", &j->id, e) != 0 || read_count(json, "version", &version, e) != 0 ||
	    read_count(json, "pid", &j->pid, e) != 0 || read_count(json, "queued_ms", &j->queued_ms, e) != 0 ||
	    read_count(json, "started_ms", &j->started_ms, e) != 0 ||
	    read_count(json, "ended_ms", &j->ended_ms, e) != 0)
		return -1;
	if (version > VERSIONS_MAX)
		return err_set(e, ERR_INPUT, "field `version` is no version");
	j->version = (uint32_t)version;
	return 0;
}

static int read_flag(const cJSON *json, const char *name, bool *value, struct err *e)
{
	*value = false;
	return json_optional_boolean(json, name, value, e);
}

static int read_lines(const cJSON *json, struct job_record *j, struct err *e)
{
	const cJSON *list, *item;
	j->line_count = 0;
	if (!json_has(json, "output"))
		return 0;
	list = json_array(json, "output", JOB_LINES_MAX, e);
	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item))
			return err_set(e, ERR_INPUT, "field `output` must hold lines of text");
		text_clean(j->lines[j->line_count++], JOB_LINE_SIZE, item->valuestring);
	}
	return 0;
}

int job_from_json(const cJSON *json, struct job_record *j, struct err *e)
{
	static const struct job_progress none = {.left_s = NAN};
	*j = (struct job_record){.progress = none};
	if (!cJSON_IsObject(json))
		return err_set(e, ERR_INPUT, "a job must be an object");
	if (read_words(json, j, e) != 0 || read_numbers(json, j, e) != 0 ||
	    read_flag(json, "in_shell", &j->in_shell, e) != 0 ||
	    read_flag(json, "cancelling", &j->cancelling, e) != 0 || read_lines(json, j, e) != 0)
		return -1;
	const cJSON *progress = cJSON_GetObjectItemCaseSensitive(json, "progress");
	return progress == NULL || cJSON_IsNull(progress) ? 0 : job_progress_from_json(progress, &j->progress, e);
}
