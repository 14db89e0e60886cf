/* Looks at A/B tests: each is judged, remembered and logged in one transaction, with all that it saw, so that it can be
 * judged again. */
#include "core/experiment/experiment_log.h"
#include "core/fault.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a look needs, as the database has it. */
struct looker {
	struct experiment_record record;
	int64_t step;
	char *state, *history;
	struct {
		int64_t number; /* 0: there was none */
		int64_t step, last_ms;
		bool is_stopped;
		char verdict[16];
	} last;
	struct experiment_look at;
	int64_t now_ms;
};

static int read_texts(struct registry *r, int64_t id, struct looker *l, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "SELECT s.step, s.state, m.history FROM experiment_seen s JOIN experiment_memory m"
		       " ON m.experiment = s.experiment WHERE s.experiment = ?1",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	int row = db_step(s, e);
	if (row == 1) {
		l->step = db_integer(s, 0);
		l->state = strdup(db_text(s, 1));
		l->history = strdup(db_text(s, 2));
	}
	db_end(s);
	if (row == 0)
		return err_set(e, ERR_SYSTEM, "the state of A/B test %" PRId64 " is missing in the database", id);
	if (row == 1 && (l->state == NULL || l->history == NULL))
		return err_set(e, ERR_MEMORY, "memory ran out over a look at an A/B test");
	return row < 0 ? -1 : 0;
}

static int read_last(struct registry *r, int64_t id, struct looker *l, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "SELECT number, step, last_ms, is_stopped, verdict FROM experiment_look"
					 " WHERE experiment = ?1 ORDER BY number DESC LIMIT 1",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	int row = db_step(s, e);
	if (row == 1) {
		l->last.number = db_integer(s, 0);
		l->last.step = db_integer(s, 1);
		l->last.last_ms = db_integer(s, 2);
		l->last.is_stopped = db_integer(s, 3) != 0;
		snprintf(l->last.verdict, sizeof l->last.verdict, "%s", db_text(s, 4));
	}
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* Time does not go back between looks, and ends with the test. */
static void set_time(struct looker *l, int64_t now_ms)
{
	const struct experiment_record *record = &l->record;
	l->now_ms = now_ms > l->last.last_ms ? now_ms : l->last.last_ms;
	int64_t until_ms = record->ended_ms != 0 ? record->ended_ms : l->now_ms;
	int64_t elapsed_s = (until_ms - record->started_ms) / 1000;
	l->at = (struct experiment_look){elapsed_s > 0 ? elapsed_s : 0, record->run != EXPERIMENT_RUN_RUNNING};
}

/* --- writing --- */

static int write_memory(struct registry *r, int64_t id, const char *history, struct err *e)
{
	struct statement *s = db_prepare(r->db, "UPDATE experiment_memory SET history = ?2 WHERE experiment = ?1", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	db_bind_text(s, 2, history);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static int write_again(struct registry *r, const struct looker *l, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "UPDATE experiment_look SET times = times + 1, last_ms = ?3, last_elapsed_s = ?4"
		       " WHERE experiment = ?1 AND number = ?2",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, l->record.id);
	db_bind_integer(s, 2, l->last.number);
	db_bind_integer(s, 3, l->now_ms);
	db_bind_integer(s, 4, l->at.elapsed_s);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static uint64_t exposed(const struct experiment_report *report, const struct experiment *plan)
{
	uint64_t sum = 0;
	for (size_t arm = 0; arm < plan->arm_count; arm++)
		sum += report->exposed[arm];
	return sum;
}

static int write_new(struct registry *r, const struct looker *l, const struct experiment_report *report,
		     const struct experiment_log_look *look, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "INSERT INTO experiment_look (experiment, number, times, at_ms, last_ms, elapsed_s,"
		       " last_elapsed_s, is_stopped, exposed, step, verdict, sentence, report, history, state)"
		       " VALUES (?1, ?2, 1, ?3, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, l->record.id);
	db_bind_integer(s, 2, (int64_t)look->number);
	db_bind_integer(s, 3, l->now_ms);
	db_bind_integer(s, 4, l->at.elapsed_s);
	db_bind_integer(s, 5, l->at.is_stopped);
	db_bind_integer(s, 6, (int64_t)exposed(report, &l->record.plan));
	db_bind_integer(s, 7, l->step);
	db_bind_text(s, 8, experiment_verdict_name(report->verdict));
	db_bind_text(s, 9, report->sentence);
	db_bind_text(s, 10, look->report);
	db_bind_text(s, 11, l->history);
	db_bind_text(s, 12, l->state);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

/* When there are too many, every second of the older half goes, but the first, and those whose verdict was new or did
 * not last: the numbers still say how many looks there were. */
static int thin(struct registry *r, int64_t id, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "DELETE FROM experiment_look WHERE experiment = ?1 AND number IN (SELECT number FROM"
		       " (SELECT number, verdict, row_number() OVER w AS place, lag(verdict) OVER w AS before,"
		       " lead(verdict) OVER w AS after, count(*) OVER () AS total"
		       " FROM experiment_look WHERE experiment = ?1 WINDOW w AS (ORDER BY number))"
		       " WHERE place % 2 = 0 AND place < total / 2 AND verdict = before AND verdict = after)"
		       " AND (SELECT count(*) FROM experiment_look WHERE experiment = ?1) > ?2",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	db_bind_integer(s, 2, EXPERIMENT_LOOKS_MAX);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

static int write(struct registry *r, const struct looker *l, const struct experiment_report *report,
		 const struct experiment_log_look *look, struct err *e)
{
	bool is_again = l->last.number != 0 && l->last.step == l->step && look->is_as_before &&
			l->last.is_stopped == l->at.is_stopped &&
			strcmp(l->last.verdict, experiment_verdict_name(report->verdict)) == 0;
	if (write_memory(r, l->record.id, look->history, e) != 0)
		return -1;
	if (is_again)
		return write_again(r, l, e);
	if (write_new(r, l, report, look, e) != 0)
		return -1;
	/* Counting them all at each look would cost more than the look. */
	return look->number % (EXPERIMENT_LOOKS_MAX / 16) == 0 ? thin(r, l->record.id, e) : 0;
}

static int look_at(struct registry *r, int64_t id, int64_t now_ms, struct looker *l, struct experiment_report *report,
		   struct err *e)
{
	struct experiment_log_look look = {0};
	if (registry_find_experiment(r, id, &l->record, e) != 0 || read_texts(r, id, l, e) != 0 ||
	    read_last(r, id, l, e) != 0)
		return -1;
	set_time(l, now_ms);
	int result = experiment_log_judge(&l->record.plan, l->state, l->history, &l->at, report, &look, e);
	if (result == 0)
		result = write(r, l, report, &look, e);
	FAULT_POINT(look_written);
	experiment_log_release(&look);
	return result;
}

int registry_experiment_look(struct registry *r, int64_t id, int64_t now_ms, struct experiment_report *report,
			     struct err *e)
{
	struct looker *l = calloc(1, sizeof *l);
	if (l == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out over a look at an A/B test");
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = look_at(r, id, now_ms, l, report, e);
	result = registry_finish(r, result, e);
	FAULT_POINT(look_committed);
	free(l->state);
	free(l->history);
	free(l);
	return result;
}
