/*
 * A batch of records into rows of units and the sums of the test, in one transaction.
 *
 * What a record does is experiment_kept's; here is what came before: which unit a request was of, which outcomes were
 * told already. Rows are read and written one by one, so memory does not depend on how many there are.
 */
#include "core/experiment/experiment_kept.h"
#include "core/fault.h"
#include "core/hash.h"
#include "core/registry/registry_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 16

#define STATEMENTS(X)                                                                                            \
	X(GET_UNIT, "SELECT arm, first_ms, kept FROM experiment_unit WHERE experiment = ?1 AND unit = ?2")       \
	X(PUT_UNIT, "INSERT INTO experiment_unit (experiment, unit, arm, first_ms, kept)"                        \
		    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET kept = ?5")                          \
	X(GET_REQUEST, "SELECT unit, prediction FROM experiment_request WHERE experiment = ?1 AND request = ?2") \
	X(PUT_REQUEST, "INSERT INTO experiment_request (experiment, request, unit, prediction, expires_ms)"      \
		       " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET unit = NULL WHERE unit <> ?3")    \
	X(GET_KEY, "SELECT said FROM experiment_key WHERE experiment = ?1 AND key = ?2")                         \
	X(PUT_KEY, "INSERT INTO experiment_key (experiment, key, said, expires_ms) VALUES (?1, ?2, ?3, ?4)")

enum {
#define X(name, sql) name,
	STATEMENTS(X)
#undef X
	    STATEMENT_COUNT
};

/* One batch on its way. */
struct apply {
	const struct experiment_record *record;
	const struct experiment *plan;
	struct statement *statements[STATEMENT_COUNT];
	struct seen_row seen;
	struct experiment_counts counts; /* of this batch */
	int64_t now_ms;
	bool takes_outcomes; /* the plan has metrics of outcomes */
};

/* --- statements --- */

static int prepare(struct apply *a, struct registry *r, struct err *e)
{
	static const char *const texts[] = {
#define X(name, sql) sql,
	    STATEMENTS(X)
#undef X
	};
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if ((a->statements[i] = db_prepare(r->db, texts[i], e)) == NULL)
			return -1;
		db_bind_integer(a->statements[i], 1, a->record->id);
	}
	return 0;
}

static struct statement *about(struct apply *a, int which, struct experiment_hash hash)
{
	unsigned char bytes[HASH_BYTES];
	struct statement *s = a->statements[which];
	db_reset(s);
	memcpy(bytes, &hash, sizeof bytes);
	db_bind_bytes(s, 2, bytes, sizeof bytes);
	return s;
}

/* Steps a statement that writes. */
static int run(struct statement *s, struct err *e)
{
	int row = db_step(s, e);
	db_reset(s);
	return row < 0 ? -1 : 0;
}

/* --- units --- */

/* A unit as it was read, so that what is not different is not written. */
struct unit {
	struct experiment_hash hash;
	struct experiment_kept kept;
	bool is_new;
	unsigned char bytes[EXPERIMENT_KEPT_BYTES_MAX];
	size_t size;
};

static int read_row(const struct apply *a, struct statement *s, struct unit *unit, struct err *e)
{
	const unsigned char *bytes = db_bytes(s, 2, &unit->size);
	int64_t arm = db_integer(s, 0);
	if (bytes == NULL || unit->size > sizeof unit->bytes || arm < 0 || (uint64_t)arm >= a->plan->arm_count)
		return err_set(e, ERR_SYSTEM, "the database holds a unit of an A/B test that cannot be read");
	memcpy(unit->bytes, bytes, unit->size);
	unit->kept.arm = (uint32_t)arm;
	unit->kept.first_ms = db_integer(s, 1);
	return experiment_kept_read(&unit->kept, a->plan, unit->bytes, unit->size, e);
}

/* 1: it is there, 0: it is not, -1. */
static int get_unit(struct apply *a, struct experiment_hash hash, struct unit *unit, struct err *e)
{
	struct statement *s = about(a, GET_UNIT, hash);
	unit->hash = hash;
	unit->is_new = false;
	unit->size = 0;
	int row = db_step(s, e);
	if (row == 1 && read_row(a, s, unit, e) != 0)
		row = -1;
	db_reset(s);
	return row;
}

