/* Writing a revision, so that its audit record, and with it the chain, holds all of it. */
#include "core/registry/registry_internal.h"

#include <stdlib.h>
#include <string.h>

char *registry_revision_data(uint32_t position, uint32_t undo, const char *route)
{
	struct buf data;
	buf_init(&data);
	buf_format(&data, "{\"position\":%u,\"undo\":%u,\"route\":", position, undo);
	buf_add_string(&data, route);
	if (!data.failed)
		return buf_take(&data);
	buf_release(&data);
	return NULL;
}

static char *whole_data(struct revision_place place, const char *route, const char *members)
{
	struct buf data;
	char *start = registry_revision_data(place.position, place.undo, route);
	buf_init(&data);
	if (start != NULL) {
		buf_add_string(&data, start);
		buf_add_string(&data, members[0] != '\0' ? "," : "");
		buf_add_string(&data, members);
		buf_add_char(&data, '}');
	}
	free(start);
	if (start != NULL && !data.failed)
		return buf_take(&data);
	buf_release(&data);
	return NULL;
}

static int insert(struct registry *r, int64_t model_id, const struct revision_record *record,
		  struct revision_place place, uint32_t uid, const char *route, struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO revision (model_id, revision, based_on, position, undo,"
					 " at_ms, action, uid, who, reason, forced, route)"
					 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, record->revision);
	db_bind_integer(s, 3, record->based_on);
	db_bind_integer(s, 4, place.position);
	db_bind_integer(s, 5, place.undo);
	db_bind_integer(s, 6, record->at_ms);
	db_bind_text(s, 7, record->action);
	db_bind_integer(s, 8, uid);
	db_bind_text(s, 9, record->who);
	db_bind_text(s, 10, record->reason);
	db_bind_integer(s, 11, record->forced);
	db_bind_text(s, 12, route);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

int registry_insert_revision(struct registry *r, int64_t model_id, struct revision_record *record,
			     struct revision_place place, struct audit_record *audit, const char *members, char **data,
			     struct err *e)
{
	cJSON *json = route_to_json(&record->route);
	char *route = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	*data = route != NULL ? whole_data(place, route, members) : NULL;
	record->at_ms = audit->at_ms;
	memcpy(record->action, audit->action, sizeof record->action);
	memcpy(record->who, audit->who, sizeof record->who);
	memcpy(record->reason, audit->reason, sizeof record->reason);
	audit->revision = record->revision;
	audit->based_on = record->based_on;
	audit->forced = record->forced;
	audit->data = *data;
	int result = *data != NULL ? insert(r, model_id, record, place, audit->uid, route, e)
				   : err_set(e, ERR_MEMORY, "memory ran out while changing the route");
	free(route);
	return result;
}
