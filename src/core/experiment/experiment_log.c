#include "core/experiment/experiment_log.h"

#include <stdlib.h>
#include <string.h>

static char *printed(cJSON *json)
{
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "memory ran out over a look at an A/B test");
}

void experiment_log_release(struct experiment_log_look *look)
{
	free(look->report);
	free(look->history);
	look->report = look->history = NULL;
}

static struct experiment_history *read_history(const struct experiment *x, const char *text, struct err *e)
{
	struct experiment_history *h = calloc(1, sizeof *h);
	cJSON *json = cJSON_Parse(text);
	int result = h != NULL ? experiment_history_from_json(json, x, h, e) : no_memory(e);
	cJSON_Delete(json);
	if (result == 0)
		return h;
	free(h);
	return NULL;
}

/* Whether both differ in the number of looks alone. */
static int same_but_looks(const struct experiment *x, struct experiment_history *a, const struct experiment_history *b,
			  struct err *e)
{
	uint64_t looks = a->looks;
	a->looks = b->looks;
	char *one = printed(experiment_history_to_json(x, a)), *other = printed(experiment_history_to_json(x, b));
	a->looks = looks;
	int same = one != NULL && other != NULL ? strcmp(one, other) == 0 : no_memory(e);
	free(one);
	free(other);
	return same;
}

/* history becomes what is remembered afterwards; before is a copy's room. */
static int judge(const struct experiment *x, const struct experiment_state *s, const struct experiment_look *at,
		 struct experiment_history *history, struct experiment_history *before,
		 struct experiment_report *report, struct experiment_log_look *look, struct err *e)
{
	*before = *history;
	experiment_judge(x, s, at, history, report);
	look->number = history->looks;
	look->report = printed(experiment_report_to_json(x, report));
	look->history = printed(experiment_history_to_json(x, history));
	if (look->report == NULL || look->history == NULL)
		return no_memory(e);
	int same = same_but_looks(x, before, history, e);
	look->is_as_before = same == 1;
	return same < 0 ? -1 : 0;
}

int experiment_log_judge(const struct experiment *x, const char *state, const char *history,
			 const struct experiment_look *at, struct experiment_report *report,
			 struct experiment_log_look *look, struct err *e)
{
	memset(look, 0, sizeof *look);
	struct experiment_history *h = read_history(x, history, e), *before = malloc(sizeof *before);
	cJSON *json = cJSON_Parse(state);
	struct experiment_state *s = h != NULL ? experiment_state_from_json(json, x, e) : NULL;
	int result = -1;
	if (s != NULL)
		result = before != NULL ? judge(x, s, at, h, before, report, look, e) : no_memory(e);
	cJSON_Delete(json);
	experiment_state_free(s);
	free(before);
	free(h);
	return result;
}

int experiment_log_follows(const struct experiment *x, const char *before, uint64_t more, const char *history,
			   struct err *e)
{
	struct experiment_history *a = read_history(x, before, e);
	struct experiment_history *b = a != NULL ? read_history(x, history, e) : NULL;
	int same = b == NULL ? -1 : a->looks + more != b->looks ? 0 : same_but_looks(x, a, b, e);
	free(a);
	free(b);
	return same;
}
