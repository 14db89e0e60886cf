/*
 * snapshot_writer: the JSON of a snapshot, field by field. Private to snapshot_*.c.
 *
 * Pure functions on the caller's objects. An item of NULL, which a failed allocation leaves, gives false.
 * Not here: what the fields are called (snapshot_write).
 */
#ifndef CORE_SNAPSHOT_WRITER_H
#define CORE_SNAPSHOT_WRITER_H

#include "core/snapshot.h"

bool writer_counts(cJSON *object, const char *key, const uint64_t *counts, size_t count);

/* snapshot_write_control.c: what concerns the control of routes. NULL when memory is out. */
cJSON *writer_revision(const struct snapshot_revision *r);
cJSON *writer_shadow(const struct shadow_stats *s);
cJSON *writer_audit(const struct audit_record *a);
/* Rollout, policy and, when they were asked for, all revisions. */
bool writer_control(cJSON *object, const struct snapshot_model *m);

/* snapshot_report.c: the history of tests and those in full; absent when they were not asked for. */
cJSON *writer_test(const struct test_result *t);
bool writer_tests(cJSON *object, const struct snapshot *s);

#endif
