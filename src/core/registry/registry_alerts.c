/* Alerts: a row each, from when something began to be wrong until it is over. */
#include "core/registry/registry_alerts.h"

#include "core/clock.h"
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                             \
	"SELECT id, rule, model, version, state, since_ms, acknowledged_ms, resolved_ms, value, threshold," \
	" text, who, note FROM alert "

static int read_row(struct statement *s, void *record, struct err *e)
{
	struct alert *alert = record;
	(void)e;
	*alert = (struct alert){
	    .id = db_integer(s, 0),
	    .version = (uint32_t)db_integer(s, 3),
	    .state = alert_state_by_name(db_text(s, 4)),
	    .since_ms = db_integer(s, 5),
	    .acknowledged_ms = db_integer(s, 6),
	    .resolved_ms = db_integer(s, 7),
	    .value = db_number(s, 8),
	    .threshold = db_number(s, 9),
	};
	text_clean(alert->rule, sizeof alert->rule, db_text(s, 1));
	text_clean(alert->model, sizeof alert->model, db_text(s, 2));
	text_clean(alert->text, sizeof alert->text, db_text(s, 10));
	text_clean(alert->who, sizeof alert->who, db_text(s, 11));
	text_clean(alert->note, sizeof alert->note, db_text(s, 12));
	if (alert->state == ALERT_STATE_COUNT) /* cannot be: the table checks it */
		alert->state = ALERT_FIRING;
	return 0;
}

/* Ends the statement. 1: found, 0: there is none, -1: failed. */
static int read_one(struct statement *s, struct alert *alert, struct err *e)
{
	if (s == NULL)
		return -1;
	int row = db_step(s, e);
	if (row == 1)
		read_row(s, alert, e);
	db_end(s);
	return row;
}

static int find_open(struct registry *r, const struct alert *alert, struct alert *found, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db, COLUMNS "WHERE rule = ?1 AND model = ?2 AND version = ?3 AND state <> 'resolved'", e);
	if (s != NULL) {
		db_bind_text(s, 1, alert->rule);
		db_bind_text(s, 2, alert->model);
		db_bind_integer(s, 3, alert->version);
	}
	return read_one(s, found, e);
}

/* What it says and measured; its row begins with these. */
static int run(struct statement *s, const struct alert *alert, struct err *e)
{
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, alert->text);
	db_bind_number(s, 2, alert->value);
	db_bind_number(s, 3, alert->threshold);
	db_bind_text(s, 4, alert->rule);
	db_bind_text(s, 5, alert->model);
	db_bind_integer(s, 6, alert->version);
	db_bind_integer(s, 7, alert->since_ms);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* Renews the open one, or begins one. */
static int fire(struct registry *r, struct alert *alert, struct err *e)
{
	struct alert open;
	int found = find_open(r, alert, &open, e);
	if (found < 0)
		return -1;
	alert->since_ms = found == 1 ? open.since_ms : clock_unix_ms();
	if (run(db_prepare(r->db,
			   found == 1 ? "UPDATE alert SET text = ?1, value = ?2, threshold = ?3 WHERE rule = ?4 AND"
					" model = ?5 AND version = ?6 AND since_ms = ?7 AND state <> 'resolved'"
				      : "INSERT INTO alert (text, value, threshold, rule, model, version, since_ms,"
					" state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'firing')",
			   e),
		alert, e) != 0)
		return -1;
	return find_open(r, alert, alert, e) == 1 ? 0 : -1;
}

int registry_fire_alert(struct registry *r, struct alert *alert, struct err *e)
{
	struct alert fired = *alert;
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = fire(r, &fired, e);
	result = registry_finish(r, result, e);
	if (result == 0)
		*alert = fired;
	return result;
}

static int find(struct registry *r, int64_t id, struct alert *alert, struct err *e)
{
	struct statement *s = db_prepare(r->db, COLUMNS "WHERE id = ?1", e);
	if (s != NULL)
		db_bind_integer(s, 1, id);
	int row = read_one(s, alert, e);
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no alert %" PRId64 "; mldeck alerts lists them", id);
	return row == 1 ? 0 : -1;
}

