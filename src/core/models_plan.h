/*
 * models_plan: what must change so that a runtime is as a models file says: a file and a snapshot, to a list.
 *
 * Pure: no request, no file. The plan borrows the file and the snapshot; owner: the caller, to models_plan_free().
 * Rules: version N that the runtime has with this digest is as it should be; N is the next: it is deployed; N with
 * another digest, a gap, or a file that is another version already: ERR_INPUT with file and line. Models that the file
 * does not name, versions beyond those that it names, and what its sections do not mention, are left alone.
 * Not here: carrying it out (ui/command/apply), whether gates let a route pass (the runtime).
 */
#ifndef CORE_MODELS_PLAN_H
#define CORE_MODELS_PLAN_H

#include "core/models_file.h"
#include "core/snapshot.h"

enum models_change_kind { MODELS_DEPLOY, MODELS_POLICY, MODELS_ROUTE };

struct models_change {
	enum models_change_kind kind;
	const struct models_model *model;
	const struct snapshot_model *now; /* NULL: the runtime has no such model */
	/* DEPLOY */
	const struct models_version *version;
	bool goes_live; /* the first of a new model of whose route the file says nothing: as a deploy does by itself */
	/* POLICY: it becomes the file's */
	/* ROUTE: with roles; the live one first, shadows last */
	size_t entry_count;
	struct route_entry entries[ROUTE_ENTRIES_MAX];
};

struct models_plan {
	size_t change_count; /* model by model in the file's order; of each: deploys, policy, route */
	struct models_change *changes;
	size_t model_count; /* models that change */
	size_t same_count;  /* models of the file that are as it says */
	size_t left_count;  /* models of the runtime that the file does not name */
	const struct snapshot_model **left;
};

/* The digests of f must be known. */
int models_plan_make(const struct models_file *f, const struct snapshot *s, struct models_plan **result, struct err *e);
void models_plan_free(struct models_plan *p);
/* The policy that a policy's change replaces; the default where none was set. */
void models_change_policy(const struct models_change *c, struct policy *before);
bool models_policy_same(const struct policy *a, const struct policy *b);
/* The revision that a route's change is planned on; 0: none yet. */
uint32_t models_change_revision(const struct models_change *c);
/* "v1 90% v2 10%", "nothing live": entries as people read them. */
void models_entries_text(const struct route_entry *entries, size_t count, char *text, size_t size);

#endif