static int put_unit(struct apply *a, const struct unit *unit, struct err *e)
{
	unsigned char bytes[EXPERIMENT_KEPT_BYTES_MAX];
	size_t size = experiment_kept_write(&unit->kept, a->plan, bytes);
	if (!unit->is_new && size == unit->size && memcmp(bytes, unit->bytes, size) == 0)
		return 0;
	struct statement *s = about(a, PUT_UNIT, unit->hash);
	db_bind_integer(s, 3, unit->kept.arm);
	db_bind_integer(s, 4, unit->kept.first_ms);
	db_bind_bytes(s, 5, bytes, size);
	return run(s, e);
}

/* --- exposures --- */

static void set_fault(struct apply *a, enum experiment_fault fault)
{
	a->seen.state->faults |= 1u << fault;
}

/* Which unit a request was of, as long as outcomes of it can come. */
static int put_request(struct apply *a, const struct experiment_exposure *x, const struct experiment_kept *kept,
		       struct err *e)
{
	if (!a->takes_outcomes || experiment_hash_is_none(x->request) ||
	    x->at_ms > kept->first_ms + a->plan->window_s * 1000)
		return 0;
	unsigned char unit[HASH_BYTES];
	memcpy(unit, &x->unit, sizeof unit);
	struct statement *s = about(a, PUT_REQUEST, x->request);
	db_bind_bytes(s, 3, unit, sizeof unit);
	db_bind_number(s, 4, isfinite(x->prediction) ? x->prediction : (double)NAN);
	db_bind_integer(s, 5, experiment_kept_expires(a->plan, kept->first_ms));
	return run(s, e);
}

/* Whether the moment can be; a clock that was set back is a fault. An ended test takes no more requests. */
static bool in_time(struct apply *a, struct experiment_exposure *x)
{
	const struct experiment_record *record = a->record;
	if (x->at_ms < record->started_ms - EXPERIMENT_SKEW_MS || x->at_ms > a->now_ms + EXPERIMENT_SKEW_MS)
		set_fault(a, EXPERIMENT_FAULT_CLOCK);
	if (record->ended_ms != 0 && x->at_ms > record->ended_ms)
		return false;
	if (x->at_ms < record->started_ms)
		x->at_ms = record->started_ms;
	if (x->at_ms > a->now_ms)
		x->at_ms = a->now_ms;
	return true;
}

static int apply_exposure(struct apply *a, const struct experiment_exposure *exposure, struct err *e)
{
	struct experiment_exposure x = *exposure;
	struct unit unit;
	if (x.arm >= a->plan->arm_count)
		return err_set(e, ERR_INPUT, "the A/B test `%s` has no arm %u", a->plan->name, x.arm);
	if (!in_time(a, &x))
		return 0;
	int found = get_unit(a, x.unit, &unit, e);
	if (found < 0)
		return -1;
	if (found == 0) {
		unit.is_new = true;
		experiment_kept_begin(&unit.kept, a->plan, a->seen.state, &x);
		a->counts.units++;
	} else if (unit.kept.arm != x.arm) {
		/* Nobody may be in two arms: the route was not what the plan says. */
		set_fault(a, EXPERIMENT_FAULT_ARMS);
		return 0;
	}
	a->counts.requests++;
	experiment_kept_request(&unit.kept, a->plan, a->seen.state, &x);
	if (put_request(a, &x, &unit.kept, e) != 0)
		return -1;
	return put_unit(a, &unit, e);
}

/* --- outcomes --- */

/* What an outcome says, in 63 bits: of whom, and which value. */
static int64_t said(const struct experiment_outcome *o)
{
	struct experiment_hash target = experiment_hash_is_none(o->request) ? o->unit : o->request;
	double value = o->value + 0.0; /* -0 is 0 */
	uint64_t parts[3] = {target.high, target.low, 0};
	memcpy(&parts[2], &value, sizeof value);
	return (int64_t)(hash_seeded(0, NULL, parts, sizeof parts) >> 1);
}