static int write_acknowledged(struct registry *r, const struct alert *alert, struct err *e)
{
	struct statement *s = db_prepare(
	    r->db, "UPDATE alert SET state = ?2, acknowledged_ms = ?3, who = ?4, note = ?5 WHERE id = ?1", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, alert->id);
	db_bind_text(s, 2, alert_state_name(alert->state));
	db_bind_integer(s, 3, alert->acknowledged_ms);
	db_bind_text(s, 4, alert->who);
	db_bind_text(s, 5, alert->note);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : 0;
}

/* "alert 3, acknowledged by ada before (looking): it was rolled back"; what is long is cut at its end. */
static void acknowledge_detail(const struct alert *alert, const struct alert *before, char *text, size_t size)
{
	char detail[3 * REASON_SIZE], by[WHO_SIZE + REASON_SIZE + 32] = "";

	if (before->state == ALERT_ACKNOWLEDGED)
		snprintf(by, sizeof by,
			 *before->note ? ", acknowledged by %s before (%s)" : ", acknowledged by %s before",
			 before->who, before->note);
	snprintf(detail, sizeof detail, "alert %" PRId64 "%s: %s", alert->id, by, alert->text);
	text_clean(text, size, detail);
}

static int acknowledge(struct registry *r, int64_t id, const char *note, const struct actor *actor,
		       struct alert *before, struct alert *alert, struct err *e)
{
	if (find(r, id, before, e) != 0)
		return -1;
	*alert = *before;
	if (alert->state == ALERT_RESOLVED)
		return err_set(e, ERR_CONFLICT, "alert %" PRId64 " is resolved, so there is nothing to acknowledge",
			       id);
	if (registry_clean_reason(note, alert->note, e) != 0)
		return -1;
	alert->state = ALERT_ACKNOWLEDGED;
	/* Later than the one before, whatever the clock says: it tells which one the row is of. */
	int64_t now_ms = clock_unix_ms();
	alert->acknowledged_ms = now_ms > alert->acknowledged_ms ? now_ms : alert->acknowledged_ms + 1;
	text_clean(alert->who, sizeof alert->who, actor->name);
	struct audit_record record;
	registry_audit_init(&record, actor, "acknowledge", alert->model, "done", alert->note);
	record.version = alert->version;
	acknowledge_detail(alert, before, record.detail, sizeof record.detail);
	if (write_acknowledged(r, alert, e) != 0)
		return -1;
	return registry_insert_audit_of(r, &record, REGISTRY_ROW_ACKNOWLEDGEMENT, id, e);
}

int registry_acknowledge_alert(struct registry *r, int64_t id, const char *note, const struct actor *actor,
			       struct alert *before, struct alert *result, struct err *e)
{
	struct alert was, alert;
	registry_lock(r);
	int done = db_begin(r->db, e);
	if (done == 0)
		done = acknowledge(r, id, note, actor, &was, &alert, e);
	done = registry_finish(r, done, e);
	if (done != 0)
		return done;
	*result = alert;
	if (before != NULL)
		*before = was;
	return 0;
}

int registry_resolve_alerts(struct registry *r, const char *rule, const char *model, uint32_t version, struct err *e)
{
	int row = -1;
	registry_lock(r);
	struct statement *s = db_prepare(r->db,
					 "UPDATE alert SET state = 'resolved', resolved_ms = ?1 WHERE rule = ?2 AND"
					 " model = ?3 AND (?4 = 0 OR version = ?4) AND state <> 'resolved'",
					 e);
	if (s != NULL) {
		db_bind_integer(s, 1, clock_unix_ms());
		db_bind_text(s, 2, rule);
		db_bind_text(s, 3, model);
		db_bind_integer(s, 4, version);
		row = db_step(s, e);
		db_end(s);
	}
	registry_unlock(r);
	return row < 0 ? -1 : 0;
}

int registry_alerts(struct registry *r, size_t limit, struct alert **alerts, size_t *count, struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	struct statement *s =
	    db_prepare(r->db,
		       COLUMNS "ORDER BY CASE state WHEN 'firing' THEN 0 WHEN 'acknowledged' THEN 1 ELSE 2 END,"
			       " resolved_ms DESC, since_ms DESC, id DESC LIMIT ?1",
		       e);
	if (s != NULL)
		db_bind_integer(s, 1, (int64_t)limit);
	int result = registry_read_rows(s, sizeof **alerts, read_row, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*alerts = rows.list;
	*count = rows.count;
	return 0;
}
