/*
 * registry_internal: what the registry's files share. Nobody else includes it.
 *
 * Functions here expect the mutex to be held, and those that write an open transaction.
 */
#ifndef CORE_REGISTRY_INTERNAL_H
#define CORE_REGISTRY_INTERNAL_H

#include "core/buf.h"
#include "core/db.h"
#include "core/registry/registry.h"
#include "core/registry/registry_experiments.h"

#include <pthread.h>
#include <stdatomic.h>

#define ARTIFACTS_TEMPORARY "artifacts/tmp"
#define ARTIFACTS_SHA256 "artifacts/sha256"
#define MANIFEST_JSON_MAX (32u << 20)

/* Refusals that one uid may have recorded at once, and again with time: at most 86,400 a day. */
#define REFUSALS_BURST 500
#define REFUSALS_A_SECOND 1
#define REFUSERS_MAX 8

struct refusals {
	bool used;
	uint32_t uid;
	int left; /* records that may be written now */
	int64_t filled_ms;
	uint64_t left_out; /* since the last record of how many */
	char who[WHO_SIZE];
};

/* Where the removal of what has expired of A/B tests has come to, of a table; it begins anew with the process. */
#define EXPERIMENT_HANDS 2
struct experiment_hand {
	int64_t experiment;
	unsigned char hash[16];
};

struct registry {
	pthread_mutex_t mutex;
	char *directory; /* absolute */
	int directory_fd;
	int lock_fd;
	struct db *db;
	struct db *log_db;       /* of registry_checkpoint() */
	atomic_uint temporaries; /* begun so far; names them */
	struct refusals refusals[REFUSERS_MAX];
	struct experiment_hand hands[EXPERIMENT_HANDS];
};

/* The schema, one step a version (registry_schema.c). */
extern const char *const registry_schema[];
extern const size_t registry_schema_count;
extern const char registry_schema_chain[]; /* the step that begins the audit's chain */

void registry_lock(struct registry *r);
void registry_unlock(struct registry *r);
/* Cleans what an operator wrote; NULL counts as empty. ERR_INPUT when it is longer than the column. */
int registry_clean_reason(const char *raw, char clean[REASON_SIZE], struct err *e);
/* The id of the row that was inserted last. */
int registry_last_id(struct registry *r, int64_t *id, struct err *e);
/* Ends what registry_lock() and db_begin() began: commits when result is 0, else leaves everything as it was. */
int registry_finish(struct registry *r, int result, struct err *e);
/* Ends a transaction: commits when result is 0, else leaves everything as it was and records e in the audit as what
 * became of `attempt`. */
int registry_end_change(struct registry *r, int result, struct audit_record *attempt, struct err *e);

/* registry_directory.c: the state directory, made with its parents, ours alone, and its lock. */
int registry_directory_open(struct registry *r, const char *directory, struct err *e);
void registry_directory_close(struct registry *r);
/* Makes a directory below another one where it is missing, and syncs the entry. */
int registry_make_directory(int directory_fd, const char *name, struct err *e);
int registry_sync_directory(int directory_fd, const char *name, struct err *e);

/* artifact.c */
int artifact_open_store(struct registry *r, struct err *e);
/* Removes temporary files and, with sweep, artifacts that no version names. Best effort. */
void artifact_clean_store(struct registry *r, bool sweep);
/* Whether the file is there. */
bool artifact_present(struct registry *r, const char *sha256);
/* 1, 0, or -1 with the error. */
int artifact_is_named(struct registry *r, const char *sha256, struct err *e);

/* registry_read.c */
/* What a query found: records of one kind, one a row; free(list). */
struct registry_rows {
	void *list;
	size_t count;
};
/* Fills a record of zeros from the row that the statement is at. */
typedef int registry_read_row(struct statement *s, void *record, struct err *e);
/* All rows of a statement, which ends here, also when it is NULL for a failed db_prepare(). On -1 rows holds those that
 * were begun, for a caller whose records own something. */
