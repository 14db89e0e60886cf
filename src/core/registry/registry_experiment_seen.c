/* What is known of an A/B test without its units: the sums, counts, and how far its time has come. One row, whose size
 * does not depend on the traffic. */
#include "core/registry/registry_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Both texts into what they say. */
static int parse(const char *counts, const char *state, const struct experiment *plan, struct seen_row *seen,
		 struct err *e)
{
	struct err why = {0};
	cJSON *counts_json = cJSON_Parse(counts), *state_json = cJSON_Parse(state);
	bool done = counts_json != NULL && state_json != NULL &&
		    experiment_counts_from_json(counts_json, &seen->counts, &why) == 0 &&
		    (seen->state = experiment_state_from_json(state_json, plan, &why)) != NULL;
	cJSON_Delete(counts_json);
	cJSON_Delete(state_json);
	if (done)
		return 0;
	return err_set(e, why.code == ERR_MEMORY ? ERR_MEMORY : ERR_SYSTEM,
		       "the database holds a state of an A/B test that cannot be read (%s)",
		       why.text[0] != '\0' ? why.text : "it is no JSON");
}

int registry_read_seen(struct registry *r, int64_t id, const struct experiment *plan, struct seen_row *seen,
		       struct err *e)
{
	memset(seen, 0, sizeof *seen);
	struct statement *s =
	    db_prepare(r->db, "SELECT horizon_ms, step, counts, state FROM experiment_seen WHERE experiment = ?1", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	int row = db_step(s, e);
	int result = row;
	if (row == 1) {
		seen->horizon_ms = db_integer(s, 0);
		seen->step = db_integer(s, 1);
		result = parse(db_text(s, 2), db_text(s, 3), plan, seen, e);
	} else if (row == 0) {
		result = err_set(e, ERR_SYSTEM, "the state of A/B test %" PRId64 " is missing in the database", id);
	}
	db_end(s);
	return result;
}

static int write_row(struct registry *r, int64_t id, const struct seen_row *seen, const char *counts, const char *state,
		     struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO experiment_seen (experiment, horizon_ms, step, counts, state)"
					 " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
					 " horizon_ms = ?2, step = ?3, counts = ?4, state = ?5",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, id);
	db_bind_integer(s, 2, seen->horizon_ms);
	db_bind_integer(s, 3, seen->step);
	db_bind_text(s, 4, counts);
	db_bind_text(s, 5, state);
	int row = db_step(s, e);
	db_end(s);
	return row < 0 ? -1 : 0;
}

static char *printed(cJSON *json)
{
	char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	return text;
}

int registry_write_seen(struct registry *r, int64_t id, struct seen_row *seen, struct err *e)
{
	char *counts = printed(experiment_counts_to_json(&seen->counts));
	char *state = printed(experiment_state_to_json(seen->state));
	seen->step++;
	int result = counts != NULL && state != NULL
			 ? write_row(r, id, seen, counts, state, e)
			 : err_set(e, ERR_MEMORY, "memory ran out for the state of an A/B test");
	free(counts);
	free(state);
	return result;
}

int registry_set_fault(struct registry *r, int64_t id, const struct experiment *plan, enum experiment_fault fault,
		       struct err *e)
{
	struct seen_row seen;
	int result = registry_read_seen(r, id, plan, &seen, e);
	if (result == 0 && (seen.state->faults & 1u << fault) == 0) {
		seen.state->faults |= 1u << fault;
		result = registry_write_seen(r, id, &seen, e);
	}
	experiment_state_free(seen.state);
	return result;
}

static int set_fault(struct registry *r, int64_t id, enum experiment_fault fault, struct err *e)
{
	struct experiment_record record;
	if (registry_find_experiment(r, id, &record, e) != 0)
		return -1;
	return registry_set_fault(r, id, &record.plan, fault, e);
}

int registry_experiment_fault(struct registry *r, int64_t id, enum experiment_fault fault, struct err *e)
{
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = set_fault(r, id, fault, e);
	return registry_finish(r, result, e);
}

int registry_experiment_seen(struct registry *r, const struct experiment_record *record, struct experiment_seen *seen,
			     struct err *e)
{
	struct seen_row row;
	registry_lock(r);
	int result = registry_read_seen(r, record->id, &record->plan, &row, e);
	registry_unlock(r);
	*seen = (struct experiment_seen){row.state, row.counts, row.horizon_ms};
	return result;
}