/* ACCEPTED: the key is new. */
static int check_key(struct apply *a, const struct experiment_outcome *o, enum experiment_result *result, struct err *e)
{
	struct statement *s = about(a, GET_KEY, o->key);
	int row = db_step(s, e);
	if (row == 1)
		*result = db_integer(s, 0) == said(o) ? EXPERIMENT_RESULT_DUPLICATE : EXPERIMENT_RESULT_CONTRADICTORY;
	db_reset(s);
	return row < 0 ? -1 : 0;
}

static int put_key(struct apply *a, const struct experiment_outcome *o, const struct experiment_kept *kept,
		   struct err *e)
{
	struct statement *s = about(a, PUT_KEY, o->key);
	db_bind_integer(s, 3, said(o));
	db_bind_integer(s, 4, experiment_kept_expires(a->plan, kept->first_ms));
	return run(s, e);
}

/* The unit of a request, and its prediction. */
static int find_request(struct apply *a, struct experiment_hash request, struct experiment_hash *unit,
			double *prediction, enum experiment_result *result, struct err *e)
{
	size_t size;
	struct statement *s = about(a, GET_REQUEST, request);
	int row = db_step(s, e);
	const unsigned char *bytes = row == 1 ? db_bytes(s, 0, &size) : NULL;
	if (row == 0)
		*result = EXPERIMENT_RESULT_UNKNOWN_REQUEST;
	else if (row == 1 && (bytes == NULL || size != HASH_BYTES))
		*result = EXPERIMENT_RESULT_AMBIGUOUS;
	else if (row == 1) {
		memcpy(unit, bytes, HASH_BYTES);
		*prediction = db_number(s, 1);
	}
	db_reset(s);
	return row < 0 ? -1 : 0;
}

/* What is wrong with an outcome by itself, whatever is known of units. */
static enum experiment_result check_outcome(const struct apply *a, const struct experiment_outcome *o, int64_t at_ms)
{
	if (o->metric < 0 || (size_t)o->metric >= a->plan->metric_count ||
	    !experiment_kind_is_outcome(a->plan->metrics[o->metric].kind))
		return EXPERIMENT_RESULT_UNKNOWN_METRIC;
	if (!isfinite(o->value))
		return EXPERIMENT_RESULT_BAD_VALUE;
	if (at_ms > a->now_ms + EXPERIMENT_SKEW_MS)
		return EXPERIMENT_RESULT_FUTURE;
	return at_ms < a->record->started_ms - EXPERIMENT_SKEW_MS ? EXPERIMENT_RESULT_BEFORE_START
								  : EXPERIMENT_RESULT_ACCEPTED;
}

/* One whose key is new, of a unit that is there. */
static int take_in(struct apply *a, const struct experiment_outcome *o, struct unit *unit, double prediction,
		   int64_t at_ms, enum experiment_result *result, struct err *e)
{
	struct experiment_kept *kept = &unit->kept;
	*result = experiment_kept_in_time(a->plan, kept->first_ms, at_ms, a->now_ms);
	if (*result == EXPERIMENT_RESULT_ACCEPTED)
		*result =
		    experiment_kept_outcome(kept, a->plan, a->seen.state, (size_t)o->metric, o->value,
					    experiment_hash_is_none(o->request) ? kept->prediction : prediction, at_ms);
	if (*result != EXPERIMENT_RESULT_ACCEPTED)
		return 0;
	if (put_unit(a, unit, e) != 0)
		return -1;
	FAULT_POINT(batch_unit);
	return put_key(a, o, kept, e);
}

