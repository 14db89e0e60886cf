/*
 * Rows that decide what may serve, as JSON in the data of the audit records that wrote them: policies, approvals,
 * results of tests, acknowledgements of alerts, the terms of rollouts and what A/B tests were started with. So the
 * chain holds them, too.
 *
 * SQLite writes the JSON, when a row is written and when it is verified: what was edited since then differs.
 */
#include "core/registry/registry_internal.h"

#include <stdlib.h>
#include <string.h>

/* A BLOB has no JSON, and is in no row that was not altered. */
#define COLUMN(name) "'" #name "',iif(typeof(" #name ")='blob',NULL," #name ")"
#define MODEL "'model',(SELECT name FROM model WHERE id=model_id)"
#define PLAN(name) "json_extract(plan,'$." #name "')"
#define NAMED(name) "'" #name "'," PLAN(name)

#define POLICY                                                                                                \
	"json_object(" MODEL "," COLUMN(number) "," COLUMN(at_ms) "," COLUMN(uid) "," COLUMN(who) "," COLUMN( \
	    reason) ",'policy',iif(typeof(policy)='text' AND json_valid(policy),json(policy),NULL))"
#define APPROVAL                                                                                                  \
	"json_object(" COLUMN(id) "," MODEL "," COLUMN(version) "," COLUMN(against) "," COLUMN(at_ms) "," COLUMN( \
	    uid) "," COLUMN(who) "," COLUMN(reason) ")"
#define TEST                                                                                                     \
	"json_object(" COLUMN(id) "," MODEL "," COLUMN(kind) "," COLUMN(version) "," COLUMN(against) "," COLUMN( \
	    at_ms) "," COLUMN(job) "," COLUMN(passed) "," COLUMN(summary) ")"
#define ACKNOWLEDGEMENT                                                                              \
	"json_object(" COLUMN(id) "," COLUMN(rule) "," COLUMN(model) "," COLUMN(version) "," COLUMN( \
	    since_ms) "," COLUMN(acknowledged_ms) "," COLUMN(who) "," COLUMN(note) ")"
#define TERMS_NUMBERS NAMED(version) "," NAMED(from) "," NAMED(first_revision) "," NAMED(started_ms) "," NAMED(uid)
#define TERMS_TREES "'steps',json(" PLAN(steps) "),'thresholds',json(" PLAN(thresholds) ")"
#define TERMS_FORCED "'forced',json(iif(" PLAN(forced) ",'true','false'))"
#define TERMS_WORDS "'of'," PLAN(model) "," NAMED(who) "," NAMED(reason) "," TERMS_FORCED
#define TERMS_OPEN "json_object(" COLUMN(id) "," MODEL "," TERMS_NUMBERS "," TERMS_WORDS "," TERMS_TREES ")"
#define TERMS "json_set(" TERMS_OPEN ",'$.state',state,'$.ended_ms',ended_ms)"
#define PLANNED "'plan',iif(typeof(plan)='text' AND json_valid(plan),json(plan),NULL)"
#define PREREGISTERED_OPEN                                                                                         \
	"json_object(" COLUMN(id) "," MODEL "," COLUMN(name) "," COLUMN(sha256) "," COLUMN(started_ms) "," COLUMN( \
	    before) "," COLUMN(revision) "," COLUMN(uid) "," COLUMN(who) "," COLUMN(reason) "," PLANNED ")"
#define PREREGISTERED "json_set(" PREREGISTERED_OPEN ",'$.state',state,'$.ended_ms',ended_ms)"
#define SAID(path) "json_extract(?1,'$." path "')"

/* The row whose rowid is ?1, as it was written. */
static const char *const written[REGISTRY_ROW_COUNT] = {
    [REGISTRY_ROW_POLICY] = "SELECT " POLICY " FROM policy WHERE rowid=?1",
    [REGISTRY_ROW_APPROVAL] = "SELECT " APPROVAL " FROM approval WHERE id=?1",
    [REGISTRY_ROW_TEST] = "SELECT " TEST " FROM test_result WHERE id=?1",
    [REGISTRY_ROW_ACKNOWLEDGEMENT] = "SELECT " ACKNOWLEDGEMENT " FROM alert WHERE id=?1",
    [REGISTRY_ROW_TERMS] = "SELECT " TERMS " FROM rollout WHERE id=?1",
    [REGISTRY_ROW_PREREGISTERED] = "SELECT " PREREGISTERED " FROM experiment WHERE id=?1",
};

/* As registry_row_prepare() has it. An alert may be acknowledged again, and the row is of the last time. A rollout's
 * first record is the one on its first revision; its end counts from the record that says so. */
