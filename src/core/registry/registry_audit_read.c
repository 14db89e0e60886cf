/* Reading the audit back, newest first. */
#include "core/registry/registry_internal.h"

#include <stdlib.h>
#include <string.h>

/* What is read so far; of each record, where its data begins among all data. */
struct reading {
	struct audit_record *records;
	size_t count, capacity;
	size_t *starts;
	struct buf data;
};

static void read_record(struct statement *s, struct audit_record *record)
{
	*record = (struct audit_record){
	    .id = db_integer(s, 0),
	    .at_ms = db_integer(s, 1),
	    .uid = (uint32_t)db_integer(s, 2),
	    .version = (uint32_t)db_integer(s, 7),
	    .revision = (uint32_t)db_integer(s, 8),
	    .based_on = (uint32_t)db_integer(s, 9),
	    .forced = db_integer(s, 13) != 0,
	};
	text_clean(record->who, sizeof record->who, db_text(s, 3));
	text_clean(record->client, sizeof record->client, db_text(s, 4));
	text_clean(record->action, sizeof record->action, db_text(s, 5));
	text_clean(record->model, sizeof record->model, db_text(s, 6));
	text_clean(record->outcome, sizeof record->outcome, db_text(s, 10));
	text_clean(record->reason, sizeof record->reason, db_text(s, 11));
	text_clean(record->detail, sizeof record->detail, db_text(s, 12));
	text_clean(record->hash, sizeof record->hash, db_text(s, 15));
}

static int out_of_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "memory ran out while reading the audit");
}

static int take_row(struct reading *reading, struct statement *s, struct err *e)
{
	if (reading->count == reading->capacity) {
		reading->capacity = reading->capacity == 0 ? 32 : reading->capacity * 2;
		void *records = realloc(reading->records, reading->capacity * sizeof *reading->records);
		if (records != NULL)
			reading->records = records;
		void *starts = realloc(reading->starts, reading->capacity * sizeof *reading->starts);
		if (starts != NULL)
			reading->starts = starts;
		if (records == NULL || starts == NULL)
			return out_of_memory(e);
	}
	reading->starts[reading->count] = reading->data.size;
	read_record(s, &reading->records[reading->count++]);
	buf_add_string(&reading->data, db_text(s, 14));
	buf_add_char(&reading->data, '\0');
	return reading->data.failed ? out_of_memory(e) : 0;
}

/* Puts the data behind the records, so that one free() frees both. */
static int join(struct reading *reading, struct err *e)
{
	size_t size = reading->count * sizeof *reading->records;
	if (reading->count == 0)
		return 0;
	void *whole = realloc(reading->records, size + reading->data.size);
	if (whole == NULL)
		return out_of_memory(e);
	reading->records = whole;
	char *data = (char *)whole + size;
	memcpy(data, reading->data.data, reading->data.size);
	for (size_t i = 0; i < reading->count; i++)
		reading->records[i].data = data + reading->starts[i];
	return 0;
}

#define SELECT "SELECT " AUDIT_COLUMNS ", hash FROM audit WHERE"
#define NEWEST                                                                            \
	" id < ?2 AND (?4 = '' OR who = ?4) AND (?5 = '' OR action = ?5) AND at_ms >= ?6" \
	" AND forced >= ?7 ORDER BY id DESC LIMIT ?3"

static const char *some(const char *text)
{
	return text != NULL ? text : "";
}

static int read_records(struct registry *r, const struct audit_filter *filter, size_t limit, struct reading *reading,
			struct err *e)
{
	/* Two queries: with one condition for both, the index on the model would not be used. */
	bool one = some(filter->model)[0] != '\0';
	struct statement *s =
	    db_prepare(r->db, one ? SELECT " model = ?1 AND" NEWEST : SELECT " ?1 = '' AND" NEWEST, e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, some(filter->model));
	db_bind_integer(s, 2, filter->before > 0 ? filter->before : INT64_MAX);
	db_bind_integer(s, 3, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
	db_bind_text(s, 4, some(filter->who));
	db_bind_text(s, 5, some(filter->action));
	db_bind_integer(s, 6, filter->since_ms);
	db_bind_integer(s, 7, filter->forced);
	int row;
	while ((row = db_step(s, e)) == 1)
		if (take_row(reading, s, e) != 0)
			row = -2;
	db_end(s);
	return row == 0 ? join(reading, e) : -1;
}

/* A name that was never heard of is a typing error, not an empty history. */
static int check_heard_of(struct registry *r, const char *model, struct err *e)
{
	int64_t id;
	struct statement *s = db_prepare(r->db, "SELECT 1 FROM audit WHERE model = ?1 LIMIT 1", e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, model);
	int row = db_step(s, e);
	db_end(s);
	return row == 0 ? registry_find_model(r, model, &id, e) : row < 0 ? -1 : 0;
}

int registry_find_audits(struct registry *r, const struct audit_filter *filter, size_t limit,
			 struct audit_record **records, size_t *count, struct err *e)
{
	struct reading reading = {0};
	buf_init(&reading.data);
	registry_lock(r);
	int result = read_records(r, filter, limit, &reading, e);
	if (result == 0 && reading.count == 0 && some(filter->model)[0] != '\0')
		result = check_heard_of(r, filter->model, e);
	registry_unlock(r);
	buf_release(&reading.data);
	free(reading.starts);
	if (result != 0) {
		free(reading.records);
		return -1;
	}
	*records = reading.records;
	*count = reading.count;
	return 0;
}

int registry_audits(struct registry *r, const char *model, int64_t before, size_t limit, struct audit_record **records,
		    size_t *count, struct err *e)
{
	const struct audit_filter filter = {.model = model, .before = before};
	return registry_find_audits(r, &filter, limit, records, count, e);
}
