/*
 * registry_verify: whether the audit is what was written: its chain, and the revisions and files that it speaks of.
 *
 * Reads a state directory or a copy of its database, beside a runtime or without one; holds nothing of the registry's.
 * Memory is constant however long the audit is. Any thread that may wait for the disk.
 * Not here: the canonical form (registry_chain, docs/AUDIT.md).
 */
#ifndef CORE_REGISTRY_VERIFY_H
#define CORE_REGISTRY_VERIFY_H

#include "core/registry/registry.h"

struct audit_verdict {
	int64_t records;        /* that were looked at; those before the fault are sound */
	struct audit_head head; /* the last sound one */
	bool whole;
	int64_t fault_id;          /* the record at which it shows; 0: none in particular */
	char fault[ERR_TEXT_SIZE]; /* "" when it is whole */
};

/* kept: a head of before, which must be in the chain; NULL: nothing is known of before. -1 when it cannot be read at
 * all, which says nothing of the audit. */
int registry_verify(const char *state, const struct audit_head *kept, struct audit_verdict *verdict, struct err *e);
/* The head as the database has it, unverified. */
int registry_read_head(const char *state, struct audit_head *head, struct err *e);
/* "17:9f86d0...". ERR_INPUT for anything else. */
int audit_head_read(const char *text, struct audit_head *head, struct err *e);

/* {"id","hash"}; {"ok","records","head":{...},"fault":null or {"id","text"}}. NULL when memory is out. */
cJSON *audit_head_to_json(const struct audit_head *head);
cJSON *audit_verdict_to_json(const struct audit_verdict *verdict);

#endif
