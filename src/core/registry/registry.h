/*
 * registry: models, their immutable versions, the revisions of their routes, and the audit: what survives.
 *
 * Owner: the runtime; one process a state directory (a lock file says who). Thread-safe: one internal mutex.
 * Every change is one SQLite transaction in WAL with synchronous=FULL: when a function here returns 0, its
 * effect survives kill -9 and a power cut; when it returns -1, nothing changed.
 * Not here: whether a model file can be served (engines), what is loaded (router).
 */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include "core/baseline.h"
#include "core/err.h"
#include "core/manifest.h"
#include "core/route.h"
#include "core/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define REASON_SIZE 256
#define WHO_SIZE 64
#define VERSIONS_MAX 100000

struct registry;
struct rollout;           /* core/rollout.h */
struct sample_rows;       /* core/registry/registry_samples.h */
struct experiment_change; /* core/registry/registry_experiments.h */

/* Who asks for a change, as the socket knows it. */
struct actor {
	uint32_t uid;
	char name[WHO_SIZE];   /* of the peer's uid, from the system */
	char client[WHO_SIZE]; /* "mldeck 0.1.0 console", what the client says it is; cleaned */
};

struct version_record {
	uint32_t version; /* 1, 2, 3 ... */
	int64_t created_ms;
	char created_by[WHO_SIZE];
	struct manifest manifest;
	struct baseline baseline; /* bin_count 0: none yet */
};

struct revision_record {
	uint32_t revision; /* 1, 2, 3 ... of its model */
	uint32_t based_on; /* the revision it replaced; 0 for the first */
	int64_t at_ms;
	char action[16]; /* "deploy", or one of struct route_change */
	char who[WHO_SIZE];
	char reason[REASON_SIZE];
	bool forced; /* a gate was overridden */
	struct route route;
};

struct audit_record {
	int64_t id;
	int64_t at_ms;
	uint32_t uid;
	char who[WHO_SIZE];
	char client[WHO_SIZE];
	char action[16];
	char model[TEXT_NAME_MAX + 1]; /* "" where none is concerned */
	uint32_t version;              /* 0 where none is concerned */
	uint32_t revision, based_on;   /* 0 where the route did not change */
	char outcome[16];              /* "done", or the err_name() of a refusal */
	char reason[REASON_SIZE];
	char detail[REASON_SIZE]; /* "v2 100%", or why it was refused */
	bool forced;              /* a gate was overridden */
	const char *data;         /* JSON (docs/AUDIT.md), "" for none; NULL counts as "" */
	char hash[65];            /* over the hash of the record before and everything of this one */
};

/* The last record of the audit, to be kept elsewhere: whoever has it can tell later that none up to it was changed. */
struct audit_head {
	int64_t id;    /* 0: there is none yet */
	char hash[65]; /* 64 zeros when there is none yet */
};

/* Opens (makes, 0700) the state directory, takes its lock, brings the schema up to date. ERR_CONFLICT names
 * the process that holds it; ERR_DENIED when the directory is another user's. */
int registry_open(const char *directory, struct registry **result, struct err *e);
void registry_close(struct registry *r);
/* Brings the log of the database into its file when it has grown, so that no change has to. From one thread, now and
 * then; changes do not wait for it. */
int registry_checkpoint(struct registry *r, struct err *e);

/* --- artifacts: content-addressed files, written before the row that names them --- */

struct artifact;
/* Starts a temporary file in the state directory. */
int artifact_begin(struct registry *r, struct artifact **result, struct err *e);
/* Adds bytes and feeds the digest. After a failure only artifact_abort() may follow. */
int artifact_write(struct artifact *a, const void *data, size_t size, struct err *e);
/* fsync, rename to artifacts/sha256/xx/<sha256>, fsync the directory; frees a, also when it fails. */
int artifact_commit(struct artifact *a, char sha256[65], uint64_t *size_bytes, struct err *e);
void artifact_abort(struct artifact *a);
/* Maps an artifact read-only and checks its digest; *data is NULL for size 0. */
int artifact_map(struct registry *r, const char *sha256, const void **data, size_t *size, struct err *e);
void artifact_unmap(const void *data, size_t size);
/* Opens an artifact to be read from its start; the caller closes *fd. Its digest is for the reader to check. */
int artifact_open(struct registry *r, const char *sha256, int *fd, uint64_t *size_bytes, struct err *e);
/* Removes an artifact that no version names (a refused deploy). registry_open() removes those that a crash
 * left, and temporary files, except beside a database that it just made. */
void artifact_discard(struct registry *r, const char *sha256);

/* --- changes --- */

struct deploy_result {
	uint32_t version;
	bool created;      /* false: this very artifact already was that version of the model */
	bool live;         /* the model was new and it went live */
	uint32_t revision; /* the route's revision now, 0 when none */
};

/* Registers a version. baseline and samples (what it is warmed up with) may be NULL. The first version of a new model
 * goes live unless no_live. The artifact must have been committed. A refusal is the caller's to record: it knows those
 * of before, too. */