static const char *const agreeing[REGISTRY_ROW_COUNT] = {
    [REGISTRY_ROW_POLICY] = "SELECT 1 FROM policy WHERE model_id=(SELECT id FROM model WHERE name=?2)"
			    " AND number=" SAID("policy.number") " AND " POLICY "=" SAID("policy"),
    [REGISTRY_ROW_APPROVAL] =
	"SELECT 1 FROM approval WHERE id=" SAID("approval.id") " AND " APPROVAL "=" SAID("approval"),
    [REGISTRY_ROW_TEST] = "SELECT 1 FROM test_result WHERE id=" SAID("test.id") " AND " TEST "=" SAID("test"),
    [REGISTRY_ROW_ACKNOWLEDGEMENT] =
	"SELECT iif(" ACKNOWLEDGEMENT
	"=" SAID("acknowledgement") ",1,2) FROM alert"
				    " WHERE id=" SAID(
					"acknowledgement.id") " AND state<>'firing' AND (" ACKNOWLEDGEMENT
							      "=" SAID("acknowledgement") " OR acknowledged_ms>" SAID(
								  "acknowledgement.acknowledged_ms") ")",
    [REGISTRY_ROW_TERMS] = "SELECT iif(" SAID("terms.first_revision") "=?3,1,2) FROM rollout WHERE id=" SAID(
	"terms.id") " AND iif(typeof(plan)='text' AND json_valid(plan)," TERMS_OPEN ",NULL)="
		    "json_extract(json_remove(?1,'$.terms.state','$.terms.ended_ms'),'$.terms') AND (" SAID(
			"terms.ended_ms") "=0 OR (state=" SAID("terms.state") " AND ended_ms=" SAID("terms.ended_"
												    "ms") "))",
    [REGISTRY_ROW_PREREGISTERED] = "SELECT iif(before=?3,1,2) FROM experiment WHERE id=" SAID(
	"preregistered.id") " AND " PREREGISTERED_OPEN
			    "=json_extract(json_remove(?1,'$.preregistered.state','$.preregistered.ended_ms'),'$."
			    "preregistered') AND (" SAID("preregistered.ended_ms") "=0 OR (state=" SAID(
				"preregistered.state") " AND ended_ms=" SAID("preregistered.ended_ms") "))",
};

static const char *const counted[REGISTRY_ROW_COUNT] = {
    [REGISTRY_ROW_POLICY] = "SELECT count(*) FROM policy",
    [REGISTRY_ROW_APPROVAL] = "SELECT count(*) FROM approval",
    [REGISTRY_ROW_TEST] = "SELECT count(*) FROM test_result",
    [REGISTRY_ROW_ACKNOWLEDGEMENT] =
	("SELECT count(*) FROM alert WHERE acknowledged_ms<>0 OR who<>'' OR note<>'' OR state='acknowledged'"),
    [REGISTRY_ROW_TERMS] = "SELECT count(*) FROM rollout",
    [REGISTRY_ROW_PREREGISTERED] = "SELECT count(*) FROM experiment",
};

static const char *const names[REGISTRY_ROW_COUNT] = {
    [REGISTRY_ROW_POLICY] = "policy", [REGISTRY_ROW_APPROVAL] = "approval",
    [REGISTRY_ROW_TEST] = "test",     [REGISTRY_ROW_ACKNOWLEDGEMENT] = "acknowledgement",
    [REGISTRY_ROW_TERMS] = "terms",   [REGISTRY_ROW_PREREGISTERED] = "preregistered",
};

const char *registry_row_name(enum registry_row row)
{
	return names[row];
}

char *registry_row_member(struct registry *r, enum registry_row row, int64_t id, struct err *e)
{
	struct buf member;
	struct statement *s = db_prepare(r->db, written[row], e);
	if (s == NULL)
		return NULL;
	buf_init(&member);
	db_bind_integer(s, 1, id);
	int found = db_step(s, e);
	if (found == 1)
		buf_format(&member, "\"%s\":", names[row]);
	if (found == 1)
		buf_add_string(&member, db_text(s, 0));
	db_end(s);
	if (found == 1 && !member.failed)
		return buf_take(&member);
	buf_release(&member);
	if (found >= 0)
		err_set(e, ERR_MEMORY, "memory ran out over a record of the audit");
	return NULL;
}

int registry_insert_audit_of(struct registry *r, struct audit_record *record, enum registry_row row, int64_t id,
			     struct err *e)
{
	struct buf data;
	char *member = registry_row_member(r, row, id, e);
	if (member == NULL)
		return -1;
	buf_init(&data);
	buf_add_char(&data, '{');
	buf_add_string(&data, member);
	buf_add_string(&data, "}");
	free(member);
	record->data = data.data;
	int result = data.failed ? err_set(e, ERR_MEMORY, "memory ran out over a record of the audit")
				 : registry_insert_audit(r, record, e);
	record->data = NULL;
	buf_release(&data);
	return result;
}

struct statement *registry_row_prepare(struct db *db, enum registry_row row, struct err *e)
{
	return db_prepare(db, agreeing[row], e);
}

struct statement *registry_row_prepare_count(struct db *db, enum registry_row row, struct err *e)
{
	return db_prepare(db, counted[row], e);
}
