/*
 * picture_detail: what a snapshot holds only when it is asked for: audit records, all revisions of one model, results
 * of tests and whole ones. SQLite is asked, so no view's poll does without need.
 */
#include "runtime/server.h"

#include "core/registry/registry_policy.h"

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

int picture_add_tests(struct snapshot *picture, struct server *s, size_t limit, const char *model, struct err *e)
{
	struct test_filter filter = {.limit = limit};
	picture->tests_known = limit > 0;
	if (limit == 0 || (model != NULL && model_of(picture, model) == NULL))
		return 0;
	return registry_test_results(s->registry, model, &filter, &picture->tests, &picture->test_count, e);
}

/* One in full behind those that are there. */
static int add_report(struct snapshot *picture, struct server *s, int64_t id, struct err *e)
{
	struct snapshot_report *r = &picture->reports[picture->report_count];
	char *text = NULL;
	int result;

	if (registry_test_report(s->registry, NULL, id, &r->test, &text, e) != 0) {
		r->test.id = id;
		r->missing = e->code == ERR_NOT_FOUND;
		picture->report_count += r->missing;
		return r->missing ? 0 : -1;
	}
	picture->report_count++;
	result = snapshot_report_fill(r, text, e);
	free(text);
	return result;
}

static int add_before(struct snapshot *picture, struct server *s, struct err *e)
{
	struct test_result before;
	if (picture->reports[0].missing)
		return 0;
	if (registry_test_before(s->registry, &picture->reports[0].test, &before, e) != 0)
		return -1;
	if (before.id == 0)
		return 0;
	picture->reports[picture->report_count].before = true;
	return add_report(picture, s, before.id, e);
}

int picture_add_reports(struct snapshot *picture, struct server *s, int64_t test, int64_t with, struct err *e)
{
	if (test == 0)
		return 0;
	picture->reports = calloc(SNAPSHOT_REPORTS_MAX, sizeof *picture->reports);
	if (picture->reports == NULL)
		return err_set(e, ERR_MEMORY, "no memory is left for the reports of tests");
	if (add_report(picture, s, test, e) != 0)
		return -1;
	if (with == test)
		return 0;
	return with != 0 ? add_report(picture, s, with, e) : add_before(picture, s, e);
}

int picture_add_experiments(struct snapshot *picture, struct server *s, bool all, const char *name, const char *model,
			    struct err *e)
{
	picture->experiments_known = all || name != NULL;
	if (all)
		return experiments_list(s->experiments, SNAPSHOT_EXPERIMENTS_MAX, &picture->experiments,
					&picture->experiment_count, e);
	if (name == NULL)
		return 0;
	if (model == NULL)
		return err_set(e, ERR_INPUT, "`experiment` is a name, and `detail` names no model");
	picture->experiments = calloc(1, sizeof *picture->experiments);
	if (picture->experiments == NULL)
		return err_set(e, ERR_MEMORY, "no memory is left for an A/B test");
	picture->experiment_count = 1;
	if (experiments_show(s->experiments, model, name, &picture->experiments[0], e) == 0)
		return 0;
	/* One that is not there is left out: the list says so. */
	snapshot_experiment_release(&picture->experiments[0]);
	picture->experiment_count = 0;
	return e->code == ERR_NOT_FOUND ? 0 : -1;
}
