/*
 * picture_detail: what a snapshot holds only when it is asked for: audit records and all revisions of one model. SQLite
 * is asked, so no view's poll does without need.
 */
#include "runtime/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int picture_add_audits(struct snapshot *picture, struct server *s, size_t limit, struct err *e)
{
	if (limit == 0)
		return 0;
	return registry_audits(s->registry, NULL, 0, limit, &picture->audits, &picture->audit_count, e);
}

static void fill_revision(struct snapshot_revision *to, const struct revision_record *from)
{
	to->revision = from->revision;
	to->based_on = from->based_on;
	to->at_ms = from->at_ms;
	to->forced = from->forced;
	memcpy(to->action, from->action, sizeof to->action);
	memcpy(to->who, from->who, sizeof to->who);
	memcpy(to->reason, from->reason, sizeof to->reason);
	route_text(&from->route, to->route, sizeof to->route);
}

static struct snapshot_model *model_of(struct snapshot *picture, const char *name)
{
	for (size_t i = 0; i < picture->model_count; i++) {
		if (strcmp(picture->models[i].name, name) == 0)
			return &picture->models[i];
	}
	return NULL;
}

int picture_add_revisions(struct snapshot *picture, struct server *s, const char *model, struct err *e)
{
	struct snapshot_model *m = model != NULL ? model_of(picture, model) : NULL;
	struct revision_record *records;
	size_t count;
	if (m == NULL)
		return 0;
	if (registry_revisions(s->registry, model, SNAPSHOT_REVISIONS_MAX, &records, &count, e) != 0)
		return -1;
	m->revisions = calloc(count + 1, sizeof *m->revisions);
	if (m->revisions == NULL) {
		free(records);
		return err_set(e, ERR_MEMORY, "no memory is left for the revisions of %s", model);
	}
	for (size_t i = 0; i < count; i++)
		fill_revision(&m->revisions[i], &records[i]);
	m->revision_count = count;
	free(records);
	return 0;
}