int registry_read_rows(struct statement *s, size_t record_size, registry_read_row *read, struct registry_rows *rows,
		       struct err *e);
/* 0 with id 0 when there is no such model. */
int registry_model_id(struct registry *r, const char *model, int64_t *id, struct err *e);
/* ERR_NOT_FOUND, naming what there is, when there is no such model. */
int registry_find_model(struct registry *r, const char *model, int64_t *id, struct err *e);
/* The same also for a name under which tests are kept before anything of it is deployed. */
int registry_find_name(struct registry *r, const char *model, int64_t *id, struct err *e);
/* The row of a name, made where there is none. */
int registry_make_name(struct registry *r, const char *model, int64_t *id, struct err *e);
/* The number of its versions, which is also the newest one: they have no gaps. */
int registry_version_count(struct registry *r, int64_t model_id, uint32_t *count, struct err *e);
/* ERR_NOT_FOUND, saying which there are, unless version is one of the model's 1 to count; and the same by the database.
 */
int registry_version_within(const char *model, uint32_t version, uint32_t count, struct err *e);
int registry_check_version(struct registry *r, const char *model, int64_t model_id, uint32_t version, struct err *e);
/* Where a revision stands in the line of what was not undone. */
struct revision_place {
	uint32_t position; /* the revision whose route this one restored, or itself */
	uint32_t undo;     /* the revision that an undo of it goes back to; 0: none */
};
/* One revision, 0 meaning the newest; record->revision is 0 when there is none. place may be NULL. */
int registry_revision(struct registry *r, int64_t model_id, uint32_t revision, struct revision_record *record,
		      struct revision_place *place, struct err *e);

/* registry_samples.c; does nothing when the version has some. */
int registry_insert_samples(struct registry *r, int64_t model_id, uint32_t version, const struct sample_rows *samples,
			    struct err *e);
/* Writes a revision with who and what its audit record has, which then gets revision, based_on, forced and the data
 * that ties the two together, and goes to registry_insert_audit(). members: more of the data, as `"name":value,...`, or
 * "". *data is what audit->data points to; free(), also when it fails. */
int registry_insert_revision(struct registry *r, int64_t model_id, struct revision_record *record,
			     struct revision_place place, struct audit_record *audit, const char *members, char **data,
			     struct err *e);
/* How the data of a revision's audit record begins, with any closing brace left out; free(). */
char *registry_revision_data(uint32_t position, uint32_t undo, const char *route);
/* Appends to the chain; id and hash of the record are not read. A refusal only while there are not too many. */
int registry_insert_audit(struct registry *r, const struct audit_record *record, struct err *e);
int registry_append_audit(struct registry *r, const struct audit_record *record, struct err *e);

/* registry_refusals.c: whether one more refusal is recorded; and the record of how many were left out, if any. */
int registry_admit_refusal(struct registry *r, const struct audit_record *record, bool *admitted, struct err *e);
int registry_count_refusals(struct registry *r, struct refusals *bucket, struct err *e);

/* registry_chain.c: the canonical form of a record and its hash (docs/AUDIT.md). */
#define AUDIT_COLUMNS                                                                                        \
	"id, at_ms, uid, who, client, action, model, version, revision, based_on, outcome, reason, detail, " \
	"forced, data"
#define AUDIT_COLUMN_COUNT 15
#define AUDIT_HASH_SIZE 65
extern const char registry_chain_start[AUDIT_HASH_SIZE]; /* what stands before the first record */
/* The hash of the record in the row, which begins with AUDIT_COLUMNS, after the record of that hash. "" when a column
 * does not hold what it should, so that it equals no hash. scratch is used and grows to the longest record. */
int registry_chain_hash(struct statement *row, const char *previous, struct buf *scratch, char hash[AUDIT_HASH_SIZE],
			struct err *e);
int registry_chain_head(struct db *db, struct audit_head *head, struct err *e);
/* Brings records that have no hash into the chain, in the open transaction. */
int registry_chain_all(struct db *db, struct err *e);