int registry_deploy(struct registry *r, const char *model, const struct manifest *manifest,
		    const struct baseline *baseline, const struct sample_rows *samples, bool no_live,
		    const char *reason, const struct actor *actor, struct deploy_result *result, struct err *e);

/* A change of a route that is asked for. */
struct route_change {
	const char *model;
	/* "promote", "rollback", "split", "shadow", "rollout" (a step of one, or its abort), "apply" or "experiment" (a
	 * start, or an end that gives the route whole) */
	const char *action;
	uint32_t version; /* promote: the version; rollout: the one that is rolled out */
	/* rollback: 0 = undo once more, see registry_change_route(); rollout: the route to give back, 0 = weights count
	 */
	uint32_t to_revision;
	const struct route_entry *weights; /* split, rollout: live and canaries; shadow: shadows; apply: all */
	size_t weight_count;
	int64_t expect_revision; /* -1: any; else ERR_CONFLICT tells who changed what meanwhile */
	const char *reason;
	bool dry_run;         /* everything but the writing */
	bool prompt;          /* nothing is loaded for it, which may take long: what is not loaded refuses it */
	bool forced;          /* gates were overridden */
	const char *evidence; /* JSON that the audit keeps beside the reason: what the gates found; NULL: none */
	/* Of a rollout: written in the same transaction. id 0: a new one, whose id is filled in; so are its revisions.
	 * NULL: the change is an operator's own. */
	struct rollout *rollout;
	/* Of an A/B test: its start, whose id is filled in, or its end; NULL: none is meant. */
	struct experiment_change *experiment;
};

/* A rollback, or a rollout that an analysis failed or somebody ended: it gives back what was before. */
bool route_change_goes_back(const struct route_change *change);

/*
 * Writes the new revision and its audit record in one transaction and gives it out. Also refuses a change
 * that would change nothing (ERR_CONFLICT). Refusals are recorded in the audit (not for a dry run).
 *
 * While a rollout of the model is open, a rollback ends it in the same transaction and, without a target, gives the
 * route before it back; shadows may change; any other change that is not the rollout's own is ERR_CONFLICT. A rollout
 * that has ended is one change: rolling it back goes to the route before it, never to one of its steps.
 *
 * A promotion makes the route single: canaries and shadows end. A rollback with to_revision 0 is an undo:
 * the route that was in force before the change that made the current one, never a change that was itself
 * rolled back. r1 v1, r2 v2, r3 v3: r4 = rollback to v2, r5 = rollback to v1, a further one is ERR_CONFLICT;
 * after r4, promoting v4 as r5 and rolling back gives v2 again, then v1. A rollback to a revision named
 * restores exactly its buckets, and the next undo goes on from before that revision.
 */
int registry_change_route(struct registry *r, const struct route_change *change, const struct actor *actor,
			  struct revision_record *result, struct err *e);

/* Freezes a baseline learned from live predictions; ERR_CONFLICT when the version has one. */
int registry_set_baseline(struct registry *r, const char *model, uint32_t version, const struct baseline *baseline,
			  struct err *e);

/* Records something that is not a route change (stop, a denied attempt). Of refusals, those of one uid that come too
 * fast are counted, and a record says how many. */
int registry_audit(struct registry *r, const struct actor *actor, const char *action, const char *model,
		   uint32_t version, const char *outcome, const char *reason, const char *detail, struct err *e);

/* How many records this thread has written so far, those included that were only counted: a refused request whose
 * handler recorded nothing is recorded by its caller. */
unsigned long registry_recorded(void);

/* --- reading: arrays are malloc'd, to be given back to the function named --- */

int registry_models(struct registry *r, char (**names)[TEXT_NAME_MAX + 1], size_t *count,
		    struct err *e); /* sorted; free() */
/* ERR_NOT_FOUND, naming what there is, when the model does not exist. Oldest first. */
int registry_versions(struct registry *r, const char *model, struct version_record **records, size_t *count,
		      struct err *e);
void version_records_free(struct version_record *records, size_t count);
/* Newest first, at most limit; free(). */
int registry_revisions(struct registry *r, const char *model, size_t limit, struct revision_record **records,
		       size_t *count, struct err *e);
/* Newest first, at most limit, with id < before (0: from the newest), of one model or NULL for all; free(), which frees
 * their data as well. ERR_NOT_FOUND for a model that neither exists nor was ever tried. */
int registry_audits(struct registry *r, const char *model, int64_t before, size_t limit, struct audit_record **records,
		    size_t *count, struct err *e);

/* Which records are wanted; "" or NULL and 0 are no condition. */
struct audit_filter {
	const char *model, *who, *action;
	int64_t since_ms, before; /* before: ids below it */
	bool forced;              /* only those */
};
int registry_find_audits(struct registry *r, const struct audit_filter *filter, size_t limit,
			 struct audit_record **records, size_t *count, struct err *e);
int registry_audit_head(struct registry *r, struct audit_head *head, struct err *e);

#endif
