/* The log of looks at A/B tests: read, and judged again. */
#include "core/experiment/experiment_log.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum experiment_verdict verdict_by_name(const char *name)
{
	int verdict = 0;
	while (verdict < EXPERIMENT_VERDICT_COUNT &&
	       strcmp(experiment_verdict_name((enum experiment_verdict)verdict), name) != 0)
		verdict++;
	return (enum experiment_verdict)verdict;
}

static int read_row(struct statement *s, void *row, struct err *e)
{
	struct experiment_look_row *look = row;
	look->number = db_integer(s, 0);
	look->times = (uint64_t)db_integer(s, 1);
	look->at_ms = db_integer(s, 2);
	look->last_ms = db_integer(s, 3);
	look->elapsed_s = db_integer(s, 4);
	look->exposed = (uint64_t)db_integer(s, 5);
	look->verdict = verdict_by_name(db_text(s, 6));
	text_clean(look->sentence, sizeof look->sentence, db_text(s, 7));
	return look->verdict != EXPERIMENT_VERDICT_COUNT
		   ? 0
		   : err_set(e, ERR_SYSTEM, "the database holds a look at an A/B test that cannot be read");
}

int registry_experiment_looks(struct registry *r, int64_t id, int64_t before, size_t limit,
			      struct experiment_look_row **looks, size_t *count, struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	struct statement *s =
	    db_prepare(r->db,
		       "SELECT number, times, at_ms, last_ms, last_elapsed_s, exposed, verdict, sentence"
		       " FROM experiment_look WHERE experiment = ?1 AND number < ?2 ORDER BY number DESC LIMIT ?3",
		       e);
	if (s != NULL) {
		db_bind_integer(s, 1, id);
		db_bind_integer(s, 2, before > 0 ? before : INT64_MAX);
		db_bind_integer(s, 3, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	}
	int result = registry_read_rows(s, sizeof **looks, read_row, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*looks = rows.list;
	*count = rows.count;
	return 0;
}

int registry_experiment_look_report(struct registry *r, int64_t id, int64_t number, char **report, struct err *e)
{
	int result = -1;
	registry_lock(r);
	struct statement *s =
	    db_prepare(r->db, "SELECT report FROM experiment_look WHERE experiment = ?1 AND number = ?2", e);
	if (s != NULL) {
		db_bind_integer(s, 1, id);
		db_bind_integer(s, 2, number);
		int row = db_step(s, e);
		*report = row == 1 ? strdup(db_text(s, 0)) : NULL;
		if (*report != NULL)
			result = 0;
		else if (row == 0)
			err_set(e, ERR_NOT_FOUND, "A/B test %" PRId64 " has no look %" PRId64 " in its log", id,
				number);
		else if (row == 1)
			err_set(e, ERR_MEMORY, "memory ran out over a look at an A/B test");
		db_end(s);
	}
	registry_unlock(r);
	return result;
}

/* --- judged again --- */

struct replay {
	struct experiment_record record;
	struct experiment_report report;
	char *after;   /* what the look before remembered; NULL for the first */
	int64_t next;  /* the number that follows it, if none was removed between */
	uint64_t more; /* looks that it stands for, beyond its own */
};

enum { NUMBER, TIMES, ELAPSED_S, IS_STOPPED, VERDICT, SENTENCE, REPORT, HISTORY, STATE };

/* What a row says of its look is what the look says. */
static bool says_same(const struct replay *p, const struct experiment_log_look *look, struct statement *s)
{
	return (int64_t)look->number == db_integer(s, NUMBER) && strcmp(look->report, db_text(s, REPORT)) == 0 &&
	       strcmp(experiment_verdict_name(p->report.verdict), db_text(s, VERDICT)) == 0 &&
	       strcmp(p->report.sentence, db_text(s, SENTENCE)) == 0;
}

/* 1: the same, 0: it is not, -1. */
static int judge_again(struct replay *p, struct statement *s, struct err *e)
{
	const struct experiment *plan = &p->record.plan;
	const struct experiment_look at = {db_integer(s, ELAPSED_S), db_integer(s, IS_STOPPED) != 0};
	int64_t number = db_integer(s, NUMBER);
	struct experiment_log_look look;
	struct err why = {0};
	int same = number >= p->next;
	if (same && p->after != NULL && p->next == number)
		same = experiment_log_follows(plan, p->after, p->more, db_text(s, HISTORY), &why);
	int judged = experiment_log_judge(plan, db_text(s, STATE), db_text(s, HISTORY), &at, &p->report, &look, &why);
	if (same == 1)
		same = judged == 0 && says_same(p, &look, s);
	free(p->after);
	p->after = look.history;
	look.history = NULL;
	p->more = (uint64_t)db_integer(s, TIMES) - 1;
	p->next = number + db_integer(s, TIMES);
	experiment_log_release(&look);
	/* What cannot be read is not what was written. */
	return why.code == ERR_MEMORY ? err_set(e, ERR_MEMORY, "%s", why.text) : same == 1;
}

static int replay_all(struct registry *r, struct replay *p, size_t *looks, int64_t *different, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "SELECT number, times, elapsed_s, is_stopped, verdict, sentence, report, history, state"
		       " FROM experiment_look WHERE experiment = ?1 ORDER BY number",
		       e);
	if (s == NULL)
		return -1;
	int row, same = 1;
	db_bind_integer(s, 1, p->record.id);
	while ((row = db_step(s, e)) == 1 && (same = judge_again(p, s, e)) == 1)
		++*looks;
	if (row == 1 && same == 0)
		*different = db_integer(s, NUMBER);
	db_end(s);
	return row < 0 || same < 0 ? -1 : 0;
}

int registry_experiment_replay(struct registry *r, int64_t id, size_t *looks, int64_t *different, struct err *e)
{
	struct replay *p = calloc(1, sizeof *p);
	if (p == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out over the log of an A/B test");
	*looks = 0;
	*different = 0;
	registry_lock(r);
	int result = registry_find_experiment(r, id, &p->record, e);
	if (result == 0)
		result = replay_all(r, p, looks, different, e);
	registry_unlock(r);
	free(p->after);
	free(p);
	return result;
}
