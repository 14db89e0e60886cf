#include "core/registry/registry_samples.h"

#include "core/registry/registry_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sample_rows_release(struct sample_rows *s)
{
	free(s->csv);
	s->csv = NULL;
}

static int read_samples(struct registry *r, int64_t model_id, uint32_t version, struct sample_rows *samples,
			struct err *e)
{
	struct statement *s =
	    db_prepare(r->db, "SELECT rows, finite FROM sample WHERE model_id = ?1 AND version = ?2", e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, version);
	int row = db_step(s, e);
	if (row == 1) {
		samples->csv = strdup(db_text(s, 0));
		snprintf(samples->finite, sizeof samples->finite, "%s", db_text(s, 1));
		if (samples->csv == NULL)
			row = err_set(e, ERR_MEMORY, "memory ran out for the sample rows of v%u", version);
	}
	db_end(s);
	return row < 0 ? -1 : 0;
}

int registry_insert_samples(struct registry *r, int64_t model_id, uint32_t version, const struct sample_rows *samples,
			    struct err *e)
{
	struct statement *s = db_prepare(r->db,
					 "INSERT INTO sample (model_id, version, rows, finite)"
					 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
					 e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, model_id);
	db_bind_integer(s, 2, version);
	db_bind_text(s, 3, samples->csv);
	db_bind_text(s, 4, samples->finite);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

int registry_samples(struct registry *r, const char *model, uint32_t version, struct sample_rows *samples,
		     struct err *e)
{
	int64_t id;

	*samples = (struct sample_rows){0};
	registry_lock(r);
	int result = registry_find_model(r, model, &id, e);
	if (result == 0)
		result = registry_check_version(r, model, id, version, e);
	if (result == 0)
		result = read_samples(r, id, version, samples, e);
	registry_unlock(r);
	return result;
}