static int apply_outcome(struct apply *a, const struct experiment_outcome *o, enum experiment_result *result,
			 struct err *e)
{
	struct experiment_hash hash = o->unit;
	struct unit unit;
	double prediction = (double)NAN;
	int64_t at_ms = o->at_ms >= 0 ? o->at_ms : a->now_ms;
	*result = check_outcome(a, o, at_ms);
	if (*result == EXPERIMENT_RESULT_ACCEPTED && check_key(a, o, result, e) != 0)
		return -1;
	if (*result == EXPERIMENT_RESULT_ACCEPTED && !experiment_hash_is_none(o->request) &&
	    find_request(a, o->request, &hash, &prediction, result, e) != 0)
		return -1;
	if (*result != EXPERIMENT_RESULT_ACCEPTED)
		return 0;
	int found = get_unit(a, hash, &unit, e);
	if (found == 0)
		*result = EXPERIMENT_RESULT_UNKNOWN_UNIT;
	return found == 1 ? take_in(a, o, &unit, prediction, at_ms, result, e) : found;
}

/* --- a batch --- */

static bool takes_outcomes(const struct experiment *plan)
{
	for (size_t i = 0; i < plan->metric_count; i++)
		if (experiment_kind_is_outcome(plan->metrics[i].kind))
			return true;
	return false;
}

/* Time only goes on: what has expired stays so. */
static void keep_time(struct apply *a, int64_t now_ms)
{
	if (now_ms < a->seen.horizon_ms - EXPERIMENT_SKEW_MS)
		set_fault(a, EXPERIMENT_FAULT_CLOCK);
	if (now_ms > a->seen.horizon_ms)
		a->seen.horizon_ms = now_ms;
	a->now_ms = a->seen.horizon_ms;
}

static int apply_all(struct apply *a, const struct experiment_batch *batch, struct err *e)
{
	enum experiment_result result;
	for (size_t i = 0; i < batch->exposure_count; i++)
		if (apply_exposure(a, &batch->exposures[i], e) != 0)
			return -1;
	FAULT_POINT(batch_exposures);
	for (size_t i = 0; i < batch->outcome_count; i++) {
		if (apply_outcome(a, &batch->outcomes[i], &result, e) != 0)
			return -1;
		a->counts.outcomes[result]++;
		if (batch->results != NULL)
			batch->results[i] = result;
	}
	a->counts.lost = batch->lost;
	if (batch->lost > 0)
		set_fault(a, EXPERIMENT_FAULT_LOST);
	return 0;
}

static int transact(struct registry *r, int64_t id, const struct experiment_batch *batch, struct apply *a,
		    struct experiment_record *record, struct err *e)
{
	if (registry_find_experiment(r, id, record, e) != 0)
		return -1;
	a->record = record;
	a->plan = &record->plan;
	a->takes_outcomes = takes_outcomes(a->plan);
	if (prepare(a, r, e) != 0 || registry_read_seen(r, id, a->plan, &a->seen, e) != 0)
		return -1;
	FAULT_POINT(batch_begun);
	keep_time(a, batch->now_ms);
	if (apply_all(a, batch, e) != 0)
		return -1;
	FAULT_POINT(batch_rows);
	experiment_counts_add(&a->seen.counts, &a->counts);
	return registry_write_seen(r, id, &a->seen, e);
}

int registry_experiment_apply(struct registry *r, int64_t id, const struct experiment_batch *batch,
			      struct experiment_counts *counts, struct err *e)
{
	struct apply a = {0};
	/* On the heap: a plan is much for a thread of the server. */
	struct experiment_record *record = malloc(sizeof *record);
	if (record == NULL)
		return err_set(e, ERR_MEMORY, "memory ran out over records of an A/B test");
	if (batch->exposure_count > EXPERIMENT_BATCH_MAX || batch->outcome_count > EXPERIMENT_BATCH_MAX) {
		free(record);
		return err_set(e, ERR_INPUT, "a batch has at most %d records of a kind", EXPERIMENT_BATCH_MAX);
	}
	registry_lock(r);
	int result = db_begin(r->db, e);
	if (result == 0)
		result = transact(r, id, batch, &a, record, e);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		db_end(a.statements[i]);
	FAULT_POINT(batch_state);
	result = registry_finish(r, result, e);
	FAULT_POINT(batch_committed);
	if (result == 0)
		*counts = a.counts;
	experiment_state_free(a.seen.state);
	free(record);
	return result;
}
