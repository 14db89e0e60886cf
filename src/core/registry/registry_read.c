/* Reading models, versions and revisions back. */
#include "core/registry/registry_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many names as fit a sentence. */
#define NAMES_SHOWN 8
/* Of a row of `model`: else it is a name under which trainings are kept, and no model yet. */
#define DEPLOYED "EXISTS (SELECT 1 FROM version WHERE model_id = model.id)"

int registry_read_rows(struct statement *s, size_t record_size, registry_read_row *read, struct registry_rows *rows,
		       struct err *e)
{
	size_t capacity = 0;
	int row = -1;

	*rows = (struct registry_rows){0};
	while (s != NULL && (row = db_step(s, e)) == 1) {
		if (rows->count == capacity) {
			capacity = capacity == 0 ? 8 : capacity * 2;
			void *more = realloc(rows->list, capacity * record_size);
			if (more == NULL) {
				row = err_set(e, ERR_MEMORY, "memory ran out while reading the registry");
				break;
			}
			rows->list = more;
		}
		void *record = (char *)rows->list + rows->count++ * record_size;
		memset(record, 0, record_size);
		row = read(s, record, e);
		if (row != 0)
			break;
	}
	db_end(s);
	return row;
}

/* A query for one number with one whole parameter; *value stays when there is no row. */
static int query_integer(struct registry *r, const char *sql, int64_t parameter, int64_t *value, struct err *e)
{
	struct statement *s = db_prepare(r->db, sql, e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, parameter);
	int row = db_step(s, e);
	if (row == 1)
		*value = db_integer(s, 0);
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int read_id(struct registry *r, const char *sql, const char *model, int64_t *id, struct err *e)
{
	struct statement *s = db_prepare(r->db, sql, e);
	if (s == NULL)
		return -1;
	db_bind_text(s, 1, model);
	int row = db_step(s, e);
	*id = row == 1 ? db_integer(s, 0) : 0;
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_model_id(struct registry *r, const char *model, int64_t *id, struct err *e)
{
	return read_id(r, "SELECT id FROM model WHERE name = ?1 AND " DEPLOYED, model, id, e);
}

static int read_name(struct statement *s, void *record, struct err *e)
{
	(void)e;
	text_clean(record, TEXT_NAME_MAX + 1, db_text(s, 0));
	return 0;
}

static int read_names(struct registry *r, char (**names)[TEXT_NAME_MAX + 1], size_t *count, struct err *e)
{
	struct registry_rows rows;
	struct statement *s = db_prepare(r->db, "SELECT name FROM model WHERE " DEPLOYED " ORDER BY name", e);
	if (registry_read_rows(s, sizeof **names, read_name, &rows, e) != 0) {
		free(rows.list);
		return -1;
	}
	*names = rows.list;
	*count = rows.count;
	return 0;
}

int registry_models(struct registry *r, char (**names)[TEXT_NAME_MAX + 1], size_t *count, struct err *e)
{
	registry_lock(r);
	int result = read_names(r, names, count, e);
	registry_unlock(r);
	return result;
}

static int refuse_model(struct registry *r, const char *model, struct err *e)
{
	char(*names)[TEXT_NAME_MAX + 1] = NULL;
	size_t count = 0;
	if (read_names(r, &names, &count, e) != 0)
		return -1;
	char list[ERR_TEXT_SIZE] = "";
	size_t used = 0;
	for (size_t i = 0; i < count && i < NAMES_SHOWN && used < sizeof list / 2; i++)
		used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
	if (count > NAMES_SHOWN)
		snprintf(list + used, sizeof list - used, " and %zu more", count - NAMES_SHOWN);
	free(names);
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no model %.64s; none is deployed", model);
	return err_set(e, ERR_NOT_FOUND, "there is no model %.64s; there %s %s", model, count == 1 ? "is" : "are",
		       list);
}

int registry_find_model(struct registry *r, const char *model, int64_t *id, struct err *e)
{
	if (registry_model_id(r, model, id, e) != 0)
		return -1;
	return *id != 0 ? 0 : refuse_model(r, model, e);
}

int registry_find_name(struct registry *r, const char *model, int64_t *id, struct err *e)
{
	if (read_id(r, "SELECT id FROM model WHERE name = ?1", model, id, e) != 0)
		return -1;
	return *id != 0 ? 0 : refuse_model(r, model, e);
}

int registry_version_count(struct registry *r, int64_t model_id, uint32_t *count, struct err *e)
{
	int64_t value = 0;
	if (query_integer(r, "SELECT max(version) FROM version WHERE model_id = ?1", model_id, &value, e) != 0)
		return -1;
	*count = (uint32_t)value;
	return 0;
}

int registry_version_within(const char *model, uint32_t version, uint32_t count, struct err *e)
{
	if (version >= 1 && version <= count)
		return 0;
	if (count == 1)
		return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 only", model, version);
	return err_set(e, ERR_NOT_FOUND, "%s has no version %u; it has 1 to %u", model, version, count);
}

int registry_check_version(struct registry *r, const char *model, int64_t model_id, uint32_t version, struct err *e)
{
	uint32_t count;
	if (registry_version_count(r, model_id, &count, e) != 0)
		return -1;
	return registry_version_within(model, version, count, e);
}

/* What a row holds was checked when it was written: anything else means that the file was altered. */
static cJSON *parse_column(const char *text, const char *what, struct err *e)
{
	cJSON *json = cJSON_Parse(text);
	if (json == NULL)
		err_set(e, ERR_SYSTEM, "the database holds a %s that cannot be read", what);
	return json;
}

static int read_route(const char *text, struct route *route, struct err *e)
{
	cJSON *json = parse_column(text, "route", e);
	if (json == NULL)
		return -1;
	int result = route_from_json(route, json, e);
	cJSON_Delete(json);
	return result;
}

#define REVISION_COLUMNS "revision, based_on, at_ms, action, who, reason, forced, route, position, undo"

static int read_revision(struct statement *s, void *to, struct err *e)
{
	struct revision_record *record = to;
	record->revision = (uint32_t)db_integer(s, 0);
	record->based_on = (uint32_t)db_integer(s, 1);
	record->at_ms = db_integer(s, 2);
	text_clean(record->action, sizeof record->action, db_text(s, 3));
	text_clean(record->who, sizeof record->who, db_text(s, 4));
	text_clean(record->reason, sizeof record->reason, db_text(s, 5));
	record->forced = db_integer(s, 6) != 0;
	return read_route(db_text(s, 7), &record->route, e);
}

int registry_revision(struct registry *r, int64_t model_id, uint32_t revision, struct revision_record *record,
		      struct revision_place *place, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "SELECT " REVISION_COLUMNS " FROM revision"
					 " WHERE model_id = ?1 AND (?2 = 0 OR revision = ?2)"
					 " ORDER BY revision DESC LIMIT 1",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, revision);
	memset(record, 0, sizeof *record);
	int row = db_step(s, e);
	if (row == 1 && read_revision(s, record, e) != 0)
		row = -1;
	if (row == 1 && place != NULL)
		*place = (struct revision_place){(uint32_t)db_integer(s, 8), (uint32_t)db_integer(s, 9)};
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int read_revisions(struct registry *r, const char *model, size_t limit, struct registry_rows *rows,
			  struct err *e)
{
	int64_t id;
	*rows = (struct registry_rows){0};
	if (registry_find_model(r, model, &id, e) != 0)
		return -1;
	struct statement *s = db_prepare(r->db,
					 "SELECT " REVISION_COLUMNS " FROM revision WHERE model_id = ?1"
					 " ORDER BY revision DESC LIMIT ?2",
					 e);
	if (s != NULL) {
		db_bind_integer(s, 1, id);
		db_bind_integer(s, 2, (int64_t)limit);
	}
	return registry_read_rows(s, sizeof(struct revision_record), read_revision, rows, e);
}

int registry_revisions(struct registry *r, const char *model, size_t limit, struct revision_record **records,
		       size_t *count, struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	int result = read_revisions(r, model, limit, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		free(rows.list);
		return -1;
	}
	*records = rows.list;
	*count = rows.count;
	return 0;
}

static int read_baseline(const char *text, struct baseline *baseline, struct err *e)
{
	if (text[0] == '\0')
		return 0;
	cJSON *json = parse_column(text, "baseline", e);
	if (json == NULL)
		return -1;
	int result = baseline_from_json(baseline, json, e);
	cJSON_Delete(json);
	return result;
}

/* The record's manifest may be released whatever comes back. */
static int read_version(struct statement *s, void *to, struct err *e)
{
	struct version_record *record = to;
	record->version = (uint32_t)db_integer(s, 0);
	record->created_ms = db_integer(s, 1);
	text_clean(record->created_by, sizeof record->created_by, db_text(s, 2));
	cJSON *json = parse_column(db_text(s, 3), "manifest", e);
	if (json == NULL)
		return -1;
	int result = manifest_from_json(&record->manifest, json, e);
	cJSON_Delete(json);
	return result == 0 ? read_baseline(db_text(s, 4), &record->baseline, e) : -1;
}

static int read_versions(struct registry *r, const char *model, struct registry_rows *rows, struct err *e)
{
	int64_t id;
	*rows = (struct registry_rows){0};
	if (registry_find_model(r, model, &id, e) != 0)
		return -1;
	struct statement *s = db_prepare(r->db,
					 "SELECT v.version, v.created_ms, v.created_by, v.manifest,"
					 " b.baseline FROM version v LEFT JOIN baseline b"
					 " USING (model_id, version)"
					 " WHERE v.model_id = ?1 ORDER BY v.version",
					 e);
	if (s != NULL)
		db_bind_integer(s, 1, id);
	return registry_read_rows(s, sizeof(struct version_record), read_version, rows, e);
}

int registry_versions(struct registry *r, const char *model, struct version_record **records, size_t *count,
		      struct err *e)
{
	struct registry_rows rows;
	registry_lock(r);
	int result = read_versions(r, model, &rows, e);
	registry_unlock(r);
	if (result != 0) {
		version_records_free(rows.list, rows.count);
		return -1;
	}
	*records = rows.list;
	*count = rows.count;
	return 0;
}

void version_records_free(struct version_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++)
		manifest_release(&records[i].manifest);
	free(records);
}
