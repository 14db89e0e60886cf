/*
 * snapshot_reader: typed fields of the JSON of a snapshot. Private to snapshot_*.c.
 *
 * Pure functions on the caller's reader. The first fault is kept in its err, with the path to the
 * field; after it values are 0 or empty, so that a reading function can go on and is asked once at
 * its end. Not here: what the fields mean (snapshot_read).
 */
#ifndef CORE_SNAPSHOT_READER_H
#define CORE_SNAPSHOT_READER_H

#include "core/snapshot.h"

/* The object that is read, and the path to it for messages. */
struct reader {
	const cJSON *object;
	const char *path;
	struct err *e;
	bool failed;
};

/* The field is not what was wanted: "a finite number". */
void reader_fail(struct reader *r, const char *key, const char *want);
/* What another module says of the field. */
void reader_wrong(struct reader *r, const char *key, const struct err *e);
void reader_no_memory(struct reader *r);
/* NULL when it is absent or null. */
const cJSON *reader_get(struct reader *r, const char *key);
double reader_number(struct reader *r, const char *key, double otherwise);
/* Whole numbers from 0; 0 when absent. */
uint64_t reader_count(struct reader *r, const char *key);
uint32_t reader_count32(struct reader *r, const char *key);
/* false when absent. */
bool reader_bool(struct reader *r, const char *key);
/* Cleaned, and cut at size; "" when absent. */
void reader_string(struct reader *r, const char *key, char *text, size_t size);
/* The array of that name with its length in *length; NULL, and 0, when it is absent or wrong. */
const cJSON *reader_array(struct reader *r, const char *key, size_t max, size_t *length);
/* An array of counts; its length. */
size_t reader_counts(struct reader *r, const char *key, uint64_t *values, size_t max);
/* Starts the reading of an object inside; false when it is absent or wrong. */
bool reader_enter(struct reader *r, struct reader *inner, const char *key);
/* Starts the reading of one element of an array of objects. */
bool reader_element(struct reader *outer, const char *key, const cJSON *item, struct reader *r);

/* snapshot_read_control.c: what concerns the control of routes. A runtime of before sends none of it. */
void reader_revision(struct reader *r, struct snapshot_revision *v);
void reader_shadow(struct reader *outer, struct shadow_stats *s);
void reader_control(struct reader *r, struct snapshot_model *m);
void reader_alerts(struct reader *r, struct snapshot *s);
void reader_audits(struct reader *r, struct snapshot *s);
/* snapshot_report.c: histories of tests, and whole ones. */
void reader_tests(struct reader *r, struct snapshot *s);

#endif
