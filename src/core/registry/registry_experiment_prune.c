/*
 * What of A/B tests can count no more is removed: a hand goes round through requests and keys, a few rows at a time,
 * and takes what has expired; then units of tests that are closed. So no row needs a second index, which would cost
 * more than the row, and nobody waits for a long removal.
 */
#include "core/registry/registry_internal.h"

#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 16

struct expired {
	int64_t experiment;
	unsigned char hash[HASH_BYTES];
};

/* Tables with a hand, and the name of their hash. */
static const struct {
	const char *look, *remove;
} tables[EXPERIMENT_HANDS] = {
    {"SELECT experiment, request, expires_ms FROM experiment_request WHERE (experiment, request) > (?1, ?2)"
     " ORDER BY experiment, request LIMIT ?3",
     "DELETE FROM experiment_request WHERE experiment = ?1 AND request = ?2"},
    {"SELECT experiment, key, expires_ms FROM experiment_key WHERE (experiment, key) > (?1, ?2)"
     " ORDER BY experiment, key LIMIT ?3",
     "DELETE FROM experiment_key WHERE experiment = ?1 AND key = ?2"},
};

static void bind_place(struct statement *s, const struct experiment_hand *hand)
{
	db_bind_integer(s, 1, hand->experiment);
	db_bind_bytes(s, 2, hand->hash, HASH_BYTES);
}

/* The next rows from the hand on, which moves; at the end it begins anew. */
static int look(struct registry *r, size_t table, int64_t now_ms, size_t rows, struct expired *expired, size_t *count,
		struct err *e)
{
	struct experiment_hand *hand = &r->hands[table];
	struct statement *s = db_prepare(r->db, tables[table].look, e);
	size_t seen = 0, size;
	int row;
	if (s == NULL)
		return -1;
	bind_place(s, hand);
	db_bind_integer(s, 3, (int64_t)rows);
	for (*count = 0; (row = db_step(s, e)) == 1; seen++) {
		const unsigned char *hash = db_bytes(s, 1, &size);
		hand->experiment = db_integer(s, 0);
		if (hash == NULL || size != HASH_BYTES)
			continue;
		memcpy(hand->hash, hash, HASH_BYTES);
		if (db_integer(s, 2) >= now_ms)
			continue;
		expired[*count].experiment = hand->experiment;
		memcpy(expired[(*count)++].hash, hash, HASH_BYTES);
	}
	db_end(s);
	if (seen < rows)
		memset(hand, 0, sizeof *hand);
	return row;
}

static int remove_expired(struct registry *r, size_t table, const struct expired *expired, size_t count, struct err *e)
{
	struct statement *s = db_prepare(r->db, tables[table].remove, e);
	int row = s == NULL ? -1 : 0;
	for (size_t i = 0; row == 0 && i < count; i++) {
		db_bind_integer(s, 1, expired[i].experiment);
		db_bind_bytes(s, 2, expired[i].hash, HASH_BYTES);
		row = db_step(s, e);
		db_reset(s);
	}
	db_end(s);
	return row;
}

/* Units of a test that nothing can come for any more. */
static int remove_units(struct registry *r, int64_t now_ms, size_t rows, struct err *e)
{
	struct statement *s =
	    db_prepare(r->db,
		       "DELETE FROM experiment_unit WHERE (experiment, unit) IN (SELECT experiment, unit FROM"
		       " experiment_unit WHERE experiment = (SELECT id FROM experiment WHERE closes_ms > 0 AND"
		       " closes_ms < ?1 AND EXISTS (SELECT 1 FROM experiment_unit WHERE experiment = id) LIMIT 1)"
		       " LIMIT ?2)",
		       e);
	if (s == NULL)
		return -1;
	db_bind_integer(s, 1, now_ms);
	db_bind_integer(s, 2, (int64_t)rows);
	int row = db_step(s, e);
	db_end(s);
	return row;
}

/* How many rows the last statement changed. */
static int add_changes(struct registry *r, size_t *removed, struct err *e)
{
	struct statement *s = db_prepare(r->db, "SELECT changes()", e);
	int row = s == NULL ? -1 : db_step(s, e);
	if (row == 1)
		*removed += (size_t)db_integer(s, 0);
	db_end(s);
	return row < 0 ? -1 : 0;
}

static int prune(struct registry *r, int64_t now_ms, size_t rows, struct expired *expired, size_t *removed,
		 struct err *e)
{
	for (size_t table = 0; table < EXPERIMENT_HANDS; table++) {
		size_t count;
		if (look(r, table, now_ms, rows, expired, &count, e) != 0 ||
		    remove_expired(r, table, expired, count, e) != 0)
			return -1;
		*removed += count;
	}
	return remove_units(r, now_ms, rows, e) == 0 ? add_changes(r, removed, e) : -1;
}

int registry_experiments_prune(struct registry *r, int64_t now_ms, size_t rows, size_t *removed, struct err *e)
{
	size_t each = rows / (EXPERIMENT_HANDS + 1) + 1;
	struct expired *expired = calloc(each, sizeof *expired);
	if (expired == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out while removing what has expired");
	*removed = 0;
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = prune(r, now_ms, each, expired, removed, e);
	result = registry_finish(r, result, e);
	free(expired);
	return result;
}