/* registry_rows.c: rows that decide what may serve, as JSON in the data of the records that wrote them. */
enum registry_row {
	REGISTRY_ROW_POLICY,
	REGISTRY_ROW_APPROVAL,
	REGISTRY_ROW_TEST,
	REGISTRY_ROW_ACKNOWLEDGEMENT,
	REGISTRY_ROW_TERMS,         /* of a rollout: what it was started with, and how it ended */
	REGISTRY_ROW_PREREGISTERED, /* of an A/B test: the same */
	REGISTRY_ROW_COUNT
};
const char *registry_row_name(enum registry_row row);
/* The row with that rowid as `"policy":{...}`; free(). NULL on failure. */
char *registry_row_member(struct registry *r, enum registry_row row, int64_t id, struct err *e);
/* registry_insert_audit() with that as its data. */
int registry_insert_audit_of(struct registry *r, struct audit_record *record, enum registry_row row, int64_t id,
			     struct err *e);
/* Whether the row still is as a record says: ?1 the record's data, ?2 its model, ?3 the revision that it is based on.
 * No row: it is not; else a number, 1 for the one record that the row is counted by, 2 for others. */
struct statement *registry_row_prepare(struct db *db, enum registry_row row, struct err *e);
/* How many rows there are that have a record. */
struct statement *registry_row_prepare_count(struct db *db, enum registry_row row, struct err *e);

/* A record with time, actor, action, model and reason filled in, cleaned and cut. */
void registry_audit_init(struct audit_record *record, const struct actor *actor, const char *action, const char *model,
			 const char *outcome, const char *reason);

/* registry_rollouts.c */
/* Writes a rollout whole: a new row when its id is 0, which it then gets. ERR_CONFLICT when it has ended before, or
 * when it is new and another of the model is open. */
int registry_put_rollout(struct registry *r, int64_t model_id, struct rollout *rollout, struct err *e);
/* The open one of a model; its id is 0 when there is none. */
int registry_open_rollout(struct registry *r, int64_t model_id, struct rollout *rollout, struct err *e);

/* registry_experiments.c */
/* The running one of a model; its id is 0 when there is none. */
int registry_running_experiment(struct registry *r, int64_t model_id, struct experiment_record *record, struct err *e);
int registry_find_experiment(struct registry *r, int64_t id, struct experiment_record *record, struct err *e);

/* registry_experiment_route.c: what a change of a route is to A/B tests. */
struct experiment_turn {
	struct experiment_record running; /* id 0: none */
	bool starts;
	bool ends;
	enum experiment_run run;
	int64_t id; /* of the one that starts or ends, once it is written */
};
/* Whether the change may be as far as tests are concerned, before it is planned; open: the model's rollout. */
int registry_admit_experiment(struct registry *r, int64_t model_id, const struct route_change *change,
			      uint32_t version_count, const struct rollout *open, struct experiment_turn *turn,
			      struct err *e);
/* The same when both routes are known: what becomes of a test that the change is not of. */
int registry_disturb_experiment(const struct route_change *change, const struct route *current,
				const struct route *next, struct experiment_turn *turn, struct err *e);
/* Writes the start or the end, if there is one, before the revision `next`. */
int registry_write_experiment(struct registry *r, int64_t model_id, const struct route_change *change,
			      const struct actor *actor, const struct revision_record *next,
			      struct experiment_turn *turn, struct err *e);

/* registry_experiment_seen.c: what every batch writes. */
struct seen_row {
	int64_t horizon_ms, step;
	struct experiment_counts counts;
	struct experiment_state *state; /* experiment_state_free() */
};
int registry_read_seen(struct registry *r, int64_t id, const struct experiment *plan, struct seen_row *seen,
		       struct err *e);
/* One step further. */
int registry_write_seen(struct registry *r, int64_t id, struct seen_row *seen, struct err *e);
/* Sets a fault in the open transaction. */
int registry_set_fault(struct registry *r, int64_t id, const struct experiment *plan, enum experiment_fault fault,
		       struct err *e);

#endif
