/*
 * snapshot_writer: the JSON of a snapshot, field by field. Private to snapshot_*.c.
 *
 * Pure functions on the caller's objects. An item of NULL, which a failed allocation leaves, gives false, so that a
 * chain of
 * && ends with the first failure; writer_whole() at its end gives the object, or frees it.
 * Not here: what the fields are called (snapshot_write).
 */
#ifndef CORE_SNAPSHOT_WRITER_H
#define CORE_SNAPSHOT_WRITER_H

#include "core/snapshot.h"

/* The item is taken. */
bool writer_add(cJSON *object, const char *key, cJSON *item);
bool writer_append(cJSON *array, cJSON *item);
bool writer_string(cJSON *object, const char *key, const char *text);
/* What is not finite becomes null. */
bool writer_number(cJSON *object, const char *key, double number);
bool writer_bool(cJSON *object, const char *key, bool value);
/* 0 stands for "none" and becomes null. */
bool writer_id(cJSON *object, const char *key, uint32_t id);
bool writer_counts(cJSON *object, const char *key, const uint64_t *counts, size_t count);
/* The object when all was added to it, else NULL, and it is freed. */
cJSON *writer_whole(cJSON *object, bool complete);

/* snapshot_write_control.c: what concerns the control of routes. NULL when memory is out. */
cJSON *writer_revision(const struct snapshot_revision *r);
cJSON *writer_shadow(const struct shadow_stats *s);
cJSON *writer_audit(const struct audit_record *a);
/* Rollout, policy and, when they were asked for, all revisions. */
bool writer_control(cJSON *object, const struct snapshot_model *m);

#endif
